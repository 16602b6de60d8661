"""The search for the crop that serves a spec best.

A spec may bind head height, margins, eye line and face width at once, and the photo may end too early on any
side; no formula serves all of that. Every wish is a cost, and the cheapest candidate wins. In the order of their
weight:

1. the head lies wholly inside the canvas;
2. the body reaches the canvas' bottom edge; where the background is kept, the canvas lies inside the photo instead;
3. the ranges that a document sets, then our own usual ones;
4. upright; no cut shoulder beside the body; hair inside the canvas; centred;
5. the targets inside the ranges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.affine import Matrix
from idphoto.imaging.portrait import Alpha, Portrait
from idphoto.specs import Crown, Range, Spec

_Values = NDArray[np.float64]

# The head with ears and hair is about this much wider than the face between the mesh's cheek points.
_HEAD_PER_FACE = 1.3

# Costs. A range left by 1 % of the side costs 4: a step that only a cut at the bottom is worth, and a square that
# turns into a line at 10 %, so that an absurd canvas still gets the person's body down to its edge. Ranges of a
# document count fourfold.
_RANGE_UNIT = 0.01
_RANGE_STEP = 3.0
_RANGE_BEND = 10.0
_DOCUMENT_WEIGHT = 4.0
# Cut edges cost by their distance inside the frame as a fraction of its side: linear, so that the optimum
# hides them wholly instead of almost.
_BOTTOM_CUT = 1e4
_TOP_CUT = 400.0
_SIDE_CUT = 250.0
# A gap below the body is no better for being narrow; only its last end at the side counts less.
_GAP_NARROW = 10.0
_HEAD_TOO_WIDE = 2e5
_HEAD_OUTSIDE = 2e5
_HAIR_OUTSIDE = 800.0
# A canvas that reaches beyond the photo has no background there to keep; per height.
_BEYOND = 1e6
# Hair that touches the edge looks cut; a fraction of the height.
_HAIR_ROOM = 0.015
_OFF_CENTRE = 5e3
_LEFT_OVER_ROLL = 3.0  # per degree squared

# A cut is hidden when it lies this many output pixels outside the frame, clear of interpolation.
_CLEARANCE_PX = 0.5
#: What may stay unmet without a notice, as a fraction of the side.
TOLERANCE = 0.005

_BORDER_SAMPLES = 32
# Centred means within 3 % of the width; half a percent is left for how far landmarks wander.
_MAX_SHIFT = 0.025


@dataclass(frozen=True, kw_only=True)
class Found:
    """The best crop for one roll."""

    matrix: Matrix
    scale: float
    turn: float
    cost: float
    cut: float
    """How far the deepest cut edge of the photo reaches into the frame, as a fraction of its side."""
    head_outside: float
    """How far the head reaches out of the frame, as a fraction of its height."""
    hair_outside: float
    """How far hair reaches out of the frame above, likewise."""
    in_range: bool


@dataclass(frozen=True, kw_only=True)
class _Grid:
    """Candidates: all combinations, laid along three axes so that a cost broadcasts over those it depends on."""

    scales: _Values
    """(S, 1, 1): output pixels per source pixel."""
    tops: _Values
    """(1, T, 1): the crown's place below the frame's top edge, in pixels."""
    shifts: _Values
    """(1, 1, X): the head axis' place right of the frame's centre line, in pixels."""

    @classmethod
    def of(cls, scales: _Values, tops: _Values, shifts: _Values) -> _Grid:
        return cls(scales=scales[:, None, None], tops=tops[None, :, None], shifts=shifts[None, None, :])


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """A measured value of every candidate and the range it should lie in."""

    values: _Values
    limits: Range
    weight: float
    aimed: bool
    """Whether the range's target means something, or only its ends do."""

    def cost(self) -> _Values:
        outside = np.maximum(0, np.maximum(self.limits.low - self.values, self.values - self.limits.high)) / _RANGE_UNIT
        near = np.minimum(outside, _RANGE_BEND)
        cost: _Values = self.weight * (_RANGE_STEP * outside + near * (2 * outside - near))
        if self.aimed and self.limits.target is not None:
            half = max(_RANGE_UNIT, (self.limits.high - self.limits.low) / 2)
            cost = cost + ((self.values - self.limits.target) / half) ** 2
        return cost


@dataclass(frozen=True, kw_only=True)
class _Cuts:
    """Points (N, 2) where the photo's edges cut the person, turned."""

    bottom: _Values
    top: _Values
    sides: _Values


class Search:
    """The search for one roll: the source is turned first, so that every candidate is a scale and a shift."""

    def __init__(self, portrait: Portrait, spec: Spec, turn: float, *, within: bool = False) -> None:
        """``within``: the canvas has to lie inside the photo."""
        self._spec = spec
        self._bounds = portrait.alpha.shape[::-1] if within else None
        self._turn = turn
        self._left_over = portrait.head.roll - turn
        cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        self._rotation = np.array([[cosine, sine], [-sine, cosine]])
        head = portrait.head
        points = (head.chin, head.top(spec.crown), head.crown, head.eye_middle, head.hair_top)
        chin, crown, loose, eyes, hair = (self._rotation @ point for point in points)
        self._crown_y = float(crown[1])
        # Our own margin is room above the hair, whatever the document's head ends with.
        self._loose_rise = float(crown[1] - loose[1]) if spec.top_margin is None else 0.0
        # At least a pixel, so that nonsense measures cannot stop the search.
        self._head_height = max(1.0, float(chin[1] - crown[1]))
        self._face_width = max(1.0, head.face_width)
        self._eye_drop = float(eyes[1] - crown[1])
        self._hair_rise = float(crown[1] - hair[1])
        # The eyes alone sit off the head's middle when the face is turned, the chin when it is tilted.
        self._axis_x = float(eyes[0] + chin[0]) / 2
        self._cuts = self._find_cuts(portrait.alpha, samples=_BORDER_SAMPLES)
        self._all_cuts = self._find_cuts(portrait.alpha, samples=max(portrait.alpha.shape))

    def solve(self) -> Found:
        """Search a wide grid, then twice a fine one around the best: to well below a pixel in the end."""
        spec = self._spec
        wanted = (spec.placement.head_height.target or 0.5) * spec.height / self._head_height
        widest = spec.width / (_HEAD_PER_FACE * self._face_width)
        largest = 1.8 * wanted
        if self._bounds is not None:
            largest = max(largest, 1.5 * spec.width / self._bounds[0], 1.5 * spec.height / self._bounds[1])
        scales = np.geomspace(0.6 * min(wanted, widest), largest, 32)
        tops = np.linspace(-0.1, 1.0, 45) * spec.height
        costs = self._cost(_Grid.of(scales, tops, np.zeros(1)))
        shifts = np.linspace(-_MAX_SHIFT, _MAX_SHIFT, 7) * spec.width
        for _ in range(2):
            row, column, _shift = np.unravel_index(int(costs.argmin()), costs.shape)
            scales = np.geomspace(*_pick_neighbours(scales, int(row)), 15)
            tops = np.linspace(*_pick_neighbours(tops, int(column)), 15)
            costs = self._cost(_Grid.of(scales, tops, shifts))
        row, column, shift = np.unravel_index(int(costs.argmin()), costs.shape)
        chosen = _Grid.of(scales[row : row + 1], tops[column : column + 1], shifts[shift : shift + 1])
        return self._describe(chosen, float(costs.min()))

    def _find_cuts(self, alpha: Alpha, *, samples: int) -> _Cuts:
        """Find where the photo's edges cut the person, by so many points an edge."""
        person = alpha > 127
        height, width = person.shape

        def pick(edge: NDArray[np.bool_]) -> _Values:
            places = np.flatnonzero(edge)
            step = max(1, len(edge) // samples)
            # Evenly spaced, and both ends of what is cut.
            return np.unique(np.concatenate([places[places % step == 0], places[:1], places[-1:]])) + 0.5

        def turn(x: _Values | float, y: _Values | float) -> _Values:
            points: _Values = np.stack(np.broadcast_arrays(x, y), axis=-1) @ self._rotation.T
            return points

        sides = [turn(0.0, pick(person[:, 0])), turn(float(width), pick(person[:, -1]))]
        return _Cuts(
            bottom=turn(pick(person[-1]), float(height)), top=turn(pick(person[0]), 0.0), sides=np.concatenate(sides)
        )

    def _measure(self, grid: _Grid) -> list[_Wish]:
        spec, placement = self._spec, self._spec.placement
        chin = grid.tops + grid.scales * self._head_height
        eyes = grid.tops + grid.scales * self._eye_drop
        wishes = [
            (grid.scales * self._head_height / spec.height, placement.head_height, spec.head_height, True),
            ((grid.tops - grid.scales * self._loose_rise) / spec.height, placement.top_margin, spec.top_margin, True),
            (1 - eyes / spec.height, placement.eye_line, spec.eye_line, True),
            (1 - chin / spec.height, placement.chin_to_bottom, spec.chin_to_bottom, False),
            (grid.scales * self._face_width / spec.width, placement.face_width, spec.face_width, False),
        ]
        return [
            _Wish(values=values, limits=limits, weight=1.0 if document is None else _DOCUMENT_WEIGHT, aimed=aimed)
            for values, limits, document, aimed in wishes
            if limits is not None
        ]

    def _place(self, points: _Values, grid: _Grid) -> tuple[_Values, _Values]:
        """Tell how far points lie inside the nearer side edge and below the top edge: (S, T, X, N), in sides."""
        width, height = self._spec.width, self._spec.height
        x = (grid.scales[..., None] * (points[:, 0] - self._axis_x) + grid.shifts[..., None]) / width + 0.5
        y = (grid.scales[..., None] * (points[:, 1] - self._crown_y) + grid.tops[..., None]) / height
        return np.minimum(x, 1 - x) + _CLEARANCE_PX / width, y

    def _reach_in(self, cuts: _Cuts, grid: _Grid) -> tuple[_Values, _Values, _Values]:
        """Tell how deep the cut edges at bottom, sides and top reach into the frame: each (S, T, X), in sides."""
        slack = _CLEARANCE_PX / self._spec.height
        across, y = self._place(cuts.bottom, grid)
        bottom = np.minimum(_GAP_NARROW * across, 1 - y + slack)
        across, y = self._place(cuts.sides, grid)
        sides = np.minimum(across, np.minimum(y, 1 - y) + slack)
        across, y = self._place(cuts.top, grid)
        top = np.minimum(_GAP_NARROW * across, y + slack)
        # An edge is as deep as its deepest point, and 0 where it has no points or none inside.
        return bottom.max(axis=-1, initial=0), sides.max(axis=-1, initial=0), top.max(axis=-1, initial=0)

    def _cost(self, grid: _Grid) -> _Values:
        spec = self._spec
        too_wide = np.maximum(0, grid.scales * _HEAD_PER_FACE * self._face_width / spec.width - 1)
        head_outside = self._reach_out(grid)
        hair_outside = np.maximum(0, (grid.scales * self._hair_rise - grid.tops) / spec.height + _HAIR_ROOM)
        bottom, sides, top = self._reach_in(self._cuts, grid)
        cost: _Values = (
            _HEAD_TOO_WIDE * too_wide**2
            + _HEAD_OUTSIDE * head_outside
            + (0.0 if spec.crown is Crown.TRIMMED else _HAIR_OUTSIDE) * hair_outside
            + _OFF_CENTRE * (grid.shifts / spec.width) ** 2
            + _BOTTOM_CUT * bottom
            + _SIDE_CUT * sides
            + _TOP_CUT * top
        )
        cost = cost + _BEYOND * self._reach_beyond(grid)
        return sum((wish.cost() for wish in self._measure(grid)), cost)

    def _reach_out(self, grid: _Grid) -> _Values:
        """Tell how far the head reaches out of the frame's top and bottom: (S, T, 1), in heights."""
        height = self._spec.height
        chin = grid.tops + grid.scales * self._head_height
        outside: _Values = np.maximum(0, -grid.tops / height) + np.maximum(0, chin / height - 1)
        return outside

    def _reach_beyond(self, grid: _Grid) -> _Values:
        """Tell how far the canvas' corners lie beyond the photo's edges: (S, T, X), in heights of the canvas."""
        if self._bounds is None:
            return np.zeros(1)
        width, height = self._spec.width, self._spec.height
        corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], dtype=np.float64)
        x = (corners[:, 0] - width / 2 - grid.shifts[..., None]) / grid.scales[..., None] + self._axis_x
        y = (corners[:, 1] - grid.tops[..., None]) / grid.scales[..., None] + self._crown_y
        x, y = np.broadcast_arrays(x, y)
        # Back from the turned source to the photo itself, where its edges are level.
        photo_x = self._rotation[0, 0] * x + self._rotation[1, 0] * y
        photo_y = self._rotation[0, 1] * x + self._rotation[1, 1] * y
        beyond_x = np.maximum(0, np.maximum(-photo_x, photo_x - self._bounds[0]))
        beyond_y = np.maximum(0, np.maximum(-photo_y, photo_y - self._bounds[1]))
        beyond: _Values = np.maximum(beyond_x, beyond_y).max(axis=-1) * grid.scales / height
        return beyond

    def _describe(self, chosen: _Grid, cost: float) -> Found:
        scale = chosen.scales.item()
        offset = (
            self._spec.width / 2 + chosen.shifts.item() - scale * self._axis_x,
            chosen.tops.item() - scale * self._crown_y,
        )
        wishes = self._measure(chosen)
        # What is told of the chosen crop must not slip between samples.
        bottom, sides, top = self._reach_in(self._all_cuts, chosen)
        return Found(
            matrix=np.column_stack([scale * self._rotation, offset]),
            scale=scale,
            turn=self._turn,
            cost=cost + _LEFT_OVER_ROLL * self._left_over**2,
            cut=max(bottom.item(), sides.item(), top.item()),
            head_outside=self._reach_out(chosen).item(),
            hair_outside=max(0.0, (scale * self._hair_rise - chosen.tops.item()) / self._spec.height),
            in_range=all(
                wish.limits.low - TOLERANCE <= wish.values.item() <= wish.limits.high + TOLERANCE for wish in wishes
            ),
        )


def _pick_neighbours(values: _Values, index: int) -> tuple[float, float]:
    return float(values[max(0, index - 1)]), float(values[min(len(values) - 1, index + 1)])
