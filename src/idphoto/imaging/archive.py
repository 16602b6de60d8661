"""What is known of a portrait as one file, so that it can be rendered again without any inference.

The file is a ZIP archive of ``pixels.jpg`` (quality 98, full colour resolution: no difference to be seen, and a tenth
of the bytes), ``alpha.png`` and ``facts.json``. It is written and read by this module only.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from typing import Any

import numpy as np
from PIL import Image

from idphoto.imaging.inspection import Inspection
from idphoto.imaging.portrait import Box, Face, Head, Notice, Portrait

_VERSION = 1
_QUALITY = 98
_POINTS = ("left_eye", "right_eye", "chin", "crown", "skull_top", "hair_top")


class BadArchive(ValueError):
    """This is not an archive of ours, or of another version."""


def pack(portrait: Portrait, inspection: Inspection) -> bytes:
    """Write the archive."""
    facts = {
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
    }
    pixels, alpha, whole = io.BytesIO(), io.BytesIO(), io.BytesIO()
    Image.fromarray(portrait.pixels).save(pixels, "JPEG", quality=_QUALITY, subsampling="4:4:4")
    Image.fromarray(portrait.alpha).save(alpha, "PNG", compress_level=1)
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("pixels.jpg", pixels.getvalue())
        archive.writestr("alpha.png", alpha.getvalue())
        archive.writestr("facts.json", json.dumps(facts))
    return whole.getvalue()


def unpack(data: bytes) -> tuple[Portrait, Inspection]:
    """Read what :func:`pack` wrote.

    Raises:
        BadArchive: it did not.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            facts = json.loads(archive.read("facts.json"))
            if facts["version"] != _VERSION:
                raise BadArchive(f"The archive is of version {facts['version']}.")
            pixels = np.asarray(Image.open(io.BytesIO(archive.read("pixels.jpg"))))
            alpha = np.asarray(Image.open(io.BytesIO(archive.read("alpha.png"))))
        return _read_portrait(facts, pixels, alpha), Inspection(**facts["inspection"])
    except (zipfile.BadZipFile, KeyError, TypeError, OSError, json.JSONDecodeError) as error:
        raise BadArchive(str(error)) from error


def _read_portrait(facts: dict[str, Any], pixels: np.ndarray[Any, Any], alpha: np.ndarray[Any, Any]) -> Portrait:
    head = facts["head"] | {name: tuple(facts["head"][name]) for name in _POINTS}
    face = facts["face"]
    return Portrait(
        pixels=pixels,
        alpha=alpha,
        face=Face(
            box=Box(**face["box"]),
            score=face["score"],
            presence=face["presence"],
            landmarks=np.array(face["landmarks"], np.float32),
        ),
        head=Head(**head),
        foreground=Box(**facts["foreground"]),
        second_face=facts["second_face"],
        warnings=tuple(Notice(value) for value in facts["warnings"]),
    )
