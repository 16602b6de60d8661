"""What clients, watcher and receiver have seen, and every promise that was broken before their eyes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from chaos.plan import Order, Wish


@dataclass
class Seen:
    """An acknowledged task. Its ``data`` is the object of that name on the wire."""

    order: Order
    task_id: str
    wish: Wish
    """As it was sent in the end."""
    end: dict[str, Any] | None = None
    """What was first told after its end."""
    end_at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Call:
    """A callback that arrived, whatever the receiver answered."""

    message_id: str
    body: bytes
    is_signed: bool
    is_taken: bool
    """The receiver answered 200."""


@dataclass
class Ledger:
    """Shared by all threads of a run."""

    tasks: dict[int, Seen] = field(default_factory=dict)
    """By number of their order."""
    calls: dict[str, list[Call]] = field(default_factory=dict)
    """By task id."""
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def count(self, what: str) -> None:
        """Count an event."""
        with self.lock:
            self.counts[what] += 1

    def note_longest(self, what: str, seconds: float) -> None:
        """Keep the longest of several times, in milliseconds."""
        with self.lock:
            self.counts[what] = max(self.counts[what], round(seconds * 1000))

    def accuse(self, promise: str) -> None:
        """Note a broken promise."""
        with self.lock:
            self.broken.append(promise)
        print(f"  BROKEN  {promise}", flush=True)

    def acknowledge(self, order: Order, wish: Wish, data: dict[str, Any], *, asked_at: float) -> None:
        """Note the answer to a create call, the first one or a repeat."""
        with self.lock:
            seen = self.tasks.setdefault(order.number, Seen(order=order, task_id=data["task_id"], wish=wish))
            if seen.task_id != data["task_id"]:
                self.accuse(f"order {order.number}: a repeat made a second task, {data['task_id']}")
                return
        self.tell(seen, data, asked_at=asked_at)

    def tell(self, seen: Seen, data: dict[str, Any], *, asked_at: float) -> None:
        """Compare what was told about a task with what was told before.

        Args:
            asked_at: when the question was put; an old answer may come in late.
        """
        has_ended = data["state"] == 1 or data["state"] < 0
        with self.lock:
            if seen.end is None:
                if has_ended:
                    seen.end, seen.end_at = data, time.monotonic()
            elif has_ended and data != seen.end:
                self.accuse(f"task {seen.task_id} changed after its end: {seen.end} became {data}")
            elif not has_ended and asked_at > seen.end_at:
                self.accuse(f"task {seen.task_id} had ended and went back to state {data['state']}")

    def receive(self, task_id: str, call: Call) -> None:
        """Note a callback."""
        with self.lock:
            self.calls.setdefault(task_id, []).append(call)

    def list_tasks(self) -> list[Seen]:
        """Return all tasks, as a copy that other threads do not change."""
        with self.lock:
            return list(self.tasks.values())

    def find(self, number: int) -> Seen | None:
        """Return the task of an order."""
        with self.lock:
            return self.tasks.get(number)
