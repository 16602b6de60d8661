"""The composition root: builds every part from the settings and joins them. Nothing else knows them all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto import webhooks
from idphoto.api.app import create_app
from idphoto.api.limits import CallerLimits
from idphoto.api.services import Services
from idphoto.database import make_engine
from idphoto.keys import KeyStore
from idphoto.metrics import Metrics
from idphoto.outbound import Outbound
from idphoto.settings import Settings
from idphoto.specs import Catalogue
from idphoto.storage import LocalStorage, StorageError
from idphoto.tasks.deliveries import DeliveryLog
from idphoto.tasks.handlers import Announcer, Fetcher
from idphoto.tasks.queue import Handler, Job, JobKind, Retry
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from idphoto.tasks.sweep import Sweeper
from idphoto.tasks.waiting import Waiters
from idphoto.tasks.workers import WorkerRegistry
from idphoto.wake import Wake

#: Downloads and deliveries at a time: they wait for the network, not for a core.
_NETWORK_JOBS = 32
_SWEEP_EVERY_S = 30.0
#: How long a stopping API process lets its open requests go on.
_DRAIN_S = 30

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class _Core:
    """What the API and a worker have in common."""

    engine: AsyncEngine
    wake: Wake
    store: TaskStore
    queue: SqliteQueue
    storage: LocalStorage
    workers: WorkerRegistry


@contextlib.asynccontextmanager
async def _open_core(settings: Settings) -> AsyncIterator[_Core]:
    wake = Wake.from_environment(os.environ)
    await wake.start()
    engine = make_engine(settings.resolved_database_url)
    try:
        yield _Core(
            engine=engine,
            wake=wake,
            store=TaskStore(engine, result_ttl_s=settings.result_ttl_s),
            queue=SqliteQueue(engine, lease_s=settings.lease_s, wake=wake),
            storage=LocalStorage(settings.data_dir / "files"),
            workers=WorkerRegistry(engine),
        )
    finally:
        await engine.dispose()
        await wake.close()


async def run_api(settings: Settings, listener: socket.socket) -> None:
    """Serve HTTP on the listener, with the network jobs and the sweeper beside it, until SIGTERM or SIGINT."""
    async with _open_core(settings) as core, Outbound(settings.outbound_allow) as outbound:
        services = Services(
            settings=settings,
            store=core.store,
            queue=core.queue,
            storage=core.storage,
            keys=KeyStore(core.engine, settings.api_keys),
            waiters=Waiters(core.store, core.wake),
            outbound=outbound,
            catalogue=Catalogue.load(settings.specs_file),
            deliveries=DeliveryLog(core.engine),
            workers=core.workers,
            limits=CallerLimits(settings),
            metrics=Metrics(),
        )

        @contextlib.asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(_run_network_jobs(settings, core, outbound, stop))
                group.create_task(_sweep(core, stop))
                try:
                    yield
                finally:
                    stop.set()

        config = uvicorn.Config(
            create_app(services, lifespan=lifespan),
            access_log=False,  # paths of results are secrets; the application logs routes
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=_DRAIN_S,
        )
        await uvicorn.Server(config).serve(sockets=[listener])


async def _run_network_jobs(settings: Settings, core: _Core, outbound: Outbound, stop: asyncio.Event) -> None:
    secret = settings.webhook_secret or webhooks.load_or_create_secret(settings.data_dir / "webhook.secret")
    fetcher = Fetcher(
        store=core.store,
        queue=core.queue,
        storage=core.storage,
        outbound=outbound,
        max_bytes=settings.max_upload_bytes,
    )
    announcer = Announcer(
        store=core.store,
        storage=core.storage,
        outbound=outbound,
        signer=webhooks.Signer(secret),
        deliveries=DeliveryLog(core.engine),
    )
    handlers: dict[JobKind, Handler] = {JobKind.FETCH: fetcher, JobKind.CALLBACK: announcer}
    await core.queue.run(handlers, concurrency=_NETWORK_JOBS, stop=stop)


async def _sweep(core: _Core, stop: asyncio.Event) -> None:
    sweeper = Sweeper(store=core.store, storage=core.storage)
    while not stop.is_set():
        try:
            await sweeper.sweep()
        except (SQLAlchemyError, StorageError) as error:
            # A full disk or a locked database can pass; what expired is not shown to anybody meanwhile.
            log.error("sweep_failed", error=type(error).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _SWEEP_EVERY_S)


async def run_worker(settings: Settings) -> bool:
    """Process photos until SIGTERM or SIGINT.

    Returns:
        Whether the process is clean. If not, a photo hangs in one of its threads: end it without waiting for them.

    Raises:
        ModelError: a model cannot be used.
    """
    # Only workers pay for the inference runtimes.
    from idphoto.imaging.models import ModelFolder
    from idphoto.imaging.pipeline import Pipeline
    from idphoto.tasks.process import PhotoProcessor, WorkerMustRestart

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with _open_core(settings) as core:
        pipeline = Pipeline(
            ModelFolder(settings.models_dir), matting=settings.matting_choice, max_pixels=settings.max_pixels
        )
        pipeline.warm_up()
        log.info("models_loaded", matting=settings.matting, provider=pipeline.provider)
        processor = PhotoProcessor(
            store=core.store,
            queue=core.queue,
            storage=core.storage,
            pipeline=pipeline,
            catalogue=Catalogue.load(settings.specs_file),
            timeout_s=settings.task_timeout_s,
            keep_sources=settings.keep_sources,
        )
        clean = True

        async def process(job: Job) -> Retry | None:
            nonlocal clean
            try:
                return await processor(job)
            except WorkerMustRestart:
                clean = False
                stop.set()
                return None

        beats = asyncio.create_task(_beat(core.workers, settings.lease_s / 3))
        try:
            await core.queue.run({JobKind.PROCESS: process}, concurrency=1, stop=stop)
        finally:
            beats.cancel()
            await asyncio.wait({beats})
    return clean


async def _beat(workers: WorkerRegistry, every_s: float) -> None:
    worker_id = f"{os.getpid()}-{secrets.token_hex(4)}"
    try:
        while True:
            try:
                await workers.beat(worker_id)
            except OperationalError as error:
                log.warning("beat_failed", error=type(error).__name__)
            await asyncio.sleep(every_s)
    finally:
        await workers.remove(worker_id)
