"""Fixtures that every kind of test shares."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The weights that `make test` fetched."""
    return ROOT / "weights"


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """A real portrait in the public domain: Eileen Collins, 512x512, sRGB."""
    pixels: NDArray[np.uint8] = skimage.data.astronaut()
    return pixels


@pytest.fixture(scope="session")
def astronaut_jpeg(astronaut: NDArray[np.uint8]) -> bytes:
    """The same portrait as a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(astronaut).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()
