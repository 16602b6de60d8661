"""The jobs that wait for the network: FETCH and CALLBACK.

The one that takes a core is in :mod:`idphoto.tasks.process`, so that nothing here loads an inference runtime.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from idphoto.envelope import reply
from idphoto.outbound import Answer, BodyTooLarge, Outbound, OutboundError
from idphoto.storage import LocalStorage, NotStored, StorageError
from idphoto.tasks.deliveries import Delivery, DeliveryLog
from idphoto.tasks.errors import LostLease
from idphoto.tasks.model import Failure, ReturnType, State, Task
from idphoto.tasks.queue import Job, JobQueue, Retry
from idphoto.tasks.store import TaskStore
from idphoto.webhooks import RETRY_DELAYS_S, Signer, retry_delay

#: How often a download is begun before it is taken to be what crashes the server.
_MAX_RUNS = 3
_STORAGE_RETRY_S = 3.0
_BEGUN = 5
_GONE = 410


class Fetcher:
    """Downloads ``image_url`` into the storage and hands the task on to be processed.

    Args:
        max_bytes: The largest image to accept.
    """

    def __init__(
        self, *, store: TaskStore, queue: JobQueue, storage: LocalStorage, outbound: Outbound, max_bytes: int
    ) -> None:
        self._store = store
        self._queue = queue
        self._storage = storage
        self._outbound = outbound
        self._max_bytes = max_bytes
        self._log = structlog.get_logger(__name__)

    async def __call__(self, job: Job) -> Retry | None:
        """Fetch the job's task's image, unless that was done before or the task has ended or is gone."""
        task = await self._store.get(job.task_id, owner=None)
        if task is None or task.state.is_end or task.source_key or not task.image_url:
            return None
        key = f"sources/{task.id}"
        try:
            await self._fetch(task, task.image_url, key, job)
        except LostLease:
            await self._drop_if_unwanted(task, key)
        except StorageError as error:
            if job.attempt < _MAX_RUNS:
                # A full disk can pass.
                self._log.error("storage_failed", task_id=task.id, attempt=job.attempt)
                return Retry(delay_s=_STORAGE_RETRY_S)
            await self._fail(task, State.NOT_STORED, "storage_failed", str(error))
        return None

    async def _fetch(self, task: Task, url: str, key: str, job: Job) -> None:
        if job.attempt > _MAX_RUNS:
            message = "The server ended several times during this download."
            await self._fail(task, State.DOWNLOAD_FAILED, "worker_crashed", message)
            return
        await self._store.advance(task, State.PREPARING, _BEGUN)
        started = time.monotonic()
        try:
            await self._storage.put(key, await self._outbound.download(url, max_bytes=self._max_bytes))
        except BodyTooLarge as error:
            await self._fail(task, State.TOO_LARGE, error.code, str(error))
        except OutboundError as error:
            await self._fail(task, State.DOWNLOAD_FAILED, error.code, str(error))
        else:
            download_ms = (time.monotonic() - started) * 1000
            await self._store.set_source(task, key, download_ms, self._queue, job.priority)

    async def _fail(self, task: Task, state: State, code: str, message: str) -> None:
        await self._store.fail(task, Failure(state=state, code=code, message=message), self._queue)

    async def _drop_if_unwanted(self, task: Task, key: str) -> None:
        """Delete what was fetched for nobody: the task ended or was deleted meanwhile."""
        now = await self._store.get(task.id, owner=None)
        if now is None or now.state.is_end:
            await self._storage.delete(key)


class Announcer:
    """Posts the end of a task to its ``callback_url``, signed, and records every try.

    Args:
        retry_delays_s: Seconds to wait after the first, second, … failed try.
    """

    def __init__(
        self,
        *,
        store: TaskStore,
        storage: LocalStorage,
        outbound: Outbound,
        signer: Signer,
        deliveries: DeliveryLog,
        retry_delays_s: Sequence[float] = RETRY_DELAYS_S,
    ) -> None:
        self._store = store
        self._storage = storage
        self._outbound = outbound
        self._signer = signer
        self._deliveries = deliveries
        self._retry_delays_s = retry_delays_s
        self._log = structlog.get_logger(__name__)

    async def __call__(self, job: Job) -> Retry | None:
        """Make one try at the job's callback, though the task may have expired meanwhile: its end is still news.

        Given up when the task was deleted, or when the image that the body has to carry is gone.
        """
        task = await self._store.find_ended(job.task_id)
        if task is None or not task.callback_url:
            return None
        try:
            image = await self._read_inline(task)
        except NotStored:
            return None
        message_id = f"msg_{task.id}"
        # The bytes of a poll's body: compact, and not escaped.
        body = json.dumps(reply(task, image=image), ensure_ascii=False, separators=(",", ":")).encode()
        answer: Answer | None = None
        failure: str | None = None
        now = datetime.now(UTC)
        try:
            headers = self._signer.sign(message_id, now, body)
            answer = await self._outbound.post(task.callback_url, body=body, headers=headers)
        except OutboundError as error:
            failure = error.code
        delay_s = self._wait_after(answer, job.attempt)
        await self._deliveries.record_delivery(
            Delivery(
                webhook_id=message_id,
                task_id=task.id,
                attempt=job.attempt,
                at=now.timestamp(),
                status=answer.status if answer else None,
                error=failure,
                next_try_at=None if delay_s is None else time.time() + delay_s,
            )
        )
        if delay_s is None and not _is_delivered(answer):
            self._log.warning("callback_given_up", task_id=task.id, attempt=job.attempt)
        return None if delay_s is None else Retry(delay_s=delay_s)

    def _wait_after(self, answer: Answer | None, attempt: int) -> float | None:
        """Return the seconds until the next try, or None when there shall be none."""
        if _is_delivered(answer) or (answer is not None and answer.status == _GONE):
            return None
        return retry_delay(attempt, answer.retry_after_s if answer else None, delays_s=self._retry_delays_s)

    async def _read_inline(self, task: Task) -> str | None:
        if task.return_type is not ReturnType.BASE64 or task.outcome is None:
            return None
        key = task.outcome.result_key
        return None if key is None else base64.b64encode(await self._storage.get(key)).decode("ascii")


def _is_delivered(answer: Answer | None) -> bool:
    return answer is not None and 200 <= answer.status < 300
