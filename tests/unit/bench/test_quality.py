"""The quality benchmark tells good from bad: what it reports is held by the benchmark, not here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.quality.metrics import BACKDROPS, find_band, measure_errors
from bench.quality.negatives import Case
from bench.quality.placement import find_missed, is_cut_seen
from bench.quality.poses import make_poses
from bench.quality.refusal import is_right, try_case
from bench.quality.report import Table
from idphoto.imaging.analyse import Analyser
from idphoto.imaging.compose import frame
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Notice, Portrait, Source
from idphoto.imaging.render import Finish, render
from idphoto.specs import Catalogue


@pytest.fixture(scope="module")
def analyser(models_dir: Path) -> Analyser:
    return Analyser(ModelFolder(models_dir))


@pytest.fixture(scope="module")
def portrait(analyser: Analyser, astronaut: NDArray[np.uint8]) -> Portrait:
    return analyser.analyse(Source(pixels=astronaut, format="PNG"))


def make_square(shift: int = 0) -> NDArray[np.float32]:
    alpha = np.zeros((100, 100), np.float32)
    alpha[30:70, 30 + shift : 70 + shift] = 1
    return alpha


def test_a_perfect_cut_out_has_no_error() -> None:
    colour = np.full((100, 100, 3), 77, np.uint8)
    errors = measure_errors(make_square(), colour, make_square(), colour)
    assert (errors.mad, errors.mse, errors.gradient, errors.band, errors.colour) == (0, 0, 0, 0, (0,) * len(BACKDROPS))


def test_the_errors_of_a_shifted_square_are_its_two_wrong_strips() -> None:
    colour = np.zeros((100, 100, 3), np.uint8)
    errors = measure_errors(make_square(5), colour, make_square(), colour)
    assert errors.mad == pytest.approx(1000 * 2 * 5 * 40 / 100**2)
    assert errors.mse == pytest.approx(errors.mad)
    assert errors.band == pytest.approx(1000 * 2 * 5 * 40 / find_band(make_square()).sum())
    assert errors.gradient > 0


def test_a_fringe_is_seen_on_the_backdrops_that_it_differs_from() -> None:
    alpha = make_square() * np.float32(0.5)
    black, white = np.zeros((100, 100, 3), np.uint8), np.full((100, 100, 3), 255, np.uint8)
    assert all(error > 50 for error in measure_errors(alpha, white, alpha, black).colour)


def test_the_band_is_twelve_pixels_to_each_side_of_the_edge() -> None:
    band = find_band(make_square())
    row = np.flatnonzero(band[50])
    assert row[0] == 30 - 1 - 12
    assert not band[50, 50]


def test_a_photo_made_for_a_document_misses_nothing(analyser: Analyser, portrait: Portrait) -> None:
    spec = Catalogue.load().get("cn-passport")
    photo = render(portrait, frame(portrait, spec), Finish(background="438EDB"), dpi=300)
    assert find_missed(analyser, photo, spec) == []


def test_a_shifted_photo_is_reported(analyser: Analyser, portrait: Portrait) -> None:
    spec = Catalogue.load().get("cn-passport")
    framing = frame(portrait, spec)
    aside = replace(framing, matrix=framing.matrix + np.array([[0, 0, 30], [0, 0, 40]]))
    missed = find_missed(analyser, render(portrait, aside, Finish(background="438EDB"), dpi=300), spec)
    assert [text.split(" ")[0] for text in missed] == ["top", "centred"]


def test_a_body_that_ends_inside_the_frame_is_seen(portrait: Portrait) -> None:
    spec = Catalogue.load().get("cn-passport")
    framing = frame(portrait, spec)
    assert not is_cut_seen(portrait, framing)
    raised = replace(framing, matrix=framing.matrix - np.array([[0, 0, 0], [0, 0, 900]]))
    assert is_cut_seen(portrait, raised)


def test_hair_that_the_photo_cuts_in_view_is_told(portrait: Portrait) -> None:
    """A cut edge at the top is as visible as one at the shoulders."""
    alpha = portrait.alpha.copy()
    alpha[: int(portrait.head.crown[1]) + 2, 200:240] = 255
    spec = Catalogue.load().get("cn-passport")
    framing = frame(replace(portrait, alpha=alpha), spec)
    assert is_cut_seen(replace(portrait, alpha=alpha), framing)
    assert Notice.SHOULDERS_CUT in framing.warnings


def test_every_pose_still_shows_the_face(analyser: Analyser, portrait: Portrait) -> None:
    poses = dict(make_poses(portrait.pixels, portrait.face))
    assert len(poses) == 11
    lying = analyser.analyse(Source(pixels=poses["turned 90"], format="PNG"))
    assert Notice.AUTO_ROTATED in lying.warnings


@pytest.mark.parametrize(
    ("codes", "code", "right"),
    [
        (frozenset({"no_face"}), "no_face", True),
        (frozenset({"no_face"}), None, False),
        (frozenset({"no_face"}), "head_cropped", False),
        (frozenset(), None, True),
        (frozenset(), "no_face", False),
    ],
)
def test_a_case_is_right_with_its_own_codes_only(codes: frozenset[str], code: str | None, right: bool) -> None:
    case = Case(kind="", name="", pixels=np.zeros((1, 1, 3), np.uint8), codes=codes)
    assert is_right(case, code) is right


def test_cases_are_tried_for_real(analyser: Analyser, astronaut: NDArray[np.uint8]) -> None:
    def make(pixels: NDArray[np.uint8]) -> Case:
        return Case(kind="", name="", pixels=pixels, codes=frozenset())

    assert try_case(make(astronaut), analyser) is None
    assert try_case(make(np.zeros((300, 200, 3), np.uint8)), analyser) == "no_face"
    assert try_case(make(astronaut[90:]), analyser) == "head_cropped"


def test_tables_are_markdown() -> None:
    table = Table(title="T", header=("a", "b"), rows=(("x", "1"),), note="N")
    assert table.to_markdown() == "### T\n\nN\n\n| a | b |\n|---|--:|\n| x | 1 |\n"
