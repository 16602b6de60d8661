"""What others may learn about a photo: nothing. The log, the disk, the other keys."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.running import Receiver, Server

SECRET = "s3cr3t-t0ken-in-an-address"
DOCUMENT = {"spec": "cn-passport", "layout": "6inch", "sync": "1"}


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data").start()
    yield server
    server.stop()


def list_files(server: Server) -> list[Path]:
    return sorted(path for path in (server.data_dir / "files").rglob("*") if path.is_file())


def make_key(server: Server, name: str) -> str:
    command = [str(Path(sys.executable).parent / "idphoto"), "keys", "create", name, "--data-dir", str(server.data_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def find_urls(data: dict[str, Any]) -> list[str]:
    return [data["image"], data["layout"]["image"], data["layout"]["pdf"]]


def test_the_log_holds_no_key_no_address_and_no_file_name(
    own_server: Server, receiver: Receiver, astronaut_jpeg: bytes
) -> None:
    server = own_server
    receiver.files[f"/me.jpg?token={SECRET}"] = (200, astronaut_jpeg)
    receiver.answers.extend([500, 200])
    told = len(server.output)
    photo = f"{receiver.url}/me.jpg?token={SECRET}"
    data = server.create(None, {"image_url": photo, "callback_url": f"{receiver.url}/{SECRET}", **DOCUMENT}).json()[
        "data"
    ]
    assert data["state"] == 1, data
    for _ in range(2):
        receiver.received.get(timeout=60)
    for url in find_urls(data):
        assert requests.get(url, timeout=20).status_code == 200
        assert requests.get(url.replace("/files/", "/files/x"), timeout=20).status_code == 404
    # Refusals and failures talk the most.
    for headers in ({"Authorization": f"Bearer {server.key}x{SECRET}"}, {"X-API-KEY": SECRET}):
        assert server.create(astronaut_jpeg, headers=headers).status_code == 401
    for url in (
        f"{receiver.url}/none?{SECRET}",
        f"http://{SECRET}:{SECRET}@127.0.0.1/",
        f"http://127.0.0.1:1/{SECRET}",
    ):
        server.create(None, {"image_url": url, "callback_url": f"http://127.0.0.1:1/{SECRET}", "sync": "1"})
    server.create(SECRET.encode() * 100, {"sync": "1"}, headers={**server.headers, "X-Request-ID": "order 7"})
    requests.get(f"{server.url}/files/../{SECRET}?key={server.key}", timeout=20)
    server.create(astronaut_jpeg, {"size": SECRET, "spec": SECRET})
    assert requests.delete(f"{server.url}/task/{data['task_id']}", headers=server.headers, timeout=20).ok
    server.stop()
    log = "\n".join(server.output[told:])
    assert log.count("route=/task/pic/idphoto") >= 7
    names = [url.rpartition("/")[2] for url in find_urls(data)]
    webhook_secret = (server.data_dir / "webhook.secret").read_text("ascii").strip()
    for secret in (SECRET, server.key, server.key[-43:], webhook_secret, receiver.url, *names):
        assert secret not in log


def test_keys_and_photos_are_not_for_other_users_of_the_machine(own_server: Server, astronaut_jpeg: bytes) -> None:
    own_server.create(astronaut_jpeg, {"sync": "1"})
    assert own_server.data_dir.stat().st_mode & 0o777 == 0o700
    database = sqlite3.connect(f"file:{own_server.data_dir / 'idphoto.db'}?mode=ro", uri=True)
    dump = "\n".join(database.iterdump())
    database.close()
    assert own_server.key.split("_")[1] in dump
    assert own_server.key[-43:] not in dump


def test_a_source_lives_until_the_photo_is_done_and_nothing_outlives_a_deletion(
    own_server: Server, astronaut_jpeg: bytes
) -> None:
    data = own_server.create(astronaut_jpeg, DOCUMENT).json()["data"]
    again = own_server.create(None, {"last_id": data["image_id"], "size": "300x400", "sync": "1"}).json()["data"]
    assert (data["state"], again["state"]) == (1, 1)
    kinds = [path.parent.name for path in list_files(own_server)]
    assert (kinds.count("sources"), kinds.count("results"), kinds.count("cutouts")) == (0, 4, 2)
    for one in (data, again):
        reply = requests.delete(f"{own_server.url}/task/{one['task_id']}", headers=own_server.headers, timeout=20)
        assert reply.status_code == 200
    assert list_files(own_server) == []
    for url in (*find_urls(data), again["image"]):
        assert requests.get(url, timeout=20).status_code == 404
    database = sqlite3.connect(f"file:{own_server.data_dir / 'idphoto.db'}?mode=ro", uri=True)
    rows = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("task", "job", "file")]
    database.close()
    assert rows == [0, 0, 0]


def test_a_revoked_key_is_refused_at_once_and_a_new_one_sees_nothing_of_it(
    own_server: Server, receiver: Receiver, astronaut_jpeg: bytes
) -> None:
    first, second = make_key(own_server, "first"), make_key(own_server, "second")
    assert re.fullmatch(r"idp_[0-9a-f]{8}_[\w-]{43}", first)
    mine, yours = ({"Authorization": f"Bearer {key}"} for key in (first, second))
    fields = {**DOCUMENT, "callback_url": f"{receiver.url}/done"}
    data = own_server.create(astronaut_jpeg, fields, headers=mine).json()["data"]
    receiver.received.get(timeout=60)
    task = f"{own_server.url}/task/{data['task_id']}"
    calls = (("GET", task), ("GET", f"{task}/deliveries"), ("POST", f"{task}/deliveries"), ("DELETE", task))
    for method, url in calls:
        assert requests.request(method, url, headers=yours, timeout=20).status_code == 404
    stolen = own_server.create(None, {"last_id": data["image_id"], "size": "300x400"}, headers=yours)
    assert (stolen.status_code, stolen.json()["error"]["code"]) == (400, "unknown_image")
    assert requests.get(task, headers=mine, timeout=20).json()["data"]["state"] == 1
    command = [str(Path(sys.executable).parent / "idphoto"), "keys", "revoke", first.split("_")[1]]
    subprocess.run([*command, "--data-dir", str(own_server.data_dir)], check=True, timeout=60, capture_output=True)
    for method, url in calls:
        assert requests.request(method, url, headers=mine, timeout=20).status_code == 401
    assert own_server.create(astronaut_jpeg, headers=mine).status_code == 401
    assert own_server.create(astronaut_jpeg, headers=yours).status_code == 200
