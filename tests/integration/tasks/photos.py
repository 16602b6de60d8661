"""Photos on their way through the real pipeline, with a real database and real files."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from idphoto.imaging.pipeline import Pipeline
from idphoto.specs import Catalogue
from idphoto.tasks.model import State, Task
from idphoto.tasks.process import PhotoProcessor
from idphoto.tasks.queue import JobKind
from idphoto.tasks.request import PhotoRequest
from tests.integration.tasks.desk import Desk, a_job
from tests.integration.tasks.samples import ROOM, job_of, new_task

PATIENCE_S = 90.0


def new_processor(
    desk: Desk, pipeline: Pipeline, *, timeout_s: float = PATIENCE_S, keep_sources: bool = False
) -> PhotoProcessor:
    return PhotoProcessor(
        store=desk.store,
        queue=desk.queue,
        storage=desk.storage,
        pipeline=pipeline,
        catalogue=Catalogue.load(),
        timeout_s=timeout_s,
        keep_sources=keep_sources,
    )


async def upload(desk: Desk, data: bytes, request: PhotoRequest | None = None, **changes: object) -> Task:
    task = new_task(request=request or PhotoRequest(width=300, height=400), **changes)
    task = new_task(**{**vars(task), "source_key": f"sources/{task.id}"})
    await desk.storage.put(f"sources/{task.id}", data)
    return await desk.store.add(task, desk.queue, job_of(task), ROOM)


async def is_empty(desk: Desk, prefix: str) -> bool:
    folder = desk.storage.path(f"{prefix}/x").parent
    return not folder.exists() or not any(folder.iterdir())


async def fail(desk: Desk, process: PhotoProcessor, task: Task, *, attempt: int = 1) -> tuple[State, str]:
    """Run a task that must fail without a trace of files, and return state and code."""
    assert await process(a_job(JobKind.PROCESS, task, attempt=attempt)) is None
    now = await desk.read(task)
    assert now.failure is not None
    assert now.completed_at is not None
    assert now.source_key is None
    assert await is_empty(desk, "sources")
    assert await is_empty(desk, "results")
    return now.state, now.failure.code


def to_png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
