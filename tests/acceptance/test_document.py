"""The OpenAPI document against the running server: what it says is true, for calls made up from the document itself
and for the real ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
import pytest
import requests
import schemathesis
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.running import Server

#: The only operations that ask for no key: probes, the catalogue, and files, whose name is the secret.
OPEN = {"/healthz", "/readyz", "/metrics", "/specs", "/specs/{spec_id}", "/files/{name}"}
SWITCHED_OFF = (
    # Rules between fields (only one of spec, size and mm_width; a photo or its URL) are not in the document.
    "positive_data_acceptance",
    # Forms know only texts: the server takes 1, true and null in JSON for what a form would hold, and schemathesis
    # breaks the file of a multipart body in ways that arrive as a file all the same.
    "negative_data_rejection",
)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may be filled with thousands of odd tasks, and waits for none of them for long."""
    options = {"IDPHOTO_SYNC_WAIT_S": "0.2", "IDPHOTO_RATE_PER_S": "100000", "IDPHOTO_QUEUE_LIMIT": "100000"}
    running = Server(tmp_path_factory.mktemp("document"), options).start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def document(own_server: Server) -> OpenApiSchema:
    """The document that the server hands out."""
    loaded = schemathesis.openapi.from_url(own_server.url + "/openapi.json")
    assert isinstance(loaded, OpenApiSchema)
    return loaded


@pytest.mark.timeout(400)  # half a minute on a free machine
def test_every_operation_answers_made_up_calls_as_the_document_says(
    document: OpenApiSchema, own_server: Server, astronaut_jpeg: bytes, tmp_path: Path
) -> None:
    made = own_server.create(astronaut_jpeg, size="300x400", format="jpg").json()["data"]["task_id"]
    name = own_server.wait_for_end(made)["image"].rpartition("/")[2]
    command = [str(Path(sys.executable).parent / "schemathesis"), "run", own_server.url + "/openapi.json"]
    command += ["--header", f"Authorization: Bearer {own_server.key}", "--exclude-checks", ",".join(SWITCHED_OFF)]
    command += ["--seed", "1", "--generation-deterministic", "--max-examples", "20", "--continue-on-failure"]
    command += ["--request-timeout", "20", "--no-color"]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.acceptance.document_hooks",
        "IDPHOTO_TEST_KNOWN": f"task_id={made} name={name} spec_id=us-passport",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    # In a folder of its own, since it keeps notes where it runs.
    run = subprocess.run(
        command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=380
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr
    operations = sum(len(methods) for methods in document.raw_schema["paths"].values())
    assert re.search(rf"Tested: {operations}\b", run.stdout), run.stdout
    assert int(re.findall(r"(\d+) generated", run.stdout)[0]) > 1000
    replies = requests.get(own_server.url + "/metrics", timeout=10).text
    assert not re.search(r'http_requests_total\{[^}]*status="500"', replies)


def test_every_operation_that_is_not_meant_to_be_open_needs_a_key(document: OpenApiSchema, own_server: Server) -> None:
    asked = 0
    for path, methods in document.raw_schema["paths"].items():
        for method, operation in methods.items():
            if path in OPEN:
                assert "security" not in operation
                continue
            assert operation["security"] == [{"Bearer": []}, {"ApiKey": []}]
            url = own_server.url + path.replace("{task_id}", "0")
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-API-KEY": "wrong"}):
                reply = requests.request(method, url, headers=headers, timeout=10)
                assert reply.status_code == 401, (method, path, headers)
                document[path][method].validate_response(reply)
            asked += 1
    assert asked >= 8


CALLS: dict[str, dict[str, str]] = {
    "link": {"size": "300x400"},
    "base64": {"size": "300x400", "return_type": "2"},
    "bytes": {"size": "300x400", "format": "jpg", "return_type": "3", "sync": "1"},
    "document, sheet": {"spec": "us-passport", "layout": "6inch"},
    "own size": {},
}


@pytest.mark.parametrize("path", ["/task/pic/idphoto", "/api/tasks/visual/idphoto"])
@pytest.mark.parametrize("fields", CALLS.values(), ids=CALLS)
def test_replies_to_real_photos_are_as_the_document_says(
    document: OpenApiSchema, server: Server, astronaut_jpeg: bytes, path: str, fields: dict[str, str]
) -> None:
    made = server.create(astronaut_jpeg, fields, path=path)
    document[path]["POST"].validate_response(made)
    if fields.get("return_type") == "3":
        assert made.headers["Content-Type"] == "image/jpeg"
        return
    task_id = made.json()["data"]["task_id"]
    assert server.wait_for_end(task_id)["state"] == 1
    for door in {"/task", path.replace("/task/pic/idphoto", "/task")}:
        polled = requests.get(f"{server.url}{door}/{task_id}", headers=server.headers, timeout=10)
        assert polled.status_code == 200
        document[door + "/{task_id}"]["GET"].validate_response(polled)
    image = polled.json()["data"]["image"]
    if image.startswith("http"):
        document["/files/{name}"]["GET"].validate_response(requests.get(image, timeout=10))
    deleted = requests.delete(f"{server.url}/task/{task_id}", headers=server.headers, timeout=10)
    document["/task/{task_id}"]["DELETE"].validate_response(deleted)


def test_the_reply_to_a_check_is_as_the_document_says(
    document: OpenApiSchema, server: Server, astronaut_jpeg: bytes
) -> None:
    path = "/task/pic/idphoto/check"
    checked = server.create(astronaut_jpeg, {"spec": "us-passport"}, path=path)
    assert checked.json()["data"]["compliance"]["checks"]
    document[path]["POST"].validate_response(checked)


def test_the_examples_are_as_the_document_says(document: OpenApiSchema) -> None:
    replies = [
        content
        for methods in document.raw_schema["paths"].values()
        for operation in methods.values()
        for described in operation["responses"].values()
        for content in described.get("content", {}).values()
        if "example" in content
    ]
    assert len(replies) >= 20
    for content in replies:
        jsonschema_rs.validate(content["schema"], content["example"])


def test_a_method_that_an_address_does_not_take_is_refused_with_all_that_it_does(server: Server) -> None:
    refused = requests.patch(server.url + "/task/0", headers=server.headers, timeout=10)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "DELETE, GET")
