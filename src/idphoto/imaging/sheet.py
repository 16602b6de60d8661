"""Where photos go on a sheet of print paper: pure geometry, in millimetres.

Photos stand on shelves, straight strips from one side of the paper to the other. A shelf is as deep as its first
kind of photo, and may end in columns of one more kind: every sheet can be cut with a straight cutter, first between
the shelves, then across each, then within a column. Dynamic programming finds, for every combination of counts, the
shallowest stack of shelves that holds it; with many sizes only the densest stacks are followed.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import add, mul

# What a sheet takes at most: photos, and different sizes of them.
MAX_PHOTOS = 500
MAX_SIZES = 8
# Photos that the paper has room for, by area, for each size beside the first.
_QUICK = 100

# Sums of millimetres in floating point may miss an exact fit by this much.
_EXACT = 1e-6
# Shelves tried in one round; bounds the time for many sizes. Two usual sizes on A4 need fewer.
_MOST_TRIALS = 4_000


class DoesNotFit(ValueError):
    """The photos asked for do not fit on the paper; the message says how many would."""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A sheet of print paper."""

    name: str
    width_mm: float
    height_mm: float

    @classmethod
    def custom(cls, width_mm: float, height_mm: float) -> Paper:
        """Make a paper of any size.

        Raises:
            ValueError: a side is not within 30 to 1200 mm.
        """
        if not (30 <= width_mm <= 1200 and 30 <= height_mm <= 1200):
            raise ValueError("Each side of the paper must be 30 to 1200 mm.")
        return cls(name=f"{width_mm:g}x{height_mm:g}", width_mm=width_mm, height_mm=height_mm)


PAPERS: Mapping[str, Paper] = {
    "5inch": Paper(name="5inch", width_mm=89, height_mm=127),
    "6inch": Paper(name="6inch", width_mm=102, height_mm=152),
    "a4": Paper(name="a4", width_mm=210, height_mm=297),
    "a5": Paper(name="a5", width_mm=148, height_mm=210),
    "3r": Paper(name="3r", width_mm=89, height_mm=127),
    "4r": Paper(name="4r", width_mm=102, height_mm=152),
    "letter": Paper(name="letter", width_mm=215.9, height_mm=279.4),
}
"""By name, portrait."""


def parse_paper(text: str) -> Paper:
    """Read a paper's name ("6inch", "6 寸", "A4") or its size in mm ("100x150").

    Raises:
        ValueError: it is neither, or a side is not within 30 to 1200 mm.
    """
    word = re.sub("英?寸", "inch", re.sub(r"\s", "", text.lower()))
    if word in PAPERS:
        return PAPERS[word]
    size = re.fullmatch(r"([0-9]{1,4}(?:\.[0-9]{1,3})?)[x×*]([0-9]{1,4}(?:\.[0-9]{1,3})?)(?:mm)?", word)
    if size is None:
        raise ValueError(f"The paper must be one of {', '.join(PAPERS)}, or WIDTHxHEIGHT in mm such as 100x150.")
    return Paper.custom(float(size[1]), float(size[2]))


@dataclass(frozen=True, kw_only=True)
class Item:
    """One picture that is wanted on the sheet."""

    width_mm: float
    height_mm: float
    copies: int | None = None
    """None: as many as fit beside the others; several such items share the room evenly."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one photo lies; the origin is the paper's top left corner."""

    item: int
    """Index of the item."""
    x_mm: float
    y_mm: float
    width_mm: float
    """As it lies: a turned photo's width is its item's height."""
    height_mm: float
    turned: bool
    """By 90 degrees clockwise."""


@dataclass(frozen=True, kw_only=True)
class SheetPlan:
    """A paper with the places of all photos on it."""

    paper: Paper
    """Landscape (width above height) where the plan wants it so."""
    places: tuple[Place, ...]
    """From top to bottom, then from left to right."""


@dataclass(frozen=True, kw_only=True)
class _Size:
    """All items of the same measures: to the packing they are one."""

    width: float
    height: float
    needed: tuple[int, ...]
    """The item of each photo that must be there: all copies asked for, or one."""
    free: tuple[int, ...]
    """The items without a number of copies."""


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A size that lies one way, with its sides along and across the shelf."""

    size: int
    along: float
    deep: float
    turned: bool


@dataclass(frozen=True, kw_only=True)
class _Shelf:
    columns: tuple[tuple[_Kind, int], ...]
    """Kind and number of photos one behind the other; the first column makes the depth."""
    gains: tuple[int, ...]
    """Photos of each size."""
    along: float
    deep: float


@dataclass(frozen=True, kw_only=True)
class _Stack:
    counts: tuple[int, ...]
    """Photos of each size, no more than are wanted: shelves may stay partly empty."""
    shelves: tuple[_Shelf, ...] = ()
    along: float = 0.0
    deep: float = 0.0
    """Of all shelves, with the spacing after each."""


def plan_sheet(paper: Paper, items: Sequence[Item], *, margin_mm: float = 3.0, spacing_mm: float = 2.0) -> SheetPlan:
    """Find the places for the photos.

    All copies asked for by number are there. Items without a number get as many as fit, first evenly, then whatever
    still has room. Of equally good plans, one with upright photos is preferred, then one on portrait paper. The block
    of photos is centred; photos keep ``margin_mm`` from the paper's edges and ``spacing_mm`` from each other.

    Raises:
        DoesNotFit: not all copies, or not one photo of each item, have room.
        ValueError: no item, a measure or number that is no such, over 500 photos or over 8 different sizes.
    """
    return _plan(paper, tuple(items), margin_mm, spacing_mm)


def is_quick(paper: Paper, items: Sequence[Item]) -> bool:
    """Tell whether :func:`plan_sheet` takes less than about a quarter of a second, and not seconds.

    That is so for one size, and for several of which few have room: measured with up to three sizes on up to 1.2 m.
    """
    sizes = {(item.width_mm, item.height_mm) for item in items}
    smallest = min(width * height for width, height in sizes)
    return len(sizes) == 1 or paper.width_mm * paper.height_mm * (len(sizes) - 1) < _QUICK * smallest


# A shop prints the same few sheets all day, and each is planned twice: to accept the task and to draw it.
@lru_cache(maxsize=64)
def _plan(paper: Paper, items: tuple[Item, ...], margin_mm: float, spacing_mm: float) -> SheetPlan:
    if not (0 <= margin_mm < math.inf and 0 <= spacing_mm < math.inf):
        raise ValueError("Margin and spacing must be 0 mm or more.")
    sizes = _group(items)
    short, long = sorted((paper.width_mm, paper.height_mm))
    sheets = [replace(paper, width_mm=width, height_mm=height) for width, height in ((short, long), (long, short))]
    found = []
    for turning, sheet, down in itertools.product((False, True), sheets, (False, True)):
        room = [side - 2 * margin_mm for side in (sheet.width_mm, sheet.height_mm)]
        stack = _pack(sizes, _list_kinds(sizes, turning=turning, down=down), room[down], room[not down], spacing_mm)
        plan = SheetPlan(paper=sheet, places=_lay(stack, sizes, sheet, spacing_mm, down=down))
        merit = (*_rate(sizes, stack.counts), -sum(place.turned for place in plan.places))
        found.append((merit, stack.counts, plan))
    # The first of equal ones: upright before turned, portrait before landscape.
    _, counts, plan = max(found, key=lambda candidate: candidate[0])
    fits = [(min(count, len(size.needed)), size) for size, count in zip(sizes, counts, strict=True)]
    if any(count < len(size.needed) for count, size in fits):
        named = [f"{count} of {len(size.needed)} of {size.width:g}x{size.height:g} mm" for count, size in fits]
        raise DoesNotFit(f"Too much for paper of {short:g}x{long:g} mm; these photos would fit: {', '.join(named)}.")
    return plan


def _group(items: Sequence[Item]) -> list[_Size]:
    groups: dict[tuple[float, float], list[int]] = {}
    for index, item in enumerate(items):
        copies = 1 if item.copies is None else item.copies
        if not all(0 < value < math.inf for value in (item.width_mm, item.height_mm, copies)):
            raise ValueError("A photo must be wider and higher than 0 mm and have at least 1 copy.")
        groups.setdefault((item.width_mm, item.height_mm), []).append(index)
    if not 1 <= len(groups) <= MAX_SIZES or sum(item.copies or 1 for item in items) > MAX_PHOTOS:
        raise ValueError(f"A sheet takes 1 to {MAX_PHOTOS} photos of at most {MAX_SIZES} different sizes.")
    sizes = []
    for (width, height), group in groups.items():
        needed = tuple(index for index in group for _ in range(items[index].copies or 1))
        free = tuple(index for index in group if items[index].copies is None)
        sizes.append(_Size(width=width, height=height, needed=needed, free=free))
    return sizes


def _rate(sizes: Sequence[_Size], counts: Sequence[int]) -> tuple[int, int, int]:
    """Rate counts of photos: first what is needed, then the smallest share of an item without a number, then all."""
    pairs = list(zip(sizes, counts, strict=True))
    needed = sum(min(len(size.needed), count) for size, count in pairs)
    even = min(((count - len(size.needed)) // len(size.free) for size, count in pairs if size.free), default=0)
    return needed, even, sum(counts)


def _list_kinds(sizes: Sequence[_Size], *, turning: bool, down: bool) -> list[_Kind]:
    """List the ways in which photos may lie on shelves that run across the paper or ``down``."""
    kinds = []
    for (index, size), turned in itertools.product(enumerate(sizes), (False, True) if turning else (False,)):
        along, deep = (size.width, size.height) if turned == down else (size.height, size.width)
        kinds.append(_Kind(size=index, along=along, deep=deep, turned=turned))
    return kinds


def _count(room: float, side: float, spacing: float) -> int:
    return min(MAX_PHOTOS, max(0, math.floor((room + spacing + _EXACT) / (side + spacing))))


def _list_shelves(kinds: Sequence[_Kind], sizes: int, length: float, spacing: float) -> list[_Shelf]:
    """List the shelves that fit the length; of those with the same photos and depth, the plainest."""
    shelves: dict[tuple[float, tuple[int, ...]], _Shelf] = {}
    for first, second in [*zip(kinds, kinds, strict=True), *itertools.permutations(kinds, 2)]:
        pile = _count(first.deep, second.deep, spacing) if second is not first else 0
        for count in range(1, _count(length, first.along, spacing) + 1):
            along = count * (first.along + spacing)
            more = _count(length - along, second.along, spacing) if pile else 0
            along += more * (second.along + spacing)
            gains = [0] * sizes
            gains[first.size] += count
            gains[second.size] += more * pile
            columns = ((first, 1),) * count + ((second, pile),) * more
            shelf = _Shelf(columns=columns, gains=tuple(gains), along=along, deep=first.deep)
            shelves.setdefault((shelf.deep, shelf.gains), shelf)
    return list(shelves.values())


def _pack(sizes: Sequence[_Size], kinds: Sequence[_Kind], length: float, depth: float, spacing: float) -> _Stack:
    """Find the stack of the best counts; of equal ones the shallowest, then the shortest."""
    shelves = _list_shelves(kinds, len(sizes), length, spacing)
    spare = MAX_PHOTOS - sum(len(size.needed) for size in sizes)
    limits = [len(size.needed) + spare * bool(size.free) for size in sizes]
    areas = [(size.width + spacing) * (size.height + spacing) for size in sizes]
    # A free item's even share of the room, beside what is needed: more is no merit of a stack.
    left = max(0.0, length * depth - sum(len(size.needed) * area for size, area in zip(sizes, areas, strict=True)))
    wanted = sum(len(size.free) * area for size, area in zip(sizes, areas, strict=True)) or 1.0
    share = min(left / wanted, spare / (sum(len(size.free) for size in sizes) or 1))
    shares = [len(size.needed) + share * len(size.free) for size in sizes]
    empty = _Stack(counts=(0,) * len(sizes))
    stacks, tops = {empty.counts: empty}, [empty]
    while tops:
        reached = set()
        for stack, shelf in itertools.product(tops, shelves):
            deep, along = stack.deep + shelf.deep + spacing, max(stack.along, shelf.along)
            if deep > depth + spacing + _EXACT:
                continue
            counts = tuple(map(min, map(add, stack.counts, shelf.gains), limits))
            known = stacks.get(counts)
            if (known is None and sum(counts) <= MAX_PHOTOS) or (known and (deep, along) < (known.deep, known.along)):
                stacks[counts] = _Stack(counts=counts, shelves=(*stack.shelves, shelf), along=along, deep=deep)
                reached.add(counts)
        fresh = [stacks[counts] for counts in reached]
        fresh.sort(key=lambda top: (sum(map(mul, map(min, top.counts, shares), areas)) / top.deep, top.counts))
        tops = fresh[-max(1, _MOST_TRIALS // max(1, len(shelves))) :]
    return max(stacks.values(), key=lambda stack: (_rate(sizes, stack.counts), -stack.deep))


def _lay(stack: _Stack, sizes: Sequence[_Size], paper: Paper, spacing: float, *, down: bool) -> tuple[Place, ...]:
    """Put the photos in the middle of the paper, the deepest and fullest shelves first."""
    left = list(stack.counts)
    laid: list[tuple[_Kind, tuple[float, float]]] = []
    deep = 0.0
    for shelf in sorted(stack.shelves, key=lambda shelf: (-shelf.deep, [-gain for gain in shelf.gains])):
        along = 0.0
        for kind, pile in shelf.columns:
            number = min(pile, left[kind.size])
            laid += [(kind, (along, deep + step * (kind.deep + spacing))) for step in range(number)]
            left[kind.size] -= number
            along += (kind.along + spacing) * bool(number)
        deep += shelf.deep + spacing
    places = []
    owners = []
    for size, count in zip(sizes, stack.counts, strict=True):
        rounds, rest = divmod(max(0, count - len(size.needed)), len(size.free) or 1)
        owners.append(iter(sorted([*size.needed, *size.free * rounds, *size.free[:rest]])))
    for kind, (along, deep) in sorted(laid, key=lambda photo: photo[1] if down else photo[1][::-1]):
        x, y, width, height = (deep, along, kind.deep, kind.along) if down else (along, deep, kind.along, kind.deep)
        item = next(owners[kind.size])
        places.append(Place(item=item, x_mm=x, y_mm=y, width_mm=width, height_mm=height, turned=kind.turned))
    right = (paper.width_mm - max((place.x_mm + place.width_mm for place in places), default=0.0)) / 2
    lower = (paper.height_mm - max((place.y_mm + place.height_mm for place in places), default=0.0)) / 2
    return tuple(replace(place, x_mm=place.x_mm + right, y_mm=place.y_mm + lower) for place in places)
