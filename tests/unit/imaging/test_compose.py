from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from idphoto.imaging.affine import invert, move
from idphoto.imaging.compose import Framing, frame, frame_whole
from idphoto.imaging.errors import TooTight
from idphoto.imaging.portrait import Notice, Point, Portrait
from idphoto.specs import Catalogue, Crown, Range, Spec
from idphoto.specs.spec import USUAL
from tests.unit.imaging.photos import make_portrait

ONE_INCH = Spec.of_size(295, 413)


def place(framing: Framing, point: Point) -> Point:
    x, y = move(framing.matrix, np.array([point]))[0]
    return float(x), float(y)


def measure_head(portrait: Portrait, framing: Framing) -> float:
    chin, crown = place(framing, portrait.head.chin), place(framing, portrait.head.crown)
    return (chin[1] - crown[1]) / framing.height


def test_a_roomy_portrait_meets_the_usual_targets_without_a_notice():
    portrait = make_portrait()
    framing = frame(portrait, ONE_INCH)
    assert framing.warnings == ()
    assert measure_head(portrait, framing) == pytest.approx(USUAL.head_height.target, abs=0.005)
    assert place(framing, portrait.head.crown)[1] / 413 == pytest.approx(USUAL.top_margin.target, abs=0.005)
    assert place(framing, portrait.head.eye_middle)[0] == pytest.approx(295 / 2, abs=0.01)


@settings(max_examples=30, deadline=None)
@given(
    head_height=st.floats(150, 500),
    left=st.floats(0, 300),
    roll=st.floats(-14, 14),
    size=st.sampled_from([(295, 413), (300, 400), (413, 579), (260, 378), (358, 441)]),
)
def test_the_head_is_in_range_upright_and_central_wherever_there_is_room(head_height, left, roll, size):
    portrait = make_portrait(width=1600, height=1600, head_height=head_height, crown=(650 + left, 400.0), roll=roll)
    framing = frame(portrait, Spec.of_size(*size))
    assert Notice.OUT_OF_RANGE not in framing.warnings
    assert USUAL.head_height.low - 0.005 <= measure_head(portrait, framing) <= USUAL.head_height.high + 0.005
    left_eye, right_eye = place(framing, portrait.head.left_eye), place(framing, portrait.head.right_eye)
    assert abs(right_eye[1] - left_eye[1]) <= np.tan(np.radians(1)) * (right_eye[0] - left_eye[0]) + 1e-6
    assert abs((left_eye[0] + right_eye[0]) / 2 / size[0] - 0.5) < 0.035


@pytest.mark.parametrize("spec", list(Catalogue.load()), ids=lambda spec: spec.id)
def test_every_range_of_every_known_document_is_met_by_a_roomy_portrait(spec: Spec):
    portrait = make_portrait(width=1600, height=1600, crown=(800.0, 400.0))
    framing = frame(portrait, spec)
    placement = spec.placement
    chin, crown, eyes = (
        place(framing, point) for point in (portrait.head.chin, portrait.head.crown, portrait.head.eye_middle)
    )
    measured = {
        "head_height": (chin[1] - crown[1]) / spec.height,
        "top_margin": crown[1] / spec.height,
        "eye_line": 1 - eyes[1] / spec.height,
        "chin_to_bottom": 1 - chin[1] / spec.height,
        "face_width": portrait.head.face_width * framing.scale / spec.width,
    }
    limits = {name: getattr(placement, name) for name in measured}
    left = {
        name: value
        for name, value in measured.items()
        if limits[name] and not limits[name].low - 0.005 <= value <= limits[name].high + 0.005
    }
    assert left == {}
    assert Notice.OUT_OF_RANGE not in framing.warnings


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(100, 2000),
    height=st.integers(100, 2000),
    roll=st.floats(-80, 80),
    crown=st.tuples(st.floats(15, 400), st.floats(-20, 300)),
    head_height=st.floats(20, 600),
)
def test_any_canvas_gets_a_frame_with_the_whole_head_inside(width, height, roll, crown, head_height):
    assume(crown[1] > -head_height / 4)  # further out a small head would lie beside its photo
    portrait = make_portrait(width=500, height=500, roll=roll, crown=crown, head_height=head_height)
    framing = frame(portrait, Spec.of_size(width, height))
    assert (framing.width, framing.height) == (width, height)
    assert np.isfinite(framing.matrix).all()
    assert framing.scale > 0
    # What is left of an extreme roll moves the chin sideways; the middle of the head is inside in any case.
    x, y = place(framing, portrait.head.eye_middle)
    assert 0 <= x <= width
    assert 0 <= y <= height


@pytest.mark.parametrize("size", [(100, 2000), (2000, 100)])
def test_an_absurd_canvas_shows_the_head_whole_and_the_body_at_the_bottom(size):
    portrait = make_portrait()
    framing = frame(portrait, Spec.of_size(*size))
    assert place(framing, portrait.head.crown)[1] >= 0
    assert portrait.head.face_width * framing.scale < size[0]
    assert place(framing, (0.0, 1200.0))[1] >= size[1]


@pytest.mark.parametrize("roll", [4.0, -12.0, 33.0])
def test_roll_is_taken_out_and_told(roll):
    portrait = make_portrait(width=1600, height=1600, crown=(800.0, 500.0), head_height=250, roll=roll)
    framing = frame(portrait, ONE_INCH)
    left_eye, right_eye = place(framing, portrait.head.left_eye), place(framing, portrait.head.right_eye)
    assert right_eye[1] == pytest.approx(left_eye[1], abs=0.01)
    assert Notice.ROLL_CORRECTED in framing.warnings


def test_a_roll_that_nobody_sees_is_left_alone():
    framing = frame(make_portrait(roll=0.8), ONE_INCH)
    assert framing.matrix[0, 1] == 0
    assert framing.warnings == ()


def test_an_extreme_roll_is_taken_out_only_as_far_as_the_landmarks_are_sure():
    framing = frame(make_portrait(width=1600, height=1600, crown=(800.0, 500.0), head_height=250, roll=60), ONE_INCH)
    turn = np.degrees(np.arctan2(framing.matrix[0, 1], framing.matrix[0, 0]))
    assert turn == pytest.approx(35)


def test_a_photo_that_ends_soon_below_the_chin_still_reaches_the_bottom_edge():
    portrait = make_portrait(height=740)
    framing = frame(portrait, ONE_INCH)
    assert place(framing, (450.0, 740.0))[1] >= 413
    assert Notice.SHOULDERS_CUT not in framing.warnings
    assert place(framing, portrait.head.crown)[1] > 0


def test_shoulders_that_the_photo_cuts_are_moved_out_of_the_frame_while_the_ranges_allow():
    portrait = make_portrait(width=420, crown=(210.0, 250.0))
    framing = frame(portrait, ONE_INCH)
    assert place(framing, (0.0, 800.0))[0] <= 0
    assert place(framing, (420.0, 800.0))[0] >= 295
    assert framing.warnings == ()


def test_shoulders_that_cannot_be_hidden_are_told_and_the_head_stays_in_range():
    portrait = make_portrait(width=420, crown=(210.0, 250.0))
    framing = frame(portrait, Spec.of_size(600, 600))
    assert Notice.SHOULDERS_CUT in framing.warnings
    assert Notice.OUT_OF_RANGE not in framing.warnings


def test_a_person_who_touches_no_edge_is_not_called_cut():
    framing = frame(make_portrait(shoulders=False), ONE_INCH)
    assert Notice.SHOULDERS_CUT not in framing.warnings


def test_enlarging_is_told():
    assert Notice.UPSCALED in frame(make_portrait(head_height=120), ONE_INCH).warnings


def test_high_hair_stays_in_the_frame():
    portrait = make_portrait()
    head = dataclasses.replace(portrait.head, hair_top=(450.0, 170.0))
    framing = frame(dataclasses.replace(portrait, head=head), ONE_INCH)
    assert place(framing, head.hair_top)[1] >= 0


def test_a_range_that_contradicts_another_is_told():
    spec = dataclasses.replace(
        ONE_INCH, head_height=USUAL.head_height, chin_to_bottom=dataclasses.replace(USUAL.top_margin, low=0.6, high=0.7)
    )
    assert Notice.OUT_OF_RANGE in frame(make_portrait(), spec).warnings


def test_the_whole_canvas_is_kept_as_it_is():
    framing = frame_whole(make_portrait(width=640, height=480, head_height=200, crown=(320.0, 60.0), roll=9))
    assert (framing.width, framing.height, framing.scale, framing.warnings) == (640, 480, 1.0, ())
    assert np.array_equal(framing.matrix, [[1, 0, 0], [0, 1, 0]])


def corners_in_source(framing: Framing) -> np.ndarray:
    corners = np.array([[0.0, 0], [framing.width, 0], [0, framing.height], [framing.width, framing.height]])
    return move(invert(framing.matrix), corners)


@settings(max_examples=40, deadline=None)
@given(
    head_height=st.floats(150, 420),
    crown=st.tuples(st.floats(250, 650), st.floats(60, 400)),
    roll=st.floats(-20, 20),
    size=st.sampled_from([(295, 413), (600, 600), (413, 531)]),
)
def test_a_canvas_that_keeps_the_background_lies_inside_the_photo_and_holds_the_head(head_height, crown, roll, size):
    portrait = make_portrait(head_height=head_height, crown=crown, roll=roll)
    try:
        framing = frame(portrait, Spec.of_size(*size), within=True)
    except TooTight:
        return
    # To within a pixel of the result, which repeating the photo's edge fills.
    slack = 1.0 / framing.scale
    corners = corners_in_source(framing)
    assert (corners >= -slack).all()
    assert (corners <= np.array([900, 1200]) + slack).all()
    assert place(framing, portrait.head.crown)[1] >= -0.01 * size[1]
    assert place(framing, portrait.head.chin)[1] <= 1.01 * size[1]


def test_a_roomy_photo_keeps_its_background_at_no_cost():
    portrait = make_portrait(width=1600, height=1600, crown=(800.0, 500.0))
    inside, free = frame(portrait, ONE_INCH, within=True), frame(portrait, ONE_INCH)
    assert inside.warnings == free.warnings == ()
    assert measure_head(portrait, inside) == pytest.approx(measure_head(portrait, free), abs=0.005)


def test_a_photo_that_is_too_tight_to_keep_its_background_is_refused():
    portrait = make_portrait(width=340, height=470, crown=(170.0, 10.0))
    with pytest.raises(TooTight, match="too tight"):
        frame(portrait, Spec.of_size(600, 600), within=True)


def with_hair(portrait: Portrait, rise: float) -> Portrait:
    """The same portrait with hair that ends so many pixels above the crown."""
    x, y = portrait.head.crown
    head = dataclasses.replace(portrait.head, hair_top=(x, y - rise))
    return dataclasses.replace(portrait, head=head)


def test_tall_hair_stays_inside_where_no_document_forbids_it():
    portrait = with_hair(make_portrait(), 60)
    framing = frame(portrait, ONE_INCH)
    assert place(framing, portrait.head.hair_top)[1] >= 0
    assert Notice.HAIR_CUT not in framing.warnings


def test_tall_hair_that_a_document_leaves_no_room_for_is_told():
    portrait = with_hair(make_portrait(), 120)
    spec = dataclasses.replace(
        ONE_INCH, head_height=Range.around(0.75, 0.80), top_margin=Range.around(0.02, 0.05), crown=Crown.TRIMMED
    )
    framing = frame(portrait, spec)
    assert place(framing, portrait.head.hair_top)[1] < 0
    assert Notice.HAIR_CUT in framing.warnings
    assert Notice.OUT_OF_RANGE not in framing.warnings


def test_a_head_without_hair_is_placed_by_its_skull():
    portrait = make_portrait()
    x, y = portrait.head.crown
    head = dataclasses.replace(portrait.head, skull_top=(x, y + 40))
    spec = dataclasses.replace(ONE_INCH, head_height=Range.around(0.6, 0.64), crown=Crown.SKULL)
    framing = frame(dataclasses.replace(portrait, head=head), spec)
    skull, chin = place(framing, (x, y + 40)), place(framing, portrait.head.chin)
    assert (chin[1] - skull[1]) / 413 == pytest.approx(0.62, abs=0.01)
    # Our own margin is above the hair.
    assert place(framing, portrait.head.crown)[1] / 413 > 0.05
