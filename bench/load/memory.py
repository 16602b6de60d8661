"""The resident memory of a server's processes, read from /proc while something else goes on."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.running import Server

_EVERY_S = 0.05


def name_processes(server: Server) -> dict[str, int]:
    """Return the process ids of the tree by name: ``supervisor``, ``api``, ``worker 1``."""
    (api,) = server.children("api")
    workers = {f"worker {number}": pid for number, pid in enumerate(server.children("worker"), start=1)}
    return {"supervisor": server.pid, "api": api, **workers}


def read_rss_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the resident set of each process in megabytes of 2**20 bytes. A process that is gone is an error."""
    return {name: _read_mb(pid, "VmRSS") for name, pid in pids.items()}


def read_high_water_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the largest resident set that each process has had since it began, as the kernel counts it."""
    return {name: _read_mb(pid, "VmHWM") for name, pid in pids.items()}


def _read_mb(pid: int, field: str) -> float:
    found = re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("utf-8"))
    assert found is not None, f"process {pid} has ended"
    return round(int(found[1]) / 1024, 1)


def read_cpu_s(pid: int) -> tuple[float, float]:
    """Return the seconds that a process's threads have run on a core, and have waited for one while they could run.

    Threads that have ended are left out.
    """
    ran = waited = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            times = (thread / "schedstat").read_text("ascii").split()
            ran, waited = ran + int(times[0]), waited + int(times[1])
    return ran / 1e9, waited / 1e9


@contextlib.contextmanager
def watch_peaks(pids: Mapping[str, int]) -> Iterator[dict[str, float]]:
    """Sample every 50 ms; the dictionary holds the largest resident set of each process when the context ends."""
    peaks = read_rss_mb(pids)
    stop = threading.Event()
    failures: list[BaseException] = []

    def sample() -> None:
        try:
            while not stop.wait(_EVERY_S):
                for name, value in read_rss_mb(pids).items():
                    peaks[name] = max(peaks[name], value)
        except (OSError, AssertionError) as error:
            failures.append(error)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield peaks
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]
