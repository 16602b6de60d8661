from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, JpegImagePlugin

from idphoto.imaging.encode import FileLimits, _fill_jpeg, encode
from idphoto.imaging.errors import FileSizeUnreachable
from idphoto.imaging.portrait import Photo
from tests.unit.imaging.photos import make_portrait


def make_photo(astronaut, *, transparent: bool = False, dpi: int = 300) -> Photo:
    pixels = astronaut[:413, :295].copy()
    if transparent:
        pixels = np.dstack([pixels, np.linspace(0, 255, 413 * 295).reshape(413, 295).astype(np.uint8)])
    return Photo(pixels=pixels, alpha=pixels[..., 0], dpi=dpi, head=make_portrait().head)


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
    photo = Photo(pixels=pixels, alpha=pixels[..., 0], dpi=300, head=make_portrait().head)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode(photo, format="png")))), pixels)


def test_a_transparent_jpeg_is_a_mistake_of_the_caller(astronaut):
    with pytest.raises(ValueError, match="transparent"):
        encode(make_photo(astronaut, transparent=True), format="jpg")


LIMITS = [(None, 12), (14, 20), (30, 80), (60, None), (200, 240), (500, None), (20, 20), (None, 5000)]


@pytest.mark.parametrize(("least", "most"), LIMITS)
def test_a_jpeg_meets_its_file_size_by_both_counts_of_a_kilobyte(astronaut, least, most):
    data = encode(make_photo(astronaut), format="jpg", limits=FileLimits(min_kb=least, max_kb=most))
    if least != most:
        assert least is None or len(data) >= least * 1024
        assert most is None or len(data) <= most * 1000
    else:
        assert len(data) == least * 1024
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.size == (295, 413)
    assert image.info["dpi"] == (300, 300)


def test_a_smaller_file_loses_no_more_quality_than_it_must(astronaut):
    photo = make_photo(astronaut)
    sizes = {quality: len(_encode_by_hand(photo, quality)) for quality in range(20, 96)}
    limit = 40
    best = max(quality for quality, size in sizes.items() if size <= limit * 1000)
    data = encode(photo, format="jpg", limits=FileLimits(max_kb=limit))
    assert len(data) == sizes[best]


def _encode_by_hand(photo: Photo, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo.pixels).save(
        buffer,
        "JPEG",
        quality=quality,
        subsampling="4:4:4" if quality >= 75 else "4:2:0",
        dpi=(300, 300),
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    )
    return buffer.getvalue()


def test_filling_a_jpeg_up_does_not_change_its_picture(astronaut):
    photo = make_photo(astronaut)
    filled = encode(photo, format="jpg", limits=FileLimits(min_kb=300))
    finest = Image.open(io.BytesIO(_encode_by_hand(photo, 100)))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(filled))), np.asarray(finest))


@settings(max_examples=40, deadline=None)
@given(missing=st.integers(1, 200_000))
def test_a_jpeg_is_filled_up_to_the_byte(missing):
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), "gray").save(buffer, "JPEG", dpi=(300, 300))
    plain = buffer.getvalue()
    filled = _fill_jpeg(plain, len(plain) + missing)
    assert len(filled) == len(plain) + max(missing, 4)
    image = Image.open(io.BytesIO(filled))
    image.load()
    assert image.info["dpi"] == (300, 300)


@pytest.mark.parametrize("least", [300, 500])
def test_a_png_is_filled_up_without_a_loss(astronaut, least):
    photo = make_photo(astronaut)
    data = encode(photo, format="png", limits=FileLimits(min_kb=least))
    assert len(data) == least * 1024
    image = Image.open(io.BytesIO(data))
    assert np.array_equal(np.asarray(image), photo.pixels)


def test_a_file_that_cannot_be_small_enough_says_what_can(astronaut):
    photo = make_photo(astronaut)
    with pytest.raises(FileSizeUnreachable, match=r"295x413 pixels .* takes \d+\.\d KB, and at most 3 KB"):
        encode(photo, format="jpg", limits=FileLimits(max_kb=3))
    with pytest.raises(FileSizeUnreachable, match="ask for jpg"):
        encode(photo, format="png", limits=FileLimits(max_kb=40))


def test_limits_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="above the most"):
        FileLimits(min_kb=30, max_kb=20)


@pytest.mark.parametrize("limits", [FileLimits(), FileLimits(min_kb=3000), FileLimits(max_kb=800)])
def test_pure_noise_can_be_written(limits):
    pixels = np.random.default_rng(0).integers(0, 256, (1200, 1000, 3)).astype(np.uint8)
    photo = Photo(pixels=pixels, alpha=pixels[..., 0], dpi=300, head=make_portrait().head)
    assert Image.open(io.BytesIO(encode(photo, format="jpg", limits=limits))).size == (1000, 1200)
