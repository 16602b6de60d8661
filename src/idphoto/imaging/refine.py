"""Sharpens a network's matte by the photo itself: soft edges follow the picture, and single hairs come back.

Networks look at a reduced photo, so their edges are soft and thin hair is lost. The pixels in doubt are marked here,
and closed-form matting (:mod:`idphoto.imaging.laplacian`) solves them. docs/quality.md has what it brings.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.laplacian import solve_alpha
from idphoto.imaging.portrait import Alpha, Box, Pixels

_Mask: TypeAlias = NDArray[np.bool_]

#: Alpha up to which and from which the network is believed, 0 to 1.
_SURE = (0.05, 0.95)
#: What is unsure grows by this many face widths to each side.
_GROW = 0.005
#: A matte that is unsure about more of the picture than this shows no person to refine.
_MOST_UNSURE = 0.25

#: Hair is looked for up to this many face widths from the person, and down to this many face heights below the face.
_REACH = 0.35
_DOWN = 0.3
#: Lines up to half of this many face widths across stand out from what is around them.
_LINE = 0.045
#: By how many levels they do at least, and by how many times the usual difference around them.
_CONTRAST = 6.0
_OVER_USUAL = 2.5
#: Differences above this are lines themselves and say nothing of what is usual.
_USUAL_TOP = 15.0
_USUAL_REACH = 0.15
#: What a hair is taken for before it is solved, 0 to 1.
_HAIR_GUESS = 0.6
_JOINED = 0.05


def refine_alpha(pixels: Pixels, alpha: Alpha, face: Box, *, steps: int) -> Alpha:
    """Return the alpha, (H, W) uint8, with its unsure edge solved from the colours of the picture.

    Args:
        pixels: (H, W, 3) uint8, sRGB, as large as the alpha.
        alpha: (H, W) uint8 of one person.
        face: The person's face, in pixels of the same picture.
        steps: How close the solver comes, in steps; 90 is nearly all the way.
    """
    matte = alpha.astype(np.float32) / np.float32(255)
    hairs = _find_hairs(pixels, matte, face)
    unsure = _find_unsure(matte, face) | _thicken(hairs, 1)
    if unsure.mean() > _MOST_UNSURE:
        return alpha
    low, high = _SURE
    guess = np.where(matte > high, 1, np.where(matte < low, 0, matte)).astype(np.float32)
    guess[hairs] = np.maximum(guess[hairs], _HAIR_GUESS)
    solved = solve_alpha(pixels, guess, unsure, steps=steps)
    return np.rint(solved * 255).astype(np.uint8)


def _find_unsure(matte: NDArray[np.float32], face: Box) -> _Mask:
    """Return where the matte is between sure values, the line between those included."""
    low, high = _SURE
    person = (matte > 0.5).astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    edge = cv2.dilate(person, kernel) != cv2.erode(person, kernel, borderValue=1)
    return _thicken(((matte > low) & (matte < high)) | edge, max(1, round(_GROW * face.width)))


def _find_hairs(pixels: Pixels, matte: NDArray[np.float32], face: Box) -> _Mask:
    """Return thin lines around the head that stand out from the background and hang on to the person."""
    person = (matte > 0.5).astype(np.uint8)
    apart = cv2.distanceTransform(1 - person, cv2.DIST_L2, cv2.DIST_MASK_3)
    around = (apart > 0) & (apart <= _REACH * face.width)
    around[max(0, int(face.y + (1 + _DOWN) * face.height)) :] = False
    rows, columns = np.flatnonzero(around.any(axis=1)), np.flatnonzero(around.any(axis=0))
    hairs = np.zeros_like(around)
    if len(rows) == 0:
        return hairs
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ring = around[part]
    colours = np.ascontiguousarray(pixels[part])
    across = max(3, round(_LINE * face.width) | 1)
    difference = cv2.absdiff(colours, cv2.medianBlur(colours, across)).max(axis=2).astype(np.float32)
    reach = 2 * max(4, round(_USUAL_REACH * face.width)) + 1
    weight = ring.astype(np.float32)
    usual = cv2.blur(np.minimum(difference, _USUAL_TOP) * weight, (reach, reach))
    usual /= cv2.blur(weight, (reach, reach)) + np.float32(1e-4)
    lines = ring & (difference > _CONTRAST + _OVER_USUAL * usual)
    _, labels = cv2.connectedComponents((lines | (matte[part] > _JOINED)).astype(np.uint8), connectivity=8)
    inside = np.unique(labels[matte[part] > 0.5])
    hairs[part] = lines & np.isin(labels, inside)
    return hairs


def _thicken(mask: _Mask, pixels: int) -> _Mask:
    size = 2 * pixels + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    thick: _Mask = cv2.dilate(mask.astype(np.uint8), kernel) == 1
    return thick
