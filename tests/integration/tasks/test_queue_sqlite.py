"""What only the embedded queue promises; the rest is in ``test_queue``."""

from __future__ import annotations

import asyncio
import sqlite3

import structlog
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.tasks.queue import Job, name_end
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from idphoto.wake import Wake
from tests.integration.tasks.running import LONG_S, add, drain, recorder
from tests.integration.tasks.samples import OUTCOME, ROOM, job_of, new_task


async def test_the_bell_rings_when_the_job_can_be_seen_and_not_before(
    engine: AsyncEngine, store: TaskStore, queue: SqliteQueue, wake: Wake
):
    task = new_task()
    await store.add(task, queue, job_of(task), ROOM)
    with wake.listen("jobs process") as bell, wake.listen("jobs fetch") as other:
        async with engine.begin() as conn:
            await queue.enqueue(conn, job_of(task))
            assert not await bell.wait(0.01)
        assert await bell.wait(LONG_S)
        assert not await other.wait(0)


async def test_the_end_of_a_task_is_heard_by_those_who_wait_for_it(store: TaskStore, queue: SqliteQueue, wake: Wake):
    task, other = await add(store, queue), await add(store, queue)
    with wake.listen(name_end(task.id)) as bell, wake.listen(name_end(other.id)) as other_bell:
        begun = await store.begin(task.id)
        assert begun is not None
        assert not await bell.wait(0)
        await store.finish(begun, OUTCOME, 5.0, queue)
        assert await bell.wait(LONG_S)
        assert not await other_bell.wait(0)


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
