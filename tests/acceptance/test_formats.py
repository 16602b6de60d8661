"""Every kind of file that phones and scanners make becomes a finished photo."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from tests.running import Server

HEIC = Path(__file__).resolve().parent.parent / "data" / "astronaut.heic"


def save(image: Image.Image, format: str, **options: Any) -> bytes:  # noqa: A002 - Pillow's word
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def tag_orientation(image: Image.Image) -> bytes:
    """Store the picture turned, with the EXIF tag that says so, as a phone held upright does."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return save(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)


def add_alpha(image: Image.Image) -> Image.Image:
    faded = image.convert("RGBA")
    faded.putalpha(Image.linear_gradient("L").resize(image.size).point(lambda value: max(128, value)))
    return faded


VARIANTS: dict[str, Callable[[Image.Image], bytes]] = {
    "png": lambda image: save(image, "PNG"),
    "webp": lambda image: save(image, "WEBP"),
    "bmp": lambda image: save(image, "BMP"),
    "tiff": lambda image: save(image, "TIFF", compression="tiff_lzw"),
    "avif": lambda image: save(image, "AVIF"),
    "gif": lambda image: save(image, "GIF"),
    "heic": lambda _: HEIC.read_bytes(),
    "cmyk": lambda image: save(image.convert("CMYK"), "JPEG"),
    "grey": lambda image: save(image.convert("L"), "JPEG"),
    "alpha": lambda image: save(add_alpha(image), "PNG"),
    "palette": lambda image: save(image.quantize(256), "PNG"),
    "exif": tag_orientation,
    "sideways": lambda image: save(image.transpose(Image.Transpose.ROTATE_90), "JPEG"),
    "upside-down": lambda image: save(image.transpose(Image.Transpose.ROTATE_180), "JPEG"),
    "tilted": lambda image: save(image.rotate(15, Image.Resampling.BICUBIC, fillcolor=(190, 180, 180)), "JPEG"),
    "large": lambda image: save(image.resize((4000, 4000), Image.Resampling.BICUBIC), "JPEG", quality=80),
}
NOTICES = {"sideways": "auto_rotated", "upside-down": "auto_rotated", "tilted": "roll_corrected", "grey": "grayscale"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_of_the_portrait_is_finished(server: Server, astronaut: Any, variant: str) -> None:
    photo = VARIANTS[variant](Image.fromarray(astronaut))
    data = server.create(photo, size="300x400", format="jpg", sync="1").json()["data"]
    assert data["state"] == 1, data["err_info"]
    if variant in NOTICES:
        assert NOTICES[variant] in data["warnings"]
    assert abs(data["face"]["roll"]) < 5
    assert 0.56 <= data["face"]["head_height"] <= 0.70
    with Image.open(io.BytesIO(requests.get(data["image"], timeout=10).content)) as image:
        assert image.size == (300, 400)
        assert min(image.getpixel((8, 8))) > 245  # type: ignore[arg-type]
