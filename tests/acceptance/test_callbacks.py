"""Callbacks reach a real receiver: signed, retried, and identical to a poll."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
import requests
from standardwebhooks import Webhook, WebhookVerificationError

from tests.running import Receiver, Server


def read_secret(server: Server) -> str:
    return (server.data_dir / "webhook.secret").read_text("ascii").strip()


def test_a_callback_is_signed_and_identical_to_a_poll(
    server: Server, receiver: Receiver, astronaut_jpeg: bytes
) -> None:
    created = server.create(astronaut_jpeg, size="300x400", format="jpg", callback_url=f"{receiver.url}/done").json()
    call = receiver.received.get(timeout=60)
    assert call.path == "/done"
    Webhook(read_secret(server)).verify(call.body, call.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(read_secret(server)).verify(call.body + b" ", call.headers)
    poll = requests.get(f"{server.url}/task/{created['data']['task_id']}", headers=server.headers, timeout=10)
    assert call.json() == poll.json()
    assert call.json()["data"]["state"] == 1


def test_a_failed_task_is_announced_too(server: Server, receiver: Receiver) -> None:
    server.create(b"this is no image", callback_url=f"{receiver.url}/done")
    body = receiver.received.get(timeout=60).json()
    assert body["data"]["state"] == -7
    assert body["data"]["err_info"].startswith("unreadable_image: ")


def test_a_callback_is_tried_again_under_the_same_id(server: Server, receiver: Receiver, astronaut_jpeg: bytes) -> None:
    receiver.answers.append(500)
    created = server.create(astronaut_jpeg, size="300x400", callback_url=f"{receiver.url}/done").json()
    first = receiver.received.get(timeout=60)
    second = receiver.received.get(timeout=60)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    Webhook(read_secret(server)).verify(second.body, second.headers)
    # The failed callback never changed the task.
    assert server.poll(created["data"]["task_id"])["state"] == 1


def test_the_secret_is_made_once_and_is_private(server: Server) -> None:
    path: Path = server.data_dir / "webhook.secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"whsec_.+", read_secret(server))
    assert len(base64.b64decode(read_secret(server).removeprefix("whsec_"))) == 32
