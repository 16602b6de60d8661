"""What /openapi.json says beyond what the framework sees: the form of a create call, the envelope and the errors."""

from __future__ import annotations

from typing import Any

from idphoto.api.errors import get_error_type
from idphoto.api.field_docs import CHECK_FIELDS, FIELDS, FILE
from idphoto.api.reply_docs import DELIVERY_LOG, ERROR_BODY, READY_BODY, TASK, TASK_ID

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
        "spec": "us-passport",
        "warnings": [],
        "face": {"head_height": 0.63, "eye_line": 0.58, "top_margin": 0.1, "roll": 0.02, "source_roll": 2.1},
        "compliance": {
            "spec": "us-passport",
            "verdict": "pass",
            "notice": "A pre-check by measurement, not an approval: the office decides.",
            "checks": [],
        },
        "layout": {
            "image": "https://photos.example/files/….jpg",
            "pdf": "https://photos.example/files/….pdf",
            "photos": 8,
            "width_mm": 152.4,
            "height_mm": 101.6,
        },
        "image_id": "7d0a2c0e-5c0f-4a52-9d1f-9d3f8a0c9a10",
        "request_id": "5f0c7a3e1b9d4c62",
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


def _describe_reply(description: str, schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": schema, "example": example}
    return {"description": description, "content": {_JSON: content}}


def _describe_error(status: int, code: str, description: str) -> dict[str, Any]:
    message = f"{description}."
    error = {"message": message, "type": get_error_type(status), "code": code}
    return _describe_reply(
        f"{description}. The visual door leaves out the key error.",
        ERROR_BODY,
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

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[ -~]+$", "minLength": 1, "maxLength": 255},
    "description": "1 to 255 printable ASCII characters of your choice.",
}

#: The create call of every door.
CREATE: dict[str, Any] = {
    "description": "Send a portrait, get a task. An empty field means an absent one; unknown fields are ignored. "
    "A repeat with the same Idempotency-Key header returns the first task.",
    "parameters": [_IDEMPOTENCY_KEY],
    "requestBody": _describe_body(FIELDS),
    "responses": {
        "200": {
            "description": _STATES,
            "content": {
                _JSON: {"schema": TASK, "example": _ENVELOPE},
                "image/png": {"schema": {"type": "string", "format": "binary"}},
                "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "400": _describe_error(400, "bad_size", "A field is missing or has a value that is not allowed"),
        **_UNAUTHORISED,
        "408": _describe_error(408, "upload_too_slow", "The upload did not come in time"),
        "413": _describe_error(413, "upload_too_large", "The upload is too large"),
        "429": _describe_error(429, "rate_limited", "Too many tasks; Retry-After says when to try again"),
        "503": _describe_error(503, "not_ready", "The server is stopping or cannot store anything; Retry-After"),
    },
}
#: The check of a finished photo.
CHECK: dict[str, Any] = {
    "description": "Send a finished photo and spec, get a report in data.compliance: for each check its status (pass, "
    "warn, fail, not_assessed), the value, the limit and where the limit comes from. A pre-check, not an approval.",
    "parameters": [_IDEMPOTENCY_KEY],
    "requestBody": _describe_body(CHECK_FIELDS),
    "responses": {
        "200": _describe_reply(_STATES, TASK, _ENVELOPE),
        "400": _describe_error(400, "missing_spec", "A field is missing or has a value that is not allowed"),
        **_UNAUTHORISED,
        "408": _describe_error(408, "upload_too_slow", "The upload did not come in time"),
        "413": _describe_error(413, "upload_too_large", "The upload is too large"),
        "429": _describe_error(429, "rate_limited", "Too many tasks; Retry-After says when to try again"),
        "503": _describe_error(503, "not_ready", "The server is stopping; Retry-After says when to try again"),
    },
}
POLL: dict[str, Any] = {"responses": {"200": _describe_reply(_STATES, TASK, _ENVELOPE), **_UNAUTHORISED, **_NOT_FOUND}}
DELIVERIES: dict[str, Any] = {
    "responses": {
        "200": _describe_reply(
            "Every try to deliver the task's callback, oldest first. Times are Unix seconds.",
            DELIVERY_LOG,
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
        "200": _describe_reply("Queued.", TASK_ID, {"status": 200, "message": "success", "data": {"task_id": "…"}}),
        "400": _describe_error(400, "no_callback", "The task has no callback_url, or has not ended"),
        **_UNAUTHORISED,
        **_NOT_FOUND,
        "429": _describe_error(429, "rate_limited", "Too many calls; Retry-After says when to try again"),
    },
}
DELETE: dict[str, Any] = {
    "responses": {
        "200": _describe_reply(
            "Deleted, with its files.", TASK_ID, {"status": 200, "message": "success", "data": {"task_id": "…"}}
        ),
        **_UNAUTHORISED,
        **_NOT_FOUND,
    }
}
_FILE = {"schema": {"type": "string", "format": "binary"}}
_FILE_CONTENT = {"image/png": _FILE, "image/jpeg": _FILE, "application/pdf": _FILE}
_RANGE_ERROR = {"text/plain": {"schema": {"type": "string"}}}
#: A result file.
READ_FILE: dict[str, Any] = {
    "parameters": [
        {"name": "Range", "in": "header", "schema": {"type": "string"}, "description": "A part, such as bytes=0-1023."}
    ],
    "responses": {
        "200": {"description": "The file.", "content": _FILE_CONTENT},
        "206": {
            "description": "The parts asked for.",
            "content": {**_FILE_CONTENT, "multipart/byteranges": _FILE},
        },
        "400": {"description": "Range cannot be read.", "content": _RANGE_ERROR},
        "404": _describe_error(404, "not_found", "There is no such file, or it has expired"),
        "416": {"description": "The file has no such part.", "content": _RANGE_ERROR},
    },
}
READY: dict[str, Any] = {
    "responses": {
        "200": _describe_reply("Ready.", READY_BODY, {"status": 200, "message": "ready"}),
        "503": _describe_error(503, "not_ready", "Not ready, and why"),
    }
}
SPEC: dict[str, Any] = {"responses": {"404": _describe_error(404, "not_found", "There is no spec of that name")}}
