from __future__ import annotations

import re

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.keys import KeyStore


@pytest.fixture
def keys(engine: AsyncEngine) -> KeyStore:
    return KeyStore(engine, ("first static", "second static"))


async def test_a_new_token_is_accepted_as_its_owner(keys: KeyStore):
    key = await keys.create("shop")
    assert re.fullmatch(rf"idp_{key.id}_[A-Za-z0-9_-]{{43}}", key.token)
    assert await keys.authenticate(key.token) == key.id


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
    assert first == "static-70ebc5d4"
    assert second not in {None, first}


async def test_the_list_shows_stored_keys_and_no_secret(keys: KeyStore):
    created = [await keys.create("one"), await keys.create("two")]
    listed = await keys.list()
    assert [(key.id, key.name) for key in listed] == [(key.id, key.name) for key in created]
    assert await keys.count() == 2
