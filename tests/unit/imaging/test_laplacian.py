from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from idphoto.imaging.laplacian import solve_alpha


def blend(alpha: NDArray[np.float32], front: tuple[int, int, int], back: tuple[int, int, int]) -> NDArray[np.uint8]:
    share = alpha[..., None]
    blended: NDArray[np.uint8] = np.rint(np.array(front) * share + np.array(back) * (1 - share)).astype(np.uint8)
    return blended


@pytest.fixture
def ramp() -> NDArray[np.float32]:
    """Alpha from 0 at the left to 1 at the right, with a wave in its edge."""
    y, x = np.mgrid[0:40, 0:60].astype(np.float32)
    alpha: NDArray[np.float32] = np.clip((x - 25 - 4 * np.sin(y / 5)) / 10, 0, 1).astype(np.float32)
    return alpha


def unsure(alpha: NDArray[np.float32]) -> NDArray[np.bool_]:
    inside = np.zeros(alpha.shape, bool)
    inside[1:-1, 1:-1] = True
    inside &= (alpha > 0) & (alpha < 1)
    return inside


def test_a_soft_edge_between_two_colours_is_found_again(ramp) -> None:
    guess = np.where(unsure(ramp), np.float32(0.5), ramp)
    solved = solve_alpha(blend(ramp, (30, 20, 15), (200, 210, 90)), guess, unsure(ramp), steps=200)
    assert np.abs(solved - ramp).max() < 0.03
    assert np.abs(guess - ramp).max() > 0.4


def test_more_steps_come_closer(ramp) -> None:
    guess = np.where(unsure(ramp), np.float32(0.5), ramp)
    pixels = blend(ramp, (30, 20, 15), (200, 210, 90))
    errors = [np.abs(solve_alpha(pixels, guess, unsure(ramp), steps=steps) - ramp).mean() for steps in (1, 5, 40)]
    assert errors[0] > errors[1] > errors[2]


def test_what_is_known_stays(ramp) -> None:
    guess = np.where(unsure(ramp), np.float32(0.5), ramp)
    solved = solve_alpha(blend(ramp, (30, 20, 15), (200, 210, 90)), guess, unsure(ramp), steps=20)
    assert np.array_equal(solved[~unsure(ramp)], guess[~unsure(ramp)])


def test_without_doubt_nothing_changes(ramp) -> None:
    pixels = blend(ramp, (0, 0, 0), (255, 255, 255))
    assert np.array_equal(solve_alpha(pixels, ramp, np.zeros(ramp.shape, bool), steps=9), ramp)


def test_the_outermost_pixels_count_as_known(ramp) -> None:
    solved = solve_alpha(blend(ramp, (0, 0, 0), (9, 9, 9)), ramp, np.ones(ramp.shape, bool), steps=5)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        assert np.array_equal(solved[edge], ramp[edge])


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_without_any_difference_gives_numbers(level: int, ramp) -> None:
    solved = solve_alpha(np.full((40, 60, 3), level, np.uint8), ramp, unsure(ramp), steps=30)
    assert np.isfinite(solved).all()
    assert solved.min() >= 0
    assert solved.max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (3, 3)])
def test_tiny_pictures_are_solved(shape: tuple[int, int]) -> None:
    guess = np.full(shape, 0.5, np.float32)
    solved = solve_alpha(np.zeros((*shape, 3), np.uint8), guess, np.ones(shape, bool), steps=3)
    assert solved.shape == shape
