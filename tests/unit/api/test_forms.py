"""What the bodies of create calls may be, without a server."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from idphoto.api.errors import BadRequest, BodyTooLarge, BodyTooSlow, NotReady
from idphoto.api.forms import MAX_TEXT_BYTES, Form, open_form
from idphoto.outbound import Outbound
from idphoto.specs import Catalogue
from idphoto.storage import StorageFailed

CATALOGUE = Catalogue.load()
MAX_UPLOAD = 100_000
CHECK_URL = Outbound().check_url


async def never() -> None:
    await asyncio.Event().wait()


def parse(body: bytes, content_type: str, *, chunk: int = 4096, length: bool = True) -> Form:
    """Read a body that comes in chunks."""

    async def run() -> Form:
        chunks = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]

        async def receive() -> Message:
            part = chunks.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(chunks)}

        headers = [(b"content-type", content_type.encode("latin-1"))]
        if length:
            headers.append((b"content-length", str(len(body)).encode()))
        request = Request({"type": "http", "method": "POST", "headers": headers, "app": None}, receive)
        async with open_form(request, max_upload_bytes=MAX_UPLOAD, timeout_s=60, deadline=never) as form:
            return form

    return asyncio.run(run())


def multipart(*parts: tuple[str, str | None, bytes]) -> tuple[bytes, str]:
    """Write parts of (name, filename or None, content)."""
    body = b""
    for name, filename, content in parts:
        extra = "" if filename is None else f'; filename="{filename}"'
        body += f'--edge\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def test_a_body_that_takes_too_long_is_refused() -> None:
    async def run() -> None:
        for content_type, start in ((b"application/json", b"{"), (b"multipart/form-data; boundary=b", b"--b")):
            chunks = iter([start])

            async def receive(chunks: Iterator[bytes] = chunks) -> Message:
                await asyncio.sleep(0.01)
                return {"type": "http.request", "body": next(chunks, b""), "more_body": True}

            scope = {"type": "http", "method": "POST", "headers": [(b"content-type", content_type)], "app": None}
            with pytest.raises(BodyTooSlow) as caught:
                async with open_form(
                    Request(scope, receive), max_upload_bytes=MAX_UPLOAD, timeout_s=0.05, deadline=never
                ):
                    raise AssertionError("the body never ends")
            assert caught.value.code == "upload_too_slow"

    asyncio.run(run())


@pytest.mark.parametrize("content_type", [b"application/json", b"multipart/form-data; boundary=b"])
def test_a_body_that_is_not_there_when_the_server_stops_is_refused(content_type: bytes) -> None:
    async def run() -> None:
        async def receive() -> Message:
            await never()
            raise AssertionError

        async def soon() -> None:
            await asyncio.sleep(0.01)

        scope = {"type": "http", "method": "POST", "headers": [(b"content-type", content_type)], "app": None}
        with pytest.raises(NotReady):
            async with open_form(Request(scope, receive), max_upload_bytes=MAX_UPLOAD, timeout_s=60, deadline=soon):
                raise AssertionError("the body never ends")

    asyncio.run(run())


def test_what_cannot_be_spooled_is_a_failure_of_the_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/no-such-folder")
    body, content_type = multipart(("image_file", "me.jpg", b"p" * 100_000))
    with pytest.raises(StorageFailed):
        parse(body, content_type)


def test_a_json_body_that_names_a_field_twice_is_refused() -> None:
    with pytest.raises(BadRequest, match="twice"):
        parse(b'{"size": "300x400", "size": "100x100"}', "application/json")


def test_a_multipart_body_is_sorted_into_texts_and_files() -> None:
    form = parse(
        *multipart(
            ("image_file", "me.jpg", b"photo"),
            ("size", None, b"295x413"),
            ("bg_color", None, b""),
            ("note", None, "证件照".encode()),
        )
    )
    assert form.texts == {"size": ("295x413",), "note": ("证件照",)}
    assert [part.filename for part in form.files["image_file"]] == ["me.jpg"]


def test_a_browsers_empty_file_input_is_absent() -> None:
    assert parse(*multipart(("image_file", "", b""))).files == {}


def test_the_three_kinds_of_body_say_the_same() -> None:
    expected = {"size": ("295x413",), "sync": ("1",)}
    assert parse(*multipart(("size", None, b"295x413"), ("sync", None, b"1"))).texts == expected
    assert parse(b"size=295x413&sync=1&format=", "application/x-www-form-urlencoded").texts == expected
    body = json.dumps({"size": "295x413", "sync": 1, "format": None, "bg_color": ""}).encode()
    assert parse(body, "application/json; charset=utf-8").texts == expected
    assert parse(body, "application/x-www-form-urlencoded").texts == expected


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"{", "application/json", "bad_form"),
        (b"[]", "application/json", "bad_form"),
        (b"[" * 60_000, "application/json", "bad_form"),
        (b"\xff=1", "application/x-www-form-urlencoded", "bad_form"),
        (b"&".join(b"a=1" for _ in range(100)), "application/x-www-form-urlencoded", "bad_form"),
        (b"photo", "image/jpeg", "bad_content_type"),
        (b"photo", "", "bad_content_type"),
        (b"photo", "multipart/form-data", "bad_form"),
        (b"photo", "multipart/form-data; boundary=edge", "bad_form"),
    ],
)
def test_a_malformed_body_is_refused(body: bytes, content_type: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(body, content_type)
    assert caught.value.code == code


@given(
    body=st.binary(max_size=300),
    content_type=st.sampled_from(
        ["application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
    ),
)
def test_no_body_can_do_more_than_be_refused(body: bytes, content_type: str) -> None:
    whole = b"--x\r\n" + body + b"\r\n--x--\r\n" if "multipart" in content_type else body
    try:
        form = parse(whole, content_type)
    except BadRequest as error:
        if error.code != "bad_form":
            raise
        form = Form()
    assert all(text for texts in form.texts.values() for text in texts)


@pytest.mark.parametrize("length", [True, False])
def test_a_photo_over_the_limit_is_refused_with_or_without_a_content_length(length: bool) -> None:
    for size in (MAX_UPLOAD + 1, MAX_UPLOAD + 2 * 1024 * 1024):
        with pytest.raises(BodyTooLarge, match="MB at most"):
            parse(*multipart(("image_file", "me.jpg", bytes(size))), chunk=65536, length=length)
    with pytest.raises(BodyTooLarge, match="64 KB"):
        parse(bytes(MAX_TEXT_BYTES + 1), "application/json", length=length)


def test_too_many_parts_are_refused() -> None:
    with pytest.raises(BadRequest, match="Too many fields"):
        parse(*multipart(*((f"f{i}", None, b"1") for i in range(100))))
    with pytest.raises(BadRequest, match="Too many files"):
        parse(*multipart(*((f"f{i}", "a.jpg", b"1") for i in range(3))))


@pytest.mark.parametrize("cut", [3, 9, 40])
def test_a_multipart_body_that_breaks_off_is_told_so(cut: int) -> None:
    body, content_type = multipart(("size", None, b"295x413"), ("image_file", "me.jpg", b"p" * 5000))
    with pytest.raises(BadRequest) as caught:
        parse(body[:-cut], content_type)
    assert caught.value.code == "bad_form"


@pytest.mark.parametrize("epilogue", [b"", b"\r\n", b"\r\nafter the end" * 20])
def test_what_follows_the_last_boundary_is_ignored(epilogue: bytes) -> None:
    body, content_type = multipart(("size", None, b"295x413"))
    assert parse(body.removesuffix(b"\r\n") + epilogue, content_type).get("size") == "295x413"
