from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idphoto.imaging.affine import move
from idphoto.imaging.compose import Framing, frame, frame_whole
from idphoto.imaging.portrait import Notice
from idphoto.imaging.render import Finish, render
from idphoto.specs import Spec
from tests.unit.imaging.photos import SHIRT, SKIN, make_portrait

ONE_INCH = Spec.of_size(295, 413)


def test_the_photo_has_exactly_the_size_the_dpi_and_all_notices():
    portrait = dataclasses.replace(make_portrait(roll=8), warnings=(Notice.AUTO_ROTATED,))
    photo = render(portrait, frame(portrait, ONE_INCH), Finish(background="438EDB"), dpi=350)
    assert photo.pixels.shape == (413, 295, 3)
    assert photo.pixels.dtype == np.uint8
    assert photo.dpi == 350
    assert photo.warnings == (Notice.AUTO_ROTATED, Notice.ROLL_CORRECTED)


def test_the_background_is_the_exact_colour():
    portrait = make_portrait()
    photo = render(portrait, frame(portrait, ONE_INCH), Finish(background="438EDB"), dpi=300)
    assert photo.pixels[:20].reshape(-1, 3).tolist() == [[0x43, 0x8E, 0xDB]] * (20 * 295)


def test_without_a_background_the_photo_is_transparent():
    portrait = make_portrait()
    photo = render(portrait, frame(portrait, ONE_INCH), Finish(background=None), dpi=300)
    assert photo.pixels.shape == (413, 295, 4)
    assert not photo.pixels[:20].any()
    assert photo.pixels[200, 147].tolist() == [*SKIN, 255]


@pytest.mark.parametrize("background", ["FFFFFF", "438EDB", "D9001B"])
def test_no_halo_of_the_old_background_shows(background):
    portrait = make_portrait()
    photo = render(portrait, frame(portrait, ONE_INCH), Finish(background=background), dpi=300)
    allowed = np.array([SKIN, SHIRT, tuple(bytes.fromhex(background))], dtype=float)
    # Every pixel is a mixture of person and new background, so its green exceeds red and blue no more than theirs.
    greenness = allowed[:, 1] - np.maximum(allowed[:, 0], allowed[:, 2])
    found = photo.pixels.astype(float)
    assert (found[..., 1] - np.maximum(found[..., 0], found[..., 2])).max() <= greenness.max() + 10


@settings(max_examples=25, deadline=None)
@given(
    roll=st.floats(-30, 30),
    crown=st.tuples(st.floats(300, 600), st.floats(100, 400)),
    head_height=st.floats(60, 500),
    size=st.sampled_from([(295, 413), (600, 600), (100, 300), (300, 100)]),
)
def test_the_head_is_where_the_photo_says(roll, crown, head_height, size):
    portrait = make_portrait(roll=roll, crown=crown, head_height=head_height)
    framing = frame(portrait, Spec.of_size(*size))
    photo = render(portrait, framing, Finish(background=None), dpi=300)
    expected = move(framing.matrix, np.array([portrait.head.eye_middle, portrait.head.crown]))
    assert photo.head.eye_middle == pytest.approx(tuple(expected[0]), abs=1e-3)
    assert photo.head.crown == pytest.approx(tuple(expected[1]), abs=1e-3)


@pytest.mark.parametrize(("head_height", "roll"), [(1300, 0), (1300, 11), (500, 0), (300, -9), (200, 0), (120, 0)])
def test_pixels_land_where_the_matrix_says_at_any_scale(head_height, roll):
    """The crown of the drawn head is found in the output to a fraction of a pixel, so no half pixel is lost."""
    portrait = make_portrait(
        width=3000, height=4000, head_height=head_height, crown=(1500.0, 700.0), roll=roll, shoulders=False
    )
    framing = frame(portrait, ONE_INCH)
    photo = render(portrait, framing, Finish(background=None), dpi=300)
    share = photo.pixels[..., 3] / 255
    rows, columns = np.mgrid[0:413, 0:295] + 0.5
    found = ((columns * share).sum() / share.sum(), (rows * share).sum() / share.sum())
    head = photo.head
    middle = ((head.crown[0] + head.chin[0]) / 2, (head.crown[1] + head.chin[1]) / 2)
    assert found == pytest.approx(middle, abs=0.25)


def test_the_whole_canvas_is_not_resampled():
    portrait = make_portrait(width=640, height=480, head_height=200, crown=(320.0, 60.0))
    photo = render(portrait, frame_whole(portrait), Finish(background=None), dpi=300)
    opaque = portrait.alpha == 255
    assert np.array_equal(photo.pixels[..., 3], portrait.alpha)
    assert np.array_equal(photo.pixels[..., :3][opaque], portrait.pixels[opaque])


def test_outside_of_the_source_is_transparent_and_never_repeated():
    portrait = make_portrait(width=400, height=400, head_height=200, crown=(200.0, 60.0))
    framing = Framing(matrix=np.array([[1.0, 0, 100], [0, 1, -20]]), width=600, height=500, scale=1.0)
    alpha = render(portrait, framing, Finish(background=None), dpi=300).pixels[..., 3]
    assert not alpha[:, :100].any()
    assert not alpha[:, 500:].any()
    assert not alpha[380:].any()
    assert alpha[379, 300] == 255


def test_a_frame_wholly_beside_the_source_is_empty():
    portrait = make_portrait(width=400, height=400, head_height=200, crown=(200.0, 60.0))
    framing = Framing(matrix=np.array([[1.0, 0, 5000], [0, 1, 5000]]), width=60, height=50, scale=1.0)
    assert not render(portrait, framing, Finish(background=None), dpi=300).pixels.any()


@pytest.mark.parametrize("scale", [0.05, 0.2, 0.3, 0.6, 0.95])
def test_a_fine_pattern_becomes_even_grey_instead_of_moire(scale):
    portrait = make_portrait(width=1200, height=1200)
    checks = ((np.indices((1200, 1200)).sum(axis=0) % 2) * 255).astype(np.uint8)
    portrait = dataclasses.replace(portrait, pixels=np.dstack([checks] * 3), alpha=np.full((1200, 1200), 255, np.uint8))
    side = int(1200 * scale) - 4
    framing = Framing(matrix=np.array([[scale, 0, -1.5], [0, scale, -1.5]]), width=side, height=side, scale=scale)
    grey = render(portrait, framing, Finish(background="000000"), dpi=300).pixels[..., 0].astype(float)
    blocks = grey[: side // 8 * 8, : side // 8 * 8].reshape(side // 8, 8, side // 8, 8).mean(axis=(1, 3))
    assert np.abs(blocks - 127.5).max() < 14


@pytest.mark.parametrize("scale", [1.5, 3.0])
def test_enlarging_does_not_ring_beyond_black_and_white(scale):
    portrait = make_portrait(width=200, height=200, head_height=100, crown=(100.0, 40.0))
    step = np.zeros((200, 200, 3), np.uint8)
    step[:, 100:] = 255
    portrait = dataclasses.replace(portrait, pixels=step, alpha=np.full((200, 200), 255, np.uint8))
    side = int(200 * scale)
    framing = Framing(matrix=np.array([[scale, 0, 0], [0, scale, 0]]), width=side, height=side, scale=scale)
    row = render(portrait, framing, Finish(background="FF0000"), dpi=300).pixels[side // 2, :, 0].astype(int)
    assert row[: int(90 * scale)].max() == 0
    assert row[int(110 * scale) :].min() == 255
    assert (np.diff(row) >= 0).all()
