"""The JSON that a task is told in, the same to a poll, a sync wait and a callback.

This is the one place that knows the wire's keys.
"""

from __future__ import annotations

from typing import Any

from idphoto.tasks.model import Outcome, State, Task

_NOTHING = Outcome(result_key=None, width=0, height=0, size_bytes=0, foreground=(0, 0, 0, 0))


def image_url(task: Task) -> str:
    """Return the URL of a finished task's file, or an empty string if it has none."""
    if task.outcome is None or task.outcome.result_key is None:
        return ""
    return _find_url(task, task.outcome.result_key)


def _find_url(task: Task, key: str) -> str:
    return f"{task.public_url.rstrip('/')}/files/{key.rpartition('/')[2]}"


def _describe_sheet(task: Task) -> dict[str, Any] | None:
    sheet = task.outcome and task.outcome.sheet
    if not sheet:
        return None
    return {
        "image": _find_url(task, sheet.image_key),
        "pdf": _find_url(task, sheet.pdf_key),
        "photos": sheet.photos,
        "width_mm": sheet.width_mm,
        "height_mm": sheet.height_mm,
    }


def envelope(task: Task, *, image: str | None = None) -> dict[str, Any]:
    """Return the ``data`` object: every key at every time, zero or empty before it is known.

    Args:
        image: What stands in ``image`` once the task is done, such as the file in base64; the file's URL by default.
    """
    done = task.state is State.DONE
    outcome = task.outcome or _NOTHING
    x, y, width, height = outcome.foreground
    return {
        "completed_at": int(task.completed_at or 0),
        "created_at": int(task.created_at),
        "processed_at": int(task.processed_at or 0),
        "download_time": round(task.download_ms),
        "time_elapsed": round(float(task.elapsed_ms), 2),
        "err_info": task.failure.err_info if task.failure else "",
        "foreground_rect": {"x": x, "y": y, "width": width, "height": height},
        "image": (image_url(task) if image is None else image) if done else "",
        "image_width": outcome.width,
        "image_height": outcome.height,
        "output_type": 2,
        "result_type": "object",
        "return_type": int(task.return_type),
        "progress": 100 if done else min(task.progress, 99),
        "state": int(task.state),
        "state_detail": task.state.detail,
        "task_id": task.id,
        "type": "auto",
        "spec": task.request.spec or "",
        "warnings": list(outcome.warnings),
        "face": outcome.face,
        "compliance": outcome.compliance,
        "layout": _describe_sheet(task),
        "image_id": task.id if outcome.cutout_key else "",
        "request_id": task.request_id,
    }


def reply(task: Task, *, image: str | None = None) -> dict[str, Any]:
    """Return the whole body around :func:`envelope`. A failed task is a successful answer."""
    return {"status": 200, "message": "success", "data": envelope(task, image=image)}
