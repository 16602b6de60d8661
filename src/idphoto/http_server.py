"""The HTTP server: uvicorn with bounds on what it leaves open, and a stop that says so first.

uvicorn reads a request's head for as long and as large as it comes, and waits for ever for a client that does not read
its reply. A few hundred such connections would take all of a process's memory or file descriptors.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from structlog.stdlib import get_logger
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Request line and headers together. A browser sends about 1 KB.
MAX_HEAD_BYTES = 32 * 1024
#: From a request's first byte, or a connection's beginning, to the end of its head.
HEAD_S = 10.0
#: How long a client may take nothing of a reply that waits for it.
STALLED_S = 60.0
#: Connections beyond this are refused. Each takes a file descriptor and some 100 KB at worst.
MAX_CONNECTIONS = 2000

_KEEP_ALIVE_S = 5
#: Descriptors for the database, files that are being sent and spooled uploads, beside the connections.
_OTHER_FILES = 3 * MAX_CONNECTIONS
_RETRY_AFTER_S = 2
_REASONS = {
    408: ("head_too_slow", "Request Timeout", "The request's headers did not come in time."),
    431: ("head_too_large", "Request Header Fields Too Large", "The request's headers are too large."),
    503: ("too_many_connections", "Service Unavailable", "Too many connections are open: try again later."),
}


class BoundedProtocol(HttpToolsProtocol):
    """A connection whose heads have a size and a time, and whose replies have to be read."""

    _head_bytes = 0
    _is_in_head = True
    _head_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head, unless there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(503)
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and refuse a head that goes on for too long."""
        super().data_received(data)
        if self._is_in_head and self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431)

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        super().on_message_begin()
        self._is_in_head = True
        self._await_head()

    def on_headers_complete(self) -> None:
        """Note that the head is over, and refuse a large one that came in one piece."""
        self._stop_head_timer()
        self._is_in_head = False
        self._head_bytes = 0
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD_BYTES:
            self._refuse(431)
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass the body on, unless its head was refused."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note the end of a request, unless its head was refused."""
        if not self.transport.is_closing():
            super().on_message_complete()

    def pause_writing(self) -> None:
        """Give the client some time to read."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that the client has read."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        super().resume_writing()

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_bytes = 0
            self._head_timer = self.loop.call_later(HEAD_S, self._give_up_on_head)

    def _give_up_on_head(self) -> None:
        if self._head_bytes:
            self._refuse(408)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        self._stop_timers()
        code, reason, message = _REASONS[status]
        get_logger().info("connection_refused", status=status, code=code)
        error = {"message": message, "type": "server_error" if status == 503 else "invalid_request", "code": code}
        body = json.dumps({"status": status, "message": message, "error": error}).encode()
        retry = f"Retry-After: {_RETRY_AFTER_S}\r\n" if status == 503 else ""
        self.transport.write(
            f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n{retry}"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        self.transport.close()

    def _stop_timers(self) -> None:
        self._stop_head_timer()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


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
