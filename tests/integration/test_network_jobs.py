"""Rule: those who do not answer callbacks hold up nobody's download."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from idphoto import app
from idphoto.database import migrate
from idphoto.outbound import Outbound
from idphoto.settings import Settings
from idphoto.tasks.deliveries import DeliveryLog
from idphoto.tasks.queue import JobKind
from tests.integration.tasks.samples import OUTCOME, ROOM, job_of, new_task


async def test_receivers_that_hang_hold_up_no_download(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    await asyncio.to_thread(migrate, settings.resolved_database_url)
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

    site = web.ServerRunner(web.Server(answer))
    await site.setup()
    await web.TCPSite(site, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{site.addresses[0][1]}"
    async with app._open_core(settings) as core, Outbound(["127.0.0.0/8"]) as outbound:
        ended = [new_task(callback_url=f"{url}/callback") for _ in range(app._NETWORK_JOBS + 1)]
        for task in ended:
            await core.store.add(task, core.queue, job_of(task), ROOM)
            begun = await core.store.begin(task.id)
            assert begun is not None
            await core.store.finish(begun, OUTCOME, 1.0, core.queue)
        stop = asyncio.Event()
        running = asyncio.create_task(app._run_network_jobs(settings, core, outbound, stop))
        await all_hang.wait()
        wanted = new_task(image_url=f"{url}/me.jpg")
        await core.store.add(wanted, core.queue, job_of(wanted, kind=JobKind.FETCH), ROOM)
        await asked_for_photo.wait()
        # It did not have to wait until one of them was given up.
        log = DeliveryLog(core.engine)
        failed = [tried for task in ended for tried in await log.list_deliveries(task.id) if tried.error]
        assert failed == []
        stop.set()
        await running
    await site.cleanup()
