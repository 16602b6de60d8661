"""`idphoto serve`: one API process and N workers, restarted when they die, stopped together.

The supervisor owns what must outlive a child: the listening socket (a restarting API refuses no connection), the
wake-up channels and the lock on the data folder. It never touches a photo.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import structlog

from idphoto import wake
from idphoto.settings import Settings

#: The child's number of the listening socket's file descriptor.
LISTEN_VARIABLE = "IDPHOTO_LISTEN_FD"
#: The child's supervisor; a child without it was started by hand.
SUPERVISOR_VARIABLE = "IDPHOTO_SUPERVISOR_PID"

_PR_SET_PDEATHSIG = 1
_BACKOFF_S = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
#: A child that lived this long was healthy: its next death starts the back-off anew.
_HEALTHY_S = 30.0
_BACKLOG = 1024
#: How much later than the grace a child is killed.
_KILL_SLACK_S = 2.0

log = structlog.get_logger()


class AlreadyRunning(Exception):
    """Another server uses this data folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"Another IDPhoto server uses {folder}: stop it, or choose another folder with --data-dir.")


class AddressTaken(Exception):
    """Another program listens on the address."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"Cannot listen on {host}:{port} ({reason}): choose another port with --port.")


def die_with_supervisor() -> None:
    """Let the kernel end this process when its supervisor dies, however it dies. Called by a child as it starts."""
    parent = os.environ.get(SUPERVISOR_VARIABLE)
    if parent is None:
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it died before the call above
        sys.exit(1)


@contextlib.contextmanager
def lock_data_dir(folder: Path) -> Iterator[None]:
    """Hold the data folder's lock; the kernel releases it when this process ends.

    Raises:
        AlreadyRunning: another process holds it.
    """
    # Photos of people lie in it, under names that are secrets.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(folder) from None
        yield


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; port 0 takes a free one.

    Raises:
        AddressTaken: the address cannot be used.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise AddressTaken(host, port, error.strerror or str(error)) from error


class Supervisor:
    """Runs the children until it is told to stop."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._hub = wake.WakeHub(1 + settings.workers)
        self._stopping = asyncio.Event()

    async def run(self, on_started: Callable[[], object]) -> None:
        """Start everything, call ``on_started`` once, and return when all children are gone after SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        listen_fd = self._listener.fileno()
        roles = [("api", 0, (listen_fd,))] + [("worker", 1 + n, ()) for n in range(self._settings.workers)]
        keepers = [asyncio.create_task(self._keep(role, index, fds)) for role, index, fds in roles]
        on_started()
        stopping = asyncio.create_task(self._stopping.wait())
        # A keeper ends before the stop only by an error: then all end, for whoever runs us to start us again.
        await asyncio.wait({stopping, *keepers}, return_when=asyncio.FIRST_COMPLETED)
        self._stopping.set()
        # The API process has the socket too, for as long as it serves. Kept here, it would take connections that nobody
        # answers.
        self._listener.close()
        await asyncio.gather(*keepers)

    async def _keep(self, role: str, index: int, fds: Sequence[int]) -> None:
        """Run one child, again and again, until the supervisor stops."""
        deaths = 0
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            started = loop.time()
            try:
                code = await self._watch(await self._start(role, index, fds))
            except OSError as error:
                # No memory or no process to be had, which can pass.
                log.warning("child_not_started", role=role, index=index, error=type(error).__name__)
                code = None
            if self._stopping.is_set():
                return
            deaths = 0 if loop.time() - started > _HEALTHY_S else deaths + 1
            pause = _BACKOFF_S[min(deaths, len(_BACKOFF_S)) - 1] if deaths else 0.0
            log.warning("child_died", role=role, index=index, exit_code=code, restart_in_s=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _start(self, role: str, index: int, fds: Sequence[int]) -> asyncio.subprocess.Process:
        environment = {
            **os.environ,
            **_settings_environment(self._settings),
            SUPERVISOR_VARIABLE: str(os.getpid()),
            wake.VARIABLE: self._hub.env_for(index),
        }
        if fds:
            environment[LISTEN_VARIABLE] = str(fds[0])
        # A session of its own: Ctrl-C reaches the supervisor alone, which then stops the children in order.
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "idphoto",
            role,
            env=environment,
            pass_fds=(*fds, *self._hub.fds_for(index)),
            stdin=asyncio.subprocess.DEVNULL,
            process_group=0,
        )

    async def _watch(self, child: asyncio.subprocess.Process) -> int:
        """Wait for the child's end; when the supervisor stops, ask it to end and then make it."""
        ended = asyncio.create_task(child.wait())
        stop = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not ended.done():
            child.terminate()
            # The child keeps to the grace by itself; this is for one that hangs.
            grace = self._settings.stop_grace_s + _KILL_SLACK_S
            done, _ = await asyncio.wait({ended}, timeout=grace)
            if not done:
                log.warning("child_killed", pid=child.pid, after_s=grace)
                child.kill()
        return await ended


def _settings_environment(settings: Settings) -> dict[str, str]:
    """Hand the children the settings that the command line may have changed."""
    changed = {
        "DATA_DIR": settings.data_dir.resolve(),
        "MODELS_DIR": settings.models_dir.resolve(),
        "HOST": settings.host,
        "PORT": settings.port,
        "WORKERS": settings.workers,
    }
    return {f"IDPHOTO_{name}": str(value) for name, value in changed.items()}
