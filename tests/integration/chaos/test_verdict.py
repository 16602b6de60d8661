"""Rule: the chaos test sees what it looks for, in a real data folder with one promise broken at a time."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chaos.ledger import Ledger, Seen
from chaos.plan import Order, Way, Wish
from chaos.verdict import check_data_folder
from idphoto.database import make_engine, migrate
from idphoto.storage import LocalStorage
from idphoto.tasks.queue_sqlite import SqliteQueue
from idphoto.tasks.store import TaskStore
from idphoto.wake import Wake
from tests.integration.tasks.samples import OUTCOME, RESULT_KEY, ROOM, job_of, new_task

WISH = Wish(photo="large.jpg", recipe="jpeg")
ORDER = Order(number=0, wish=WISH, way=Way.UPLOAD, sync=False, repeat=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with one finished task."""
    asyncio.run(_fill(tmp_path))
    return tmp_path


async def _fill(folder: Path) -> None:
    url = f"sqlite+aiosqlite:///{folder / 'idphoto.db'}"
    await asyncio.to_thread(migrate, url)
    engine = make_engine(url)
    store, queue = TaskStore(engine, result_ttl_s=3600), SqliteQueue(engine, lease_s=2, wake=Wake())
    task = new_task(id="a")
    await store.add(task, queue, job_of(task), ROOM)
    begun = await store.begin("a")
    assert begun is not None
    await store.finish(begun, OUTCOME, 1.0, queue)
    await LocalStorage(folder / "files").put(RESULT_KEY, b"finished photo")
    await engine.dispose()


def judge(folder: Path) -> list[str]:
    ledger = Ledger()
    ledger.tasks[0] = Seen(order=ORDER, task_id="a", wish=WISH, end={"state": 1}, end_at=time.monotonic())
    check_data_folder(folder, ledger)
    return ledger.broken


def change(sql: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "idphoto.db")) as connection:
            connection.execute(sql)
            connection.commit()

    return act


def test_a_folder_as_promised_breaks_nothing(folder: Path) -> None:
    assert judge(folder) == []
    assert (folder / "files" / RESULT_KEY).exists()


def test_what_a_killed_writer_left_is_swept(folder: Path) -> None:
    for name in ("results/orphan.jpg", "partial/half", "sources/orphan"):
        path = folder / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half a file")
    assert judge(folder) == []
    assert [path.name for path in (folder / "files").rglob("*") if path.is_file()] == [Path(RESULT_KEY).name]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (change("DELETE FROM task"), "is gone"),
        (change("UPDATE task SET state = 4"), "in state 4"),
        (change("UPDATE task SET source_key = 'sources/a'"), "still has its source"),
        (lambda folder: (folder / "files" / RESULT_KEY).unlink(), "not on the disk"),
        # The sweeper knows nothing of a name that no key can have.
        (lambda folder: (folder / "files" / "results" / "a name with spaces").touch(), "the sweeper left 1 files"),
        (change("UPDATE task SET id = 'b'"), "told to nobody"),
    ],
)
def test_a_broken_promise_is_seen(folder: Path, act: Callable[[Path], None], said: str) -> None:
    act(folder)
    assert any(said in broken for broken in judge(folder))
