"""What every reply gets: a request id, security headers, a log line, a count, and a client that can read it."""

from __future__ import annotations

import asyncio
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.stdlib import get_logger

from idphoto.api.errors import BodyTooSlow, answer_crash
from idphoto.metrics import Metrics

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: For every reply. Nothing but the page, which has a policy of its own, may load anything.
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
#: How much of a refused body is read and thrown away, and for how long, so that its sender gets to the reply.
_DRAIN_BYTES = 256 * 1024 * 1024
_DRAIN_S = 30.0
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestContext:
    """Gives each request an id (the client's own, if sane), logs and counts it, and adds headers to its reply.

    The id is in the scope's state as ``request_id``. Neither path nor query is logged, as file names are secrets.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.observe(method=scope["method"], route=route, status=status, seconds=seconds)
            # Probes come every few seconds for ever; they are counted above.
            tell = get_logger().debug if route in _PROBES else get_logger().info
            tell(
                "request",
                method=scope["method"],
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
                request_id=request_id,
            )


class BodyDrain:
    """Reads the rest of a body after an early reply.

    A refusal is often sent while its upload still comes in. Were the connection closed then, the kernel would reset
    it, and many clients would see a broken connection instead of the reply. So the end of the reply is held back
    until the body is over, or our patience is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        is_over = False
        is_asked = False
        is_too_slow = False

        async def watch_receive() -> Message:
            nonlocal is_asked, is_over
            is_asked = True
            message = await receive()
            is_over = is_over or not message.get("more_body", False)
            return message

        async def drain() -> None:
            left = _DRAIN_BYTES
            while not is_over and left > 0:
                left -= len((await watch_receive()).get("body", b""))

        async def send_then_drain(message: Message) -> None:
            nonlocal is_too_slow
            if message["type"] == "http.response.start":
                is_too_slow = message["status"] == BodyTooSlow.status
            is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
            # Whoever waits for "100 Continue" has not begun to send; asking for the body now would make them.
            is_waiting = "expect" in Headers(scope=scope) and not is_asked
            if not is_last or is_over or is_waiting or is_too_slow:
                await send(message)
                return
            await send({**message, "more_body": True})
            try:
                async with asyncio.timeout(_DRAIN_S):
                    await drain()
            except TimeoutError:
                get_logger().info("drain_timed_out", request_id=scope["state"]["request_id"])
            await send({"type": "http.response.body"})

        await self._app(scope, watch_receive, send_then_drain)


class CrashGuard:
    """Answers what nobody foresaw with 500.

    The framework's own handler raises the error again after its reply, and the server then drops the connection
    that the client has just been told it may use again.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        has_started = False

        async def watch_send(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, watch_send)
        except Exception as error:
            # Half a reply cannot be taken back: dropping the connection is then the only honest end.
            if has_started or scope["type"] != "http":
                raise
            await answer_crash(Request(scope), error)(scope, receive, send)
