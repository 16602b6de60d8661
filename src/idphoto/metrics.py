"""Prometheus metrics of the API process, and of the database as seen at a scrape."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from idphoto.tasks.model import State

_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"})


class Metrics:
    """A registry of its own, so that two apps in one process do not share counts."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "idphoto_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "idphoto_http_request_seconds", "Time to answer.", ("method", "route"), registry=self._registry
        )
        self._tasks = Gauge("idphoto_tasks", "Tasks that have not expired.", ("state",), registry=self._registry)
        self._queue = Gauge("idphoto_queue_depth", "Jobs that are not finished.", registry=self._registry)
        self._workers = Gauge("idphoto_workers", "Workers that are alive.", registry=self._registry)

    def observe(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request. ``route`` is the template, never the path that was asked for."""
        # A client may invent methods; each would become a time series.
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def write(self, *, tasks: Mapping[State, int], queue_depth: int, workers: int) -> bytes:
        """Return the exposition text, with what the database says now."""
        for state in State:
            self._tasks.labels(state.name.lower()).set(tasks.get(state, 0))
        self._queue.set(queue_depth)
        self._workers.set(workers)
        return generate_latest(self._registry)
