"""Callbacks with a real database and real servers on loopback."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from idphoto.envelope import reply
from idphoto.outbound import Outbound
from idphoto.tasks.deliveries import DeliveryLog
from idphoto.tasks.handlers import Announcer
from idphoto.tasks.model import ReturnType, State
from idphoto.tasks.queue import JobKind, Retry
from idphoto.webhooks import RETRY_DELAYS_S, Signer, load_or_create_secret
from tests.integration.tasks.desk import Desk, a_job
from tests.integration.tasks.samples import RESULT_KEY, ROOM, job_of, new_task


@pytest.fixture
def secret(tmp_path: Path) -> str:
    return load_or_create_secret(tmp_path / "webhook.secret")


@pytest.fixture
def announce(desk: Desk, outbound: Outbound, secret: str) -> Announcer:
    return Announcer(
        store=desk.store,
        storage=desk.storage,
        outbound=outbound,
        signer=Signer(secret),
        deliveries=DeliveryLog(desk.engine),
    )


async def test_a_callback_is_signed_and_says_what_a_poll_says(desk: Desk, announce: Announcer, secret: str) -> None:
    task = await desk.add_ended(callback_url=f"{desk.receiver.url}/done")
    assert await announce(a_job(JobKind.CALLBACK, task)) is None
    call = desk.receiver.received.get(timeout=30)
    assert Webhook(secret).verify(call.body, call.headers) == reply(task)
    assert call.path == "/done"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["webhook-id"] == f"msg_{task.id}"
    (tried,) = await desk.list_deliveries(task)
    assert (tried.attempt, tried.status, tried.error, tried.next_try_at) == (1, 200, None, None)
    assert tried.webhook_id == call.headers["webhook-id"]


async def test_a_failed_task_is_announced_as_such(desk: Desk, announce: Announcer) -> None:
    task = await desk.add_ended(failed=True, callback_url=desk.receiver.url)
    await announce(a_job(JobKind.CALLBACK, task))
    data = desk.receiver.received.get(timeout=30).json()["data"]
    assert data["state"] == -1
    assert data["err_info"] == "no_face: No face was found."
    assert data["image"] == ""


async def test_the_photo_itself_is_sent_to_those_who_want_base64(desk: Desk, announce: Announcer) -> None:
    await desk.storage.put(RESULT_KEY, b"finished photo")
    task = await desk.add_ended(return_type=ReturnType.BASE64, callback_url=desk.receiver.url)
    await announce(a_job(JobKind.CALLBACK, task))
    data = desk.receiver.received.get(timeout=30).json()["data"]
    assert base64.b64decode(data["image"]) == b"finished photo"


async def test_nothing_is_sent_without_the_photo_that_was_asked_for(desk: Desk, announce: Announcer) -> None:
    task = await desk.add_ended(return_type=ReturnType.BASE64, callback_url=desk.receiver.url)
    assert await announce(a_job(JobKind.CALLBACK, task)) is None
    assert desk.receiver.received.empty()


async def test_a_refused_callback_is_tried_again_with_the_same_id_and_body(
    desk: Desk, announce: Announcer, secret: str
) -> None:
    desk.receiver.answers += [500, 302]
    task = await desk.add_ended(callback_url=desk.receiver.url)
    for attempt, wait in ((1, RETRY_DELAYS_S[0]), (2, RETRY_DELAYS_S[1])):
        again = await announce(a_job(JobKind.CALLBACK, task, attempt=attempt))
        assert again is not None
        assert 0.8 * wait <= again.delay_s <= 1.2 * wait
    assert await announce(a_job(JobKind.CALLBACK, task, attempt=3)) is None
    calls = [desk.receiver.received.get(timeout=30) for _ in range(3)]
    assert len({call.headers["webhook-id"] for call in calls}) == 1
    assert len({call.body for call in calls}) == 1
    for call in calls:
        Webhook(secret).verify(call.body, call.headers)
    tries = await desk.list_deliveries(task)
    assert [tried.status for tried in tries] == [500, 302, 200]
    assert [tried.next_try_at is None for tried in tries] == [False, False, True]
    assert (await desk.read(task)).state is State.DONE


async def test_the_operator_says_when_it_is_tried_again(desk: Desk, outbound: Outbound, secret: str) -> None:
    announce = Announcer(
        store=desk.store,
        storage=desk.storage,
        outbound=outbound,
        signer=Signer(secret),
        deliveries=DeliveryLog(desk.engine),
        retry_delays_s=(1000.0,),
    )
    desk.receiver.answers += [500, 500]
    task = await desk.add_ended(callback_url=desk.receiver.url)
    again = await announce(a_job(JobKind.CALLBACK, task))
    assert again is not None
    assert 800 <= again.delay_s <= 1200
    assert await announce(a_job(JobKind.CALLBACK, task, attempt=2)) is None


async def test_a_receiver_may_ask_for_a_later_try(desk: Desk, announce: Announcer) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "300"})

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    task = await desk.add_ended(callback_url=f"http://127.0.0.1:{runner.addresses[0][1]}/")
    assert await announce(a_job(JobKind.CALLBACK, task)) == Retry(delay_s=300.0)
    await runner.cleanup()


async def test_a_receiver_that_is_gone_is_not_tried_again(desk: Desk, announce: Announcer) -> None:
    desk.receiver.answers.append(410)
    task = await desk.add_ended(callback_url=desk.receiver.url)
    assert await announce(a_job(JobKind.CALLBACK, task)) is None


async def test_a_callback_is_given_up_in_the_end(desk: Desk, announce: Announcer) -> None:
    desk.receiver.answers.append(500)
    task = await desk.add_ended(callback_url=desk.receiver.url)
    assert await announce(a_job(JobKind.CALLBACK, task, attempt=len(RETRY_DELAYS_S) + 1)) is None
    (tried,) = await desk.list_deliveries(task)
    assert (tried.status, tried.next_try_at) == (500, None)


@pytest.mark.parametrize(
    ("url", "error"),
    [("http://10.0.0.1/", "address_refused"), ("http://127.0.0.1:9/", "delivery_failed"), ("", None)],
)
async def test_a_callback_without_an_answer_is_recorded(
    desk: Desk, announce: Announcer, url: str, error: str | None
) -> None:
    task = await desk.add_ended(callback_url=url)
    await announce(a_job(JobKind.CALLBACK, task))
    tries = await desk.list_deliveries(task)
    assert [(tried.status, tried.error) for tried in tries] == ([(None, error)] if error else [])


async def test_a_task_that_has_not_ended_is_not_announced(desk: Desk, announce: Announcer) -> None:
    task = new_task(callback_url=desk.receiver.url)
    await desk.store.add(task, desk.queue, job_of(task), ROOM)
    assert await announce(a_job(JobKind.CALLBACK, task)) is None
    assert desk.receiver.received.empty()


async def test_the_queue_delivers_the_callback_of_a_finished_task(desk: Desk, announce: Announcer) -> None:
    task = await desk.add_ended(callback_url=desk.receiver.url)
    stop = asyncio.Event()
    running = asyncio.create_task(desk.queue.run({JobKind.CALLBACK: announce}, concurrency=2, per_owner=2, stop=stop))
    call = await asyncio.to_thread(desk.receiver.received.get, timeout=30)
    stop.set()
    await running
    assert call.json()["data"]["task_id"] == task.id
