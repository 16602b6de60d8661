"""A framed portrait to a finished picture: one resampling, clean edges, the new background."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.affine import Matrix, invert, move
from idphoto.imaging.backdrop import lay_gradient
from idphoto.imaging.compose import Framing
from idphoto.imaging.foreground import clean_foreground
from idphoto.imaging.geometry import move_head
from idphoto.imaging.portrait import Alpha, Photo, Pixels, Portrait
from idphoto.imaging.retouch import Retouch, retouch

# Below this scale the source is first reduced by whole pixels, so that the supersampled picture stays small.
_MIN_SCALE = 0.25

# Source pixels around the crop that interpolation and reduction may reach for.
_REACH = 4


@dataclass(frozen=True, kw_only=True)
class Finish:
    """What is done to a framed portrait."""

    background: str | None = "FFFFFF"
    """RRGGBB; None: transparent, which only PNG can hold."""
    background_end: str | None = None
    """RRGGBB at the bottom of a vertical gradient that begins with ``background``."""
    keep_background: bool = False
    """Show the photo's own background; the two colours are then not used."""
    retouch: Retouch = field(default_factory=Retouch)


@dataclass(frozen=True, kw_only=True)
class CutOut:
    """A framed portrait: observed colours, old background included, and the alpha that goes with them."""

    pixels: Pixels
    """(H, W, 3)."""
    alpha: Alpha
    """(H, W); 0 where the canvas reaches beyond the source."""


def render(portrait: Portrait, framing: Framing, finish: Finish, *, dpi: int) -> Photo:
    """Lay the portrait on its canvas and finish it.

    Args:
        portrait: what is known of the photo.
        framing: where it goes.
        finish: background and retouch.
        dpi: passed on to the photo.

    Returns:
        A photo of exactly the framing's size, with the notices of both the portrait and the framing.
    """
    cut = crop(portrait, framing)
    # The old background's colour goes first, or retouching would work on it as well.
    pixels = cut.pixels if finish.keep_background else clean_foreground(cut.pixels, cut.alpha)
    if not finish.retouch.is_off:
        landmarks = move(framing.matrix, portrait.face.landmarks[:, :2]).astype(np.float32)
        pixels = retouch(pixels, cut.alpha, landmarks, finish.retouch)
    if not finish.keep_background:
        pixels = _lay(pixels, cut.alpha, _paint_backdrop(framing, finish))
    return Photo(
        pixels=pixels,
        alpha=cut.alpha,
        dpi=dpi,
        head=move_head(portrait.head, framing.matrix),
        warnings=portrait.warnings + framing.warnings,
    )


def _paint_backdrop(framing: Framing, finish: Finish) -> Pixels | None:
    if finish.background is None:
        return None
    bottom = finish.background_end or finish.background
    return lay_gradient(framing.height, framing.width, top=finish.background, bottom=bottom)


def _lay(pixels: Pixels, alpha: Alpha, backdrop: Pixels | None) -> NDArray[np.uint8]:
    """Put the person before a backdrop, mixed in sRGB; None makes the picture transparent, with straight alpha."""
    if backdrop is None:
        return np.dstack([pixels, alpha])
    # Once for each channel: arithmetic without broadcasting is several times faster.
    share = cv2.merge([alpha] * 3).astype(np.uint16)
    # Exact rounding of the mixture in integers: 255 * 255 fits 16 bits, and half of 255 rounds.
    mixed = pixels * share + backdrop * (255 - share) + np.uint16(127)
    return (mixed // np.uint16(255)).astype(np.uint8)


def crop(portrait: Portrait, framing: Framing) -> CutOut:
    """Resample the portrait onto its canvas, colour and alpha side by side.

    What lies outside the source is transparent, and repeats the source's edge in colour.
    """
    height, width = portrait.alpha.shape
    if (framing.width, framing.height) == (width, height) and np.array_equal(framing.matrix, np.eye(2, 3)):
        return CutOut(pixels=portrait.pixels, alpha=portrait.alpha)
    left, top, right, bottom = _find_region(framing, width, height)
    if left >= right or top >= bottom:
        return CutOut(
            pixels=np.zeros((framing.height, framing.width, 3), np.uint8),
            alpha=np.zeros((framing.height, framing.width), np.uint8),
        )
    # The four channels travel as one picture: one pass over memory.
    region = np.dstack([portrait.pixels[top:bottom, left:right], portrait.alpha[top:bottom, left:right]])
    matrix, scale = _move_origin(framing.matrix, left, top), framing.scale
    if scale < _MIN_SCALE:
        factor = int(0.5 / scale)
        region = _reduce(region, factor)
        matrix = matrix @ np.diag([factor, factor, 1.0])
        scale *= factor
    # Above the Nyquist limit by whole steps, then the exact average of each step: free of aliasing at any scale.
    steps = max(1, math.ceil(1 / scale))
    # Bicubic keeps detail where output pixels are about as fine as the source's; further down none of it is left.
    interpolation = cv2.INTER_CUBIC if scale > 0.5 else cv2.INTER_LINEAR
    fine_size = (framing.width * steps, framing.height * steps)
    fine_matrix = _to_pixel_centres(np.diag([steps, steps]) @ matrix)
    fine = cv2.warpAffine(region, fine_matrix, fine_size, flags=interpolation, borderMode=cv2.BORDER_REPLICATE)
    # Colours beyond the source's edge are repeated only for the interpolation to lean on; nothing of them shows.
    inside = cv2.warpAffine(
        np.full(region.shape[:2], 255, np.uint8),
        fine_matrix,
        fine_size,
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    fine[..., 3] = np.minimum(fine[..., 3], inside)
    if steps > 1:
        fine = cv2.resize(fine, (framing.width, framing.height), interpolation=cv2.INTER_AREA)
    channels = fine.astype(np.uint8, copy=False)
    return CutOut(pixels=np.ascontiguousarray(channels[..., :3]), alpha=np.ascontiguousarray(channels[..., 3]))


def _find_region(framing: Framing, width: int, height: int) -> tuple[int, int, int, int]:
    """Find the part of the source that the canvas shows: left, top, right, bottom in whole pixels."""
    corners = np.array([[0.0, 0], [framing.width, 0], [0, framing.height], [framing.width, framing.height]])
    places = move(invert(framing.matrix), corners)
    reach = _REACH + math.ceil(1 / framing.scale)
    left, top = np.floor(places.min(axis=0)) - reach
    right, bottom = np.ceil(places.max(axis=0)) + reach
    return max(0, int(left)), max(0, int(top)), min(width, int(right)), min(height, int(bottom))


def _reduce(region: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Average blocks of factor x factor pixels; an incomplete block at the end repeats the last pixel."""
    height, width = region.shape[:2]
    filled = cv2.copyMakeBorder(region, 0, -height % factor, 0, -width % factor, cv2.BORDER_REPLICATE)
    size = (filled.shape[1] // factor, filled.shape[0] // factor)
    return cv2.resize(filled, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _move_origin(matrix: Matrix, x: int, y: int) -> Matrix:
    """Make the matrix start from a source whose corner is (x, y)."""
    moved: Matrix = matrix @ np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])
    return moved


def _to_pixel_centres(matrix: Matrix) -> Matrix:
    """Make a matrix between pixel corners one between pixel centres, which is how OpenCV counts."""
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return centred
