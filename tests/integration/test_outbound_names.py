"""What name servers in the hands of attackers can do: nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from idphoto.names import MAX_ADDRESSES
from idphoto.outbound import AddressRefused, DeliveryFailed, DownloadFailed, Outbound
from tests.hostile_addresses import ADDRESSES
from tests.integration.sites import ScriptedResolver, serve, serve_raw


async def refusal_of(outbound: Outbound, url: str, *, post: bool = False) -> str:
    try:
        await (outbound.post(url, body=b"{}", headers={}) if post else outbound.download(url, max_bytes=5))
    except (AddressRefused, DownloadFailed, DeliveryFailed) as error:
        return error.code
    return "answered"


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_name_with_an_address_that_is_not_public_is_refused_when_connecting(address: str) -> None:
    # On a web port: a connection that was tried would fail as download_failed or delivery_failed.
    resolver = ScriptedResolver([address], [address], ["1.1.1.1", address])
    async with Outbound(resolver=resolver) as outbound:
        assert await refusal_of(outbound, "http://photo.example/") == "address_refused"
        assert await refusal_of(outbound, "http://photo.example/", post=True) == "address_refused"
        assert await refusal_of(outbound, "http://photo.example/") == "address_refused"


async def test_a_literal_is_checked_when_connecting_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two walls: this one stands though the first look at the URL saw nothing."""
    monkeypatch.setattr("idphoto.outbound.read_address", lambda _: None)
    literals = ("127.0.0.1", "0x7f.1", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0", "*")
    async with serve_raw(b"") as canary, Outbound(["127.0.0.2/32"]) as outbound:
        for host in literals:
            url = f"http://{host}:{canary.port}/"
            assert await refusal_of(outbound, url) in {"address_refused", "download_failed"}, host
            assert await refusal_of(outbound, url, post=True) in {"address_refused", "delivery_failed"}, host
        assert canary.connections == []
        async with Outbound(["127.0.0.1/32"]) as allowed:
            await refusal_of(allowed, f"{canary.url}/")
        assert canary.connections != []


async def test_a_redirect_to_a_name_that_changed_its_address_gains_nothing() -> None:
    async with serve_raw(b"", host="127.0.0.2") as private:

        async def answer(request: web.BaseRequest) -> web.Response:
            return web.Response(status=302, headers={"Location": f"http://photo.example:{private.port}/"})

        resolver = ScriptedResolver(["127.0.0.1"], ["127.0.0.2"])
        async with serve(answer) as site, Outbound(["127.0.0.1/32"], resolver=resolver) as outbound:
            assert await refusal_of(outbound, f"http://photo.example:{site.port}/") == "address_refused"
        assert (len(site.requests), private.connections) == (1, [])


@pytest.mark.parametrize("others", [["127.0.0.2"], ["10.0.0.1", "127.0.0.1"], ["::1"]])
async def test_a_refused_address_beside_it_does_not_show_whether_a_port_is_open(others: list[str]) -> None:
    """A name with an allowed address and a refused one: no connection, and one error for both kinds of port."""
    async with serve_raw(b"") as closed:
        pass
    async with serve_raw(b"garbage") as opened:
        resolver = ScriptedResolver(["127.0.0.1", *others], ["127.0.0.1", *others])
        async with Outbound(["127.0.0.1/32"], resolver=resolver) as outbound:
            for port in (opened.port, closed.port):
                assert await refusal_of(outbound, f"http://photo.example:{port}/") == "address_refused"
        assert opened.connections == []


async def test_only_the_first_addresses_of_a_name_are_tried() -> None:
    last = f"127.0.0.{MAX_ADDRESSES + 1}"
    async with serve_raw(b"HTTP/1.1 200 OK\r\n\r\nhello", host=last) as site:
        closed = [f"127.0.0.{number}" for number in range(1, MAX_ADDRESSES + 1)]
        resolver = ScriptedResolver([*closed, last], [*closed[1:], last])
        async with Outbound(["127.0.0.0/24"], resolver=resolver) as outbound:
            assert await refusal_of(outbound, f"http://photo.example:{site.port}/") == "download_failed"
            assert site.connections == []
            assert await refusal_of(outbound, f"http://photo.example:{site.port}/") == "answered"


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """Set at the end: what the look-ups of the next test wait for."""
    event = threading.Event()
    yield event
    event.set()


async def test_names_that_are_never_found_do_not_hold_up_the_threads_of_others(
    monkeypatch: pytest.MonkeyPatch, stuck: threading.Event
) -> None:
    """The one thing played here is the network's silence: look-ups that last until the test ends."""
    look_up = socket.getaddrinfo

    def look_up_or_hang(host: Any, *rest: Any, **more: Any) -> Any:
        if host == "slow.example":
            stuck.wait(60)
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_or_hang)
    async with Outbound() as outbound:
        tries = (outbound.download("http://slow.example/", max_bytes=5, timeout_s=0.3) for _ in range(40))
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert {type(result) for result in results} == {DownloadFailed}
        async with asyncio.timeout(10):
            assert await asyncio.to_thread(lambda: "free") == "free"
        stuck.set()
