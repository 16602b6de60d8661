"""The PROCESS job: a stored source becomes a stored result."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import structlog

from idphoto.imaging.errors import DecodeError, SubjectError
from idphoto.imaging.pipeline import Made, Order, Pipeline
from idphoto.specs import Catalogue, Spec
from idphoto.storage import LocalStorage, StorageError
from idphoto.tasks.errors import LostLease
from idphoto.tasks.model import Failure, Format, Outcome, PhotoRequest, State, Task
from idphoto.tasks.queue import Job, JobQueue, Retry
from idphoto.tasks.store import TaskStore

#: How often a task is begun before it is taken to be what crashes the workers.
MAX_ATTEMPTS = 3
_READ = 10
_FIRST, _LAST = 30, 95


class WorkerMustRestart(Exception):
    """A photo hangs in a thread of this process, and a thread cannot be stopped: the process has to end."""


class PhotoProcessor:
    """Runs one photo at a time through the pipeline, in a thread, so that the lease is kept alive meanwhile."""

    def __init__(
        self,
        *,
        store: TaskStore,
        queue: JobQueue,
        storage: LocalStorage,
        pipeline: Pipeline,
        catalogue: Catalogue,
        timeout_s: float,
    ) -> None:
        self._store = store
        self._queue = queue
        self._storage = storage
        self._pipeline = pipeline
        self._catalogue = catalogue
        self._timeout_s = timeout_s
        # One thread of our own: a photo whose job was lost goes on in it, and the next one has to wait for it.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="photo")
        self._log = structlog.get_logger(__name__)

    async def __call__(self, job: Job) -> Retry | None:
        """Process the job's task, unless it has ended or is gone.

        Raises:
            WorkerMustRestart: the photo took too long; its task has ended, its thread has not.
            Exception: the pipeline raised what nobody foresaw, and it is not the last attempt: run the job again.
        """
        task = await self._store.begin(job.task_id)
        if task is None:
            return None
        try:
            if task.attempt > MAX_ATTEMPTS:
                raise _Ended(State.FAILED, "worker_crashed", "The worker ended several times while it had this photo.")
            await self._process(task)
        except LostLease:
            return None
        except _Ended as end:
            await self._fail(task, end.failure)
            if end.failure.state is State.TIMED_OUT:
                raise WorkerMustRestart from end
        return None

    async def _process(self, task: Task) -> None:
        started = time.monotonic()
        try:
            data = await self._storage.get(task.source_key or "")
            await self._store.advance(task, State.PREPARING, _READ)
            made = await self._make(task, data)
            key = f"results/{secrets.token_urlsafe(24)}.{task.request.format.value}"
            await self._storage.put(key, made.data)
        except StorageError as error:
            raise _Ended(State.NOT_STORED, "storage_failed", str(error)) from error
        try:
            await self._store.finish(task, _describe(made, key), (time.monotonic() - started) * 1000, self._queue)
        except LostLease:
            await self._storage.delete(key)
            raise
        await self._drop_source(task)

    async def _make(self, task: Task, data: bytes) -> Made:
        try:
            return await self._run_pipeline(task, data)
        except DecodeError as error:
            raise _Ended(State.UNREADABLE, error.code, str(error)) from error
        except SubjectError as error:
            raise _Ended(State.FAILED, error.code, str(error)) from error
        except TimeoutError as error:
            message = f"Processing took longer than {self._timeout_s:g} seconds."
            raise _Ended(State.TIMED_OUT, "timeout", message) from error
        except Exception as error:
            # Files of strangers can make any library raise anything: a task must end with that, not loop for ever.
            self._log.exception("photo_failed", task_id=task.id, attempt=task.attempt, error=type(error).__name__)
            if task.attempt < MAX_ATTEMPTS:
                raise
            raise _Ended(State.FAILED, "internal", "The photo could not be processed.") from error

    async def _run_pipeline(self, task: Task, data: bytes) -> Made:
        gauge = _Gauge()
        make = partial(self._pipeline.make, data, _read_order(task.request, self._catalogue), progress=gauge.tell)
        report = asyncio.create_task(self._report(task, gauge))
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._thread, make)
        finally:
            gauge.close()
            # What goes wrong here goes wrong again when the task is ended, where it matters.
            await asyncio.gather(report, return_exceptions=True)

    async def _report(self, task: Task, gauge: _Gauge) -> None:
        async for percent in gauge.read():
            await self._store.advance(task, State.PROCESSING, _FIRST + percent * (_LAST - _FIRST) // 100)

    async def _fail(self, task: Task, failure: Failure) -> None:
        try:
            await self._store.fail(task, failure, self._queue)
        except LostLease:
            return
        await self._drop_source(task)

    async def _drop_source(self, task: Task) -> None:
        if task.source_key is None:
            return
        try:
            await self._storage.delete(task.source_key)
        except StorageError:
            # The row still names the file: it goes when the task expires.
            self._log.warning("source_not_deleted", task_id=task.id)
        else:
            await self._store.clear_source(task.id)


class _Ended(Exception):
    """The task has ended, and how."""

    def __init__(self, state: State, code: str, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(state=state, code=code, message=message)


class _Gauge:
    """Carries progress from a thread to the event loop; a reader that is slow sees only the newest."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._percent = 0
        self._closed = False

    def tell(self, percent: int) -> None:
        """Set the gauge, from any thread."""
        self._loop.call_soon_threadsafe(self._set, percent)

    def _set(self, percent: int) -> None:
        self._percent = percent
        self._changed.set()

    def close(self) -> None:
        """End the reading."""
        self._closed = True
        self._changed.set()

    async def read(self) -> AsyncIterator[int]:
        """Yield each new value until the gauge is closed."""
        while True:
            await self._changed.wait()
            if self._closed:
                return
            self._changed.clear()
            yield self._percent


def _read_order(request: PhotoRequest, catalogue: Catalogue) -> Order:
    spec: Spec | None = None
    if request.spec is not None:
        spec = catalogue.get(request.spec)
    elif request.width is not None and request.height is not None:
        spec = Spec.of_size(request.width, request.height)
    return Order(
        spec=spec,
        background=None if request.format is Format.PNG else request.background,
        format="png" if request.format is Format.PNG else "jpg",
        largest_face=request.largest_face,
    )


def _describe(made: Made, key: str) -> Outcome:
    height, width = made.photo.pixels.shape[:2]
    box = made.portrait.foreground
    return Outcome(
        result_key=key,
        width=width,
        height=height,
        size_bytes=len(made.data),
        foreground=(round(box.x), round(box.y), round(box.width), round(box.height)),
        warnings=tuple(notice.value for notice in made.notices),
        face=_measure_face(made, height),
    )


def _measure_face(made: Made, height: int) -> dict[str, Any]:
    """Measure the head in the finished photo as specs do, in fractions of its height, and its angles in the source."""
    head, source = made.photo.head, made.portrait.head
    return {
        "head_height": round(float(head.chin[1] - head.crown[1]) / height, 4),
        "eye_line": round(1 - float(head.eye_middle[1]) / height, 4),
        "top_margin": round(float(head.crown[1]) / height, 4),
        "roll": round(float(head.roll), 2),
        "source_roll": round(float(source.roll), 2),
        "source_yaw": round(float(source.yaw), 2),
        "source_pitch": round(float(source.pitch), 2),
    }
