"""Real servers on loopback, and a name server, for the outbound client's tests."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult


@dataclass
class Site:
    """A server and what it saw."""

    url: str
    port: int
    connections: list[object] = field(default_factory=list)
    requests: list[web.BaseRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def serve(
    handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    *,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Site]:
    site = Site(url="", port=0)

    async def handle_and_note(request: web.BaseRequest) -> web.StreamResponse:
        site.requests.append(request)
        site.bodies.append(await request.read())
        return await handle(request)

    runner = web.ServerRunner(web.Server(handle_and_note), shutdown_timeout=0.1)
    await runner.setup()
    tcp = web.TCPSite(runner, host, 0, ssl_context=tls)
    await tcp.start()
    site.port = runner.addresses[0][1]
    site.url = f"{'https' if tls else 'http'}://{host}:{site.port}"
    try:
        yield site
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serve_raw(
    answer: bytes, *, host: str = "127.0.0.1", keep_open: bool = False, flood: bytes = b""
) -> AsyncIterator[Site]:
    """A server that answers every connection with these bytes, whatever it was asked, and then with a flood."""
    site = Site(url="", port=0)
    stop = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        site.connections.append(writer.get_extra_info("peername"))
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            while flood:
                writer.write(flood)
                await writer.drain()
            if keep_open:
                await stop.wait()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, host, 0)
    site.port = server.sockets[0].getsockname()[1]
    site.url = f"http://{host}:{site.port}"
    try:
        yield site
    finally:
        stop.set()
        server.close()
        await server.wait_closed()


class ScriptedResolver(AbstractResolver):
    """A name server in the hands of an attacker: a new answer at every look-up."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        addresses = self._answers.pop(0)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family or socket.AF_INET, proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        self._answers.clear()
