"""Servers that send without end or lie: what they cost is bounded in time and in memory."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import AsyncIterator, Iterator

import pytest

from idphoto.outbound import BodyTooLarge, DeliveryFailed, DownloadFailed, Outbound
from tests.integration.sites import serve_raw

MAX_BYTES = 100_000
MOST_MEMORY = 8_000_000
#: 50 MB in less than a kilobyte.
PACKED = gzip.compress(gzip.compress(bytes(50_000_000)))
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FLOODS = {
    "header lines": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1000),
    "one header line": (b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 8000),
    "a header name": (b"HTTP/1.1 200 OK\r\n", b"b" * 8000),
    "folded header lines": (b"HTTP/1.1 200 OK\r\nX-A: b\r\n", b" b\r\n" * 1000),
    "a status line": (b"HTTP/1.1 200 ", b"O" * 8000),
    "blank lines": (b"", b"\r\n" * 4000),
    "garbage": (b"", b"\xff\x00" * 4000),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 300),
    "early hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 200),
    "a chunk size": (_CHUNKED, b"0" * 8000),
    "a chunk extension": (_CHUNKED + b"1;a=", b"b" * 8000),
    "extensions of tiny chunks": (_CHUNKED, (b"1;" + b"x" * 4000 + b"\r\na\r\n") * 2),
    "trailers": (_CHUNKED + b"1\r\na\r\n0\r\n", b"X-A: b\r\n" * 1000),
    "tiny chunks": (_CHUNKED, b"1\r\na\r\n" * 1000),
    "a body of an error": (b"HTTP/1.1 404 No\r\n\r\n", b"a" * 8000),
    "a body of a redirect": (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", b"a" * 8000),
    "another protocol": (b"HTTP/1.1 101 Switch\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", b"a" * 8000),
}
_HELLO = b"HTTP/1.1 200 OK\r\n%s\r\n\r\nhello"


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    async with Outbound(["127.0.0.1/32"]) as client:
        yield client


@pytest.fixture
def memory() -> Iterator[None]:
    """Whatever the test does, its peak is bounded."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0 < peak < MOST_MEMORY


async def status_of(outbound: Outbound, url: str) -> int | None:
    try:
        return (await outbound.post(url, body=b"{}", headers={}, timeout_s=1)).status
    except DeliveryFailed:
        return None


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_ends_in_time_and_little_memory(outbound: Outbound, name: str) -> None:
    head, flood = FLOODS[name]
    async with serve_raw(head, flood=flood) as site:
        with pytest.raises((BodyTooLarge, DownloadFailed)):
            await outbound.download(site.url, max_bytes=MAX_BYTES, timeout_s=1)
        # A head is all that a callback needs: what comes after it may break the answer, and is never waited for.
        heads = {int(head.split()[1])} if b"\r\n\r\n" in head else set()
        assert await status_of(outbound, site.url) in {None, *heads}


@pytest.mark.parametrize(
    "answer",
    [
        _HELLO % b"Content-Length: 10",
        _HELLO % b"Content-Length: 4",
        _HELLO % b"Content-Length: -1",
        _HELLO % b"Content-Length: +5",
        _HELLO % b"Content-Length: 5, 6",
        _HELLO % b"Content-Length: 5\r\nContent-Length: 6",
        _HELLO % b"Content-Length: 99999999999999999999999",
        _HELLO % b"Content-Length: five",
        _CHUNKED + b"5\r\nhello\r\n",
        _CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
        _CHUNKED + b"fffffffffffffffff\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/9.9 200 OK\r\n\r\nhello",
        b"hello",
    ],
)
async def test_an_answer_that_lies_about_its_length_is_no_photo(outbound: Outbound, answer: bytes) -> None:
    async with serve_raw(answer) as site:
        with pytest.raises(DownloadFailed):
            await outbound.download(site.url, max_bytes=MAX_BYTES, timeout_s=5)


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x-unknown"])
async def test_a_compressed_body_is_never_unpacked(outbound: Outbound, coding: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(PACKED)}\r\n\r\n"
    async with serve_raw(head.encode() + PACKED) as site:
        assert await outbound.download(site.url, max_bytes=MAX_BYTES) == PACKED
