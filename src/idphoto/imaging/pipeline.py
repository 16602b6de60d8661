"""The whole way of a photo, from the bytes of a file to the bytes of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from idphoto.imaging import compose, decode, encode, render
from idphoto.imaging.analyse import Analyser
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Notice, Photo, Portrait, Progress
from idphoto.imaging.recipes import MattingChoice
from idphoto.specs import Spec
from idphoto.specs.spec import DEFAULT_DPI

#: How much of the time the analysis takes, in percent of the whole; the rest is rendering and encoding.
_ANALYSED = 90


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is wanted of a photo."""

    spec: Spec | None = None
    """None: the source's own canvas, with the background replaced and nothing cropped."""
    background: str | None = "FFFFFF"
    """RRGGBB; None: transparent, which only PNG can hold."""
    format: Literal["jpg", "png"] = "jpg"
    largest_face: bool = False
    """Take the largest of several faces instead of failing."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A finished file and what it was made from."""

    data: bytes
    photo: Photo
    portrait: Portrait

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What was worked around, each once, in the order in which it was met."""
        return tuple(dict.fromkeys((*self.portrait.warnings, *self.photo.warnings)))


class Pipeline:
    """Holds the loaded models. One call at a time: the inference sessions are not shared between threads."""

    def __init__(self, models: ModelFolder, *, matting: MattingChoice, max_pixels: int) -> None:
        self._analyser = Analyser(models, matting=matting)
        self._max_pixels = max_pixels

    @property
    def provider(self) -> str:
        """What the matting model runs on, such as ``cpu`` or ``cuda``."""
        return self._analyser.provider

    def warm_up(self) -> None:
        """Run every model once, so that the first photo takes no longer than the next."""
        self._analyser.warm_up()

    def make(self, data: bytes, order: Order, *, progress: Progress | None = None) -> Made:
        """Turn the bytes of an image file into a finished photo.

        Raises:
            DecodeError: the bytes are not an image that we read.
            SubjectError: the photo does not show one whole head.
        """
        tell: Progress = progress or (lambda percent: None)
        source = decode.decode(data, max_pixels=self._max_pixels)
        portrait = self._analyser.analyse(
            source,
            largest_face=order.largest_face,
            progress=lambda percent: tell(percent * _ANALYSED // 100),
        )
        framing = compose.frame_whole(portrait) if order.spec is None else compose.frame(portrait, order.spec)
        dpi = DEFAULT_DPI if order.spec is None else order.spec.dpi
        photo = render.render(portrait, framing, background=order.background, dpi=dpi)
        made = Made(data=encode.encode(photo, format=order.format), photo=photo, portrait=portrait)
        tell(100)
        return made
