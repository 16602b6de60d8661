"""Whether there is room for another task: in the queue, for its owner now, and for its owner today.

::

    NoRoom               a stable code, and when to try again
    ├── QueueFull        queue_full
    ├── TooManyAtOnce    too_many_unfinished
    └── QuotaUsedUp      quota_used_up
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from idphoto.tasks import tables
from idphoto.tasks.model import UNFINISHED

#: A worker needs about this long for a photo, so what is full has room again after it.
_RETRY_S = 2.0
_DAY_S = 86_400
#: Counts of former days are kept for the curious, and then forgotten.
_KEPT_DAYS = 40
_TASK = tables.task.c
_USAGE = tables.usage.c


@dataclass(frozen=True, kw_only=True)
class Room:
    """How many tasks there may be, the new one included."""

    queue: int
    """Unfinished tasks of all owners."""
    at_once: int
    """Unfinished tasks of the owner."""
    today: int | None
    """Tasks of the owner since midnight UTC, finished or not; None: any number."""


class NoRoom(Exception):
    """There is no room for the task now."""

    code: ClassVar[str]

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(self.__doc__)
        self.retry_after_s = retry_after_s


class QueueFull(NoRoom):
    """Too many tasks are waiting already: try again later."""

    code = "queue_full"


class TooManyAtOnce(NoRoom):
    """This key has as many unfinished tasks as it may have: try again when one has ended."""

    code = "too_many_unfinished"


class QuotaUsedUp(NoRoom):
    """This key has made as many tasks today as it may: try again after midnight UTC."""

    code = "quota_used_up"


async def check(conn: AsyncConnection, owner: str, room: Room) -> None:
    """Look whether one more task of that owner fits.

    Raises:
        NoRoom: it does not.
    """
    now = time.time()
    unfinished = select(func.count()).where(_TASK.state.in_(UNFINISHED))
    made_today = select(_USAGE.tasks).where(_USAGE.owner == owner, _USAGE.day == get_day(now))
    query = select(
        unfinished.scalar_subquery(),
        unfinished.where(_TASK.owner == owner).scalar_subquery(),
        made_today.scalar_subquery(),
    )
    in_queue, at_once, today = (await conn.execute(query)).one()
    if room.today is not None and (today or 0) >= room.today:
        raise QuotaUsedUp(_DAY_S - now % _DAY_S)
    if at_once >= room.at_once:
        raise TooManyAtOnce(_RETRY_S)
    if in_queue >= room.queue:
        raise QueueFull(_RETRY_S)


async def count(conn: AsyncConnection, owner: str) -> None:
    """Count a task of that owner for today."""
    today = get_day(time.time())
    query = update(tables.usage).where(_USAGE.owner == owner, _USAGE.day == today).values(tasks=_USAGE.tasks + 1)
    if (await conn.execute(query)).rowcount == 0:
        await conn.execute(delete(tables.usage).where(_USAGE.day < today - _KEPT_DAYS))
        await conn.execute(insert(tables.usage).values(owner=owner, day=today, tasks=1))


def get_day(moment: float) -> int:
    """Return the number of the UTC day since 1970."""
    return int(moment // _DAY_S)
