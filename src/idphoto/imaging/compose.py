"""Where the head goes on the canvas: scale, position and roll of one crop.

The crop is searched for (:mod:`idphoto.imaging.search`), and what could not be met is reported. Nothing is ever
invented: where the photo itself cuts the body, the cut is moved out of the frame, or stays visible with a notice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from idphoto.imaging.affine import Matrix
from idphoto.imaging.errors import TooTight
from idphoto.imaging.portrait import Notice, Portrait
from idphoto.imaging.search import TOLERANCE, Found, Search
from idphoto.specs import Spec

# Beyond this the landmarks are too unsure, below it turning would blur for nothing anyone sees; degrees.
_MAX_ROLL = 35.0
_MIN_ROLL = 1.0
# A turn that is worth telling about; degrees.
_NOTED_ROLL = 2.0
# An edge of the photo that cuts the person this far inside the frame can be seen; pixels.
_SEEN_CUT = 1.0


@dataclass(frozen=True, kw_only=True)
class Framing:
    """How the source is laid on the canvas."""

    matrix: Matrix
    """(2, 3): source coordinates to output coordinates, both with (0, 0) at the picture's corner."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    scale: float
    """Output pixels per source pixel."""
    warnings: tuple[Notice, ...] = ()


def frame_whole(portrait: Portrait) -> Framing:
    """Keep the source's own canvas, pixel for pixel."""
    height, width = portrait.alpha.shape
    return Framing(matrix=np.eye(2, 3), width=width, height=height, scale=1.0)


def frame(portrait: Portrait, spec: Spec, *, within: bool = False) -> Framing:
    """Find the crop that serves the spec best.

    The head's roll is taken out (up to 35 degrees) unless that would pull a cut edge of the body into the frame.
    The result's warnings say what it could not meet: ``OUT_OF_RANGE``, ``SHOULDERS_CUT``, ``HAIR_CUT``, and further
    ``UPSCALED`` and ``ROLL_CORRECTED``.

    Args:
        portrait: what is known of the photo.
        spec: what is asked for.
        within: the background is kept, so the canvas has to lie inside the photo. Without it a crop always exists.

    Raises:
        TooTight: the photo is too tight for a canvas of this shape inside it that holds the head.
    """
    roll = portrait.head.roll
    upright = float(np.clip(roll, -_MAX_ROLL, _MAX_ROLL)) if abs(roll) >= _MIN_ROLL else 0.0
    best = Search(portrait, spec, upright, within=within).solve()
    if upright and (best.cut > TOLERANCE or (within and not best.in_range)):
        others = [Search(portrait, spec, turn, within=within).solve() for turn in (upright / 2, 0.0)]
        best = min([best, *others], key=lambda found: found.cost)
    if within and best.head_outside > TOLERANCE:
        raise TooTight
    return Framing(
        matrix=best.matrix,
        width=spec.width,
        height=spec.height,
        scale=best.scale,
        warnings=tuple(_list_warnings(best, spec)),
    )


def _list_warnings(found: Found, spec: Spec) -> list[Notice]:
    notices = []
    if abs(found.turn) > _NOTED_ROLL:
        notices.append(Notice.ROLL_CORRECTED)
    if found.scale > 1:
        notices.append(Notice.UPSCALED)
    if found.cut > _SEEN_CUT / max(spec.width, spec.height):
        notices.append(Notice.SHOULDERS_CUT)
    if found.hair_outside > TOLERANCE:
        notices.append(Notice.HAIR_CUT)
    if not found.in_range:
        notices.append(Notice.OUT_OF_RANGE)
    return notices
