"""Too much at once: what is refused is refused clearly, and what was accepted ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.running import Server

_LIMIT = 20
_CALLS = 60


@contextmanager
def run_frozen(data_dir: Path, settings: dict[str, str]) -> Iterator[tuple[Server, int]]:
    """Run a server whose worker is frozen until it is thawed: saturated, for certain and for as long as needed."""
    server = Server(data_dir, settings).start()
    try:
        (worker,) = server.children("worker")
        os.kill(worker, signal.SIGSTOP)
        yield server, worker
    finally:
        # A frozen worker hears no SIGTERM.
        for worker in server.children("worker"):
            os.kill(worker, signal.SIGCONT)
        server.stop()


@pytest.mark.timeout(400)  # twenty photos on a machine that may be busy
def test_the_queue_takes_exactly_its_limit_of_calls_at_the_same_time_and_all_of_them_end(
    tmp_path: Path, astronaut_jpeg: bytes
) -> None:
    with run_frozen(tmp_path / "data", {"IDPHOTO_QUEUE_LIMIT": str(_LIMIT)}) as (server, worker):
        with ThreadPoolExecutor(_CALLS) as pool:
            calls = [pool.submit(server.create, astronaut_jpeg, size="295x413", format="jpg") for _ in range(_CALLS)]
            replies = [call.result() for call in calls]
        accepted = [reply for reply in replies if reply.status_code == 200]
        refused = [reply for reply in replies if reply.status_code == 429]
        assert (len(accepted), len(refused)) == (_LIMIT, _CALLS - _LIMIT)
        for reply in refused:
            assert int(reply.headers["Retry-After"]) >= 1
            assert reply.json()["error"]["code"] == "queue_full"
        # What was refused left nothing on the disk.
        assert len(list((server.data_dir / "files" / "sources").iterdir())) == _LIMIT
        os.kill(worker, signal.SIGCONT)
        for reply in accepted:
            assert server.wait_for_end(reply.json()["data"]["task_id"])["state"] == 1
        assert server.create(astronaut_jpeg, size="295x413").status_code == 200


def test_a_sync_call_behind_a_saturated_worker_becomes_an_async_one(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    with run_frozen(tmp_path / "data", {"IDPHOTO_SYNC_WAIT_S": "1"}) as (server, worker):
        started = time.monotonic()
        reply = server.create(astronaut_jpeg, size="295x413", format="jpg", sync="1")
        waited_s = time.monotonic() - started
        data = reply.json()["data"]
        assert (reply.status_code, data["state"]) == (200, 4)
        assert not data.get("image")
        assert waited_s >= 1
        assert server.poll(data["task_id"])["state"] == 0
        os.kill(worker, signal.SIGCONT)
        ended = server.wait_for_end(data["task_id"])
        assert (ended["state"], ended["image"] != "") == (1, True)


def test_workers_give_way_to_the_api(server: Server) -> None:
    (api,) = server.children("api")
    theirs = os.getpriority(os.PRIO_PROCESS, api)
    for worker in server.children("worker"):
        # Every thread: Linux keeps the priority of each, and inference runs in one of its own.
        for thread in Path(f"/proc/{worker}/task").iterdir():
            assert os.getpriority(os.PRIO_PROCESS, int(thread.name)) > theirs
