"""The Python library: ``IDPhoto().make("me.jpg", spec="us-passport").save("out.jpg")``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from idphoto.imaging.models import ModelFolder
from idphoto.imaging.pipeline import Order, Pipeline
from idphoto.settings import Settings
from idphoto.specs import Catalogue, Spec


@dataclass(frozen=True, kw_only=True)
class Result:
    """A finished photo file."""

    data: bytes
    format: Literal["jpg", "png"]
    width: int
    height: int
    warnings: tuple[str, ...]
    """What was worked around, such as ``roll_corrected``; docs/imaging.md explains each."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file and return its path. The name's ending is not looked at."""
        target = Path(path)
        target.write_bytes(self.data)
        return target


class IDPhoto:
    """Makes ID photos. Loading takes about half a second: make one and keep it, one for each thread.

    Raises:
        ModelError: a model file is missing, damaged or not usable; the message says what to do.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        self._catalogue = Catalogue.load()
        self._pipeline = Pipeline(
            ModelFolder(settings.models_dir), matting=settings.matting_choice, max_pixels=settings.max_pixels
        )

    def make(
        self,
        photo: str | os.PathLike[str] | bytes,
        *,
        spec: Spec | str | None = None,
        size: tuple[int, int] | None = None,
        background: str | None = "FFFFFF",
        format: Literal["jpg", "png"] | None = None,  # noqa: A002 - the word that users know
        largest_face: bool = False,
    ) -> Result:
        """Turn a portrait, by path or as the bytes of its file, into an ID photo.

        Args:
            photo: JPEG, PNG, WebP, BMP, TIFF, HEIC, AVIF or GIF.
            spec: A spec, or the id of one in the catalogue.
            size: Width and height in pixels, instead of a spec. With neither, the source's own canvas.
            background: RRGGBB, or None for a transparent PNG.
            format: ``jpg`` unless the background is transparent.
            largest_face: Take the largest of several faces instead of failing.

        Raises:
            OSError: the file cannot be read.
            UnknownSpec: the catalogue has no such id.
            ValueError: both spec and size, or a transparent JPEG, or a background that is no colour.
            ImagingError: this photo cannot be used; ``error.code`` is stable and the message says what to do.
        """
        if spec is not None and size is not None:
            raise ValueError("Give a spec or a size, not both.")
        chosen: Literal["jpg", "png"] = format or ("png" if background is None else "jpg")
        if chosen == "jpg" and background is None:
            raise ValueError("A JPEG cannot be transparent: choose a background or the format png.")
        if isinstance(spec, str):
            spec = self._catalogue.get(spec)
        elif size is not None:
            spec = Spec.of_size(*size)
        data = photo if isinstance(photo, bytes) else Path(photo).read_bytes()
        order = Order(spec=spec, background=background, format=chosen, largest_face=largest_face)
        made = self._pipeline.make(data, order)
        height, width = made.photo.pixels.shape[:2]
        return Result(
            data=made.data,
            format=chosen,
            width=width,
            height=height,
            warnings=tuple(notice.value for notice in made.notices),
        )
