"""Waiting for the end of a task, for requests that hold their connection open."""

from __future__ import annotations

import time

from idphoto.tasks.model import Task
from idphoto.tasks.queue import name_end
from idphoto.tasks.store import TaskStore
from idphoto.wake import Wake

_POLL_S = 0.5
"""The row is read at least this often, should a ring be lost."""


class Waiters:
    """Waits on the bell and believes the row."""

    def __init__(self, store: TaskStore, wake: Wake) -> None:
        self._store = store
        self._wake = wake

    async def wait_for_end(self, task_id: str, timeout_s: float) -> Task | None:
        """Return the task once it has ended, or as it is after ``timeout_s`` seconds; None when it is gone."""
        deadline = time.monotonic() + timeout_s
        with self._wake.listen(name_end(task_id)) as bell:
            while True:
                task = await self._store.get(task_id, owner=None)
                left_s = deadline - time.monotonic()
                if task is None or task.state.is_end or left_s <= 0:
                    return task
                await bell.wait(min(_POLL_S, left_s))
