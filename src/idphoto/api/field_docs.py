"""The fields of a create call as /openapi.json describes them."""

from __future__ import annotations

from typing import Any

from idphoto.api.layout_fields import MAX_COPIES
from idphoto.api.photo_fields import MAX_DPI, MAX_KB, MAX_SIDE_PX, MIN_DPI, MIN_SIDE_PX, RETOUCH
from idphoto.api.values import MAX_IMAGE_URL_CHARS
from idphoto.outbound import MAX_URL_LENGTH

_SWITCH = {"type": "string", "enum": ["0", "1"]}
_COLOUR = {"type": "string", "pattern": "^#?[0-9A-Fa-f]{6}$"}


def _number(low: float, high: float, description: str) -> dict[str, Any]:
    return {"type": "number", "minimum": low, "maximum": high, "description": description}


def _whole(low: int, high: int, description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high, "description": description}


SOURCE: dict[str, dict[str, Any]] = {
    "image_url": {
        "type": "string",
        "format": "uri",
        "maxLength": MAX_IMAGE_URL_CHARS,
        "description": "http(s) URL of the photo, downloaded within 10 seconds; instead of image_file.",
    },
    "last_id": {
        "type": "string",
        "description": "image_id of an earlier photo: render it again, without a photo and in a fraction of the time.",
    },
}
_SIZE: dict[str, dict[str, Any]] = {
    "spec": {
        "type": "string",
        "example": "us-passport",
        "description": "Id of a known document (GET /specs): its size, head position, background and file size, as jpg "
        "unless format says otherwise. Instead of size.",
    },
    "spec_id": {"type": "string", "description": "Another name for spec."},
    "size": {
        "type": "string",
        "pattern": "^[0-9]+x[0-9]+$",
        "example": "295x413",
        "description": f"WIDTHxHEIGHT in pixels, each from {MIN_SIDE_PX} to {MAX_SIDE_PX}. "
        "Without it the source keeps its own size.",
    },
    "px_width": _whole(MIN_SIDE_PX, MAX_SIDE_PX, "With px_height: another way to write size."),
    "px_height": _whole(MIN_SIDE_PX, MAX_SIDE_PX, "See px_width."),
    "mm_width": _number(1, 500, "With mm_height: the size on paper, at dpi."),
    "mm_height": _number(1, 500, "See mm_width."),
    "dpi": _whole(MIN_DPI, MAX_DPI, "Print resolution, 300 by default; written into the file."),
    "head_height": _number(0.2, 0.95, "Chin to crown as a fraction of the photo's height, instead of the usual."),
    "top_margin": _number(0, 0.5, "Crown to the top edge, likewise."),
    "eye_line": _number(0.2, 0.9, "Eyes to the bottom edge, likewise."),
}
_LOOK: dict[str, dict[str, Any]] = {
    "format": {
        "type": "string",
        "enum": ["png", "jpg", "jpeg"],
        "default": "png",
        "description": "png is transparent; jpg has the background colour.",
    },
    "bg_color": {**_COLOUR, "description": "RRGGBB, used with jpg only. FFFFFF, or the document's colour, by default."},
    "bg_color2": {**_COLOUR, "description": "RRGGBB at the bottom of a vertical gradient."},
    "keep_background": {
        **_SWITCH,
        "description": "1: crop, and leave the photo's own background. The default where the document forbids editing.",
    },
    "min_kb": _whole(0, MAX_KB, "Least file size in kilobytes; the document's by default, 0 is none."),
    "max_kb": _whole(0, MAX_KB, "Most, likewise."),
    "preview": {**_SWITCH, "default": "0", "description": "1: with a watermark over the picture."},
    **{
        name: _number(low, high, "Retouch, off by default; refused where the document forbids it.")
        for name, (low, high) in RETOUCH.items()
    },
    "faces": {
        "type": "string",
        "enum": ["error", "largest"],
        "default": "error",
        "description": "What to do when there are several faces: fail, or take the largest.",
    },
}
_LAYOUT: dict[str, dict[str, Any]] = {
    "layout": {
        "type": "string",
        "example": "6inch",
        "description": "A print sheet beside the photo: 5inch, 6inch, A4, A5, 3R, 4R, letter or WIDTHxHEIGHT in mm. "
        "The reply's layout has it as JPEG and as PDF.",
    },
    "layout_copies": _whole(1, MAX_COPIES, "Photos on the sheet; as many as fit by default."),
    "layout_with": {
        "type": "string",
        "example": "cn-2inch:4",
        "description": "Further documents on the same sheet, each with its copies, with commas between them.",
    },
    "layout_margin": _number(0, 50, "Millimetres to the paper's edges; 3 by default."),
    "layout_spacing": _number(0, 50, "Millimetres between photos; 2 by default."),
    "layout_lines": {**_SWITCH, "default": "1", "description": "0: no cut lines."},
}
DELIVERY: dict[str, dict[str, Any]] = {
    "sync": {
        **_SWITCH,
        "default": "0",
        "description": "1: answer when the photo is finished, or after 25 seconds with state 4 to be polled.",
    },
    "return_type": {
        "type": "string",
        "enum": ["1", "2", "3"],
        "default": "1",
        "description": "How the photo comes back: 1 a URL, 2 base64 in image, 3 as the binary body (only with sync=1).",
    },
    "callback_url": {
        "type": "string",
        "format": "uri",
        "maxLength": MAX_URL_LENGTH,
        "description": "http(s) URL that is posted the finished envelope, signed as in Standard Webhooks.",
    },
}
FILE: dict[str, Any] = {
    "type": "string",
    "format": "binary",
    "description": "The photo: JPEG, PNG, WebP, BMP, TIFF, HEIC, AVIF or GIF. This, image_url or last_id is needed.",
}
#: Every text field of a create call.
FIELDS = {**SOURCE, **_SIZE, **_LOOK, **_LAYOUT, **DELIVERY}
#: Every text field of a check.
CHECK_FIELDS = {"image_url": SOURCE["image_url"], "spec": _SIZE["spec"], "sync": {**DELIVERY["sync"], "default": "1"}}
