"""Foregrounds with a matte that no single model has made.

A portrait has no true matte. What the models agree on is taken as known (:func:`draw_trimap`), and a narrow band along
the edge is solved from the picture alone: closed-form matting for alpha, a multi-level solver for the colour (both of
pymatting). A composite of the two over a new background then has an exact answer, whatever the portrait's own would be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pymatting
from numpy.typing import NDArray

from bench.quality.people import Foreground, move_face, scale_face
from bench.quality.portraits import Subject
from idphoto.imaging.portrait import Alpha, Face, Pixels

#: Longest side of a foreground, in pixels: what the models look at is smaller.
SIDE = 1024
#: Half the width of the band along the edge, in face widths; hair ends within it.
_BAND = 0.05
#: As far as this from the majority's edge, where the mattes disagree: loose hair and the gaps in it.
_LOOSE = 0.20
#: The solver's alpha below and above which nothing and everything is meant: its haze is no hair.
_CLEAR = (0.12, 0.88)
#: The models disagree on more than this share of the person: only head and shoulders are used.
_DISPUTED = 0.02
#: Head and shoulders around the face box: box widths to each side, box heights above and below.
_BUST = (1.9, 1.2, 1.5)
_HALF = 128


def make_foreground(subject: Subject, face: Face, mattes: Sequence[Alpha], cache: Path) -> Foreground:
    """Cut a portrait out, or read the result of an earlier call with the same input from the cache folder.

    Args:
        subject: the portrait, whose pixels are ``face`` and ``mattes`` for.
        face: the face in it.
        mattes: (H, W) uint8 each, of several models; an odd number.
        cache: folder for results.
    """
    colour, mattes, face = _limit_size(subject.pixels, mattes, face)
    colour, mattes, face = _limit_to_agreed(colour, mattes, face)
    key = hashlib.sha256(colour.tobytes() + b"".join(matte.tobytes() for matte in mattes)).hexdigest()[:16]
    path = cache / f"{subject.name}-{key}.npz"
    if path.exists():
        with np.load(path) as stored:
            return Foreground(name=subject.name, colour=stored["colour"], alpha=stored["alpha"], face=face)
    trimap = draw_trimap(mattes, face.box.width)
    image = colour.astype(np.float64) / 255
    alpha = pymatting.estimate_alpha_cf(image, trimap.astype(np.float64))
    low, high = _CLEAR
    alpha = np.clip((alpha - low) / (high - low), 0, 1)
    front = pymatting.estimate_foreground_ml(image, alpha)
    colour = np.rint(np.clip(front, 0, 1) * 255).astype(np.uint8)
    cache.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, colour=colour, alpha=alpha.astype(np.float32))
    return Foreground(name=subject.name, colour=colour, alpha=alpha.astype(np.float32), face=face)


def draw_trimap(mattes: Sequence[Alpha], face_width: float) -> NDArray[np.float32]:
    """Return (H, W) float32: 1 person, 0 background, 0.5 unknown, from the majority of the mattes.

    Unknown is a band of 0.05 face widths to each side of the majority's edge, and up to 0.20 where the mattes
    disagree: hair that only some models find, and gaps that only some see.
    """
    middle = np.median(np.stack(mattes), axis=0)
    person = _keep_largest((middle >= _HALF).astype(np.uint8))
    stack = np.stack(mattes)
    band, loose = max(2, round(_BAND * face_width)), max(3, round(_LOOSE * face_width))
    edge = cv2.dilate(person, _disc(band)) - cv2.erode(person, _disc(band), borderValue=1)
    around = cv2.dilate(person, _disc(loose)) - cv2.erode(person, _disc(loose), borderValue=1)
    unclear = (stack.max(axis=0) > 25) & (stack.min(axis=0) < 230)
    trimap = person.astype(np.float32)
    trimap[(edge == 1) | ((around == 1) & unclear)] = 0.5
    return trimap


def _keep_largest(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Keep the largest component, and fill what it encloses if that is small."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    largest = (labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    _, holes, stats, _ = cv2.connectedComponentsWithStats(1 - largest)
    small = stats[:, cv2.CC_STAT_AREA] < 0.002 * int(largest.sum())
    filled: NDArray[np.uint8] = np.maximum(largest, small[holes]).astype(np.uint8)
    return filled


def _disc(radius: int) -> NDArray[np.uint8]:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.uint8)


def _limit_size(colour: Pixels, mattes: Sequence[Alpha], face: Face) -> tuple[Pixels, list[Alpha], Face]:
    height, width = colour.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (round(width * scale), round(height * scale))

    def reduce(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)

    return reduce(colour), [reduce(matte) for matte in mattes], scale_face(face, scale)


def _limit_to_agreed(colour: Pixels, mattes: list[Alpha], face: Face) -> tuple[Pixels, list[Alpha], Face]:
    stack = np.stack(mattes) >= _HALF
    disputed = stack.any(axis=0) & ~stack.all(axis=0)
    if disputed.sum() <= _DISPUTED * stack.all(axis=0).sum():
        return colour, mattes, face
    beside, above, below = _BUST
    box, (height, width) = face.box, colour.shape[:2]
    left, right = max(0, int(box.x - beside * box.width)), min(width, int(box.x + (1 + beside) * box.width))
    top, bottom = max(0, int(box.y - above * box.height)), min(height, int(box.y + (1 + below) * box.height))

    def cut(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(picture[top:bottom, left:right])

    return cut(colour), [cut(matte) for matte in mattes], move_face(face, -left, -top)
