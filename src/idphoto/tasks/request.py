"""What a client asked for, validated; stored with its task as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from idphoto.specs import Catalogue, Spec


class Format(StrEnum):
    """File format of the result."""

    PNG = "png"
    JPG = "jpg"

    @property
    def media_type(self) -> str:
        """The Content-Type."""
        return "image/jpeg" if self is Format.JPG else "image/png"


class Mode(StrEnum):
    """What is done with the source."""

    MAKE = "make"
    CHECK = "check"
    """It is a finished photo, and only a report is wanted."""


@dataclass(frozen=True, kw_only=True)
class LayoutRequest:
    """A print sheet beside the photo."""

    paper: str
    """A name, or WIDTHxHEIGHT in millimetres."""
    copies: int | None = None
    others: tuple[tuple[str, int | None], ...] = ()
    """Ids of further specs on the same sheet, and their copies."""
    margin_mm: float = 3.0
    spacing_mm: float = 2.0
    cut_lines: bool = True


@dataclass(frozen=True, kw_only=True)
class PhotoRequest:
    """What the client asked for. None: what the spec says, or the usual."""

    mode: Mode = Mode.MAKE
    spec: str | None = None
    """Id in the catalogue."""
    width: int | None = None
    height: int | None = None
    """Pixels, instead of a spec."""
    width_mm: float | None = None
    height_mm: float | None = None
    """Millimetres at ``dpi``, instead of a spec. With none of the three: the source's own canvas, no crop."""
    dpi: int | None = None
    format: Format = Format.PNG
    background: str | None = None
    """RRGGBB, upper case. PNG is transparent and ignores it, unless the background is kept."""
    background_end: str | None = None
    """RRGGBB at the bottom of a gradient."""
    keep_background: bool | None = None
    largest_face: bool = False
    """Take the largest of several faces instead of failing."""
    head_height: float | None = None
    """Fractions of the photo's height, instead of the spec's ranges."""
    top_margin: float | None = None
    eye_line: float | None = None
    min_kb: int | None = None
    max_kb: int | None = None
    retouch: Mapping[str, float] = field(default_factory=dict)
    """Strengths by name; absent: off."""
    preview: bool = False
    layout: LayoutRequest | None = None
    last_id: str | None = None
    """The task whose cut-out is rendered again, instead of an image."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that :meth:`from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> PhotoRequest:
        """Read what :meth:`to_json` wrote; a field that it does not have yet takes its default."""
        layout = data.get("layout")
        if layout is not None:
            others = tuple((name, copies) for name, copies in layout["others"])
            layout = LayoutRequest(**{**layout, "others": others})
        known = {**data, "layout": layout, "format": Format(data["format"]), "mode": Mode(data.get("mode", Mode.MAKE))}
        return cls(**known)


def find_spec(request: PhotoRequest, catalogue: Catalogue) -> Spec | None:
    """Return the spec that a request names or describes; None: the source's own canvas.

    Raises:
        UnknownSpec: the catalogue does not have it.
    """
    if request.spec is not None:
        spec = catalogue.get(request.spec)
        return spec if request.dpi is None else spec.at_dpi(request.dpi)
    dpi = {} if request.dpi is None else {"dpi": request.dpi}
    if request.width_mm is not None and request.height_mm is not None:
        return Spec.of_print(request.width_mm, request.height_mm, **dpi)
    if request.width is not None and request.height is not None:
        return Spec.of_size(request.width, request.height, **dpi)
    return None
