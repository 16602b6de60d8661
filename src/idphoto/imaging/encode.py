"""A finished photo to a file that says its print size and colour space."""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image, ImageCms

from idphoto.imaging.portrait import Photo

# Above 95 a JPEG grows quickly and no difference is to be seen (libjpeg's own advice).
_JPEG_QUALITY = 95

# Level 6 of zlib is its default; on portraits level 9 saves about one per cent for several times the work.
_PNG_LEVEL = 6


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
        image.save(buffer, "PNG", compress_level=_PNG_LEVEL, dpi=dpi, icc_profile=profile)
    return buffer.getvalue()
