"""The JSON of replies as /openapi.json describes it. Keys may be added to it, none goes away."""

from __future__ import annotations

from typing import Any

from idphoto.tasks.model import ReturnType, State

_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_AMOUNT: dict[str, Any] = {"type": "number", "minimum": 0}


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _reply(data: dict[str, Any]) -> dict[str, Any]:
    return _object({"status": {"const": 200}, "message": {"const": "success"}, "data": data})


_CHECK = _object(
    {
        "id": _TEXT,
        "status": {"enum": ["pass", "warn", "fail", "not_assessed"]},
        "value": {"type": ["number", "string", "null"]},
        "limit": {"type": ["object", "array", "string", "null"]},
        "unit": _TEXT,
        "source": _TEXT,
        "measured_on": {"enum": ["input", "output", None]},
    }
)
_REPORT = _object(
    {
        "spec": _TEXT,
        "verdict": {"enum": ["pass", "warn", "fail"]},
        "notice": _TEXT,
        "checks": {"type": "array", "items": _CHECK},
    }
)
_LAYOUT = _object({"image": _TEXT, "pdf": _TEXT, "photos": _COUNT, "width_mm": _AMOUNT, "height_mm": _AMOUNT})

#: A task, as create, poll and callback tell it.
TASK = _reply(
    _object(
        {
            "completed_at": _COUNT,
            "created_at": _COUNT,
            "processed_at": _COUNT,
            "download_time": _COUNT,
            "time_elapsed": _AMOUNT,
            "err_info": _TEXT,
            "foreground_rect": _object({"x": _COUNT, "y": _COUNT, "width": _COUNT, "height": _COUNT}),
            "image": _TEXT,
            "image_width": _COUNT,
            "image_height": _COUNT,
            "output_type": {"const": 2},
            "result_type": {"const": "object"},
            "return_type": {"enum": [int(kind) for kind in ReturnType]},
            "progress": {"type": "integer", "minimum": 0, "maximum": 100},
            "state": {"enum": [int(state) for state in State]},
            "state_detail": _TEXT,
            "task_id": {"type": "string", "format": "uuid"},
            "type": {"const": "auto"},
            "spec": _TEXT,
            "warnings": {"type": "array", "items": _TEXT},
            "face": {"type": "object"},
            "compliance": _or_null(_REPORT),
            "layout": _or_null(_LAYOUT),
            "image_id": _TEXT,
            "request_id": _TEXT,
        }
    )
)
TASK_ID = _reply(_object({"task_id": _TEXT}))
_DELIVERY = _object(
    {
        "webhook_id": _TEXT,
        "attempt": {"type": "integer", "minimum": 1},
        "at": _AMOUNT,
        "status": _or_null(_COUNT),
        "error": _or_null(_TEXT),
        "next_try_at": _or_null(_AMOUNT),
    },
    # All are there, but the framework takes nulls out of examples.
    optional=("status", "error", "next_try_at"),
)
DELIVERY_LOG = _reply(_object({"task_id": _TEXT, "deliveries": {"type": "array", "items": _DELIVERY}}))
READY_BODY = _object({"status": {"const": 200}, "message": {"const": "ready"}})
ERROR_BODY = _object(
    {
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "message": {"type": "string", "minLength": 1},
        "error": _object({"message": _TEXT, "type": _TEXT, "code": {"type": "string", "minLength": 1}}),
    },
    optional=("error",),
)
