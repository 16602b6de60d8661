"""A connection of the HTTP server: uvicorn's, with bounds on what a client can make it hold.

uvicorn reads heads and trailers for as long and as large as they come, and waits for ever for a client that does not
read its reply or begins a request that it never ends. A few hundred such connections would take all of a process's
memory or file descriptors.
"""

from __future__ import annotations

import asyncio
import json

import httptools
from structlog.stdlib import get_logger
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Request line, headers and trailers together. A browser sends about 1 KB.
MAX_HEAD_BYTES = 32 * 1024
#: From a request's first byte, or the end of the reply before, to the end of its head.
HEAD_S = 10.0
#: How long a client may take nothing of a reply that waits for it.
STALLED_S = 60.0
#: Connections beyond this are refused. Each takes a file descriptor and some 100 KB at worst.
MAX_CONNECTIONS = 2000
#: Requests that wait on one connection for their turn. Browsers send none before they have a reply.
MAX_PIPELINED = 32

_RETRY_AFTER_S = 2
#: What each header takes beside its name and value.
_SEPARATORS = len(": \r\n")
_REASONS = {
    400: ("bad_http", "Bad Request", "This is no valid HTTP request."),
    408: ("head_too_slow", "Request Timeout", "The request's headers did not come in time."),
    431: ("head_too_large", "Request Header Fields Too Large", "The request's headers are too large."),
    503: ("too_many_connections", "Service Unavailable", "Too many connections are open: try again later."),
}


class BoundedProtocol(HttpToolsProtocol):
    """A connection whose heads have a size and a time, and whose replies have to be read.

    At any moment a request is in the application's hands, or a timer runs that will end the connection.
    """

    _head_bytes = 0
    #: Received in a row without completing anything: half a header, the extension of a chunk.
    _silent_bytes = 0
    _is_silent = True
    _is_in_head = False
    _head_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head, unless there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(503)
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and refuse what goes on for too long."""
        self._unset_keepalive_if_required()
        self._is_silent = True
        while data and not self.transport.is_closing():
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._decline_upgrade(data[upgrade.args[0] :])
            except httptools.HttpParserError:
                self._refuse(400)
            else:
                break
        self._silent_bytes = self._silent_bytes + len(data) if self._is_silent else 0
        if self._silent_bytes > MAX_HEAD_BYTES:
            self._refuse(431)
        self._watch()

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        super().on_message_begin()
        self._is_silent = False
        self._is_in_head = True
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Take the target, or a part of it."""
        super().on_url(url)
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers are counted and dropped, for nobody reads them."""
        self._is_silent = False
        if self._is_in_head:
            super().on_header(name, value)
        self._count_head(len(name) + len(value) + _SEPARATORS)

    def on_headers_complete(self) -> None:
        """Hand the request over, unless it is refused."""
        if self.transport.is_closing() or self.parser.should_upgrade():
            return
        self._is_in_head = False
        self._stop_head_timer()
        if len(self.pipeline) >= MAX_PIPELINED or sum(name == b"host" for name, _ in self.headers) > 1:
            self._refuse(400)
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass the body on, unless its request was refused."""
        self._is_silent = False
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note the end of a request, unless it was refused or goes on without its upgrade."""
        if not self.transport.is_closing() and not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on to the next request."""
        super().on_response_complete()
        self._watch()

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

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(431)

    def _decline_upgrade(self, rest: bytes) -> bytes:
        """Make the request one that asks for no other protocol, and return it with what follows its head.

        The parser ends a request at its wish for an upgrade and would take its body for the next one. Java's HTTP
        client wishes for HTTP/2 with each first request, and so does ``curl --http2``.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(400)
            return b""
        lines = [b"%s %s HTTP/%s" % (method, self.url, self.parser.get_http_version().encode())]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn sets it: what follows a request with "Connection: close" is no error.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"\r\n".join([*lines, b"", rest])

    def _is_replying(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _watch(self) -> None:
        """See to it that the connection ends if its client does nothing more, or too little."""
        waits = self._head_timer is None and self.timeout_keep_alive_task is None
        if waits and not self._is_replying() and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(HEAD_S, self._give_up_on_head)

    def _give_up_on_head(self) -> None:
        if self._is_in_head:
            self._refuse(408)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        if self.transport.is_closing():
            return
        self._stop_timers()
        code, reason, message = _REASONS[status]
        get_logger().info("connection_refused", status=status, code=code)
        if self._is_replying() and (self.pipeline or self.cycle.response_started):
            # Another reply is on its way: a second one in between would be taken for a part of it.
            self.transport.abort()
            return
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
