from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from idphoto.imaging.faces import FaceFinder
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.watermark import mark_preview


def paint(level: int, *, width: int = 295, height: int = 413) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize("level", [0, 60, 128, 190, 255])
def test_the_mark_shows_on_any_tone_in_every_part(level: int) -> None:
    pixels = paint(level)
    change = np.abs(mark_preview(pixels).astype(int) - pixels).max(axis=2)
    for row in range(4):
        for column in range(4):
            part = change[row * 103 : (row + 1) * 103, column * 73 : (column + 1) * 73]
            assert (part >= 30).mean() > 0.05, (row, column)
    assert 0.15 < (change > 0).mean() < 0.6


def test_the_photo_is_seen_through_the_mark() -> None:
    dark, light = mark_preview(paint(60)).astype(int), mark_preview(paint(190)).astype(int)
    assert (light - dark).min() > 0.4 * 130


def test_the_mark_is_of_the_same_size_in_any_resolution() -> None:
    small = mark_preview(paint(128, width=400, height=560))
    large = mark_preview(paint(128, width=1600, height=2240))
    reduced = cv2.resize(large, (400, 560), interpolation=cv2.INTER_AREA).astype(int)
    shares = [np.abs(picture.astype(int) - 128).mean() for picture in (small, reduced)]
    assert shares[1] == pytest.approx(shares[0], rel=0.1)


def test_the_lines_rise_by_thirty_degrees() -> None:
    marked = mark_preview(paint(0, width=900, height=900), "|" * 40)[..., 0]
    # Strokes of upright letters stand at right angles to the line: the gradient runs along it.
    across, down = (cv2.Sobel(marked.astype(np.float32), cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    angle = 0.5 * np.degrees(np.arctan2(2 * (across * down).sum(), (across**2 - down**2).sum()))
    assert angle == pytest.approx(-30, abs=3)


def test_the_text_is_the_given_one() -> None:
    assert not np.array_equal(mark_preview(paint(128), "DRAFT"), mark_preview(paint(128)))


def test_what_is_transparent_is_marked_as_well() -> None:
    pixels = np.dstack([paint(200), np.zeros((413, 295), np.uint8)])
    pixels[200:, :, 3] = 255
    marked = mark_preview(pixels)
    assert marked.shape == pixels.shape
    top, bottom = marked[:200, :, 3], marked[200:, :, 3]
    assert 0.15 < (top > 60).mean() < 0.6
    assert (bottom == 255).all()
    assert np.array_equal(marked[200:, :, :3], mark_preview(pixels[..., :3].copy())[200:])


def test_a_transparent_mark_looks_on_white_as_if_written_on_white() -> None:
    clear = mark_preview(np.zeros((413, 295, 4), np.uint8)).astype(float)
    share = clear[..., 3:] / 255
    laid = clear[..., :3] * share + 255 * (1 - share)
    assert np.abs(laid - mark_preview(paint(255))).max() <= 2


def test_the_face_is_still_found(models_dir: Path, astronaut: NDArray[np.uint8]) -> None:
    finder = FaceFinder(ModelFolder(models_dir))
    portrait = np.ascontiguousarray(astronaut[:280, 110:330])
    (before,) = finder.find(portrait)
    (after,) = finder.find(mark_preview(portrait))
    moved = np.hypot(*(after.landmarks - before.landmarks)[:, :2].T)
    assert moved.mean() < 0.05 * before.box.width


def test_the_input_is_left_as_it_was() -> None:
    pixels = paint(90)
    mark_preview(pixels)
    assert (pixels == 90).all()


@pytest.mark.parametrize("shape", [(1, 1, 3), (40, 30, 4), (30, 900, 3), (900, 30, 3)])
def test_odd_sizes_are_marked(shape: tuple[int, int, int]) -> None:
    marked = mark_preview(np.full(shape, 128, np.uint8))
    assert marked.shape == shape
    assert marked.dtype == np.uint8


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_blank_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="needs a text"):
        mark_preview(paint(128), text)
