"""Look-ups of names that strangers chose."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

from idphoto.addresses import IpAddress

#: Tried one after the other until one answers. More of them would let a name send us around the internet.
MAX_ADDRESSES = 8
#: One for each download and each delivery that the server makes at a time.
_THREADS = 64


class SystemResolver(AbstractResolver):
    """The system's resolver, in threads of its own.

    A look-up cannot be stopped: against a name server that does not answer it holds its thread for half a minute. In
    the threads that the whole process shares, a few such names would stand in the way of every upload.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name in the order of the system's preference.

        Raises:
            OSError: the name was not found.
        """
        look_up = partial(
            socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Forget what has not begun; what has ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """Refuses a name when any of its addresses is refused, before the first one is tried.

    Otherwise a name with one address to test and a refused one after it would tell by its error whether the first
    took a connection.

    Args:
        check: Raises for an address and port that may not be reached.
    """

    def __init__(self, inner: AbstractResolver, check: Callable[[IpAddress, int], None]) -> None:
        self._inner = inner
        self._check = check

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the first addresses of a name, all of its addresses checked."""
        found = await self._inner.resolve(host, port, family)
        for result in found:
            self._check(ipaddress.ip_address(result["host"]), port)
        return found[:MAX_ADDRESSES]

    async def close(self) -> None:
        """Close the resolver within."""
        await self._inner.close()
