"""The HTTP server: uvicorn with bounded connections, and a stop that says so first."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from idphoto.http_connection import MAX_CONNECTIONS, BoundedProtocol

_KEEP_ALIVE_S = 5
#: Descriptors for the database, files that are being sent and spooled uploads, beside the connections.
_OTHER_FILES = 3 * MAX_CONNECTIONS


class StoppingServer(uvicorn.Server):
    """A server that goes on for a moment after the first signal, so that load balancers see it coming."""

    def __init__(self, app: ASGIApp, *, delay_s: float, grace_s: float, on_stop: Callable[[], object]) -> None:
        """Make the server.

        Args:
            app: what it serves.
            delay_s: seconds from the first SIGTERM or SIGINT to the end of accepting.
            grace_s: seconds from then on that open requests have.
            on_stop: called in the event loop at the first signal.
        """
        super().__init__(
            uvicorn.Config(
                app,
                http=BoundedProtocol,
                ws="none",
                access_log=False,  # paths of results are secrets; the application logs routes
                log_config=None,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=max(1, round(grace_s)),
            )
        )
        self._delay_s = delay_s
        self._on_stop = on_stop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopping = False

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until stopped."""
        self._loop = asyncio.get_running_loop()
        _raise_file_limit()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; at the second signal at once."""
        if self._is_stopping or self._loop is None:
            super().handle_exit(sig, frame)
            return
        self._is_stopping = True
        # Signal handlers run between any two instructions of the loop's thread.
        self._loop.call_soon_threadsafe(self._begin_to_stop, sig)

    def _begin_to_stop(self, sig: int) -> None:
        self._on_stop()
        finish: Callable[..., Any] = super().handle_exit
        asyncio.get_running_loop().call_later(self._delay_s, finish, sig, None)


def _raise_file_limit() -> None:
    """Raise this process's limit of open files as far as it needs, or may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
