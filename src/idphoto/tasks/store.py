"""The task table: the truth about every task.

A worker may be frozen, overtaken and thawed at any point. So a write to a task carries the attempt that it belongs to
and is refused with :class:`LostLease` when the row has moved on (fencing).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from idphoto.database import DatabaseBusy, reader
from idphoto.tasks import admission, tables
from idphoto.tasks.admission import Room
from idphoto.tasks.errors import LostLease
from idphoto.tasks.model import UNFINISHED, Failure, Outcome, State, Task
from idphoto.tasks.queue import JobKind, JobQueue, NewJob, Priority
from idphoto.tasks.rows import failure_to_values, outcome_to_values, row_to_task, task_to_values

#: The others wait in the order in which they came, and without a connection, which polls and jobs need too.
_ADDS_AT_ONCE = 4
#: As long as SQLite itself waits for its lock.
_LONGEST_WAIT_S = 25.0
_ROW = tables.task.c


class TaskStore:
    """Reads and writes tasks."""

    def __init__(self, engine: AsyncEngine, *, result_ttl_s: float) -> None:
        """``result_ttl_s``: seconds that a task and its result live after its end."""
        self._engine = engine
        self._reader = reader(engine)
        self._result_ttl_s = result_ttl_s
        self._adds = asyncio.Semaphore(_ADDS_AT_ONCE)

    async def check_room(self, owner: str, room: Room) -> None:
        """Look whether one more task of that owner would fit now. Raises NoRoom."""
        async with self._reader.begin() as conn:
            await admission.check(conn, owner, room)

    async def add(self, task: Task, queue: JobQueue, job: NewJob, room: Room) -> Task:
        """Store a new task and its job in one transaction.

        Returns the task; or the first one with the same owner and idempotency key, told by its other id, and then
        nothing is stored.

        Raises:
            NoRoom: the task does not fit, and nothing is stored.
            DatabaseBusy: too many others are being added, and nothing is stored.
        """
        try:
            async with self._take_turn(), self._engine.begin() as conn:
                first = await self._find_first(conn, task)
                if first is not None:
                    return first
                await admission.check(conn, task.owner, room)
                await conn.execute(insert(tables.task).values(**task_to_values(task)))
                await admission.count(conn, task.owner)
                await queue.enqueue(conn, job)
        except IntegrityError:
            # Another process has stored the first one since we looked.
            async with self._engine.begin() as conn:
                first = await self._find_first(conn, task)
            if first is None:
                raise
            return first
        return task

    @contextlib.asynccontextmanager
    async def _take_turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_LONGEST_WAIT_S):
                await self._adds.acquire()
        except TimeoutError:
            raise DatabaseBusy from None
        try:
            yield
        finally:
            self._adds.release()

    async def _find_first(self, conn: AsyncConnection, task: Task) -> Task | None:
        """Return the stored task that this one repeats. An expired one loses its key."""
        if task.idempotency_key is None:
            return None
        is_repeat = and_(_ROW.owner == task.owner, _ROW.idempotency_key == task.idempotency_key)
        row = (await conn.execute(select(tables.task).where(is_repeat, _unexpired()))).one_or_none()
        if row is None:
            await conn.execute(update(tables.task).where(is_repeat).values(idempotency_key=None))
        return None if row is None else row_to_task(row)

    async def get(self, task_id: str, *, owner: str | None) -> Task | None:
        """Return a task; None when it is unknown, expired or another owner's. ``owner`` None: anybody's."""
        query = select(tables.task).where(_ROW.id == task_id, _unexpired())
        return await self._read(query if owner is None else query.where(_ROW.owner == owner))

    async def find_ended(self, task_id: str) -> Task | None:
        """Return an ended task, expired or not: its callback may still be on its way."""
        ended = _ROW.state.not_in(UNFINISHED)
        return await self._read(select(tables.task).where(_ROW.id == task_id, ended))

    async def find_result(self, key: str) -> Task | None:
        """Return the finished, unexpired task that has stored its result or another file under ``key``."""
        holder = or_(_ROW.result_key == key, _ROW.id == _find_holder(key))
        return await self._read(select(tables.task).where(holder, _ROW.state == State.DONE.value, _unexpired()))

    async def begin(self, task_id: str) -> Task | None:
        """Open a new attempt, which fences off all earlier ones; None when the task has ended or is gone."""
        query = (
            update(tables.task)
            .where(_ROW.id == task_id, _ROW.state.in_(UNFINISHED))
            .values(attempt=_ROW.attempt + 1, state=State.PREPARING.value, processed_at=time.time())
            .returning(*_ROW)
        )
        async with self._engine.begin() as conn:
            row = (await conn.execute(query)).one_or_none()
        return None if row is None else row_to_task(row)

    async def advance(self, task: Task, state: State, progress: int) -> None:
        """Show PREPARING or PROCESSING and a progress of 0 to 99. Raises LostLease."""
        async with self._engine.begin() as conn:
            await _write(conn, task, state=state.value, progress=progress)

    async def set_source(
        self, task: Task, source_key: str, download_ms: float, queue: JobQueue, priority: Priority
    ) -> None:
        """End a download: the state becomes WAITING and a PROCESS job is enqueued. Raises LostLease."""
        async with self._engine.begin() as conn:
            await _write(conn, task, state=State.WAITING.value, source_key=source_key, download_ms=download_ms)
            await queue.enqueue(conn, _new_job(task, JobKind.PROCESS, priority))

    async def clear_source(self, task_id: str) -> None:
        """Note that the source file was deleted."""
        async with self._engine.begin() as conn:
            await conn.execute(update(tables.task).where(_ROW.id == task_id).values(source_key=None))

    async def finish(self, task: Task, outcome: Outcome, elapsed_ms: float, queue: JobQueue) -> None:
        """End a task with its photo, and enqueue its callback. Raises LostLease."""
        await self._end(
            task,
            queue,
            more_files=[key for key in outcome.keys if key != outcome.result_key],
            state=State.DONE.value,
            progress=100,
            elapsed_ms=elapsed_ms,
            **outcome_to_values(outcome),
        )

    async def fail(self, task: Task, failure: Failure, queue: JobQueue) -> None:
        """End a task, begun or not, without a photo, and enqueue its callback. Raises LostLease."""
        await self._end(task, queue, state=failure.state.value, **failure_to_values(failure))

    async def announce_again(self, task: Task, queue: JobQueue) -> None:
        """Enqueue the callback of an ended task once more, or make it due now if it is still being tried."""
        async with self._engine.begin() as conn:
            if not await queue.hasten(conn, JobKind.CALLBACK, task.id):
                await queue.enqueue(conn, _new_job(task, JobKind.CALLBACK))

    async def delete(self, task_id: str, owner: str) -> Task | None:
        """Delete an owner's task with its jobs, and return it for its files; None as in :meth:`get`."""
        query = delete(tables.task).where(_ROW.id == task_id, _ROW.owner == owner, _unexpired()).returning(*_ROW)
        async with self._engine.begin() as conn:
            row = (await conn.execute(query)).one_or_none()
        return None if row is None else row_to_task(row)

    async def list_expired(self, limit: int) -> list[Task]:
        """Return up to ``limit`` expired tasks, oldest first.

        An unfinished task never expires. One whose callback is still being tried is left out: its row goes later.
        """
        job = tables.job.c
        pending = select(job.id).where(job.task_id == _ROW.id, job.kind == JobKind.CALLBACK.value).exists()
        query = select(tables.task).where(_ROW.expires_at <= time.time(), ~pending)
        query = query.order_by(_ROW.expires_at).limit(limit)
        async with self._reader.begin() as conn:
            return [row_to_task(row) for row in await conn.execute(query)]

    async def remove(self, task_id: str) -> None:
        """Delete a task with its jobs, whoever owns it."""
        async with self._engine.begin() as conn:
            await conn.execute(delete(tables.task).where(_ROW.id == task_id))

    async def is_referenced(self, key: str) -> bool:
        """Tell whether a storage key is a file of an unexpired task."""
        holder = or_(_ROW.source_key == key, _ROW.result_key == key, _ROW.id == _find_holder(key))
        query = select(_ROW.id).where(holder, _unexpired()).limit(1)
        async with self._reader.begin() as conn:
            return (await conn.execute(query)).first() is not None

    async def count_by_state(self) -> dict[State, int]:
        """Count the stored tasks of each state; a state without tasks is left out."""
        query = select(_ROW.state, func.count()).group_by(_ROW.state)
        async with self._reader.begin() as conn:
            return {State(state): count for state, count in await conn.execute(query)}

    async def _read(self, query: Select[Any]) -> Task | None:
        async with self._reader.begin() as conn:
            row = (await conn.execute(query)).one_or_none()
        return None if row is None else row_to_task(row)

    async def _end(self, task: Task, queue: JobQueue, more_files: Sequence[str] = (), **values: object) -> None:
        now = time.time()
        async with self._engine.begin() as conn:
            await _write(conn, task, completed_at=now, expires_at=now + self._result_ttl_s, **values)
            if more_files:
                await conn.execute(insert(tables.file), [{"key": key, "task_id": task.id} for key in more_files])
            if task.callback_url is not None:
                await queue.enqueue(conn, _new_job(task, JobKind.CALLBACK))
            # Clients hold connections open for this moment; what is left to clear away need not keep them.
            await queue.ring_end(conn, task.id)


def _new_job(task: Task, kind: JobKind, priority: Priority = Priority.NORMAL) -> NewJob:
    return NewJob(kind=kind, task_id=task.id, owner=task.owner, priority=priority)


async def _write(conn: AsyncConnection, task: Task, **values: object) -> None:
    fence = [_ROW.id == task.id, _ROW.attempt == task.attempt, _ROW.state.in_(UNFINISHED)]
    if task.state is not State.WAITING:
        # A download need not open an attempt, so its end has to fence off a second, slower download as well.
        fence.append(_ROW.state != State.WAITING.value)
    result = await conn.execute(update(tables.task).where(*fence).values(**values))
    if result.rowcount == 0:
        raise LostLease


def _find_holder(key: str) -> ScalarSelect[str]:
    return select(tables.file.c.task_id).where(tables.file.c.key == key).scalar_subquery()


def _unexpired() -> ColumnElement[bool]:
    return or_(_ROW.expires_at.is_(None), _ROW.expires_at > time.time())
