"""What is known of a portrait as one file, so that it can be rendered again without any inference.

The file is a ZIP archive of ``facts.json``, and of ``pixels-N.jpg`` (quality 98, full colour resolution: no difference
to be seen, and a tenth of the bytes) and ``alpha-N.png`` at full, half, a quarter … of the size. It is written and read
by this module only.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
from PIL import Image

from idphoto.imaging.decode import CODEC_ERRORS
from idphoto.imaging.inspection import Inspection
from idphoto.imaging.portrait import Alpha, Box, Face, Head, Notice, Pixels, Point, Portrait

_VERSION = 1
_QUALITY = 98
# Photos with a longer side than this are stored at half their size as well, and so on.
_SMALLEST = 1500
_POINTS = ("left_eye", "right_eye", "chin", "crown", "skull_top", "hair_top")
# What reading a damaged file is known to raise: zipfile on bad offsets, on encryption and on methods that it does not
# know, and our own code on facts that are missing or of another kind; all but the first are what codecs raise as well.
_READ_ERRORS = (zipfile.BadZipFile, *CODEC_ERRORS)


class BadArchive(ValueError):
    """This is not an archive of ours, or of another version."""


def pack(portrait: Portrait, inspection: Inspection) -> bytes:
    """Write the archive."""
    facts: dict[str, Any] = {
        "version": _VERSION,
        "face": {
            "box": asdict(portrait.face.box),
            "score": portrait.face.score,
            "presence": portrait.face.presence,
            "landmarks": np.round(portrait.face.landmarks.astype(float), 2).tolist(),
        },
        "head": asdict(portrait.head),
        "foreground": asdict(portrait.foreground),
        "second_face": portrait.second_face,
        "warnings": [notice.value for notice in portrait.warnings],
        "inspection": asdict(inspection),
        "size": [portrait.alpha.shape[1], portrait.alpha.shape[0]],
        "levels": 1,
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        pixels, alpha = portrait.pixels, portrait.alpha
        _write_level(archive, 0, pixels, alpha)
        while max(alpha.shape) >= _SMALLEST:
            size = (alpha.shape[1] // 2, alpha.shape[0] // 2)
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
            alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
            _write_level(archive, facts["levels"], pixels, alpha)
            facts["levels"] += 1
        archive.writestr("facts.json", json.dumps(facts))
    return whole.getvalue()


def unpack(data: bytes, *, head_px: float | None = None) -> tuple[Portrait, Inspection]:
    """Read what :func:`pack` wrote.

    Args:
        data: the archive.
        head_px: height that the head will have at most, in pixels. A copy of the photo at half, a quarter … of its size
            is read if its head is at least as high: much faster for large photos. The portrait's measures are then
            those of the copy. None: at full size.

    Raises:
        BadArchive: it did not.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            facts = json.loads(archive.read("facts.json"))
            if facts["version"] != _VERSION:
                raise BadArchive(f"The archive is of version {facts['version']}.")
            level = 0 if head_px is None else _choose_level(facts, head_px)
            pixels = _read_picture(archive, f"pixels-{level}.jpg", "JPEG")
            alpha = _read_picture(archive, f"alpha-{level}.png", "PNG")
        portrait = _read_portrait(facts, pixels, alpha)
        return portrait, Inspection(**facts["inspection"])
    except BadArchive:
        raise
    except _READ_ERRORS as error:
        raise BadArchive(f"The archive is damaged: {error!r}") from error


def _write_level(archive: zipfile.ZipFile, level: int, pixels: Pixels, alpha: Alpha) -> None:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY, subsampling="4:4:4")
    archive.writestr(f"pixels-{level}.jpg", buffer.getvalue())
    buffer = io.BytesIO()
    Image.fromarray(alpha).save(buffer, "PNG", compress_level=1)
    archive.writestr(f"alpha-{level}.png", buffer.getvalue())


def _read_picture(archive: zipfile.ZipFile, name: str, kind: str) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(archive.read(name)), formats=(kind,)))


def _choose_level(facts: dict[str, Any], head_px: float) -> int:
    height = math.dist(facts["head"]["chin"], facts["head"]["skull_top"])
    level = 0
    while level + 1 < facts["levels"] and height / 2 ** (level + 1) >= head_px:
        level += 1
    return level


def _read_portrait(facts: dict[str, Any], pixels: np.ndarray[Any, Any], alpha: np.ndarray[Any, Any]) -> Portrait:
    # Sides are halved without their odd pixels, so each axis has a scale of its own; they differ by less than 1 %.
    across, down = (side / full for side, full in zip(alpha.shape[::-1], facts["size"], strict=True))

    def scale(point: Sequence[float]) -> Point:
        return point[0] * across, point[1] * down

    def scale_box(box: dict[str, float]) -> Box:
        return Box(x=box["x"] * across, y=box["y"] * down, width=box["width"] * across, height=box["height"] * down)

    head = facts["head"] | {name: scale(facts["head"][name]) for name in _POINTS}
    head["face_width"] *= across
    face = facts["face"]
    landmarks = np.array(face["landmarks"], np.float32) * np.array([across, down, across], np.float32)
    return Portrait(
        pixels=pixels,
        alpha=alpha,
        face=Face(
            box=scale_box(face["box"]),
            score=face["score"],
            presence=face["presence"],
            landmarks=landmarks,
        ),
        head=Head(**head),
        # Of the full photo: it is told to the client as it was.
        foreground=Box(**facts["foreground"]),
        second_face=facts["second_face"],
        reduced=facts["size"][1] / alpha.shape[0],
        warnings=tuple(Notice(value) for value in facts["warnings"]),
    )
