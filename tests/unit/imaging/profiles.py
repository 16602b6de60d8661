"""Small ICC profiles, put together by hand after ICC.1:2001-04 (version 2)."""

from __future__ import annotations

import struct

import numpy as np

# D50, the white that every profile refers to.
_WHITE = (0.9642, 1.0, 0.8249)

# Display P3 (SMPTE RP 431-2 primaries, D65 white), adapted to D50 by Bradford; columns red, green, blue.
_P3 = np.array([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(_fixed(value) for value in values)


def _description(text: str) -> bytes:
    name = text.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + b"\0" * (4 + 4 + 2 + 1 + 67)


def _curve(table: list[int]) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">I{len(table)}H", len(table), *table)


def _srgb_curve() -> list[int]:
    value = np.linspace(0, 1, 1024)
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return [round(level * 65535) for level in light.tolist()]


def make_profile(name: str) -> bytes:
    """Make "Display P3", a wide colour space with the curve of sRGB, or "grey", linear light."""
    common = [(b"desc", _description(name)), (b"wtpt", _xyz(_WHITE)), (b"cprt", b"text\0\0\0\0none\0")]
    if name == "grey":
        space, tags = b"GRAY", [*common, (b"kTRC", _curve([]))]
    else:
        curve = _curve(_srgb_curve())
        space = b"RGB "
        tags = [*common]
        for letter, column in zip(b"rgb", _P3.T.tolist(), strict=True):
            tags += [(bytes([letter]) + b"XYZ", _xyz(tuple(column))), (bytes([letter]) + b"TRC", curve)]
    table, bodies = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for signature, body in tags:
        padded = body + b"\0" * (-len(body) % 4)
        table += signature + struct.pack(">II", start + len(bodies), len(body))
        bodies += padded
    header = (
        struct.pack(">I4sI", start + len(bodies), b"none", 0x02400000)
        + b"mntr"
        + space
        + b"XYZ "
        + struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
        + b"acsp"
        + b"\0" * 28
        + b"".join(_fixed(value) for value in _WHITE)
    ).ljust(128, b"\0")
    return header + struct.pack(">I", len(tags)) + table + bodies
