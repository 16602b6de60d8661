"""Similarity transforms of points and pictures.

A matrix is (2, 3) float64 and maps (x, y) to (x, y). The corner of a picture is (0, 0), as in
:mod:`idphoto.imaging.portrait`; OpenCV's own convention, with the centre of a pixel at a whole number, stays in here.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.portrait import Point

Matrix: TypeAlias = NDArray[np.float64]


def level(centre: Point, *, angle: float, scale: float, target: Point) -> Matrix:
    """Return the matrix that turns a picture so that a line of this angle becomes level.

    Args:
        centre: the point that comes to lie at ``target``.
        angle: degrees, positive is clockwise for the viewer; the turn is by the opposite.
        scale: target pixels per source pixel.
        target: where ``centre`` goes.
    """
    cos = math.cos(math.radians(angle)) * scale
    sin = math.sin(math.radians(angle)) * scale
    x, y = centre
    return np.array([[cos, sin, target[0] - cos * x - sin * y], [-sin, cos, target[1] + sin * x - cos * y]])


def invert(matrix: Matrix) -> Matrix:
    """Return the matrix of the way back."""
    turn = np.linalg.inv(matrix[:, :2])
    return np.column_stack([turn, -turn @ matrix[:, 2]])


def move(matrix: Matrix, points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the transformed (N, 2) points."""
    moved: NDArray[np.float64] = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


def size_of(matrix: Matrix) -> float:
    """Return the factor by which the matrix enlarges lengths."""
    return math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))


def sample(picture: NDArray[np.uint8], matrix: Matrix, *, width: int, height: int) -> NDArray[np.uint8]:
    """Return the ``height`` x ``width`` patch that the matrix cuts out of an (H, W) or (H, W, 3) picture.

    Shrinking by two or more averages all source pixels first, so nothing is aliased. Only the region that the
    patch covers is read, which keeps the cost independent of the picture's size. What lies outside is 0.
    """
    rows, columns = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], dtype=np.float64)
    covered = move(invert(matrix), corners)
    factor = max(1, math.floor(1 / size_of(matrix) + 1e-6))
    margin = 2 * factor  # for the interpolation at the patch's border
    x0, y0 = (max(0, math.floor(value) - margin) for value in covered.min(axis=0))
    x1 = min(columns, math.ceil(covered[:, 0].max()) + margin)
    y1 = min(rows, math.ceil(covered[:, 1].max()) + margin)
    if x0 >= x1 or y0 >= y1:
        return np.zeros((height, width, *picture.shape[2:]), np.uint8)
    # Whole multiples of the factor are both exact and several times faster; a picture's edge may not leave room for it.
    x1, y1 = min(columns, x0 + _round_up(x1 - x0, factor)), min(rows, y0 + _round_up(y1 - y0, factor))
    region = np.ascontiguousarray(picture[y0:y1, x0:x1])
    small_width, small_height = math.ceil((x1 - x0) / factor), math.ceil((y1 - y0) / factor)
    if factor > 1:
        region = cv2.resize(region, (small_width, small_height), interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
    zoom = np.array([(x1 - x0) / small_width, (y1 - y0) / small_height])
    turn = matrix[:, :2] * zoom
    shift = matrix[:, :2] @ np.array([x0, y0]) + matrix[:, 2]
    opencv = np.column_stack([turn, shift + turn @ np.array([0.5, 0.5]) - 0.5])
    return cv2.warpAffine(region, opencv, (width, height), flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _round_up(length: int, step: int) -> int:
    return -(-length // step) * step
