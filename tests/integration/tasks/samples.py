"""Values for the tests of this folder."""

from __future__ import annotations

import time
import uuid
from typing import Any

from idphoto.tasks.admission import Room
from idphoto.tasks.model import Outcome, ReturnType, Task
from idphoto.tasks.queue import JobKind, NewJob
from idphoto.tasks.request import PhotoRequest


def new_task(**changes: Any) -> Task:
    """Return a task as the web layer makes it."""
    values: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "owner": "alice",
        "request": PhotoRequest(width=295, height=413),
        "return_type": ReturnType.URL,
        "public_url": "http://127.0.0.1:8000",
        "request_id": "r1",
        "created_at": time.time(),
    }
    return Task(**{**values, **changes})


def job_of(task: Task, **changes: Any) -> NewJob:
    """Return the PROCESS job of a task."""
    return NewJob(**{"kind": JobKind.PROCESS, "task_id": task.id, "owner": task.owner, **changes})


ROOM = Room(queue=1000, at_once=1000, today=None)
RESULT_KEY = "results/s3cret.png"
OUTCOME = Outcome(
    result_key=RESULT_KEY,
    width=295,
    height=413,
    size_bytes=12345,
    foreground=(10, 20, 300, 400),
    warnings=("little_space_above_head",),
    face={"head_height": 0.62},
)
