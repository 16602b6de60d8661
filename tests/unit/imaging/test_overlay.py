from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from idphoto.imaging.compose import frame
from idphoto.imaging.overlay import draw_overlay
from idphoto.imaging.render import Finish, render
from idphoto.specs import Range, Spec
from tests.unit.imaging.photos import make_portrait

SPEC = dataclasses.replace(
    Spec.of_size(295, 413),
    head_height=Range.around(0.6, 0.66),
    eye_line=Range(low=0.5, high=1.0),
    face_width=Range.around(0.4, 0.7),
)


@pytest.mark.parametrize("background", ["FFFFFF", None])
def test_ranges_and_measures_are_drawn_over_the_photo_and_not_beside_it(background):
    portrait = make_portrait()
    photo = render(portrait, frame(portrait, SPEC), Finish(background=background), dpi=300)
    drawn = draw_overlay(photo.pixels, photo.head, SPEC).astype(int)
    bare = draw_overlay(photo.pixels, photo.head, Spec.of_size(295, 413)).astype(int)
    assert drawn.shape == bare.shape
    assert drawn.shape[0] == 900
    changed = np.abs(drawn - bare).max(axis=2) > 8
    width = round(295 * 900 / 413)
    crown, eyes = (round(point[1] / 413 * 900) for point in (photo.head.crown, photo.head.eye_middle))
    # A line across the whole photo at the crown and at the eyes; below the chin only the face's columns are touched.
    assert changed[crown - 2 : crown + 3, :width].any(axis=0).all()
    assert changed[eyes - 2 : eyes + 3, :width].any(axis=0).all()
    assert 0.05 < changed[850:890, :width].mean() < 0.6
    assert changed[:, width:].any()


def test_what_a_document_does_not_set_is_not_drawn():
    portrait = make_portrait()
    bare = Spec.of_size(600, 1000)
    photo = render(portrait, frame(portrait, bare), Finish(), dpi=300)
    drawn = draw_overlay(photo.pixels, photo.head, bare)
    assert np.array_equal(drawn[:, :600], photo.pixels)
