"""The whole way of a photo, from the bytes of a file to the bytes of a file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from idphoto.imaging import compose, decode, encode, render, sheet, sheet_draw
from idphoto.imaging.analyse import Analyser
from idphoto.imaging.background import Background, Kind, measure_background
from idphoto.imaging.compliance import Evidence, assess, refuse
from idphoto.imaging.errors import SubjectError
from idphoto.imaging.inspection import Inspection
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.order import Order, SheetOrder
from idphoto.imaging.portrait import Notice, Photo, Portrait, Progress
from idphoto.imaging.recipes import MattingChoice
from idphoto.imaging.report import MeasuredOn, Report
from idphoto.imaging.watermark import mark_preview
from idphoto.specs import Spec

#: How much of the time the analysis takes, in percent of the whole; the rest is rendering and encoding.
_ANALYSED = 90


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A print sheet, twice."""

    image: bytes
    """JPEG at the photo's dpi."""
    pdf: bytes
    """In true millimetres."""
    photos: int
    width_mm: float
    height_mm: float


@dataclass(frozen=True, kw_only=True)
class Made:
    """A finished file and what it was made from."""

    data: bytes
    photo: Photo
    portrait: Portrait
    inspection: Inspection
    report: Report | None = None
    sheet: Sheet | None = None

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
            FileSizeUnreachable: the file cannot be made as small as asked.
            DoesNotFit: the sheet cannot hold what is asked.
        """
        tell: Progress = progress or (lambda percent: None)
        source = decode.decode(data, max_pixels=self._max_pixels)
        portrait = self._analyser.analyse(
            source,
            largest_face=order.largest_face,
            progress=lambda percent: tell(percent * _ANALYSED // 100),
        )
        made = _make(portrait, self._analyser.inspect(portrait), order, self._analyser)
        tell(100)
        return made

    def check(self, data: bytes, spec: Spec) -> Report:
        """Judge a finished photo by a document's rules.

        A photo without one whole head gets a report that says so, no error.

        Raises:
            DecodeError: the bytes are not an image that we read.
        """
        source = decode.decode(data, max_pixels=self._max_pixels)
        try:
            portrait = self._analyser.analyse(source)
        except SubjectError as error:
            return refuse(spec, error.code)
        if Notice.AUTO_ROTATED in portrait.warnings:
            return refuse(spec, "not_upright")
        height, width = portrait.alpha.shape
        evidence = Evidence(
            inspection=self._analyser.inspect(portrait),
            head=portrait.head,
            head_measured_on=MeasuredOn.INPUT,
            width=width,
            height=height,
            dpi=source.dpi,
            file_bytes=len(data),
            notices=portrait.warnings,
            background=measure_background(portrait.pixels, portrait.alpha),
        )
        return assess(spec, evidence)


def make_again(portrait: Portrait, inspection: Inspection, order: Order) -> Made:
    """Make a photo of what is known already: no inference.

    Raises:
        TooTight: the background is kept, and the photo is too tight for that.
        FileSizeUnreachable: the file cannot be made as small as asked.
        DoesNotFit: the sheet cannot hold what is asked.
    """
    return _make(portrait, inspection, order, None)


def _make(portrait: Portrait, inspection: Inspection, order: Order, analyser: Analyser | None) -> Made:
    photo, framing = _render(portrait, order)
    shown = replace(photo, pixels=mark_preview(photo.pixels)) if order.preview else photo
    data = encode.encode(shown, format=order.format, limits=order.file_limits)
    report = None
    if order.report and order.spec is not None:
        found = analyser and analyser.find_head(photo)
        evidence = Evidence(
            inspection=inspection,
            head=found or photo.head,
            head_measured_on=MeasuredOn.OUTPUT if found else MeasuredOn.INPUT,
            width=framing.width,
            height=framing.height,
            dpi=photo.dpi,
            file_bytes=len(data),
            notices=(*portrait.warnings, *photo.warnings),
            background=_describe_background(photo, order),
            enlarged=framing.scale / portrait.reduced,
            retouched=not order.retouch.is_off,
        )
        report = assess(order.spec, evidence)
    return Made(
        data=data,
        photo=photo,
        portrait=portrait,
        inspection=inspection,
        report=report,
        sheet=_make_sheet(portrait, photo, order, order.sheet) if order.sheet else None,
    )


def _render(portrait: Portrait, order: Order) -> tuple[Photo, compose.Framing]:
    spec = order.target
    if spec is None:
        framing = compose.frame_whole(portrait)
    else:
        framing = compose.frame(portrait, spec, within=order.keeps_background)
    return render.render(portrait, framing, order.finish, dpi=order.print_dpi), framing


def _describe_background(photo: Photo, order: Order) -> Background:
    finish = order.finish
    if finish.keep_background:
        return measure_background(photo.pixels, photo.alpha)
    if finish.background is None:
        return Background(kind=Kind.TRANSPARENT, colours=())
    colours = (finish.background, finish.background_end or finish.background)
    return Background(kind=Kind.REPLACED, colours=tuple(dict.fromkeys(colours)))


def _make_sheet(portrait: Portrait, photo: Photo, order: Order, wish: SheetOrder) -> Sheet:
    """Lay the photo, and further sizes of the portrait, on paper; a transparent photo gets the order's background."""
    opaque = replace(order, transparent=False, sheet=None)
    spec = order.spec or Spec.of_size(photo.pixels.shape[1], photo.pixels.shape[0], dpi=order.print_dpi)
    wanted = [(spec, wish.copies), *wish.others]
    photos = []
    for number, (size, _) in enumerate(wanted):
        is_made = number == 0 and not order.transparent
        made = photo if is_made else _render(portrait, opaque if number == 0 else replace(opaque, spec=size))[0]
        photos.append(replace(made, pixels=mark_preview(made.pixels)) if order.preview else made)
    items = [
        sheet.Item(width_mm=size.print_size_mm[0], height_mm=size.print_size_mm[1], copies=copies)
        for size, copies in wanted
    ]
    plan = sheet.plan_sheet(wish.paper, items, margin_mm=wish.margin_mm, spacing_mm=wish.spacing_mm)
    drawn = sheet_draw.draw_sheet(plan, [each.pixels for each in photos], dpi=order.print_dpi, cut_lines=wish.cut_lines)
    files = [encode.encode(each, format="jpg") for each in photos]
    return Sheet(
        image=sheet_draw.encode_sheet(drawn, dpi=order.print_dpi),
        pdf=sheet_draw.write_pdf(plan, files, cut_lines=wish.cut_lines),
        photos=len(plan.places),
        width_mm=plan.paper.width_mm,
        height_mm=plan.paper.height_mm,
    )
