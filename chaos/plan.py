"""What is going to happen, drawn from a seed: the tasks, and before which of them which fault begins."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from chaos.photos import ABSENT, BAD, GOOD

Item = TypeVar("Item")

#: Seconds without a sign of life after which a job is run again; faults are timed by it.
LEASE_S = 2.0
RECIPES: dict[str, dict[str, str]] = {
    "jpeg": {"size": "295x413", "format": "jpg", "bg_color": "438EDB"},
    "png": {"size": "300x400", "format": "png"},
    "sheet": {"size": "295x413", "format": "jpg", "bg_color": "FFFFFF", "layout": "6inch"},
}
#: A `last_id` call takes the portrait of a task that is this much older, so that it has probably ended.
_AGE_OF_BASE = 8
_TASKS_BETWEEN_FAULTS = 7


class Way(StrEnum):
    """How the photo gets to the server."""

    UPLOAD = "upload"
    URL = "image_url"
    AGAIN = "last_id"


class Fault(StrEnum):
    """What is done to the server."""

    WORKER = "worker killed"
    API = "API killed"
    CHILDREN = "all children killed"
    TREE = "whole tree killed"
    RESTART = "stopped by SIGTERM, started again"
    FREEZE = "worker frozen past its lease"
    DISK = "disk full"


class Mood(StrEnum):
    """What the receiver of callbacks does with a call."""

    WELL = "answers 200"
    FAILS = "answers 500"
    HANGS = "hangs"
    DROPS = "drops the connection"
    AWAY = "is away"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What decides a result's bytes."""

    photo: str
    recipe: str
    again: bool = False
    """Rendered again from an earlier task's cut-out."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """One task."""

    number: int
    wish: Wish
    way: Way
    sync: bool
    repeat: bool
    """The client sends it once more after it was acknowledged, as if the answer had been lost."""
    base: int | None = None
    """Number of the order whose portrait is used again."""


@dataclass(frozen=True, kw_only=True)
class ServerFault:
    """Something that happens to the server when the client comes to an order."""

    before: int
    fault: Fault
    seconds: float
    """How long it lasts, if it is a state and not a moment."""
    choice: float
    """0 to 1: which of several processes it hits."""


@dataclass(frozen=True, kw_only=True)
class ReceiverFault:
    """A phase of the receiver that begins when the client comes to an order."""

    before: int
    mood: Mood
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The whole run. The same seed and number of tasks give the same plan."""

    orders: tuple[Order, ...]
    server_faults: tuple[ServerFault, ...]
    receiver_faults: tuple[ReceiverFault, ...]

    @property
    def wishes(self) -> list[Wish]:
        """Return every wish once, with the one that a client falls back on when a portrait cannot be used again."""
        wishes = {order.wish for order in self.orders}
        wishes |= {Wish(photo=wish.photo, recipe=wish.recipe) for wish in wishes}
        return sorted(wishes, key=lambda wish: (wish.again, wish.photo, wish.recipe))


def make_plan(tasks: int, seed: int) -> Plan:
    """Draw a plan."""
    # Repeatable on purpose; nothing here is a secret.
    dice = random.Random(seed)
    orders: list[Order] = []
    for number in range(tasks):
        orders.append(_draw_order(dice, number, orders))
    # The worker is what dies most: it runs native code over files of strangers.
    deck = [Fault.WORKER, *Fault]
    gap = min(_TASKS_BETWEEN_FAULTS, tasks / (len(deck) + 1))
    server_faults = [
        ServerFault(before=before, fault=fault, seconds=dice.uniform(1.5, 2.5) * LEASE_S, choice=dice.random())
        for before, fault in _deal(dice, deck, tasks, gap)
    ]
    moods = [mood for mood in Mood if mood is not Mood.WELL]
    receiver_gap = min(2.0 * _TASKS_BETWEEN_FAULTS, tasks / (len(moods) + 1))
    receiver_faults = [
        ReceiverFault(before=before, mood=mood, seconds=dice.uniform(1.0, 4.0))
        for before, mood in _deal(dice, moods, tasks, receiver_gap)
    ]
    return Plan(orders=tuple(orders), server_faults=tuple(server_faults), receiver_faults=tuple(receiver_faults))


def _deal(dice: random.Random, deck: Sequence[Item], tasks: int, gap: float) -> Iterator[tuple[int, Item]]:
    """Yield the cards of shuffled decks, each kind once in a while, with the orders before which they are dealt."""
    cards: list[Item] = []
    moment = gap
    while moment < tasks:
        if not cards:
            cards = dice.sample(list(deck), len(deck))
        yield min(tasks - 1, int(moment + dice.uniform(-0.3, 0.3) * gap)), cards.pop()
        moment += gap


def _draw_order(dice: random.Random, number: int, earlier: Sequence[Order]) -> Order:
    sync, repeat = dice.random() < 0.2, dice.random() < 0.15
    recipe = dice.choice(list(RECIPES))
    if dice.random() < 0.12:
        photo = dice.choice([*BAD, ABSENT])
        way = Way.URL if photo == ABSENT else dice.choice([Way.UPLOAD, Way.URL])
        wish = Wish(photo=photo, recipe="jpeg")
        return Order(number=number, wish=wish, way=way, sync=sync, repeat=repeat)
    bases = [order for order in earlier[: max(0, number - _AGE_OF_BASE)] if order.wish.photo in GOOD]
    if bases and dice.random() < 0.2:
        base = dice.choice(bases)
        wish = Wish(photo=base.wish.photo, recipe=recipe, again=True)
        return Order(number=number, wish=wish, way=Way.AGAIN, sync=sync, repeat=repeat, base=base.number)
    way = Way.URL if dice.random() < 0.3 else Way.UPLOAD
    wish = Wish(photo=dice.choice(GOOD), recipe=recipe)
    return Order(number=number, wish=wish, way=way, sync=sync, repeat=repeat)
