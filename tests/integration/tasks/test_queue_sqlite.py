"""What only the embedded queue promises; the rest is in ``test_queue``."""

from __future__ import annotations

import asyncio
import sqlite3

import structlog
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.tasks.queue import Job
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from idphoto.wake import Wake
from tests.integration.tasks.running import LONG_S, add, drain, recorder
from tests.integration.tasks.samples import ROOM, job_of, new_task


async def test_the_bell_rings_when_the_job_can_be_seen_and_not_before(
    engine: AsyncEngine, store: TaskStore, queue: SqliteQueue, wake: Wake
):
    task = new_task()
    await store.add(task, queue, job_of(task), ROOM)
    before = wake.count
    async with engine.begin() as conn:
        await queue.enqueue(conn, job_of(task))
        assert wake.count == before
    assert wake.count == before + 1


async def test_a_transaction_without_a_job_rings_no_bell(store: TaskStore, queue: SqliteQueue, wake: Wake):
    task = await add(store, queue)
    before = wake.count
    await store.begin(task.id)
    assert wake.count == before


async def test_a_database_that_is_locked_for_long_is_waited_for(
    engine: AsyncEngine, store: TaskStore, queue: SqliteQueue, database_url: str
):
    # A short patience instead of the ten seconds of production.
    event.listen(engine.sync_engine, "connect", lambda conn, _: conn.cursor().execute("PRAGMA busy_timeout=20"))
    task, seen = await add(store, queue), list[Job]()
    locker = sqlite3.connect(database_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    with structlog.testing.capture_logs() as logs:
        draining = asyncio.create_task(drain(queue, recorder(seen)))
        async with asyncio.timeout(LONG_S):
            while not logs:  # noqa: ASYNC110 - the log is the only sign
                await asyncio.sleep(0.02)
        locker.execute("ROLLBACK")
        locker.close()
        await draining
    assert {log["event"] for log in logs} == {"jobs_unavailable"}
    assert [job.task_id for job in seen] == [task.id]
