"""Running jobs in a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from idphoto.tasks.model import Task
from idphoto.tasks.queue import Handler, Job, JobKind, JobQueue
from idphoto.tasks.store import TaskStore
from tests.integration.tasks.samples import ROOM, job_of, new_task

LONG_S = 60.0
"""Upper bound for things that take moments; nothing is asserted about how long they take."""


async def add(store: TaskStore, queue: JobQueue, **changes: object) -> Task:
    task = new_task()
    return await store.add(task, queue, job_of(task, **changes), ROOM)


@asynccontextmanager
async def running(
    queue: JobQueue, handlers: Mapping[JobKind, Handler], *, concurrency: int = 1, per_owner: int | None = None
) -> AsyncIterator[None]:
    stop = asyncio.Event()
    run = asyncio.create_task(
        queue.run(handlers, concurrency=concurrency, per_owner=per_owner or concurrency, stop=stop)
    )
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(run, LONG_S)


async def wait_for_count(queue: JobQueue, count: int) -> None:
    """Wait until so many jobs are left. Other processes finish jobs too, so there is no event to wait for."""
    async with asyncio.timeout(LONG_S):
        while await queue.count_ready() != count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def drain(queue: JobQueue, handler: Handler, *, concurrency: int = 1, per_owner: int | None = None) -> None:
    """Run PROCESS jobs until none is left."""
    async with running(queue, {JobKind.PROCESS: handler}, concurrency=concurrency, per_owner=per_owner):
        await wait_for_count(queue, 0)


def recorder(seen: list[Job]) -> Callable[[Job], Awaitable[None]]:
    async def record(job: Job) -> None:
        seen.append(job)

    return record
