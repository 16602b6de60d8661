"""Times the stages of the pipeline on one thread, as shares of the whole: ``python bench/stages.py [PHOTO...]``.

Machines differ, so look at the ratios. Without photos, the public-domain portrait is taken at 0.3 to 12 megapixels.
"""

from __future__ import annotations

import io
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
import skimage.data
from PIL import Image

from idphoto.imaging import compose, decode, encode, geometry, render
from idphoto.imaging.faces import FaceFinder, choose_subject
from idphoto.imaging.matting import Matter
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Box, Portrait
from idphoto.settings import Settings
from idphoto.specs import Spec

RUNS = 5
SPEC = Spec.of_size(295, 413)
T = TypeVar("T")


def read_photos(paths: list[str]) -> dict[str, bytes]:
    if paths:
        return {Path(path).name: Path(path).read_bytes() for path in paths}
    photos = {}
    for side in (512, 1024, 2048, 3464):
        image = Image.fromarray(skimage.data.astronaut()).resize((side, side), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=92)
        photos[f"{side * side / 1e6:.1f} MP"] = buffer.getvalue()
    return photos


def main() -> None:
    models = ModelFolder(Settings().models_dir)
    finder, matter = FaceFinder(models), Matter(models)
    times: dict[str, list[float]] = defaultdict(list)

    for name, data in read_photos(sys.argv[1:]).items():
        times.clear()
        for _ in range(RUNS):
            _make(data, finder, matter, times)
        medians = {stage: median(values) for stage, values in times.items()}
        total = sum(medians.values())
        shares = "  ".join(f"{stage} {value:.0f} ms ({value / total:.0%})" for stage, value in medians.items())
        print(f"{name}: {total:.0f} ms = {shares}")


def _make(data: bytes, finder: FaceFinder, matter: Matter, times: dict[str, list[float]]) -> None:
    def measure(stage: str, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = work()
        times[stage].append((time.perf_counter() - start) * 1000)
        return result

    source = measure("decode", lambda: decode.decode(data, max_pixels=50_000_000))
    turns, faces = measure("faces", lambda: finder.find_upright(source.pixels))
    face = choose_subject(faces, largest=True)
    pixels = np.ascontiguousarray(np.rot90(source.pixels, turns))
    alpha = measure("matting", lambda: matter.cut_out(pixels, face))
    head = measure("geometry", lambda: geometry.measure_head(face, alpha))
    box = Box(x=0, y=0, width=1, height=1)
    portrait = Portrait(pixels=pixels, alpha=alpha, face=face, head=head, foreground=box)
    framing = measure("frame", lambda: compose.frame(portrait, SPEC))
    photo = measure("render", lambda: render.render(portrait, framing, render.Finish(background="FFFFFF"), dpi=300))
    measure("encode", lambda: encode.encode(photo, format="jpg"))


if __name__ == "__main__":
    main()
