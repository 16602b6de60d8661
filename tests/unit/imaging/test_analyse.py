from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from idphoto.imaging.analyse import Analyser
from idphoto.imaging.errors import HeadCropped, MultipleFaces, NoFace
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Notice, Source


@pytest.fixture(scope="module")
def analyser(models_dir: Path) -> Analyser:
    return Analyser(ModelFolder(models_dir))


def source(pixels: NDArray[np.uint8]) -> Source:
    return Source(pixels=np.ascontiguousarray(pixels), format="PNG")


def enlarge(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((image.width * factor, image.height * factor), Image.Resampling.BICUBIC))


def test_a_portrait_has_its_person_its_head_and_no_notice(analyser: Analyser, astronaut: NDArray[np.uint8]) -> None:
    portrait = analyser.analyse(source(enlarge(astronaut, 2)))
    assert portrait.warnings == ()
    assert portrait.alpha.shape == portrait.pixels.shape[:2] == (1024, 1024)
    assert portrait.head.crown[1] < portrait.head.eye_middle[1] < portrait.head.chin[1]
    box = portrait.foreground
    assert box.x >= 0
    assert 20 < box.y < 50
    assert box.y + box.height == 1024


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_photo_is_put_upright_and_says_so(
    analyser: Analyser, astronaut: NDArray[np.uint8], turns: int
) -> None:
    portrait = analyser.analyse(source(np.rot90(astronaut, turns)))
    assert Notice.AUTO_ROTATED in portrait.warnings
    assert np.array_equal(portrait.pixels, astronaut)
    assert abs(portrait.head.roll) < 10


def test_black_and_white_is_noticed(analyser: Analyser, astronaut: NDArray[np.uint8]) -> None:
    gray = np.asarray(Image.fromarray(astronaut).convert("L").convert("RGB"))
    assert Notice.GRAYSCALE in analyser.analyse(source(gray)).warnings
    assert Notice.GRAYSCALE not in analyser.analyse(source(astronaut)).warnings


def test_few_pixels_are_noticed(analyser: Analyser, astronaut: NDArray[np.uint8]) -> None:
    assert Notice.LOW_RESOLUTION in analyser.analyse(source(astronaut)).warnings
    assert Notice.LOW_RESOLUTION not in analyser.analyse(source(enlarge(astronaut, 2))).warnings


def test_refusals_come_from_the_steps(analyser: Analyser, astronaut: NDArray[np.uint8]) -> None:
    with pytest.raises(NoFace):
        analyser.analyse(source(np.full((300, 300, 3), 128, np.uint8)))
    with pytest.raises(MultipleFaces):
        analyser.analyse(source(np.hstack([astronaut, astronaut])))
    with pytest.raises(HeadCropped):
        analyser.analyse(source(astronaut[75:]))


def test_progress_rises_to_100(analyser: Analyser, astronaut: NDArray[np.uint8]) -> None:
    seen: list[int] = []
    analyser.analyse(source(astronaut), progress=seen.append)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 100)
    assert len(seen) > 3


def test_the_warm_up_leaves_no_trace(analyser: Analyser, astronaut: NDArray[np.uint8]) -> None:
    before = analyser.analyse(source(astronaut)).alpha
    analyser.warm_up()
    assert np.array_equal(analyser.analyse(source(astronaut)).alpha, before)
