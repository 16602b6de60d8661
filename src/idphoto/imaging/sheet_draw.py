"""A planned sheet to pixels or to a PDF, in true size."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from idphoto.imaging.icc import make_srgb_profile
from idphoto.imaging.portrait import Pixels
from idphoto.imaging.sheet import Place, SheetPlan
from idphoto.specs.units import MM_PER_INCH, to_px

MAX_PIXELS = 60_000_000

_JPEG_QUALITY = 92
_JPEG_START = b"\xff\xd8\xff"
_LINE_MM = 0.2
_LINE_GRAY = 200
# Edges in millimetres that differ by less are the same one.
_SAME = 1e-6
_POINTS_PER_MM = 72 / MM_PER_INCH

# By default reportlab writes binary data as ASCII, which makes every photo a quarter larger.
rl_config.useA85 = 0


@dataclass(frozen=True, kw_only=True)
class _Box:
    """A rectangle; the origin is the paper's top left corner, the unit the caller's."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of_mm(cls, place: Place) -> _Box:
        return cls(
            left=place.x_mm, top=place.y_mm, right=place.x_mm + place.width_mm, bottom=place.y_mm + place.height_mm
        )

    def transpose(self) -> _Box:
        return _Box(left=self.top, top=self.left, right=self.bottom, bottom=self.right)


def draw_sheet(plan: SheetPlan, photos: Sequence[Pixels], *, dpi: int, cut_lines: bool = True) -> NDArray[np.uint8]:
    """Draw the sheet on white paper.

    Args:
        plan: where the photos go.
        photos: (H, W, 3) sRGB, one for each item, upright; each is resampled at most once, to its size on paper.
        dpi: pixels per inch on paper.
        cut_lines: draw thin gray lines from the photos' edges to the paper's.

    Returns:
        (H, W, 3), sRGB.

    Raises:
        ValueError: a photo is missing, or the sheet has more than 60 million pixels.
    """
    _check_photos(plan, photos)
    width, height = to_px(plan.paper.width_mm, dpi), to_px(plan.paper.height_mm, dpi)
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"A sheet of {width}x{height} pixels is over {MAX_PIXELS // 1_000_000} million: lower the dpi."
        )
    sheet = np.full((height, width, 3), 255, np.uint8)
    boxes = [_find_box(place, width, height, dpi) for place in plan.places]
    if cut_lines:
        for line in _list_lines(boxes, width, height, to_px(_LINE_MM, dpi)):
            sheet[int(line.top) : int(line.bottom), int(line.left) : int(line.right)] = _LINE_GRAY
    prints: dict[tuple[int, bool], Pixels] = {}
    for place, box in zip(plan.places, boxes, strict=True):
        left, top, right, bottom = int(box.left), int(box.top), int(box.right), int(box.bottom)
        if (place.item, place.turned) not in prints:
            prints[place.item, place.turned] = _fit(photos[place.item], right - left, bottom - top, turned=place.turned)
        sheet[top:bottom, left:right] = prints[place.item, place.turned]
    return sheet


def encode_sheet(pixels: Pixels, *, dpi: int) -> bytes:
    """Write a drawn sheet, (H, W, 3) sRGB, as a JPEG of quality 92 with its dpi and an sRGB profile inside."""
    buffer = io.BytesIO()
    # Without optimize=True: Pillow then fails on pictures whose file is larger than a byte a pixel.
    Image.fromarray(pixels).save(
        buffer, "JPEG", quality=_JPEG_QUALITY, subsampling="4:4:4", dpi=(dpi, dpi), icc_profile=make_srgb_profile()
    )
    return buffer.getvalue()


def write_pdf(plan: SheetPlan, photos: Sequence[bytes], *, cut_lines: bool = True) -> bytes:
    """Write the sheet as a PDF of one page that viewers print in true size; equal inputs give equal bytes.

    Args:
        plan: where the photos go.
        photos: JPEG files, one for each item, upright in their pixels; they are embedded as they are, and once.
        cut_lines: draw thin gray lines from the photos' edges to the paper's.

    Raises:
        ValueError: a photo is missing or is no JPEG file.
    """
    _check_photos(plan, photos)
    if not all(photo.startswith(_JPEG_START) for photo in photos):
        raise ValueError("The photos of a PDF sheet must be JPEG files.")
    buffer = io.BytesIO()
    paper = plan.paper
    # Viewers know the wish not to scale since PDF 1.6.
    page = (paper.width_mm * _POINTS_PER_MM, paper.height_mm * _POINTS_PER_MM)
    canvas = Canvas(buffer, pagesize=page, invariant=1, pdfVersion=(1, 6))
    canvas.setTitle("ID photo sheet")
    canvas.setViewerPreference("PrintScaling", "None")
    # From here on in millimetres.
    canvas.scale(_POINTS_PER_MM, _POINTS_PER_MM)
    if cut_lines:
        boxes = [_Box.of_mm(place) for place in plan.places]
        canvas.setFillGray(_LINE_GRAY / 255)
        for line in _list_lines(boxes, paper.width_mm, paper.height_mm, _LINE_MM):
            size = (line.right - line.left, line.bottom - line.top)
            canvas.rect(line.left, paper.height_mm - line.bottom, *size, stroke=0, fill=1)
    names: dict[int, str] = {}
    for place in plan.places:
        canvas.saveState()
        if place.turned:
            # The picture's lower left corner comes to lie at the upper left, and its width runs down the page.
            canvas.translate(place.x_mm, paper.height_mm - place.y_mm)
            canvas.rotate(-90)
            canvas.scale(place.height_mm, place.width_mm)
        else:
            canvas.translate(place.x_mm, paper.height_mm - place.y_mm - place.height_mm)
            canvas.scale(place.width_mm, place.height_mm)
        if place.item in names:
            # Faster than drawing it once more: reportlab hashes all pixels each time.
            canvas.doForm(names[place.item])
        else:
            told: dict[str, str] = {"name": ""}
            canvas.drawImage(ImageReader(io.BytesIO(photos[place.item])), 0, 0, 1, 1, extraReturn=told)
            names[place.item] = told["name"]
        canvas.restoreState()
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _check_photos(plan: SheetPlan, photos: Sequence[object]) -> None:
    needed = 1 + max((place.item for place in plan.places), default=-1)
    if len(photos) < needed:
        raise ValueError(f"The sheet shows {needed} different photos, but there are {len(photos)}.")


def _find_box(place: Place, width: int, height: int, dpi: int) -> _Box:
    """Round a place to pixels: its size as a photo of that size is made, its corner to the nearest that has room."""
    box_width, box_height = to_px(place.width_mm, dpi), to_px(place.height_mm, dpi)
    left = min(round(place.x_mm / MM_PER_INCH * dpi), width - box_width)
    top = min(round(place.y_mm / MM_PER_INCH * dpi), height - box_height)
    return _Box(left=left, top=top, right=left + box_width, bottom=top + box_height)


def _fit(photo: Pixels, width: int, height: int, *, turned: bool) -> Pixels:
    """Resample a photo to its size as it lies on the paper, in pixels."""
    upright = (height, width) if turned else (width, height)
    fitted = photo
    if photo.shape[1::-1] != upright:
        smaller = photo.shape[1] >= upright[0] and photo.shape[0] >= upright[1]
        interpolation = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        fitted = cv2.resize(photo, upright, interpolation=interpolation).astype(np.uint8, copy=False)
    return np.rot90(fitted, -1) if turned else fitted


def _list_lines(boxes: Sequence[_Box], width: float, height: float, thickness: float) -> Iterator[_Box]:
    """List the cut lines: along each edge of a photo, outside of it, on to the paper's edge or the next photo."""
    yield from _find_upright_lines(boxes, width, height, thickness)
    across = _find_upright_lines([box.transpose() for box in boxes], height, width, thickness)
    yield from (line.transpose() for line in across)


def _find_upright_lines(boxes: Sequence[_Box], width: float, height: float, thickness: float) -> list[_Box]:
    lines: dict[_Box, None] = {}
    for box in boxes:
        for left in (box.left - thickness, box.right):
            right = left + thickness
            if left < 0 or right > width:
                continue
            in_way = [(b.top, b.bottom) for b in boxes if b.left < right - _SAME and b.right > left + _SAME]
            start = 0.0
            for top, bottom in [*sorted(in_way), (height, height)]:
                # Of the stretches between photos, those that reach this one's edge.
                if top - start > _SAME and start <= box.bottom + _SAME and top >= box.top - _SAME:
                    lines[_Box(left=left, top=start, right=right, bottom=top)] = None
                start = max(start, bottom)
    return list(lines)
