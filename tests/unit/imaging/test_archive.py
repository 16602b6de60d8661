from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from idphoto.imaging.analyse import Analyser
from idphoto.imaging.archive import BadArchive, pack, unpack
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
