"""A fresh, migrated database for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.database import make_engine, migrate
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from idphoto.wake import Wake


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    url = f"sqlite+aiosqlite:///{tmp_path / 'idphoto.db'}"
    migrate(url)
    return url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def wake() -> Wake:
    return Wake()


@pytest.fixture
def queue(engine: AsyncEngine, wake: Wake) -> SqliteQueue:
    return SqliteQueue(engine, lease_s=10, wake=wake)


@pytest.fixture
def store(engine: AsyncEngine) -> TaskStore:
    return TaskStore(engine, result_ttl_s=3600)
