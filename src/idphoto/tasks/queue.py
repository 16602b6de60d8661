"""The port to a job queue. Handlers and the web layer see this, never an engine.

A job carries a kind and a task id; everything else is in the task row. A job is enqueued in the same transaction as the
row it belongs to, so that nothing is lost and nothing is a ghost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection


class JobKind(StrEnum):
    """What there is to do. FETCH and CALLBACK wait for the network, PROCESS takes a core."""

    FETCH = "fetch"
    """Download ``image_url``, then enqueue PROCESS."""
    PROCESS = "process"
    """Turn the stored source into a stored result."""
    CALLBACK = "callback"
    """Deliver the end state to ``callback_url``."""


class Priority(IntEnum):
    """Higher runs first."""

    NORMAL = 0
    SYNC = 10
    """Somebody holds a connection open for it."""


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """A job to enqueue."""

    kind: JobKind
    task_id: str
    owner: str
    """Whose task it is."""
    priority: Priority = Priority.NORMAL
    delay_s: float = 0.0
    """Not before this many seconds from now."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A claimed job."""

    id: int
    kind: JobKind
    task_id: str
    owner: str
    priority: Priority
    attempt: int
    """1 for the first run."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """A handler's answer that the job shall run again later. None means that it is finished."""

    delay_s: float


def name_end(task_id: str) -> str:
    """Return the topic of the bell that rings when a task ends."""
    return f"end {task_id}"


Handler: TypeAlias = Callable[[Job], Awaitable[Retry | None]]


class JobQueue(Protocol):
    """Jobs with leases: at least one run for each, another after a crash."""

    async def enqueue(self, conn: AsyncConnection, job: NewJob) -> None:
        """Add a job in the caller's transaction."""
        ...

    async def hasten(self, conn: AsyncConnection, kind: JobKind, task_id: str) -> bool:
        """Make a task's waiting jobs of a kind due now, in the caller's transaction; False when there is none."""
        ...

    async def ring_end(self, conn: AsyncConnection, task_id: str) -> None:
        """Wake all who wait for a task's end, as soon as the caller's transaction is committed."""
        ...

    async def run(
        self, handlers: Mapping[JobKind, Handler], *, concurrency: int, per_owner: int, stop: asyncio.Event
    ) -> None:
        """Claim and run jobs of the handlers' kinds until ``stop``; return when the running ones are finished.

        Up to ``concurrency`` run at a time here, and up to ``per_owner`` of one owner; the others' go first then.

        A handler that raises is run again after a back-off; one that the database was not there for is run again as if
        it had not been begun. A job that was begun three times and never
        finished is handed to its handler once more with a higher ``attempt``: the handler decides what that means.
        """
        ...

    async def count_ready(self) -> int:
        """Count the jobs that nobody has finished."""
        ...
