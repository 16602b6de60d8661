"""The log of callback deliveries: one row for every try."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import insert, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.database import reader
from idphoto.tasks import tables


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One try. Times are Unix seconds."""

    webhook_id: str
    """The same for all tries of a callback; receivers know repeats by it."""
    task_id: str
    attempt: int
    """1 for the first try."""
    at: float
    status: int | None = None
    """HTTP status of the answer; None without one."""
    error: str | None = None
    """Why there was no answer."""
    next_try_at: float | None = None
    """None: delivered or given up."""


class DeliveryLog:
    """Reads and writes the log. Its rows are deleted with their task."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reader = reader(engine)

    async def record_delivery(self, delivery: Delivery) -> None:
        """Store a try; nothing when the task was deleted meanwhile."""
        values = asdict(delivery)
        row = select(*(literal(value) for value in values.values())).where(
            select(tables.task.c.id).where(tables.task.c.id == delivery.task_id).exists()
        )
        async with self._engine.begin() as conn:
            await conn.execute(insert(tables.delivery).from_select(list(values), row))

    async def list_deliveries(self, task_id: str) -> list[Delivery]:
        """Return a task's tries, oldest first."""
        columns = [column for column in tables.delivery.c if column.name != "id"]
        query = select(*columns).where(tables.delivery.c.task_id == task_id).order_by(tables.delivery.c.id)
        async with self._reader.begin() as conn:
            return [Delivery(**row._mapping) for row in await conn.execute(query)]
