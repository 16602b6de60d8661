"""The values that travel through the imaging core.

Coordinates are (x, y) in pixels of the upright source, x to the right and y down, with the centre of the
top-left pixel at (0.5, 0.5): the point (0, 0) is the corner of the picture. "Left" and "right" are the
viewer's. Angles are in degrees; a positive roll means that the head is turned clockwise for the viewer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from idphoto.specs import Crown

Pixels: TypeAlias = NDArray[np.uint8]  # (H, W, 3), sRGB
Alpha: TypeAlias = NDArray[np.uint8]  # (H, W), 0 background to 255 person
Points: TypeAlias = NDArray[np.float32]  # (N, 2) or (N, 3)
Point: TypeAlias = tuple[float, float]
#: Hair above this, in units of the height of the eyes above the chin, is taller than that of three people in four.
TALL_HAIR = 2.3
Progress: TypeAlias = Callable[[int], None]
"""Told how much is done, 0 to 100, at each step of a long call."""


class Notice(StrEnum):
    """What was worked around; reported beside the result, never silently."""

    AUTO_ROTATED = "auto_rotated"
    ROLL_CORRECTED = "roll_corrected"
    UPSCALED = "upscaled"
    SHOULDERS_CUT = "shoulders_cut"
    HAIR_CUT = "hair_cut"
    CROWN_ESTIMATED = "crown_estimated"
    LOW_RESOLUTION = "low_resolution"
    GRAYSCALE = "grayscale"
    OUT_OF_RANGE = "out_of_range"


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Source:
    """A decoded photo: upright by its EXIF tag, opaque, sRGB."""

    pixels: Pixels
    format: str
    """Pillow's name of the file format, such as ``JPEG``."""
    dpi: float | None = None
    """As the file says; None: it does not."""


@dataclass(frozen=True, kw_only=True)
class Face:
    """A face found by the detector and confirmed by the mesh."""

    box: Box
    score: float
    """Detector score, 0 to 1."""
    presence: float
    """Mesh presence score, 0 to 1."""
    landmarks: Points
    """(468, 3) MediaPipe face mesh; x and y in source pixels, z in the same scale, negative towards the camera."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head's measures in the upright source. The head axis is the line through the eye midpoint along the roll."""

    left_eye: Point
    right_eye: Point
    chin: Point
    crown: Point
    """Top of the head including normal hair volume, on the head axis; see docs/imaging.md for the rule."""
    skull_top: Point
    """Top of the head as if without hair, on the head axis: estimated, at most at the crown."""
    hair_top: Point
    """Topmost connected hair, buns included, on the head axis."""
    face_width: float
    """Width between the mesh's outermost cheek points, in pixels."""
    roll: float
    yaw: float
    pitch: float
    crown_estimated: bool
    """The matte did not show the crown clearly; it was extrapolated from the landmarks."""

    def top(self, crown: Crown | None) -> Point:
        """Return the top of the head by a document's definition.

        Where it has none, hair counts as far as it is not taller than usual: a bun is hair, not head.
        """
        if crown is Crown.SKULL:
            return self.skull_top
        if crown is Crown.HAIR:
            return self.crown
        eyes, height = math.dist(self.eye_middle, self.chin), math.dist(self.crown, self.chin)
        share = min(1.0, TALL_HAIR * eyes / max(height, 1.0))
        return (
            self.chin[0] + share * (self.crown[0] - self.chin[0]),
            self.chin[1] + share * (self.crown[1] - self.chin[1]),
        )

    @property
    def eye_middle(self) -> Point:
        """The point halfway between the eye centres."""
        return ((self.left_eye[0] + self.right_eye[0]) / 2, (self.left_eye[1] + self.right_eye[1]) / 2)


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """Everything that the expensive stage knows of a photo. Rendering needs nothing else."""

    pixels: Pixels
    alpha: Alpha
    face: Face
    head: Head
    foreground: Box
    """Bounding box of the person (alpha of at least one half), in whole pixels."""
    second_face: float = 0.0
    """Area of the second largest face that was found, as a share of the largest."""
    reduced: float = 1.0
    """Pixels of the photo per pixel of this copy of it; ``foreground`` is in the photo's."""
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A finished picture, not yet a file."""

    pixels: NDArray[np.uint8]
    """(H, W, 3) on a background, or (H, W, 4) with straight alpha."""
    alpha: Alpha
    """(H, W), where the person is."""
    dpi: int
    head: Head
    """The head's measures in this picture's pixels."""
    warnings: tuple[Notice, ...] = ()
