"""The person's own colour at the edge of the cut-out, where the old background shines through.

A pixel of hair is a mixture ``I = a F + (1 - a) B`` of foreground and background. Laid on a new background as it
is, it carries ``(1 - a) B`` along: a halo. F is estimated by blur fusion in two rounds, after M. Forté and
F. Pitié, "Approximate Fast Foreground Colour Estimation", ICIP 2021: blurred colours of both sides, weighted by
their alpha, explain each pixel, and the foreground takes the remainder by its share.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.portrait import Alpha, Pixels

_Planes = NDArray[np.float32]

# The paper's radii, 90 and 6, are for pictures of about 1000 pixels.
_WIDE_RADIUS = 0.09
_NARROW_RADIUS = 0.006

# The blurred colours are smooth, so beyond this side they are estimated on a smaller copy: a whole 12 MP canvas
# costs little more than a passport photo.
_WORK_SIDE = 1024

_NOT_ZERO = 1e-5


def clean_foreground(pixels: Pixels, alpha: Alpha) -> Pixels:
    """Take the old background's colour out of the half-transparent edge.

    Args:
        pixels: (H, W, 3), the photo with its old background.
        alpha: (H, W), 0 background to 255 person.

    Returns:
        (H, W, 3): unchanged where alpha is 255, the person's estimated colour where it is between, black where it
        is 0, so that nothing of the old background travels in a transparent file.
    """
    cleaned: Pixels = np.where(alpha[..., None] == 255, pixels, 0).astype(np.uint8)
    rows, columns = np.nonzero((alpha > 0) & (alpha < 255))
    if len(rows) == 0:
        return cleaned
    front, back = _estimate_sides(pixels, alpha)
    mixed, front_band, back_band = (plane[rows, columns].astype(np.float32) for plane in (pixels, front, back))
    cleaned[rows, columns] = _round(_fuse(mixed, _as_share(alpha[rows, columns]), front_band, back_band))
    return cleaned


def _estimate_sides(pixels: Pixels, alpha: Alpha) -> tuple[Pixels, Pixels]:
    """Estimate the colours of person and background everywhere, both (H, W, 3)."""
    height, width = alpha.shape
    factor = min(1.0, _WORK_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    mixed = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    share = _as_share(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA))
    side = max(size)
    front, back = _blur_sides(mixed, mixed, share, round(_WIDE_RADIUS * side))
    front = _fuse(mixed, share, front, back)
    front, back = _blur_sides(front, back, share, max(1, round(_NARROW_RADIUS * side)))
    return _enlarge(front, (width, height)), _enlarge(back, (width, height))


def _blur_sides(front: _Planes, back: _Planes, share: _Planes, radius: int) -> tuple[_Planes, _Planes]:
    """Average each side's colour over its own pixels."""
    window = (2 * radius + 1, 2 * radius + 1)
    blurred_share = cv2.blur(share, window)[..., None]
    blurred_front = cv2.blur(front * share, window) / (blurred_share + _NOT_ZERO)
    blurred_back = cv2.blur(back * (1 - share), window) / (1 - blurred_share + _NOT_ZERO)
    return blurred_front.astype(np.float32, copy=False), blurred_back.astype(np.float32, copy=False)


def _fuse(mixed: _Planes, share: _Planes, front: _Planes, back: _Planes) -> _Planes:
    fused: _Planes = np.clip(front + share * (mixed - share * front - (1 - share) * back), 0, 255)
    return fused


def _enlarge(planes: _Planes, size: tuple[int, int]) -> Pixels:
    return cv2.resize(_round(planes), size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _as_share(alpha: NDArray[np.number]) -> _Planes:
    """Bring alpha from 0..255 to 0..1, with an axis for the channels."""
    share: _Planes = (alpha.astype(np.float32) / np.float32(255))[..., None]
    return share


def _round(planes: _Planes) -> Pixels:
    return np.rint(np.clip(planes, 0, 255)).astype(np.uint8)
