"""Carries the plan's faults out on a running server and on the receiver."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Queue

import requests

from chaos.disk import Disk
from chaos.ledger import Ledger
from chaos.plan import Fault, Mood, ReceiverFault, ServerFault
from chaos.receiver import MoodyReceiver
from tests.running import Server

_WELL_AGAIN_S = 60.0
_GONE_S = 10.0
#: Share of the tree's kills that hit the supervisor only.
_SUPERVISOR_ALONE = 0.5
_PAUSE_S = 0.05
_BUSY_S = 3.0
_GLANCE_S = 0.001


class ServerFaults:
    """Does one fault at a time; the server is ready again when it is over, or a promise is broken."""

    def __init__(self, server: Server, disk: Disk, ledger: Ledger) -> None:
        self._server = server
        self._disk = disk
        self._ledger = ledger
        self._acts: dict[Fault, Callable[[ServerFault], None]] = {
            Fault.WORKER: self._kill_worker,
            Fault.API: self._kill_api,
            Fault.CHILDREN: self._kill_children,
            Fault.TREE: self._kill_tree,
            Fault.RESTART: self._restart,
            Fault.FREEZE: self._freeze,
            Fault.DISK: self._fill_disk,
        }

    def do(self, fault: ServerFault) -> None:
        """Carry a fault out and wait until the server is ready."""
        self._acts[fault.fault](fault)
        self._ledger.count(f"faults: {fault.fault}")
        if fault.fault is not Fault.WORKER:  # the others are expected to bear it, also if the next one comes at once
            self._await_ready(fault.fault)

    def _kill_worker(self, fault: ServerFault) -> None:
        worker = self._choose_worker(fault)
        if fault.before % 2:  # half of them in the middle of the end, the others anywhere
            self._await_result()
        _signal(worker, signal.SIGKILL)

    def _kill_api(self, fault: ServerFault) -> None:
        for pid in self._server.children("api"):
            _signal(pid, signal.SIGKILL)

    def _kill_children(self, fault: ServerFault) -> None:
        for pid in [*self._server.children("worker"), *self._server.children("api")]:
            _signal(pid, signal.SIGKILL)

    def _kill_tree(self, fault: ServerFault) -> None:
        children = [*self._server.children("worker"), *self._server.children("api")]
        if fault.choice < _SUPERVISOR_ALONE:
            _signal(self._server.pid, signal.SIGKILL)  # the children have to follow by themselves
        else:
            self._server.kill_tree()
        deadline = time.monotonic() + _GONE_S
        while any(_is_alive(pid) for pid in children):
            if time.monotonic() > deadline:
                self._ledger.accuse(f"children outlived their supervisor by {_GONE_S:g} s")
                break
            time.sleep(_PAUSE_S)
        self._server.kill_tree()  # what is left of it
        self._server.start()

    def _restart(self, fault: ServerFault) -> None:
        asked_at = time.monotonic()
        try:
            code = self._server.stop()
        except subprocess.TimeoutExpired:
            self._ledger.accuse("the server did not stop within 60 s of SIGTERM")
            self._server.kill_tree()
        else:
            self._ledger.note_longest("longest stop after SIGTERM, ms", time.monotonic() - asked_at)
            if code != 0:
                self._ledger.accuse(f"the server ended with exit code {code} after SIGTERM")
        self._server.start()

    def _freeze(self, fault: ServerFault) -> None:
        worker = self._choose_worker(fault)
        self._await_result()
        _signal(worker, signal.SIGSTOP)
        time.sleep(fault.seconds)
        _signal(worker, signal.SIGCONT)

    def _await_result(self) -> None:
        """Return when some worker has just stored a result and is about to tell, or nothing happens.

        A worker that is frozen earlier finds its lease lost before it has anything to write.
        """
        folder = self._server.data_dir / "files" / "results"
        known = _count_files(folder)
        deadline = time.monotonic() + _BUSY_S
        while _count_files(folder) <= known and time.monotonic() < deadline:
            time.sleep(_GLANCE_S)

    def _fill_disk(self, fault: ServerFault) -> None:
        self._disk.fill(self._server)
        time.sleep(fault.seconds)
        self._disk.free(self._server)

    def _choose_worker(self, fault: ServerFault) -> int:
        """Return a worker's process id; waits for one when all have just been killed."""
        deadline = time.monotonic() + _WELL_AGAIN_S
        while not (workers := self._server.children("worker")):
            if time.monotonic() > deadline:
                raise AssertionError(f"no worker was started within {_WELL_AGAIN_S:g} s")
            time.sleep(_PAUSE_S)
        return workers[int(fault.choice * len(workers))]

    def _await_ready(self, fault: Fault) -> None:
        deadline = time.monotonic() + _WELL_AGAIN_S
        while time.monotonic() < deadline:
            with suppress(requests.RequestException):  # it may still be starting
                if requests.get(f"{self._server.url}/readyz", timeout=10).status_code == 200:
                    return
            time.sleep(_PAUSE_S)
        self._ledger.accuse(f"not ready {_WELL_AGAIN_S:g} s after: {fault}")


class Stagehand:
    """A thread that carries one kind of fault out, in order. Whoever hands one over waits until the last is done."""

    def __init__(self) -> None:
        self._waiting: Queue[Callable[[], None] | None] = Queue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def hand(self, act: Callable[[], None]) -> None:
        """Begin the act in its thread, after the ones before."""
        self._waiting.join()
        self._raise()
        self._waiting.put(act)

    def finish(self) -> None:
        """Return when everything is done.

        Raises:
            RuntimeError: an act failed: the chaos test itself is broken.
        """
        self._waiting.join()
        self._waiting.put(None)
        self._thread.join()
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise RuntimeError("a fault could not be carried out") from self._error

    def _run(self) -> None:
        while (act := self._waiting.get()) is not None:
            try:
                act()
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
                self._error = error
            finally:
                self._waiting.task_done()


def spoil_receiver(receiver: MoodyReceiver, ledger: Ledger, fault: ReceiverFault) -> None:
    """Let the receiver be unwell for a phase."""
    receiver.set_mood(fault.mood)
    ledger.count(f"receiver: {fault.mood}")
    time.sleep(fault.seconds)
    receiver.set_mood(Mood.WELL)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it ended by itself since it was looked up
        os.kill(pid, number)


def _count_files(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir()) if folder.exists() else 0


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
