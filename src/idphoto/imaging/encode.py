"""A finished photo to a file that says its print size and colour space."""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image, ImageCms

from idphoto.imaging.portrait import Photo

# Above 95 a JPEG grows quickly and no difference is to be seen (libjpeg's own advice).
_JPEG_QUALITY = 95

# zlib's default for ID photos; a whole canvas of 12 MP would take two seconds with it, and is packed by level 1 in a
# third of that, 18 % larger.
_PNG_LEVEL = 6
_PNG_LEVEL_LARGE = 1
_LARGE_PIXELS = 1_000_000


def encode(photo: Photo, *, format: Literal["jpg", "png"]) -> bytes:  # noqa: A002  the word that users know
    """Write the photo as a file with its dpi and an sRGB profile inside.

    A JPEG has quality 95 without chroma subsampling; a PNG is lossless and keeps transparency.

    Raises:
        ValueError: a JPEG was asked for, but the photo is transparent.
    """
    image = Image.fromarray(photo.pixels)
    dpi = (photo.dpi, photo.dpi)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    buffer = io.BytesIO()
    if format == "jpg":
        if image.mode != "RGB":
            raise ValueError("A JPEG cannot be transparent: render the photo on a background.")
        image.save(
            buffer, "JPEG", quality=_JPEG_QUALITY, subsampling="4:4:4", optimize=True, dpi=dpi, icc_profile=profile
        )
    else:
        level = _PNG_LEVEL if image.width * image.height <= _LARGE_PIXELS else _PNG_LEVEL_LARGE
        image.save(buffer, "PNG", compress_level=level, dpi=dpi, icc_profile=profile)
    return buffer.getvalue()
