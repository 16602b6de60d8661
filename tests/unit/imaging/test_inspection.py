"""Measures of a real portrait, and how they follow what is done to it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from idphoto.imaging.analyse import Analyser
from idphoto.imaging.eyes import EyeReader
from idphoto.imaging.inspection import Inspection, Inspector
from idphoto.imaging.landmarks import LEFT_EYE, RIGHT_EYE
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Portrait, Source


@pytest.fixture(scope="module")
def portrait(models_dir, astronaut) -> Portrait:
    return Analyser(ModelFolder(models_dir)).analyse(Source(pixels=astronaut, format="PNG"))


@pytest.fixture(scope="module")
def inspector(models_dir) -> Inspector:
    return Inspector(ModelFolder(models_dir))


@pytest.fixture(scope="module")
def plain(inspector: Inspector, portrait: Portrait) -> Inspection:
    return inspector.inspect(portrait)


def test_a_good_portrait_has_ordinary_measures(plain):
    assert 0.06 < plain.eye_opening < 0.13
    assert abs(plain.gaze) < 0.05
    assert 0.05 < plain.mouth_opening < 0.12  # she smiles
    assert plain.burnt < 0.01
    assert 0.5 < plain.luminance < 0.75
    assert plain.evenness > 0.8
    assert 5 < plain.redness < 25
    assert 5 < plain.yellowness < 35


def test_light_is_measured(inspector, portrait, plain):
    dark = inspector.inspect(replace(portrait, pixels=(portrait.pixels * 0.25).astype(np.uint8)))
    bright = inspector.inspect(replace(portrait, pixels=np.clip(portrait.pixels * 2.0, 0, 255).astype(np.uint8)))
    assert dark.luminance < 0.2 < plain.luminance < 0.8 < bright.luminance
    assert dark.black > plain.black
    assert bright.burnt > 0.3 > plain.burnt
    assert dark.entropy < 6 < plain.entropy


def test_a_face_lit_from_one_side_is_uneven(inspector, portrait, plain):
    width = portrait.pixels.shape[1]
    middle = portrait.head.eye_middle[0]
    across = np.clip(1 - (np.arange(width) - middle + 40) / 130, 0.25, 1.0)
    lit = (portrait.pixels * across[None, :, None]).astype(np.uint8)
    assert inspector.inspect(replace(portrait, pixels=lit)).evenness < 0.7 < plain.evenness


def test_a_gray_photo_has_no_natural_colour(inspector, portrait):
    gray = np.repeat(cv2.cvtColor(portrait.pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    measured = inspector.inspect(replace(portrait, pixels=gray))
    assert abs(measured.redness) < 1
    assert abs(measured.yellowness) < 1


def test_blur_lowers_the_sharpness(inspector, portrait, plain):
    blurred = [
        inspector.inspect(replace(portrait, pixels=cv2.GaussianBlur(portrait.pixels, (0, 0), sigma))).sharpness
        for sigma in (0.7, 1.5, 3.0)
    ]
    assert plain.sharpness > blurred[0] > blurred[1]
    assert plain.sharpness > 0.20
    assert max(blurred[1:]) < 0.15


def test_painted_lids_read_as_less_open_eyes(models_dir, portrait, plain):
    pixels = portrait.pixels.copy()
    points = portrait.face.landmarks
    for contour, brow in ((LEFT_EYE, 159), (RIGHT_EYE, 386)):
        eye = points[list(contour), :2]
        lid = np.rint(eye.mean(axis=0) + (eye - eye.mean(axis=0)) * 1.25).astype(np.int32)
        x, y = np.rint(points[brow, :2] - (0, 5)).astype(int)
        cv2.fillPoly(pixels, [lid], pixels[y, x].tolist())
        cv2.polylines(pixels, [np.rint(eye[:9]).astype(np.int32)], False, (40, 25, 20), 1, cv2.LINE_AA)
    closed = EyeReader(ModelFolder(models_dir)).read(pixels, portrait.face)
    assert closed.opening < 0.6 * plain.eye_opening


def test_a_mirrored_photo_looks_the_other_way(models_dir, astronaut, portrait):
    reader = EyeReader(ModelFolder(models_dir))
    aside = astronaut.copy()
    for contour in (LEFT_EYE, RIGHT_EYE):
        # Move what is between the lids three pixels to the viewer's right.
        mask = np.zeros(aside.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.rint(portrait.face.landmarks[list(contour), :2]).astype(np.int32)], 1)
        aside[mask > 0] = np.roll(astronaut, 3, axis=1)[mask > 0]
    straight, moved = reader.read(astronaut, portrait.face).gaze, reader.read(aside, portrait.face).gaze
    assert moved > straight + 0.03
