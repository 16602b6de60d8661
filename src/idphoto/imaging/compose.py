"""Where the head goes on the canvas: scale, position and roll of one crop.

The crop is found by search, not by a formula: a spec may bind head height, margins, eye line and face width at
once, and the photo may end too early on any side. Every wish is a cost, the cheapest candidate wins, and what
could not be met is reported. Nothing is ever invented: where the photo itself cuts the body, the cut is moved
out of the frame, or stays visible with a notice.

In the order of their weight:

1. the head fits into the canvas at all;
2. the ranges that a document sets, and that the body reaches the photo's bottom edge: ranges yield only to a
   wide gap, our own usual ranges yield sooner;
3. no cut shoulder beside the body, hair inside the frame, upright, centred;
4. the targets inside the ranges.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.portrait import Notice, Point, Portrait
from idphoto.specs import Range, Spec

Matrix = NDArray[np.float64]
_Values = NDArray[np.float32]

# Beyond this the landmarks are too unsure, below it turning would blur for nothing anyone sees; degrees.
_MAX_ROLL = 35.0
_MIN_ROLL = 1.0
# A turn that is worth telling about; degrees.
_NOTED_ROLL = 2.0

# The head with ears and hair is about this much wider than the face between the mesh's cheek points.
_HEAD_PER_FACE = 1.3

# Costs. A range left by 1 % of the side costs 1, growing with the square; documents count fourfold.
_RANGE_UNIT = 0.01
_DOCUMENT_WEIGHT = 4.0
# Cut edges cost by their distance inside the frame as a fraction of its side: linear, so that the optimum
# hides them wholly instead of almost.
_BOTTOM_CUT = 3000.0
_TOP_CUT = 400.0
_SIDE_CUT = 250.0
_HEAD_TOO_WIDE = 2e5
_HAIR_OUTSIDE = 2e3
_OFF_CENTRE = 2e4
_LEFT_OVER_ROLL = 0.25  # per degree squared

# A cut is hidden when it lies this many output pixels outside the frame, clear of interpolation.
_CLEARANCE_PX = 0.5
# What may stay unmet without a notice, as a fraction of the side.
_TOLERANCE = 0.005

_BORDER_SAMPLES = 32
_SHIFTS: _Values = np.linspace(-0.03, 0.03, 5, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Framing:
    """How the source is laid on the canvas."""

    matrix: Matrix
    """(2, 3): source coordinates to output coordinates, both with (0, 0) at the picture's corner."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    scale: float
    """Output pixels per source pixel."""
    warnings: tuple[Notice, ...] = ()


def frame_whole(portrait: Portrait) -> Framing:
    """Keep the source's own canvas, pixel for pixel."""
    height, width = portrait.alpha.shape
    return Framing(matrix=np.eye(2, 3), width=width, height=height, scale=1.0)


def frame(portrait: Portrait, spec: Spec) -> Framing:
    """Find the crop that serves the spec best.

    The head's roll is taken out (up to 35 degrees) unless that would pull a cut edge of the body into the frame.
    The result always exists; its warnings say what it could not meet: ``OUT_OF_RANGE``, ``SHOULDERS_CUT``, and
    further ``UPSCALED`` and ``ROLL_CORRECTED``.
    """
    roll = portrait.head.roll
    upright = float(np.clip(roll, -_MAX_ROLL, _MAX_ROLL)) if abs(roll) >= _MIN_ROLL else 0.0
    best = _Search(portrait, spec, upright).solve()
    if upright and best.cut > _TOLERANCE:
        others = [_Search(portrait, spec, turn).solve() for turn in (upright / 2, 0.0)]
        best = min([best, *others], key=lambda found: found.cost)
    return Framing(
        matrix=best.matrix,
        width=spec.width,
        height=spec.height,
        scale=best.scale,
        warnings=tuple(_list_warnings(best)),
    )


@dataclass(frozen=True, kw_only=True)
class _Found:
    matrix: Matrix
    scale: float
    turn: float
    cost: float
    cut: float
    """How far the deepest cut edge at the bottom or a side reaches into the frame, as a fraction of its side."""
    excess: float
    """By how much the worst range is left, as a fraction of the side."""


def _list_warnings(found: _Found) -> list[Notice]:
    notices = []
    if abs(found.turn) > _NOTED_ROLL:
        notices.append(Notice.ROLL_CORRECTED)
    if found.scale > 1:
        notices.append(Notice.UPSCALED)
    if found.cut > _TOLERANCE:
        notices.append(Notice.SHOULDERS_CUT)
    if found.excess > _TOLERANCE:
        notices.append(Notice.OUT_OF_RANGE)
    return notices


@dataclass(frozen=True, kw_only=True)
class _Grid:
    """Candidates: all combinations, laid along three axes so that a cost broadcasts over those it depends on."""

    scales: _Values
    """(S, 1, 1)"""
    tops: _Values
    """(1, T, 1): the crown's place below the frame's top edge, in pixels."""
    shifts: _Values
    """(1, 1, X): the head axis' place right of the frame's centre line, in pixels."""


class _Search:
    """The search for one roll: the source is turned first, so that every candidate is a scale and a shift."""

    def __init__(self, portrait: Portrait, spec: Spec, turn: float) -> None:
        self._spec = spec
        self._turn = turn
        self._left_over = portrait.head.roll - turn
        cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        self._rotation = np.array([[cosine, sine], [-sine, cosine]])
        head = portrait.head
        self._chin, self._crown, self._eyes, self._hair = (
            self._rotate(point) for point in (head.chin, head.crown, head.eye_middle, head.hair_top)
        )
        # At least a pixel, so that nonsense measures cannot stop the search.
        self._head_height = max(1.0, self._chin[1] - self._crown[1])
        self._face_width = max(1.0, head.face_width)
        # Eyes alone sit off the head's middle when the face is turned, the chin when it is tilted.
        self._axis = (self._eyes[0] + self._chin[0]) / 2
        self._bottom, self._top, self._sides = self._find_cuts(portrait)

    def _rotate(self, point: Point) -> Point:
        x, y = self._rotation @ point
        return float(x), float(y)

    def _find_cuts(self, portrait: Portrait) -> tuple[_Values, _Values, _Values]:
        """Return the points (N, 2) where the photo's bottom, top and side edges cut the person, turned."""
        person = portrait.alpha > 127
        height, width = person.shape

        def along(edge: NDArray[np.bool_]) -> NDArray[np.float64]:
            places = np.flatnonzero(edge)
            step = max(1, len(edge) // _BORDER_SAMPLES)
            # Evenly spaced, and both ends of what is cut.
            return np.unique(np.concatenate([places[places % step == 0], places[:1], places[-1:]])) + 0.5

        def turn(x: NDArray[np.float64] | float, y: NDArray[np.float64] | float) -> _Values:
            points = np.stack(np.broadcast_arrays(x, y), axis=-1).reshape(-1, 2)
            turned: _Values = (points @ self._rotation.T).astype(np.float32)
            return turned

        sides = [turn(0.0, along(person[:, 0])), turn(float(width), along(person[:, -1]))]
        return turn(along(person[-1]), float(height)), turn(along(person[0]), 0.0), np.concatenate(sides)

    def solve(self) -> _Found:
        spec, placement = self._spec, self._spec.placement
        wanted = placement.head_height.target * spec.height / self._head_height
        widest = spec.width / (_HEAD_PER_FACE * self._face_width)
        small, large = 0.6 * min(wanted, widest), 1.8 * wanted
        scales = np.geomspace(small, large, 32)
        tops = np.linspace(-0.1, 1.0, 45) * spec.height
        grid, costs = self._cost(scales, tops)
        # Twice more around the best: to a thousandth of the head height, far below a pixel in the end.
        for _ in range(2):
            row, column, _shift = np.unravel_index(int(costs.argmin()), costs.shape)
            scales = np.geomspace(scales[max(0, row - 1)], scales[min(len(scales) - 1, row + 1)], 15)
            tops = np.linspace(tops[max(0, column - 1)], tops[min(len(tops) - 1, column + 1)], 15)
            grid, costs = self._cost(scales, tops)
        row, column, shift = np.unravel_index(int(costs.argmin()), costs.shape)
        chosen = _Grid(
            scales=grid.scales[row : row + 1],
            tops=grid.tops[:, column : column + 1],
            shifts=grid.shifts[:, :, shift : shift + 1],
        )
        return self._describe(chosen, float(costs.min()))

    def _describe(self, chosen: _Grid, cost: float) -> _Found:
        scale = chosen.scales.item()
        offset = [
            self._spec.width / 2 + chosen.shifts.item() - scale * self._axis,
            chosen.tops.item() - scale * self._crown[1],
        ]
        excess = max(value_range_excess(value, limits) for value, limits, _ in self._measure(chosen))
        cut = max(self._intrusion(points, chosen).item() for points in (self._bottom, self._sides))
        return _Found(
            matrix=np.column_stack([scale * self._rotation, offset]),
            scale=scale,
            turn=self._turn,
            cost=cost + _LEFT_OVER_ROLL * self._left_over**2,
            cut=cut,
            excess=excess,
        )
