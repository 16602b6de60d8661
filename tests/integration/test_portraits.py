"""More portraits, where the project's shared folder lies beside the checkout. They are not part of the repository."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from idphoto import IDPhoto, Result
from idphoto.imaging.faces import FaceFinder
from idphoto.imaging.models import ModelFolder
from idphoto.specs import Catalogue, Spec

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "portraits"
PORTRAITS = sorted(FOLDER.glob("*.jpg"))

pytestmark = pytest.mark.skipif(not PORTRAITS, reason=f"there are no portraits in {FOLDER.name}/ beside the checkout")


@pytest.fixture(scope="module", params=PORTRAITS, ids=lambda path: path.stem)
def portrait(request: pytest.FixtureRequest) -> Result:
    """A portrait that was looked at once."""
    return IDPhoto().make(request.param)


@pytest.fixture(scope="module")
def finder(models_dir: Path) -> FaceFinder:
    return FaceFinder(ModelFolder(models_dir))


@pytest.mark.parametrize("spec", [spec for spec in Catalogue.load() if spec.has_ranges], ids=lambda spec: spec.id)
def test_the_face_found_in_the_finished_photo_is_where_the_spec_wants_it(
    portrait: Result, finder: FaceFinder, spec: Spec
) -> None:
    result = portrait.again(spec=spec, keep_background=False)
    pixels = np.asarray(Image.open(io.BytesIO(result.data)))
    assert pixels.shape == (spec.height, spec.width, 3)
    (face,) = finder.find(pixels)
    left, right, chin = (face.landmarks[index, :2] for index in (33, 263, 152))
    eyes = (left + right) / 2
    assert abs(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0]))) < 5
    assert abs(eyes[0] / spec.width - 0.5) < 0.05
    # The crown lies 1.8 to 2.75 times as high above the chin as the eyes do, so the head's height can be bounded.
    above_chin = (chin[1] - eyes[1]) / spec.height
    head = spec.placement.head_height
    assert 1.8 * above_chin < head.high + 0.02
    assert 2.75 * above_chin > head.low - 0.02
    if spec.eye_line is not None:
        assert spec.eye_line.low - 0.02 < 1 - eyes[1] / spec.height < spec.eye_line.high + 0.02
