"""A finished photo to a file that says its print size and colour space, of a size that is asked for.

Offices count a kilobyte as 1000 or as 1024 bytes and rarely say which. A file with at least ``min_kb * 1024`` and at
most ``max_kb * 1000`` bytes is right by both counts; only where these contradict each other, 1024 holds for both.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from idphoto.imaging.errors import FileSizeUnreachable
from idphoto.imaging.icc import make_srgb_profile
from idphoto.imaging.portrait import Photo

# Above 95 a JPEG grows quickly and no difference is to be seen (libjpeg's own advice); only a least file size asks for
# more.
_JPEG_QUALITY = 95
_JPEG_HIGHEST = 100
# Below this, blocks are seen at arm's length.
_JPEG_LOWEST = 20
# Down to this quality the colours keep their full resolution; below, halving it costs less than more quantisation.
_FULL_COLOUR_FROM = 75

# zlib's default for ID photos; a whole canvas of 12 MP would take two seconds with it, and is packed by level 1 in a
# third of that, 18 % larger.
_PNG_LEVEL = 6
_PNG_LEVEL_LARGE = 1
_PNG_LEVEL_SMALLEST = 9
_LARGE_PIXELS = 1_000_000

# A JPEG comment: marker, length, at most 65533 bytes of text.
_COMMENT_HEAD = 4
_COMMENT_MOST = 65533
# A PNG chunk: length, name, checksum. The name says: of no meaning for the picture, ours, safe to copy.
_CHUNK_FRAME = 12
_CHUNK_NAME = b"idPd"
_PNG_END = 12
# A file is filled up to the least that is asked for: in memory.
_MAX_KB = 15 * 1024


@dataclass(frozen=True, kw_only=True)
class FileLimits:
    """How large a file may be, in kilobytes; None: no limit on that side.

    Raises:
        ValueError: the least is above the most, or one of them not within 0 to 15 MB.
    """

    min_kb: int | None = None
    max_kb: int | None = None

    def __post_init__(self) -> None:
        if not all(limit is None or 0 <= limit <= _MAX_KB for limit in (self.min_kb, self.max_kb)):
            raise ValueError(f"min_kb and max_kb must be 0 to {_MAX_KB}.")
        if self.min_kb is not None and self.max_kb is not None and self.min_kb > self.max_kb:
            raise ValueError(f"min_kb is {self.min_kb} and max_kb is {self.max_kb}: the least is above the most.")

    @property
    def bytes(self) -> tuple[int, int | None]:
        """The least and the most bytes, right by both counts of a kilobyte where that is possible."""
        least = (self.min_kb or 0) * 1024
        if self.max_kb is None:
            return least, None
        return least, self.max_kb * (1000 if self.max_kb * 1000 >= least else 1024)


NO_LIMITS = FileLimits()


def encode(photo: Photo, *, format: Literal["jpg", "png"], limits: FileLimits = NO_LIMITS) -> bytes:  # noqa: A002  the word that users know
    """Write the photo as a file with its dpi and an sRGB profile inside.

    A JPEG has quality 95 without chroma subsampling, and less of both only where ``limits`` ask for it; a PNG is
    lossless and keeps transparency. A file that is too small is filled up with bytes that no viewer shows.

    Raises:
        ValueError: a JPEG was asked for, but the photo is transparent.
        FileSizeUnreachable: the limits cannot be met at this size in pixels; the message says what can.
    """
    image = Image.fromarray(photo.pixels)
    if format == "jpg":
        if image.mode != "RGB":
            raise ValueError("A JPEG cannot be transparent: render the photo on a background.")
        return _fit_jpeg(image, photo.dpi, limits)
    return _fit_png(image, photo.dpi, limits)


def _fit_jpeg(image: Image.Image, dpi: int, limits: FileLimits) -> bytes:
    least, most = limits.bytes
    data = _write_jpeg(image, dpi, _JPEG_QUALITY)
    quality = _JPEG_QUALITY
    if most is not None and len(data) > most:
        quality, data = _search_quality(image, dpi, most, limits)
    elif len(data) < least:
        # Real detail before filler, as far as that goes.
        for higher in range(_JPEG_QUALITY + 1, _JPEG_HIGHEST + 1):
            finer = _write_jpeg(image, dpi, higher)
            if most is not None and len(finer) > most:
                break
            quality, data = higher, finer
            if len(data) >= least:
                break
    while most is not None and len(data) < least and max(least, len(data) + _COMMENT_HEAD) > most:
        # No room for even an empty comment: the next lower quality makes some.
        quality -= 1
        data = _write_jpeg(image, dpi, quality)
    return _fill_jpeg(data, least)


def _search_quality(image: Image.Image, dpi: int, most: int, limits: FileLimits) -> tuple[int, bytes]:
    """Return the highest quality whose file fits, and the file: about seven tries, as size grows with quality."""
    low, high = _JPEG_LOWEST, _JPEG_QUALITY - 1
    smallest = _write_jpeg(image, dpi, low)
    if len(smallest) > most:
        raise FileSizeUnreachable(
            f"At {image.width}x{image.height} pixels a JPEG of bearable quality takes {len(smallest) / 1000:.1f} KB, "
            f"and at most {limits.max_kb} KB are allowed: ask for fewer pixels or a higher max_kb."
        )
    best = low, smallest
    while low < high:
        middle = (low + high + 1) // 2
        data = _write_jpeg(image, dpi, middle)
        if len(data) <= most:
            low, best = middle, (middle, data)
        else:
            high = middle - 1
    return best


def _write_jpeg(image: Image.Image, dpi: int, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(
        buffer,
        "JPEG",
        quality=quality,
        # Not `optimize`: with it Pillow fails on files that outgrow its buffer, such as very grainy photos.
        subsampling="4:4:4" if quality >= _FULL_COLOUR_FROM else "4:2:0",
        dpi=(dpi, dpi),
        icc_profile=make_srgb_profile(),
    )
    return buffer.getvalue()


def _fill_jpeg(data: bytes, least: int) -> bytes:
    """Add comments of zeros behind the JFIF header, which has to come first."""
    missing = least - len(data)
    if missing <= 0:
        return data
    (header,) = struct.unpack(">H", data[4:6])
    place = 4 + header
    comments = bytearray()
    while missing > 0:
        room = min(_COMMENT_MOST, max(0, missing - _COMMENT_HEAD))
        rest = missing - _COMMENT_HEAD - room
        if 0 < rest < _COMMENT_HEAD:
            room -= _COMMENT_HEAD - rest  # so that what is left fills a comment of its own exactly
        comments += b"\xff\xfe" + struct.pack(">H", room + 2) + bytes(room)
        missing -= _COMMENT_HEAD + room
    return data[:place] + bytes(comments) + data[place:]


def _fit_png(image: Image.Image, dpi: int, limits: FileLimits) -> bytes:
    least, most = limits.bytes
    level = _PNG_LEVEL if image.width * image.height <= _LARGE_PIXELS else _PNG_LEVEL_LARGE
    data = _write_png(image, dpi, level)
    if most is not None and len(data) > most:
        data = _write_png(image, dpi, _PNG_LEVEL_SMALLEST)
    missing = least - len(data)
    if missing > 0:
        room = max(0, missing - _CHUNK_FRAME)
        chunk = _CHUNK_NAME + bytes(room)
        filler = struct.pack(">I", room) + chunk + struct.pack(">I", zlib.crc32(chunk))
        data = data[:-_PNG_END] + filler + data[-_PNG_END:]
    if most is not None and len(data) > most:
        raise FileSizeUnreachable(
            f"As a PNG this photo takes {len(data) / 1000:.1f} KB, and at most {limits.max_kb} KB are allowed: "
            "ask for jpg, fewer pixels or a higher max_kb."
        )
    return data


def _write_png(image: Image.Image, dpi: int, level: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=level, dpi=(dpi, dpi), icc_profile=make_srgb_profile())
    return buffer.getvalue()
