"""Requests to addresses that clients name: ``image_url`` and ``callback_url``.

A client must not be able to make this server talk to its own machine or its own network. The check that counts is made
on the address of every single connection, just before its socket exists: names, odd spellings of addresses, redirects
and names that change their address between two look-ups all pass through it. :meth:`Outbound.check_url` refuses the
obvious early.

Public addresses are reached on ports 80 and 443 only. A network that the operator allows is reached on any port.
Behind DNS64 every name without IPv6 resolves into 64:ff9b::/96, which is refused unless it is allowed.

::

    OutboundError
    ├── BadUrl              bad_url
    ├── AddressRefused      address_refused
    ├── DownloadFailed      download_failed
    ├── DeliveryFailed      delivery_failed
    └── BodyTooLarge        image_too_large

The docstring of a class is its message. No message holds the URL or tells a closed port from an open one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, ClassVar, Self, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from idphoto.addresses import IpAddress, is_public, read_address
from idphoto.names import GuardedResolver, SystemResolver

_AddrInfo: TypeAlias = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]

MAX_URL_LENGTH = 2048
MAX_REDIRECTS = 3
CONNECT_TIMEOUT_S = 3.0
PUBLIC_PORTS = frozenset({80, 443})
_AUTHORITY_END = re.compile(r"[/?#]")
_CHUNK_BYTES = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class OutboundError(Exception):
    """The request could not be made."""

    code: ClassVar[str] = "internal"

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class BadUrl(OutboundError):
    """This is not an http or https URL of at most 2048 characters."""

    code = "bad_url"


class AddressRefused(OutboundError):
    """This server does not connect to that address: use a public address, port 80 or 443 and no password in the URL."""

    code = "address_refused"


class DownloadFailed(OutboundError):
    """The image could not be downloaded: check that its URL opens without signing in and answers within 10 seconds."""

    code = "download_failed"


class DeliveryFailed(OutboundError):
    """The callback could not be delivered."""

    code = "delivery_failed"


class BodyTooLarge(OutboundError):
    """The image behind the URL is too large."""

    code = "image_too_large"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the receiver of a post said."""

    status: int
    retry_after_s: float | None = None
    """Seconds to wait as the receiver asked, 0 or more."""


class Outbound:
    """The only HTTP client of the server; an async context manager.

    Args:
        allow: Networks in CIDR notation that may be reached besides public addresses, on any port.
        resolver: Looks names up; the system's resolver by default.

    Raises:
        ValueError: one of ``allow`` is not a network.
    """

    def __init__(self, allow: Sequence[str] = (), *, resolver: AbstractResolver | None = None) -> None:
        self._allow = tuple(ipaddress.ip_network(network) for network in allow)
        self._resolver = resolver
        self._names: GuardedResolver | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._names = GuardedResolver(self._resolver or SystemResolver(), self._check_address)
        connector = aiohttp.TCPConnector(
            socket_factory=self._open_socket,
            resolver=self._names,
            use_dns_cache=False,
            happy_eyeballs_delay=None,  # in a race between addresses a refusal would be one loser of many
            force_close=True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "IDPhoto", "Accept-Encoding": "identity"},
            auto_decompress=False,  # the byte limit holds for what arrives, and images gain nothing from compression
            trust_env=False,  # a proxy would connect for us, past the check
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._names is not None:
            await self._names.close()
            self._names = None

    def check_url(self, url: str) -> None:
        """Refuse what can be seen to be wrong without any network.

        Raises:
            BadUrl: no http or https URL, too long, or with control characters or blanks around it.
            AddressRefused: a user name or password, a port or an IP address that is not allowed.
        """
        if len(url) > MAX_URL_LENGTH:
            raise BadUrl
        self._parse(url)

    async def download(self, url: str, *, max_bytes: int, timeout_s: float = 10.0) -> bytes:
        """Return the body behind an URL, following up to three redirects, never from https to http.

        Args:
            max_bytes: The largest body to accept.
            timeout_s: For everything together, in seconds.

        Raises:
            AddressRefused: the URL, or one it redirects to, is not allowed.
            BodyTooLarge: the body is larger than ``max_bytes``; no more than that was read.
            DownloadFailed: anything else: no such host, no answer in time, a status other than 200.
        """
        try:
            async with asyncio.timeout(timeout_s):
                target = self._parse(url)
                for _ in range(MAX_REDIRECTS + 1):
                    async with self._request("GET", target) as response:
                        if response.status not in _REDIRECTS:
                            return await _read(response, max_bytes)
                        target = self._follow(target, response.headers.get("Location", ""))
        except (aiohttp.ClientError, BadUrl, OSError, ValueError) as error:
            raise DownloadFailed from error
        raise DownloadFailed

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout_s: float = 10.0) -> Answer:
        """Post a body and return what the receiver said. Redirects are answers like any other, never followed.

        Raises:
            AddressRefused: the URL is not allowed.
            DeliveryFailed: there was no answer in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                async with self._request("POST", self._parse(url), data=body, headers=headers) as response:
                    return Answer(
                        status=response.status, retry_after_s=_read_retry_after(response.headers.get("Retry-After"))
                    )
        except (aiohttp.ClientError, BadUrl, OSError, ValueError) as error:
            raise DeliveryFailed from error

    @asynccontextmanager
    async def _request(
        self, method: str, url: URL, *, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("Outbound is used outside of its context.")
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S)
        async with self._session.request(
            method, url, data=data, headers=headers, allow_redirects=False, timeout=timeout
        ) as response:
            yield response

    def _follow(self, source: URL, location: str) -> URL:
        target = self._parse(str(source.join(_read_url(location))))
        if source.scheme == "https" and target.scheme != "https":
            raise DownloadFailed  # who asked for an encrypted photo gets no other
        return target

    def _parse(self, text: str) -> URL:
        if not text.isprintable() or text != text.strip():
            raise BadUrl
        url = _read_url(text)
        try:
            host, port = url.host, url.port
        except ValueError as error:
            raise BadUrl from error
        authority = _AUTHORITY_END.split(text.partition("//")[2], maxsplit=1)[0]
        if url.scheme not in {"http", "https"} or not host or port is None or " " in authority:
            raise BadUrl
        if "@" in authority:
            raise AddressRefused
        address = read_address(host)
        if address is not None:
            self._check_address(address, port)
        elif port not in PUBLIC_PORTS and not self._allow:
            raise AddressRefused
        return url

    def _check_address(self, address: IpAddress, port: int) -> None:
        plain = getattr(address, "ipv4_mapped", None) or address
        if any(plain in network for network in self._allow):
            return
        if port not in PUBLIC_PORTS or not is_public(address):
            raise AddressRefused

    def _open_socket(self, info: _AddrInfo) -> socket.socket:
        family, kind, protocol, _, (host, port, *_rest) = info
        self._check_address(ipaddress.ip_address(host), port)
        return socket.socket(family, kind, protocol)


def _read_url(text: str) -> URL:
    try:
        return URL(text)
    except (IndexError, ValueError) as error:  # IndexError: brackets in a user name before an empty host
        raise BadUrl from error


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    if response.status != 200:
        raise DownloadFailed
    if (response.content_length or 0) > max_bytes:
        raise BodyTooLarge
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            raise BodyTooLarge
    return bytes(body)


def _read_retry_after(value: str | None) -> float | None:
    """Read the header in both of its forms (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except (OverflowError, ValueError):  # OverflowError: a day or an hour of twenty digits
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
