from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.tasks import tables
from idphoto.tasks.deliveries import Delivery, DeliveryLog
from idphoto.tasks.errors import LostLease
from idphoto.tasks.model import Failure, ReturnType, SheetFiles, State, Task
from idphoto.tasks.queue import Job, JobKind, Priority, Retry
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.request import Format, PhotoRequest
from idphoto.tasks.store import TaskStore
from idphoto.tasks.workers import WorkerRegistry
from tests.integration.tasks.samples import OUTCOME, RESULT_KEY, ROOM, job_of, new_task

FAILURE = Failure(state=State.DOWNLOAD_FAILED, code="download_failed", message="The server said 404.")


@pytest.fixture
def short_store(engine: AsyncEngine) -> TaskStore:
    """Its tasks expire as they end."""
    return TaskStore(engine, result_ttl_s=0)


async def add(store: TaskStore, queue: SqliteQueue, **changes: object) -> Task:
    task = new_task(**changes)
    return await store.add(task, queue, job_of(task), ROOM)


async def begin(store: TaskStore, task: Task) -> Task:
    begun = await store.begin(task.id)
    assert begun is not None
    return begun


async def kinds_of_jobs(engine: AsyncEngine) -> list[str]:
    async with engine.begin() as conn:
        return list((await conn.execute(select(tables.job.c.kind).order_by(tables.job.c.id))).scalars())


async def test_a_stored_task_is_read_back_as_it_was(store: TaskStore, queue: SqliteQueue):
    task = await add(
        store,
        queue,
        request=PhotoRequest(spec="us-passport", format=Format.JPG, background="438EDB", largest_face=True),
        return_type=ReturnType.BASE64,
        image_url="https://example.org/me.jpg",
        source_key="sources/x",
        callback_url="https://example.org/done",
        idempotency_key="k",
    )
    assert await store.get(task.id, owner="alice") == task


async def test_a_task_is_hidden_from_other_owners(store: TaskStore, queue: SqliteQueue):
    task = await add(store, queue)
    assert await store.get(task.id, owner="mallory") is None
    assert await store.delete(task.id, "mallory") is None
    assert await store.get(task.id, owner=None) == task


async def test_the_row_and_its_job_are_stored_together(store: TaskStore, queue: SqliteQueue):
    task = new_task()
    with pytest.raises(IntegrityError):
        await store.add(task, queue, job_of(new_task()), ROOM)
    assert await store.get(task.id, owner=None) is None
    assert await queue.count_ready() == 0


async def test_a_repeat_returns_the_first_task_and_stores_nothing(store: TaskStore, queue: SqliteQueue):
    first = await add(store, queue, idempotency_key="k")
    again = await add(store, queue, idempotency_key="k")
    assert again.id == first.id
    assert await queue.count_ready() == 1
    assert await store.count_by_state() == {State.QUEUED: 1}


async def test_racing_repeats_make_one_task(store: TaskStore, queue: SqliteQueue):
    tasks = await asyncio.gather(*(add(store, queue, idempotency_key="k") for _ in range(8)))
    assert len({task.id for task in tasks}) == 1
    assert await queue.count_ready() == 1


async def test_owners_do_not_share_idempotency_keys(store: TaskStore, queue: SqliteQueue):
    tasks = [await add(store, queue, idempotency_key="k", owner=owner) for owner in ("alice", "bob")]
    assert tasks[0].id != tasks[1].id


async def test_an_expired_task_gives_its_idempotency_key_free(short_store: TaskStore, queue: SqliteQueue):
    first = await add(short_store, queue, idempotency_key="k")
    await short_store.fail(first, FAILURE, queue)
    second = await add(short_store, queue, idempotency_key="k")
    assert second.id != first.id


async def test_a_task_ends_with_its_outcome(store: TaskStore, queue: SqliteQueue):
    begun = await begin(store, await add(store, queue))
    await store.advance(begun, State.PROCESSING, 60)
    await store.finish(begun, OUTCOME, 384.5, queue)
    task = await store.get(begun.id, owner="alice")
    assert task is not None
    assert (task.state, task.progress, task.attempt, task.elapsed_ms) == (State.DONE, 100, 1, 384.5)
    assert task.outcome == OUTCOME
    assert task.failure is None
    assert task.completed_at is not None
    assert task.processed_at is not None
    assert task.created_at <= task.processed_at <= task.completed_at
    assert task.expires_at == task.completed_at + 3600


async def test_a_failed_task_says_why_and_is_not_complete(store: TaskStore, queue: SqliteQueue):
    begun = await begin(store, await add(store, queue))
    await store.advance(begun, State.PROCESSING, 60)
    await store.fail(begun, FAILURE, queue)
    task = await store.get(begun.id, owner="alice")
    assert task is not None
    assert (task.state, task.failure, task.outcome) == (State.DOWNLOAD_FAILED, FAILURE, None)
    assert task.progress < 100
    assert task.expires_at is not None


async def test_a_task_that_was_never_begun_can_fail(store: TaskStore, queue: SqliteQueue):
    task = await add(store, queue)
    await store.fail(task, FAILURE, queue)
    failed = await store.get(task.id, owner="alice")
    assert failed is not None
    assert (failed.state, failed.attempt) == (State.DOWNLOAD_FAILED, 0)


@pytest.mark.parametrize("end", ["finish", "fail"])
async def test_the_end_of_a_task_enqueues_its_callback(
    store: TaskStore, queue: SqliteQueue, engine: AsyncEngine, end: str
):
    begun = await begin(store, await add(store, queue, callback_url="https://example.org/done"))
    if end == "finish":
        await store.finish(begun, OUTCOME, 1.0, queue)
    else:
        await store.fail(begun, FAILURE, queue)
    assert await kinds_of_jobs(engine) == [JobKind.PROCESS, JobKind.CALLBACK]


async def test_nothing_is_announced_without_a_callback_url(store: TaskStore, queue: SqliteQueue, engine: AsyncEngine):
    await store.finish(await begin(store, await add(store, queue)), OUTCOME, 1.0, queue)
    assert await kinds_of_jobs(engine) == [JobKind.PROCESS]


async def test_a_new_attempt_fences_off_the_old_one(store: TaskStore, queue: SqliteQueue):
    old = await begin(store, await add(store, queue, callback_url="https://example.org/done"))
    new = await begin(store, old)
    assert new.attempt == old.attempt + 1
    with pytest.raises(LostLease):
        await store.advance(old, State.PROCESSING, 50)
    with pytest.raises(LostLease):
        await store.finish(old, OUTCOME, 1.0, queue)
    with pytest.raises(LostLease):
        await store.fail(old, FAILURE, queue)
    assert await queue.count_ready() == 1
    await store.finish(new, OUTCOME, 1.0, queue)


async def test_an_ended_task_is_not_written_again(store: TaskStore, queue: SqliteQueue):
    begun = await begin(store, await add(store, queue))
    await store.finish(begun, OUTCOME, 1.0, queue)
    with pytest.raises(LostLease):
        await store.fail(begun, FAILURE, queue)
    assert await store.begin(begun.id) is None
    assert await store.find_result(RESULT_KEY) is not None


async def test_a_deleted_task_is_lost_to_its_worker(store: TaskStore, queue: SqliteQueue):
    begun = await begin(store, await add(store, queue))
    assert await store.delete(begun.id, "alice") == begun
    with pytest.raises(LostLease):
        await store.finish(begun, OUTCOME, 1.0, queue)
    assert await queue.count_ready() == 0


async def test_a_download_ends_in_waiting_with_a_job(store: TaskStore, queue: SqliteQueue, engine: AsyncEngine):
    task = await add(store, queue, image_url="https://example.org/me.jpg")
    await store.advance(task, State.PREPARING, 5)
    await store.set_source(task, "sources/x", 488.0, queue, Priority.SYNC)
    waiting = await store.get(task.id, owner="alice")
    assert waiting is not None
    assert (waiting.state, waiting.source_key, waiting.download_ms) == (State.WAITING, "sources/x", 488.0)
    async with engine.begin() as conn:
        rows = (await conn.execute(select(tables.job.c.kind, tables.job.c.priority))).all()
    assert (JobKind.PROCESS, Priority.SYNC) in [tuple(row) for row in rows]


async def test_a_second_slower_download_is_fenced_off(store: TaskStore, queue: SqliteQueue):
    task = await add(store, queue, image_url="https://example.org/me.jpg")
    await store.set_source(task, "sources/x", 1.0, queue, Priority.NORMAL)
    with pytest.raises(LostLease):
        await store.set_source(task, "sources/x", 1.0, queue, Priority.NORMAL)
    with pytest.raises(LostLease):
        await store.fail(task, FAILURE, queue)
    assert await queue.count_ready() == 2


async def test_a_waiting_task_can_fail(store: TaskStore, queue: SqliteQueue):
    task = await add(store, queue)
    await store.set_source(task, "sources/x", 1.0, queue, Priority.NORMAL)
    waiting = await store.get(task.id, owner=None)
    assert waiting is not None
    await store.fail(waiting, FAILURE, queue)
    assert await store.count_by_state() == {FAILURE.state: 1}


async def test_an_expired_task_is_unknown(short_store: TaskStore, queue: SqliteQueue):
    begun = await begin(short_store, await add(short_store, queue))
    await short_store.finish(begun, OUTCOME, 1.0, queue)
    assert await short_store.get(begun.id, owner="alice") is None
    assert await short_store.find_result(RESULT_KEY) is None
    assert await short_store.delete(begun.id, "alice") is None
    assert [task.id for task in await short_store.list_expired(10)] == [begun.id]


async def test_an_expired_task_waits_for_its_callback_but_its_files_do_not(short_store: TaskStore, queue: SqliteQueue):
    begun = await begin(short_store, await add(short_store, queue, callback_url="https://example.com/"))
    await short_store.finish(begun, OUTCOME, 1.0, queue)
    assert await short_store.get(begun.id, owner=None) is None
    assert await short_store.list_expired(10) == []
    assert not await short_store.is_referenced(RESULT_KEY)
    ended = await short_store.find_ended(begun.id)
    assert ended is not None
    assert ended.outcome == OUTCOME
    stop = asyncio.Event()

    async def deliver(job: Job) -> None:
        stop.set()

    await queue.run({JobKind.CALLBACK: deliver}, concurrency=1, per_owner=1, stop=stop)
    assert [task.id for task in await short_store.list_expired(10)] == [begun.id]


async def test_a_callback_is_announced_again_once_at_a_time(store: TaskStore, queue: SqliteQueue):
    task = await begin(store, await add(store, queue, callback_url="https://example.com/"))
    stop = asyncio.Event()
    tries = list[int]()

    async def deliver(job: Job) -> Retry | None:
        tries.append(job.attempt)
        if len(tries) == 1:
            return Retry(delay_s=3600)
        if len(tries) == 3:
            stop.set()
        return None

    await store.finish(task, OUTCOME, 1.0, queue)
    running = asyncio.create_task(queue.run({JobKind.CALLBACK: deliver}, concurrency=1, per_owner=1, stop=stop))
    for count in (1, 2, 3):
        while len(tries) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        await store.announce_again(task, queue)
    await asyncio.wait_for(running, 60)
    # The waiting one was hastened, with its count; the next was a new one.
    assert tries == [1, 2, 1]


async def test_an_unfinished_task_is_not_found_as_ended(store: TaskStore, queue: SqliteQueue):
    task = await add(store, queue)
    assert await store.find_ended(task.id) is None


async def test_an_unfinished_task_never_expires(short_store: TaskStore, queue: SqliteQueue):
    task = await add(short_store, queue, created_at=0.0)
    assert await short_store.list_expired(10) == []
    assert await short_store.get(task.id, owner="alice") == task


async def test_a_removed_task_takes_its_jobs_and_deliveries_along(
    short_store: TaskStore, queue: SqliteQueue, engine: AsyncEngine
):
    log = DeliveryLog(engine)
    task = await add(short_store, queue)
    await log.record_delivery(Delivery(webhook_id="m", task_id=task.id, attempt=1, at=1.0))
    await short_store.remove(task.id)
    assert await queue.count_ready() == 0
    assert await log.list_deliveries(task.id) == []


async def test_files_of_tasks_are_referenced_until_cleared(store: TaskStore, queue: SqliteQueue):
    begun = await begin(store, await add(store, queue, source_key="sources/x"))
    await store.finish(begun, OUTCOME, 1.0, queue)
    assert await store.is_referenced("sources/x")
    assert await store.is_referenced(RESULT_KEY)
    await store.clear_source(begun.id)
    assert not await store.is_referenced("sources/x")


async def test_all_files_of_a_task_lead_to_it_until_it_goes(store: TaskStore, queue: SqliteQueue):
    sheet = SheetFiles(
        image_key="results/sheet.jpg", pdf_key="results/sheet.pdf", photos=8, width_mm=102, height_mm=152
    )
    begun = await begin(store, await add(store, queue))
    await store.finish(begun, replace(OUTCOME, sheet=sheet, cutout_key="cutouts/x"), 1.0, queue)
    ended = await store.get(begun.id, owner="alice")
    assert ended is not None
    assert ended.keys == (RESULT_KEY, "results/sheet.jpg", "results/sheet.pdf", "cutouts/x")
    for key in ended.keys:
        assert await store.is_referenced(key)
        assert await store.find_result(key) == ended
    await store.delete(begun.id, "alice")
    for key in ended.keys:
        assert not await store.is_referenced(key)
        assert await store.find_result(key) is None


async def test_a_check_ends_without_a_file(store: TaskStore, queue: SqliteQueue):
    begun = await begin(store, await add(store, queue))
    report = {"spec": "cn-passport", "verdict": "pass", "checks": []}
    await store.finish(begun, replace(OUTCOME, result_key=None, compliance=report), 1.0, queue)
    ended = await store.get(begun.id, owner="alice")
    assert ended is not None
    assert ended.outcome is not None
    assert (ended.state, ended.outcome.result_key, ended.outcome.compliance) == (State.DONE, None, report)
    assert ended.keys == ()


async def test_tasks_are_counted_by_state(store: TaskStore, queue: SqliteQueue):
    tasks = [await add(store, queue) for _ in range(3)]
    await begin(store, tasks[0])
    await store.fail(tasks[1], FAILURE, queue)
    assert await store.count_by_state() == {State.QUEUED: 1, State.PREPARING: 1, State.DOWNLOAD_FAILED: 1}


async def test_deliveries_are_listed_in_their_order(store: TaskStore, queue: SqliteQueue, engine: AsyncEngine):
    log = DeliveryLog(engine)
    task = await add(store, queue)
    first = Delivery(webhook_id="m", task_id=task.id, attempt=1, at=1.0, error="timeout", next_try_at=6.0)
    second = replace(first, attempt=2, at=6.0, status=204, error=None, next_try_at=None)
    await log.record_delivery(first)
    await log.record_delivery(second)
    assert await log.list_deliveries(task.id) == [first, second]


async def test_a_delivery_for_a_deleted_task_is_not_recorded(engine: AsyncEngine):
    log = DeliveryLog(engine)
    await log.record_delivery(Delivery(webhook_id="m", task_id="gone", attempt=1, at=1.0, status=204))
    assert await log.list_deliveries("gone") == []


async def test_workers_are_alive_while_they_beat(engine: AsyncEngine):
    workers = WorkerRegistry(engine)
    for worker in ("a", "b", "a"):
        await workers.beat(worker)
    assert await workers.count_alive(60) == 2
    assert await workers.count_alive(-60) == 0
    await workers.remove("a")
    assert await workers.count_alive(60) == 1
