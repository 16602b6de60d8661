"""SIGTERM: said first, everybody answered, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.running import Server

BUSY_S = 60.0


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + BUSY_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_ready(server: Server) -> requests.Response:
    return requests.get(f"{server.url}/readyz", timeout=10)


def test_it_says_so_first_and_answers_all_who_wait(tmp_path: Path, slow_photo: bytes) -> None:
    server = Server(tmp_path / "data", {"IDPHOTO_STOP_DELAY_S": "1.5", "IDPHOTO_STOP_GRACE_S": "8"}).start()
    answers: list[requests.Response] = []
    callers = [
        threading.Thread(
            target=lambda: answers.append(server.create(slow_photo, size="300x400", format="jpg", sync="1"))
        )
        for _ in range(12)
    ]
    for caller in callers:
        caller.start()
    try:
        wait_until(lambda: 'state="preparing"} 1.0' in requests.get(f"{server.url}/metrics", timeout=10).text)
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: is_ready(server).status_code == 503)
        unready = is_ready(server)
        assert "stopping" in unready.json()["message"]
        assert int(unready.headers["Retry-After"]) >= 1
        refused = server.create(slow_photo, size="300x400")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_ready")
        assert int(refused.headers["Retry-After"]) >= 1
        for caller in callers:
            caller.join()
    finally:
        assert server.stop() == 0
    assert [answer.status_code for answer in answers] == [200] * len(callers)
    data = [answer.json()["data"] for answer in answers]
    assert {one["state"] for one in data} <= {1, 4}
    with pytest.raises(requests.ConnectionError):
        is_ready(server)
    server.start()
    try:
        for one in data:
            assert server.wait_for_end(one["task_id"])["state"] == 1
    finally:
        server.stop()


def test_a_photo_that_is_not_finished_in_time_is_handed_back_and_finished_later(
    tmp_path: Path, slow_photo: bytes
) -> None:
    server = Server(tmp_path / "data", {"IDPHOTO_STOP_GRACE_S": "0.1", "IDPHOTO_LEASE_S": "600"}).start()
    try:
        task_id = server.create(slow_photo, size="300x400", sync="0").json()["data"]["task_id"]
        server.wait_for(task_id, lambda data: data["state"] in {2, 4})
    finally:
        assert server.stop() == 0
    assert any("photo_handed_back" in line for line in server.output)
    # The lease would hold it for ten minutes, had it not been given back.
    server.start()
    try:
        assert server.wait_for_end(task_id)["state"] == 1
    finally:
        server.stop()


def test_an_upload_that_is_still_coming_in_is_refused_in_words(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", {"IDPHOTO_STOP_GRACE_S": "4"}).start()
    head = f"POST /task/pic/idphoto HTTP/1.1\r\nHost: x\r\nX-API-KEY: {server.key}\r\nContent-Length: 1000000\r\n"
    head += "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20) as client:
        client.sendall(head.encode())
        time.sleep(0.2)
        os.kill(server.pid, signal.SIGTERM)
        answer = client.recv(65536)
        while b"}}" not in answer:
            answer += client.recv(65536)
    assert server.stop() == 0
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "not_ready"
    assert not any("Traceback" in line for line in server.output)
