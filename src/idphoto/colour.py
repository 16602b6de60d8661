"""Colours as clients write them."""

from __future__ import annotations

import re

_HEX = re.compile(r"#?([0-9A-Fa-f]{6})")


def parse_colour(text: str) -> str:
    """Return the colour as RRGGBB in upper case; a leading # is allowed.

    Raises:
        ValueError: this is not six hexadecimal digits.
    """
    match = _HEX.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:80]!r} is not a colour: write six hexadecimal digits, such as FFFFFF or 438EDB.")
    return match[1].upper()
