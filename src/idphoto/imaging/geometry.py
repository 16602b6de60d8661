"""Head geometry: where the eyes, the chin and the crown are, and how the head is turned.

Heights along the head axis are counted from the chin upwards in units of T, the height of the eye midpoint above the
chin: the chin is at 0 and the eyes are at 1. The figures behind the limits come from 118 portraits (docs/imaging.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from idphoto.imaging import affine
from idphoto.imaging.errors import HeadCropped
from idphoto.imaging.landmarks import (
    CHIN,
    FOREHEAD,
    LEFT_CHEEK,
    LEFT_EYE,
    RIGHT_CHEEK,
    RIGHT_EYE,
    angle_of,
    centre_of,
)
from idphoto.imaging.portrait import Alpha, Face, Head, Point, Points

_BAND = 0.42  # half the width of the profile, in face widths
_HAIR_SHARE = 0.12  # of the band: what still counts as hair
_SOLID_SHARE = 0.50  # of the band: what counts as head
_LOOSE_HAIR = 0.12  # T: hair above the solid head that belongs to it
# T: hair that lies close, between the crown and the skull; and where a skull's top can be: the eyes lie halfway down a
# head without hair, a rule of figure drawing that Japan's foreign ministry also gives for passport photos, and lower
# in children. Estimates, without any ground truth.
_CLOSE_HAIR = 0.15
_LOWEST_SKULL, _HIGHEST_SKULL = 2.0, 2.25
_LOWEST_CROWN, _ASSUMED_LOW_CROWN = 1.80, 1.95  # lower: the matte lost hair; 98 % of heads are higher than 1.89
_HIGHEST_CROWN, _ASSUMED_HIGH_CROWN = 2.75, 2.60  # higher: something behind the head; 98 % are lower than 2.71
_PATCH_T = 96  # pixels per T in the profile: 1 % of T a row, whatever the size of the photo
_PATCH_ROWS = 216
_BROW = 1.20  # T: where the profile begins; it ends at _TOP
_TOP = _BROW + _PATCH_ROWS / _PATCH_T
_PERSON = 128  # alpha from which a pixel is the person
_EDGE_ROOM = 0.03  # face widths: how far the outline of the mesh may stray over the edge by mere jitter
# Pairs of points that mirror each other on a face: eye corners, temples, cheeks, jaw, nostrils.
_LEFT_POINTS = [33, 133, 127, 234, 132, 172, 98]
_RIGHT_POINTS = [263, 362, 356, 454, 361, 397, 327]
_LEVEL_PITCH = -15.0  # what frontal faces measure, the mean of five: the mesh's forehead lies before its chin


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """The head axis: from the eye midpoint, along the roll."""

    eyes: Point
    roll: float
    unit: float
    """T in pixels."""
    face_width: float

    @property
    def up(self) -> Point:
        """Direction of the crown, of length 1."""
        return math.sin(math.radians(self.roll)), -math.cos(math.radians(self.roll))

    def at(self, height: float) -> Point:
        """Return the point of the axis at a height in T above the chin."""
        rise = (height - 1) * self.unit
        return self.eyes[0] + rise * self.up[0], self.eyes[1] + rise * self.up[1]


@dataclass(frozen=True, kw_only=True)
class _Profile:
    """Where the person ends along the axis, in T above the chin."""

    hair: float
    solid: float


def measure_head(face: Face, alpha: Alpha) -> Head:
    """Measure the head of a face.

    Eyes are the centres of the eye openings, the roll is the slope of the line between them. The crown is the top
    of the solid head plus at most 0.12 T of loose hair, ``min(hair, solid + 0.12)``: hair ends where less than 12 % of
    a band of 0.84 face widths around the axis are the person, the solid head where less than 50 % are. Crowns outside
    of 1.80 to 2.75 T are not believed: they become 1.95 or 2.60 T and ``crown_estimated``.

    Yaw is positive when the face looks to the viewer's right, pitch when it looks up. Both come from directions across
    the mesh (mirrored pairs of points; forehead to chin) and are only good for warnings: they wander by 2 to 6 degrees,
    and the zero of the pitch is a convention.

    Args:
        face: its landmarks are in pixels of the photo that ``alpha`` belongs to.
        alpha: (H, W) uint8, 0 background to 255 person.

    Raises:
        HeadCropped: the chin, a side of the face or the top of the head lies outside of the photo.
    """
    left, right = centre_of(face.landmarks, LEFT_EYE), centre_of(face.landmarks, RIGHT_EYE)
    roll = angle_of(left, right)
    eyes = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    chin, left_cheek, right_cheek = (_point(face.landmarks, index) for index in (CHIN, LEFT_CHEEK, RIGHT_CHEEK))
    face_width = math.dist(left_cheek, right_cheek)
    down = -math.sin(math.radians(roll)), math.cos(math.radians(roll))
    unit = (chin[0] - eyes[0]) * down[0] + (chin[1] - eyes[1]) * down[1]
    rows, columns = alpha.shape
    room = _EDGE_ROOM * face_width
    for x, y in (chin, left_cheek, right_cheek):
        if not (-room <= x <= columns + room and -room <= y <= rows + room):
            raise HeadCropped
    axis = _Axis(eyes=eyes, roll=roll, unit=max(unit, 1.0), face_width=face_width)
    profile = _measure_profile(axis, alpha)
    _require_whole_top(axis, alpha, profile)
    crown = min(profile.hair, profile.solid + _LOOSE_HAIR)
    estimated = not _LOWEST_CROWN <= crown <= _HIGHEST_CROWN
    if estimated:
        crown = _ASSUMED_LOW_CROWN if crown < _LOWEST_CROWN else _ASSUMED_HIGH_CROWN
    # What fills the profile to its very end is not hair but something behind the head.
    hair = max(profile.hair, crown) if profile.hair < _TOP else crown
    yaw, pitch = _measure_turn(face.landmarks, roll)
    return Head(
        left_eye=left,
        right_eye=right,
        chin=chin,
        crown=axis.at(crown),
        skull_top=axis.at(min(crown, max(_LOWEST_SKULL, min(_HIGHEST_SKULL, crown - _CLOSE_HAIR)))),
        hair_top=axis.at(hair),
        face_width=face_width,
        roll=roll,
        yaw=yaw,
        pitch=pitch,
        crown_estimated=estimated,
    )


def move_head(head: Head, matrix: NDArray[np.float64]) -> Head:
    """Return the head's measures after a similarity transform of the picture.

    Args:
        head: measures in the picture before.
        matrix: (2, 3) float64, old to new pixels; turns, moves and scales alike in both directions, without a mirror.
    """

    def move(point: Point) -> Point:
        x, y = affine.move(matrix, np.array([point], dtype=np.float64))[0].tolist()
        return x, y

    turn = math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))
    return replace(
        head,
        left_eye=move(head.left_eye),
        right_eye=move(head.right_eye),
        chin=move(head.chin),
        crown=move(head.crown),
        skull_top=move(head.skull_top),
        hair_top=move(head.hair_top),
        face_width=head.face_width * affine.size_of(matrix),
        roll=math.remainder(head.roll + turn, 360.0),
    )


def _measure_profile(axis: _Axis, alpha: Alpha) -> _Profile:
    """Follow the person upwards from the brow, row by row, in a small upright patch around the axis."""
    scale = _PATCH_T / axis.unit
    width = max(2, round(2 * _BAND * axis.face_width * scale))
    matrix = affine.level(axis.at(_BROW), angle=axis.roll, scale=scale, target=(width / 2, _PATCH_ROWS))
    patch = affine.sample(alpha, matrix, width=width, height=_PATCH_ROWS)
    shares = (patch[::-1] >= _PERSON).mean(axis=1)
    return _Profile(hair=_find_end(shares, _HAIR_SHARE), solid=_find_end(shares, _SOLID_SHARE))


def _find_end(shares: NDArray[np.float64], share: float) -> float:
    """Return the height in T up to which every row, from the brow upwards, has at least this share."""
    below = np.flatnonzero(shares < share)
    rows = int(below[0]) if below.size else shares.size
    return _BROW + rows / _PATCH_T


def _require_whole_top(axis: _Axis, alpha: Alpha, profile: _Profile) -> None:
    """Raise HeadCropped when the photo's edge cuts through the top of the head.

    That is so when hair or head meets the edge on at least 12 % of the band, the share that counts as hair, or when the
    axis leaves the photo so low that no head could have ended before, whatever the matte says.
    """
    rows, columns = alpha.shape
    x, y = axis.at(_LOWEST_CROWN)
    if not (0 <= x <= columns and 0 <= y <= rows):
        raise HeadCropped
    across, down = np.arange(columns) + 0.5, np.arange(rows) + 0.5
    edges = (
        (alpha[0], across, np.zeros(columns)),
        (alpha[-1], across, np.full(columns, float(rows))),
        (alpha[:, 0], np.zeros(rows), down),
        (alpha[:, -1], np.full(rows, float(columns)), down),
    )
    right = -axis.up[1], axis.up[0]
    met = 0
    for values, xs, ys in edges:
        aside = (xs - axis.eyes[0]) * right[0] + (ys - axis.eyes[1]) * right[1]
        height = 1 + ((xs - axis.eyes[0]) * axis.up[0] + (ys - axis.eyes[1]) * axis.up[1]) / axis.unit
        # Beyond the hair's end the person at the edge is something else: a raised hand, a second person.
        in_band = (np.abs(aside) <= _BAND * axis.face_width) & (height > _BROW) & (height <= profile.hair + _LOOSE_HAIR)
        met += int(np.count_nonzero(in_band & (values >= _PERSON)))
    if met >= _HAIR_SHARE * 2 * _BAND * axis.face_width:
        raise HeadCropped


def _measure_turn(landmarks: Points, roll: float) -> tuple[float, float]:
    """Return yaw and pitch in degrees from directions across the mesh, in the frame in which the eyes are level."""
    matrix = affine.level((0.0, 0.0), angle=roll, scale=1.0, target=(0.0, 0.0))
    flat, depth = affine.move(matrix, landmarks[:, :2]), landmarks[:, 2]
    span = (flat[_RIGHT_POINTS] - flat[_LEFT_POINTS])[:, 0].mean()
    yaw = math.degrees(math.atan2(float((depth[_RIGHT_POINTS] - depth[_LEFT_POINTS]).mean()), float(span)))
    drop = float(flat[CHIN, 1] - flat[FOREHEAD, 1])
    pitch = math.degrees(math.atan2(float(depth[FOREHEAD] - depth[CHIN]), drop))
    return yaw, pitch - _LEVEL_PITCH


def _point(landmarks: Points, index: int) -> Point:
    x, y = landmarks[index, :2].tolist()
    return x, y
