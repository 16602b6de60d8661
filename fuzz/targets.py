"""What is fuzzed: each target reads one input. Whatever it raises beside what the product documents is a finding."""

from __future__ import annotations

import asyncio
import io
import json
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Message
from yarl import URL

from idphoto.addresses import is_public
from idphoto.api.errors import ApiError
from idphoto.api.field_docs import FIELDS
from idphoto.api.fields import CreateRequest, read_create_request
from idphoto.api.forms import Form, open_form
from idphoto.imaging.archive import BadArchive, unpack
from idphoto.imaging.decode import decode
from idphoto.imaging.errors import DecodeError
from idphoto.outbound import Outbound, OutboundError
from idphoto.specs import Catalogue
from idphoto.tasks.request import Mode, PhotoRequest

#: Far fewer than the server takes, so that a large picture does not pass for a hang.
MAX_PIXELS = 1_000_000
MAX_UPLOAD_BYTES = 64 * 1024
FIELD_NAMES = (*FIELDS, "image_file", "clothes_id", "auto_thin_face")

_CODE = re.compile(r"[a-z][a-z0-9_]*")
_CATALOGUE = Catalogue.load()
_OUTBOUND = Outbound()
_LOOP = asyncio.new_event_loop()


class Finding(AssertionError):
    """The product did something that it promises not to do."""


def read_image(data: bytes) -> None:
    """Decode a file; a photo comes out, or a documented refusal."""
    with suppress(DecodeError):
        source = decode(data, max_pixels=MAX_PIXELS)
        height, width, channels = source.pixels.shape
        if channels != 3 or min(width, height) < 16 or width * height > MAX_PIXELS:
            raise Finding(f"decode let {source.pixels.shape} through")


def read_archive(data: bytes) -> None:
    """Unpack a cut-out, at full size and reduced."""
    for head_px in (None, 10.0):
        with suppress(BadArchive):
            unpack(data, head_px=head_px)


def read_form(data: bytes) -> None:
    """Read a body as the server does: the first line is the Content-Type, the others are the body."""
    content_type, _, body = data.partition(b"\n")
    _LOOP.run_until_complete(_open(content_type, body))


def read_fields(data: bytes) -> None:
    """Read fields without a body around them: lines of the number of a name and a value, after a byte of switches."""
    switches, *lines = data.split(b"\n") if data else [b""]
    switch = switches[0] if switches else 0
    texts: dict[str, tuple[str, ...]] = {}
    for line in (switches[1:], *lines):
        if len(line) > 1:
            name = FIELD_NAMES[line[0] % len(FIELD_NAMES)]
            texts[name] = (*texts.get(name, ()), line[1:].decode("utf-8", "replace"))
    if switch & 1:
        texts.setdefault("image_url", ("https://photos.example/me.jpg",))
    files = {"image_file": (UploadFile(io.BytesIO(b"photo"), size=5, filename="a.jpg"),)} if switch & 2 else {}
    check_form(Form(texts=texts, files=files), Mode.CHECK if switch & 4 else Mode.MAKE)


def read_url(data: bytes) -> None:
    """Check a URL; what is let through and is an address to the system's resolver must be a public one."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        _OUTBOUND.check_url(text)
    except OutboundError:
        return
    url = URL(text)
    text.encode()
    try:
        found = socket.getaddrinfo(url.raw_host, url.port, flags=socket.AI_NUMERICHOST, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return  # a name: what it leads to is checked when it is connected to
    for *_, address in found:
        if not is_public(ip_address(str(address[0]).partition("%")[0])):
            raise Finding(f"{text!r} leads to {address[0]}")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "decode": read_image,
    "archive": read_archive,
    "form": read_form,
    "fields": read_fields,
    "url": read_url,
}


async def _open(content_type: bytes, body: bytes) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", content_type)], "app": None}
    try:
        async with open_form(
            Request(scope, receive), max_upload_bytes=MAX_UPLOAD_BYTES, timeout_s=60, deadline=asyncio.Event().wait
        ) as form:
            check_form(form, Mode.MAKE)
    except ApiError as error:
        _check_refusal(error)


def check_form(form: Form, mode: Mode) -> None:
    """Validate a form as the server does; a request comes out that can be stored, or a refusal of ours."""
    try:
        wish = read_create_request(form, catalogue=_CATALOGUE, check_url=_OUTBOUND.check_url, mode=mode)
    except ApiError as error:
        _check_refusal(error)
    else:
        _check_wish(wish)


def _check_refusal(error: ApiError) -> None:
    if not 400 <= error.status < 500 or not _CODE.fullmatch(error.code):
        raise Finding(f"{error.status} {error.code!r} is no refusal")
    if not str(error) or not str(error).isprintable():
        raise Finding(f"the message is {str(error)!r}")


def _check_wish(wish: CreateRequest) -> None:
    """What is accepted must survive the way into the database and back."""
    stored = json.dumps(wish.photo.to_json(), allow_nan=False)
    if PhotoRequest.from_json(json.loads(stored)) != wish.photo:
        raise Finding(f"{wish.photo} comes back as {stored}")
    for text in (wish.photo.last_id, wish.image_url, wish.callback_url):
        (text or "").encode()
