"""A finished photo with its document's ranges drawn over it, for people who want to see why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from idphoto.imaging.portrait import Head, Pixels
from idphoto.specs import Range, Spec

_Colour: TypeAlias = tuple[int, int, int]

#: The drawing is at least this high, so that its words can be read; pixels.
_HEIGHT = 900
_WORDS = 260  # width of the column with the words
_TOP: _Colour = (222, 64, 64)
_HEAD: _Colour = (32, 120, 220)
_EYES: _Colour = (20, 150, 70)
_CHIN: _Colour = (180, 90, 200)
_FACE: _Colour = (230, 140, 20)
_OPACITY = 0.28


def draw_overlay(pixels: NDArray[np.uint8], head: Head, spec: Spec) -> Pixels:
    """Draw what is allowed as bands and what was measured as lines, with the figures beside.

    Args:
        pixels: (H, W, 3) or (H, W, 4), the finished photo.
        head: its head, in the photo's pixels.
        spec: whose ranges are drawn; a range that it does not set is left out.

    Returns:
        (H', W', 3): larger than the photo, at least 900 pixels high.
    """
    scale = max(1.0, _HEIGHT / spec.height)
    size = (round(spec.width * scale), round(spec.height * scale))
    canvas = cv2.resize(_flatten(pixels), size, interpolation=cv2.INTER_CUBIC)
    picture = Image.fromarray(np.hstack([canvas, np.full((size[1], _WORDS, 3), 255, np.uint8)]).astype(np.uint8))
    drawing = _Drawing(picture, size)
    crown, chin = head.top(spec.crown)[1] / spec.height, head.chin[1] / spec.height
    eyes = head.eye_middle[1] / spec.height
    face = head.face_width / spec.width
    middle = (head.eye_middle[0] + head.chin[0]) / 2 / spec.width
    drawing.row("Top margin", spec.top_margin, crown, _TOP, lambda value: value, line=crown)
    drawing.row("Head height", spec.head_height, chin - crown, _HEAD, lambda value: chin - value, line=crown)
    drawing.row("Eye line", spec.eye_line, 1 - eyes, _EYES, lambda value: 1 - value, line=eyes)
    drawing.row("Chin to bottom", spec.chin_to_bottom, 1 - chin, _CHIN, lambda value: 1 - value, line=chin)
    drawing.column("Face width", spec.face_width, face, middle, _FACE)
    drawing.words(f"{spec.id}: {spec.width}x{spec.height} px", (60, 60, 60))
    return np.asarray(picture)


class _Drawing:
    """Bands, lines and words on one picture."""

    def __init__(self, picture: Image.Image, size: tuple[int, int]) -> None:
        self._width, self._height = size
        self._draw = ImageDraw.Draw(picture, "RGBA")
        self._font = ImageFont.load_default(15)
        self._next_line = 10

    def row(
        self,
        name: str,
        limits: Range | None,
        value: float,
        colour: _Colour,
        place: Callable[[float], float],
        *,
        line: float,
    ) -> None:
        """Draw a range of heights as a band, and what was measured as a line; places count from the top."""
        if limits is None:
            return
        ends = sorted(place(end) * self._height for end in _list_ends(limits))
        # A range that is open on one side would cover half of the photo: its one end is enough.
        self._draw.rectangle((0, ends[0] - 1, self._width, ends[-1] + 1), fill=(*colour, round(255 * _OPACITY)))
        self._draw.line((0, line * self._height, self._width, line * self._height), fill=colour, width=2)
        self._tell(name, limits, value, colour)

    def column(self, name: str, limits: Range | None, value: float, middle: float, colour: _Colour) -> None:
        """Draw a range of widths around the head's axis, and what was measured."""
        if limits is None:
            return
        for side in (-1, 1):
            ends = sorted((middle + side * end / 2) * self._width for end in _list_ends(limits))
            self._draw.rectangle((ends[0] - 1, 0, ends[-1] + 1, self._height), fill=(*colour, round(255 * _OPACITY)))
            place = (middle + side * value / 2) * self._width
            self._draw.line((place, 0, place, self._height), fill=colour, width=2)
        self._tell(name, limits, value, colour)

    def words(self, text: str, colour: _Colour) -> None:
        """Write a line beside the photo."""
        self._draw.text((self._width + 10, self._next_line), text, fill=colour, font=self._font)
        self._next_line += 24

    def _tell(self, name: str, limits: Range, value: float, colour: _Colour) -> None:
        self.words(f"{name} {value:.1%} ({_write_range(limits)})", colour)


def _list_ends(limits: Range) -> list[float]:
    """Return the ends that are rules, not the photo's own edges."""
    return [end for end in (limits.low, limits.high) if 0 < end < 1]


def _write_range(limits: Range) -> str:
    if limits.low <= 0:
        return f"up to {limits.high:.1%}"
    if limits.high >= 1:
        return f"from {limits.low:.1%}"
    return f"{limits.low:.1%} to {limits.high:.1%}"


def _flatten(pixels: NDArray[np.uint8]) -> Pixels:
    if pixels.shape[2] == 3:
        return pixels
    share = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * share + 255 * (255 - share)) // 255).astype(np.uint8)
