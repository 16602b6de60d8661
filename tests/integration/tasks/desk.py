"""Everything that the handlers of the network jobs work with, in one piece."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.storage import LocalStorage
from idphoto.tasks import tables
from idphoto.tasks.deliveries import Delivery, DeliveryLog
from idphoto.tasks.model import Failure, State, Task
from idphoto.tasks.queue import Job, JobKind, Priority
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from tests.integration.tasks.samples import OUTCOME, ROOM, job_of, new_task
from tests.running import Receiver

FAILURE = Failure(state=State.FAILED, code="no_face", message="No face was found.")


@dataclass(frozen=True, kw_only=True)
class Desk:
    engine: AsyncEngine
    store: TaskStore
    queue: SqliteQueue
    storage: LocalStorage
    receiver: Receiver

    async def add_url(self, url: str) -> Task:
        """Add a task whose image has to be downloaded."""
        task = new_task(image_url=url)
        return await self.store.add(task, self.queue, job_of(task, kind=JobKind.FETCH), ROOM)

    async def add_ended(self, *, failed: bool = False, **changes: object) -> Task:
        """Add a task that has ended."""
        task = new_task(**changes)
        await self.store.add(task, self.queue, job_of(task), ROOM)
        begun = await self.store.begin(task.id)
        assert begun is not None
        if failed:
            await self.store.fail(begun, FAILURE, self.queue)
        else:
            await self.store.finish(begun, OUTCOME, 384.55, self.queue)
        return await self.read(task)

    async def read(self, task: Task) -> Task:
        now = await self.store.get(task.id, owner=None)
        assert now is not None
        return now

    async def list_deliveries(self, task: Task) -> list[Delivery]:
        return await DeliveryLog(self.engine).list_deliveries(task.id)

    async def list_jobs(self, kind: JobKind) -> list[tuple[str, int]]:
        """Return task id and priority of each job of a kind."""
        query = select(tables.job.c.task_id, tables.job.c.priority).where(tables.job.c.kind == kind.value)
        async with self.engine.begin() as conn:
            return [(row.task_id, row.priority) for row in await conn.execute(query)]


def a_job(kind: JobKind, task: Task, *, attempt: int = 1) -> Job:
    """Return a job as the queue hands it out."""
    return Job(id=1, kind=kind, task_id=task.id, owner=task.owner, priority=Priority.SYNC, attempt=attempt)
