"""Metrics."""

from __future__ import annotations

from idphoto.metrics import Metrics
from idphoto.tasks.model import State


def test_a_state_without_tasks_is_shown_as_zero_again() -> None:
    metrics = Metrics()
    metrics.write(tasks={State.QUEUED: 3}, queue_depth=3, workers=2)
    text = metrics.write(tasks={State.DONE: 3}, queue_depth=0, workers=2).decode()
    assert 'idphoto_tasks{state="queued"} 0.0' in text
    assert 'idphoto_tasks{state="done"} 3.0' in text
    assert "idphoto_workers 2.0" in text


def test_invented_methods_share_one_series() -> None:
    metrics = Metrics()
    for method in ("BREW", "WHEN"):
        metrics.observe(method=method, route="/healthz", status=405, seconds=0.001)
    text = metrics.write(tasks={}, queue_depth=0, workers=0).decode()
    assert 'idphoto_http_requests_total{method="other",route="/healthz",status="405"} 2.0' in text
    assert "BREW" not in text


def test_two_apps_in_a_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.observe(method="GET", route="/healthz", status=200, seconds=0.001)
    assert "/healthz" not in other.write(tasks={}, queue_depth=0, workers=0).decode()
