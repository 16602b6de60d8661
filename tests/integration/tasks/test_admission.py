"""Room for tasks: exact, whoever asks at the same moment."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.tasks import tables
from idphoto.tasks.admission import NoRoom, QueueFull, QuotaUsedUp, TooManyAtOnce, get_day
from idphoto.tasks.model import Failure, State, Task
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from tests.integration.tasks.samples import ROOM, job_of, new_task

FAILURE = Failure(state=State.FAILED, code="no_face", message="No face was found.")


async def add(store: TaskStore, queue: SqliteQueue, limits: dict[str, int], **changes: object) -> Task:
    task = new_task(**changes)
    return await store.add(task, queue, job_of(task), replace(ROOM, **limits))


@pytest.mark.parametrize(
    ("limits", "error"), [({"queue": 3}, QueueFull), ({"at_once": 3}, TooManyAtOnce), ({"today": 3}, QuotaUsedUp)]
)
async def test_of_many_at_once_exactly_as_many_fit_as_may(
    store: TaskStore, queue: SqliteQueue, limits: dict[str, int], error: type[NoRoom]
):
    answers = await asyncio.gather(*(add(store, queue, limits) for _ in range(9)), return_exceptions=True)
    assert sum(isinstance(answer, Task) for answer in answers) == 3
    assert sum(type(answer) is error for answer in answers) == 6
    assert await store.count_by_state() == {State.QUEUED: 3}
    assert await queue.count_ready() == 3
    with pytest.raises(error):
        await store.check_room("alice", replace(ROOM, **limits))


async def test_what_has_ended_makes_room_but_not_for_the_day(store: TaskStore, queue: SqliteQueue):
    task = await add(store, queue, {})
    await store.fail(task, FAILURE, queue)
    await store.check_room("alice", replace(ROOM, queue=1, at_once=1, today=2))
    await store.delete(task.id, "alice")
    with pytest.raises(QuotaUsedUp) as refused:
        await store.check_room("alice", replace(ROOM, today=1))
    assert 0 < refused.value.retry_after_s <= 86_400


async def test_other_owners_take_room_in_the_queue_only(store: TaskStore, queue: SqliteQueue):
    await add(store, queue, {}, owner="bob")
    await store.check_room("alice", replace(ROOM, at_once=1, today=1))
    with pytest.raises(QueueFull):
        await store.check_room("alice", replace(ROOM, queue=1))


async def test_a_repeat_needs_no_room_and_is_not_counted(store: TaskStore, queue: SqliteQueue):
    limits = {"queue": 1, "at_once": 1, "today": 1}
    first = await add(store, queue, limits, idempotency_key="k")
    again = await add(store, queue, limits, idempotency_key="k")
    assert again.id == first.id


async def test_a_new_day_begins_at_zero_and_old_ones_are_forgotten(
    store: TaskStore, queue: SqliteQueue, engine: AsyncEngine
):
    today = get_day(time.time())
    async with engine.begin() as conn:
        rows = [{"owner": "alice", "day": today - ago, "tasks": 5} for ago in (1, 40, 41)]
        await conn.execute(insert(tables.usage), rows)
    await add(store, queue, {"today": 1})
    async with engine.begin() as conn:
        days = (await conn.execute(select(tables.usage.c.day, tables.usage.c.tasks).order_by("day"))).all()
    assert [tuple(day) for day in days] == [(today - 40, 5), (today - 1, 5), (today, 1)]
