"""A mark across a photo that is shown before it is paid for or approved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from idphoto.imaging import affine

# Shares of the photo's width, so that a preview of any size is marked alike. About five rows of words cross a face.
_LETTERS = 0.085
_GAP_ACROSS, _GAP_DOWN = 0.07, 0.075
_OUTLINE = 0.005
#: Pillow draws no useful letters below this size, in pixels.
_SMALLEST = 8
_ANGLE = 30.0  # degrees, rising to the right
# Light letters show on dark and mid tones, their dark outline on light ones. Set by eye on white, black and faces.
_LIGHT, _LIGHT_SHARE = 255, 0.50
_DARK, _DARK_SHARE = 40, 0.42


def mark_preview(pixels: NDArray[np.uint8], text: str = "PREVIEW") -> NDArray[np.uint8]:
    """Write a text all over a photo: the face stays recognisable, the photo is not usable as the final one.

    Args:
        pixels: (H, W, 3) sRGB, or (H, W, 4) with straight alpha; the mark then covers what is transparent as well.
        text: Latin letters, which is what Pillow's own font has; not blank.

    Returns:
        The same shape, a copy.

    Raises:
        ValueError: the text is blank.
    """
    if not text.strip():
        raise ValueError("A preview needs a text to be marked with.")
    height, width = pixels.shape[:2]
    light, dark = _draw(text.strip(), height, width)
    cover = light + dark
    tone = (light * _LIGHT + dark * _DARK) / np.maximum(cover, 1e-6)
    if pixels.shape[2] == 3:
        return _round(pixels * (1 - cover) + tone * cover)
    # Straight alpha, "over" of T. Porter and T. Duff, "Compositing Digital Images", 1984.
    below = pixels[..., 3:] / 255 * (1 - cover)
    alpha = cover + below
    colour = (tone * cover + pixels[..., :3] * below) / np.maximum(alpha, 1e-6)
    # Where neither the photo nor the mark shows, the colour behind the transparency stays as it is.
    return _round(np.dstack([np.where(alpha > 0, colour, pixels[..., :3]), alpha * 255]))


def _draw(text: str, height: int, width: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return how much light and how much dark covers each pixel, both (H, W, 1), 0 to 1."""
    font = ImageFont.load_default(max(_SMALLEST, round(_LETTERS * width)))
    outline = max(1, round(_OUTLINE * width))
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text, stroke_width=outline))
    step_x, step_y = right - left + round(_GAP_ACROSS * width), bottom - top + round(_GAP_DOWN * width)
    # Written level on a square that covers the photo however it is turned.
    side = int(np.hypot(height, width)) + 2
    inside, around = Image.new("L", (side, side)), Image.new("L", (side, side))
    for row, y in enumerate(range(0, side, step_y)):
        # Every second row is shifted by half a word, so that no clean stripe is left.
        for x in range(-(row % 2) * step_x // 2, side, step_x):
            place = (x - left, y - top)
            ImageDraw.Draw(inside).text(place, text, fill=255, font=font)
            ImageDraw.Draw(around).text(place, text, fill=255, font=font, stroke_width=outline)
    turn = affine.level((side / 2, side / 2), angle=_ANGLE, scale=1.0, target=(width / 2, height / 2))
    letters, words = (
        affine.sample(np.asarray(image), turn, width=width, height=height)[..., None] / 255
        for image in (inside, around)
    )
    return letters * _LIGHT_SHARE, np.maximum(words - letters, 0) * _DARK_SHARE


def _round(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    rounded: NDArray[np.uint8] = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return rounded
