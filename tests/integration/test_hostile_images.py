"""Hostile image files end in a photo or in the error that the documentation names, in bounded memory."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable

import pytest
from PIL import Image

from idphoto.imaging.decode import decode
from idphoto.imaging.errors import DecodeError, TooManyPixels, UnreadableImage
from tests.integration import hostile_files as files

MAX_PIXELS = 50_000_000
# Measured: a process that has only imported the decoder takes about 90 MB.
CHILD = """
import resource, sys
from idphoto.imaging.decode import decode
from idphoto.imaging.errors import DecodeError
limit = {megabytes} * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
try:
    print("x".join(str(side) for side in decode(sys.stdin.buffer.read(), max_pixels=50_000_000).pixels.shape))
except DecodeError as error:
    print(error.code)
"""


def decode_in_child(data: bytes, megabytes: int) -> str:
    """Decode in a process of its own that may take so much memory, and return the shape or the code."""
    code = CHILD.format(megabytes=megabytes)
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-500:]
    # Nothing that a file says may fill the log.
    assert done.stderr == b""
    return done.stdout.decode().strip()


@pytest.mark.parametrize("name", files.huge_claims())
def test_a_small_file_that_claims_a_huge_picture_is_refused_without_its_memory(name: str) -> None:
    data = files.huge_claims()[name]
    assert len(data) < 20_000
    # 300 MB: a tenth of what the smallest of these pictures would take.
    assert decode_in_child(data, 300) in {"too_many_pixels", "unreadable_image"}
    with pytest.raises(TooManyPixels if name not in {"webp", "avif"} else DecodeError):
        decode(data, max_pixels=MAX_PIXELS)


@pytest.mark.parametrize("name", files.animations())
def test_of_many_frames_the_first_is_decoded(name: str) -> None:
    data = files.animations()[name]
    pixels = decode(data, max_pixels=MAX_PIXELS).pixels
    assert pixels.shape == (64, 64, 3)
    # The first frame's colour, give or take what WebP loses.
    assert abs(int(pixels[32, 32, 0]) - 200) < 8


@pytest.mark.parametrize("name", files.long_metadata())
def test_metadata_costs_no_more_memory_than_the_file_some_times(name: str) -> None:
    outcome = decode_in_child(files.long_metadata()[name], 300)
    assert outcome in {"64x64x3", "unreadable_image"}


def test_metadata_that_only_repeats_itself_does_not_spoil_the_picture() -> None:
    good = [name for name, data in files.long_metadata().items() if _reads(data)]
    expected = {"png of a million chunks", "jpeg with comments", "gif with comments", "jpeg with a looping exif"}
    assert expected <= set(good)


def _reads(data: bytes) -> bool:
    try:
        return decode(data, max_pixels=MAX_PIXELS).pixels.shape == (64, 64, 3)
    except UnreadableImage:
        return False


def test_a_jpeg_of_thousands_of_scans_is_refused_before_they_are_painted() -> None:
    assert decode(files.scans(0, 64), max_pixels=MAX_PIXELS).pixels.shape == (64, 64, 3)
    assert decode(files.scans(900, 64), max_pixels=MAX_PIXELS).pixels.shape == (64, 64, 3)
    # 200 000 scans of 16 megapixels would take minutes; the child has one of processor time.
    bomb = files.scans(200_000, 4000)
    assert len(bomb) < 15 * 2**20
    assert decode_in_child(bomb, 400) == "unreadable_image"


@pytest.mark.parametrize("name", files.strange_formats())
def test_formats_that_nobody_asked_for_are_refused(name: str) -> None:
    with pytest.raises(UnreadableImage, match="send a JPEG"):
        decode(files.strange_formats()[name], max_pixels=MAX_PIXELS)


def truncate(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_a_truncated_file_is_refused(name: str, share: float) -> None:
    with pytest.raises(UnreadableImage):
        decode(truncate(files.save(name, 256), share), max_pixels=MAX_PIXELS)


@pytest.mark.parametrize(
    ("join", "shape"),
    [
        (lambda: files.save("PNG", 32) + files.save("JPEG"), (32, 32, 3)),
        (lambda: files.save("JPEG", 32) + b"PK\3\4" + b"\0" * 100, (32, 32, 3)),
        (lambda: files.save("GIF", 32) + b"<script>alert(1)</script>", (32, 32, 3)),
    ],
)
def test_a_file_that_is_two_things_is_its_first(join: Callable[[], bytes], shape: tuple[int, ...]) -> None:
    assert decode(join(), max_pixels=MAX_PIXELS).pixels.shape == shape


@pytest.mark.parametrize(("size", "words"), [((20_000, 10), "20000 x 10"), ((10, 10), "16 or more")])
def test_a_narrow_picture_is_told_what_is_wrong(size: tuple[int, int], words: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, "PNG")
    with pytest.raises(UnreadableImage, match=words):
        decode(buffer.getvalue(), max_pixels=MAX_PIXELS)
