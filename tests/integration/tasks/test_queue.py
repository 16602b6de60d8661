"""The contract of the JobQueue port.

Another engine joins by a parameter of the fixture ``database_url`` and a case in ``make_queue``.
``test_queue_crashes`` belongs to it.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.tasks.queue import Job, JobKind, JobQueue, Priority, Retry
from idphoto.tasks.store import TaskStore
from tests.integration.tasks.running import LONG_S, add, drain, recorder, running, wait_for_count
from tests.integration.tasks.samples import job_of
from tests.integration.tasks.worker_process import LEASE_S, make_queue


@pytest.fixture
def queue(engine: AsyncEngine) -> JobQueue:
    return make_queue(engine, lease_s=LEASE_S)


async def test_a_job_is_run_once_with_what_was_enqueued(store: TaskStore, queue: JobQueue):
    task, seen = await add(store, queue, priority=Priority.SYNC), list[Job]()
    await drain(queue, recorder(seen))
    assert [(job.task_id, job.kind, job.priority, job.attempt) for job in seen] == [
        (task.id, JobKind.PROCESS, Priority.SYNC, 1)
    ]


async def test_a_rollback_leaves_no_ghost_job(engine: AsyncEngine, store: TaskStore, queue: JobQueue):
    task, seen = await add(store, queue), list[Job]()
    async with engine.connect() as conn:
        await queue.enqueue(conn, job_of(task))
        await conn.rollback()
    await drain(queue, recorder(seen))
    assert len(seen) == 1


async def test_what_somebody_waits_for_overtakes(store: TaskStore, queue: JobQueue):
    normal = [await add(store, queue) for _ in range(3)]
    sync = await add(store, queue, priority=Priority.SYNC)
    seen = list[Job]()
    await drain(queue, recorder(seen))
    assert [job.task_id for job in seen] == [sync.id, *(task.id for task in normal)]


async def test_a_delayed_job_lets_others_pass(store: TaskStore, queue: JobQueue):
    late, soon = await add(store, queue, delay_s=0.5), await add(store, queue)
    seen = list[Job]()
    await drain(queue, recorder(seen))
    assert [job.task_id for job in seen] == [soon.id, late.id]


async def test_the_jobs_of_one_owner_leave_room_for_those_of_others(store: TaskStore, queue: JobQueue):
    for owner in ("a", "a", "a", "b", "c"):
        await add(store, queue, owner=owner)
    running, most, order = Counter[str](), Counter[str](), list[str]()

    async def handle(job: Job) -> None:
        running[job.owner] += 1
        most[job.owner] = max(most[job.owner], running[job.owner])
        order.append(job.owner)
        await asyncio.sleep(0.05)
        running[job.owner] -= 1

    await drain(queue, handle, concurrency=3, per_owner=1)
    assert most == {"a": 1, "b": 1, "c": 1}
    assert set(order[:3]) == {"a", "b", "c"}
    assert order[3:] == ["a", "a"]


async def test_only_jobs_of_the_handled_kinds_are_taken(store: TaskStore, queue: JobQueue):
    fetch, process = await add(store, queue, kind=JobKind.FETCH), await add(store, queue)
    seen = list[Job]()
    async with running(queue, {JobKind.PROCESS: recorder(seen)}):
        await wait_for_count(queue, 1)
    assert [job.task_id for job in seen] == [process.id]
    async with running(queue, {JobKind.FETCH: recorder(seen)}):
        await wait_for_count(queue, 0)
    assert seen[-1].task_id == fetch.id


async def test_a_retry_waits_while_others_run_and_counts_its_attempts(store: TaskStore, queue: JobQueue):
    stubborn, other = await add(store, queue), await add(store, queue)
    seen = list[tuple[str, int]]()

    async def handle(job: Job) -> Retry | None:
        seen.append((job.task_id, job.attempt))
        return Retry(delay_s=0.5) if job.task_id == stubborn.id and job.attempt < 3 else None

    await drain(queue, handle)
    assert seen == [(stubborn.id, 1), (other.id, 1), (stubborn.id, 2), (stubborn.id, 3)]


async def test_a_handler_that_raises_is_run_again_after_others(store: TaskStore, queue: JobQueue):
    unlucky, other = await add(store, queue), await add(store, queue)
    seen = list[tuple[str, int]]()

    async def handle(job: Job) -> None:
        seen.append((job.task_id, job.attempt))
        if job.task_id == unlucky.id and job.attempt == 1:
            raise ValueError("https://example.org/secret.jpg")

    with structlog.testing.capture_logs() as logs:
        await drain(queue, handle)
    assert seen == [(unlucky.id, 1), (other.id, 1), (unlucky.id, 2)]
    assert [(log["event"], log["error"], log["task_id"]) for log in logs] == [("job_failed", "ValueError", unlucky.id)]
    assert "example.org" not in str(logs)


async def test_jobs_run_side_by_side_up_to_the_limit(store: TaskStore, queue: JobQueue):
    for _ in range(6):
        await add(store, queue)
    now, most, met = 0, 0, asyncio.Event()

    async def handle(job: Job) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 3:
            met.set()
        # Nobody goes on before three are here at the same time.
        await asyncio.wait_for(met.wait(), LONG_S)
        await asyncio.sleep(0.05)
        now -= 1

    await drain(queue, handle, concurrency=3)
    assert most == 3


async def test_stop_waits_for_the_running_handler_and_takes_no_more(store: TaskStore, queue: JobQueue):
    for _ in range(2):
        await add(store, queue)
    begun, go_on, stop, finished = asyncio.Event(), asyncio.Event(), asyncio.Event(), list[Job]()

    async def handle(job: Job) -> None:
        begun.set()
        await go_on.wait()
        finished.append(job)

    run = asyncio.create_task(queue.run({JobKind.PROCESS: handle}, concurrency=1, per_owner=1, stop=stop))
    await asyncio.wait_for(begun.wait(), LONG_S)
    stop.set()
    await asyncio.sleep(0.3)
    assert not run.done()
    go_on.set()
    await asyncio.wait_for(run, LONG_S)
    assert len(finished) == 1
    assert await queue.count_ready() == 1


async def test_a_cancelled_run_cancels_its_handlers_and_hands_their_jobs_back(store: TaskStore, queue: JobQueue):
    await add(store, queue)
    begun, cancelled, seen = asyncio.Event(), asyncio.Event(), list[Job]()

    async def hang(job: Job) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    run = asyncio.create_task(queue.run({JobKind.PROCESS: hang}, concurrency=1, per_owner=1, stop=asyncio.Event()))
    await asyncio.wait_for(begun.wait(), LONG_S)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert cancelled.is_set()
    await drain(queue, recorder(seen))
    # As if it had never been begun: a restart is no failure of the job.
    assert [job.attempt for job in seen] == [1]


async def test_a_long_job_keeps_its_lease(store: TaskStore, queue: JobQueue, engine: AsyncEngine):
    await add(store, queue)
    seen = list[Job]()

    async def work(job: Job) -> None:
        seen.append(job)
        await asyncio.sleep(2.5 * LEASE_S)

    other = make_queue(engine, lease_s=LEASE_S)
    async with running(other, {JobKind.PROCESS: work}):
        await drain(queue, work)
    assert [job.attempt for job in seen] == [1]


async def test_a_deleted_task_stops_its_handler(store: TaskStore, queue: JobQueue):
    task = await add(store, queue)
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def hang(job: Job) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with running(queue, {JobKind.PROCESS: hang}):
        await asyncio.wait_for(begun.wait(), LONG_S)
        await store.remove(task.id)
        await asyncio.wait_for(cancelled.wait(), LONG_S)
    assert await queue.count_ready() == 0
