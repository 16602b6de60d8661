from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idphoto.imaging import affine

NUMBERS = st.floats(-500, 500)


@given(x=NUMBERS, y=NUMBERS, angle=st.floats(-180, 180), scale=st.floats(0.1, 10), target=st.tuples(NUMBERS, NUMBERS))
def test_a_line_of_the_given_angle_becomes_level(x, y, angle, scale, target):
    matrix = affine.level((x, y), angle=angle, scale=scale, target=target)
    along = (x + np.cos(np.radians(angle)), y + np.sin(np.radians(angle)))

    start, end = affine.move(matrix, np.array([(x, y), along]))

    np.testing.assert_allclose(start, target, atol=1e-6)
    np.testing.assert_allclose(end, (target[0] + scale, target[1]), atol=1e-6)
    assert affine.size_of(matrix) == pytest.approx(scale)


@given(x=NUMBERS, y=NUMBERS, angle=st.floats(-180, 180), scale=st.floats(0.1, 10))
def test_the_inverse_leads_back(x, y, angle, scale):
    matrix = affine.level((x, y), angle=angle, scale=scale, target=(7, -3))
    points = np.array([(0.0, 0.0), (12.5, -40.0)])
    np.testing.assert_allclose(affine.move(affine.invert(matrix), affine.move(matrix, points)), points, atol=1e-6)


def test_an_aligned_sample_is_the_cut_out_itself(astronaut):
    matrix = affine.level((100, 50), angle=0, scale=1, target=(0, 0))
    patch = affine.sample(astronaut, matrix, width=40, height=30)
    np.testing.assert_array_equal(patch, astronaut[50:80, 100:140])


def test_a_quarter_turn_is_exact():
    picture = np.arange(20, dtype=np.uint8).reshape(4, 5)
    matrix = affine.level((2.5, 2), angle=90, scale=1, target=(2, 2.5))
    np.testing.assert_array_equal(affine.sample(picture, matrix, width=4, height=5), np.rot90(picture))


def test_shrinking_averages_instead_of_skipping_pixels():
    stripes = np.zeros((400, 400), np.uint8)
    stripes[:, ::2] = 200
    matrix = affine.level((0, 0), angle=0, scale=0.1, target=(0, 0))
    patch = affine.sample(stripes, matrix, width=40, height=40)
    np.testing.assert_allclose(patch[2:-2, 2:-2], 100, atol=1)


def test_outside_of_the_picture_is_black():
    white = np.full((50, 50), 255, np.uint8)
    beside = affine.level((200, 200), angle=10, scale=1, target=(10, 10))
    assert not affine.sample(white, beside, width=20, height=20).any()
    half = affine.sample(white, affine.level((0, 10), angle=0, scale=1, target=(10, 0)), width=20, height=20)
    assert not half[:, :10].any()
    assert (half[:, 10:] == 255).all()
