"""One photo specification: its canvas, where the head goes on it, and what its document allows.

All placement values are fractions of the photo's height (``face_width``: of its width), so that a spec holds at
any resolution. What a document does not set is None; :meth:`Spec.placement` then says what we aim for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from idphoto.specs.units import to_mm, to_px

#: Photos are printed at 300 dpi unless a document says otherwise.
DEFAULT_DPI = 300


class Crown(StrEnum):
    """What a document means by the top of the head."""

    HAIR = "hair"
    """The top of the hair as worn."""
    SKULL = "skull"
    """The top of the head as it would be without hair (ICAO Doc 9303)."""
    TRIMMED = "trimmed"
    """The top of the hair; what towers above may be cut off (GA 461-2004)."""


class Editing(StrEnum):
    """What a document allows to be done to a photo."""

    ALLOWED = "allowed"
    BACKGROUND_ONLY = "background_only"
    """The background may be replaced; the person stays as photographed."""
    FORBIDDEN = "forbidden"
    """Cropping, turning and scaling only."""


class Confidence(StrEnum):
    """How well an entry of the catalogue is founded."""

    AUTHORITY = "A"
    """Read on a page of the issuing authority, or in the standard itself."""
    SECONDARY = "B"
    """Read on a page that quotes the rule."""
    CONVENTION = "C"
    """A convention of the trade, or the sources disagree."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """What is allowed, ends included, and the value to aim for."""

    low: float
    high: float
    target: float | None = None
    """None: anything inside is as good."""

    @classmethod
    def around(cls, low: float, high: float) -> Range:
        """Make a range that aims for its middle."""
        return cls(low=low, high=high, target=(low + high) / 2)

    def __contains__(self, value: float) -> bool:
        """Tell whether the value is allowed."""
        return self.low <= value <= self.high

    def aim_for(self, value: float) -> Range:
        """Return the range with a target if it has none: the value, or the end that is nearest to it."""
        return self if self.target is not None else replace(self, target=min(max(value, self.low), self.high))


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where the head goes; a range that is None is free."""

    head_height: Range
    top_margin: Range
    eye_line: Range | None = None
    chin_to_bottom: Range | None = None
    face_width: Range | None = None


#: Our own aim where a document sets no range: measured on finished photos, see docs/imaging.md.
USUAL = Placement(
    head_height=Range(low=0.56, high=0.70, target=0.62),
    top_margin=Range(low=0.06, high=0.14, target=0.09),
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where an entry's facts were read."""

    title: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A photo specification."""

    id: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    dpi: int = DEFAULT_DPI
    country: str | None = None
    """ISO 3166-1 alpha-2, or EU; None: of no country."""
    name_en: str = ""
    name_zh: str = ""
    width_mm: float | None = None
    """Of the print; None: the document takes files only."""
    height_mm: float | None = None
    crown: Crown | None = None
    """What ``head_height`` and ``top_margin`` count from; None: the document does not say; hair counts, but no bun."""
    head_height: Range | None = None
    """Chin to crown."""
    top_margin: Range | None = None
    """Crown to the photo's top edge."""
    eye_line: Range | None = None
    """Eye midpoint to the photo's bottom edge."""
    chin_to_bottom: Range | None = None
    face_width: Range | None = None
    """Cheek to cheek, as a fraction of the photo's width."""
    backgrounds: tuple[str, ...] = ()
    """Allowed colours, RRGGBB, the one to lay first; empty: the document sets none."""
    min_kb: int | None = None
    max_kb: int | None = None
    editing: Editing | None = None
    """None: not known."""
    confidence: Confidence | None = None
    checked: date | None = None
    """When the sources were last read."""
    sources: tuple[Source, ...] = ()

    @classmethod
    def of_size(cls, width: int, height: int, *, dpi: int = DEFAULT_DPI) -> Spec:
        """Make a spec that asks for a size in pixels and nothing else."""
        return cls(id=f"{width}x{height}", width=width, height=height, dpi=dpi)

    @classmethod
    def of_print(cls, width_mm: float, height_mm: float, *, dpi: int = DEFAULT_DPI) -> Spec:
        """Make a spec that asks for a size in millimetres and nothing else."""
        width, height = to_px(width_mm, dpi), to_px(height_mm, dpi)
        return replace(cls.of_size(width, height, dpi=dpi), width_mm=width_mm, height_mm=height_mm)

    def at_dpi(self, dpi: int) -> Spec:
        """Return the spec for another print resolution: more or fewer pixels for the same millimetres.

        A document of pixels alone keeps them; only what its file says of them changes.
        """
        if self.width_mm is None or self.height_mm is None:
            return replace(self, dpi=dpi)
        return replace(self, width=to_px(self.width_mm, dpi), height=to_px(self.height_mm, dpi), dpi=dpi)

    @property
    def has_ranges(self) -> bool:
        """Tell whether the document sets where the head goes."""
        ranges = (self.head_height, self.top_margin, self.eye_line, self.chin_to_bottom, self.face_width)
        return any(limits is not None for limits in ranges)

    @property
    def print_size_mm(self) -> tuple[float, float]:
        """Width and height on paper: the document's, or what the pixels make at its dpi."""
        if self.width_mm is not None and self.height_mm is not None:
            return self.width_mm, self.height_mm
        return to_mm(self.width, self.dpi), to_mm(self.height, self.dpi)

    @property
    def placement(self) -> Placement:
        """Where the head goes: the document's ranges, and ours where it sets none.

        A document that fixes the eye line or the top margin leaves less freedom than our usual range of head
        heights assumes, so only ranges that it does not imply are filled in.
        """
        head = self._aim_head()
        aimed_head = head.target or USUAL.head_height.low
        if self.top_margin is not None:
            top = self.top_margin.aim_for(USUAL.top_margin.target or 0)
        elif self.eye_line is not None and self.eye_line.target is not None:
            # Eyes sit about halfway down the head: the margin follows from the eye line.
            middle = 1 - self.eye_line.target - aimed_head / 2
            top = Range(low=max(0.02, middle - 0.08), high=max(0.10, middle + 0.08), target=max(0.04, middle))
        else:
            # A head that is larger than usual shares what is left as usual heads do, with a third of it above.
            share = (USUAL.top_margin.target or 0) / (1 - (USUAL.head_height.target or 0))
            target = min(USUAL.top_margin.target or 0, share * (1 - aimed_head))
            top = Range(low=min(USUAL.top_margin.low, target / 2), high=USUAL.top_margin.high, target=target)
        return Placement(
            head_height=head,
            top_margin=top,
            eye_line=self.eye_line,
            chin_to_bottom=self.chin_to_bottom,
            face_width=self.face_width,
        )

    def _aim_head(self) -> Range:
        usual = USUAL.head_height
        if self.head_height is not None:
            return self.head_height.aim_for(usual.target or 0)
        if self.face_width is None:
            return usual
        # A head is about 1.7 times as high as the face between the cheek points is wide (docs/imaging.md), give or
        # take an eighth: the width that the document sets decides, and the height follows.
        ratio = 1.7 * self.width / self.height
        low, high = ratio * self.face_width.low, ratio * self.face_width.high
        return Range(low=0.88 * low, high=min(0.9, 1.12 * high), target=min(0.85, (low + high) / 2))
