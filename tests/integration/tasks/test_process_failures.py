"""Photos that cannot be made: each ends its task with the right code and leaves no file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from idphoto.imaging.pipeline import Pipeline
from idphoto.tasks.model import State
from idphoto.tasks.process import MAX_ATTEMPTS, PhotoProcessor, WorkerMustRestart
from idphoto.tasks.queue import JobKind
from idphoto.tasks.request import PhotoRequest
from tests.integration.tasks.desk import Desk, a_job
from tests.integration.tasks.photos import fail, new_processor, to_png, upload


async def test_a_document_that_was_taken_out_meanwhile_ends_the_task(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes
) -> None:
    task = await upload(desk, astronaut_jpeg, PhotoRequest(spec="gone"))
    assert await fail(desk, process, task) == (State.FAILED, "unknown_spec")


async def test_a_blank_image_has_no_face(desk: Desk, process: PhotoProcessor) -> None:
    task = await upload(desk, to_png(np.full((400, 300, 3), 200, np.uint8)))
    assert await fail(desk, process, task) == (State.FAILED, "no_face")


@pytest.mark.parametrize("data", [b"", b"this is no image", b"\x89PNG\r\n\x1a\n" + bytes(100)])
async def test_what_is_no_image_is_unreadable(desk: Desk, process: PhotoProcessor, data: bytes) -> None:
    assert await fail(desk, process, await upload(desk, data)) == (State.UNREADABLE, "unreadable_image")


@pytest.mark.parametrize("damage", [lambda cutout: cutout[: len(cutout) // 2], lambda _: b"", lambda _: b"no archive"])
async def test_a_cut_out_that_is_damaged_ends_the_task_at_once(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes, damage: Callable[[bytes], bytes]
) -> None:
    first = await upload(desk, astronaut_jpeg)
    assert await process(a_job(JobKind.PROCESS, first)) is None
    outcome = (await desk.read(first)).outcome
    assert outcome is not None
    cutout = await desk.storage.get(outcome.cutout_key or "")
    again = PhotoRequest(width=300, height=400, last_id=first.id)
    second = await upload(desk, damage(cutout), again)
    await desk.storage.delete(outcome.result_key or "")
    assert await fail(desk, process, second) == (State.FAILED, "cutout_unreadable")


async def test_an_image_of_too_many_pixels_is_refused(desk: Desk, process: PhotoProcessor) -> None:
    task = await upload(desk, to_png(np.zeros((1001, 1000, 3), np.uint8)))
    assert await fail(desk, process, task) == (State.UNREADABLE, "too_many_pixels")


async def test_a_missing_source_ends_the_task(desk: Desk, process: PhotoProcessor) -> None:
    task = await upload(desk, b"")
    await desk.storage.delete(f"sources/{task.id}")
    assert await fail(desk, process, task) == (State.NOT_STORED, "storage_failed")


async def test_a_result_that_can_never_be_stored_ends_the_task(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes
) -> None:
    task = await upload(desk, astronaut_jpeg)
    results = desk.storage.path("results/x").parent
    results.write_bytes(b"no folder")
    for attempt in range(1, MAX_ATTEMPTS):
        assert await process(a_job(JobKind.PROCESS, task, attempt=attempt)) is not None
        assert not (await desk.read(task)).state.is_end
    assert await process(a_job(JobKind.PROCESS, task, attempt=MAX_ATTEMPTS)) is None
    now = await desk.read(task)
    assert now.state is State.NOT_STORED
    assert now.failure is not None
    assert now.failure.code == "storage_failed"


async def test_a_disk_that_was_full_for_a_moment_costs_a_moment(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes
) -> None:
    task = await upload(desk, astronaut_jpeg)
    results = desk.storage.path("results/x").parent
    results.write_bytes(b"no folder")
    answer = await process(a_job(JobKind.PROCESS, task))
    assert answer is not None
    assert answer.delay_s > 0
    results.unlink()
    assert await process(a_job(JobKind.PROCESS, task, attempt=2)) is None
    assert (await desk.read(task)).state is State.DONE


async def test_a_photo_that_takes_too_long_ends_and_asks_for_a_new_process(
    desk: Desk, pipeline: Pipeline, astronaut_jpeg: bytes
) -> None:
    task = await upload(desk, astronaut_jpeg)
    with pytest.raises(WorkerMustRestart):
        await new_processor(desk, pipeline, timeout_s=0.001)(a_job(JobKind.PROCESS, task))
    now = await desk.read(task)
    assert now.state is State.TIMED_OUT
    assert now.failure is not None
    assert now.failure.code == "timeout"


async def test_a_task_that_was_begun_three_times_is_given_up(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes
) -> None:
    task = await upload(desk, astronaut_jpeg)
    assert await fail(desk, process, task, attempt=MAX_ATTEMPTS + 1) == (State.FAILED, "worker_crashed")


async def test_what_nobody_foresaw_is_tried_three_times(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes
) -> None:
    # The web layer accepts no such retouch, so the pipeline's caller has no answer to it.
    request = PhotoRequest(width=300, height=400, retouch={"was_removed_in_an_update": 1.0})
    task = await upload(desk, astronaut_jpeg, request)
    for attempt in range(1, MAX_ATTEMPTS):
        with pytest.raises(TypeError):
            await process(a_job(JobKind.PROCESS, task, attempt=attempt))
        assert not (await desk.read(task)).state.is_end
    assert await fail(desk, process, task, attempt=MAX_ATTEMPTS) == (State.FAILED, "internal")
