"""Things that people wear, drawn onto a foreground with exact alpha: loose strands of hair and a hat."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.quality.people import Foreground

_FINER = 4
"""Strands are drawn this many times finer and averaged, which gives them fractional alpha."""
_STRANDS = 60


def put_on_strands(foreground: Foreground, rng: np.random.Generator) -> Foreground:
    """Let about 60 single hairs stand out from the upper half of the head's outline, in the hair's own colour."""
    height, width = foreground.alpha.shape
    box = foreground.face.box
    outline = _find_outline(foreground)
    canvas = np.zeros((height * _FINER, width * _FINER), np.uint8)
    for _ in range(_STRANDS):
        x, y = outline[rng.integers(len(outline))]
        away = np.array([x - (box.x + box.width / 2), y - (box.y + box.height / 2)])
        direction = away / (np.linalg.norm(away) + 1e-6)
        side = np.array([-direction[1], direction[0]]) * rng.uniform(-1, 1)
        length = box.width * rng.uniform(0.08, 0.3)
        t = np.linspace(-0.2, 1, 24)[:, None]
        curve = np.array([x, y]) + length * (t * (direction + 0.5 * side) + (t**2) * side * 0.7)
        thickness = max(1, round(box.width / 200 * _FINER * rng.uniform(0.5, 1.5)))
        points = np.rint(curve * _FINER * 16).astype(np.int32)
        cv2.polylines(canvas, [points], False, 255, thickness, cv2.LINE_AA, 4)
    strands = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    hair = np.median([foreground.colour[min(height - 1, y + 3), x] for x, y in outline], axis=0)
    return _lay_over(foreground, np.broadcast_to(hair.astype(np.float32), (height, width, 3)), strands)


def put_on_hat(foreground: Foreground, rng: np.random.Generator) -> Foreground:
    """Put a knitted hat over the hair: a dome with ribs and shading, from above the brows."""
    height, width = foreground.alpha.shape
    box = foreground.face.box
    outline = _find_outline(foreground)
    rise = max(0.35 * box.height, box.y + 0.1 * box.height - float(outline[:, 1].min())) + 0.08 * box.height
    centre = (box.x + box.width / 2, box.y + 0.1 * box.height)
    half = max(0.62 * box.width, float(np.abs(outline[:, 0] - centre[0]).max()) * 0.95)
    half = min(half, 0.85 * box.width)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    reach = np.hypot((x - centre[0]) / half, np.minimum(0, y - centre[1]) / rise)
    inside = np.clip((1 - reach) * half / 1.5, 0, 1) * np.clip(centre[1] + 0.12 * box.height - y, 0, 1)
    ribs = 0.85 + 0.15 * np.sin(np.arcsin(np.clip((x - centre[0]) / half, -1, 1)) * 40)
    shade = np.sqrt(np.clip(1 - 0.7 * reach**2, 0.1, 1))
    colour = rng.uniform(30, 220, 3).astype(np.float32)
    return _lay_over(foreground, colour * (ribs * shade)[..., None], inside.astype(np.float32))


def _find_outline(foreground: Foreground) -> NDArray[np.int64]:
    """Return the points (N, 2) of the person's edge above the middle of the face, in pixels."""
    box = foreground.face.box
    person = (foreground.alpha > 0.5).astype(np.uint8)
    edge = person - cv2.erode(person, np.ones((3, 3), np.uint8))
    y, x = np.nonzero(edge)
    near = (y < box.y + box.height * 0.6) & (np.abs(x - box.x - box.width / 2) < box.width)
    return np.stack([x[near], y[near]], axis=1)


def _lay_over(foreground: Foreground, colour: NDArray[np.float32], share: NDArray[np.float32]) -> Foreground:
    """Put something with its own alpha in front of a foreground."""
    alpha = share + foreground.alpha * (1 - share)
    mixed = colour * share[..., None] + foreground.colour * (foreground.alpha * (1 - share))[..., None]
    shown = np.where(alpha[..., None] > 0, mixed / np.maximum(alpha, 1e-4)[..., None], foreground.colour)
    return Foreground(
        name=foreground.name,
        colour=np.rint(np.clip(shown, 0, 255)).astype(np.uint8),
        alpha=alpha.astype(np.float32),
        face=foreground.face,
    )
