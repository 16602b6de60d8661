"""What /openapi.json says beyond what the framework sees: the form of a create call, the envelope and the errors."""

from __future__ import annotations

from typing import Any

from idphoto.api.errors import get_error_type
from idphoto.api.fields import MAX_IMAGE_URL_CHARS, MAX_SIDE_PX, MIN_SIDE_PX
from idphoto.outbound import MAX_URL_LENGTH

_TEXT_FIELDS: dict[str, dict[str, Any]] = {
    "image_url": {
        "type": "string",
        "format": "uri",
        "maxLength": MAX_IMAGE_URL_CHARS,
        "description": "http(s) URL of the photo, downloaded within 10 seconds; instead of image_file.",
    },
    "size": {
        "type": "string",
        "pattern": "^[0-9]+x[0-9]+$",
        "example": "295x413",
        "description": f"WIDTHxHEIGHT in pixels, each from {MIN_SIDE_PX} to {MAX_SIDE_PX}. "
        "Without it the source keeps its own size.",
    },
    "px_width": {
        "type": "integer",
        "minimum": MIN_SIDE_PX,
        "maximum": MAX_SIDE_PX,
        "description": "With px_height: another way to write size.",
    },
    "px_height": {"type": "integer", "minimum": MIN_SIDE_PX, "maximum": MAX_SIDE_PX, "description": "See px_width."},
    "spec": {
        "type": "string",
        "example": "us-passport",
        "description": "Id of a known document (GET /specs): its size and head position. Instead of size.",
    },
    "spec_id": {"type": "string", "description": "Another name for spec."},
    "format": {
        "type": "string",
        "enum": ["png", "jpg", "jpeg"],
        "default": "png",
        "description": "png is transparent; jpg has the background colour.",
    },
    "bg_color": {
        "type": "string",
        "pattern": "^#?[0-9A-Fa-f]{6}$",
        "default": "FFFFFF",
        "description": "RRGGBB, used with jpg only.",
    },
    "faces": {
        "type": "string",
        "enum": ["error", "largest"],
        "default": "error",
        "description": "What to do when there are several faces: fail, or take the largest.",
    },
    "sync": {
        "type": "string",
        "enum": ["0", "1"],
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
_FILE_FIELD = {
    "type": "string",
    "format": "binary",
    "description": "The photo: JPEG, PNG, WebP, BMP, TIFF, HEIC, AVIF or GIF. This or image_url is needed.",
}

_ENVELOPE: dict[str, Any] = {
    "status": 200,
    "message": "success",
    "data": {
        "completed_at": 1742670627,
        "created_at": 1742670626,
        "processed_at": 1742670626,
        "download_time": 488,
        "time_elapsed": 384.55,
        "err_info": "",
        "foreground_rect": {"x": 133, "y": 110, "width": 604, "height": 952},
        "image": "https://photos.example/files/….png",
        "image_width": 300,
        "image_height": 400,
        "output_type": 2,
        "result_type": "object",
        "return_type": 1,
        "progress": 100,
        "state": 1,
        "state_detail": "Complete",
        "task_id": "7d0a2c0e-5c0f-4a52-9d1f-9d3f8a0c9a10",
        "type": "auto",
    },
}
_JSON = "application/json"


def _describe_reply(description: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": {"type": "object"}, "example": example}
    return {"description": description, "content": {_JSON: content}}


def _describe_error(status: int, code: str, description: str) -> dict[str, Any]:
    message = f"{description}."
    error = {"message": message, "type": get_error_type(status), "code": code}
    return _describe_reply(
        f"{description}. The visual door leaves out the key error.",
        {"status": status, "message": message, "error": error},
    )


_UNAUTHORISED = {"401": _describe_error(401, "unauthorized", "The API key is missing or not valid")}
_NOT_FOUND = {"404": _describe_error(404, "not_found", "The task is unknown, expired or another key's")}
#: Every other failure.
ERROR = _describe_error(500, "internal", "Something went wrong")
_STATES = (
    "The task. data.state: 0 queued, 2 preparing, 3 waiting, 4 processing; 1 done; below 0 failed, "
    "and err_info then holds a code and a sentence."
)

#: The create call of every door.
CREATE: dict[str, Any] = {
    "description": "Send a portrait, get a task. An empty field means an absent one; unknown fields are ignored. "
    "A repeat with the same Idempotency-Key header returns the first task.",
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "description": "1 to 255 printable ASCII characters of your choice.",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"image_file": _FILE_FIELD, **_TEXT_FIELDS}}
            },
            "application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": _TEXT_FIELDS}},
            _JSON: {"schema": {"type": "object", "properties": _TEXT_FIELDS}},
        },
    },
    "responses": {
        "200": {
            "description": _STATES,
            "content": {
                _JSON: {"schema": {"type": "object"}, "example": _ENVELOPE},
                "image/png": {"schema": {"type": "string", "format": "binary"}},
                "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "400": _describe_error(400, "bad_size", "A field is missing or has a value that is not allowed"),
        **_UNAUTHORISED,
        "413": _describe_error(413, "upload_too_large", "The upload is too large"),
        "429": _describe_error(429, "rate_limited", "Too many tasks; Retry-After says when to try again"),
    },
}
POLL: dict[str, Any] = {"responses": {"200": _describe_reply(_STATES, _ENVELOPE), **_UNAUTHORISED, **_NOT_FOUND}}
DELETE: dict[str, Any] = {
    "responses": {
        "200": _describe_reply(
            "Deleted, with its files.", {"status": 200, "message": "success", "data": {"task_id": "…"}}
        ),
        **_UNAUTHORISED,
        **_NOT_FOUND,
    }
}
