from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idphoto.imaging import affine
from idphoto.imaging.errors import HeadCropped
from idphoto.imaging.faces import FaceFinder, face_width
from idphoto.imaging.geometry import measure_head, move_head
from idphoto.imaging.landmarks import CHIN, LEFT_CHEEK, LEFT_EYE, RIGHT_CHEEK, RIGHT_EYE, angle_of, centre_of
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Box, Face, Head
from idphoto.specs import Crown

HEAD = Head(
    left_eye=(90, 100),
    right_eye=(150, 104),
    chin=(118, 200),
    crown=(123, -10),
    skull_top=(122.5, 0),
    hair_top=(124, -30),
    face_width=130.0,
    roll=3.8,
    yaw=-4.0,
    pitch=6.0,
    crown_estimated=True,
)


@pytest.fixture(scope="module")
def face(models_dir, astronaut):
    (found,) = FaceFinder(ModelFolder(models_dir)).find(astronaut)
    return found


def move_face(face, matrix):
    """The same face in a picture that was moved, turned or scaled."""
    scale = affine.size_of(matrix)
    flat = affine.move(matrix, face.landmarks[:, :2])
    points = np.column_stack([flat, face.landmarks[:, 2] * scale]).astype(np.float32)
    return replace(face, landmarks=points, box=Box(x=0, y=0, width=1, height=1))


def frame_of(face):
    """Matrix to the head's own frame: the eye midpoint at (0, 0), the eyes level, the chin at y = 1."""
    left, right = centre_of(face.landmarks, LEFT_EYE), centre_of(face.landmarks, RIGHT_EYE)
    eyes = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    upright = affine.level(eyes, angle=angle_of(left, right), scale=1, target=(0, 0))
    return upright / affine.move(upright, face.landmarks[[CHIN], :2])[0, 1]


def height_of(face, point):
    """Height of a point above the chin, in T."""
    return 1 - affine.move(frame_of(face), np.array([point]))[0, 1]


def place_of(face, height):
    """The point of the head axis at a height above the chin, in T."""
    return affine.move(affine.invert(frame_of(face)), np.array([[0.0, 1 - height]]))[0]


def paint_person(face, shape, *, top, bun_top=0.0, bun_width=0.0):
    """A matte, wider than the face, that ends level at ``top`` T; a bun of so many face widths ends at ``bun_top``."""
    rows, columns = np.indices(shape) + 0.5
    places = affine.move(frame_of(face), np.column_stack([columns.ravel(), rows.ravel()]))
    aside = np.abs(places[:, 0]) / (face_width(face) * affine.size_of(frame_of(face)))
    height = 1 - places[:, 1]
    person = ((aside < 0.7) & (height <= top)) | ((aside < bun_width / 2) & (height <= bun_top))
    return np.where(person, 255, 0).astype(np.uint8).reshape(shape)


def test_eyes_chin_and_roll_are_those_of_the_landmarks(face):
    head = measure_head(face, paint_person(face, (512, 512), top=2.2))
    assert math.dist(head.left_eye, (202, 101)) < 5
    assert math.dist(head.right_eye, (247, 104)) < 5
    assert math.dist(head.chin, (221, 174)) < 5
    assert head.roll == pytest.approx(3, abs=2)
    assert head.face_width == pytest.approx(face_width(face))
    assert abs(head.yaw) < 8
    assert abs(head.pitch) < 12


@pytest.mark.parametrize("top", [1.85, 2.0, 2.2, 2.35])
def test_the_crown_is_where_the_matte_ends(face, top):
    head = measure_head(face, paint_person(face, (512, 512), top=top))
    assert height_of(face, head.crown) == pytest.approx(top, abs=0.03)
    assert head.hair_top == head.crown
    assert not head.crown_estimated


@pytest.mark.parametrize("angle", [-40, -15, 20, 90, 180])
@pytest.mark.parametrize("scale", [0.7, 1, 3])
def test_the_crown_does_not_depend_on_the_size_or_the_turn_of_the_photo(face, scale, angle):
    side = int(700 * scale)
    middle = (face.box.x + face.box.width / 2, face.box.y + face.box.height / 2)
    moved = move_face(face, affine.level(middle, angle=angle, scale=scale, target=(side / 2, side / 2)))
    head = measure_head(moved, paint_person(moved, (side, side), top=2.1))
    assert height_of(moved, head.crown) == pytest.approx(2.1, abs=0.03)
    assert math.remainder(head.roll - (3 - angle), 360) == pytest.approx(0, abs=2)


def test_a_bun_is_hair_but_only_a_little_of_it_is_head(face):
    head = measure_head(face, paint_person(face, (512, 512), top=2.0, bun_top=2.3, bun_width=0.3))
    assert height_of(face, head.crown) == pytest.approx(2.12, abs=0.03)
    assert height_of(face, head.hair_top) == pytest.approx(2.3, abs=0.03)
    assert not head.crown_estimated


def test_a_single_strand_is_no_hair(face):
    head = measure_head(face, paint_person(face, (512, 512), top=2.0, bun_top=2.3, bun_width=0.05))
    assert height_of(face, head.hair_top) == pytest.approx(2.0, abs=0.03)


def test_hair_that_the_matte_lost_is_estimated(face):
    head = measure_head(face, paint_person(face, (512, 512), top=1.6))
    assert height_of(face, head.crown) == pytest.approx(1.95, abs=0.01)
    assert head.crown_estimated


def test_a_crown_that_is_too_high_is_estimated_and_its_hair_is_kept(face):
    moved = move_face(face, np.array([[1.0, 0, 0], [0, 1, 100]]))
    head = measure_head(moved, paint_person(moved, (612, 512), top=2.9))
    assert height_of(moved, head.crown) == pytest.approx(2.6, abs=0.01)
    assert height_of(moved, head.hair_top) == pytest.approx(2.9, abs=0.03)
    assert head.crown_estimated


def test_what_never_ends_above_the_head_is_no_hair(face):
    moved = move_face(face, np.array([[1.0, 0, 0], [0, 1, 300]]))
    head = measure_head(moved, paint_person(moved, (812, 512), top=3.9))
    assert height_of(moved, head.crown) == pytest.approx(2.6, abs=0.01)
    assert head.hair_top == head.crown


def crop(face, alpha, *, left=0, top=0, right=512, bottom=512):
    matrix = np.array([[1.0, 0, -left], [0, 1, -top]])
    return move_face(face, matrix), np.ascontiguousarray(alpha[top:bottom, left:right])


def test_one_row_of_background_above_the_head_is_enough(face):
    alpha = paint_person(face, (512, 512), top=2.1)
    first = int(np.flatnonzero(alpha.any(axis=1))[0])
    head = measure_head(*crop(face, alpha, top=first - 1))
    assert not head.crown_estimated


@pytest.mark.parametrize("height", [0.8, 1.3, 1.6, 1.9])
def test_a_photo_that_ends_in_the_forehead_or_the_hair_is_refused(face, height):
    alpha = paint_person(face, (512, 512), top=2.2)
    row = place_of(face, height)[1]
    with pytest.raises(HeadCropped):
        measure_head(*crop(face, alpha, top=int(row)))


def test_a_photo_that_ends_in_the_forehead_is_refused_even_if_the_matte_lost_the_hair(face):
    alpha = paint_person(face, (512, 512), top=1.4)
    row = place_of(face, 1.6)[1]
    with pytest.raises(HeadCropped):
        measure_head(*crop(face, alpha, top=int(row)))


def test_a_turned_photo_that_ends_in_the_hair_is_refused(face):
    turned = move_face(face, affine.level((256, 256), angle=90, scale=1, target=(256, 256)))
    alpha = paint_person(turned, (512, 512), top=2.2)
    # The head now points to the left; cut between its eyes and its crown.
    eye = centre_of(turned.landmarks, LEFT_EYE)
    with pytest.raises(HeadCropped):
        measure_head(*crop(turned, alpha, left=int(eye[0]) - 65))


def test_a_person_at_the_edge_beside_the_head_does_not_matter(face):
    alpha = paint_person(face, (512, 512), top=2.1)
    alpha[:, :120] = 255
    assert not measure_head(face, alpha).crown_estimated


@pytest.mark.parametrize("cut", [{"bottom": 165}, {"left": 190}, {"right": 260}])
def test_a_photo_without_the_chin_or_a_cheek_is_refused(face, cut):
    with pytest.raises(HeadCropped):
        measure_head(*crop(face, paint_person(face, (512, 512), top=2.2), **cut))


@pytest.mark.parametrize("degrees", [-20, 20])
def test_yaw_and_pitch_follow_a_turned_mesh(face, degrees):
    alpha = paint_person(face, (512, 512), top=2.2)
    before = measure_head(face, alpha)
    points = face.landmarks - face.landmarks.mean(axis=0)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    # A positive yaw takes the viewer's right side of the face away from the camera, a positive pitch its top.
    yawed = points @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    pitched = points @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    for turned, yaw, pitch in ((yawed, degrees, 0), (pitched, 0, degrees)):
        landmarks = (turned + face.landmarks.mean(axis=0)).astype(np.float32)
        after = measure_head(replace(face, landmarks=landmarks), np.full((512, 512), 0, np.uint8))
        assert after.yaw - before.yaw == pytest.approx(yaw, abs=3)
        assert after.pitch - before.pitch == pytest.approx(pitch, abs=3)


NUMBERS = st.floats(-1000, 1000)


@given(x=NUMBERS, y=NUMBERS, angle=st.floats(-179, 179), scale=st.floats(0.05, 8))
def test_a_moved_head_keeps_its_proportions(x, y, angle, scale):
    matrix = affine.level((0, 0), angle=angle, scale=scale, target=(x, y))
    moved = move_head(HEAD, matrix)
    assert math.dist(moved.left_eye, moved.right_eye) == pytest.approx(scale * math.dist(HEAD.left_eye, HEAD.right_eye))
    assert math.dist(moved.crown, moved.chin) == pytest.approx(scale * math.dist(HEAD.crown, HEAD.chin))
    assert moved.face_width == pytest.approx(scale * HEAD.face_width)
    assert math.remainder(moved.roll - (HEAD.roll - angle), 360) == pytest.approx(0, abs=1e-6)
    slope = angle_of(moved.left_eye, moved.right_eye) - angle_of(HEAD.left_eye, HEAD.right_eye)
    assert math.remainder(slope + angle, 360) == pytest.approx(0, abs=1e-6)
    assert (moved.yaw, moved.pitch, moved.crown_estimated) == (HEAD.yaw, HEAD.pitch, HEAD.crown_estimated)


@given(x=NUMBERS, y=NUMBERS, angle=st.floats(-179, 179), scale=st.floats(0.05, 8))
def test_a_head_that_is_moved_back_is_the_same(x, y, angle, scale):
    matrix = affine.level((0, 0), angle=angle, scale=scale, target=(x, y))
    back = move_head(move_head(HEAD, matrix), affine.invert(matrix))
    for name in ("left_eye", "right_eye", "chin", "crown", "hair_top"):
        assert getattr(back, name) == pytest.approx(getattr(HEAD, name), abs=1e-5)
    assert back.roll == pytest.approx(HEAD.roll)
    assert back.face_width == pytest.approx(HEAD.face_width)


def test_moving_by_the_identity_changes_nothing():
    assert move_head(HEAD, np.array([[1.0, 0, 0], [0, 1, 0]])) == HEAD


@pytest.mark.parametrize(("crown", "skull"), [(1.9, 1.9), (2.0, 2.0), (2.17, 2.02), (2.3, 2.15), (2.6, 2.25)])
def test_the_skull_lies_a_little_below_the_hair_and_where_skulls_can_end(crown, skull):
    """Heights in T above the chin, on an upright head whose eyes are 100 pixels above it."""
    alpha = np.zeros((600, 400), np.uint8)
    points = np.zeros((468, 3), np.float32)
    face = Face(box=Box(x=140, y=300, width=120, height=160), score=1, presence=1, landmarks=points)
    points[:, :2] = (200, 450)
    points[list(LEFT_EYE), :2], points[list(RIGHT_EYE), :2] = (170, 350), (230, 350)
    points[LEFT_CHEEK, :2], points[RIGHT_CHEEK, :2] = (136, 360), (264, 360)
    points[list(LEFT_EYE), 0] += np.linspace(-8, 8, len(LEFT_EYE)).astype(np.float32)
    points[list(RIGHT_EYE), 0] += np.linspace(-8, 8, len(RIGHT_EYE)).astype(np.float32)
    alpha[round(450 - 100 * crown) : 450, 120:280] = 255
    head = measure_head(face, alpha)
    assert (450 - head.crown[1]) / 100 == pytest.approx(crown, abs=0.02)
    assert (450 - head.skull_top[1]) / 100 == pytest.approx(skull, abs=0.02)


def test_a_bun_is_hair_and_no_head_unless_the_document_counts_all_hair():
    head = replace(HEAD, left_eye=(90, 100), right_eye=(150, 100), chin=(120, 200), crown=(120, -60))
    assert head.top(Crown.HAIR) == (120, -60)
    assert head.top(None) == head.top(Crown.TRIMMED) == pytest.approx((120, 200 - 230))
    assert head.top(Crown.SKULL) == head.skull_top
    low = replace(head, crown=(120, -10))
    assert low.top(None) == pytest.approx((120, -10))
