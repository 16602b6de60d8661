"""Bad input gets an exact answer, and the server serves on."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests
import skimage.data
from PIL import Image

from tests.running import Receiver, Server


@pytest.fixture(autouse=True)
def still_serving(server: Server, astronaut_jpeg: bytes) -> Iterator[None]:
    """After each test of this module a good request must succeed."""
    yield
    data = server.create(astronaut_jpeg, size="300x400", format="jpg", sync="1").json()["data"]
    assert data["state"] == 1, data


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("size", "300", "bad_size"),
        ("size", "300X400", "bad_size"),
        ("size", "99x400", "bad_size"),
        ("size", "300x2001", "bad_size"),
        ("size", "-300x400", "bad_size"),
        ("size", "300x400x3", "bad_size"),
        ("format", "webp", "bad_format"),
        ("bg_color", "white", "bad_bg_color"),
        ("bg_color", "FFF", "bad_bg_color"),
        ("sync", "2", "bad_sync"),
        ("sync", "yes", "bad_sync"),
        ("return_type", "4", "bad_return_type"),
        ("return_type", "3", "bad_return_type"),  # the binary body needs sync=1
        ("callback_url", "not a url", "bad_callback_url"),
        ("callback_url", "ftp://example.com/x", "bad_callback_url"),
        ("callback_url", "http://10.0.0.1/x", "bad_callback_url"),
        ("callback_url", "http://169.254.169.254/x", "bad_callback_url"),
        ("spec", "no-such-spec", "unknown_spec"),
        ("clothes_id", "7", "refused_field"),
        ("auto_thin_face", "1", "refused_field"),
        ("layout", "poster", "bad_layout"),
    ],
)
def test_a_wrong_field_is_refused_by_name(
    server: Server, astronaut_jpeg: bytes, field: str, value: str, code: str
) -> None:
    answer = server.create(astronaut_jpeg, {field: value})
    assert answer.status_code == 400
    body = answer.json()
    assert body["status"] == 400
    assert body["error"]["code"] == code
    assert field in body["message"]


@pytest.mark.parametrize("path", ["/task/pic/idphoto", "/api/tasks/visual/idphoto"])
def test_both_sources_or_none_are_refused(server: Server, astronaut_jpeg: bytes, path: str) -> None:
    both = server.create(astronaut_jpeg, path=path, image_url="https://example.com/me.jpg")
    none = server.create(None, path=path, image_url="", size="300x400")
    assert (both.status_code, none.status_code) == (400, 400)
    assert both.json()["status"] == none.json()["status"] == 400


def make_bomb(side: int) -> bytes:
    """A valid PNG of ``side`` x ``side`` black pixels: huge in memory, small as a file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * side)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def encode(pixels: Any, format: str = "JPEG") -> bytes:  # noqa: A002
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format)
    return buffer.getvalue()


def end_of(server: Server, photo: bytes) -> tuple[int, str]:
    data = server.create(photo, size="300x400", format="jpg", sync="1").json()["data"]
    assert not data.get("image")
    return data["state"], data["err_info"].split(":")[0]


def test_an_empty_file_is_no_image(server: Server) -> None:
    assert end_of(server, b"") == (-7, "unreadable_image")


def test_a_text_file_named_jpg_is_no_image(server: Server) -> None:
    assert end_of(server, b"To be, or not to be, that is the question.\n" * 50) == (-7, "unreadable_image")


def test_a_truncated_jpeg_is_no_image(server: Server, astronaut_jpeg: bytes) -> None:
    assert end_of(server, astronaut_jpeg[: len(astronaut_jpeg) // 2]) == (-7, "unreadable_image")


def test_a_bomb_of_400_megapixels_is_refused(server: Server) -> None:
    bomb = make_bomb(20_000)
    assert len(bomb) < 1_500_000
    assert end_of(server, bomb) == (-7, "too_many_pixels")


def test_a_landscape_has_no_face(server: Server) -> None:
    # A real photo without people: a coffee cup on a table (skimage, CC0).
    assert end_of(server, encode(skimage.data.coffee())) == (-1, "no_face")


def test_two_people_are_refused(server: Server, astronaut: Any) -> None:
    assert end_of(server, encode(np.hstack([astronaut, astronaut[:, ::-1]]))) == (-1, "multiple_faces")


def test_the_largest_of_two_people_can_be_asked_for(server: Server, astronaut: Any) -> None:
    small = np.asarray(Image.fromarray(astronaut).resize((300, 300)))
    both = np.full((512, 812, 3), 200, np.uint8)
    both[:, :512] = astronaut
    both[212:, 512:] = small
    data = server.create(encode(both), size="300x400", faces="largest", sync="1").json()["data"]
    assert data["state"] == 1


def test_a_tiny_face_is_refused(server: Server, astronaut: Any) -> None:
    canvas = np.full((600, 600, 3), 180, np.uint8)
    canvas[200:400, 200:400] = np.asarray(Image.fromarray(astronaut).resize((200, 200)))
    assert end_of(server, encode(canvas)) == (-1, "face_too_small")


def test_a_head_cut_by_the_frame_is_refused(server: Server, astronaut: Any) -> None:
    assert end_of(server, encode(astronaut[75:])) == (-1, "head_cropped")


def test_an_upload_over_the_limit_gets_413(server: Server) -> None:
    answer = server.create(bytes(17 * 1024 * 1024), size="300x400")
    assert answer.status_code == 413
    assert answer.json()["status"] == 413


def test_a_missing_or_wrong_key_gets_401(server: Server, astronaut_jpeg: bytes) -> None:
    for headers in ({"X-Nothing": "1"}, {"Authorization": "Bearer wrong"}, {"X-API-KEY": "idp_00000000_wrong"}):
        answer = server.create(astronaut_jpeg, headers=headers, size="300x400")
        assert answer.status_code == 401
        assert answer.json()["status"] == 401


@pytest.mark.parametrize("task_id", ["no-uuid", "00000000-0000-4000-8000-000000000000", "..%2f..%2fetc"])
def test_an_unknown_task_gets_404(server: Server, task_id: str) -> None:
    answer = requests.get(f"{server.url}/task/{task_id}", headers=server.headers, timeout=10)
    assert answer.status_code == 404


def end_of_url(server: Server, url: str) -> tuple[int, str]:
    answer = server.create(None, image_url=url, size="300x400", format="jpg", sync="1")
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    return data["state"], data["err_info"].split(":")[0]


def test_an_image_url_that_fails_ends_in_minus_3(server: Server, receiver: Receiver) -> None:
    receiver.files["/broken"] = (500, b"")
    assert end_of_url(server, f"{receiver.url}/missing.jpg") == (-3, "download_failed")
    assert end_of_url(server, f"{receiver.url}/broken") == (-3, "download_failed")


def test_an_image_url_into_a_private_network_ends_in_minus_3(server: Server) -> None:
    assert end_of_url(server, "http://10.0.0.1/me.jpg") == (-3, "address_refused")
    assert end_of_url(server, "http://169.254.169.254/latest/meta-data") == (-3, "address_refused")
    assert end_of_url(server, "http://[::1]/me.jpg") == (-3, "address_refused")


def test_an_image_url_over_15_mb_ends_in_minus_5(server: Server, receiver: Receiver) -> None:
    receiver.files["/large.jpg"] = (200, bytes(16 * 1024 * 1024))
    assert end_of_url(server, f"{receiver.url}/large.jpg") == (-5, "image_too_large")


def test_an_image_url_that_is_no_url_gets_400(server: Server) -> None:
    for url in ("not a url", "file:///etc/passwd", "https://example.com/" + "x" * 600):
        answer = server.create(None, image_url=url)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "bad_image_url"
