"""Millimetres, pixels and dots per inch."""

from __future__ import annotations

MM_PER_INCH = 25.4


def to_px(millimetres: float, dpi: float) -> int:
    """Return the nearest whole number of pixels, at least 1."""
    return max(1, round(millimetres / MM_PER_INCH * dpi))


def to_mm(pixels: float, dpi: float) -> float:
    """Return the length on paper."""
    return pixels / dpi * MM_PER_INCH
