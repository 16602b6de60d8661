"""A receiver of callbacks that is not always well."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from chaos.ledger import Call, Ledger
from chaos.plan import Mood

#: Longer than the server waits for an answer.
_HANG_S = 12.0

Verify = Callable[[bytes, dict[str, str]], bool]


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class MoodyReceiver:
    """Listens on one port of 127.0.0.1; a context manager. Every call that arrives goes into the ledger."""

    def __init__(self, ledger: Ledger, verify: Verify) -> None:
        self._ledger = ledger
        self._verify = verify
        self._mood = Mood.WELL
        self._changed = threading.Event()
        self._listener: _Listener | None = None
        self._open(0)

    @property
    def url(self) -> str:
        """Its address, also while nobody is there."""
        return f"http://127.0.0.1:{self._port}"

    def set_mood(self, mood: Mood) -> None:
        """Change what it does from now on; who hangs is let go, without an answer."""
        self._mood = mood
        self._changed.set()
        self._changed = threading.Event()
        if mood is Mood.AWAY:
            self._close()
        elif self._listener is None:
            self._open(self._port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.set_mood(Mood.AWAY)

    def _open(self, port: int) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 30

            def do_POST(self) -> None:
                receiver._take(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Keep the output quiet."""

        self._listener = _Listener(("127.0.0.1", port), Handler)
        self._port = self._listener.server_address[1]
        threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None

    def _take(self, handler: BaseHTTPRequestHandler) -> None:
        mood, changed = self._mood, self._changed
        length = int(handler.headers["Content-Length"])
        body = handler.rfile.read(length)
        if len(body) < length:
            self._ledger.count("callbacks: cut off by a kill")
            handler.close_connection = True
            return
        headers = {name.lower(): value for name, value in handler.headers.items()}
        call = Call(
            message_id=headers.get("webhook-id", ""),
            body=body,
            is_signed=self._verify(body, headers),
            is_taken=mood is Mood.WELL,
        )
        self._ledger.receive(json.loads(body)["data"]["task_id"], call)
        self._ledger.count(f"callbacks: receiver {mood}")
        if mood is Mood.HANGS:
            changed.wait(_HANG_S)
        if mood in {Mood.WELL, Mood.FAILS}:
            try:
                handler.send_response(200 if mood is Mood.WELL else 500)
                handler.send_header("Content-Length", "0")
                handler.end_headers()
            except ConnectionError:
                self._ledger.count("callbacks: caller killed before the answer")
        else:
            handler.close_connection = True
