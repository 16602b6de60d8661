"""Whatever is killed, every accepted task finishes."""

from __future__ import annotations

import io
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from tests.running import Server


@pytest.fixture
def own_server(tmp_path: Path) -> Server:
    """A server of its own, with short leases so that a crash is noticed soon."""
    return Server(tmp_path / "data", {"IDPHOTO_LEASE_S": "1"})


def check_result(data: dict[str, Any]) -> None:
    assert data["state"] == 1, data["err_info"]
    with Image.open(io.BytesIO(requests.get(data["image"], timeout=10).content)) as image:
        assert image.size == (300, 400)
        image.load()


def test_a_task_survives_the_sigkill_of_its_worker(own_server: Server, slow_photo: bytes) -> None:
    server = own_server.start()
    try:
        created = server.create(slow_photo, size="300x400", format="jpg", sync="0").json()["data"]
        server.wait_for(created["task_id"], lambda data: data["state"] in {2, 4})
        (worker,) = server.children("worker")
        os.kill(worker, signal.SIGKILL)
        data = server.wait_for_end(created["task_id"])
        check_result(data)
        assert server.children("worker") != [worker]
        # The upload is deleted once it is processed, and a killed attempt leaves nothing behind.
        assert list((server.data_dir / "files" / "sources").iterdir()) == []
        assert len(list((server.data_dir / "files" / "results").iterdir())) == 1
    finally:
        server.stop()


def test_a_killed_api_is_replaced_and_refuses_nobody(
    own_server: Server, slow_photo: bytes, astronaut_jpeg: bytes
) -> None:
    server = own_server.start()
    try:
        created = server.create(slow_photo, size="300x400", format="jpg", sync="0").json()["data"]
        (api,) = server.children("api")
        os.kill(api, signal.SIGKILL)
        # The supervisor holds the listening socket: this call waits for the new process instead of being refused.
        again = server.create(astronaut_jpeg, size="300x400", format="jpg", sync="1").json()["data"]
        check_result(again)
        check_result(server.wait_for_end(created["task_id"]))
        assert server.children("api") != [api]
    finally:
        server.stop()


def test_every_accepted_task_survives_the_sigkill_of_the_whole_tree(
    own_server: Server, slow_photo: bytes, astronaut_jpeg: bytes
) -> None:
    server = own_server.start()
    try:
        photos = [slow_photo, astronaut_jpeg, astronaut_jpeg, astronaut_jpeg]
        tasks = [
            server.create(photo, size="300x400", format="jpg", sync="0").json()["data"]["task_id"] for photo in photos
        ]
        server.wait_for(tasks[0], lambda data: data["state"] in {2, 4})
        server.kill_tree()
        key = server.key
        server.start()
        assert server.key == key
        assert not any("API key" in line for line in server.output[-12:])
        for task_id in tasks:
            data = server.wait_for_end(task_id)
            assert data["state"] == 1, data["err_info"]
    finally:
        server.stop()


def test_a_worker_that_dies_three_times_over_one_photo_costs_that_task_alone(
    own_server: Server, slow_photo: bytes, astronaut_jpeg: bytes
) -> None:
    server = own_server.start()
    try:
        task_id = server.create(slow_photo, size="300x400", sync="0").json()["data"]["task_id"]
        killed: set[int] = set()
        while len(killed) < 3:
            data = server.poll(task_id)
            workers = server.children("worker")
            if data["state"] in {2, 4} and workers and workers[0] not in killed:
                os.kill(workers[0], signal.SIGKILL)
                killed.add(workers[0])
                # Until the next worker has begun, the row still says what the dead one wrote.
                before = data["processed_at"]
                server.wait_for(
                    task_id,
                    lambda data, before=before: data["processed_at"] > before or data["state"] < 0,  # type: ignore[misc]
                )
        data = server.wait_for_end(task_id)
        assert data["state"] == -1
        assert data["err_info"].startswith("worker_crashed: ")
        after = server.create(astronaut_jpeg, size="300x400", sync="1").json()["data"]
        assert after["state"] == 1
    finally:
        server.stop()


def test_a_photo_that_takes_too_long_ends_in_timeout_and_the_next_one_is_served(
    tmp_path: Path, slow_photo: bytes, astronaut_jpeg: bytes
) -> None:
    server = Server(tmp_path / "data", {"IDPHOTO_TASK_TIMEOUT_S": "0.05"}).start()
    try:
        data = server.create(slow_photo, size="300x400", sync="1").json()["data"]
        assert data["state"] == -8
        assert data["err_info"].startswith("timeout: ")
        again = server.create(slow_photo, size="300x400", sync="1").json()["data"]
        assert again["state"] == -8
    finally:
        server.stop()


def test_dead_children_are_replaced_though_the_log_cannot_be_written(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    server = Server(tmp_path / "data", log=Path("/dev/full")).start()
    try:
        assert server.create(astronaut_jpeg, size="300x400", sync="1").json()["data"]["state"] == 1
        for role in ("worker", "api"):
            (before,) = server.children(role)
            os.kill(before, signal.SIGKILL)
            while server.children(role) in ([], [before]):
                time.sleep(0.02)
        assert server.create(astronaut_jpeg, size="300x400", sync="1").json()["data"]["state"] == 1
    finally:
        assert server.stop() == 0


def test_a_second_server_on_the_same_folder_is_refused(server: Server) -> None:
    second = Server(server.data_dir)
    with pytest.raises(AssertionError, match="Another IDPhoto server uses"):
        second.start()
