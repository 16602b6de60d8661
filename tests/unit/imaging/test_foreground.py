from __future__ import annotations

import numpy as np
import pytest

from idphoto.imaging.foreground import clean_foreground

HAIR = np.array([60, 40, 30])
WALL = np.array([30, 200, 60])


def make_edge(width: int, height: int, *, softness: int) -> tuple[np.ndarray, np.ndarray]:
    """A person of one colour on the left, a wall on the right, mixed by alpha over ``softness`` pixels."""
    alpha = np.clip((width / 2 + softness / 2 - np.arange(width)) / softness, 0, 1)
    alpha = np.tile(np.rint(alpha * 255).astype(np.uint8), (height, 1))
    share = alpha[..., None] / 255
    return np.rint(share * HAIR + (1 - share) * WALL).astype(np.uint8), alpha


def test_the_wall_does_not_shine_through_a_soft_edge():
    pixels, alpha = make_edge(300, 200, softness=20)
    cleaned = clean_foreground(pixels, alpha)
    band = (alpha > 0) & (alpha < 255)
    # What the eye sees is the colour weighted by its alpha.
    error = np.abs(cleaned[band].astype(float) - HAIR) * alpha[band][:, None] / 255
    before = np.abs(pixels[band].astype(float) - HAIR) * alpha[band][:, None] / 255
    assert error.mean() < 1
    assert before.mean() > 10


def test_opaque_pixels_are_not_touched():
    pixels, alpha = make_edge(300, 200, softness=20)
    cleaned = clean_foreground(pixels, alpha)
    assert np.array_equal(cleaned[alpha == 255], pixels[alpha == 255])


def test_nothing_of_the_old_background_is_kept_where_the_picture_is_transparent():
    pixels, alpha = make_edge(300, 200, softness=20)
    assert not clean_foreground(pixels, alpha)[alpha == 0].any()


@pytest.mark.parametrize("value", [0, 255])
def test_a_picture_without_an_edge_needs_no_estimate(value):
    pixels = np.full((40, 30, 3), 90, np.uint8)
    cleaned = clean_foreground(pixels, np.full((40, 30), value, np.uint8))
    assert np.array_equal(cleaned, pixels if value else np.zeros_like(pixels))


def test_an_edge_larger_than_the_working_size_is_cleaned_as_well():
    pixels, alpha = make_edge(2600, 600, softness=120)
    cleaned = clean_foreground(pixels, alpha)
    band = (alpha > 0) & (alpha < 255)
    error = np.abs(cleaned[band].astype(float) - HAIR) * alpha[band][:, None] / 255
    assert error.mean() < 1


def test_the_input_is_left_as_it_was():
    pixels, alpha = make_edge(300, 200, softness=20)
    copies = pixels.copy(), alpha.copy()
    clean_foreground(pixels, alpha)
    assert np.array_equal(pixels, copies[0])
    assert np.array_equal(alpha, copies[1])
