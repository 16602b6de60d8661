"""Draws docs/images/before-after.png from the public-domain portrait: ``python bench/readme_picture.py``."""

from __future__ import annotations

import io
from pathlib import Path

import skimage.data
from PIL import Image

from idphoto import IDPhoto

TARGET = Path(__file__).resolve().parent.parent / "docs" / "images" / "before-after.png"
HEIGHT, GAP = 320, 16


def main() -> None:
    original = Image.fromarray(skimage.data.astronaut())
    file = io.BytesIO()
    original.save(file, "PNG")
    maker = IDPhoto()
    pictures = [original]
    for background in ("FFFFFF", "438EDB", "D9001B"):
        result = maker.make(file.getvalue(), spec="cn-1inch", background=background)
        pictures.append(Image.open(io.BytesIO(result.data)))
    pictures = [picture.resize((picture.width * HEIGHT // picture.height, HEIGHT)) for picture in pictures]
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) + 1)
    sheet = Image.new("RGB", (width, HEIGHT + 2 * GAP), "#E8E8E4")
    x = GAP
    for picture in pictures:
        sheet.paste(picture, (x, GAP))
        x += picture.width + GAP
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
