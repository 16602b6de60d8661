"""Photos through the real pipeline, with a real database and real files."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from pathlib import Path
from typing import BinaryIO

import pytest
from PIL import Image

from idphoto.imaging.pipeline import Pipeline
from idphoto.tasks.model import State
from idphoto.tasks.process import PhotoProcessor
from idphoto.tasks.queue import JobKind
from idphoto.tasks.request import Format, Mode, PhotoRequest
from tests.integration.tasks.desk import Desk, a_job
from tests.integration.tasks.photos import is_empty, new_processor, upload
from tests.integration.tasks.samples import OUTCOME


async def test_a_portrait_becomes_a_stored_photo(desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes) -> None:
    request = PhotoRequest(width=300, height=400, format=Format.JPG, background="438EDB")
    task = await upload(desk, astronaut_jpeg, request)
    assert await process(a_job(JobKind.PROCESS, task)) is None
    now = await desk.read(task)
    assert now.state is State.DONE
    assert now.progress == 100
    assert now.elapsed_ms > 0
    assert now.outcome is not None
    data = await desk.storage.get(now.outcome.result_key or "")
    assert now.outcome.size_bytes == len(data)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("JPEG", (300, 400))
        red, green, blue = image.convert("RGB").getpixel((3, 3))  # type: ignore[misc]
    assert abs(red - 0x43) + abs(green - 0x8E) + abs(blue - 0xDB) < 12
    assert (now.outcome.width, now.outcome.height) == (300, 400)


async def test_the_outcome_tells_where_person_and_face_are(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes
) -> None:
    task = await upload(desk, astronaut_jpeg)
    await process(a_job(JobKind.PROCESS, task))
    outcome = (await desk.read(task)).outcome
    assert outcome is not None
    x, y, width, height = outcome.foreground
    assert 0 <= x < x + width <= 512
    assert 0 <= y < y + height <= 512
    # Eileen Collins' face is around (225, 115), 100 pixels wide.
    assert x < 180
    assert x + width > 270
    assert 0.5 < outcome.face["head_height"] < 0.75
    assert 0.4 < outcome.face["eye_line"] < 0.8
    assert 0.0 < outcome.face["top_margin"] < 0.2
    assert abs(outcome.face["roll"]) < 1.5


async def test_a_png_is_transparent_and_has_the_size_of_its_spec(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes
) -> None:
    task = await upload(desk, astronaut_jpeg, PhotoRequest(spec="cn-1inch"))
    await process(a_job(JobKind.PROCESS, task))
    outcome = (await desk.read(task)).outcome
    assert outcome is not None
    with Image.open(io.BytesIO(await desk.storage.get(outcome.result_key or ""))) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (295, 413))
        assert image.getpixel((2, 2))[3] == 0  # type: ignore[index]


async def test_a_cut_out_is_rendered_again_and_stays_with_the_new_task(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes
) -> None:
    first = await upload(desk, astronaut_jpeg)
    await process(a_job(JobKind.PROCESS, first))
    outcome = (await desk.read(first)).outcome
    assert outcome is not None
    again = PhotoRequest(spec="cn-2inch", format=Format.JPG, last_id=first.id)
    second = await upload(desk, await desk.storage.get(outcome.cutout_key or ""), again)
    await process(a_job(JobKind.PROCESS, second))
    made = await desk.read(second)
    assert made.state is State.DONE
    assert made.outcome is not None
    assert (made.outcome.width, made.outcome.height) == (413, 579)
    assert made.outcome.cutout_key not in {None, outcome.cutout_key}
    assert await desk.storage.get(made.outcome.cutout_key or "")
    assert made.source_key is None


async def test_a_check_stores_a_report_and_no_file(desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes) -> None:
    task = await upload(desk, astronaut_jpeg, PhotoRequest(mode=Mode.CHECK, spec="cn-passport"))
    await process(a_job(JobKind.PROCESS, task))
    outcome = (await desk.read(task)).outcome
    assert outcome is not None
    assert outcome.compliance is not None
    assert outcome.compliance["verdict"] == "fail"  # 512x512 is no passport photo
    assert await is_empty(desk, "results")
    assert await is_empty(desk, "cutouts")
    assert await is_empty(desk, "sources")


async def test_without_a_size_the_canvas_is_the_source(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes
) -> None:
    task = await upload(desk, astronaut_jpeg, PhotoRequest())
    await process(a_job(JobKind.PROCESS, task))
    outcome = (await desk.read(task)).outcome
    assert outcome is not None
    assert (outcome.width, outcome.height) == (512, 512)


async def test_the_source_is_deleted_at_the_end(desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes) -> None:
    task = await upload(desk, astronaut_jpeg)
    await process(a_job(JobKind.PROCESS, task))
    assert (await desk.read(task)).source_key is None
    assert await is_empty(desk, "sources")


async def test_a_task_that_has_ended_is_left_alone(desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes) -> None:
    task = await upload(desk, astronaut_jpeg)
    await process(a_job(JobKind.PROCESS, task))
    ended = await desk.read(task)
    assert await process(a_job(JobKind.PROCESS, task, attempt=2)) is None
    assert await desk.read(task) == ended


async def test_a_source_that_a_killed_worker_left_is_deleted_when_its_job_is_run_again(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes
) -> None:
    task = await upload(desk, astronaut_jpeg)
    begun = await desk.store.begin(task.id)
    assert begun is not None
    await desk.store.finish(begun, OUTCOME, 1.0, desk.queue)
    assert await process(a_job(JobKind.PROCESS, task, attempt=2)) is None
    now = await desk.read(task)
    assert (now.state, now.source_key) == (State.DONE, None)
    assert await is_empty(desk, "sources")


async def test_a_worker_that_was_overtaken_leaves_nothing_behind(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes
) -> None:
    task = await upload(desk, astronaut_jpeg)
    running = asyncio.create_task(process(a_job(JobKind.PROCESS, task)))
    while (await desk.read(task)).attempt == 0:
        pass
    other = await desk.store.begin(task.id)
    assert other is not None
    assert await running is None
    now = await desk.read(task)
    assert (now.state, now.attempt) == (State.PREPARING, 2)
    assert await is_empty(desk, "results")
    # Whoever overtook it still needs the source.
    assert await desk.storage.get(f"sources/{task.id}") == astronaut_jpeg


async def test_a_photo_goes_through_the_queue(desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes) -> None:
    task = await upload(desk, astronaut_jpeg, callback_url="http://127.0.0.1:9/")
    stop = asyncio.Event()
    running = asyncio.create_task(desk.queue.run({JobKind.PROCESS: process}, concurrency=1, per_owner=1, stop=stop))
    states = set()
    while not (now := await desk.read(task)).state.is_end:
        states.add((now.state, now.progress))
        await asyncio.sleep(0.01)
    stop.set()
    await running
    assert now.state is State.DONE
    assert all(progress < 100 for _, progress in states)
    assert await desk.list_jobs(JobKind.PROCESS) == []
    assert len(await desk.list_jobs(JobKind.CALLBACK)) == 1


@pytest.mark.parametrize("photo", [None, b"no image"])
async def test_sources_are_kept_until_the_task_expires_where_that_is_wanted(
    desk: Desk, pipeline: Pipeline, astronaut_jpeg: bytes, photo: bytes | None
) -> None:
    task = await upload(desk, photo or astronaut_jpeg)
    assert await new_processor(desk, pipeline, keep_sources=True)(a_job(JobKind.PROCESS, task)) is None
    now = await desk.read(task)
    assert now.state.is_end
    assert now.source_key in now.keys
    assert await desk.storage.get(now.source_key or "") == (photo or astronaut_jpeg)


async def test_a_run_that_is_cancelled_while_it_stores_leaves_nothing_behind(
    desk: Desk, process: PhotoProcessor, astronaut_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await upload(desk, astronaut_jpeg)
    write, writing = desk.storage._write, threading.Event()

    def write_slowly(target: Path, source: BinaryIO) -> None:
        writing.set()
        time.sleep(0.3)
        write(target, source)

    monkeypatch.setattr(desk.storage, "_write", write_slowly)
    running = asyncio.create_task(process(a_job(JobKind.PROCESS, task)))
    await asyncio.to_thread(writing.wait)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await is_empty(desk, "results")
    assert await is_empty(desk, "cutouts")
    assert await is_empty(desk, "partial")
