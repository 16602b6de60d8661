"""Eyelids and irises: how far the eyes are open and where they look.

The mesh's own eye contours do not close with the eyes; those of MediaPipe's iris model do (docs/imaging.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idphoto.imaging import affine
from idphoto.imaging.landmarks import CHIN, LEFT_EYE, RIGHT_EYE, angle_of, centre_of
from idphoto.imaging.litert import Net
from idphoto.imaging.models import IRIS, ModelFolder
from idphoto.imaging.portrait import Face, Pixels, Point

_SIDE = 64
_ROOM = 2.3  # the model was trained on squares of 2.3 times the distance between an eye's corners
# Mesh numbers of the corners of the viewer's left and right eye.
_LEFT_CORNERS = (33, 133)
_RIGHT_CORNERS = (362, 263)
# The model's contour: points 0 to 8 run along the lower lid from corner to corner, 9 to 15 along the upper one.
_CONTOUR = 71
_LIDS = ((3, 11), (4, 12), (5, 13))
_CORNERS = (0, 8)


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """Both eyes of a face."""

    opening: float
    """Height of the narrower eye's opening, in units of T (eye midpoint to chin): closed eyes have less than 0.015."""
    gaze: float
    """How far the irises lie off the middle between the eye corners, in eye widths; positive: to the viewer's right."""


class EyeReader:
    """Reads the eyes of a face. Not safe to share between threads.

    Raises:
        ModelError: the model file is missing or damaged.
    """

    def __init__(self, models: ModelFolder) -> None:
        self._net = Net(models.check(IRIS))

    def read(self, pixels: Pixels, face: Face) -> Eyes:
        """Read both eyes.

        Args:
            pixels: (H, W, 3) uint8, the photo that the face's landmarks belong to.
            face: the face.
        """
        points = face.landmarks[:, :2]
        left, right = centre_of(face.landmarks, LEFT_EYE), centre_of(face.landmarks, RIGHT_EYE)
        chin_x, chin_y = points[CHIN].tolist()
        unit = max(1.0, math.dist(((left[0] + right[0]) / 2, (left[1] + right[1]) / 2), (chin_x, chin_y)))
        roll = angle_of(left, right)
        # The model knows one side only: the other eye is shown to it in a mirror.
        eyes = [
            self._read_one(pixels, points[list(corners)], roll, mirrored)
            for corners, mirrored in ((_LEFT_CORNERS, True), (_RIGHT_CORNERS, False))
        ]
        openings, gazes = zip(*eyes, strict=True)
        return Eyes(opening=min(openings) / unit, gaze=float(np.mean(gazes)))

    def _read_one(
        self, pixels: Pixels, corners: NDArray[np.float32], roll: float, mirrored: bool
    ) -> tuple[float, float]:
        """Return the opening in pixels of the photo and the iris' offset in eye widths."""
        width = max(1.0, float(np.linalg.norm(corners[1] - corners[0])))
        scale = _SIDE / (_ROOM * width)
        middle: Point = tuple(corners.mean(axis=0).tolist())
        matrix = affine.level(middle, angle=roll, scale=scale, target=(_SIDE / 2, _SIDE / 2))
        patch = affine.sample(pixels, matrix, width=_SIDE, height=_SIDE)
        if mirrored:
            patch = patch[:, ::-1]
        contour, iris = self._net.run(np.ascontiguousarray(patch[None]).astype(np.float32) / 255.0)
        lids = contour.reshape(_CONTOUR, 3)[:, :2]
        opening = float(np.mean([np.linalg.norm(lids[lower] - lids[upper]) for lower, upper in _LIDS])) / scale
        ends = lids[list(_CORNERS), 0]
        off = (float(iris.reshape(-1, 3)[0, 0]) - float(ends.mean())) / max(1.0, float(np.ptp(ends)))
        return opening, -off if mirrored else off
