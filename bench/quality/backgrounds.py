"""Seeded backgrounds, drawn or taken from pictures of scikit-image that ship with it and show no person."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from idphoto.imaging.portrait import Pixels

_Planes: TypeAlias = NDArray[np.float32]
Draw: TypeAlias = Callable[[int, int, np.random.Generator], Pixels]
"""Takes width, height and a generator; returns (height, width, 3)."""


def draw_wall(width: int, height: int, rng: np.random.Generator) -> Pixels:
    """A plain wall: one light colour, lit from one side, with slight grain."""
    colour = rng.uniform(110, 235, 3).astype(np.float32)
    return _finish(_light(np.broadcast_to(colour, (height, width, 3)), rng), rng)


def draw_texture(width: int, height: int, rng: np.random.Generator) -> Pixels:
    """Bricks, grass or gravel in a random tint."""
    texture = [skimage.data.brick, skimage.data.grass, skimage.data.gravel][rng.integers(3)]()
    tint = rng.uniform(0.5, 1.3, 3).astype(np.float32)
    return _finish(_cover(np.repeat(texture[..., None], 3, axis=2), width, height, rng) * tint, rng)


def draw_room(width: int, height: int, rng: np.random.Generator) -> Pixels:
    """A cluttered room: a wall, shelves, boxes, poles and lamps, a little out of focus."""
    room = np.ascontiguousarray(np.broadcast_to(rng.uniform(90, 220, 3).astype(np.float32), (height, width, 3)))
    side = max(width, height)
    for _ in range(40):
        x, y = int(rng.integers(-side // 10, width)), int(rng.integers(-side // 10, height))
        w, h = (int(side * size) for size in rng.uniform(0.03, 0.25, 2))
        colour = tuple(float(value) for value in rng.uniform(0, 255, 3))
        if rng.random() < 0.7:
            cv2.rectangle(room, (x, y), (x + w, y + h), colour, -1, cv2.LINE_AA)
        else:
            cv2.ellipse(room, (x, y), (w // 2, h // 2), float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return _finish(_light(cv2.GaussianBlur(room, (0, 0), side * 0.004).astype(np.float32), rng), rng)


def draw_street(width: int, height: int, rng: np.random.Generator) -> Pixels:
    """A blurred photo (coffee on a table, a rocket on its pad), as behind a portrait lens."""
    photo = [skimage.data.coffee, skimage.data.rocket][rng.integers(2)]()
    blurred = cv2.GaussianBlur(_cover(photo, width, height, rng), (0, 0), max(width, height) * 0.008)
    return _finish(blurred.astype(np.float32), rng)


def draw_like(colour: NDArray[np.floating], spread: float) -> Draw:
    """Return a drawer of walls in about this colour (R, G, B), up to ``spread`` levels away: low contrast."""

    def draw(width: int, height: int, rng: np.random.Generator) -> Pixels:
        near = (colour + rng.uniform(-spread, spread, 3)).astype(np.float32)
        return _finish(_light(np.broadcast_to(near, (height, width, 3)), rng, 0.15), rng)

    return draw


def _cover(photo: NDArray[np.uint8], width: int, height: int, rng: np.random.Generator) -> _Planes:
    """Scale a photo to cover the size, and cut a random part out."""
    scale = max(width / photo.shape[1], height / photo.shape[0]) * rng.uniform(1.0, 1.5)
    size = (int(photo.shape[1] * scale) + 1, int(photo.shape[0] * scale) + 1)
    large = cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC)
    x, y = rng.integers(0, size[0] - width + 1), rng.integers(0, size[1] - height + 1)
    return large[y : y + height, x : x + width].astype(np.float32)


def _light(picture: _Planes, rng: np.random.Generator, strength: float = 0.35) -> _Planes:
    """Darken towards one side."""
    height, width = picture.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    slope = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    lit: _Planes = picture * (1 - strength / 2 + strength * slope[..., None]).astype(np.float32)
    return lit


def _finish(picture: _Planes, rng: np.random.Generator) -> Pixels:
    grain = rng.normal(0, 1.5, (*picture.shape[:2], 1))
    return np.rint(np.clip(picture + grain, 0, 255)).astype(np.uint8)
