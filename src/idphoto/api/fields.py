"""The fields of a create call: what each may hold, and what it becomes.

Every refusal is a :class:`~idphoto.api.errors.BadField` that names the field, the value and the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import UploadFile

from idphoto.api.errors import BadField, BadRequest
from idphoto.api.field_docs import FIELDS
from idphoto.api.forms import Form
from idphoto.api.photo_fields import read_photo
from idphoto.api.values import MAX_IMAGE_URL_CHARS, choose
from idphoto.outbound import BadUrl, OutboundError
from idphoto.specs import Catalogue
from idphoto.tasks.model import ReturnType
from idphoto.tasks.request import Mode, PhotoRequest

_ZERO = re.compile(r"0+(?:\.0+)?")

#: What the upstream interface has and we refuse, with the values that ask for nothing.
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
    """The uploaded source; exactly one of this, ``image_url`` and ``photo.last_id`` is set."""


def read_create_request(
    form: Form, *, catalogue: Catalogue, check_url: Callable[[str], None], mode: Mode = Mode.MAKE
) -> CreateRequest:
    """Validate the fields of a create call. Fields that the contract does not know are ignored.

    Args:
        form: the body.
        catalogue: where ``spec`` is looked up.
        check_url: raises BadUrl for what is no URL, another OutboundError for an address that may not be reached.
        mode: make a photo, or check a finished one.

    Raises:
        BadRequest: a field is missing, contradicts another or has a value that is not allowed.
    """
    _refuse_unclear(form)
    _refuse_alterations(form)
    sync = choose(form, "sync", {"0": False, "1": True}, default=mode is Mode.CHECK)
    return_type = choose(form, "return_type", {str(kind.value): kind for kind in ReturnType}, default=ReturnType.URL)
    if return_type is ReturnType.BINARY and not sync:
        raise BadField("return_type", "3", "a binary reply needs sync=1")
    photo = read_photo(form, catalogue, mode)
    image, image_url = _read_source(form, check_url, photo)
    return CreateRequest(
        photo=photo,
        return_type=return_type,
        sync=sync,
        callback_url=_read_callback(form, check_url),
        image_url=image_url,
        image=image,
    )


def _refuse_unclear(form: Form) -> None:
    """Refuse a known field that would be ignored, or of which one of two values would be."""
    for name in FIELDS:
        if name in form.files:
            raise BadRequest(f"{name} came as a file: send it as a text part, without a filename.", code="not_a_file")
        if len(set(form.texts.get(name, ()))) > 1:
            raise BadRequest(f"{name} is given more than once, with different values.", code="repeated_field")


def _refuse_alterations(form: Form) -> None:
    for name, off in _REFUSED.items():
        if _is_asked(form.get(name), off):
            raise BadRequest(f"{name}: this server does not alter a person's body or clothes.", code="refused_field")


def _is_asked(value: str, off: re.Pattern[str] | None) -> bool:
    return bool(value) and not (off and off.fullmatch(value))


def _read_source(
    form: Form, check_url: Callable[[str], None], photo: PhotoRequest
) -> tuple[UploadFile | None, str | None]:
    """Return the photo or its URL; neither when an earlier task's cut-out is the source."""
    files = form.files.get("image_file", ())
    urls = form.texts.get("image_url", ())
    for name, given in (("image_file", files), ("image_url", urls)):
        if len(given) > 1:
            raise BadRequest(f"{name} is given more than once.", code="repeated_field")
    if text := form.get("image_file"):
        raise BadField("image_file", text, "send the photo as a file part, with a filename")
    # A file without a byte beside a URL is an upload field that was left empty.
    image = files[0] if files and (files[0].size or not urls) else None
    if photo.last_id and (image or urls):
        raise BadRequest("last_id takes the place of a photo: send it without one.", code="both_images")
    if photo.last_id:
        return None, None
    if image and urls:
        raise BadRequest("image_file and image_url exclude each other: send one of them.", code="both_images")
    if urls:
        _check_image_url(urls[0], check_url)
        return None, urls[0]
    if image is None:
        raise BadRequest("The photo is missing: send image_file or image_url, or last_id.", code="missing_image")
    return image, None


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
    rule = f"it must be an http or https URL of at most {MAX_IMAGE_URL_CHARS} characters"
    if len(url) > MAX_IMAGE_URL_CHARS:
        raise BadField("image_url", url, rule)
    try:
        check_url(url)
    except BadUrl as error:
        raise BadField("image_url", url, rule) from error
    except OutboundError:
        # A refused address is no bad request by the contract: the task ends in state -3, with its callback.
        return
