from __future__ import annotations

import numpy as np
import pytest

from idphoto.imaging.landmarks import FaceMesh, Square, angle_of, square_on_box, square_on_mesh
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Box

FACE = Square(centre=(226.0, 122.0), side=158.0, angle=3.0)


@pytest.fixture(scope="module")
def mesh(models_dir):
    return FaceMesh(ModelFolder(models_dir))


def test_a_face_is_present_and_its_eyes_are_found(mesh, astronaut):
    fitted = mesh.fit(astronaut, FACE)
    assert fitted.logit > 5
    np.testing.assert_allclose(fitted.left_eye, (202, 101), atol=5)
    np.testing.assert_allclose(fitted.right_eye, (247, 104), atol=5)
    assert fitted.roll == pytest.approx(3, abs=2)


def test_cloth_is_no_face(mesh, astronaut):
    assert mesh.fit(astronaut, Square(centre=(120.0, 350.0), side=158.0, angle=0.0)).logit < 0


def test_a_square_outside_of_the_picture_shows_no_face(mesh, astronaut):
    assert mesh.fit(astronaut, Square(centre=(-900.0, 3000.0), side=158.0, angle=30.0)).logit < 0


def test_a_point_square_shows_no_face(mesh, astronaut):
    assert mesh.fit(astronaut, Square(centre=(226.0, 122.0), side=0.0, angle=0.0)).logit < 0


def test_the_second_look_is_centred_on_the_face(mesh, astronaut):
    shifted = Square(centre=(216.0, 132.0), side=180.0, angle=-8.0)
    second = square_on_mesh(mesh.fit(astronaut, shifted))
    np.testing.assert_allclose(second.centre, FACE.centre, atol=6)
    assert second.angle == pytest.approx(3, abs=3)
    assert second.side == pytest.approx(158, rel=0.1)


def test_the_first_square_has_room_around_the_box_and_the_slope_of_the_eyes():
    square = square_on_box(Box(x=10, y=20, width=40, height=60), (20, 40), (40, 60))
    assert square == Square(centre=(30, 50), side=90, angle=45)


@pytest.mark.parametrize(("right", "angle"), [((1, 0), 0), ((1, 1), 45), ((0, 1), 90), ((0, -1), -90), ((-1, 0), 180)])
def test_angles_are_positive_when_clockwise(right, angle):
    assert angle_of((0, 0), right) == pytest.approx(angle)
