from __future__ import annotations

import numpy as np
import pytest

from idphoto.imaging.detector import FaceDetector
from idphoto.imaging.models import ModelFolder


@pytest.fixture(scope="module")
def detector(models_dir):
    return FaceDetector(ModelFolder(models_dir))


def test_neighbouring_cells_merge_into_one_face(detector, astronaut):
    (found,) = detector.detect(astronaut)
    assert found.score > 0.9
    np.testing.assert_allclose((found.box.x, found.box.y), (174, 70), atol=6)
    np.testing.assert_allclose((found.box.width, found.box.height), (105, 105), atol=8)


def test_keypoints_come_in_the_documented_order(detector, astronaut):
    (found,) = detector.detect(astronaut)
    expected = [(202, 101), (247, 104), (227, 125), (224, 147), (178, 105), (270, 112)]
    np.testing.assert_allclose(found.keypoints, expected, atol=9)


@pytest.mark.parametrize("fill", [1.0, 0.75])
@pytest.mark.parametrize(("left", "right"), [(0, 512), (100, 350)])
def test_places_do_not_depend_on_border_or_shape(detector, astronaut, fill, left, right):
    (reference,) = detector.detect(astronaut)
    (found,) = detector.detect(np.ascontiguousarray(astronaut[:, left:right]), fill=fill)
    np.testing.assert_allclose(found.keypoints + np.array([left, 0]), reference.keypoints, atol=4)


def test_a_border_makes_a_tight_face_clear(detector, astronaut):
    tight = np.ascontiguousarray(astronaut[72:172, 178:274])
    (found,) = detector.detect(tight, fill=0.5)
    assert found.score > 0.75
    assert all(found.score > dim.score for dim in detector.detect(tight))


def test_grey_shows_nothing(detector):
    assert detector.detect(np.full((100, 200, 3), 128, np.uint8)) == []
