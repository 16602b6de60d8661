from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from idphoto.imaging.analyse import Analyser
from idphoto.imaging.archive import BadArchive, pack, unpack
from idphoto.imaging.geometry import move_head
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.order import Order
from idphoto.imaging.pipeline import make_again
from idphoto.imaging.portrait import Source
from idphoto.specs import Spec


@pytest.fixture(scope="module")
def known(models_dir, astronaut):
    analyser = Analyser(ModelFolder(models_dir))
    portrait = analyser.analyse(Source(pixels=astronaut, format="PNG"))
    return portrait, analyser.inspect(portrait)


def test_what_is_packed_comes_back(known):
    portrait, inspection = known
    again, measured = unpack(pack(portrait, inspection))
    assert measured == inspection
    assert again.head == portrait.head
    assert again.foreground == portrait.foreground
    assert again.warnings == portrait.warnings
    assert np.array_equal(again.alpha, portrait.alpha)
    assert np.abs(again.face.landmarks - portrait.face.landmarks).max() < 0.01
    assert np.abs(again.pixels.astype(int) - portrait.pixels).mean() < 1.5


def test_a_photo_made_of_the_archive_looks_like_the_first(known):
    portrait, inspection = known
    order = Order(spec=Spec.of_size(295, 413), background="438EDB")
    first = make_again(portrait, inspection, order).photo.pixels.astype(int)
    second = make_again(*unpack(pack(portrait, inspection)), order).photo.pixels.astype(int)
    assert np.abs(first - second).mean() < 1
    assert np.percentile(np.abs(first - second), 99) < 8


def test_something_else_is_refused(known):
    with pytest.raises(BadArchive):
        unpack(b"no archive")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("facts.json", json.dumps({"version": 99}))
    with pytest.raises(BadArchive, match="version 99"):
        unpack(buffer.getvalue())


@pytest.fixture(scope="module")
def large(known):
    """The same portrait at four times the size."""
    portrait, inspection = known
    matrix = np.array([[4.0, 0, 0], [0, 4.0, 0]])
    pixels, alpha = (np.repeat(np.repeat(plane, 4, axis=0), 4, axis=1) for plane in (portrait.pixels, portrait.alpha))
    face = replace(portrait.face, landmarks=portrait.face.landmarks * 4)
    return replace(portrait, pixels=pixels, alpha=alpha, face=face, head=move_head(portrait.head, matrix)), inspection


@pytest.mark.parametrize(("head_px", "side"), [(None, 2048), (400, 2048), (240, 1024), (10, 1024)])
def test_a_smaller_copy_is_read_if_its_head_is_large_enough(large, head_px, side):
    portrait, inspection = large
    again, measured = unpack(pack(portrait, inspection), head_px=head_px)
    assert again.alpha.shape == again.pixels.shape[:2] == (side, side)
    assert again.reduced == 2048 / side
    assert again.head.face_width == pytest.approx(portrait.head.face_width * side / 2048)
    assert again.head.chin == pytest.approx(tuple(value * side / 2048 for value in portrait.head.chin))
    assert again.foreground == portrait.foreground
    assert measured == inspection


def test_a_photo_made_of_a_smaller_copy_looks_like_one_of_the_whole(large):
    order = Order(spec=Spec.of_size(150, 200), background="438EDB", report=True)
    data = pack(*large)
    whole, reduced = make_again(*unpack(data), order), make_again(*unpack(data, head_px=order.head_px), order)
    assert reduced.portrait.reduced == 2
    assert np.abs(whole.photo.pixels.astype(int) - reduced.photo.pixels).mean() < 1.5
    assert reduced.notices == whole.notices
    assert whole.report is not None
    assert reduced.report is not None
    values = [
        [each.value for each in report.checks if each.id == "enlarged"] for report in (whole.report, reduced.report)
    ]
    assert values[0] == pytest.approx(values[1], rel=0.05)
