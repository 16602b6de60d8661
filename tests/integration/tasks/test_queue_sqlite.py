"""What only the embedded queue promises; the rest is in ``test_queue``."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator

import pytest
import structlog
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.tasks.queue import Job, JobKind, name_end
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


@pytest.fixture
async def locker(engine: AsyncEngine, database_url: str) -> AsyncIterator[sqlite3.Connection]:
    """Another program that can lock the database, for which nobody waits long."""
    event.listen(engine.sync_engine, "connect", lambda conn, _: conn.cursor().execute("PRAGMA busy_timeout=20"))
    other = sqlite3.connect(database_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
    yield other
    other.close()


async def test_a_database_that_is_locked_for_long_is_waited_for(
    store: TaskStore, queue: SqliteQueue, locker: sqlite3.Connection
):
    task, seen = await add(store, queue), list[Job]()
    locker.execute("BEGIN IMMEDIATE")
    with structlog.testing.capture_logs() as logs:
        draining = asyncio.create_task(drain(queue, recorder(seen)))
        async with asyncio.timeout(LONG_S):
            while not logs:  # noqa: ASYNC110 - the log is the only sign
                await asyncio.sleep(0.02)
        locker.execute("ROLLBACK")
        await draining
    assert {log["event"] for log in logs} == {"jobs_unavailable"}
    assert [job.task_id for job in seen] == [task.id]


async def test_an_end_that_cannot_be_written_down_is_written_later(
    store: TaskStore, queue: SqliteQueue, locker: sqlite3.Connection
):
    task, seen = await add(store, queue), list[Job]()

    async def handle(job: Job) -> None:
        seen.append(job)
        locker.execute("BEGIN IMMEDIATE")

    with structlog.testing.capture_logs() as logs:
        draining = asyncio.create_task(drain(queue, handle))
        async with asyncio.timeout(LONG_S):
            while not logs:  # noqa: ASYNC110 - the log is the only sign
                await asyncio.sleep(0.02)
        locker.execute("ROLLBACK")
        await draining
    assert {log["event"] for log in logs} == {"job_not_settled"}
    assert [(job.task_id, job.attempt) for job in seen] == [(task.id, 1)]


async def test_a_database_that_was_away_is_no_failed_attempt_of_a_job(
    store: TaskStore, queue: SqliteQueue, locker: sqlite3.Connection
):
    task, attempts = await add(store, queue), list[int]()

    async def handle(job: Job) -> None:
        attempts.append(job.attempt)
        if len(attempts) == 1:
            locker.execute("BEGIN IMMEDIATE")
            try:
                await store.begin(task.id)
            finally:
                locker.execute("ROLLBACK")

    with structlog.testing.capture_logs() as logs:
        await drain(queue, handle)
    assert [log["error"] for log in logs if log["event"] == "job_failed"] == ["OperationalError"]
    assert attempts == [1, 1]


async def test_a_queue_whose_connections_are_all_taken_goes_on_when_they_are_free(
    engine: AsyncEngine, store: TaskStore, queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch
):
    task, seen = await add(store, queue), list[Job]()
    monkeypatch.setattr(engine.sync_engine.pool, "_timeout", 0.05)
    stop = asyncio.Event()
    taken = [await engine.connect() for _ in range(15)]
    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(
            queue.run({JobKind.PROCESS: recorder(seen)}, concurrency=1, per_owner=1, stop=stop)
        )
        async with asyncio.timeout(LONG_S):
            while not logs:  # noqa: ASYNC110 - the log is the only sign
                await asyncio.sleep(0.02)
        for connection in taken:
            await connection.close()
        async with asyncio.timeout(LONG_S):
            while not seen:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        stop.set()
        await running
    assert {(log["event"], log["error"]) for log in logs} == {("jobs_unavailable", "TimeoutError")}
    assert [job.task_id for job in seen] == [task.id]
