"""Rule: those who do not answer callbacks hold up nobody's download, and few of other keys' callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from idphoto import app
from idphoto.database import migrate
from idphoto.outbound import Outbound
from idphoto.settings import Settings
from idphoto.tasks.deliveries import DeliveryLog
from idphoto.tasks.queue import JobKind
from tests.integration.tasks.samples import OUTCOME, ROOM, job_of, new_task


@asynccontextmanager
async def running_jobs(
    folder: Path, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
) -> AsyncIterator[tuple[app._Core, str]]:
    """Run the network jobs of a server, and a site for them to call, until the context ends."""
    settings = Settings(data_dir=folder)
    await asyncio.to_thread(migrate, settings.resolved_database_url)
    site = web.ServerRunner(web.Server(answer))
    await site.setup()
    await web.TCPSite(site, "127.0.0.1", 0).start()
    async with app._open_core(settings) as core, Outbound(["127.0.0.0/8"]) as outbound:
        stop = asyncio.Event()
        running = asyncio.create_task(app._run_network_jobs(settings, core, outbound, stop))
        yield core, f"http://127.0.0.1:{site.addresses[0][1]}"
        stop.set()
        await running
    await site.cleanup()


async def end_task(core: app._Core, owner: str, callback_url: str) -> str:
    task = new_task(owner=owner, callback_url=callback_url)
    await core.store.add(task, core.queue, job_of(task), ROOM)
    begun = await core.store.begin(task.id)
    assert begun is not None
    await core.store.finish(begun, OUTCOME, 1.0, core.queue)
    return task.id


async def test_receivers_that_hang_hold_up_no_download(tmp_path: Path) -> None:
    hanging, all_hang, asked_for_photo = 0, asyncio.Event(), asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.Response:
        nonlocal hanging
        if request.path == "/me.jpg":
            asked_for_photo.set()
            return web.Response(body=b"a photo")
        hanging += 1
        if hanging == app._NETWORK_JOBS:
            all_hang.set()
        await asked_for_photo.wait()
        return web.Response()

    async with running_jobs(tmp_path, answer) as (core, url):
        owners = [f"owner {number % 5}" for number in range(app._NETWORK_JOBS + 5)]
        ended = [await end_task(core, owner, f"{url}/callback") for owner in owners]
        await all_hang.wait()
        wanted = new_task(image_url=f"{url}/me.jpg")
        await core.store.add(wanted, core.queue, job_of(wanted, kind=JobKind.FETCH), ROOM)
        await asked_for_photo.wait()
        # It did not have to wait until one of them was given up.
        log = DeliveryLog(core.engine)
        assert [tried for task_id in ended for tried in await log.list_deliveries(task_id) if tried.error] == []


async def test_receivers_of_one_key_that_hang_hold_up_no_callback_of_another(tmp_path: Path) -> None:
    paths, heard = list[str](), asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.Response:
        paths.append(request.path)
        if request.path == "/good":
            heard.set()
        await heard.wait()
        return web.Response()

    async with running_jobs(tmp_path, answer) as (core, url):
        bad = [await end_task(core, "bad", f"{url}/bad") for _ in range(2 * app._NETWORK_JOBS)]
        while len(paths) < app._NETWORK_JOBS_PER_OWNER:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await end_task(core, "good", f"{url}/good")
        await heard.wait()
        assert paths == ["/bad"] * app._NETWORK_JOBS_PER_OWNER + ["/good"]
        # Then theirs have their turn.
        while await core.queue.count_ready() > len(bad) + 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert paths.count("/bad") == len(bad)
