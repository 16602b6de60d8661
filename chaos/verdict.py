"""After the faults: was every promise kept?"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from chaos.expected import Result, WrongFile, read_result
from chaos.ledger import Call, Ledger, Seen
from chaos.photos import GOOD
from chaos.plan import Wish
from idphoto.database import make_engine
from idphoto.storage import LocalStorage
from idphoto.tasks.store import TaskStore
from idphoto.tasks.sweep import ORPHAN_AGE_S, Sweeper

#: Honest ends of a task whose photo is good: the third kill over one photo, and a disk that was full.
SPOILT = frozenset({"worker_crashed", "storage_failed"})
#: More than this share of such ends would mean that faults are not survived but given up on.
_MOST_SPOILT = 0.25
_END_S = 180.0
_PAUSE_S = 0.3


def await_ends(ledger: Ledger, orders: int) -> None:
    """Return when every order is acknowledged and has ended."""
    deadline = time.monotonic() + _END_S
    while time.monotonic() < deadline:
        tasks = ledger.list_tasks()
        if len(tasks) == orders and all(seen.end is not None for seen in tasks):
            return
        time.sleep(_PAUSE_S)
    for seen in ledger.list_tasks():
        if seen.end is None:
            ledger.accuse(f"task {seen.task_id} (order {seen.order.number}) has not ended after {_END_S:g} s")
    if len(ledger.tasks) < orders:
        ledger.accuse(f"{orders - len(ledger.tasks)} orders were never acknowledged")


def await_empty_queue(database: Path, ledger: Ledger) -> None:
    """Return when no job is left: each callback was delivered or given up."""
    deadline = time.monotonic() + _END_S
    while time.monotonic() < deadline:
        if not (jobs := _query(database, "SELECT kind, task_id, attempt FROM job")):
            return
        time.sleep(_PAUSE_S)
    ledger.accuse(f"{len(jobs)} jobs are left after {_END_S:g} s: {jobs[:5]}")


def check_results(ledger: Ledger, expected: Mapping[Wish, Result]) -> None:
    """Compare each task's files with those of a quiet run."""
    spoilt = 0
    tasks = [seen for seen in ledger.list_tasks() if seen.end is not None]
    for seen in tasks:
        try:
            result = read_result(seen.end or {})
        except WrongFile as error:
            ledger.accuse(f"task {seen.task_id}, order {seen.order.number}, {seen.wish}: {error}")
            continue
        ledger.count(f"ends: {result.code or 'success'}")
        if result.code in SPOILT:
            spoilt += 1
        elif result != expected[seen.wish]:
            ledger.accuse(f"task {seen.task_id}, {seen.wish}: {result} instead of {expected[seen.wish]}")
    good = sum(seen.wish.photo in GOOD for seen in tasks)
    if spoilt > _MOST_SPOILT * good:
        ledger.accuse(f"{spoilt} of {good} tasks with good photos were given up")


def check_callbacks(ledger: Ledger) -> None:
    """Each task's end was announced, truly, under one id of its own, with a signature that holds."""
    known = {seen.task_id: seen for seen in ledger.list_tasks()}
    for stranger in ledger.calls.keys() - known.keys():
        ledger.accuse(f"a callback names the task {stranger}, which nobody was told of")
    owners: dict[str, str] = {}
    for task_id, seen in known.items():
        calls = ledger.calls.get(task_id, [])
        _check_calls(ledger, seen, calls)
        for message_id in {call.message_id for call in calls}:
            if owners.setdefault(message_id, task_id) != task_id:
                ledger.accuse(f"the tasks {task_id} and {owners[message_id]} share the callback id {message_id}")


def _check_calls(ledger: Ledger, seen: Seen, calls: list[Call]) -> None:
    taken = sum(call.is_taken for call in calls)
    if not taken:
        ledger.accuse(f"the callback of task {seen.task_id} was never delivered; tries that arrived: {len(calls)}")
    ledger.counts["callbacks: repeats after a delivery"] += max(0, taken - 1)
    if len({call.message_id for call in calls}) > 1:
        ledger.accuse(f"callbacks of task {seen.task_id} have several ids")
    if not all(call.is_signed for call in calls):
        ledger.accuse(f"a callback of task {seen.task_id} has a signature that does not verify")
    for body in {call.body for call in calls}:
        if (told := json.loads(body)["data"]) != seen.end:
            ledger.accuse(f"a callback says {told}, but polls of task {seen.task_id} say {seen.end}")


def check_data_folder(data_dir: Path, ledger: Ledger) -> None:
    """Compare rows and files once the server has stopped: nothing twice, nothing missing, nothing left for ever."""
    database, files = data_dir / "idphoto.db", data_dir / "files"
    rows = {row[0]: row for row in _query(database, "SELECT id, state, source_key, result_key, attempt FROM task")}
    acknowledged = {seen.task_id for seen in ledger.list_tasks()}
    for task_id in rows.keys() ^ acknowledged:
        known = "was acknowledged and is gone" if task_id in acknowledged else "was made and told to nobody"
        ledger.accuse(f"task {task_id} {known}")
    for task_id, state, source_key, _, _ in rows.values():
        if state != 1 and state >= 0:
            ledger.accuse(f"task {task_id} is in state {state}")
        elif source_key is not None:
            ledger.accuse(f"task {task_id} has ended and still has its source")
    ledger.counts["tasks begun more than once"] = sum(attempt > 1 for *_, attempt in rows.values())
    named = {str(row[3]) for row in rows.values() if row[3] is not None}
    named |= {str(key) for (key,) in _query(database, "SELECT key FROM file")}
    for key in named - _list_files(files):
        ledger.accuse(f"{_hide(key)} belongs to a task and is not on the disk")
    ledger.counts["files of killed writers, left for the sweeper"] = len(_list_files(files) - named)
    # The sweeper takes files without a task that are an hour old. Now they all are, those with a task too.
    old = time.time() - 2 * ORPHAN_AGE_S
    for key in _list_files(files):
        os.utime(files / key, (old, old))
    asyncio.run(_sweep(database, files))
    if (left := _list_files(files)) != named:
        ledger.accuse(f"the sweeper left {len(left - named)} files of no task and took {len(named - left)} of a task")


async def _sweep(database: Path, files: Path) -> None:
    engine = make_engine(f"sqlite+aiosqlite:///{database}")
    try:
        await Sweeper(store=TaskStore(engine, result_ttl_s=3600), storage=LocalStorage(files)).sweep()
    finally:
        await engine.dispose()


def _list_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def _hide(key: str) -> str:
    # The whole name would be a permission to fetch it.
    return f"{key[:14]}…"


def _query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(sql).fetchall()
