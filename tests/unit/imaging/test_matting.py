"""The real model on the real portrait."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from idphoto.imaging.errors import ModelError
from idphoto.imaging.faces import FaceFinder
from idphoto.imaging.matting import Matter, is_divided
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Box, Face
from idphoto.imaging.recipes import MattingChoice


@pytest.fixture(scope="module")
def matter(models_dir: Path) -> Matter:
    return Matter(ModelFolder(models_dir))


@pytest.fixture(scope="module")
def finder(models_dir: Path) -> FaceFinder:
    return FaceFinder(ModelFolder(models_dir))


@pytest.fixture(scope="module")
def face(finder: FaceFinder, astronaut: NDArray[np.uint8]) -> Face:
    (found,) = finder.find(astronaut)
    return found


def region(box: Box) -> tuple[slice, slice]:
    return slice(int(box.y), int(box.y + box.height)), slice(int(box.x), int(box.x + box.width))


def test_the_person_is_opaque_and_the_background_is_not(
    matter: Matter, astronaut: NDArray[np.uint8], face: Face
) -> None:
    alpha = matter.cut_out(astronaut, face)
    assert alpha.shape == astronaut.shape[:2]
    assert alpha.dtype == np.uint8
    assert alpha[85:150, 195:250].min() == 255  # the face
    assert alpha[300:480, 60:240].mean() > 250  # the suit
    assert alpha[:60, :120].max() < 10  # the flag
    assert alpha[20:250, 400:].max() < 10  # the shuttle


def test_the_body_stays_opaque_down_to_the_last_row(matter: Matter, astronaut: NDArray[np.uint8], face: Face) -> None:
    alpha = matter.cut_out(astronaut, face)
    assert alpha[-1, 90:200].min() > 200


def test_a_bystander_who_does_not_touch_is_removed(
    matter: Matter, finder: FaceFinder, astronaut: NDArray[np.uint8]
) -> None:
    canvas = np.full((512, 1000, 3), 190, np.uint8)
    canvas[:, :512] = astronaut
    canvas[112:, 600:] = np.asarray(Image.fromarray(astronaut).resize((400, 400)))
    faces = finder.find(canvas)
    assert len(faces) == 2
    chosen = min(faces, key=lambda found: found.box.x)
    alpha = matter.cut_out(canvas, chosen)
    assert alpha[region(chosen.box)].mean() > 200
    assert alpha[:, 600:].max() == 0
    other = max(faces, key=lambda found: found.box.x)
    alpha = matter.cut_out(canvas, other)
    assert alpha[region(other.box)].mean() > 200
    assert alpha[:100, :512].max() == 0


@pytest.mark.parametrize("size", [(120, 120), (90, 400), (2000, 200), (17, 16)])
def test_odd_sizes_are_cut_out_at_their_own_size(
    matter: Matter, astronaut: NDArray[np.uint8], size: tuple[int, int]
) -> None:
    height, width = size
    pixels = np.asarray(Image.fromarray(astronaut).resize((width, height)))
    box = Box(x=width * 0.35, y=height * 0.13, width=width * 0.2, height=height * 0.24)
    grid = np.random.default_rng(1).uniform((box.x, box.y), (box.x + box.width, box.y + box.height), (468, 2))
    landmarks = np.column_stack([grid, np.zeros(468)]).astype(np.float32)
    alpha = matter.cut_out(pixels, Face(box=box, score=1.0, presence=1.0, landmarks=landmarks))
    assert alpha.shape == (height, width)
    assert alpha.dtype == np.uint8
    middle = (int(box.y + box.height / 2), int(box.x + box.width / 2))
    assert alpha[middle] == 255


def test_a_turned_view_of_an_array_is_read_as_it_looks(
    matter: Matter, finder: FaceFinder, astronaut: NDArray[np.uint8]
) -> None:
    mirrored = astronaut[:, ::-1]
    (found,) = finder.find(np.ascontiguousarray(mirrored))
    view = matter.cut_out(mirrored, found)
    copy = matter.cut_out(np.ascontiguousarray(mirrored), found)
    assert np.array_equal(view, copy)


def test_an_unknown_model_is_refused_by_name(models_dir: Path) -> None:
    with pytest.raises(ModelError, match="'u3net'"):
        Matter(ModelFolder(models_dir), MattingChoice(name="u3net"))


def test_somebody_who_touches_is_removed_and_told_of(
    matter: Matter, finder: FaceFinder, astronaut: NDArray[np.uint8]
) -> None:
    # The suits overlap: the network takes the two for one person.
    pair = np.concatenate([astronaut[:, 20:330], astronaut[:, 20:330]], axis=1)
    left, right = sorted(finder.find(pair), key=lambda face: face.box.x)
    assert matter.cut_out(pair, left)[300:480, 330:500].mean() > 200
    alpha = matter.cut_out(pair, left, [right])
    assert alpha[region(left.box)].mean() > 200
    assert alpha[region(right.box)].max() == 0
    assert alpha[:, 400:].max() == 0
    assert is_divided(alpha, left, [right])


def test_one_person_is_divided_by_nobody(matter: Matter, astronaut: NDArray[np.uint8], face: Face) -> None:
    assert not is_divided(matter.cut_out(astronaut, face), face, [])
