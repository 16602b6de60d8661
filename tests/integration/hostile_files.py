"""Files that want to cost more than they weigh. Each is built here, from a few bytes and an idea."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

BYTES = 2_000_000
"""How large the long ones are."""


def save(format_: str, side: int = 64, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (200, 180, 160)).save(buffer, format_, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(chunks: bytes) -> bytes:
    """A small PNG with chunks between its header and its pixels."""
    plain = save("PNG")
    return plain[:33] + chunks + plain[33:]


def jpeg_with(segments: bytes) -> bytes:
    """A small JPEG with segments before its own."""
    plain = save("JPEG")
    return plain[:2] + segments + plain[2:]


def gif_with(blocks: bytes) -> bytes:
    """A small GIF with blocks before its picture."""
    plain = save("GIF")
    picture = plain.index(b",")
    return plain[:picture] + blocks + plain[picture:]


def with_size_in_box(data: bytes, width: int, height: int) -> bytes:
    """A HEIC or AVIF file whose ``ispe`` boxes claim another size."""
    at = 0
    while (at := data.find(b"ispe", at)) >= 0:
        data = data[: at + 8] + struct.pack(">II", width, height) + data[at + 16 :]
        at += 4
    return data


def huge_claims() -> dict[str, bytes]:
    """Small files that claim hundreds of megapixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    jpeg = save("JPEG")
    frame = jpeg.index(b"\xff\xc0")
    bmp = save("BMP")
    gif = save("GIF")
    entries = ((256, 4, 40_000), (257, 4, 40_000), (258, 3, 8), (262, 3, 1), (273, 4, 8), (278, 4, 1), (279, 4, 9))
    ifd = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return {
        "png": b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"")),
        "jpeg": jpeg[: frame + 5] + struct.pack(">HH", 65_500, 65_500) + jpeg[frame + 9 :],
        "bmp": bmp[:18] + struct.pack("<ii", 60_000, 60_000) + bmp[26:],
        "gif": gif[:6] + struct.pack("<HH", 65_535, 65_535) + gif[10:],
        "tiff": b"II*\0" + struct.pack("<IH", 8, len(entries)) + ifd + b"\0" * 64,
        "webp": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\x3f\0" * 2 + b"VP8 \x04\0\0\0" + b"\0" * 4,
        "avif": with_size_in_box(save("AVIF"), 60_000, 60_000),
    }


def animations() -> dict[str, bytes]:
    """Many frames or pages, the first of them like ``save`` makes it."""
    more = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in range(250)]
    return {format_: save(format_, save_all=True, append_images=more) for format_ in ("GIF", "WEBP", "PNG", "TIFF")}


def long_metadata() -> dict[str, bytes]:
    """Metadata that is large, compressed, repeated, or refers to itself."""
    loop = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x8769, 4, 1, 8) + b"\0\0\0\0"
    wide = b"II*\0\x08\0\0\0" + struct.pack("<H", 65_535) + struct.pack("<HHII", 0x0112, 3, 2**24, 8) * 65_535
    packed = zlib.compress(b"x" * 50_000_000, 9)
    exif = b"\xff\xe1" + struct.pack(">H", 60_008) + b"Exif\0\0"
    return {
        "png of a million chunks": png_with(png_chunk(b"aaAa") * (BYTES // 12)),
        "png of empty pixels": png_with(png_chunk(b"IDAT") * (BYTES // 12)),
        "png with many texts": png_with(png_chunk(b"tEXt", b"a\0b") * (BYTES // 15)),
        "png with a packed text": png_with(png_chunk(b"zTXt", b"a\0\0" + packed)),
        "png with a packed international text": png_with(png_chunk(b"iTXt", b"a\0\1\0\0\0" + packed)),
        "png with a packed profile": png_with(png_chunk(b"iCCP", b"a\0\0" + packed)),
        "png with a wide exif": png_with(png_chunk(b"eXIf", wide)),
        "png with a looping exif": png_with(png_chunk(b"eXIf", loop)),
        "jpeg with comments": jpeg_with(b"\xff\xfe\0\2" * (BYTES // 4)),
        "jpeg with many exifs": jpeg_with((exif + b"a" * 60_000) * (BYTES // 60_010)),
        "jpeg with a looping exif": jpeg_with(b"\xff\xe1" + struct.pack(">H", 8 + len(loop)) + b"Exif\0\0" + loop),
        "jpeg with pieces of a profile": jpeg_with(b"\xff\xe2\0\x12ICC_PROFILE\0\1\1" * (BYTES // 20)),
        "jpeg with a large profile": save("JPEG", icc_profile=b"\0" * 3_000_000),
        "jpeg with filling": jpeg_with(b"\xff" * BYTES),
        "gif with a comment": gif_with(b"!\xfe" + b"\x01a" * (BYTES // 2) + b"\0"),
        "gif with comments": gif_with(b"!\xfe\1a\0" * (BYTES // 5)),
        "gif with an application": gif_with(b"!\xff\x0bXMP DataXMP" + (b"\xff" + b"a" * 255) * (BYTES // 256) + b"\0"),
        "tiff with odd tags": b"II*\0\x08\0\0\0"
        + struct.pack("<H", 65_535)
        + b"".join(struct.pack("<HHII", tag, 2, 0xFFFFFF, 8) for tag in range(65_535)),
        "tiff that comes back to itself": b"II*\0\x08\0\0\0" + struct.pack("<H", 0) + struct.pack("<I", 8),
        "webp with a large profile": save("WEBP", icc_profile=b"\0" * 3_000_000),
    }


def scans(count: int, side: int) -> bytes:
    """A progressive JPEG with ``count`` scans more than it needs, each of about 26 bytes."""
    plain = save("JPEG", side, progressive=True, quality=50)
    starts = [at for at in range(len(plain) - 1) if plain[at : at + 2] == b"\xff\xda"]
    short = min(
        (plain[start : _find_end(plain, start)] for start in starts),
        key=len,
    )
    return plain[:-2] + short * count + plain[-2:]


def _find_end(data: bytes, scan: int) -> int:
    """Return where the next marker after a scan is."""
    at = scan + 2
    while not (data[at] == 0xFF and data[at + 1] not in {0, *range(0xD0, 0xD8)}):
        at += 1
    return at


def strange_formats() -> dict[str, bytes]:
    """Files that Pillow could open, were it asked to."""
    made = {name: save(name) for name in ("ICO", "PPM", "TGA", "PCX", "SGI", "DDS", "EPS", "PDF", "JPEG2000", "ICNS")}
    return made | {
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>',
        "PSD": b"8BPS\0\1\0\0\0\0\0\0\0\3\0\0\0\x40\0\0\0\x40\0\x08\0\3" + b"\0" * 64,
        "FITS": b"SIMPLE  =                    T" + b" " * 2850,
        "ZIP": b"PK\3\4" + b"\0" * 64,
        "HTML": b"<!DOCTYPE html><script>alert(1)</script>",
    }
