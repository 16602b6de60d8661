"""One photo specification: its canvas and where the head goes on it.

All placement values are fractions of the photo's height (``face_width``: of its width), so that a spec holds at
any resolution. A range that a document does not set is absent in the catalogue; :meth:`Spec.placement` then says
what we aim for.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Photos are printed at 300 dpi unless a document says otherwise.
DEFAULT_DPI = 300


@dataclass(frozen=True, kw_only=True)
class Range:
    """What is allowed, ends included, and the value to aim for."""

    low: float
    high: float
    target: float

    @classmethod
    def around(cls, low: float, high: float) -> Range:
        """Make a range that aims for its middle."""
        return cls(low=low, high=high, target=(low + high) / 2)

    def __contains__(self, value: float) -> bool:
        """Tell whether the value is allowed."""
        return self.low <= value <= self.high


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
class Spec:
    """A photo specification."""

    id: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    dpi: int = DEFAULT_DPI
    name_en: str = ""
    name_zh: str = ""
    width_mm: float | None = None
    height_mm: float | None = None
    head_height: Range | None = None
    """Chin to crown."""
    top_margin: Range | None = None
    """Crown to the photo's top edge."""
    eye_line: Range | None = None
    """Eye midpoint to the photo's bottom edge."""
    chin_to_bottom: Range | None = None
    face_width: Range | None = None
    """Cheek to cheek, as a fraction of the photo's width."""
    source: str = ""

    @classmethod
    def of_size(cls, width: int, height: int, *, dpi: int = DEFAULT_DPI) -> Spec:
        """Make a spec that asks for a size in pixels and nothing else."""
        return cls(id=f"{width}x{height}", width=width, height=height, dpi=dpi)

    @property
    def placement(self) -> Placement:
        """Where the head goes: the document's ranges, and ours where it sets none.

        A document that fixes the eye line or the top margin leaves less freedom than our usual range of head
        heights assumes, so only ranges that it does not imply are filled in.
        """
        head = self.head_height or USUAL.head_height
        if self.top_margin is not None:
            top = self.top_margin
        elif self.eye_line is not None:
            # Eyes sit about halfway down the head: the margin follows from the eye line.
            middle = 1 - self.eye_line.target - head.target / 2
            top = Range(low=max(0.02, middle - 0.08), high=middle + 0.08, target=max(0.04, middle))
        else:
            top = USUAL.top_margin
        return Placement(
            head_height=head,
            top_margin=top,
            eye_line=self.eye_line,
            chin_to_bottom=self.chin_to_bottom,
            face_width=self.face_width,
        )
