"""Deletes what nobody may see any more, and what crashes left behind."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog

from idphoto.storage import LocalStorage, Prefix, StorageError
from idphoto.tasks.model import Task
from idphoto.tasks.store import TaskStore

#: An upload is on the disk before its task, and a result before its task knows: both for far less than this.
ORPHAN_AGE_S = 3600.0
#: Looking for orphans reads whole folders.
_ORPHANS_EVERY_S = 600.0
_EXPIRED_AT_ONCE = 1000
_PREFIXES: tuple[Prefix, ...] = ("sources", "results", "cutouts", "partial")


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What a sweep deleted."""

    tasks: int
    orphans: int
    """Files that belonged to no task."""


class Sweeper:
    """Run :meth:`sweep` from time to time, in one process."""

    def __init__(self, *, store: TaskStore, storage: LocalStorage) -> None:
        self._store = store
        self._storage = storage
        self._orphans_due_at = time.monotonic()
        self._log = structlog.get_logger(__name__)

    async def sweep(self) -> Swept:
        """Delete expired tasks with their files and, every ten minutes, files older than an hour without a task."""
        tasks = 0
        for task in await self._store.list_expired(_EXPIRED_AT_ONCE):
            tasks += await self._remove(task)
        orphans = 0
        if time.monotonic() >= self._orphans_due_at:
            self._orphans_due_at = time.monotonic() + _ORPHANS_EVERY_S
            for prefix in _PREFIXES:
                orphans += await self._sweep_orphans(prefix)
        return Swept(tasks=tasks, orphans=orphans)

    async def _remove(self, task: Task) -> bool:
        """Delete the files first: the row is all that leads to them."""
        try:
            for key in task.keys:
                await self._storage.delete(key)
        except StorageError:
            self._log.warning("files_not_deleted", task_id=task.id)
            return False
        await self._store.remove(task.id)
        return True

    async def _sweep_orphans(self, prefix: Prefix) -> int:
        deleted = 0
        try:
            for key in await self._storage.list_older_than(prefix, ORPHAN_AGE_S):
                if not await self._store.is_referenced(key):
                    await self._storage.delete(key)
                    deleted += 1
        except StorageError:
            self._log.warning("orphans_not_deleted", prefix=prefix)
        return deleted
