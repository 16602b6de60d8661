"""A fresh, migrated database for every test, and what works with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.database import make_engine, migrate
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.pipeline import Pipeline
from idphoto.imaging.recipes import DEFAULT_CHOICE
from idphoto.outbound import Outbound
from idphoto.storage import LocalStorage
from idphoto.tasks.process import PhotoProcessor
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from idphoto.wake import Wake
from tests.integration.tasks.desk import Desk
from tests.integration.tasks.photos import new_processor
from tests.running import Receiver


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


@pytest.fixture
def desk(engine: AsyncEngine, store: TaskStore, queue: SqliteQueue, tmp_path: Path, receiver: Receiver) -> Desk:
    return Desk(engine=engine, store=store, queue=queue, storage=LocalStorage(tmp_path / "files"), receiver=receiver)


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    async with Outbound(["127.0.0.1/32"]) as client:
        yield client


@pytest.fixture(scope="module")
def pipeline(models_dir: Path) -> Pipeline:
    return Pipeline(ModelFolder(models_dir), matting=DEFAULT_CHOICE, max_pixels=1_000_000)


@pytest.fixture
def process(desk: Desk, pipeline: Pipeline) -> PhotoProcessor:
    return new_processor(desk, pipeline)
