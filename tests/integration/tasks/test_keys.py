from __future__ import annotations

import re

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.keys import Caller, KeyLimits, KeyStore
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from tests.integration.tasks.samples import ROOM, job_of, new_task


@pytest.fixture
def keys(engine: AsyncEngine) -> KeyStore:
    return KeyStore(engine, ("first static", "second static"))


async def test_a_new_token_is_accepted_as_its_owner(keys: KeyStore):
    key = await keys.create("shop")
    assert re.fullmatch(rf"idp_{key.id}_[A-Za-z0-9_-]{{43}}", key.token)
    assert await keys.authenticate(key.token) == Caller(owner=key.id)


async def test_the_secret_is_stored_nowhere(keys: KeyStore, engine: AsyncEngine):
    key = await keys.create("shop")
    async with engine.begin() as conn:
        row = (await conn.execute(text("SELECT * FROM api_key"))).one()
    assert key.id in row
    assert not any(key.token[-43:] in str(value) for value in row)


async def test_a_secret_with_another_id_is_refused(keys: KeyStore):
    one, two = await keys.create("one"), await keys.create("two")
    assert await keys.authenticate(one.token.replace(one.id, two.id)) is None


@pytest.mark.parametrize(
    "token", ["", "idp_", "idp_00000000_" + "A" * 43, "first", "first static ", "пароль", "\udcff\udc80"]
)
async def test_a_wrong_token_is_refused(keys: KeyStore, token: str):
    assert await keys.authenticate(token) is None


async def test_a_revoked_token_is_refused(keys: KeyStore):
    key = await keys.create("shop")
    assert await keys.revoke(key.id)
    assert await keys.authenticate(key.token) is None
    assert not await keys.revoke(key.id)


async def test_static_keys_are_different_owners_that_do_not_change(keys: KeyStore):
    first, second = await keys.authenticate("first static"), await keys.authenticate("second static")
    # SHA-256 of the text, so that tasks keep their owner over restarts and on every node.
    assert first == Caller(owner="static-70ebc5d4")
    assert second is not None
    assert second != first


async def test_the_list_shows_stored_keys_and_no_secret(keys: KeyStore):
    created = [await keys.create("one"), await keys.create("two")]
    listed = await keys.list()
    assert [(key.id, key.name, key.made_today) for key in listed] == [(key.id, key.name, 0) for key in created]
    assert await keys.count() == 2


async def test_a_key_carries_its_limits_and_new_ones_at_once(keys: KeyStore):
    key = await keys.create("shop", KeyLimits(rate_per_s=0.5, at_once=3, per_day=0))
    assert await keys.authenticate(key.token) == Caller(
        owner=key.id, limits=KeyLimits(rate_per_s=0.5, at_once=3, per_day=0)
    )
    assert await keys.limit(key.id, KeyLimits(per_day=7))
    assert await keys.authenticate(key.token) == Caller(owner=key.id, limits=KeyLimits(per_day=7))
    assert not await keys.limit("00000000", KeyLimits())


async def test_the_list_counts_the_tasks_of_today(keys: KeyStore, store: TaskStore, queue: SqliteQueue):
    key = await keys.create("shop")
    for _ in range(3):
        task = new_task(owner=key.id)
        await store.add(task, queue, job_of(task), ROOM)
    await store.delete(task.id, key.id)
    assert [info.made_today for info in await keys.list()] == [3]
