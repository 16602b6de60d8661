"""What /openapi.json says beyond what the framework sees: the form of a create call, the envelope and the errors."""

from __future__ import annotations

from typing import Any

from idphoto.api.errors import get_error_type
from idphoto.api.field_docs import CHECK_FIELDS, FIELDS, FILE

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


def _describe_body(fields: dict[str, dict[str, Any]]) -> dict[str, Any]:
    text = {"schema": {"type": "object", "properties": fields}}
    return {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": {"type": "object", "properties": {"image_file": FILE, **fields}}},
            "application/x-www-form-urlencoded": text,
            _JSON: text,
        },
    }


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
    "requestBody": _describe_body(FIELDS),
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
#: The check of a finished photo.
CHECK: dict[str, Any] = {
    "description": "Send a finished photo and spec, get a report in data.compliance: for each check its status (pass, "
    "warn, fail, not_assessed), the value, the limit and where the limit comes from. A pre-check, not an approval.",
    "requestBody": _describe_body(CHECK_FIELDS),
    "responses": {
        "200": _describe_reply(_STATES, _ENVELOPE),
        "400": _describe_error(400, "missing_spec", "A field is missing or has a value that is not allowed"),
        **_UNAUTHORISED,
        "413": _describe_error(413, "upload_too_large", "The upload is too large"),
        "429": _describe_error(429, "rate_limited", "Too many tasks; Retry-After says when to try again"),
    },
}
POLL: dict[str, Any] = {"responses": {"200": _describe_reply(_STATES, _ENVELOPE), **_UNAUTHORISED, **_NOT_FOUND}}
DELIVERIES: dict[str, Any] = {
    "responses": {
        "200": _describe_reply(
            "Every try to deliver the task's callback, oldest first. Times are Unix seconds.",
            {
                "status": 200,
                "message": "success",
                "data": {
                    "task_id": "7d0a2c0e-5c0f-4a52-9d1f-9d3f8a0c9a10",
                    "deliveries": [
                        {
                            "webhook_id": "msg_7d0a2c0e-5c0f-4a52-9d1f-9d3f8a0c9a10",
                            "attempt": 1,
                            "at": 1742670627.5,
                            "status": 500,
                            "error": None,
                            "next_try_at": 1742670632.7,
                        }
                    ],
                },
            },
        ),
        **_UNAUTHORISED,
        **_NOT_FOUND,
    }
}
DELIVER_AGAIN: dict[str, Any] = {
    "description": "Queue the callback of an ended task once more. Counts as a create call for the key's rate.",
    "responses": {
        "200": _describe_reply("Queued.", {"status": 200, "message": "success", "data": {"task_id": "…"}}),
        "400": _describe_error(400, "no_callback", "The task has no callback_url, or has not ended"),
        **_UNAUTHORISED,
        **_NOT_FOUND,
        "429": _describe_error(429, "rate_limited", "Too many calls; Retry-After says when to try again"),
    },
}
DELETE: dict[str, Any] = {
    "responses": {
        "200": _describe_reply(
            "Deleted, with its files.", {"status": 200, "message": "success", "data": {"task_id": "…"}}
        ),
        **_UNAUTHORISED,
        **_NOT_FOUND,
    }
}
