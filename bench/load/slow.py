"""Clients that send slowly, beside others that want their photo."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

from bench.load.client import (
    CREATE_PATH,
    build_multipart,
    count_outcomes,
    create,
    describe_ms,
    make_photo,
    open_session,
    poll_steadily,
)
from bench.load.memory import name_processes, read_rss_mb
from tests.running import Server

CLIENTS = 100
_CALLS = 12
_FOR_S = 8.0


class _Drip:
    """One connection that sends pieces, one a second, and notes when the server ends it."""

    def __init__(self, server: Server, opening: bytes, piece: bytes) -> None:
        self._server, self._opening, self._piece = server, opening, piece
        self.lived_s: float | None = None
        """Seconds until the server answered or closed; None: it still listens."""

    async def run(self) -> None:
        """Send until cancelled or until the server has had enough."""
        address = urlsplit(self._server.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        started = time.monotonic()
        try:
            writer.write(self._opening)
            ended = asyncio.ensure_future(reader.read(1))
            while True:
                done, _ = await asyncio.wait({ended}, timeout=1.0)
                if done:
                    await asyncio.gather(ended, return_exceptions=True)
                    self.lived_s = time.monotonic() - started
                    return
                writer.write(self._piece)
        finally:
            writer.transport.abort()


async def measure_slow(server: Server, *, hold_s: float = 0.0) -> dict[str, Any]:
    """Make sync calls and polls, alone and then beside 100 slow uploads and 100 slow headers.

    ``hold_s``: keep the slow clients that long after that, to see when the server gives up on them.
    """
    photo = make_photo(1024, noise=2, quality=90)
    body, content_type = build_multipart(photo, {"size": "295x413", "format": "jpg", "sync": "1"})
    address = urlsplit(server.url).netloc
    head = f"POST {CREATE_PATH} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {server.key}\r\n"
    upload = f"{head}Content-Type: {content_type}\r\nContent-Length: {10 * 2**20}\r\n\r\n".encode() + body[:1024]
    drips = {
        "uploads": [_Drip(server, upload, b"\0" * 1024) for _ in range(CLIENTS)],
        "headers": [_Drip(server, b"GET / HTTP/1.1\r\nX-Slow: ", b"a") for _ in range(CLIENTS)],
    }
    pids = name_processes(server)
    async with open_session(server, connections=8) as session:

        async def call_normally() -> dict[str, Any]:
            answers = [await create(session, body, content_type) for _ in range(_CALLS)]
            ids = [answer.data["task_id"] for answer in answers if answer.outcome == "200"]
            polls, outcomes = await poll_steadily(session, ids, per_s=25, for_s=_FOR_S)
            return {
                "sync_ms": describe_ms([answer.seconds for answer in answers]),
                "sync_outcomes": count_outcomes(answers),
                "sync_done": sum(answer.data.get("state") == 1 for answer in answers),
                "poll_ms": describe_ms(polls),
                "poll_outcomes": outcomes,
            }

        alone = await call_normally()
        rss_before = read_rss_mb(pids)["api"]
        running = [asyncio.create_task(drip.run()) for kind in drips.values() for drip in kind]
        await asyncio.sleep(2)  # all have connected and sent something
        beside = await call_normally()
        rss_beside = read_rss_mb(pids)["api"]
        await asyncio.sleep(hold_s)
    for task in running:
        task.cancel()
    ends = await asyncio.gather(*running, return_exceptions=True)
    broken = [end for end in ends if isinstance(end, Exception)]
    if broken:
        raise broken[0]
    return {
        "slow_uploads": CLIENTS,
        "slow_headers": CLIENTS,
        "alone": alone,
        "beside_slow_clients": beside,
        "api_rss_mb": {"alone": rss_before, "beside_slow_clients": rss_beside},
        "ended_by_server": {
            kind: sorted(round(drip.lived_s) for drip in group if drip.lived_s is not None)
            for kind, group in drips.items()
        },
    }
