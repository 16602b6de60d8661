"""Fixtures that every kind of test shares."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from idphoto.settings import Settings
from tests.running import Receiver, Server, run_receiver


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The weights that `make test` fetched."""
    return Settings().models_dir


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


@pytest.fixture(scope="session")
def slow_photo(astronaut: NDArray[np.uint8]) -> bytes:
    """The same portrait with 36 megapixels: long enough in work that a signal finds its worker busy."""
    buffer = io.BytesIO()
    Image.fromarray(astronaut).resize((6000, 6000), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One real server for all tests that do not hurt it."""
    running = Server(tmp_path_factory.mktemp("server")).start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTP server that receives callbacks and serves photos."""
    with run_receiver() as running:
        yield running
