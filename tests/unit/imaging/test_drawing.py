from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.quality.negatives import make_shared_cases
from idphoto.imaging.analyse import Analyser
from idphoto.imaging.drawing import is_drawn
from idphoto.imaging.errors import NoFace
from idphoto.imaging.faces import FaceFinder
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Face, Source

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def face(models_dir: Path, astronaut: Pixels) -> Face:
    return FaceFinder(ModelFolder(models_dir)).find(astronaut)[0]


def gray(pixels: Pixels) -> Pixels:
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: pixels,
        gray,
        lambda pixels: (pixels * 0.3).astype(np.uint8),
        lambda pixels: gray(np.clip(pixels * 1.6, 0, 255).astype(np.uint8)),
        lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 3),
        lambda pixels: np.clip(pixels + np.random.default_rng(0).normal(0, 25, pixels.shape), 0, 255).astype(np.uint8),
    ],
    ids=["as is", "gray", "dark", "burnt out", "blurred", "noisy"],
)
def test_a_photographed_face_is_no_drawing_in_any_light(change, astronaut: Pixels, face: Face) -> None:
    assert not is_drawn(change(astronaut), face)


def test_ink_lines_on_paper_are_a_drawing(astronaut: Pixels, face: Face) -> None:
    lines = 255 - cv2.Canny(cv2.GaussianBlur(gray(astronaut)[..., 0], (0, 0), 1.2), 40, 110)
    assert is_drawn(np.repeat(lines[..., None], 3, axis=2), face)


@pytest.mark.parametrize("number", range(6))
def test_even_colours_are_a_drawing(number: int, models_dir: Path) -> None:
    cartoon = next(case.pixels for case in make_shared_cases() if case.name == f"cartoon {number}")
    assert is_drawn(cartoon, FaceFinder(ModelFolder(models_dir)).find(cartoon)[0])


def test_a_face_outside_of_the_picture_is_no_drawing(face: Face) -> None:
    assert not is_drawn(np.zeros((4, 4, 3), np.uint8), face)


def test_a_cartoon_is_refused_although_the_models_see_a_face(models_dir: Path) -> None:
    models = ModelFolder(models_dir)
    cartoon = next(case.pixels for case in make_shared_cases() if case.name == "cartoon 2")
    assert FaceFinder(models).find(cartoon)
    with pytest.raises(NoFace, match="drawing"):
        Analyser(models).analyse(Source(pixels=cartoon, format="PNG"))
