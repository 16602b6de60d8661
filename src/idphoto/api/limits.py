"""How many tasks a key may make: in a second, at once, in a day."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from idphoto.api.errors import RateExceeded
from idphoto.keys import Caller
from idphoto.settings import Settings
from idphoto.tasks.admission import Room


class CallerLimits:
    """The limits of every caller: the key's own, else the settings'.

    Create calls are counted by key in a moving window, in the memory of this process. Polls never come here.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._window = MovingWindowRateLimiter(MemoryStorage())

    async def hit(self, caller: Caller) -> None:
        """Count a create call.

        Raises:
            RateExceeded: the key is over its rate.
        """
        rate = _make_rate(caller.limits.rate_per_s or self._settings.rate_per_s)
        if not await self._window.hit(rate, caller.owner):
            stats = await self._window.get_window_stats(rate, caller.owner)
            raise RateExceeded(retry_after_s=stats.reset_time - time.time())

    def get_room(self, caller: Caller) -> Room:
        """Return how many tasks there may be when this caller makes one."""
        per_day = caller.limits.per_day
        if per_day is None:
            per_day = self._settings.key_per_day
        return Room(
            queue=self._settings.queue_limit,
            at_once=caller.limits.at_once or self._settings.key_at_once,
            today=per_day or None,
        )


def _make_rate(per_s: float) -> RateLimitItem:
    """Calls in a second: whole above 1, and below 1 one call in 1/rate seconds."""
    return RateLimitItemPerSecond(int(per_s)) if per_s >= 1 else RateLimitItemPerSecond(1, math.ceil(1 / per_s))
