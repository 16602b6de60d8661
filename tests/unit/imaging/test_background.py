from __future__ import annotations

import numpy as np
import pytest

from idphoto.imaging.background import Background, Kind, measure_background
from idphoto.imaging.report import Status

ALLOWED = ("FFFFFF", "438EDB")
ALPHA = np.zeros((100, 80), np.uint8)
ALPHA[30:, 20:60] = 255


def paint(colour: tuple[int, int, int], noise: float = 0.0) -> np.ndarray:
    grain = np.random.default_rng(1).normal(0, noise, (100, 80, 3))
    return np.clip(np.array(colour) + grain, 0, 255).astype(np.uint8)


def judge(background: Background, allowed: tuple[str, ...] = ALLOWED) -> tuple[Status, Status]:
    even, colour = background.check(allowed)
    assert (even.id, colour.id) == ("background_even", "background_colour")
    return even.status, colour.status


@pytest.mark.parametrize(
    ("colour", "noise", "expected"),
    [
        ((252, 252, 252), 2, ("pass", "pass")),
        ((225, 225, 225), 2, ("pass", "warn")),
        ((120, 120, 120), 2, ("pass", "fail")),
        ((70, 140, 215), 2, ("pass", "pass")),
        ((180, 180, 180), 8, ("warn", "fail")),
        ((130, 130, 130), 60, ("fail", "fail")),
    ],
)
def test_a_kept_background_is_measured(colour, noise, expected):
    assert judge(measure_background(paint(colour, noise), ALPHA)) == expected


def test_the_person_is_not_the_background():
    pixels = paint((255, 255, 255))
    pixels[ALPHA > 0] = (10, 60, 90)
    background = measure_background(pixels, ALPHA)
    assert background.colours == ("FFFFFF",)
    assert background.spread == pytest.approx(0, abs=1e-3)


def test_a_background_that_is_hardly_seen_is_not_judged():
    alpha = np.full((100, 80), 255, np.uint8)
    alpha[0, :40] = 0
    background = measure_background(paint((255, 255, 255)), alpha)
    assert judge(background) == (Status.NOT_ASSESSED, Status.NOT_ASSESSED)


@pytest.mark.parametrize(
    ("colours", "expected"),
    [
        (("FFFFFF",), ("pass", "pass")),
        (("FEFEFE",), ("pass", "warn")),
        (("D9001B",), ("pass", "fail")),
        (("438EDB", "FFFFFF"), ("warn", "pass")),
    ],
)
def test_a_laid_background_is_known_exactly(colours, expected):
    assert judge(Background(kind=Kind.REPLACED, colours=colours)) == expected


def test_without_a_rule_a_colour_is_not_judged():
    assert judge(Background(kind=Kind.REPLACED, colours=("D9001B",)), ()) == (Status.PASS, Status.NOT_ASSESSED)


def test_a_transparent_photo_has_no_background_yet():
    assert judge(Background(kind=Kind.TRANSPARENT, colours=())) == (Status.WARN, Status.NOT_ASSESSED)
