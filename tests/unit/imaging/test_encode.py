from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, JpegImagePlugin

from idphoto.imaging.encode import encode
from idphoto.imaging.portrait import Photo
from tests.unit.imaging.photos import make_portrait


def make_photo(astronaut, *, transparent: bool = False, dpi: int = 300) -> Photo:
    pixels = astronaut[:413, :295].copy()
    if transparent:
        pixels = np.dstack([pixels, np.linspace(0, 255, 413 * 295).reshape(413, 295).astype(np.uint8)])
    return Photo(pixels=pixels, dpi=dpi, head=make_portrait().head)


@pytest.mark.parametrize("format_", ["jpg", "png"])
@pytest.mark.parametrize("dpi", [72, 300, 350, 1000])
def test_a_file_says_its_print_resolution(astronaut, format_, dpi):
    image = Image.open(io.BytesIO(encode(make_photo(astronaut, dpi=dpi), format=format_)))
    assert image.size == (295, 413)
    # PNG counts whole dots a metre.
    assert image.info["dpi"] == pytest.approx((dpi, dpi), abs=0.02)


@pytest.mark.parametrize("format_", ["jpg", "png"])
def test_a_file_carries_an_srgb_profile(astronaut, format_):
    image = Image.open(io.BytesIO(encode(make_photo(astronaut), format=format_)))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert len(image.info["icc_profile"]) < 4096


def test_a_jpeg_keeps_full_colour_resolution_and_looks_like_the_photo(astronaut):
    photo = make_photo(astronaut)
    image = Image.open(io.BytesIO(encode(photo, format="jpg")))
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    assert image.mode == "RGB"
    assert JpegImagePlugin.get_sampling(image) == 0
    assert np.abs(np.asarray(image, dtype=int) - photo.pixels).mean() < 2


@pytest.mark.parametrize("transparent", [False, True])
def test_a_png_is_lossless(astronaut, transparent):
    photo = make_photo(astronaut, transparent=transparent)
    image = Image.open(io.BytesIO(encode(photo, format="png")))
    assert image.format == "PNG"
    assert np.array_equal(np.asarray(image), photo.pixels)


def test_a_large_png_is_lossless_as_well(astronaut):
    pixels = np.tile(astronaut, (3, 2, 1))
    photo = Photo(pixels=pixels, dpi=300, head=make_portrait().head)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode(photo, format="png")))), pixels)


def test_a_transparent_jpeg_is_a_mistake_of_the_caller(astronaut):
    with pytest.raises(ValueError, match="transparent"):
        encode(make_photo(astronaut, transparent=True), format="jpg")
