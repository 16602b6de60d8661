"""Odd bodies, headers and addresses through the whole web layer: an answer of the contract comes back, never a 500."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st

from idphoto.api.field_docs import FIELDS
from tests.integration.api.running import Server, start_server

#: Few, since most calls here wait for the disk; the unit tests and `make fuzz` try many.
UNHURRIED = settings(deadline=None, max_examples=15)
NAMES = (*FIELDS, "image_file", "clothes_id", "auto_thin_face")
#: Clients may rely on these: a new one is added here and no old one goes away.
CODES = {
    "bad_content_type",
    "bad_form",
    "bad_idempotency_key",
    "bad_request",
    "both_images",
    "conflicting_fields",
    "editing_forbidden",
    "layout_does_not_fit",
    "method_not_allowed",
    "missing_image",
    "missing_size",
    "missing_spec",
    "not_found",
    "refused_field",
    "repeated_field",
    "unauthorized",
    "unknown_image",
    "unknown_spec",
    "upload_too_large",
    *(f"bad_{name}" for name in NAMES),
}
ANY = st.characters(categories=["Cc", "Cs", "L", "N", "P", "S", "Z"])
VALUES = st.text(ANY, max_size=30) | st.sampled_from(["1", "0", "300x400", "jpg", "us-passport", "6inch", "300"])
HEADERS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may be filled with odd tasks."""
    with start_server(tmp_path_factory.mktemp("odd"), queue_limit=100_000, sync_wait_s=0.01) as running:
        yield running


def check_answer(reply: requests.Response) -> None:
    if reply.status_code == 200:
        assert reply.json()["data"]["task_id"]
        return
    body = reply.json()
    assert 400 <= reply.status_code < 500, body
    assert body["status"] == reply.status_code
    assert body["message"] == body["error"]["message"]
    assert body["message"].isprintable()
    assert re.fullmatch(r".{8,1500}", body["message"])
    assert body["error"]["code"] in CODES
    assert body["error"]["type"] in {"invalid_request", "authentication", "not_found", "too_large"}


@UNHURRIED
@given(fields=st.dictionaries(st.sampled_from(NAMES) | st.text(ANY, max_size=5), VALUES, max_size=5))
@example(fields={"last_id": "\ud800"})
@example(fields={"image_url": "http://0[1]@/"})
def test_any_fields(own_server: Server, fields: dict[str, str]) -> None:
    path = "/task/pic/idphoto"
    check_answer(own_server.call("POST", path, data=json.dumps(fields), headers={"Content-Type": "application/json"}))
    whole = {name.encode(errors="replace"): value.encode(errors="replace") for name, value in fields.items()}
    check_answer(own_server.call("POST", path, data=whole))
    parts = {name: (None, value) for name, value in whole.items()}
    parts[b"image_file"] = ("me.jpg", b"photo")  # type: ignore[assignment]
    check_answer(own_server.call("POST", path, files=parts))
    check_answer(own_server.call("POST", path + "/check", data={**whole, b"spec": b"us-passport"}))


@UNHURRIED
@given(content_type=HEADERS, body=st.binary(max_size=100))
@example(content_type="multipart/form-data; boundary=a; charset=undefined", body=b"--a--\r\n")
@example(
    content_type="multipart/form-data; boundary=a; charset=unicode_escape",
    body=b'--a\r\nContent-Disposition: form-data; name="last_id"\r\n\r\n\\ud800\r\n--a--\r\n',
)
@example(content_type="", body=b"\xff")
def test_any_content_type_and_bytes(own_server: Server, content_type: str, body: bytes) -> None:
    headers = {"Content-Type": content_type.strip().encode("latin-1")}
    check_answer(own_server.call("POST", "/task/pic/idphoto", data=body, headers=headers))
    headers = {"Content-Type": f"multipart/form-data; boundary=a;{content_type}".strip().encode("latin-1")}
    check_answer(own_server.call("POST", "/task/pic/idphoto", data=body, headers=headers))


@UNHURRIED
@given(text=HEADERS)
def test_any_headers(own_server: Server, text: str) -> None:
    value = text.strip().encode("latin-1")
    data = {"image_url": "http://photos.example/"}
    for name in ("Idempotency-Key", "X-Request-ID", "Content-Encoding", "Accept", "Origin", "X-Forwarded-For"):
        check_answer(own_server.call("POST", "/task/pic/idphoto", data=data, headers={name: value}))
    for name in ("Authorization", "X-API-KEY"):
        reply = own_server.call("POST", "/task/pic/idphoto", key=None, data=data, headers={name: value})
        check_answer(reply)
        assert reply.status_code == 401


@UNHURRIED
@given(name=st.binary(min_size=1, max_size=40))
@example(name=b"\0")
@example(name=b"\xed\xa0\x80")
@example(name=b"../../idphoto.db")
def test_any_name_of_a_task_a_file_or_a_spec(own_server: Server, name: bytes) -> None:
    for path in ("/task/", "/files/", "/specs/", "/static/"):
        reply = own_server.call("GET", path + quote(name, safe=""))
        assert reply.status_code in {200, 404} if name in {b".", b"..", b"../"} else reply.status_code == 404
        if reply.status_code == 404:
            check_answer(reply)
