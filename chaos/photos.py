"""The photos that are sent: a few good ones, all of one portrait, and some that cannot be used."""

from __future__ import annotations

import io

import skimage.data
from PIL import Image

GOOD = ("large.jpg", "medium.jpg", "small.png")
#: No image, no face, and a file that the site does not have.
BAD = ("text.jpg", "blank.jpg")
ABSENT = "absent.jpg"


def make_photos() -> dict[str, bytes]:
    """Return the files by name; ABSENT is not one of them."""
    portrait = Image.fromarray(skimage.data.astronaut())
    return {
        "large.jpg": _encode(portrait.resize((900, 900), Image.Resampling.BICUBIC), "JPEG"),
        "medium.jpg": _encode(portrait, "JPEG"),
        "small.png": _encode(portrait.resize((400, 400), Image.Resampling.BICUBIC), "PNG"),
        "text.jpg": b"This is a sentence, not an image. " * 100,
        "blank.jpg": _encode(Image.new("RGB", (500, 500), (200, 210, 220)), "JPEG"),
    }


def _encode(image: Image.Image, codec: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, codec)
    return buffer.getvalue()
