"""Result files."""

from __future__ import annotations

import secrets
import uuid

import pytest
import requests

from tests.integration.api.running import RESULT, Server, Start


def finish_one(server: Server, extension: str = "png") -> str:
    """Return the URL of a finished photo."""
    name = f"{secrets.token_urlsafe(24)}.{extension}"
    task_id = server.create_id(format=extension)
    server.finish(task_id, key=f"results/{name}")
    url: str = server.call("GET", f"/task/{task_id}").json()["data"]["image"]
    assert url == f"{server.url}/files/{name}"
    return url


@pytest.mark.parametrize(("extension", "media_type"), [("png", "image/png"), ("jpg", "image/jpeg")])
def test_a_file_needs_no_key_and_says_what_it_is(server: Server, extension: str, media_type: str) -> None:
    url = finish_one(server, extension)
    for method in ("GET", "HEAD"):
        reply = requests.request(method, url, timeout=20)
        assert reply.status_code == 200
        assert reply.content == (RESULT if method == "GET" else b"")
        assert reply.headers["Content-Type"] == media_type
        assert reply.headers["Content-Length"] == str(len(RESULT))
        assert reply.headers["Content-Disposition"] == f'inline; filename="idphoto.{extension}"'
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Cache-Control"].startswith("private")
        assert reply.headers["Access-Control-Allow-Origin"] == "*"


def test_a_part_of_a_file_can_be_read(server: Server) -> None:
    reply = requests.get(finish_one(server), headers={"Range": "bytes=1-3"}, timeout=20)
    assert (reply.status_code, reply.content) == (206, RESULT[1:4])


@pytest.mark.parametrize(
    "name",
    [
        "x.png",
        f"{'a' * 32}.png",
        f"{'a' * 32}.gif",
        f"{'a' * 65}.png",
        "..%2f..%2fidphoto.db",
        "%00" + "a" * 32 + ".png",
    ],
)
def test_any_other_name_is_404(server: Server, name: str) -> None:
    assert requests.get(f"{server.url}/files/{name}", timeout=20).status_code == 404


def test_a_source_cannot_be_read_through_a_file_name(server: Server) -> None:
    task_id = server.create_id()
    for name in (task_id, f"{task_id}.png", f"..%2fsources%2f{task_id}"):
        assert requests.get(f"{server.url}/files/{name}", timeout=20).status_code == 404


def test_a_file_without_a_task_is_404(server: Server) -> None:
    name = f"{uuid.uuid4().hex}.png"
    server.run(server.services.storage.put(f"results/{name}", RESULT))
    assert requests.get(f"{server.url}/files/{name}", timeout=20).status_code == 404


def test_only_files_may_be_read_by_other_origins(start: Start) -> None:
    with start() as server:
        reply = server.call("GET", "/task/x", headers={"Origin": "https://elsewhere.example"})
        assert "Access-Control-Allow-Origin" not in reply.headers
