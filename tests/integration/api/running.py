"""The real application on a real server, with a real database and storage, but without workers: tasks stay queued
until a test ends them."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import requests
import uvicorn
from fastapi import FastAPI

from idphoto.api.app import create_app
from idphoto.api.limits import CallerLimits
from idphoto.api.services import Services
from idphoto.database import make_engine, migrate
from idphoto.keys import KeyStore
from idphoto.metrics import Metrics
from idphoto.outbound import Outbound
from idphoto.settings import Settings
from idphoto.specs import Catalogue
from idphoto.storage import LocalStorage
from idphoto.tasks.deliveries import DeliveryLog
from idphoto.tasks.model import Failure, Outcome, State, Task
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from idphoto.tasks.waiting import Waiters
from idphoto.tasks.workers import WorkerRegistry
from idphoto.wake import Wake

KEY, OTHER_KEY = "first-key-of-the-tests", "second-key-of-the-tests"
PHOTO = b"a photo, for all that the web layer knows"
RESULT = b"\x89PNG a finished photo"

_T = TypeVar("_T")


class Server:
    """A running server and a client of it."""

    def __init__(self, url: str, services: Services, loop: asyncio.AbstractEventLoop) -> None:
        self.url = url
        self.services = services
        self._loop = loop
        self.session = requests.Session()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run the coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    def call(self, method: str, path: str, *, key: str | None = KEY, **options: Any) -> requests.Response:
        """Send a request with the key in the task door's header."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= options.pop("headers", {})
        return self.session.request(method, self.url + path, headers=headers, timeout=30, **options)

    def create(
        self, path: str = "/task/pic/idphoto", *, photo: bytes | None = PHOTO, **options: Any
    ) -> requests.Response:
        """Post a photo; other keyword arguments are form fields, save ``headers`` and ``key``."""
        passed = {name: options.pop(name) for name in ("headers", "key") if name in options}
        files = {name: (None, value) for name, value in options.items()}
        if photo is not None:
            files["image_file"] = ("me.jpg", photo)  # type: ignore[assignment]
        return self.call("POST", path, files=files, **passed)

    def create_id(self, **options: Any) -> str:
        """Post a photo and return its task's id."""
        reply = self.create(**options)
        assert reply.status_code == 200, reply.text
        task_id: str = reply.json()["data"]["task_id"]
        return task_id

    def get_task(self, task_id: str) -> Task:
        """Read the row."""
        task = self.run(self.services.store.get(task_id, owner=None))
        assert task is not None
        return task

    def finish(self, task_id: str, *, key: str = "results/" + "r" * 32 + ".png") -> None:
        """Do what a worker does at its end."""
        services = self.services

        async def work() -> None:
            task = await services.store.begin(task_id)
            assert task is not None
            await services.storage.put(key, RESULT)
            outcome = Outcome(result_key=key, width=295, height=413, size_bytes=len(RESULT), foreground=(1, 2, 3, 4))
            await services.store.finish(task, outcome, 12.5, services.queue)

        self.run(work())

    def fail(self, task_id: str) -> None:
        """Do what a worker does with a photo without a face."""
        services = self.services

        async def work() -> None:
            task = await services.store.begin(task_id)
            assert task is not None
            failure = Failure(state=State.FAILED, code="no_face", message="No face was found.")
            await services.store.fail(task, failure, services.queue)

        self.run(work())


def build_services(settings: Settings) -> tuple[Services, Callable[[FastAPI], Any]]:
    """Do what the composition root does, without jobs."""
    engine = make_engine(settings.resolved_database_url)
    wake = Wake()
    store = TaskStore(engine, result_ttl_s=settings.result_ttl_s)
    services = Services(
        settings=settings,
        store=store,
        queue=SqliteQueue(engine, lease_s=settings.lease_s, wake=wake),
        storage=LocalStorage(settings.data_dir / "files"),
        keys=KeyStore(engine, static_keys=settings.api_keys),
        waiters=Waiters(store, wake),
        outbound=Outbound(settings.outbound_allow),
        catalogue=Catalogue.load(),
        deliveries=DeliveryLog(engine),
        workers=WorkerRegistry(engine),
        limits=CallerLimits(settings),
        metrics=Metrics(),
        stopping=asyncio.Event(),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    return services, lifespan


Start = Callable[..., AbstractContextManager[Server]]


@contextmanager
def start_server(data_dir: Path, **values: Any) -> Iterator[Server]:
    """Run a server until the context ends."""
    defaults = {"data_dir": data_dir, "api_keys": (KEY, OTHER_KEY), "rate_per_s": 10_000, "sync_wait_s": 0.3}
    settings = Settings(_env_file=None, **{**defaults, **values})  # type: ignore[call-arg]
    data_dir.mkdir(parents=True, exist_ok=True)
    migrate(settings.resolved_database_url)
    services, lifespan = build_services(settings)
    app = create_app(services, lifespan=lifespan)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, access_log=False, log_level="critical", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    running = Server(f"http://127.0.0.1:{listener.getsockname()[1]}", services, loops[0])
    try:
        yield running
    finally:
        running.session.close()
        server.should_exit = True
        thread.join()
        listener.close()
