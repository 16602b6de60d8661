"""A sheet of finished photos to look at: each portrait over three backgrounds in four sizes.

python bench/contact_sheet.py PHOTO... -o out.png
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from PIL import Image, ImageDraw

from idphoto.imaging.analyse import Analyser
from idphoto.imaging.compose import frame
from idphoto.imaging.decode import decode
from idphoto.imaging.errors import ImagingError
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Photo, Portrait
from idphoto.imaging.render import Finish, render
from idphoto.specs import Spec

BACKGROUNDS = ("FFFFFF", "438EDB", "D9001B")
SIZES = ((295, 413), (300, 400), (413, 579), (600, 600))
MAX_PIXELS = 50_000_000
GAP = 8
CAPTION = 16


def make_row(portrait: Portrait, name: str) -> Image.Image:
    """Render all sizes on all backgrounds, side by side at their own size, and print what is to be known of them."""
    tiles: list[tuple[Photo, str]] = []
    for width, height in SIZES:
        spec = Spec.of_size(width, height)
        start = time.perf_counter()
        framing = frame(portrait, spec)
        photos = [render(portrait, framing, Finish(background=colour), dpi=spec.dpi) for colour in BACKGROUNDS]
        took_ms = (time.perf_counter() - start) * 1000
        head = photos[0].head
        share = (head.chin[1] - head.crown[1]) / height
        print(
            f"{name} {spec.id}: scale {framing.scale:.2f}, head {share:.3f}, top {head.crown[1] / height:.3f}, "
            f"roll {portrait.head.roll:+.1f}, {took_ms:.0f} ms for {len(photos)}, {[*photos[0].warnings]}"
        )
        tiles += [(photo, f"{name} {spec.id}") for photo in photos]
    row = Image.new(
        "RGB",
        (sum(photo.pixels.shape[1] + GAP for photo, _ in tiles), max(height for _, height in SIZES) + GAP + CAPTION),
        "#777",
    )
    x = 0
    for photo, caption in tiles:
        row.paste(Image.fromarray(photo.pixels), (x, CAPTION))
        ImageDraw.Draw(row).text((x + 2, 2), caption, fill="white")
        x += photo.pixels.shape[1] + GAP
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("contact_sheet.png"))
    parser.add_argument("--models", type=Path, default=Path("weights"))
    args = parser.parse_args()
    analyser = Analyser(ModelFolder(args.models))
    rows = []
    for path in args.photos:
        try:
            portrait = analyser.analyse(decode(path.read_bytes(), max_pixels=MAX_PIXELS))
        except ImagingError as error:
            print(f"{path.name}: {error.code}: {error}")
            continue
        rows.append(make_row(portrait, path.stem))
    if not rows:
        raise SystemExit("No photo could be used.")
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), "#777")
    y = 0
    for row in rows:
        sheet.paste(row, (0, y))
        y += row.height
    sheet.save(args.output)


if __name__ == "__main__":
    main()
