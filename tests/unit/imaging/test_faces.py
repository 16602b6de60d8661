from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from idphoto.imaging.errors import FaceTooSmall, ModelError, MultipleFaces, NoFace
from idphoto.imaging.faces import FaceFinder, choose_subject, face_width
from idphoto.imaging.landmarks import CHIN, LEFT_EYE, RIGHT_EYE, angle_of, centre_of
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Box

# Read off the picture by eye.
LEFT, RIGHT, CHIN_PLACE = (202, 101), (247, 104), (221, 174)


@pytest.fixture(scope="module")
def finder(models_dir):
    return FaceFinder(ModelFolder(models_dir))


@pytest.fixture(scope="module")
def face(finder, astronaut):
    (found,) = finder.find(astronaut)
    return found


def eyes_of(face):
    return centre_of(face.landmarks, LEFT_EYE), centre_of(face.landmarks, RIGHT_EYE)


def turn(pixels, degrees):
    """Turn counter-clockwise about the centre on a canvas that holds it all; also return the matrix."""
    rows, columns = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, 1)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    width, height = int(rows * sin + columns * cos), int(rows * cos + columns * sin)
    matrix[:, 2] += (width / 2 - columns / 2, height / 2 - rows / 2)
    return cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), matrix


def test_a_portrait_has_one_face_where_one_sees_it(face):
    left, right = eyes_of(face)
    assert math.dist(left, LEFT) < 5
    assert math.dist(right, RIGHT) < 5
    assert math.dist(face.landmarks[CHIN, :2], CHIN_PLACE) < 5
    assert 85 < face_width(face) < 105
    assert face.score > 0.75
    assert face.presence > 0.95
    assert face.box.x < left[0] < right[0] < face.box.x + face.box.width
    assert face.landmarks.shape == (468, 3)
    assert face.landmarks.dtype == np.float32


def test_the_nose_is_nearer_to_the_camera_than_the_cheeks(face):
    assert face.landmarks[1, 2] < face.landmarks[[234, 454], 2].min() - 20


def test_a_blank_image_has_no_face(finder):
    assert finder.find_upright(np.full((413, 295, 3), 255, np.uint8)) == (0, [])


def test_noise_has_no_face(finder):
    noise = np.random.default_rng(7).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    assert finder.find_upright(noise) == (0, [])


def test_a_single_pixel_has_no_face(finder):
    assert finder.find_upright(np.zeros((1, 1, 3), np.uint8)) == (0, [])


def test_a_very_long_strip_has_no_face(finder):
    assert finder.find_upright(np.zeros((3, 5000, 3), np.uint8)) == (0, [])


def test_an_upright_photo_is_not_turned(finder, astronaut, face):
    turns, (found,) = finder.find_upright(astronaut)
    assert turns == 0
    np.testing.assert_array_equal(found.landmarks, face.landmarks)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_sideways_photo_is_put_upright(finder, astronaut, face, quarters):
    turns, (found,) = finder.find_upright(np.rot90(astronaut, quarters))
    assert (turns + quarters) % 4 == 0
    np.testing.assert_allclose(eyes_of(found), eyes_of(face), atol=2)


def test_a_large_sideways_photo_is_measured_in_its_own_pixels(finder, astronaut, face):
    large = cv2.resize(astronaut, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    turns, (found,) = finder.find_upright(np.rot90(large, 1))
    assert turns == 3
    np.testing.assert_allclose(np.array(eyes_of(found)) / 4, eyes_of(face), atol=2)


@pytest.mark.parametrize("degrees", [-25, -10, 20, 35])
def test_the_landmarks_follow_a_tilted_head(finder, astronaut, face, degrees):
    tilted, matrix = turn(astronaut, degrees)
    turns, (found,) = finder.find_upright(tilted)
    assert turns == 0
    expected = np.array(eyes_of(face)) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(eyes_of(found), expected, atol=3)
    assert angle_of(*eyes_of(found)) == pytest.approx(angle_of(*eyes_of(face)) - degrees, abs=3)


def test_a_face_that_fills_the_photo_is_found_by_padding(finder, astronaut, face):
    x, y = round(face.box.x) + 5, round(face.box.y) + 5
    tight = astronaut[y : y + 100, x : x + 96]
    (found,) = finder.find(tight)
    np.testing.assert_allclose(np.array(eyes_of(found)) + np.array([x, y]), eyes_of(face), atol=4)


def test_a_small_face_in_a_large_photo_is_measured_in_the_source(finder, astronaut, face):
    large = np.full((3000, 4000, 3), 128, np.uint8)
    large[1000:2536, 1200:2736] = cv2.resize(astronaut, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    (found,) = finder.find(large)
    np.testing.assert_allclose((np.array(eyes_of(found)) - np.array([1200, 1000])) / 3, eyes_of(face), atol=2)


def test_two_people_of_one_size_are_too_many(finder, astronaut):
    faces = finder.find(np.hstack([astronaut, astronaut]))
    assert len(faces) == 2
    with pytest.raises(MultipleFaces):
        choose_subject(faces, largest=False)


def test_the_largest_of_several_people_can_be_asked_for(finder, astronaut):
    small = np.full_like(astronaut, 128)
    small[100:484, 64:448] = cv2.resize(astronaut, (384, 384), interpolation=cv2.INTER_AREA)
    subject = choose_subject(finder.find(np.hstack([small, astronaut])), largest=True)
    assert subject.box.x > 512
    assert face_width(subject) > 85


def test_a_much_smaller_bystander_does_not_matter(face):
    bystander = replace(face, box=Box(x=0, y=0, width=face.box.width * 0.45, height=face.box.height * 0.45))
    assert choose_subject([face, bystander], largest=False) is face
    rival = replace(face, box=Box(x=0, y=0, width=face.box.width * 0.55, height=face.box.height * 0.55))
    with pytest.raises(MultipleFaces):
        choose_subject([face, rival], largest=False)


def test_the_main_subject_stands_in_the_middle(finder, astronaut):
    scene = np.full((512, 1400, 3), 128, np.uint8)
    scene[:, 450:962] = astronaut
    scene[:, 1100:1400] = astronaut[:, 70:370]
    faces = finder.find(scene)
    assert len(faces) == 2
    assert 450 < faces[0].box.x < 962


def test_a_tiny_face_is_refused(finder, astronaut):
    tiny = cv2.resize(astronaut, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    with pytest.raises(FaceTooSmall):
        choose_subject(finder.find(tiny), largest=False)


def test_a_face_of_a_few_pixels_makes_no_photo(finder, astronaut):
    scene = np.full((512, 512, 3), 128, np.uint8)
    scene[200:241, 200:241] = cv2.resize(astronaut, (41, 41), interpolation=cv2.INTER_AREA)
    with pytest.raises((NoFace, FaceTooSmall)):
        choose_subject(finder.find_upright(scene)[1], largest=False)


def test_no_faces_leave_nothing_to_choose():
    with pytest.raises(NoFace):
        choose_subject([], largest=True)


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(ModelError, match="face_detection_full_range"):
        FaceFinder(ModelFolder(tmp_path))


@pytest.mark.parametrize("side", [400, 600, 700, 800, 900, 1000, 1100, 1300])
@pytest.mark.parametrize("turns", range(4))
def test_a_small_face_in_a_large_photo_is_found_the_right_way_up_or_not_at_all(finder, astronaut, side, turns):
    """Turned photos of figures once came out lying: the detector sees small faces dimly in every orientation."""
    canvas = np.full((3000, 4000, 3), 170, np.uint8)
    figure = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA if side < 512 else cv2.INTER_CUBIC)
    canvas[3000 - side :, 1300 : 1300 + side] = figure
    back, faces = finder.find_upright(np.rot90(canvas, -turns))
    if faces:
        assert back == turns
        assert abs(angle_of(*eyes_of(faces[0]))) < 10
    if side >= 800:
        assert len(faces) == 1
