"""The portraits that everything is built from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import skimage.data

from idphoto.imaging.decode import decode
from idphoto.imaging.portrait import Pixels

#: Portraits that are handed round with the project but not in it; used where they are.
SHARED = Path(__file__).parents[3] / "shared" / "data" / "portraits"
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".bmp", ".tif", ".tiff"}
_MAX_PIXELS = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One portrait."""

    name: str
    pixels: Pixels
    """(H, W, 3) uint8, sRGB, upright."""


def load_subjects(folders: Sequence[Path] = ()) -> list[Subject]:
    """Return the portraits of the folders; without any, the package portrait and those in the shared folder, if there.

    Raises:
        FileNotFoundError: a folder holds no picture.
    """
    if not folders:
        ours = Subject(name="astronaut", pixels=skimage.data.astronaut())
        return [ours, *(_load(SHARED) if SHARED.is_dir() else ())]
    return [subject for folder in folders for subject in _load(folder)]


def _load(folder: Path) -> list[Subject]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise FileNotFoundError(f"There is no picture in {folder}.")
    return [Subject(name=path.stem, pixels=decode(path.read_bytes(), max_pixels=_MAX_PIXELS).pixels) for path in paths]
