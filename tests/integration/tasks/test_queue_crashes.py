"""The contract of the JobQueue port, with worker processes that are killed, frozen and thawed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.tasks.model import State
from idphoto.tasks.queue import Job, JobKind, JobQueue
from idphoto.tasks.store import TaskStore
from tests.integration.tasks.running import LONG_S, add, drain, recorder, running, wait_for_count
from tests.integration.tasks.samples import OUTCOME
from tests.integration.tasks.worker_process import LEASE_S, make_queue

ROOT = Path(__file__).resolve().parents[3]

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def queue(engine: AsyncEngine) -> JobQueue:
    return make_queue(engine, lease_s=LEASE_S)


@pytest.fixture
def go(tmp_path: Path) -> Path:
    """The file that child processes wait for."""
    return tmp_path / "go"


@pytest.fixture
def start(database_url: str, go: Path) -> Iterator[Start]:
    children: list[subprocess.Popen[str]] = []

    def start(mode: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.integration.tasks.worker_process", database_url, mode, str(go)]
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


async def read_line(child: subprocess.Popen[str]) -> list[str]:
    assert child.stdout is not None
    line = await asyncio.wait_for(asyncio.to_thread(child.stdout.readline), LONG_S)
    return line.split()


async def test_the_job_of_a_killed_worker_is_run_again(store: TaskStore, queue: JobQueue, start: Start):
    child = start("wait")
    task, seen = await add(store, queue), list[Job]()
    assert await read_line(child) == ["begun", task.id, "1"]
    child.send_signal(signal.SIGKILL)
    await drain(queue, recorder(seen))
    assert [(job.task_id, job.attempt) for job in seen] == [(task.id, 2)]


async def test_a_frozen_worker_is_overtaken_and_its_late_write_is_refused(
    store: TaskStore, queue: JobQueue, start: Start, go: Path
):
    child = start("freeze")
    task = await add(store, queue)
    assert await read_line(child) == ["begun", task.id, "1"]
    child.send_signal(signal.SIGSTOP)

    async def finish(job: Job) -> None:
        begun = await store.begin(job.task_id)
        assert begun is not None
        await store.finish(begun, OUTCOME, 7.0, queue)

    await drain(queue, finish)
    await asyncio.to_thread(go.touch)
    child.send_signal(signal.SIGCONT)
    assert await read_line(child) == ["lost", task.id, "1"]
    ended = await store.get(task.id, owner=None)
    assert ended is not None
    assert (ended.state, ended.attempt, ended.elapsed_ms) == (State.DONE, 2, 7.0)


async def test_a_thawed_worker_does_not_end_its_successors_job(
    store: TaskStore, queue: JobQueue, start: Start, go: Path
):
    child = start("freeze")
    task = await add(store, queue)
    assert await read_line(child) == ["begun", task.id, "1"]
    child.send_signal(signal.SIGSTOP)
    overtaken, go_on = asyncio.Event(), asyncio.Event()

    async def hold(job: Job) -> None:
        await store.begin(job.task_id)
        overtaken.set()
        await go_on.wait()

    async with running(queue, {JobKind.PROCESS: hold}):
        await asyncio.wait_for(overtaken.wait(), LONG_S)
        await asyncio.to_thread(go.touch)
        child.send_signal(signal.SIGCONT)
        assert await read_line(child) == ["lost", task.id, "1"]
        assert await asyncio.to_thread(child.wait, LONG_S) == 0
        assert await queue.count_ready() == 1
        go_on.set()
        await wait_for_count(queue, 0)


async def test_a_thawed_worker_cancels_what_it_lost(store: TaskStore, queue: JobQueue, start: Start):
    child = start("wait")
    task, seen = await add(store, queue), list[Job]()
    assert await read_line(child) == ["begun", task.id, "1"]
    child.send_signal(signal.SIGSTOP)
    await drain(queue, recorder(seen))
    assert len(seen) == 1
    child.send_signal(signal.SIGCONT)
    lines = [await read_line(child), await read_line(child)]
    assert ["cancelled", task.id, "1"] in lines


async def test_two_processes_run_each_of_200_jobs_exactly_once(store: TaskStore, queue: JobQueue, start: Start):
    children = [start("count"), start("count")]
    tasks = [await add(store, queue) for _ in range(200)]
    await wait_for_count(queue, 0)
    for child in children:
        child.terminate()
    lines = [line for child in children for line in child.communicate(timeout=LONG_S)[0].splitlines()]
    assert Counter(line.split()[1] for line in lines if line.startswith("ran")) == {task.id: 1 for task in tasks}
