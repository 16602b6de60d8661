"""The PROCESS job: a stored source becomes a stored result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from idphoto.imaging.archive import BadArchive
from idphoto.imaging.errors import DecodeError, FileSizeUnreachable, OutOfMemory, SubjectError
from idphoto.imaging.pipeline import Pipeline
from idphoto.imaging.sheet import DoesNotFit
from idphoto.specs import Catalogue, UnknownSpec
from idphoto.storage import LocalStorage, NotStored, StorageError
from idphoto.tasks.errors import LostLease
from idphoto.tasks.model import Failure, Outcome, State, Task
from idphoto.tasks.queue import Job, JobQueue, Retry
from idphoto.tasks.store import TaskStore
from idphoto.tasks.work import Work, do_work

#: How often a job is run, not counting what was handed back, before its photo is taken to be what crashes workers.
MAX_ATTEMPTS = 3
#: When a photo is tried again that could not be stored.
_STORAGE_RETRY_S = 3.0
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
        keep_sources: bool,
    ) -> None:
        self._store = store
        self._queue = queue
        self._storage = storage
        self._pipeline = pipeline
        self._catalogue = catalogue
        self._timeout_s = timeout_s
        self._keep_sources = keep_sources
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
            await self._drop_leftover(job.task_id)
            return None
        try:
            if job.attempt > MAX_ATTEMPTS:
                raise _Ended(State.FAILED, "worker_crashed", "The worker ended several times while it had this photo.")
            await self._process(task, job.attempt)
        except LostLease:
            return None
        except StorageError as error:
            if job.attempt < MAX_ATTEMPTS and not isinstance(error, NotStored):
                # A full disk can pass, and the source is still there.
                self._log.error("storage_failed", task_id=task.id, attempt=job.attempt)
                return Retry(delay_s=_STORAGE_RETRY_S)
            await self._fail(task, Failure(state=State.NOT_STORED, code="storage_failed", message=str(error)))
        except _Ended as end:
            await self._fail(task, end.failure)
            if end.failure.state is State.TIMED_OUT:
                raise WorkerMustRestart from end
        return None

    async def _process(self, task: Task, run: int) -> None:
        started = time.monotonic()
        data = await self._storage.get(task.source_key or "")
        if task.request.last_id is None:
            # What is rendered again is done before anybody could see how far it is.
            await self._store.advance(task, State.PREPARING, _READ)
        outcome = await self._keep(task, await self._work(task, data, run))
        try:
            await self._store.finish(task, outcome, (time.monotonic() - started) * 1000, self._queue)
        except LostLease:
            await self._drop(outcome)
            raise
        await self._drop_source(task)

    async def _keep(self, task: Task, work: Work) -> Outcome:
        """Store the files: all of them or none."""
        # Side by side, for most of the time is the disk's.
        puts = [self._storage.put(key, data) for key, data in work.files]
        if work.copied_cutout is not None:
            puts.append(self._storage.copy(task.source_key or "", work.copied_cutout))
        writes = asyncio.gather(*puts, return_exceptions=True)
        try:
            failures = [failure for failure in await asyncio.shield(writes) if failure]
        except asyncio.CancelledError:
            # Threads cannot be stopped: what they still write would be nobody's.
            await writes
            await self._drop(work.outcome)
            raise
        if failures:
            await self._drop(work.outcome)
            raise failures[0]
        return work.outcome

    async def _drop(self, outcome: Outcome) -> None:
        """Delete the files of an outcome that nobody will see."""
        deletes = (self._storage.delete(key) for key in outcome.keys)
        if any(await asyncio.gather(*deletes, return_exceptions=True)):
            # The sweeper finds what belongs to no task.
            self._log.warning("files_not_deleted")

    async def _work(self, task: Task, data: bytes, run: int) -> Work:
        try:
            return await self._run_pipeline(task, data)
        except DecodeError as error:
            raise _Ended(State.UNREADABLE, error.code, str(error)) from error
        except (SubjectError, FileSizeUnreachable) as error:
            raise _Ended(State.FAILED, error.code, str(error)) from error
        except UnknownSpec as error:
            raise _Ended(State.FAILED, "unknown_spec", str(error)) from error
        except BadArchive as error:
            # Written by another version of this program, say.
            message = "The kept cut-out of that photo cannot be read: send the photo again."
            raise _Ended(State.FAILED, "cutout_unreadable", message) from error
        except DoesNotFit as error:
            raise _Ended(State.FAILED, "layout_does_not_fit", str(error)) from error
        except TimeoutError as error:
            message = f"Processing took longer than {self._timeout_s:g} seconds."
            raise _Ended(State.TIMED_OUT, "timeout", message) from error
        except MemoryError as error:
            # Trying again would need as much.
            message = "The photo needs more memory than a worker may take: send a smaller one."
            raise _Ended(State.FAILED, OutOfMemory.code, message) from error
        except Exception as error:
            # Files of strangers can make any library raise anything: a task must end with that, not loop for ever.
            self._log.exception("photo_failed", task_id=task.id, attempt=run, error=type(error).__name__)
            if run < MAX_ATTEMPTS:
                raise
            raise _Ended(State.FAILED, "internal", "The photo could not be processed.") from error

    async def _run_pipeline(self, task: Task, data: bytes) -> Work:
        gauge = _Gauge()
        make = partial(do_work, self._pipeline, self._catalogue, task.request, data, gauge.tell)
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

    async def _drop_leftover(self, task_id: str) -> None:
        """Delete the source of a task that has ended already: its worker was killed between the two."""
        task = await self._store.find_ended(task_id)
        if task is not None:
            await self._drop_source(task)

    async def _drop_source(self, task: Task) -> None:
        if task.source_key is None or self._keep_sources:
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
