"""What lies behind the person in a finished photo, and whether a document allows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from idphoto.imaging.portrait import Alpha, Pixels
from idphoto.imaging.report import Check, MeasuredOn, Status

# Alpha up to which a pixel shows nothing of the person, and the share of the picture that such pixels need.
_CLEAR = 5
_ENOUGH = 0.02
# Spread of the background's colour: mean distance in CIELAB (CIE76) from its mean colour. Studio walls have less than
# 6, measured in the project's imaging study; twice that is a visible pattern or shadow.
_EVEN, _PATTERNED = 6.0, 12.0
# Distance of the mean colour from the nearest allowed one. 10 is a shade of the same colour, 25 another colour.
_SAME_COLOUR, _OTHER_COLOUR = 10.0, 25.0
_SOURCE = "the document"


class Kind(StrEnum):
    """Where a background comes from."""

    KEPT = "kept"
    REPLACED = "replaced"
    TRANSPARENT = "transparent"


@dataclass(frozen=True, kw_only=True)
class Background:
    """A background and what was measured of it."""

    kind: Kind
    colours: tuple[str, ...]
    """RRGGBB: one, or both ends of a gradient, that we laid; or the mean of what was kept, empty if it is not seen."""
    spread: float | None = None
    """CIELAB; of a kept background."""

    def check(self, allowed: tuple[str, ...]) -> list[Check]:
        """Compare with the colours that a document allows; empty: it sets none."""
        return [self._check_evenness(), self._check_colour(allowed)]

    def _check_evenness(self) -> Check:
        if self.kind is Kind.KEPT:
            status = Status.NOT_ASSESSED
            if self.spread is not None:
                status = (
                    Status.PASS if self.spread <= _EVEN else Status.WARN if self.spread <= _PATTERNED else Status.FAIL
                )
            return Check(
                id="background_even",
                status=status,
                value=None if self.spread is None else round(self.spread, 2),
                limit=(None, _EVEN),
                unit="CIELAB",
                source="IDPhoto's own experience",
                measured_on=MeasuredOn.OUTPUT,
            )
        # True by construction: said, not measured.
        is_plain = self.kind is Kind.REPLACED and len(self.colours) == 1
        return Check(
            id="background_even",
            status=Status.PASS if is_plain else Status.WARN,
            value=self.kind.value if is_plain or self.kind is Kind.TRANSPARENT else "gradient",
            limit="one colour",
            measured_on=MeasuredOn.OUTPUT,
        )

    def _check_colour(self, allowed: tuple[str, ...]) -> Check:
        status = Status.NOT_ASSESSED
        if allowed and self.colours:
            farthest = max(min(_measure_distance(colour, other) for other in allowed) for colour in self.colours)
            exact = 0.0 if self.kind is Kind.REPLACED else _SAME_COLOUR
            status = Status.PASS if farthest <= exact else Status.WARN if farthest <= _OTHER_COLOUR else Status.FAIL
        return Check(
            id="background_colour",
            status=status,
            value=" to ".join(self.colours) or None,
            limit=allowed or None,
            unit="RRGGBB",
            source=_SOURCE,
            measured_on=MeasuredOn.OUTPUT,
        )


def measure_background(pixels: Pixels, alpha: Alpha) -> Background:
    """Measure the background that a photo has kept.

    Args:
        pixels: (H, W, 3), the finished photo.
        alpha: (H, W), where the person is.
    """
    shown = pixels[alpha <= _CLEAR]
    if len(shown) < _ENOUGH * alpha.size:
        return Background(kind=Kind.KEPT, colours=())
    lab = _to_lab(shown)
    spread = float(np.linalg.norm(lab - lab.mean(axis=0), axis=1).mean())
    mean = "".join(f"{round(float(level)):02X}" for level in shown.mean(axis=0))
    return Background(kind=Kind.KEPT, colours=(mean,), spread=spread)


def _measure_distance(colour: str, other: str) -> float:
    pair = np.array([list(bytes.fromhex(colour)), list(bytes.fromhex(other))], np.uint8)
    first, second = _to_lab(pair)
    return float(np.linalg.norm(first - second))


def _to_lab(colours: Pixels) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return (N, 3) sRGB bytes as CIELAB."""
    lab: np.ndarray[tuple[int, int], np.dtype[np.float32]] = cv2.cvtColor(
        colours[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB
    )[0]
    return lab
