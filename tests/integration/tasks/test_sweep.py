from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.storage import LocalStorage, NotStored
from idphoto.tasks.model import Outcome, Task
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from idphoto.tasks.sweep import ORPHAN_AGE_S, Sweeper, Swept
from tests.integration.tasks.samples import ROOM, job_of, new_task


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "files")


@pytest.fixture
def short_store(engine: AsyncEngine) -> TaskStore:
    """Its tasks expire as they end."""
    return TaskStore(engine, result_ttl_s=0)


async def add_finished(store: TaskStore, queue: SqliteQueue, storage: LocalStorage, name: str) -> Task:
    task = new_task(source_key=f"sources/{name}")
    await store.add(task, queue, job_of(task), ROOM)
    begun = await store.begin(task.id)
    assert begun is not None
    await storage.put(f"sources/{name}", b"source")
    await storage.put(f"results/{name}.png", b"result")
    outcome = Outcome(result_key=f"results/{name}.png", width=1, height=1, size_bytes=6, foreground=(0, 0, 1, 1))
    await store.finish(begun, outcome, 1.0, queue)
    return task


def age(storage: LocalStorage, *keys: str) -> None:
    for key in keys:
        path = storage.path(key)
        then = path.stat().st_mtime - ORPHAN_AGE_S - 60
        os.utime(path, (then, then))


async def is_stored(storage: LocalStorage, key: str) -> bool:
    try:
        await storage.get(key)
    except NotStored:
        return False
    return True


async def test_an_expired_task_goes_with_its_files(
    short_store: TaskStore, queue: SqliteQueue, storage: LocalStorage, engine: AsyncEngine
) -> None:
    await add_finished(short_store, queue, storage, "a")
    assert await Sweeper(store=short_store, storage=storage).sweep() == Swept(tasks=1, orphans=0)
    assert await short_store.count_by_state() == {}
    assert not await is_stored(storage, "sources/a")
    assert not await is_stored(storage, "results/a.png")


async def test_a_task_that_has_not_expired_keeps_its_files_however_old(
    store: TaskStore, queue: SqliteQueue, storage: LocalStorage
) -> None:
    task = await add_finished(store, queue, storage, "a")
    age(storage, "sources/a", "results/a.png")
    assert await Sweeper(store=store, storage=storage).sweep() == Swept(tasks=0, orphans=0)
    assert await store.get(task.id, owner=None) is not None
    assert await is_stored(storage, "sources/a")
    assert await is_stored(storage, "results/a.png")


async def test_an_unfinished_task_keeps_its_source_however_old(
    short_store: TaskStore, queue: SqliteQueue, storage: LocalStorage
) -> None:
    task = new_task(source_key="sources/a")
    await short_store.add(task, queue, job_of(task), ROOM)
    await storage.put("sources/a", b"source")
    age(storage, "sources/a")
    assert await Sweeper(store=short_store, storage=storage).sweep() == Swept(tasks=0, orphans=0)
    assert await is_stored(storage, "sources/a")


async def test_old_files_without_a_task_are_deleted_and_young_ones_are_not(
    store: TaskStore, storage: LocalStorage
) -> None:
    old = ["sources/old", "results/old.png", "partial/old"]
    young = ["sources/young", "results/young.png", "partial/young"]
    for key in (*old, *young):
        await storage.put(key, b"data")
    age(storage, *old)
    assert await Sweeper(store=store, storage=storage).sweep() == Swept(tasks=0, orphans=3)
    assert [await is_stored(storage, key) for key in old] == [False] * 3
    assert [await is_stored(storage, key) for key in young] == [True] * 3


async def test_orphans_are_not_looked_for_in_every_sweep(store: TaskStore, storage: LocalStorage) -> None:
    sweeper = Sweeper(store=store, storage=storage)
    await sweeper.sweep()
    await storage.put("sources/old", b"data")
    age(storage, "sources/old")
    assert await sweeper.sweep() == Swept(tasks=0, orphans=0)
    assert await is_stored(storage, "sources/old")


async def test_a_row_outlives_files_that_cannot_be_deleted(
    short_store: TaskStore, queue: SqliteQueue, storage: LocalStorage
) -> None:
    await add_finished(short_store, queue, storage, "a")
    await storage.delete("results/a.png")
    storage.path("results/a.png").mkdir()
    sweeper = Sweeper(store=short_store, storage=storage)
    assert await sweeper.sweep() == Swept(tasks=0, orphans=0)
    storage.path("results/a.png").rmdir()
    assert await sweeper.sweep() == Swept(tasks=1, orphans=0)
