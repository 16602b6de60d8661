"""The fields of a create call that say how the photo shall be.

Every refusal is a :class:`~idphoto.api.errors.BadField` that names the field, the value and the rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from idphoto.api.errors import BadField, BadRequest
from idphoto.api.forms import Form
from idphoto.api.layout_fields import check_layout, read_layout
from idphoto.api.values import choose, read_number, read_whole
from idphoto.colour import parse_colour
from idphoto.specs import Catalogue, Editing, Spec, UnknownSpec
from idphoto.tasks.request import Format, Mode, PhotoRequest, find_spec

MIN_SIDE_PX, MAX_SIDE_PX = 100, 2000
MIN_DPI, MAX_DPI = 10, 1000
#: A file may be asked to have at most as many kilobytes as a photo may have when it comes.
MAX_KB = 15 * 1024

_SIZE_RULE = f"write WIDTHxHEIGHT with a lowercase x, each from {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels"
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
#: Name of the retouch fields, and the least and the most of each.
RETOUCH: Mapping[str, tuple[float, float]] = {
    "brightness": (-1, 1),
    "contrast": (-1, 1),
    "saturation": (-1, 1),
    "sharpness": (-1, 1),
    "smooth": (0, 1),
    "auto_bright": (0, 1),
    "auto_smooth": (0, 1),
    "auto_sharp": (0, 1),
}
_PLACEMENT = {"head_height": (0.2, 0.95), "top_margin": (0.0, 0.5), "eye_line": (0.2, 0.9)}


def read_photo(form: Form, catalogue: Catalogue, mode: Mode) -> PhotoRequest:
    """Read how the photo shall be.

    Raises:
        BadRequest: a field contradicts another or has a value that is not allowed.
    """
    spec = _read_spec(form, catalogue)
    if mode is Mode.CHECK:
        if spec is None:
            raise BadRequest("A check needs spec: GET /specs lists the ids.", code="missing_spec")
        return PhotoRequest(mode=mode, spec=spec.id)
    width_mm, height_mm = _read_millimetres(form)
    width, height = _read_size(form) or (None, None)
    if sum(each is not None for each in (spec, width, width_mm)) > 1:
        raise BadRequest(
            "Only one of spec, size (or px_width and px_height) and mm_width with mm_height can say the size.",
            code="conflicting_fields",
        )
    formats = {"png": Format.PNG, "jpg": Format.JPG, "jpeg": Format.JPG}
    min_kb, max_kb = read_whole(form, "min_kb", 0, MAX_KB) or None, read_whole(form, "max_kb", 0, MAX_KB) or None
    if min_kb and max_kb and min_kb > max_kb:
        raise BadField("min_kb", form.get("min_kb"), f"it may not be above max_kb, {max_kb}")
    request = PhotoRequest(
        spec=spec.id if spec else None,
        width=width,
        height=height,
        width_mm=width_mm,
        height_mm=height_mm,
        dpi=read_whole(form, "dpi", MIN_DPI, MAX_DPI),
        # A document's photo is a file for an office, and those take JPEG.
        format=choose(form, "format", formats, default=Format.JPG if spec else Format.PNG),
        background=_read_colour(form, "bg_color"),
        background_end=_read_colour(form, "bg_color2"),
        keep_background=choose(form, "keep_background", {"0": False, "1": True}, default=None),
        largest_face=choose(form, "faces", {"error": False, "largest": True}, default=False),
        min_kb=min_kb,
        max_kb=max_kb,
        retouch=_read_retouch(form, spec),
        preview=choose(form, "preview", {"0": False, "1": True}, default=False),
        layout=read_layout(form, catalogue),
        last_id=form.get("last_id") or None,
        head_height=read_number(form, "head_height", *_PLACEMENT["head_height"]),
        top_margin=read_number(form, "top_margin", *_PLACEMENT["top_margin"]),
        eye_line=read_number(form, "eye_line", *_PLACEMENT["eye_line"]),
    )
    _check_size(request, catalogue)
    return request


def _read_spec(form: Form, catalogue: Catalogue) -> Spec | None:
    named = {form.get("spec"), form.get("spec_id")} - {""}
    if len(named) > 1:
        raise BadRequest("spec and spec_id name different specs: send one of them.", code="conflicting_fields")
    for name in named:
        try:
            return catalogue.get(name)
        except UnknownSpec:
            raise BadField("spec", name, "GET /specs lists the ids", code="unknown_spec") from None
    return None


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


def _read_millimetres(form: Form) -> tuple[float, float] | tuple[None, None]:
    width, height = (read_number(form, name, 1, 500) for name in ("mm_width", "mm_height"))
    if width is None and height is None:
        return None, None
    if width is None or height is None:
        raise BadRequest("mm_width and mm_height go together: send both or neither.", code="bad_size")
    return width, height


def _check_size(request: PhotoRequest, catalogue: Catalogue) -> None:
    spec = find_spec(request, catalogue)
    if spec is None:
        placed = [name for name in _PLACEMENT if getattr(request, name) is not None]
        if placed or request.layout is not None:
            name = placed[0] if placed else "layout"
            raise BadRequest(
                f"{name} needs a size: send spec, size or mm_width and mm_height with it.", code="missing_size"
            )
        return
    # Other sizes were checked already, or are a document's own.
    is_new = request.width_mm is not None or (request.spec is not None and request.dpi is not None)
    if is_new and not all(MIN_SIDE_PX <= side <= 2 * MAX_SIDE_PX for side in (spec.width, spec.height)):
        raise BadRequest(
            f"At {spec.dpi} dpi this is {spec.width}x{spec.height} pixels; each side may have {MIN_SIDE_PX} to "
            f"{2 * MAX_SIDE_PX}: change dpi.",
            code="bad_size",
        )
    # The check that takes longest comes last.
    if request.layout is not None:
        check_layout(request.layout, spec, catalogue)


def _read_colour(form: Form, name: str) -> str | None:
    value = form.get(name)
    if not value:
        return None
    try:
        return parse_colour(value)
    except ValueError:
        raise BadField(name, value, "write six hexadecimal digits, RRGGBB") from None


def _read_retouch(form: Form, spec: Spec | None) -> dict[str, float]:
    wishes = {name: read_number(form, name, low, high) for name, (low, high) in RETOUCH.items()}
    asked = {name: value for name, value in wishes.items() if value}
    if asked and spec is not None and spec.editing in {Editing.FORBIDDEN, Editing.BACKGROUND_ONLY}:
        raise BadField(
            next(iter(asked)),
            form.get(next(iter(asked))),
            f"{spec.id} does not allow the person in the photo to be altered",
            code="editing_forbidden",
        )
    return asked
