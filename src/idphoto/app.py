"""The composition root: builds every part from the settings and joins them. Nothing else knows them all."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import resource
import secrets
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto import webhooks
from idphoto.api.app import create_app
from idphoto.api.limits import CallerLimits
from idphoto.api.services import Services
from idphoto.database import UNAVAILABLE, make_engine
from idphoto.http_server import StoppingServer
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

#: Downloads at a time, and as many deliveries: they wait for the network, not for a core.
_NETWORK_JOBS = 32
#: Of them, those of one key: its slow addresses must not delay the others'.
_NETWORK_JOBS_PER_OWNER = 8
_SWEEP_EVERY_S = 30.0
#: How much later than a task's time limit the watchdog ends the process.
_WATCHDOG_SLACK_S = 10.0
#: How long network jobs have when all requests of a stopping API process have ended.
_HAND_BACK_S = 1.0

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
    """Serve HTTP on the listener, with the network jobs and the sweeper beside it, until SIGTERM or SIGINT.

    Raises:
        Exception: what nobody foresaw in the work beside it.
    """
    # Uploads are spooled on the disk that they are stored on, not in a /tmp that may be memory.
    spool = settings.data_dir / "spool"
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    tempfile.tempdir = str(spool)
    stopping = asyncio.Event()
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
            stopping=stopping,
        )

        beside: set[asyncio.Task[None]] = set()

        @contextlib.asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            jobs = asyncio.create_task(_run_network_jobs(settings, core, outbound, stopping))
            beside.update((jobs, asyncio.create_task(_sweep(core, stopping))))
            for task in beside:
                task.add_done_callback(end_with)
            try:
                yield
            finally:
                stopping.set()
                # What is still on its way is handed back: the next process runs it again.
                await asyncio.wait({jobs}, timeout=_HAND_BACK_S)
                jobs.cancel()
                await asyncio.wait(beside)

        server = StoppingServer(
            create_app(services, lifespan=lifespan),
            delay_s=settings.stop_delay_s,
            grace_s=settings.stop_grace_s - settings.stop_delay_s - _HAND_BACK_S,
            on_stop=stopping.set,
        )

        def end_with(task: asyncio.Task[None]) -> None:
            # Without it tasks would wait for ever: better a new process.
            if not task.cancelled() and task.exception() is not None:
                server.should_exit = True

        await server.serve(sockets=[listener])
        for task in beside:
            if not task.cancelled():
                task.result()


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
        retry_delays_s=settings.callback_retry_s,
    )
    handlers: dict[JobKind, Handler] = {JobKind.FETCH: fetcher, JobKind.CALLBACK: announcer}
    async with asyncio.TaskGroup() as group:
        for kind, handler in handlers.items():
            # Slots of their own: receivers that hang must not hold up everybody's downloads.
            group.create_task(
                core.queue.run({kind: handler}, concurrency=_NETWORK_JOBS, per_owner=_NETWORK_JOBS_PER_OWNER, stop=stop)
            )


async def _sweep(core: _Core, stop: asyncio.Event) -> None:
    sweeper = Sweeper(store=core.store, storage=core.storage)
    while not stop.is_set():
        try:
            await sweeper.sweep()
        except (*UNAVAILABLE, StorageError) as error:
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
    _limit_memory(settings.worker_memory_mb)
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
            # Native code may hang and hold the interpreter's lock: then no timeout of ours can run, but this one.
            faulthandler.dump_traceback_later(settings.task_timeout_s + _WATCHDOG_SLACK_S, exit=True)
            try:
                return await processor(job)
            except WorkerMustRestart:
                clean = False
                stop.set()
                return None
            finally:
                faulthandler.cancel_dump_traceback_later()

        beats = asyncio.create_task(_beat(core.workers, settings.lease_s / 3))
        run = asyncio.create_task(core.queue.run({JobKind.PROCESS: process}, concurrency=1, per_owner=1, stop=stop))
        try:
            clean = await _run_until_stopped(run, stop, settings.stop_grace_s) and clean
        finally:
            beats.cancel()
            await asyncio.wait({beats})
    return clean


def _limit_memory(megabytes: int) -> None:
    """Let this process write to so much memory at most: beyond it allocations fail, and with them one photo."""
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


async def _run_until_stopped(run: asyncio.Task[None], stop: asyncio.Event, grace_s: float) -> bool:
    """Let the worker run; when it is told to stop, let it finish its photo, or else hand it back.

    Returns:
        Whether nothing is left running in a thread.
    """
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({run, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    done, _ = await asyncio.wait({run}, timeout=grace_s)
    if done:
        run.result()
        return True
    run.cancel()
    await asyncio.wait({run})
    log.info("photo_handed_back")
    return False


async def _beat(workers: WorkerRegistry, every_s: float) -> None:
    worker_id = f"{os.getpid()}-{secrets.token_hex(4)}"
    try:
        while True:
            try:
                await workers.beat(worker_id)
            except UNAVAILABLE as error:
                log.warning("beat_failed", error=type(error).__name__)
            await asyncio.sleep(every_s)
    finally:
        await workers.remove(worker_id)
