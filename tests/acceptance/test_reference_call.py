"""The reference call of the wire contract, through both doors, by the clients that people use."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from idphoto.imaging import decode
from idphoto.imaging.faces import FaceFinder
from idphoto.imaging.models import ModelFolder
from tests.running import Receiver, Server

REFERENCE = {"size": "300x400", "format": "jpg", "bg_color": "FFFFFF", "sync": "1"}
#: Every key of the sample envelope and the type of its value.
SAMPLE_TYPES: dict[str, type | tuple[type, ...]] = {
    "completed_at": int,
    "created_at": int,
    "processed_at": int,
    "download_time": int,
    "time_elapsed": float,
    "err_info": str,
    "foreground_rect": dict,
    "image": str,
    "image_width": int,
    "image_height": int,
    "output_type": int,
    "result_type": str,
    "return_type": int,
    "progress": int,
    "state": int,
    "state_detail": str,
    "task_id": str,
    "type": str,
}


def check_envelope(body: dict[str, Any]) -> dict[str, Any]:
    """Assert that the body is the finished sample envelope, and return its data."""
    assert body["status"] == 200
    assert body["message"] == "success"
    data: dict[str, Any] = body["data"]
    for key, kind in SAMPLE_TYPES.items():
        assert isinstance(data[key], kind), key
    assert set(data["foreground_rect"]) == {"x", "y", "width", "height"}
    assert (data["state"], data["state_detail"], data["progress"]) == (1, "Complete", 100)
    assert data["err_info"] == ""
    assert uuid.UUID(data["task_id"]).version == 4
    assert data["created_at"] <= data["processed_at"] <= data["completed_at"]
    return data


def check_photo(url: str, models_dir: Path) -> None:
    """Assert that the URL gives a 300x400 JPEG on white with the head upright, whole, centred and sensibly sized."""
    answer = requests.get(url, timeout=10)
    assert answer.status_code == 200
    assert url.endswith(".jpg")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (300, 400), "RGB")
        assert tuple(round(value) for value in image.info["dpi"]) == (300, 300)
    pixels = decode.decode(answer.content, max_pixels=1_000_000).pixels
    assert np.all(pixels[:20, :40] > 250)
    assert np.all(pixels[:20, -40:] > 250)
    (face,) = FaceFinder(ModelFolder(models_dir)).find(pixels)
    left_eye, right_eye, chin = face.landmarks[33, :2], face.landmarks[263, :2], face.landmarks[152, :2]
    eyes = (left_eye + right_eye) / 2
    assert abs(np.degrees(np.arctan2(right_eye[1] - left_eye[1], right_eye[0] - left_eye[0]))) < 5
    assert abs(eyes[0] - 150) < 15
    assert 0.20 * 400 < chin[1] - eyes[1] < 0.40 * 400
    assert 0.3 * 400 < eyes[1] < 0.6 * 400


def test_the_curl_request_with_an_image_url(
    server: Server, receiver: Receiver, astronaut_jpeg: bytes, models_dir: Path
) -> None:
    receiver.files["/me.jpg"] = (200, astronaut_jpeg)
    curl = shutil.which("curl")
    assert curl is not None, "The tests need curl: sudo apt-get install curl"
    command = [curl, "-sS", "-X", "POST", f"{server.url}/task/pic/idphoto", "-H", f"Authorization: Bearer {server.key}"]
    for name, value in {"image_url": f"{receiver.url}/me.jpg", **REFERENCE}.items():
        command += ["-F", f"{name}={value}"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    data = check_envelope(json.loads(done.stdout))
    assert data["download_time"] >= 0
    check_photo(data["image"], models_dir)


def test_the_python_request_with_a_file(server: Server, astronaut_jpeg: bytes, models_dir: Path) -> None:
    # Clients send the other source, empty, beside the file.
    answer = server.create(astronaut_jpeg, REFERENCE, image_url="", callback_url="")
    assert answer.status_code == 200
    assert answer.headers["X-Request-ID"]
    data = check_envelope(answer.json())
    assert (data["image_width"], data["image_height"]) == (300, 400)
    check_photo(data["image"], models_dir)


def test_the_visual_door_takes_the_same_call(server: Server, astronaut_jpeg: bytes, models_dir: Path) -> None:
    headers = {"X-API-KEY": server.key}
    answer = server.create(astronaut_jpeg, REFERENCE, path="/api/tasks/visual/idphoto", headers=headers)
    data = check_envelope(answer.json())
    check_photo(data["image"], models_dir)
    poll = requests.get(f"{server.url}/api/tasks/visual/idphoto/{data['task_id']}", headers=headers, timeout=10)
    assert poll.json() == answer.json()
    # A task made through one door can be polled through the other.
    assert server.poll(data["task_id"]) == data


def test_an_asynchronous_task_walks_to_its_end(server: Server, astronaut: Any) -> None:
    # Large enough that polls see it on its way.
    large = io.BytesIO()
    Image.fromarray(astronaut).resize((4096, 4096), Image.Resampling.BICUBIC).save(large, "PNG", compress_level=1)
    photo = io.BytesIO()
    Image.open(io.BytesIO(large.getvalue())).save(photo, "JPEG", quality=90)
    answer = server.create(photo.getvalue(), size="300x400", format="jpg", sync="0")
    assert answer.status_code == 200
    first = answer.json()["data"]
    assert (first["state"], first["progress"]) == (0, 0)
    assert not first.get("image")
    seen: list[tuple[int, int]] = []

    def watch(data: dict[str, Any]) -> bool:
        seen.append((data["state"], data["progress"]))
        if data["state"] != 1:
            assert not data.get("image")
            assert data["progress"] < 100
        return bool(data["state"] == 1 or data["state"] < 0)

    data = server.wait_for(first["task_id"], watch)
    check_envelope({"status": 200, "message": "success", "data": data})
    states = [state for state, _ in seen]
    assert set(states) <= {0, 2, 3, 4, 1}
    assert 4 in states
    order = [0, 2, 3, 4, 1]
    assert [order.index(state) for state in states] == sorted(order.index(state) for state in states)
    progress = [value for _, value in seen]
    assert progress == sorted(progress)
    assert len(set(progress)) >= 3


def test_png_is_the_default_and_transparent(server: Server, astronaut_jpeg: bytes) -> None:
    data = check_envelope(server.create(astronaut_jpeg, size="295x413", sync="1").json())
    assert data["image"].endswith(".png")
    with Image.open(io.BytesIO(requests.get(data["image"], timeout=10).content)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (295, 413))
        alpha = np.asarray(image)[:, :, 3]
    assert alpha[5, 5] == 0
    assert alpha[-5, 147] == 255


def test_without_a_size_the_source_keeps_its_canvas(server: Server, astronaut_jpeg: bytes) -> None:
    data = check_envelope(server.create(astronaut_jpeg, format="jpg", bg_color="438EDB", sync="1").json())
    assert (data["image_width"], data["image_height"]) == (512, 512)
    with Image.open(io.BytesIO(requests.get(data["image"], timeout=10).content)) as image:
        assert image.size == (512, 512)
        corner = np.asarray(image)[40:60, 300:320].reshape(-1, 3).mean(0)
    assert np.allclose(corner, (0x43, 0x8E, 0xDB), atol=6)


def test_return_type_2_carries_the_file_as_base64(server: Server, astronaut_jpeg: bytes) -> None:
    data = check_envelope(server.create(astronaut_jpeg, REFERENCE, return_type="2").json())
    with Image.open(io.BytesIO(base64.b64decode(data["image"]))) as image:
        assert (image.format, image.size) == ("JPEG", (300, 400))


def test_return_type_3_is_the_file_itself(server: Server, astronaut_jpeg: bytes) -> None:
    answer = server.create(astronaut_jpeg, REFERENCE, return_type="3")
    assert answer.headers["Content-Type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("JPEG", (300, 400))


def test_a_json_body_and_a_urlencoded_one(server: Server, receiver: Receiver, astronaut_jpeg: bytes) -> None:
    receiver.files["/me.jpg"] = (200, astronaut_jpeg)
    fields = {"image_url": f"{receiver.url}/me.jpg", **REFERENCE}
    url = f"{server.url}/task/pic/idphoto"
    check_envelope(requests.post(url, json=fields, headers=server.headers, timeout=60).json())
    check_envelope(requests.post(url, data=fields, headers=server.headers, timeout=60).json())


def test_a_repeat_with_the_same_idempotency_key_returns_the_first_task(server: Server, astronaut_jpeg: bytes) -> None:
    headers = {**server.headers, "Idempotency-Key": str(uuid.uuid4())}
    first = server.create(astronaut_jpeg, REFERENCE, headers=headers).json()
    again = server.create(astronaut_jpeg, REFERENCE, headers=headers).json()
    assert again == first


@pytest.mark.parametrize("spec", ["cn-1inch", "cn-passport", "us-passport"])
def test_a_spec_alone_gives_its_size(server: Server, astronaut_jpeg: bytes, spec: str) -> None:
    size = {"cn-1inch": (295, 413), "cn-passport": (390, 567), "us-passport": (600, 600)}[spec]
    data = check_envelope(server.create(astronaut_jpeg, spec=spec, format="jpg", sync="1").json())
    assert (data["image_width"], data["image_height"]) == size
