"""Jobs in a table of the embedded database, for the processes of one machine.

A claim is a lease that a heartbeat prolongs. When its process dies or freezes, the lease runs out and somebody else
claims the job. Every claim raises the job's attempt, so the attempt tells a job's holder from a former one.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, and_, delete, event, func, insert, or_, select, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from idphoto.database import UNAVAILABLE, reader
from idphoto.tasks import tables
from idphoto.tasks.queue import Handler, Job, JobKind, NewJob, Priority, Retry, name_end
from idphoto.wake import Wake

_POLL_S = 0.2
"""A lost ring, a job that falls due and a lease that runs out are noticed after this time."""
_BACK_OFF_MAX_S = 60.0
_DATABASE_PAUSE_S = 1.0
_RINGS = "idphoto_rings"
_ROW = tables.job.c


class SqliteQueue:
    """The :class:`idphoto.tasks.queue.JobQueue` of a single machine."""

    def __init__(self, engine: AsyncEngine, *, lease_s: float, wake: Wake) -> None:
        """``lease_s``: seconds without a heartbeat after which a job is run again."""
        self._engine = engine
        self._reader = reader(engine)
        self._lease_s = lease_s
        self._wake = wake
        self._log = structlog.get_logger(__name__)
        event.listen(engine.sync_engine, "checkin", self._ring_after_commit)

    async def enqueue(self, conn: AsyncConnection, job: NewJob) -> None:
        """Add a job in the caller's transaction, which must be one of this queue's engine."""
        await conn.execute(
            insert(tables.job).values(
                kind=job.kind.value,
                task_id=job.task_id,
                owner=job.owner,
                priority=job.priority.value,
                run_at=time.time() + job.delay_s,
                attempt=0,
            )
        )
        await _ring(conn, _name_jobs(job.kind))

    async def hasten(self, conn: AsyncConnection, kind: JobKind, task_id: str) -> bool:
        """Make a task's waiting jobs of a kind due now, in the caller's transaction; False when there is none."""
        query = update(tables.job).where(_ROW.kind == kind.value, _ROW.task_id == task_id).values(run_at=time.time())
        await _ring(conn, _name_jobs(kind))
        return (await conn.execute(query)).rowcount > 0

    async def ring_end(self, conn: AsyncConnection, task_id: str) -> None:
        """Wake all who wait for a task's end, as soon as the caller's transaction is committed."""
        await _ring(conn, name_end(task_id))

    async def run(
        self, handlers: Mapping[JobKind, Handler], *, concurrency: int, per_owner: int, stop: asyncio.Event
    ) -> None:
        """Claim and run up to ``concurrency`` jobs at a time until ``stop``; then wait for the running ones.

        Up to ``per_owner`` of one owner run at a time. More of them wait while those of others are run.

        Cancelled, it cancels the running ones; their leases run out and they are run again.
        """
        slots = asyncio.Semaphore(concurrency)
        owners = Counter[str]()

        def free(job: Job, _: asyncio.Task[None]) -> None:
            owners.subtract([job.owner])
            if not owners[job.owner]:
                del owners[job.owner]
            slots.release()

        with self._wake.listen(*map(_name_jobs, handlers)) as bell:
            async with asyncio.TaskGroup() as group:
                while True:
                    await slots.acquire()
                    if stop.is_set():
                        break
                    full = [owner for owner, running in owners.items() if running >= per_owner]
                    job = await self._claim_or_pause(handlers, full)
                    if job is None:
                        slots.release()
                        await bell.wait(_POLL_S)
                    else:
                        owners[job.owner] += 1
                        running = group.create_task(self._run_job(handlers[job.kind], job))
                        running.add_done_callback(partial(free, job))

    async def count_ready(self) -> int:
        """Count the jobs that nobody has finished: waiting, delayed and running."""
        async with self._reader.begin() as conn:
            return (await conn.execute(select(func.count()).select_from(tables.job))).scalar_one()

    def _ring_after_commit(self, _connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        # SQLAlchemy's commit event comes before the commit. A connection returns to the pool after it, or after a
        # rollback, and then the ring is for nothing but does no harm.
        for topic in entry.info.pop(_RINGS, ()):
            self._wake.notify(topic)

    async def _claim_or_pause(self, kinds: Iterable[JobKind], full: Sequence[str]) -> Job | None:
        try:
            return await self._claim(kinds, full)
        except UNAVAILABLE as error:
            self._log.error("jobs_unavailable", error=type(error).__name__)
            await asyncio.sleep(_DATABASE_PAUSE_S)
            return None

    async def _claim(self, kinds: Iterable[JobKind], full: Sequence[str]) -> Job | None:
        now = time.time()
        free = and_(_ROW.run_at <= now, or_(_ROW.lease_until.is_(None), _ROW.lease_until < now))
        first = (
            select(_ROW.id)
            .where(_ROW.kind.in_([kind.value for kind in kinds]), free, _ROW.owner.not_in(full))
            .order_by(_ROW.priority.desc(), _ROW.run_at, _ROW.id)
            .limit(1)
        )
        # Looking takes no lock, so those who look and find nothing are in nobody's way.
        while (job_id := await self._look(first)) is not None:
            query = (
                update(tables.job)
                .where(_ROW.id == job_id, free)
                .values(attempt=_ROW.attempt + 1, lease_until=now + self._lease_s)
                .returning(_ROW.kind, _ROW.task_id, _ROW.owner, _ROW.priority, _ROW.attempt)
            )
            async with self._engine.begin() as conn:
                row = (await conn.execute(query)).one_or_none()
            if row is not None:
                return Job(
                    id=job_id,
                    kind=JobKind(row.kind),
                    task_id=row.task_id,
                    owner=row.owner,
                    priority=Priority(row.priority),
                    attempt=row.attempt,
                )
        return None

    async def _look(self, query: Select[Any]) -> int | None:
        async with self._reader.begin() as conn:
            job_id: int | None = (await conn.execute(query)).scalar_one_or_none()
        return job_id

    async def _run_job(self, handler: Handler, job: Job) -> None:
        work = asyncio.ensure_future(handler(job))
        try:
            if await self._hold(job, work):
                await self._settle(job, work)
        finally:
            if work.cancel():
                await asyncio.wait({work})
                await self._hand_back(job)

    async def _hand_back(self, job: Job) -> None:
        """Let the next one run the job at once, as if it had not been begun."""
        try:
            await self._update(job, lease_until=None, attempt=job.attempt - 1)
        except UNAVAILABLE as error:
            # The lease runs out by itself.
            self._log.error("job_not_handed_back", error=type(error).__name__, task_id=job.task_id)

    async def _hold(self, job: Job, work: asyncio.Future[Retry | None]) -> bool:
        """Prolong the lease until the work is done; False when the lease was lost before."""
        while True:
            done, _ = await asyncio.wait({work}, timeout=self._lease_s / 3)
            if done:
                return True
            try:
                is_held = await self._update(job, lease_until=time.time() + self._lease_s)
            except UNAVAILABLE as error:
                # Nobody else can take the job either, and if somebody does later, the next look shows it.
                self._log.error("lease_not_prolonged", error=type(error).__name__, task_id=job.task_id)
                continue
            if not is_held:
                self._log.warning("lease_lost", kind=job.kind.value, task_id=job.task_id, attempt=job.attempt)
                return False

    async def _settle(self, job: Job, work: asyncio.Future[Retry | None]) -> None:
        """Write down how the work ended, as soon as that is possible; a lease that runs out meanwhile is lost."""
        changes = self._judge(job, work)
        while True:
            try:
                if changes is not None:
                    await self._update(job, **changes)
                else:
                    async with self._engine.begin() as conn:
                        await conn.execute(delete(tables.job).where(_is_held(job)))
                return
            except UNAVAILABLE as error:
                self._log.error("job_not_settled", error=type(error).__name__, task_id=job.task_id)
                await asyncio.sleep(_DATABASE_PAUSE_S)

    def _judge(self, job: Job, work: asyncio.Future[Retry | None]) -> dict[str, float | None] | None:
        """Return what becomes of a job's row; None: it has had its run."""
        error = asyncio.CancelledError() if work.cancelled() else work.exception()
        if error is None:
            answer = work.result()
            return None if answer is None else {"lease_until": None, "run_at": time.time() + answer.delay_s}
        # Only the class: a message may hold a URL or a storage key.
        name = type(error).__name__
        self._log.error("job_failed", error=name, kind=job.kind.value, task_id=job.task_id, attempt=job.attempt)
        if isinstance(error, UNAVAILABLE):
            # The job had no part in that, so it is no failed attempt of it.
            return {"lease_until": None, "run_at": time.time() + _DATABASE_PAUSE_S, "attempt": job.attempt - 1}
        delay_s = min(_BACK_OFF_MAX_S, 2.0 ** min(job.attempt - 1, 6))
        return {"lease_until": None, "run_at": time.time() + delay_s}

    async def _update(self, job: Job, **values: float | None) -> bool:
        async with self._engine.begin() as conn:
            result = await conn.execute(update(tables.job).where(_is_held(job)).values(**values))
        return result.rowcount == 1


async def _ring(conn: AsyncConnection, topic: str) -> None:
    (await conn.get_raw_connection()).info.setdefault(_RINGS, set()).add(topic)


def _name_jobs(kind: JobKind) -> str:
    return f"jobs {kind.value}"


def _is_held(job: Job) -> ColumnElement[bool]:
    return and_(_ROW.id == job.id, _ROW.attempt == job.attempt)
