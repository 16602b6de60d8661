"""The Python library: ``IDPhoto().make("me.jpg", spec="us-passport").save("out.jpg")``."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from PIL import Image

from idphoto.colour import parse_colour
from idphoto.imaging.encode import FileLimits
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.order import Order, SheetOrder
from idphoto.imaging.overlay import draw_overlay
from idphoto.imaging.pipeline import Made, Pipeline, Sheet, make_again
from idphoto.imaging.report import Report
from idphoto.imaging.retouch import Retouch
from idphoto.imaging.sheet import parse_paper
from idphoto.settings import Settings
from idphoto.specs import Catalogue, Editing, Spec

TRANSPARENT = "transparent"
#: Of a photo, in pixels: below nothing can be told apart, above a picture takes gigabytes.
_MIN_SIDE, _MAX_SIDE = 20, 10_000
_MIN_DPI, _MAX_DPI = 10, 2400
_MAX_SIDE_MM = 1200


class Wishes(TypedDict, total=False):
    """What a photo shall be like; everything may be left out."""

    spec: Spec | str | None
    """A spec, or the id of one in the catalogue: its size, placement, background and file size."""
    size: tuple[int, int] | None
    """Width and height in pixels, instead of a spec. With neither, the source's own canvas."""
    size_mm: tuple[float, float] | None
    """Width and height in millimetres, at ``dpi``."""
    dpi: int | None
    background: str | None
    """RRGGBB or ``transparent``; the document's first colour, or white, by default."""
    background_end: str | None
    """RRGGBB at the bottom of a vertical gradient."""
    keep_background: bool | None
    """Crop only. The default where the document forbids editing and no background is given."""
    format: Literal["jpg", "png"] | None
    """``jpg`` unless the background is transparent."""
    largest_face: bool
    """Take the largest of several faces instead of failing."""
    min_kb: int | None
    """File size in kilobytes; the document's by default."""
    max_kb: int | None
    retouch: Retouch | None
    preview: bool
    """With a watermark over the picture."""
    layout: SheetOrder | str | None
    """A print sheet beside the photo: the paper's name, or all details."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A finished photo file."""

    data: bytes
    format: Literal["jpg", "png"]
    width: int
    height: int
    warnings: tuple[str, ...]
    """What was worked around, such as ``roll_corrected``; docs/imaging.md explains each."""
    report: Report | None
    """Checks against the document's rules; None where no document was asked for."""
    sheet: Sheet | None
    made: Made
    """All that is known, for :meth:`again` and for those who look inside."""
    order: Order
    catalogue: Catalogue

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file and return its path. The name's ending is not looked at."""
        target = Path(path)
        target.write_bytes(self.data)
        return target

    def draw_overlay(self) -> bytes:
        """Draw the document's ranges over the photo, and return it as a PNG file."""
        order = self.order
        spec = order.spec or Spec.of_size(self.width, self.height)
        drawn = io.BytesIO()
        Image.fromarray(draw_overlay(self.made.photo.pixels, self.made.photo.head, spec)).save(drawn, "PNG")
        return drawn.getvalue()

    def again(self, **wishes: Unpack[Wishes]) -> Result:
        """Make another photo of the same portrait, without looking at it again: some twenty milliseconds.

        Raises:
            As :meth:`IDPhoto.make` does.
        """
        order = read_wishes(wishes, self.catalogue)
        return _finish(make_again(self.made.portrait, self.made.inspection, order), order, self.catalogue)


class IDPhoto:
    """Makes ID photos. Loading takes about half a second: make one and keep it, one for each thread.

    Raises:
        ModelError: a model file is missing, damaged or not usable; the message says what to do.
        CatalogueError: the operator's catalogue is not usable.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        self._catalogue = Catalogue.load(settings.specs_file)
        self._pipeline = Pipeline(
            ModelFolder(settings.models_dir), matting=settings.matting_choice, max_pixels=settings.max_pixels
        )

    def make(self, photo: str | os.PathLike[str] | bytes, **wishes: Unpack[Wishes]) -> Result:
        """Turn a portrait, by path or as the bytes of its file, into an ID photo.

        Args:
            photo: JPEG, PNG, WebP, BMP, TIFF, HEIC, AVIF or GIF.
            wishes: see :class:`Wishes`.

        Raises:
            OSError: the file cannot be read.
            UnknownSpec: the catalogue has no such id.
            ValueError: wishes that contradict each other or the document, or that are out of range.
            ImagingError: this photo cannot be used; ``error.code`` is stable and the message says what to do.
        """
        order = read_wishes(wishes, self._catalogue)
        return _finish(self._pipeline.make(_read(photo), order), order, self._catalogue)

    def check(self, photo: str | os.PathLike[str] | bytes, *, spec: Spec | str) -> Report:
        """Judge a finished photo by a document's rules: a pre-check, not an approval.

        Raises:
            OSError: the file cannot be read.
            UnknownSpec: the catalogue has no such id.
            DecodeError: this is not an image.
        """
        return self._pipeline.check(_read(photo), self._catalogue.get(spec) if isinstance(spec, str) else spec)


def read_wishes(wishes: Wishes, catalogue: Catalogue) -> Order:
    """Return the order that wishes make.

    Raises:
        UnknownSpec: the catalogue has no such id.
        TypeError: there is no such wish.
        ValueError: they contradict each other or the document, or are out of range.
    """
    if unknown := sorted(wishes.keys() - Wishes.__annotations__.keys()):
        raise TypeError(f"There is no wish named {', '.join(unknown)}.")
    spec, is_document = _read_size(wishes, catalogue)
    background = wishes.get("background")
    transparent = background == TRANSPARENT
    chosen: Literal["jpg", "png"] = wishes.get("format") or ("png" if transparent else "jpg")
    if chosen not in {"jpg", "png"}:
        raise ValueError(f"The format must be jpg or png, not {chosen!r}.")
    if chosen == "jpg" and transparent:
        raise ValueError("A JPEG cannot be transparent: choose a background or the format png.")
    retouch = wishes.get("retouch") or Retouch()
    if not retouch.is_off and spec is not None and spec.editing in {Editing.FORBIDDEN, Editing.BACKGROUND_ONLY}:
        raise ValueError(f"{spec.id} does not allow the person in the photo to be altered: leave retouch out.")
    end, layout = wishes.get("background_end"), wishes.get("layout")
    limits = FileLimits(min_kb=wishes.get("min_kb"), max_kb=wishes.get("max_kb"))
    return Order(
        spec=spec,
        background=None if background is None or transparent else parse_colour(background),
        background_end=None if end is None else parse_colour(end),
        transparent=transparent,
        keep_background=wishes.get("keep_background"),
        format=chosen,
        dpi=wishes.get("dpi"),
        largest_face=wishes.get("largest_face", False),
        limits=None if limits == FileLimits() else limits,
        retouch=retouch,
        preview=wishes.get("preview", False),
        report=is_document,
        sheet=SheetOrder(paper=parse_paper(layout)) if isinstance(layout, str) else layout,
    )


def _read_size(wishes: Wishes, catalogue: Catalogue) -> tuple[Spec | None, bool]:
    """Return the spec that is asked for, and whether it is a document's."""
    spec, size, size_mm, dpi = wishes.get("spec"), wishes.get("size"), wishes.get("size_mm"), wishes.get("dpi")
    if sum(each is not None for each in (spec, size, size_mm)) > 1:
        raise ValueError("Give one of spec, size and size_mm.")
    # Written so that "nan" is refused too.
    if dpi is not None and not _MIN_DPI <= dpi <= _MAX_DPI:
        raise ValueError(f"dpi must be {_MIN_DPI} to {_MAX_DPI}.")
    if size_mm is not None and not all(0 < side <= _MAX_SIDE_MM for side in size_mm):
        raise ValueError(f"The sides must be above 0 and up to {_MAX_SIDE_MM} mm.")
    found, is_document = _find_spec(spec, size, size_mm, dpi, catalogue)
    if found is not None and not all(_MIN_SIDE <= side <= _MAX_SIDE for side in (found.width, found.height)):
        raise ValueError(f"The sides must be {_MIN_SIDE} to {_MAX_SIDE} pixels, not {found.width}x{found.height}.")
    return found, is_document


def _find_spec(
    spec: Spec | str | None,
    size: tuple[int, int] | None,
    size_mm: tuple[float, float] | None,
    dpi: int | None,
    catalogue: Catalogue,
) -> tuple[Spec | None, bool]:
    wished = catalogue.get(spec) if isinstance(spec, str) else spec
    if isinstance(wished, Spec):
        return (wished if dpi is None else wished.at_dpi(dpi)), True
    resolution = {} if dpi is None else {"dpi": dpi}
    if size is not None:
        return Spec.of_size(*size, **resolution), False
    return (None if size_mm is None else Spec.of_print(*size_mm, **resolution)), False


def _read(photo: str | os.PathLike[str] | bytes) -> bytes:
    return photo if isinstance(photo, bytes) else Path(photo).read_bytes()


def _finish(made: Made, order: Order, catalogue: Catalogue) -> Result:
    height, width = made.photo.pixels.shape[:2]
    return Result(
        data=made.data,
        format=order.format,
        width=width,
        height=height,
        warnings=tuple(notice.value for notice in made.notices),
        report=made.report,
        sheet=made.sheet,
        made=made,
        order=order,
        catalogue=catalogue,
    )
