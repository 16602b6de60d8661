"""The fields of a create call: what each may hold, and what it becomes.

Every refusal is a :class:`~idphoto.api.errors.BadField` that names the field, the value and the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from starlette.datastructures import UploadFile

from idphoto.api.errors import BadField, BadRequest, show_value
from idphoto.api.forms import Form
from idphoto.colour import parse_colour
from idphoto.outbound import BadUrl, OutboundError
from idphoto.specs import Catalogue, UnknownSpec
from idphoto.tasks.model import Format, PhotoRequest, ReturnType

MIN_SIDE_PX, MAX_SIDE_PX = 100, 2000
MAX_IMAGE_URL_CHARS = 512

_SIZE_RULE = f"write WIDTHxHEIGHT with a lowercase x, each from {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels"
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_ZERO = re.compile(r"0+(?:\.0+)?")

_Choice = TypeVar("_Choice")

#: Advanced fields of the wire contract that this version does not act on, with the values that ask for nothing.
_UNSUPPORTED: dict[str, re.Pattern[str] | None] = {
    "dpi": None,
    "mm_width": None,
    "mm_height": None,
    "min_kb": _ZERO,
    "max_kb": _ZERO,
    "bg_color2": None,
    "keep_background": _ZERO,
    "head_height": None,
    "top_margin": None,
    "eye_line": None,
    "auto_bright": _ZERO,
    "auto_smooth": _ZERO,
    "auto_sharp": _ZERO,
    "layout": re.compile(r"0+|none"),
    "preview": _ZERO,
    "last_id": None,
}
_REFUSED: dict[str, re.Pattern[str] | None] = {"clothes_id": None, "auto_thin_face": _ZERO}


@dataclass(frozen=True, kw_only=True)
class CreateRequest:
    """A create call, validated."""

    photo: PhotoRequest
    return_type: ReturnType
    sync: bool
    callback_url: str | None
    image_url: str | None
    image: UploadFile | None
    """The uploaded source; exactly one of this and ``image_url`` is set."""


def read_create_request(form: Form, *, catalogue: Catalogue, check_url: Callable[[str], None]) -> CreateRequest:
    """Validate the fields of a create call. Fields that the contract does not know are ignored.

    Args:
        form: the body.
        catalogue: where ``spec`` is looked up.
        check_url: raises BadUrl for what is no URL, another OutboundError for an address that may not be reached.

    Raises:
        BadRequest: a field is missing, contradicts another or has a value that is not allowed.
    """
    _refuse_unsupported(form)
    sync = _choose(form, "sync", {"0": False, "1": True}, default=False)
    return_type = _choose(form, "return_type", {str(kind.value): kind for kind in ReturnType}, default=ReturnType.URL)
    if return_type is ReturnType.BINARY and not sync:
        raise BadField("return_type", "3", "a binary reply needs sync=1")
    image, image_url = _read_source(form, check_url)
    return CreateRequest(
        photo=_read_photo(form, catalogue),
        return_type=return_type,
        sync=sync,
        callback_url=_read_callback(form, check_url),
        image_url=image_url,
        image=image,
    )


def _refuse_unsupported(form: Form) -> None:
    for name, off in _REFUSED.items():
        if _is_asked(form.get(name), off):
            raise BadRequest(f"{name}: this server does not alter a person's body or clothes.", code="refused_field")
    for name, off in _UNSUPPORTED.items():
        value = form.get(name)
        if _is_asked(value, off):
            raise BadRequest(
                f"{name}: {show_value(value)} cannot be honoured: this version does not do it yet.",
                code="unsupported_field",
            )


def _is_asked(value: str, off: re.Pattern[str] | None) -> bool:
    return bool(value) and not (off and off.fullmatch(value))


def _choose(form: Form, name: str, choices: Mapping[str, _Choice], *, default: _Choice) -> _Choice:
    value = form.get(name)
    if not value:
        return default
    if value not in choices:
        raise BadField(name, value, f"it must be {' or '.join(choices)}")
    return choices[value]


def _read_source(form: Form, check_url: Callable[[str], None]) -> tuple[UploadFile | None, str | None]:
    """Return the photo or its URL."""
    files = form.files.get("image_file", ())
    urls = form.texts.get("image_url", ())
    for name, given in (("image_file", files), ("image_url", urls)):
        if len(given) > 1:
            raise BadRequest(f"{name} is given more than once.", code="repeated_field")
    if text := form.get("image_file"):
        raise BadField("image_file", text, "send the photo as a file part, with a filename")
    # A file without a byte beside a URL is an upload field that was left empty.
    image = files[0] if files and (files[0].size or not urls) else None
    if image and urls:
        raise BadRequest("image_file and image_url exclude each other: send one of them.", code="both_images")
    if urls:
        _check_image_url(urls[0], check_url)
        return None, urls[0]
    if image is None:
        raise BadRequest("The photo is missing: send image_file or image_url.", code="missing_image")
    return image, None


def _read_photo(form: Form, catalogue: Catalogue) -> PhotoRequest:
    size = _read_size(form)
    spec = _read_spec(form, catalogue)
    if size and spec:
        raise BadRequest("A spec has its own size: send spec or size, not both.", code="conflicting_fields")
    width, height = size or (None, None)
    formats = {"png": Format.PNG, "jpg": Format.JPG, "jpeg": Format.JPG}
    try:
        background = parse_colour(form.get("bg_color") or "FFFFFF")
    except ValueError:
        raise BadField("bg_color", form.get("bg_color"), "write six hexadecimal digits, RRGGBB") from None
    return PhotoRequest(
        width=width,
        height=height,
        spec=spec,
        format=_choose(form, "format", formats, default=Format.PNG),
        background=background,
        largest_face=_choose(form, "faces", {"error": False, "largest": True}, default=False),
    )


def _read_size(form: Form) -> tuple[int, int] | None:
    sides = form.get("px_width"), form.get("px_height")
    if any(sides) and not all(sides):
        raise BadRequest("px_width and px_height go together: send both or neither.", code="bad_size")
    found: set[tuple[int, int]] = set()
    for name, value in (("size", form.get("size")), ("px_width x px_height", "x".join(sides) if all(sides) else "")):
        if not value:
            continue
        match = _SIZE.fullmatch(value)
        size = (int(match[1]), int(match[2])) if match else (0, 0)
        if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in size):
            raise BadField(name, value, _SIZE_RULE, code="bad_size")
        found.add(size)
    if len(found) > 1:
        raise BadRequest("size contradicts px_width and px_height: send one of them.", code="conflicting_fields")
    return next(iter(found), None)


def _read_spec(form: Form, catalogue: Catalogue) -> str | None:
    named = {form.get("spec"), form.get("spec_id")} - {""}
    if len(named) > 1:
        raise BadRequest("spec and spec_id name different specs: send one of them.", code="conflicting_fields")
    for name in named:
        try:
            return catalogue.get(name).id
        except UnknownSpec:
            raise BadField("spec", name, "GET /specs lists the ids", code="unknown_spec") from None
    return None


def _read_callback(form: Form, check_url: Callable[[str], None]) -> str | None:
    url = form.get("callback_url")
    if not url:
        return None
    try:
        check_url(url)
    except OutboundError as error:
        raise BadField("callback_url", url, str(error)) from error
    return url


def _check_image_url(url: str, check_url: Callable[[str], None]) -> None:
    if len(url) > MAX_IMAGE_URL_CHARS:
        raise BadField("image_url", url, f"it may have {MAX_IMAGE_URL_CHARS} characters at most")
    try:
        check_url(url)
    except BadUrl as error:
        raise BadField("image_url", url, str(error)) from error
    except OutboundError:
        # A refused address is no bad request by the contract: the task ends in state -3, with its callback.
        return
