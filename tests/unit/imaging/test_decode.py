from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from idphoto.imaging.decode import decode
from idphoto.imaging.errors import TooManyPixels, UnreadableImage
from tests.unit.imaging.profiles import make_profile

LIMIT = 50_000_000
DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="module")
def image(astronaut) -> Image.Image:
    return Image.fromarray(astronaut).resize((256, 192), Image.Resampling.LANCZOS)


def save(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def difference(data: bytes, expected: Image.Image) -> float:
    """Decode and return the mean difference to what is expected, in levels of 255."""
    pixels = decode(data, max_pixels=LIMIT).pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape == (expected.height, expected.width, 3)
    return float(np.abs(pixels.astype(int) - np.asarray(expected.convert("RGB"), dtype=int)).mean())


def make_png(width: int, height: int, *, bits: int, colour_type: int, rows: bytes, extra: bytes = b"") -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("format_", "options", "tolerance"),
    [
        ("JPEG", {"quality": 95}, 3),
        ("JPEG", {"quality": 95, "progressive": True}, 3),
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 4),
        ("BMP", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {}, 0),
        ("AVIF", {"quality": 95}, 4),
        ("GIF", {}, 12),
    ],
)
def test_every_format_is_read(image, format_, options, tolerance):
    data = save(image, format_, **options)
    assert decode(data, max_pixels=LIMIT).format == format_
    assert difference(data, image) <= tolerance


def test_a_phones_heic_is_read_and_upright(astronaut):
    """The file holds the picture on its side with a tag, as phones write it; pi-heif can read HEIC, not write it."""
    data = (DATA / "astronaut.heic").read_bytes()
    assert decode(data, max_pixels=LIMIT).format == "HEIF"
    assert difference(data, Image.fromarray(astronaut)) < 6


def test_a_phones_jpeg_with_a_second_view_is_read(image):
    assert difference(save(image, "MPO", save_all=True, append_images=[image], quality=95), image) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_exif_orientation_is_turned_upright(image, format_, orientation):
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    quality = {} if format_ in {"PNG", "TIFF"} else {"quality": 95}
    data = save(image if stored is None else image.transpose(stored), format_, exif=exif, **quality)
    assert difference(data, image) < 4


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_means_upright(image, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert difference(save(image, "PNG", exif=exif), image) == 0


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_exif_block_does_not_spoil_the_picture(image):
    assert difference(save(image, "JPEG", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\x7fgarbage"), image) < 3


def test_animations_give_their_first_frame(image):
    others = [Image.new("RGB", image.size, colour) for colour in ("red", "blue")]
    for format_ in ("GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        options = {"lossless": True} if format_ == "WEBP" else {}
        assert difference(save(image, format_, save_all=True, append_images=others, **options), image) < 12


def test_transparency_is_laid_on_white(image):
    cut_out = image.convert("RGBA")
    cut_out.putalpha(Image.linear_gradient("L").resize(image.size))
    white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), cut_out)
    assert difference(save(cut_out, "PNG"), white) == 0
    assert difference(save(cut_out, "WEBP", lossless=True, exact=True), white) <= 1
    assert difference(save(cut_out, "TIFF"), white) == 0
    grey = cut_out.convert("LA")
    assert (
        difference(
            save(grey, "PNG"), Image.alpha_composite(Image.new("RGBA", image.size, "white"), grey.convert("RGBA"))
        )
        < 1
    )


def test_a_palette_with_transparency_is_laid_on_white():
    pixels = Image.new("P", (32, 32), 0)
    pixels.putpalette([10, 20, 30, 200, 100, 50])
    pixels.paste(1, (16, 0, 32, 32))
    found = decode(save(pixels, "PNG", transparency=0), max_pixels=LIMIT).pixels
    assert found[5, 5].tolist() == [255, 255, 255]
    assert found[5, 20].tolist() == [200, 100, 50]
    found = decode(save(pixels, "GIF", transparency=0), max_pixels=LIMIT).pixels
    assert found[5, 5].tolist() == [255, 255, 255]


def test_a_palette_keeps_its_colours(image):
    assert difference(save(image.quantize(256), "PNG"), image) < 8


def test_grey_and_one_bit_become_rgb(image):
    grey = image.convert("L")
    assert difference(save(grey, "PNG"), grey) == 0
    assert difference(save(grey, "JPEG", quality=95), grey) < 2
    bits = image.convert("1")
    assert difference(save(bits, "PNG"), bits) == 0
    assert difference(save(bits, "TIFF", compression="group4"), bits) == 0


def test_sixteen_bits_are_brought_to_eight(image):
    grey = image.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    assert difference(save(deep, "PNG"), grey) == 0
    assert difference(save(deep, "TIFF", compression="tiff_lzw"), grey) == 0
    words = np.asarray(image).astype(">u2") * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in words)
    assert difference(make_png(*image.size, bits=16, colour_type=2, rows=rows), image) <= 1


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_a_floating_point_tiff_is_read_whatever_its_range(image, white):
    grey = image.convert("L")
    values = np.asarray(grey).astype(np.float32) / 255 * white
    values[0, 0] = np.nan
    assert difference(save(Image.fromarray(values), "TIFF"), grey) < 1


def test_wide_integers_are_read(image):
    grey = image.convert("L")
    values = np.asarray(grey).astype(np.int32) * 257
    assert difference(save(Image.fromarray(values), "TIFF"), grey) < 1


def test_cmyk_becomes_rgb(image):
    assert difference(save(image.convert("CMYK"), "JPEG", quality=95), image) < 4
    assert difference(save(image.convert("CMYK"), "TIFF"), image) < 2


def test_lab_and_ycbcr_tiffs_become_rgb(image):
    lab = ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    assert difference(save(lab, "TIFF"), image) < 4
    assert difference(save(image.convert("YCbCr"), "TIFF"), image) < 3


def test_display_p3_is_converted_to_srgb():
    """The red of P3 (1, 0, 0) is outside sRGB; (200, 100, 50) in sRGB is about (187, 106, 60) in Display P3."""
    flat = Image.new("RGB", (64, 64), (187, 106, 60))
    found = decode(save(flat, "PNG", icc_profile=make_profile("Display P3")), max_pixels=LIMIT).pixels
    assert found[30, 30].tolist() == pytest.approx([200, 100, 50], abs=3)
    found = decode(
        save(Image.new("RGB", (64, 64), (255, 0, 0)), "PNG", icc_profile=make_profile("Display P3")), max_pixels=LIMIT
    ).pixels
    assert found[30, 30].tolist() == [255, 0, 0]


def test_a_grey_profile_is_honoured(image):
    """Linear grey: a quarter of the light is 137 in sRGB."""
    flat = Image.new("L", (64, 64), 64)
    found = decode(save(flat, "PNG", icc_profile=make_profile("grey")), max_pixels=LIMIT).pixels
    assert found[30, 30].tolist() == pytest.approx([137] * 3, abs=2)


def test_a_profile_under_transparency_is_honoured():
    flat = Image.new("RGBA", (64, 64), (187, 106, 60, 255))
    found = decode(save(flat, "PNG", icc_profile=make_profile("Display P3")), max_pixels=LIMIT).pixels
    assert found[30, 30].tolist() == pytest.approx([200, 100, 50], abs=3)


@pytest.mark.parametrize("profile", [b"not a profile", b"\0" * 4000, make_profile("Display P3")[:300]])
def test_a_broken_profile_is_ignored(image, profile):
    assert difference(save(image, "PNG", icc_profile=profile), image) == 0


def test_a_profile_for_another_kind_of_image_is_ignored(image):
    assert difference(save(image, "PNG", icc_profile=make_profile("grey")), image) == 0
    assert difference(save(image.convert("CMYK"), "TIFF", icc_profile=make_profile("Display P3")), image) < 2


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"hello, I am a text file named photo.jpg\n" * 20, b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"],
    ids=["empty", "one byte", "text", "jpeg start", "png start", "gif start"],
)
def test_what_is_not_an_image_is_refused(data):
    with pytest.raises(UnreadableImage):
        decode(data, max_pixels=LIMIT)


@pytest.mark.parametrize("format_", ["EPS", "PDF", "PPM", "TGA", "ICO", "JPEG2000"])
def test_formats_beyond_the_list_are_refused(image, format_):
    with pytest.raises(UnreadableImage):
        decode(save(image, format_), max_pixels=LIMIT)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF", "GIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused_not_filled_with_grey(image, format_, share):
    data = save(image, format_)
    with pytest.raises(UnreadableImage):
        decode(data[: int(len(data) * share)], max_pixels=LIMIT)


def test_a_truncated_heic_is_refused():
    data = (DATA / "astronaut.heic").read_bytes()
    for share in (0.02, 0.5, 0.9):
        with pytest.raises(UnreadableImage):
            decode(data[: int(len(data) * share)], max_pixels=LIMIT)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=150, deadline=None)
@given(
    format_=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF", "GIF", "HEIF"]),
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12),
    head=st.booleans(),
)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(format_, places, head):
    small = Image.linear_gradient("L").resize((48, 48)).convert("RGB")
    data = bytearray((DATA / "astronaut.heic").read_bytes() if format_ == "HEIF" else save(small, format_))
    for place, value in places:
        data[int(place * (min(len(data), 400) if head else len(data)))] = value
    try:
        source = decode(bytes(data), max_pixels=1_000_000)
    except (UnreadableImage, TooManyPixels):
        return
    assert source.pixels.ndim == 3


def test_a_small_file_of_too_many_pixels_is_refused_before_it_is_decoded():
    """20000 x 20000 grey pixels in half a megabyte would be 1.2 GB of RGB."""
    rows = b"\0" * (20001 * 20000)
    bomb = make_png(20000, 20000, bits=8, colour_type=0, rows=rows)
    assert len(bomb) < 2_000_000
    with pytest.raises(TooManyPixels):
        decode(bomb, max_pixels=LIMIT)


def test_the_limit_counts_pixels_exactly(image):
    data = save(image, "PNG")
    assert decode(data, max_pixels=256 * 192).pixels.shape == (192, 256, 3)
    with pytest.raises(TooManyPixels, match="256 x 192"):
        decode(data, max_pixels=256 * 192 - 1)


@pytest.mark.parametrize("size", [(9000, 9000), (11000, 11000), (60000, 60000)])
def test_a_header_that_claims_a_huge_picture_is_refused_by_the_claim(size):
    """Below, inside and above the sizes at which Pillow itself warns and refuses."""
    with pytest.raises(TooManyPixels):
        decode(make_png(*size, bits=8, colour_type=2, rows=b"\0" * 100), max_pixels=LIMIT)


def test_a_header_that_claims_more_rows_than_there_are_keeps_those_there_are(image):
    """Neither format says that rows are missing once its data ends in order; the claim has passed the limit."""
    rows = b"".join(b"\0" + row.tobytes() for row in np.asarray(image)[:50])
    pixels = decode(make_png(*image.size, bits=8, colour_type=2, rows=rows), max_pixels=LIMIT).pixels
    assert pixels.shape == (192, 256, 3)
    assert np.array_equal(pixels[:50], np.asarray(image)[:50])
    jpeg = bytearray(save(image, "JPEG"))
    start_of_frame = jpeg.index(b"\xff\xc0")
    jpeg[start_of_frame + 5 : start_of_frame + 7] = struct.pack(">H", 400)
    assert decode(bytes(jpeg), max_pixels=LIMIT).pixels.shape == (400, 256, 3)


def test_text_that_unpacks_to_more_than_a_picture_is_refused():
    body = b"Comment\0\0" + zlib.compress(b"\0" * 80_000_000, 9)
    text = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    with pytest.raises(UnreadableImage):
        decode(make_png(32, 32, bits=8, colour_type=0, rows=b"\0" * 33 * 32, extra=text), max_pixels=LIMIT)


@pytest.mark.parametrize("size", [(1, 1), (15, 400), (400, 15)])
def test_a_picture_that_cannot_hold_a_face_is_refused(size):
    with pytest.raises(UnreadableImage, match="larger"):
        decode(save(Image.new("RGB", size), "PNG"), max_pixels=LIMIT)


def test_a_very_long_picture_is_read():
    assert decode(save(Image.new("RGB", (16, 30000)), "PNG"), max_pixels=LIMIT).pixels.shape == (30000, 16, 3)


def test_the_pixels_may_be_written_to(image):
    assert decode(save(image, "PNG"), max_pixels=LIMIT).pixels.flags.writeable
