"""Downloads with a real database and real servers on loopback."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from idphoto.outbound import Outbound
from idphoto.storage import LocalStorage, NotStored
from idphoto.tasks.handlers import Fetcher
from idphoto.tasks.model import State
from idphoto.tasks.queue import JobKind, Priority
from tests.integration.tasks.desk import Desk, a_job
from tests.integration.tasks.samples import new_task

MAX_BYTES = 1000


@pytest.fixture
def fetch(desk: Desk, outbound: Outbound) -> Fetcher:
    return Fetcher(store=desk.store, queue=desk.queue, storage=desk.storage, outbound=outbound, max_bytes=MAX_BYTES)


async def test_a_downloaded_image_waits_to_be_processed(desk: Desk, fetch: Fetcher) -> None:
    desk.receiver.files["/me.jpg"] = (200, b"photo")
    task = await desk.add_url(f"{desk.receiver.url}/me.jpg")
    assert await fetch(a_job(JobKind.FETCH, task)) is None
    now = await desk.read(task)
    assert now.state is State.WAITING
    assert now.download_ms > 0
    assert now.source_key is not None
    assert await desk.storage.get(now.source_key) == b"photo"
    assert await desk.list_jobs(JobKind.PROCESS) == [(task.id, Priority.SYNC)]


async def test_a_second_run_downloads_nothing(desk: Desk, fetch: Fetcher) -> None:
    desk.receiver.files["/me.jpg"] = (200, b"photo")
    task = await desk.add_url(f"{desk.receiver.url}/me.jpg")
    await fetch(a_job(JobKind.FETCH, task))
    desk.receiver.files.clear()
    await fetch(a_job(JobKind.FETCH, task, attempt=2))
    assert (await desk.read(task)).state is State.WAITING
    assert len(await desk.list_jobs(JobKind.PROCESS)) == 1


@pytest.mark.parametrize(
    ("path", "state", "code"),
    [
        ("/missing.jpg", State.DOWNLOAD_FAILED, "download_failed"),
        ("/broken.jpg", State.DOWNLOAD_FAILED, "download_failed"),
        ("/large.jpg", State.TOO_LARGE, "image_too_large"),
    ],
)
async def test_a_failed_download_ends_the_task(desk: Desk, fetch: Fetcher, path: str, state: State, code: str) -> None:
    desk.receiver.files |= {"/broken.jpg": (500, b""), "/large.jpg": (200, bytes(MAX_BYTES + 1))}
    task = await desk.add_url(f"{desk.receiver.url}{path}")
    assert await fetch(a_job(JobKind.FETCH, task)) is None
    now = await desk.read(task)
    assert now.state is state
    assert now.failure is not None
    assert now.failure.code == code
    assert desk.receiver.url not in now.failure.err_info
    assert await desk.list_jobs(JobKind.PROCESS) == []


@pytest.mark.parametrize("url", ["http://10.0.0.1/me.jpg", "http://169.254.169.254/", "http://127.0.0.2:9/"])
async def test_a_refused_address_ends_the_task(desk: Desk, fetch: Fetcher, url: str) -> None:
    task = await desk.add_url(url)
    await fetch(a_job(JobKind.FETCH, task))
    now = await desk.read(task)
    assert now.state is State.DOWNLOAD_FAILED
    assert now.failure is not None
    assert now.failure.code == "address_refused"


async def test_a_full_or_broken_disk_ends_the_task(desk: Desk, outbound: Outbound, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"not a folder")
    broken = LocalStorage(tmp_path / "file")
    fetch = Fetcher(store=desk.store, queue=desk.queue, storage=broken, outbound=outbound, max_bytes=MAX_BYTES)
    desk.receiver.files["/me.jpg"] = (200, b"photo")
    task = await desk.add_url(f"{desk.receiver.url}/me.jpg")
    for attempt in (1, 2):
        # A full disk can pass.
        assert await fetch(a_job(JobKind.FETCH, task, attempt=attempt)) is not None
        assert not (await desk.read(task)).state.is_end
    assert await fetch(a_job(JobKind.FETCH, task, attempt=3)) is None
    now = await desk.read(task)
    assert now.state is State.NOT_STORED
    assert now.failure is not None
    assert now.failure.code == "storage_failed"


async def test_a_download_that_keeps_crashing_the_server_is_given_up(desk: Desk, fetch: Fetcher) -> None:
    desk.receiver.files["/me.jpg"] = (200, b"photo")
    task = await desk.add_url(f"{desk.receiver.url}/me.jpg")
    await fetch(a_job(JobKind.FETCH, task, attempt=4))
    now = await desk.read(task)
    assert now.state is State.DOWNLOAD_FAILED
    assert now.failure is not None
    assert now.failure.code == "worker_crashed"


async def test_an_image_for_a_deleted_task_is_not_kept(desk: Desk, fetch: Fetcher) -> None:
    asked, deleted = asyncio.Event(), asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.set()
        await deleted.wait()
        return web.Response(body=b"photo")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    task = await desk.add_url(f"http://127.0.0.1:{runner.addresses[0][1]}/me.jpg")
    running = asyncio.create_task(fetch(a_job(JobKind.FETCH, task)))
    await asked.wait()
    await desk.store.delete(task.id, task.owner)
    deleted.set()
    assert await running is None
    await runner.cleanup()
    with pytest.raises(NotStored):
        await desk.storage.get(f"sources/{task.id}")


async def test_a_deleted_task_is_left_alone(fetch: Fetcher) -> None:
    assert await fetch(a_job(JobKind.FETCH, new_task(image_url="http://127.0.0.1:9/"))) is None
