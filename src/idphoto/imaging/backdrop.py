"""What is laid behind the person: one colour, or two that run into each other."""

from __future__ import annotations

import numpy as np

from idphoto.imaging.portrait import Pixels


def lay_plain(height: int, width: int, colour: str) -> Pixels:
    """Lay one colour.

    Args:
        height: rows, at least 1.
        width: columns, at least 1.
        colour: RRGGBB, sRGB.

    Returns:
        (height, width, 3).

    Raises:
        ValueError: the colour is not six hexadecimal digits.
    """
    return lay_gradient(height, width, top=colour, bottom=colour)


def lay_gradient(height: int, width: int, *, top: str, bottom: str) -> Pixels:
    """Let one colour run into another from the top row to the bottom row.

    The way is straight in sRGB codes, which are about evenly spaced for the eye, and each code is rounded by itself:
    no step is larger than the one of 1/255 that an 8 bit picture has.

    Args:
        height: rows, at least 1; a single row has the top colour.
        width: columns, at least 1.
        top: RRGGBB of the first row, sRGB.
        bottom: RRGGBB of the last row.

    Returns:
        (height, width, 3).

    Raises:
        ValueError: a colour is not six hexadecimal digits.
    """
    rows = np.rint(np.linspace(_read(top), _read(bottom), height)).astype(np.uint8)
    return np.repeat(rows[:, None], width, axis=1)


def _read(colour: str) -> tuple[int, ...]:
    codes = tuple(bytes.fromhex(colour))
    if len(colour) != 6 or len(codes) != 3:
        raise ValueError(f"A colour is RRGGBB, six hexadecimal digits, not {colour[:20]!r}.")
    return codes
