"""A small run of the chaos test, with every kind of fault in it; `make chaos` makes the large one."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.plan import Fault, Mood, make_plan
from chaos.run import run

TASKS = 24


@pytest.mark.timeout(900)  # the run has deadlines of its own, which say what they waited for
def test_no_promise_is_broken_when_everything_is_killed_and_the_disk_is_full(tmp_path: Path) -> None:
    plan = make_plan(TASKS, seed=5)
    # Nothing is mounted for `make test`.
    report = run(plan, tmp_path, mount=False)
    assert report.ledger.broken == []
    assert len(report.ledger.tasks) == TASKS
    assert all(any(call.is_taken for call in report.ledger.calls[seen.task_id]) for seen in report.ledger.list_tasks())
    assert {what for what in report.ledger.counts if what.startswith("faults: ")} == {
        f"faults: {kind}" for kind in Fault
    }
    moods = {what for what in report.ledger.counts if what.startswith("receiver: ")}
    assert moods == {f"receiver: {mood}" for mood in Mood if mood is not Mood.WELL}
