from __future__ import annotations

import asyncio

import pytest

from idphoto.tasks.model import Failure, State, Task
from idphoto.tasks.queue import Job, JobKind, name_end
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from idphoto.tasks.waiting import Waiters
from idphoto.wake import Wake
from tests.integration.tasks.samples import OUTCOME, ROOM, job_of, new_task

LONG_S = 60.0


@pytest.fixture
def waiters(store: TaskStore, wake: Wake) -> Waiters:
    return Waiters(store, wake)


@pytest.fixture
async def task(store: TaskStore, queue: SqliteQueue) -> Task:
    task = new_task()
    return await store.add(task, queue, job_of(task), ROOM)


async def test_all_who_wait_see_the_end_that_a_job_brings(
    waiters: Waiters, store: TaskStore, queue: SqliteQueue, task: Task
):
    async def process(job: Job) -> None:
        begun = await store.begin(job.task_id)
        assert begun is not None
        await store.finish(begun, OUTCOME, 5.0, queue)

    stop = asyncio.Event()
    waiting = asyncio.gather(*(waiters.wait_for_end(task.id, LONG_S) for _ in range(5)))
    running = asyncio.create_task(queue.run({JobKind.PROCESS: process}, concurrency=1, per_owner=1, stop=stop))
    ended = await asyncio.wait_for(waiting, LONG_S / 2)
    stop.set()
    await running
    assert [end and end.state for end in ended] == [State.DONE] * 5


async def test_an_end_whose_ring_is_lost_is_seen_all_the_same(store: TaskStore, queue: SqliteQueue, task: Task):
    waiters = Waiters(store, Wake())  # it hears nothing of what the queue rings
    waiting = asyncio.create_task(waiters.wait_for_end(task.id, LONG_S))
    await asyncio.sleep(0.05)
    await store.fail(task, Failure(state=State.FAILED, code="no_face", message="No face."), queue)
    ended = await asyncio.wait_for(waiting, LONG_S / 2)
    assert ended is not None
    assert ended.state is State.FAILED


async def test_a_wait_that_takes_too_long_returns_the_task_as_it_is(waiters: Waiters, task: Task):
    unfinished = await waiters.wait_for_end(task.id, 0.05)
    assert unfinished is not None
    assert unfinished.state is State.QUEUED


async def test_a_deleted_task_ends_the_wait(waiters: Waiters, store: TaskStore, task: Task, wake: Wake):
    waiting = asyncio.create_task(waiters.wait_for_end(task.id, LONG_S))
    await asyncio.sleep(0.05)
    await store.remove(task.id)
    wake.notify(name_end(task.id))
    assert await asyncio.wait_for(waiting, LONG_S / 2) is None
