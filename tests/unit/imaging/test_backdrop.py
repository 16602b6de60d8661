from __future__ import annotations

import numpy as np
import pytest

from idphoto.imaging.backdrop import lay_gradient, lay_plain


@pytest.mark.parametrize("height", [2, 3, 413, 1999])
def test_a_gradient_ends_in_the_exact_colours(height: int) -> None:
    laid = lay_gradient(height, 7, top="438EDB", bottom="FFFFFF")
    assert laid.shape == (height, 7, 3)
    assert laid.dtype == np.uint8
    assert laid[0].tolist() == [[0x43, 0x8E, 0xDB]] * 7
    assert laid[-1].tolist() == [[255, 255, 255]] * 7


def test_a_gradient_runs_evenly_without_a_visible_step() -> None:
    laid = lay_gradient(600, 3, top="102030", bottom="F0C010").astype(int)
    assert (laid == laid[:, :1]).all()
    steps = np.diff(laid[:, 0], axis=0)
    assert np.abs(steps).max() <= 1
    assert (steps[:, 0] >= 0).all()
    assert (steps[:, 2] <= 0).all()
    straight = np.linspace((0x10, 0x20, 0x30), (0xF0, 0xC0, 0x10), 600)
    assert np.abs(laid[:, 0] - straight).max() <= 0.5


def test_a_single_row_has_the_top_colour() -> None:
    assert lay_gradient(1, 2, top="010203", bottom="FFFFFF").tolist() == [[[1, 2, 3], [1, 2, 3]]]


def test_plain_is_one_colour() -> None:
    laid = lay_plain(5, 4, "D9001B")
    assert laid.shape == (5, 4, 3)
    assert laid.dtype == np.uint8
    assert (laid == (0xD9, 0x00, 0x1B)).all()


@pytest.mark.parametrize("colour", ["", "FFF", "#FFFFFF", "GGGGGG", "FF FF ", "FFFFFFFF"])
def test_what_is_no_colour_is_refused(colour: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        lay_plain(2, 2, colour)
    with pytest.raises(ValueError, match="hexadecimal"):
        lay_gradient(2, 2, top="FFFFFF", bottom=colour)
