"""Rule: the chaos test sees what it looks for. Each broken promise is shown to it once."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from chaos.ledger import Call, Ledger
from chaos.plan import Order, Way, Wish
from chaos.verdict import check_callbacks

WISH = Wish(photo="large.jpg", recipe="jpeg")
ORDER = Order(number=3, wish=WISH, way=Way.UPLOAD, sync=False, repeat=False)
DONE = {"task_id": "a", "state": 1, "image": "http://127.0.0.1/files/x.jpg"}


@pytest.fixture
def ledger() -> Ledger:
    book = Ledger()
    book.acknowledge(ORDER, WISH, {"task_id": "a", "state": 0}, asked_at=time.monotonic())
    return book


def tell(ledger: Ledger, data: dict[str, Any], *, asked_at: float | None = None) -> list[str]:
    ledger.tell(ledger.tasks[3], data, asked_at=time.monotonic() if asked_at is None else asked_at)
    return ledger.broken


def test_a_life_as_promised_breaks_nothing(ledger: Ledger) -> None:
    before = time.monotonic()
    for state in (2, 4, 2):
        assert tell(ledger, {"task_id": "a", "state": state}) == []
    assert tell(ledger, DONE) == []
    assert tell(ledger, DONE) == []
    # An answer that was on its way when the task ended.
    assert tell(ledger, {"task_id": "a", "state": 4}, asked_at=before) == []


def test_an_end_that_changes_is_seen(ledger: Ledger) -> None:
    tell(ledger, DONE)
    (broken,) = tell(ledger, {**DONE, "image": "http://127.0.0.1/files/y.jpg"})
    assert "changed after its end" in broken


def test_an_end_that_is_taken_back_is_seen(ledger: Ledger) -> None:
    tell(ledger, DONE)
    (broken,) = tell(ledger, {"task_id": "a", "state": 2})
    assert "went back to state 2" in broken


def test_a_repeat_that_makes_a_second_task_is_seen(ledger: Ledger) -> None:
    ledger.acknowledge(ORDER, WISH, {"task_id": "b", "state": 0}, asked_at=time.monotonic())
    assert "second task" in ledger.broken[0]


def call(**changes: Any) -> Call:
    values = {"message_id": "msg_a", "body": json.dumps({"data": DONE}).encode(), "is_signed": True, "is_taken": True}
    return Call(**{**values, **changes})


def test_callbacks_as_promised_break_nothing(ledger: Ledger) -> None:
    tell(ledger, DONE)
    for arrived in (call(is_taken=False), call(), call()):
        ledger.receive("a", arrived)
    check_callbacks(ledger)
    assert ledger.broken == []
    assert ledger.counts["callbacks: repeats after a delivery"] == 1


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([], "never delivered"),
        ([call(is_taken=False)], "never delivered"),
        ([call(), call(message_id="msg_b")], "several ids"),
        ([call(is_signed=False)], "does not verify"),
        ([call(body=json.dumps({"data": {**DONE, "state": 4}}).encode())], "but polls"),
    ],
)
def test_a_callback_that_breaks_a_promise_is_seen(ledger: Ledger, calls: list[Call], said: str) -> None:
    tell(ledger, DONE)
    ledger.calls["a"] = calls
    check_callbacks(ledger)
    assert len(ledger.broken) == 1
    assert said in ledger.broken[0]


def test_a_callback_of_a_task_that_nobody_made_is_seen(ledger: Ledger) -> None:
    tell(ledger, DONE)
    ledger.receive("a", call())
    ledger.receive("ghost", call(message_id="msg_ghost"))
    check_callbacks(ledger)
    assert ledger.broken == ["a callback names the task ghost, which nobody was told of"]


def test_two_tasks_with_one_callback_id_are_seen(ledger: Ledger) -> None:
    tell(ledger, DONE)
    other = Order(number=4, wish=WISH, way=Way.UPLOAD, sync=False, repeat=False)
    end = {**DONE, "task_id": "b"}
    ledger.acknowledge(other, WISH, end, asked_at=time.monotonic())
    ledger.receive("a", call())
    ledger.receive("b", call(body=json.dumps({"data": end}).encode()))
    check_callbacks(ledger)
    assert len(ledger.broken) == 1
    assert "share the callback id" in ledger.broken[0]
