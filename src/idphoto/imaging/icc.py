"""The sRGB profile that goes into every file."""

from __future__ import annotations

import struct
from functools import cache

from PIL import ImageCms

#: When a profile was made, in its header: year, month, day, hour, minute, second (ICC.1:2022, 7.2.8).
_DATE_AT = 24
_DATE = struct.Struct(">6H")


@cache
def make_srgb_profile() -> bytes:
    """Return the profile, the same bytes at every time.

    Little CMS writes the current second into it; two runs over one photo would then give different files.
    """
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    _DATE.pack_into(profile, _DATE_AT, 2000, 1, 1, 0, 0, 0)
    return bytes(profile)
