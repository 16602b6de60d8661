"""How many tasks a key may make, and how many may wait."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import requests

from idphoto.keys import KeyLimits
from tests.integration.api.running import KEY, PHOTO, Start


def test_a_key_over_its_rate_gets_429_and_polls_do_not_count(start: Start) -> None:
    with start(rate_per_s=0.01) as server:
        task_id = server.create_id()
        assert all(server.call("GET", f"/task/{task_id}").status_code == 200 for _ in range(5))
        reply = server.create()
        assert (reply.status_code, reply.json()["error"]["code"]) == (429, "rate_limited")
        assert 1 <= int(reply.headers["Retry-After"]) <= 100
        assert server.create(key="second-key-of-the-tests").status_code == 200


def test_a_full_queue_gets_429(start: Start) -> None:
    with start(queue_limit=2) as server:
        first = server.create_id()
        server.create_id()
        reply = server.create()
        assert (reply.status_code, reply.json()["error"]["code"]) == (429, "queue_full")
        assert int(reply.headers["Retry-After"]) >= 1
        server.finish(first)
        assert server.create().status_code == 200


def test_a_key_has_its_own_limits(start: Start) -> None:
    with start() as server:
        made = server.run(server.services.keys.create("shop", KeyLimits(at_once=2, per_day=3)))
        first = server.create_id(key=made.token)
        server.create_id(key=made.token)
        reply = server.create(key=made.token)
        assert (reply.status_code, reply.json()["error"]["code"]) == (429, "too_many_unfinished")
        assert 1 <= int(reply.headers["Retry-After"]) <= 10
        server.finish(first)
        server.create_id(key=made.token)
        server.run(server.services.keys.limit(made.id, KeyLimits(at_once=9, per_day=3)))
        reply = server.create(key=made.token)
        assert (reply.status_code, reply.json()["error"]["code"]) == (429, "quota_used_up")
        assert 1 <= int(reply.headers["Retry-After"]) <= 86_400
        server.run(server.services.keys.limit(made.id, KeyLimits(rate_per_s=0.01)))
        assert server.create(key=made.token).status_code == 200
        assert server.create(key=made.token).json()["error"]["code"] == "rate_limited"
        assert server.create().status_code == 200


def test_uploads_sent_at_once_are_admitted_up_to_the_limit(start: Start) -> None:
    with start(queue_limit=20) as server, ThreadPoolExecutor(30) as pool:
        headers = {"X-API-KEY": KEY}
        replies = list(
            pool.map(
                lambda _: requests.post(
                    f"{server.url}/task/pic/idphoto", headers=headers, files={"image_file": PHOTO}, timeout=30
                ),
                range(60),
            )
        )
        assert sorted(reply.status_code for reply in replies) == [200] * 20 + [429] * 40
        assert all(int(reply.headers["Retry-After"]) >= 1 for reply in replies if reply.status_code == 429)
        assert server.run(server.services.queue.count_ready()) == 20
        sources = server.services.storage.path("sources/x").parent
        assert len(list(sources.iterdir())) == 20
