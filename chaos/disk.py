"""Two ways to make a disk full under a running server.

As root, the data folder is a tmpfs that is shrunk to what is in it: the kernel says ENOSPC, as a real disk does.
Without rights, the processes are forbidden to make files larger than nothing (RLIMIT_FSIZE): every write fails with
EFBIG.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tests.running import Server

_ROOMY = "size=4g"
_TRIES = 50


class Disk(Protocol):
    """A disk that can be made full."""

    name: str

    def fill(self, server: Server) -> None:
        """Let the server's writes fail from now on."""
        ...

    def free(self, server: Server) -> None:
        """Let them succeed again."""
        ...


class LimitedWrites:
    """Needs no rights: forbids the server's processes to write to files."""

    name = "RLIMIT_FSIZE (EFBIG)"

    def fill(self, server: Server) -> None:
        """Let the server's writes fail from now on."""
        self._limit(server, full=True)

    def free(self, server: Server) -> None:
        """Let them succeed again."""
        self._limit(server, full=False)

    def _limit(self, server: Server, *, full: bool) -> None:
        # The supervisor first: children that it starts from now on inherit its limit. Twice, for one that it was just
        # starting.
        for pid in 2 * [server.pid, *server.children("api"), *server.children("worker")]:
            with suppress(ProcessLookupError):  # it may die at any moment; its successor inherits
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (0 if full else hard, hard))


class SmallDisk:
    """A tmpfs of our own, mounted on the data folder."""

    name = "shrunk tmpfs (ENOSPC)"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fill(self, server: Server) -> None:
        """Let the server's writes fail from now on."""
        for _ in range(_TRIES):
            state = os.statvfs(self._folder)
            used = (state.f_blocks - state.f_bfree) * state.f_frsize
            try:
                # A few blocks are left, as on a real disk: some writes still succeed and others do not.
                _mount("-o", f"remount,size={used + 2 * state.f_frsize}", self._folder)
            except subprocess.CalledProcessError:
                continue  # the server has written more since it was measured
            return
        raise RuntimeError(f"{self._folder} could not be shrunk to what is in it")

    def free(self, server: Server) -> None:
        """Let them succeed again."""
        _mount("-o", f"remount,{_ROOMY}", self._folder)


@contextmanager
def open_disk(folder: Path, *, mount: bool) -> Iterator[Disk]:
    """Return the disk that the data folder is on: a tmpfs mounted there if wanted and permitted."""
    folder.mkdir()
    if not mount or os.geteuid() != 0:
        yield LimitedWrites()
        return
    try:
        _mount("-t", "tmpfs", "-o", f"{_ROOMY},mode=700", "tmpfs", folder)
    except subprocess.CalledProcessError:
        print("  Mounting is not permitted here, even to root: writes are limited instead.", flush=True)
        yield LimitedWrites()
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True)
