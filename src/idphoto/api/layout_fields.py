"""The fields of a create call that ask for a print sheet."""

from __future__ import annotations

import re

from idphoto.api.errors import BadField, BadRequest
from idphoto.api.forms import Form
from idphoto.api.values import choose, read_number, read_whole
from idphoto.imaging.sheet import DoesNotFit, Item, is_quick, parse_paper, plan_sheet
from idphoto.specs import Catalogue, Spec, UnknownSpec
from idphoto.tasks.request import LayoutRequest

MAX_COPIES = 500
#: Further sizes on one sheet: planning takes up to four seconds for three sizes, and more for more.
MAX_OTHERS = 2
_OFF = re.compile(r"0+|none")
_OTHER = re.compile(r"([a-z0-9-]{1,64})(?::([0-9]{1,3}))?")


def read_layout(form: Form, catalogue: Catalogue) -> LayoutRequest | None:
    """Read which sheet is asked for; None: none.

    Raises:
        BadField: a value is not allowed.
    """
    paper = form.get("layout")
    if not paper or _OFF.fullmatch(paper):
        return None
    try:
        parse_paper(paper)
    except ValueError as error:
        raise BadField("layout", paper, str(error)) from error
    margin, spacing = read_number(form, "layout_margin", 0, 50), read_number(form, "layout_spacing", 0, 50)
    return LayoutRequest(
        paper=paper,
        copies=read_whole(form, "layout_copies", 1, MAX_COPIES),
        others=_read_others(form, catalogue),
        margin_mm=LayoutRequest.margin_mm if margin is None else margin,
        spacing_mm=LayoutRequest.spacing_mm if spacing is None else spacing,
        cut_lines=choose(form, "layout_lines", {"0": False, "1": True}, default=True),
    )


def check_layout(layout: LayoutRequest, spec: Spec, catalogue: Catalogue) -> None:
    """Find out whether the sheet holds what is asked, before anything is accepted.

    Where that would take seconds it is left to the worker, which ends the task with the same code.

    Raises:
        BadRequest: it does not; the message says what would fit.
    """
    sizes = [(spec, layout.copies), *((catalogue.get(name), copies) for name, copies in layout.others)]
    items = [
        Item(width_mm=size.print_size_mm[0], height_mm=size.print_size_mm[1], copies=copies) for size, copies in sizes
    ]
    paper = parse_paper(layout.paper)
    if not is_quick(paper, items):
        return
    try:
        plan_sheet(paper, items, margin_mm=layout.margin_mm, spacing_mm=layout.spacing_mm)
    except (DoesNotFit, ValueError) as error:
        raise BadRequest(f"layout: {error}", code="layout_does_not_fit") from error


def _read_others(form: Form, catalogue: Catalogue) -> tuple[tuple[str, int | None], ...]:
    """Read ``layout_with``: ids of further specs, each with its number of copies, such as ``cn-2inch:4``."""
    text = form.get("layout_with")
    if not text:
        return ()
    parts = text.split(",")
    if len(parts) > MAX_OTHERS:
        raise BadField("layout_with", text, f"it may name {MAX_OTHERS} further specs at most")
    others = []
    for part in parts:
        match = _OTHER.fullmatch(part.strip())
        if match is None:
            raise BadField("layout_with", text, "write spec:copies, such as cn-2inch:4, with commas between several")
        try:
            catalogue.get(match[1])
        except UnknownSpec:
            raise BadField("layout_with", match[1], "GET /specs lists the ids", code="unknown_spec") from None
        others.append((match[1], int(match[2]) if match[2] else None))
    return tuple(others)
