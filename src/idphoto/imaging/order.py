"""What is wanted of a photo, and what follows from it where nothing is said."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from idphoto.imaging.encode import FileLimits
from idphoto.imaging.render import Finish
from idphoto.imaging.retouch import Retouch
from idphoto.imaging.sheet import Paper
from idphoto.specs import Editing, Range, Spec
from idphoto.specs.spec import DEFAULT_DPI

_WHITE = "FFFFFF"
#: How far a placement that is asked for by number may be missed, as a fraction of the photo's height.
_ASKED_TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class SheetOrder:
    """A print sheet beside the photo."""

    paper: Paper
    copies: int | None = None
    """Of the photo itself; None: as many as fit."""
    others: tuple[tuple[Spec, int | None], ...] = ()
    """Further sizes of the same portrait and their copies."""
    margin_mm: float = 3.0
    spacing_mm: float = 2.0
    cut_lines: bool = True


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is wanted of a photo. None: what the spec says, or our usual."""

    spec: Spec | None = None
    """None: the source's own canvas, nothing cropped."""
    background: str | None = None
    """RRGGBB. None: the document's first, or white."""
    background_end: str | None = None
    """RRGGBB at the bottom of a vertical gradient."""
    transparent: bool = False
    """No background at all; PNG only."""
    keep_background: bool | None = None
    """None: kept where the document forbids editing and no background is asked for."""
    format: Literal["jpg", "png"] = "jpg"
    dpi: int | None = None
    largest_face: bool = False
    """Take the largest of several faces instead of failing."""
    head_height: float | None = None
    """Chin to crown as a fraction of the photo's height, instead of the spec's range."""
    top_margin: float | None = None
    eye_line: float | None = None
    limits: FileLimits | None = None
    """None: the document's."""
    retouch: Retouch = field(default_factory=Retouch)
    preview: bool = False
    """Lay a watermark over the picture."""
    report: bool = False
    """Judge the result by the spec."""
    sheet: SheetOrder | None = None

    @property
    def keeps_background(self) -> bool:
        """Tell whether the photo's own background stays."""
        if self.keep_background is not None:
            return self.keep_background
        is_forbidden = self.spec is not None and self.spec.editing is Editing.FORBIDDEN
        is_asked = self.background is not None or self.background_end is not None or self.transparent
        return is_forbidden and not is_asked

    @property
    def finish(self) -> Finish:
        """What is done to the cropped portrait."""
        colours = self.spec.backgrounds if self.spec else ()
        colour = self.background or (colours[0] if colours else _WHITE)
        return Finish(
            background=None if self.transparent else colour,
            background_end=self.background_end,
            keep_background=self.keeps_background,
            retouch=self.retouch,
        )

    @property
    def target(self) -> Spec | None:
        """The spec with the placement that is asked for by number."""
        if self.spec is None:
            return None
        asked = {"head_height": self.head_height, "top_margin": self.top_margin, "eye_line": self.eye_line}
        ranges = {
            name: Range(low=value - _ASKED_TOLERANCE, high=value + _ASKED_TOLERANCE, target=value)
            for name, value in asked.items()
            if value is not None
        }
        return replace(self.spec, **ranges)  # type: ignore[arg-type]

    @property
    def head_px(self) -> float | None:
        """The most pixels that the head's height can have in any of the pictures; None: as many as in the source."""
        if self.target is None:
            return None
        specs = [self.target, *(spec for spec, _ in (self.sheet.others if self.sheet else ()))]
        return max(min(0.9, spec.placement.head_height.high) * spec.height for spec in specs)

    @property
    def print_dpi(self) -> int:
        """What the file says about its size on paper."""
        return self.dpi or (self.spec.dpi if self.spec else DEFAULT_DPI)

    @property
    def file_limits(self) -> FileLimits:
        """How large the file may be. A document's limits are for its final file, so a preview has none of them."""
        if self.limits is not None:
            return self.limits
        if self.spec is None or self.preview:
            return FileLimits()
        return FileLimits(min_kb=self.spec.min_kb, max_kb=self.spec.max_kb)
