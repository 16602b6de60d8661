"""One portrait in twelve documents, with the ranges of each drawn over it: ``python bench/documents_sheet.py``.

The picture of docs/documents.md is made by it, from the portrait in the public domain that scikit-image brings along.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import skimage.data
from PIL import Image, ImageDraw

from idphoto import IDPhoto

SPECS = (
    *("cn-passport", "cn-id-card", "cn-driver", "cn-kaoyan", "cn-visa-online", "us-visa"),
    *("schengen-visa", "jp-passport", "gb-passport", "ca-passport", "in-passport-online", "nl-passport"),
)
_COLUMNS = 6
_CELL = (220, 260)
_LABEL = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", nargs="?", type=Path, help="another portrait")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/documents.png"))
    wanted = parser.parse_args()
    portrait = IDPhoto().make(wanted.photo.read_bytes() if wanted.photo else _read_astronaut())
    rows = -(-len(SPECS) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _CELL[0], rows * (_CELL[1] + _LABEL)), "white")
    pen = ImageDraw.Draw(sheet)
    for number, spec in enumerate(SPECS):
        # The background is replaced even where the document forbids it, so that its ranges alone are to be seen.
        made = portrait.again(spec=spec, keep_background=False)
        overlay = Image.open(io.BytesIO(made.draw_overlay()))
        overlay.thumbnail(_CELL)
        left, top = number % _COLUMNS * _CELL[0], number // _COLUMNS * (_CELL[1] + _LABEL)
        pen.text((left + 4, top + 2), spec, fill="black")
        sheet.paste(overlay, (left, top + _LABEL))
        missed = [check.id for check in made.report.failed] if made.report else []
        print(f"{spec:20} {', '.join(missed) or 'all met'}")
    wanted.output.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(128).save(wanted.output, optimize=True)


def _read_astronaut() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()).save(buffer, "PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    main()
