"""The face mesh: 468 points on a face whose rough place is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from idphoto.imaging import affine
from idphoto.imaging.litert import Net
from idphoto.imaging.models import MESH, ModelFolder
from idphoto.imaging.portrait import Box, Pixels, Point, Points

#: Contours of the eye openings, viewer's left and right, in mesh numbering.
LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
RIGHT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
#: Corners of the mouth.
MOUTH = (61, 291)
CHIN = 152
FOREHEAD = 10
#: Outermost points of the face, viewer's left and right, about at the height of the ears.
LEFT_CHEEK = 234
RIGHT_CHEEK = 454

_SIDE = 192
_POINTS = 468
_ROOM = 1.5  # the model was trained on squares of 1.5 times the face box


@dataclass(frozen=True, kw_only=True)
class Square:
    """A turned square around a face: in its frame the eyes are level."""

    centre: Point
    side: float
    angle: float
    """Degrees, positive is clockwise for the viewer."""


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """What the model says of a square."""

    points: Points
    """(468, 3): x and y in pixels of the picture, z in the same scale, negative towards the camera."""
    logit: float
    """Above 0: more likely a face than not."""

    @property
    def left_eye(self) -> Point:
        """Centre of the viewer's left eye opening."""
        return centre_of(self.points, LEFT_EYE)

    @property
    def right_eye(self) -> Point:
        """Centre of the viewer's right eye opening."""
        return centre_of(self.points, RIGHT_EYE)

    @property
    def roll(self) -> float:
        """Turn of the head, degrees, -180 to 180, positive is clockwise for the viewer."""
        return angle_of(self.left_eye, self.right_eye)


def centre_of(points: Points, indices: tuple[int, ...]) -> Point:
    """Return the mean place of some of the points."""
    x, y = points[list(indices), :2].mean(axis=0).tolist()
    return x, y


def angle_of(left: Point, right: Point) -> float:
    """Return the slope of the line from ``left`` to ``right`` in degrees, positive when it falls to the right."""
    return math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))


def square_on_box(box: Box, left_eye: Point, right_eye: Point) -> Square:
    """Return the square to look at for a detected box and eyes."""
    return Square(
        centre=(box.x + box.width / 2, box.y + box.height / 2),
        side=_ROOM * max(box.width, box.height),
        angle=angle_of(left_eye, right_eye),
    )


def square_on_mesh(mesh: Mesh) -> Square:
    """Return the square to look at for a closer second look at a face."""
    matrix = affine.level((0.0, 0.0), angle=mesh.roll, scale=1.0, target=(0.0, 0.0))
    upright = affine.move(matrix, mesh.points[:, :2])
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = affine.move(affine.invert(matrix), (low + high)[None] / 2)[0].tolist()
    return Square(centre=(x, y), side=_ROOM * float((high - low).max()), angle=mesh.roll)


class FaceMesh:
    """Fits the mesh. Not safe to share between threads.

    Raises:
        ModelError: the model file is missing or damaged.
    """

    def __init__(self, models: ModelFolder) -> None:
        self._net = Net(models.check(MESH))

    def fit(self, pixels: Pixels, square: Square) -> Mesh:
        """Fit the mesh to what the square shows of (H, W, 3) uint8 pixels; outside of the picture is black."""
        scale = _SIDE / max(square.side, 1.0)
        matrix = affine.level(square.centre, angle=square.angle, scale=scale, target=(_SIDE / 2, _SIDE / 2))
        patch = affine.sample(pixels, matrix, width=_SIDE, height=_SIDE)
        values, logit = self._net.run(patch[None].astype(np.float32) / 255.0)
        points = values.reshape(_POINTS, 3)
        flat = affine.move(affine.invert(matrix), points[:, :2])
        return Mesh(
            points=np.column_stack([flat, points[:, 2] / scale]).astype(np.float32),
            logit=float(logit.item()),
        )
