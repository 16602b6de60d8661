"""Reading the body of a create call: multipart, urlencoded or JSON into one bounded :class:`Form`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile as StarletteUpload
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Message, Receive, Scope

from idphoto.api.errors import BadRequest, BodyTooLarge, BodyTooSlow, NotReady
from idphoto.storage import StorageFailed

#: The photo and one stray file.
MAX_FILES = 2
MAX_FIELDS = 64
#: Longest text part, and longest body without a file.
MAX_TEXT_BYTES = 64 * 1024
#: What the other parts of a multipart body may take beside the largest allowed photo.
FORM_OVERHEAD_BYTES = 1024 * 1024

_MULTIPART = "multipart/form-data"
_URLENCODED = "application/x-www-form-urlencoded"
_JSON = "application/json"
#: More than RFC 2046 allows (5.1.1), but nothing that would end the quotes around it.
_BOUNDARY = re.compile(rb"[ !#-\[\]-~]{1,200}")

#: The last boundary, and what may follow it.
_END_BYTES = 4096

# What is larger than this goes to disk while it comes in; the framework keeps a megabyte of every upload in memory.
MultiPartParser.spool_max_size = 64 * 1024


_Read = TypeVar("_Read")


@dataclass(frozen=True, kw_only=True)
class Form:
    """The fields of a body. Empty ones are left out: an empty string means absent."""

    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Every non-empty text of a name, in the order sent."""
    files: Mapping[str, tuple[StarletteUpload, ...]] = field(default_factory=dict)
    """Every file part of a name. A part with neither a filename nor a byte is no file; a browser sends it for an
    empty file input."""

    def get(self, name: str) -> str:
        """Return the last text of that name, or an empty string."""
        return self.texts.get(name, ("",))[-1]


def is_short(request: Request) -> bool:
    """Tell whether the body is known to be so short that it holds no photo."""
    length = request.headers.get("content-length", "")
    return length.isascii() and length.isdigit() and int(length) <= MAX_TEXT_BYTES


@asynccontextmanager
async def open_form(
    request: Request, *, max_upload_bytes: int, timeout_s: float, deadline: Callable[[], Awaitable[object]]
) -> AsyncIterator[Form]:
    """Read the body, for ``timeout_s`` seconds at most; its files are closed when the context ends.

    Args:
        request: whose body.
        max_upload_bytes: of the photo.
        timeout_s: for the whole body.
        deadline: when this returns, the server stops and waits no longer for bodies.

    Raises:
        NotReady: the server stops.
        StorageFailed: what came cannot be kept, as the disk is full.
        BodyTooSlow: the body did not come in time.
        BodyTooLarge: the body or its photo is over the limit, whether or not a Content-Length said so.
        BadRequest: the body is of an unknown type or not well-formed.
    """
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type == _MULTIPART:
        bounded = _bound_body(request, max_upload_bytes + FORM_OVERHEAD_BYTES, max_upload_bytes)
        boundary = _read_boundary(request)
        watched = Request(_leave_charset_out(request.scope, boundary), _watch_end(bounded.receive, boundary))
        try:
            form = watched.form(max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_TEXT_BYTES)
            parts = await _read_in_time(form, timeout_s, deadline)
        except HTTPException as error:
            raise BadRequest(f"The multipart body is not well-formed: {error.detail}", code="bad_form") from error
        try:
            yield _sort_parts(parts.multi_items(), max_upload_bytes)
        finally:
            await parts.close()
        return
    reading = _bound_body(request, MAX_TEXT_BYTES, max_upload_bytes).body()
    body = await _read_in_time(reading, timeout_s, deadline)
    if media_type == _JSON or (media_type == _URLENCODED and body.lstrip().startswith(b"{")):
        yield _read_json(body)
    elif media_type == _URLENCODED or not body:
        yield _read_urlencoded(body)
    else:
        raise BadRequest(
            f"Content-Type {media_type[:80]!r} is not known: send {_MULTIPART}, {_URLENCODED} or {_JSON}.",
            code="bad_content_type",
        )


async def _read_in_time(
    reading: Awaitable[_Read], timeout_s: float, deadline: Callable[[], Awaitable[object]]
) -> _Read:
    read, stop = asyncio.ensure_future(reading), asyncio.ensure_future(deadline())
    try:
        await asyncio.wait({read, stop}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if read.done():
            return read.result()
        raise NotReady("The server is stopping: try again in a moment.") if stop.done() else BodyTooSlow(timeout_s)
    except OSError as error:
        # What is large goes to disk while it comes in.
        raise StorageFailed from error
    finally:
        read.cancel()
        stop.cancel()
        await asyncio.wait({read, stop})


def _bound_body(request: Request, max_bytes: int, max_upload_bytes: int) -> Request:
    """Return the same request, which raises BodyTooLarge as soon as the body is known to be over the limit."""
    taken = 0

    def refuse() -> BodyTooLarge:
        if max_bytes == MAX_TEXT_BYTES:
            return BodyTooLarge(f"A body without a file may have {max_bytes // 1024} KB at most.")
        return _refuse_upload(max_upload_bytes)

    async def receive() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > max_bytes:
            raise refuse()
        return message

    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > max_bytes:
        raise refuse()
    return Request(request.scope, receive)


def _watch_end(receive: Receive, boundary: bytes) -> Receive:
    """Return the same receive, which raises MultiPartException when the body ends without the last boundary.

    The parser would drop a last part that has no end, and the photo would only seem to be missing.
    """
    end = bytearray()

    async def receive_and_watch() -> Message:
        message = await receive()
        end.extend(message.get("body", b"")[-_END_BYTES:])
        del end[:-_END_BYTES]
        is_over = message["type"] == "http.request" and not message.get("more_body", False)
        if is_over and b"--" + boundary + b"--" not in end:
            raise MultiPartException("It breaks off before its last boundary.")
        return message

    return receive_and_watch


def _read_boundary(request: Request) -> bytes:
    """Return the boundary between the parts.

    Raises:
        BadRequest: there is none, or none that can be quoted.
    """
    boundary = parse_options_header(request.headers.get("content-type"))[1].get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise BadRequest("The multipart body is not well-formed: the boundary is missing or odd.", code="bad_form")
    return boundary


def _leave_charset_out(scope: Scope, boundary: bytes) -> Scope:
    """Return the scope of the same request, whose Content-Type says nothing but the boundary.

    The framework would decode the parts by any codec of Python's that the header names. Some of them raise errors of
    their own or take seconds for a part. A multipart body has no charset (RFC 7578): its texts are UTF-8.
    """
    others = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    content_type = _MULTIPART.encode() + b'; boundary="' + boundary + b'"'
    return {**scope, "headers": [*others, (b"content-type", content_type)]}


def _refuse_upload(max_upload_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"image_file may have {max_upload_bytes / 1024**2:g} MB at most.")


def _sort_parts(parts: list[tuple[str, str | StarletteUpload]], max_upload_bytes: int) -> Form:
    texts: dict[str, tuple[str, ...]] = {}
    files: dict[str, tuple[StarletteUpload, ...]] = {}
    for name, part in parts:
        if isinstance(part, str):
            if part:
                texts[name] = (*texts.get(name, ()), part)
        elif part.size or part.filename:
            if (part.size or 0) > max_upload_bytes:
                raise _refuse_upload(max_upload_bytes)
            files[name] = (*files.get(name, ()), part)
    return Form(texts=texts, files=files)


def _read_urlencoded(body: bytes) -> Form:
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise BadRequest(
            "The urlencoded body is not well-formed UTF-8 or has too many fields.", code="bad_form"
        ) from error
    texts: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        texts[name] = (*texts.get(name, ()), value)
    return Form(texts=texts)


def _read_json(body: bytes) -> Form:
    try:
        fields = json.loads(body, object_pairs_hook=_read_object)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The JSON body is not well-formed, or names a field twice.", code="bad_form") from error
    if not isinstance(fields, dict) or len(fields) > MAX_FIELDS:
        raise BadRequest(f"The JSON body must be an object of at most {MAX_FIELDS} fields.", code="bad_form")
    texts = {name: _write_text(value) for name, value in fields.items()}
    try:
        "".join(texts.values()).encode()
    except UnicodeEncodeError as error:
        raise BadRequest("The JSON body holds half of a surrogate pair.", code="bad_form") from error
    return Form(texts={name: (text,) for name, text in texts.items() if text})


def _read_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("A name stands twice.")
    return read


def _write_text(value: object) -> str:
    """Return the JSON value as a form would carry it."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(int(value))
        case _:
            return json.dumps(value)
