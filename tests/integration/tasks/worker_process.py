"""A worker process for the queue's contract tests: ``python -m … URL MODE GO_FILE``.

It prints a line for what it does; every line is ``<event> <task id> <job attempt>``.

* ``count``: finishes every job at once, until SIGTERM.
* ``freeze``: begins a task, blocks its whole process until GO_FILE exists, then tries to finish the task.
* ``wait``: begins a task and waits for ever, with a beating heart.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.database import make_engine
from idphoto.tasks.errors import LostLease
from idphoto.tasks.queue import Job, JobKind, JobQueue
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from idphoto.wake import Wake
from tests.integration.tasks.samples import OUTCOME

LEASE_S = 1.0


def make_queue(engine: AsyncEngine, *, lease_s: float) -> JobQueue:
    """Return the queue that belongs to the engine's database."""
    return SqliteQueue(engine, lease_s=lease_s, wake=Wake.from_environment(os.environ))


def say(event: str, job: Job) -> None:
    print(event, job.task_id, job.attempt, flush=True)


def block_until(file: Path) -> None:
    """Block the event loop, and so the heartbeat too, until the file exists."""
    while not file.exists():
        time.sleep(0.02)


async def run(url: str, mode: str, go: Path) -> None:
    engine = make_engine(url)
    # Whoever counts must not lose a lease only because the machine is busy.
    queue = make_queue(engine, lease_s=60.0 if mode == "count" else LEASE_S)
    store = TaskStore(engine, result_ttl_s=3600)
    stop = asyncio.Event()

    async def count(job: Job) -> None:
        say("ran", job)

    async def freeze(job: Job) -> None:
        task = await store.begin(job.task_id)
        assert task is not None
        say("begun", job)
        block_until(go)
        late = asyncio.create_task(store.finish(task, OUTCOME, 1.0, queue))
        # The heart may notice first and cancel this handler; the late write is made all the same.
        with suppress(asyncio.CancelledError):
            await asyncio.wait({late})
        await asyncio.wait({late})
        say("lost" if isinstance(late.exception(), LostLease) else "finished", job)
        stop.set()

    async def wait(job: Job) -> None:
        await store.begin(job.task_id)
        say("begun", job)
        try:
            await asyncio.Event().wait()
        finally:
            say("cancelled", job)
            stop.set()

    handlers: dict[str, Callable[[Job], Awaitable[None]]] = {"count": count, "freeze": freeze, "wait": wait}
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print("ready", flush=True)
    await queue.run({JobKind.PROCESS: handlers[mode]}, concurrency=2, per_owner=2, stop=stop)
    await engine.dispose()


if __name__ == "__main__":
    # What is printed is read by the test; the log goes elsewhere.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(run(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
