"""How fast a key may make tasks, and how many may wait."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from idphoto.api.errors import QueueFull, RateExceeded
from idphoto.tasks.store import TaskStore

#: A worker needs about this long for a photo, so a full queue has room again after it.
QUEUE_RETRY_S = 2


class CreateLimiter:
    """Counts create calls by key in a moving window, in the memory of this process. Polls never come here."""

    def __init__(self, *, rate_per_s: float, queue_limit: int) -> None:
        """Take the limits.

        Args:
            rate_per_s: create calls of a key in a second; whole above 1, and below 1 one call in 1/rate seconds.
            queue_limit: unfinished tasks of all keys beyond which new ones are refused.
        """
        self._rate = (
            RateLimitItemPerSecond(int(rate_per_s))
            if rate_per_s >= 1
            else RateLimitItemPerSecond(1, math.ceil(1 / rate_per_s))
        )
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._queue_limit = queue_limit

    async def admit(self, owner: str, store: TaskStore) -> None:
        """Count a create call of that key.

        Raises:
            RateExceeded: the key is over its rate.
            QueueFull: too many tasks are unfinished.
        """
        if not await self._window.hit(self._rate, owner):
            stats = await self._window.get_window_stats(self._rate, owner)
            raise RateExceeded(retry_after_s=stats.reset_time - time.time())
        if await store.count_unfinished() >= self._queue_limit:
            raise QueueFull(retry_after_s=QUEUE_RETRY_S)
