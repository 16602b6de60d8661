"""What was tried to deliver a callback, and once more."""

from __future__ import annotations

import time

import pytest

from idphoto.tasks.deliveries import Delivery
from tests.integration.api.running import OTHER_KEY, Server, Start

CALLBACK = "https://shop.example/done"


@pytest.fixture
def ended(server: Server) -> str:
    task_id = server.create_id(callback_url=CALLBACK)
    server.finish(task_id)
    return task_id


def test_the_tries_are_listed(server: Server, ended: str) -> None:
    now = time.time()
    for attempt, status, error, next_try_at in ((1, None, "delivery_failed", now + 5), (2, 204, None, None)):
        delivery = Delivery(
            webhook_id=f"msg_{ended}",
            task_id=ended,
            attempt=attempt,
            at=now,
            status=status,
            error=error,
            next_try_at=next_try_at,
        )
        server.run(server.services.deliveries.record_delivery(delivery))
    data = server.call("GET", f"/task/{ended}/deliveries").json()["data"]
    shown = {"webhook_id": f"msg_{ended}", "at": now}
    assert data == {
        "task_id": ended,
        "deliveries": [
            shown | {"attempt": 1, "status": None, "error": "delivery_failed", "next_try_at": now + 5},
            shown | {"attempt": 2, "status": 204, "error": None, "next_try_at": None},
        ],
    }


def test_a_callback_can_be_delivered_again_but_not_twice_at_once(server: Server, ended: str) -> None:
    # Its first one waits: there is no worker here.
    before = server.run(server.services.queue.count_ready())
    for _ in range(3):
        reply = server.call("POST", f"/task/{ended}/deliveries")
        assert (reply.status_code, reply.json()["data"]) == (200, {"task_id": ended})
    assert server.run(server.services.queue.count_ready()) == before


def test_another_key_sees_and_repeats_nothing(server: Server, ended: str) -> None:
    before = server.run(server.services.queue.count_ready())
    for method in ("GET", "POST"):
        reply = server.call(method, f"/task/{ended}/deliveries", key=OTHER_KEY)
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
        assert server.call(method, f"/task/{ended}/deliveries", key="wrong").status_code == 401
    assert server.run(server.services.queue.count_ready()) == before


def test_what_has_no_callback_or_no_end_is_told(server: Server) -> None:
    silent, unfinished = server.create_id(), server.create_id(callback_url=CALLBACK)
    for task_id, code in ((silent, "no_callback"), (unfinished, "not_ended")):
        reply = server.call("POST", f"/task/{task_id}/deliveries")
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)
        assert server.call("GET", f"/task/{task_id}/deliveries").json()["data"]["deliveries"] == []


def test_repeats_count_for_the_rate(start: Start) -> None:
    with start(rate_per_s=1) as server:
        task_id = server.create_id(callback_url=CALLBACK)
        server.finish(task_id)
        time.sleep(1.1)
        assert server.call("POST", f"/task/{task_id}/deliveries").status_code == 200
        reply = server.call("POST", f"/task/{task_id}/deliveries")
        assert (reply.status_code, reply.json()["error"]["code"]) == (429, "rate_limited")
