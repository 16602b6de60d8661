"""Closed-form matting (Levin, Lischinski and Weiss, PAMI 2008), solved for the pixels in doubt only.

Within a 3x3 window the alpha of a natural picture is close to an affine function of its colours. How far an alpha is
from that, summed over all windows, is a quadratic form: the matting Laplacian. Its minimum under the alphas that are
known is one sparse linear system, which a few steps of conjugate gradients from a good guess come close to.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.portrait import Pixels

_Values: TypeAlias = NDArray[np.float32]
_Places: TypeAlias = NDArray[np.int32]

#: The windows' pixels, as (row, column) from the middle one.
_WINDOW = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
#: Pixels that share a window lie at most two apart: a row of the system has 25 places.
_STENCIL = [(y, x) for y in range(-2, 3) for x in range(-2, 3)]
_MIDDLE = _STENCIL.index((0, 0))
#: Added to the variance of a window's colours (0 to 1): below it, differences are noise.
_REGULAR = 1e-6


def solve_alpha(pixels: Pixels, guess: _Values, unknown: NDArray[np.bool_], *, steps: int) -> _Values:
    """Return the alpha (H, W) float32, 0 to 1, whose unknown pixels follow the picture's colours.

    Args:
        pixels: (H, W, 3) uint8.
        guess: (H, W) float32, 0 to 1: right where known, near to right elsewhere.
        unknown: (H, W); the outermost pixels count as known.
        steps: Steps of conjugate gradients.
    """
    height, width = unknown.shape
    unknown = unknown.copy()
    unknown[[0, -1]] = False
    unknown[:, [0, -1]] = False
    places = np.flatnonzero(unknown).astype(np.int32)
    count = len(places)
    if count == 0:
        return guess.copy()
    # The number of each unknown pixel in the system; all known ones share the number after the last.
    numbers = np.full(height * width, count, np.int32)
    numbers[places] = np.arange(count, dtype=np.int32)
    rows = _build_rows(pixels, unknown, numbers)[:, :count]
    # Unknown pixels of the second row reach two rows up, which is outside: no window is there, their factor is 0.
    steps_aside = np.array([y * width + x for y, x in _STENCIL], np.int32)
    neighbours = np.clip(places + steps_aside[:, None], 0, height * width - 1)
    known = np.where(unknown, 0, guess).ravel().astype(np.float32)
    pull = -np.einsum("kn,kn->n", rows, known[neighbours])
    columns = numbers[neighbours]
    values = guess.copy()
    start = guess.ravel()[places].astype(np.float32)
    values.ravel()[places] = np.clip(_descend(rows, columns, pull, start, steps), 0, 1)
    return values


def _build_rows(pixels: Pixels, unknown: NDArray[np.bool_], numbers: _Places) -> _Values:
    """Return the Laplacian's rows (25, N + 1) of the unknown pixels; the last column is scrap."""
    width = unknown.shape[1]
    near = np.zeros_like(unknown)
    for y, x in _WINDOW:
        near |= np.roll(unknown, (y, x), axis=(0, 1))
    near[[0, -1]] = False
    near[:, [0, -1]] = False
    middles = np.flatnonzero(near).astype(np.int32)
    members = middles + np.array([y * width + x for y, x in _WINDOW], np.int32)[:, None]
    colours = np.stack([plane.ravel()[members] for plane in np.moveaxis(pixels, 2, 0)]).astype(np.float32)
    colours /= np.float32(255)
    colours -= colours.mean(axis=1, keepdims=True)
    scaled = _whiten(colours)
    rows = np.zeros((len(_STENCIL), int(numbers.max()) + 1), np.float32)
    owners = numbers[members]
    for i, (from_y, from_x) in enumerate(_WINDOW):
        for j, (to_y, to_x) in enumerate(_WINDOW[i:], start=i):
            share = -(1 + np.einsum("cm,cm->m", colours[:, i], scaled[:, j])) / np.float32(9)
            if i == j:
                rows[_MIDDLE][owners[i]] += 1 + share
                continue
            # A window has a pixel once, so no owner but the scrap column is met twice within one sum.
            rows[_STENCIL.index((to_y - from_y, to_x - from_x))][owners[i]] += share
            rows[_STENCIL.index((from_y - to_y, from_x - to_x))][owners[j]] += share
    return rows


def _whiten(colours: _Values) -> _Values:
    """Multiply the colours (3, 9, M) of each window by the inverse of their covariance, by Cramer's rule."""
    red, green, blue = colours
    variance = _REGULAR / 9

    # In double precision: the covariance of gray pictures is singular but for the little that is added.
    def mix(first: _Values, second: _Values) -> NDArray[np.float64]:
        mixed: NDArray[np.float64] = np.einsum("km,km->m", first, second).astype(np.float64) / 9
        return mixed

    rr, gg, bb = mix(red, red) + variance, mix(green, green) + variance, mix(blue, blue) + variance
    rg, rb, gb = mix(red, green), mix(red, blue), mix(green, blue)
    minor_r, minor_g, minor_b = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    determinant = rr * minor_r + rg * minor_g + rb * minor_b
    inverse = [
        [minor_r, minor_g, minor_b],
        [minor_g, rr * bb - rb * rb, rg * rb - rr * gb],
        [minor_b, rg * rb - rr * gb, rr * gg - rg * rg],
    ]
    factors = (np.array(inverse) / determinant).astype(np.float32)
    whitened: _Values = np.einsum("cdm,dkm->ckm", factors, colours)
    return whitened


def _descend(rows: _Values, columns: _Places, pull: _Values, start: _Values, steps: int) -> _Values:
    """Solve the system by conjugate gradients, each pixel scaled by its own weight."""
    padded = np.zeros(len(start) + 1, np.float32)

    def apply(values: _Values) -> _Values:
        padded[:-1] = values
        applied: _Values = np.einsum("kn,kn->n", rows, padded[columns])
        return applied

    weight = rows[_MIDDLE]
    values = start
    rest = pull - apply(values)
    scaled = rest / weight
    direction = scaled
    energy = float(rest @ scaled)
    for _ in range(steps):
        if energy <= np.finfo(np.float32).tiny:
            break
        moved = apply(direction)
        length = np.float32(energy / float(direction @ moved))
        values = values + length * direction
        rest = rest - length * moved
        scaled = rest / weight
        before, energy = energy, float(rest @ scaled)
        direction = scaled + np.float32(energy / before) * direction
    return values
