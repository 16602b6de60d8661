"""From what a client asked for to what the imaging core is told."""

from __future__ import annotations

from idphoto.imaging.encode import FileLimits
from idphoto.imaging.order import Order, SheetOrder
from idphoto.imaging.retouch import Retouch
from idphoto.imaging.sheet import parse_paper
from idphoto.specs import Catalogue
from idphoto.tasks.request import Format, LayoutRequest, PhotoRequest, find_spec


def read_order(request: PhotoRequest, catalogue: Catalogue) -> Order:
    """Return the order of a validated request.

    Raises:
        UnknownSpec: the catalogue does not have the document any more.
    """
    is_png = request.format is Format.PNG
    has_limits = request.min_kb is not None or request.max_kb is not None
    return Order(
        spec=find_spec(request, catalogue),
        background=None if is_png else request.background,
        background_end=request.background_end,
        transparent=is_png and not request.keep_background,
        keep_background=request.keep_background,
        format="png" if is_png else "jpg",
        dpi=request.dpi,
        largest_face=request.largest_face,
        head_height=request.head_height,
        top_margin=request.top_margin,
        eye_line=request.eye_line,
        limits=FileLimits(min_kb=request.min_kb, max_kb=request.max_kb) if has_limits else None,
        retouch=Retouch(**request.retouch),
        preview=request.preview,
        report=request.spec is not None,
        sheet=None if request.layout is None else _read_sheet(request.layout, catalogue),
    )


def _read_sheet(layout: LayoutRequest, catalogue: Catalogue) -> SheetOrder:
    return SheetOrder(
        paper=parse_paper(layout.paper),
        copies=layout.copies,
        others=tuple((catalogue.get(name), copies) for name, copies in layout.others),
        margin_mm=layout.margin_mm,
        spacing_mm=layout.spacing_mm,
        cut_lines=layout.cut_lines,
    )
