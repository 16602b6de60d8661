"""How much faster is a photo rendered again than made? ``python bench/again.py``: real HTTP, medians of 9."""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image

from tests.running import Server

_RUNS = 9
_WISHES = ({"size": "295x413"}, {"spec": "cn-passport"}, {"spec": "cn-1inch", "layout": "6inch"})


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), workers=1).start()
        try:
            for side in (512, 1024, 2048, 3464):
                measure(server, side)
        finally:
            server.stop()


def measure(server: Server, side: int) -> None:
    pixels = cv2.resize(skimage.data.astronaut(), (side, side), interpolation=cv2.INTER_CUBIC)
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "JPEG", quality=92)
    for wish in _WISHES:
        fields = {"sync": "1", "format": "jpg", **wish}
        firsts, agains = [], []
        for _ in range(_RUNS):
            seconds, data = ask(server, buffer.getvalue(), fields)
            firsts.append(seconds)
            agains.append(ask(server, None, {**fields, "last_id": data["image_id"]})[0])
        first, again = statistics.median(firsts), statistics.median(agains)
        print(
            f"{side * side / 1e6:4.1f} MP {wish}: first {first * 1000:.0f} ms, again {again * 1000:.0f} ms: "
            f"{first / again:.1f} times faster"
        )


def ask(server: Server, photo: bytes | None, fields: dict[str, str]) -> tuple[float, dict[str, str]]:
    started = time.perf_counter()
    data = server.create(photo, fields).json()["data"]
    assert data["state"] == 1, data
    return time.perf_counter() - started, data


if __name__ == "__main__":
    main()
