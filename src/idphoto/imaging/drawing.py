"""Tells a drawn face from a photographed one: the face models see both.

Skin has a shade at every point; a cartoon is filled with even colours, a line drawing is paper with ink. The limits
lie between 11 drawings and 75 variants of five portraits (dark, too bright, blurred, noisy, JPEG quality 25, gray, with
glasses). A drawing that is shaded like a photo is taken for one.
"""

from __future__ import annotations

import cv2
import numpy as np

from idphoto.imaging.portrait import Face, Pixels

#: Longer side of the face that is looked at, in pixels.
_SIDE = 128
#: Part of the face's outline: hair and background lie beyond.
_INNER = 0.9
#: A place is even when nothing within this many pixels differs by more than this share of the face's range of tones.
_NEAR = 7
_EVEN = 0.02
#: From this gray level, light has burnt the photo out: such places are even in photos too.
_BURNT = 250
#: Share of the face that is even and not burnt out: cartoons 0.63 to 0.68, portraits up to 0.04.
_MOST_EVEN = 0.3
#: Ink beside paper: within 3x3 pixels the tone changes by more than this share of the face's range of tones.
_STEEP = 0.7
#: Share of the face where it does: line drawings 0.17 to 0.35, portraits up to 0.04, with drawn glasses 0.07.
_MOST_STEEP = 0.12


def is_drawn(pixels: Pixels, face: Face) -> bool:
    """Tell whether a face is drawn: (H, W, 3) uint8 and the face in it."""
    part, inside = _cut_face(pixels, face)
    gray = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    tones = gray[inside]
    if len(tones) == 0:
        return False
    dark, light = np.percentile(tones, (2, 98))
    span = max(1.0, float(light - dark))
    kernel = np.ones((_NEAR, _NEAR), np.uint8)
    spread = (cv2.dilate(part, kernel) - cv2.erode(part, kernel)).max(axis=2)
    even = (spread <= max(1.0, _EVEN * span)) & (cv2.erode(gray, kernel) < _BURNT)
    if even[inside].mean() > _MOST_EVEN:
        return True
    steps = cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return bool((steps[inside] > _STEEP * span).mean() > _MOST_STEEP)


def _cut_face(pixels: Pixels, face: Face) -> tuple[Pixels, np.ndarray]:
    """Return the face at 128 pixels and a mask (h, w) of bool of what lies within its outline."""
    outline = cv2.convexHull(np.ascontiguousarray(face.landmarks[:, :2]))[:, 0]
    middle = outline.mean(axis=0)
    outline = middle + (outline - middle) * _INNER
    height, width = pixels.shape[:2]
    left, top = np.maximum(outline.min(axis=0), 0).astype(int)
    right, bottom = np.minimum(outline.max(axis=0) + 1, (width, height)).astype(int)
    if right - left < 2 or bottom - top < 2:
        return np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), bool)
    part = pixels[top:bottom, left:right]
    scale = _SIDE / max(part.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=interpolation).astype(np.uint8, copy=False)
    inside = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, np.rint((outline - (left, top)) * scale).astype(np.int32), 1)
    return part, inside == 1
