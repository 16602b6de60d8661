"""A worker whose native code hangs, or that runs out of memory, costs its own photo only."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from idphoto.storage import LocalStorage
from idphoto.tasks.model import State, Task
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from tests.integration.tasks.running import LONG_S
from tests.integration.tasks.samples import ROOM, job_of, new_task

# A real worker process, in which a photo does {fault}, as a broken codec might.
WORKER = """
import asyncio, ctypes, resource
from idphoto import app
from idphoto.imaging.pipeline import Pipeline
from idphoto.settings import Settings

app._WATCHDOG_SLACK_S = 0.5
make = Pipeline.make

def break_down(self, *args, **options):
    {fault}

Pipeline.make = break_down
asyncio.run(app.run_worker(Settings()))
"""
# PyDLL, unlike CDLL, keeps the interpreter's lock during the call: nothing else in the process can run.
HANG = "ctypes.PyDLL(None).sleep(600)"
# Some more than it has now, and far less than a large photo needs.
LITTLE_MEMORY = """
    used = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData")) * 1024
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (used + 2**24, hard))
    try:
        return make(self, *args, **options)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
"""


@asynccontextmanager
async def running_worker(folder: Path, database_url: str, fault: str) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "IDPHOTO_DATA_DIR": str(folder),
        "IDPHOTO_DATABASE_URL": database_url,
        "IDPHOTO_TASK_TIMEOUT_S": "20" if fault is LITTLE_MEMORY else "0.5",
        # Above what the test itself sets, which is what is tested.
        "IDPHOTO_WORKER_MEMORY_MB": "100000",
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER.format(fault=fault), env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def add(store: TaskStore, queue: SqliteQueue, folder: Path, photo: bytes) -> Task:
    task = new_task(source_key="sources/one")
    await LocalStorage(folder / "files").put("sources/one", photo)
    return await store.add(task, queue, job_of(task), ROOM)


async def test_a_worker_that_hangs_in_native_code_is_ended_by_its_watchdog(
    tmp_path: Path, database_url: str, store: TaskStore, queue: SqliteQueue, astronaut_jpeg: bytes
) -> None:
    task = await add(store, queue, tmp_path, astronaut_jpeg)
    async with running_worker(tmp_path, database_url, HANG) as child:
        assert child.stderr is not None
        output = await asyncio.wait_for(child.stderr.read(), LONG_S)
        assert await child.wait() == 1
    assert b"Timeout (0:00:01" in output
    assert b"break_down" in output
    now = await store.get(task.id, owner=None)
    assert now is not None
    # Nobody could write its end; the lease runs out and the next worker has it.
    assert now.state is State.PREPARING


async def test_a_photo_that_needs_too_much_memory_ends_alone(
    tmp_path: Path, database_url: str, store: TaskStore, queue: SqliteQueue, slow_photo: bytes
) -> None:
    task = await add(store, queue, tmp_path, slow_photo)
    async with running_worker(tmp_path, database_url, LITTLE_MEMORY) as child:
        async with asyncio.timeout(LONG_S):
            while True:
                now = await store.get(task.id, owner=None)
                assert now is not None
                if now.state.is_end:
                    break
                await asyncio.sleep(0.05)
        assert child.returncode is None
    assert now.failure is not None
    assert now.failure.code == "out_of_memory"
    assert now.state in {State.UNREADABLE, State.FAILED}
