"""Between a row of the task table and a :class:`Task`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from idphoto.tasks.model import Failure, Outcome, ReturnType, SheetFiles, State, Task
from idphoto.tasks.request import PhotoRequest


def task_to_values(task: Task) -> dict[str, Any]:
    """Return the column values of a task."""
    return {
        "id": task.id,
        "owner": task.owner,
        "request": task.request.to_json(),
        "return_type": task.return_type.value,
        "public_url": task.public_url,
        "request_id": task.request_id,
        "image_url": task.image_url,
        "source_key": task.source_key,
        "callback_url": task.callback_url,
        "idempotency_key": task.idempotency_key,
        "state": task.state.value,
        "progress": task.progress,
        "attempt": task.attempt,
        "created_at": task.created_at,
        "processed_at": task.processed_at,
        "completed_at": task.completed_at,
        "download_ms": task.download_ms,
        "elapsed_ms": task.elapsed_ms,
        "expires_at": task.expires_at,
        **(failure_to_values(task.failure) if task.failure else {}),
        **(outcome_to_values(task.outcome) if task.outcome else {}),
    }


def failure_to_values(failure: Failure) -> dict[str, Any]:
    """Return the column values of a failure, other than its state."""
    return {"failure_code": failure.code, "failure_message": failure.message}


def outcome_to_values(outcome: Outcome) -> dict[str, Any]:
    """Return the column values of an outcome."""
    return {
        "result_key": outcome.result_key,
        "outcome": {
            "width": outcome.width,
            "height": outcome.height,
            "size_bytes": outcome.size_bytes,
            "foreground": list(outcome.foreground),
            "warnings": list(outcome.warnings),
            "face": outcome.face,
            "compliance": outcome.compliance,
            "sheet": asdict(outcome.sheet) if outcome.sheet else None,
            "cutout_key": outcome.cutout_key,
        },
    }


def row_to_task(row: Row[Any]) -> Task:
    """Return the task of a row that has all columns of the table."""
    values = dict(row._mapping)
    code, message = values.pop("failure_code"), values.pop("failure_message")
    result_key, outcome = values.pop("result_key"), values.pop("outcome")
    state = State(values.pop("state"))
    return Task(
        **{
            **values,
            "request": PhotoRequest.from_json(values["request"]),
            "return_type": ReturnType(values["return_type"]),
        },
        state=state,
        failure=None if code is None else Failure(state=state, code=code, message=message),
        outcome=None if outcome is None else _read_outcome(result_key, outcome),
    )


def _read_outcome(result_key: str | None, data: dict[str, Any]) -> Outcome:
    x, y, width, height = data["foreground"]
    sheet = data.get("sheet")
    read = {
        "foreground": (x, y, width, height),
        "warnings": tuple(data["warnings"]),
        "sheet": None if sheet is None else SheetFiles(**sheet),
    }
    return Outcome(**{**data, **read}, result_key=result_key)
