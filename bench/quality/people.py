"""People without a background, to put elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.portrait import Face, Pixels


@dataclass(frozen=True, kw_only=True)
class Foreground:
    """A person without a background. The person reaches the bottom edge."""

    name: str
    colour: Pixels
    """(H, W, 3) uint8: the person's own colour, everywhere where alpha is above 0."""
    alpha: NDArray[np.float32]
    """(H, W), 0 to 1."""
    face: Face
    """In pixels of this picture."""


def scale_face(face: Face, scale: float) -> Face:
    """Return the face in pixels of the picture enlarged by ``scale``."""
    box = face.box
    return Face(
        box=type(box)(x=box.x * scale, y=box.y * scale, width=box.width * scale, height=box.height * scale),
        score=face.score,
        presence=face.presence,
        landmarks=(face.landmarks * np.float32(scale)).astype(np.float32),
    )


def move_face(face: Face, x: float, y: float) -> Face:
    """Return the face in pixels of a picture whose corner is at (-x, -y)."""
    box = face.box
    return Face(
        box=type(box)(x=box.x + x, y=box.y + y, width=box.width, height=box.height),
        score=face.score,
        presence=face.presence,
        landmarks=(face.landmarks + np.array([x, y, 0], np.float32)).astype(np.float32),
    )
