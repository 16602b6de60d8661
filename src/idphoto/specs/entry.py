"""The schema of a catalogue entry, as people write it in TOML, and the spec that it becomes.

Lengths may be written in the unit that the document uses; :func:`to_spec` makes fractions of them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from idphoto.specs.spec import DEFAULT_DPI, Confidence, Crown, Editing, Range, Source, Spec
from idphoto.specs.units import to_px

_Colour = Annotated[str, Field(pattern=r"^[0-9A-F]{6}$")]
#: Larger photos are asked for nowhere; the wire contract's own limit of 2000 pixels is for free sizes.
_Side = Annotated[int, Field(ge=50, le=4500)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Strict):
    """A length's least and largest value; one of them may be left out."""

    min: float | None = Field(default=None, ge=0)
    max: float | None = Field(default=None, gt=0)
    unit: Literal["mm", "px", "%"]
    """Percent are of the photo's height, for ``face_width`` of its width."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("it needs min, max or both")
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise ValueError("min must be less than max")
        return self


class SourceEntry(_Strict):
    """Where the facts were read."""

    title: str = Field(min_length=3)
    url: str | None = Field(default=None, pattern=r"^https?://\S+$")


class SpecEntry(_Strict):
    """A document's photo. What is not known is left out, never guessed."""

    id: str = Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    mm: tuple[float, float] | None = None
    """Width and height of the print."""
    px: tuple[_Side, _Side]
    """Width and height of the file."""
    dpi: int = Field(default=DEFAULT_DPI, ge=10, le=1200)
    crown: Crown | None = None
    head_height: Limits | None = None
    top_margin: Limits | None = None
    eye_line: Limits | None = None
    chin_to_bottom: Limits | None = None
    face_width: Limits | None = None
    backgrounds: tuple[_Colour, ...] = ()
    min_kb: int | None = Field(default=None, ge=1)
    max_kb: int | None = Field(default=None, ge=1)
    editing: Editing | None = None
    confidence: Confidence | None = None
    checked: date | None = None
    sources: tuple[SourceEntry, ...] = ()

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.mm is not None:
            for millimetres, pixels in zip(self.mm, self.px, strict=True):
                if abs(to_px(millimetres, self.dpi) - pixels) > 1:
                    raise ValueError(f"{pixels} px is not {millimetres:g} mm at {self.dpi} dpi")
        if self.min_kb is not None and self.max_kb is not None and self.min_kb >= self.max_kb:
            raise ValueError("min_kb must be less than max_kb")
        for name in ("head_height", "top_margin", "eye_line", "chin_to_bottom", "face_width"):
            limits: Limits | None = getattr(self, name)
            if limits is None:
                continue
            if limits.unit == "mm" and self.mm is None:
                raise ValueError(f"{name} is in mm, but the document has no print size (mm)")
            low, high = _to_shares(self, limits, across=name == "face_width")
            if low >= 1 or high > 1:
                raise ValueError(f"{name} does not fit into the photo")
        return self


def to_spec(entry: SpecEntry) -> Spec:
    """Return the spec of an entry, with all lengths as fractions of the photo's side."""

    def read(limits: Limits | None, *, across: bool = False) -> Range | None:
        if limits is None:
            return None
        low, high = _to_shares(entry, limits, across=across)
        is_closed = limits.min is not None and limits.max is not None
        return Range.around(low, high) if is_closed else Range(low=low, high=high)

    width_mm, height_mm = entry.mm or (None, None)
    return Spec(
        id=entry.id,
        country=entry.country,
        name_en=entry.en,
        name_zh=entry.zh,
        width=entry.px[0],
        height=entry.px[1],
        dpi=entry.dpi,
        width_mm=width_mm,
        height_mm=height_mm,
        crown=entry.crown,
        head_height=read(entry.head_height),
        top_margin=read(entry.top_margin),
        eye_line=read(entry.eye_line),
        chin_to_bottom=read(entry.chin_to_bottom),
        face_width=read(entry.face_width, across=True),
        backgrounds=entry.backgrounds,
        min_kb=entry.min_kb,
        max_kb=entry.max_kb,
        editing=entry.editing,
        confidence=entry.confidence,
        checked=entry.checked,
        sources=tuple(Source(title=source.title, url=source.url) for source in entry.sources),
    )


def _to_shares(entry: SpecEntry, limits: Limits, *, across: bool) -> tuple[float, float]:
    """Return both ends as fractions of the side; an open end is the side's own end."""
    axis = 0 if across else 1
    sides = {"mm": entry.mm[axis] if entry.mm else 1.0, "px": float(entry.px[axis]), "%": 100.0}
    side = sides[limits.unit]
    return (limits.min or 0.0) / side, 1.0 if limits.max is None else limits.max / side
