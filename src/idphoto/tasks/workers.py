"""The signs of life of worker processes, for readiness checks and metrics."""

from __future__ import annotations

import time

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.database import reader
from idphoto.tasks import tables

_FORGET_S = 24 * 3600.0
_ROW = tables.worker.c


class WorkerRegistry:
    """A row for each worker process, with the time of its last beat."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reader = reader(engine)

    async def beat(self, worker_id: str) -> None:
        """Note that a worker is alive now."""
        now = time.time()
        async with self._engine.begin() as conn:
            result = await conn.execute(update(tables.worker).where(_ROW.id == worker_id).values(seen_at=now))
            if result.rowcount == 0:
                # Its first beat is the moment to forget those that were killed and could not say goodbye.
                await conn.execute(delete(tables.worker).where(_ROW.seen_at < now - _FORGET_S))
                await conn.execute(insert(tables.worker).values(id=worker_id, seen_at=now))

    async def remove(self, worker_id: str) -> None:
        """Note that a worker has stopped."""
        async with self._engine.begin() as conn:
            await conn.execute(delete(tables.worker).where(_ROW.id == worker_id))

    async def count_alive(self, within_s: float) -> int:
        """Count the workers whose last beat is at most ``within_s`` seconds old."""
        query = select(func.count()).where(_ROW.seen_at >= time.time() - within_s)
        async with self._reader.begin() as conn:
            return (await conn.execute(query)).scalar_one()
