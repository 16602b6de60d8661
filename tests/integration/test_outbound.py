"""The outbound client against real servers on loopback. 127.0.0.1 is allowed; 127.0.0.2 plays the private network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from idphoto.outbound import AddressRefused, Answer, BodyTooLarge, DeliveryFailed, DownloadFailed, Outbound
from tests.integration.sites import ScriptedResolver, serve, serve_raw

ALLOWED = ["127.0.0.1/32"]
MAX_BYTES = 100_000
WILD_DATES = [
    ("9" * 8000, float("inf")),
    ("Wed, 99999999999999999999 Oct 2015 07:28:00 GMT", None),
    ("Wed, 21 Oct 2015 99999999999999999999:28:00 GMT", None),
    ("Wed, 21 Oct 2015 07:28:00 +99999999999999999999", None),
]


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    async with Outbound(ALLOWED) as client:
        yield client


async def answer_hello(request: web.BaseRequest) -> web.Response:
    return web.Response(body=b"hello")


async def test_a_body_is_downloaded(outbound: Outbound) -> None:
    async with serve(answer_hello) as site:
        assert await outbound.download(f"{site.url}/a%2Fb?sig=x%2By%3D", max_bytes=5) == b"hello"
    assert site.requests[0].raw_path == "/a%2Fb?sig=x%2By%3D"


async def test_a_download_asks_for_no_compression_and_sends_no_cookies(outbound: Outbound) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=b"hello", headers={"Set-Cookie": "a=b"})

    async with serve(answer) as site:
        await outbound.download(site.url, max_bytes=5)
        await outbound.download(site.url, max_bytes=5)
    for request in site.requests:
        assert request.headers["Accept-Encoding"] == "identity"
        assert "Cookie" not in request.headers


async def test_a_compressed_body_is_not_blown_up(outbound: Outbound) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        response = web.Response(body=b"\0" * 1_000_000)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async with serve(answer) as site:
        body = await outbound.download(site.url, max_bytes=MAX_BYTES)
    assert body.startswith(b"\x1f\x8b")
    assert len(body) < 10_000


async def test_a_proxy_of_the_environment_is_not_used(outbound: Outbound, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(answer_hello) as site, serve_raw(b"", host="127.0.0.2") as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert await outbound.download(site.url, max_bytes=5) == b"hello"
    assert proxy.connections == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.2", "127.2", "0x7f.2", "2130706434", "0177.0.0.2", "[::ffff:127.0.0.2]", "127.0.0.2.", "localhost"],
)
async def test_a_private_address_never_sees_a_connection(host: str) -> None:
    async with serve_raw(b"", host="127.0.0.2") as site, serve_raw(b"", host="127.0.0.1") as local:
        port = local.port if host == "localhost" else site.port
        async with Outbound(["10.0.0.0/8"]) as outbound:
            with pytest.raises(AddressRefused):
                await outbound.download(f"http://{host}:{port}/", max_bytes=5)
            with pytest.raises(AddressRefused):
                await outbound.post(f"http://{host}:{port}/", body=b"{}", headers={})
    assert site.connections == local.connections == []


@pytest.mark.parametrize("host", ["photo.example", "١٢٧.0.0.2", "127.0.0.2%2e", "127.0.0.2.nip.example"])
async def test_a_name_that_leads_to_a_private_address_never_sees_a_connection(host: str) -> None:
    resolver = ScriptedResolver(["127.0.0.2"], ["127.0.0.2"])
    async with serve_raw(b"", host="127.0.0.2") as site, Outbound(ALLOWED, resolver=resolver) as outbound:
        with pytest.raises((AddressRefused, DownloadFailed)):
            await outbound.download(f"http://{host}:{site.port}/", max_bytes=5)
        with pytest.raises((AddressRefused, DeliveryFailed)):
            await outbound.post(f"http://{host}:{site.port}/", body=b"{}", headers={})
    assert site.connections == []


async def test_a_name_is_refused_when_its_first_address_is() -> None:
    resolver = ScriptedResolver(["127.0.0.2", "127.0.0.1"])
    async with serve_raw(b"", host="127.0.0.2") as site, Outbound(ALLOWED, resolver=resolver) as outbound:
        with pytest.raises(AddressRefused):
            await outbound.download(f"http://photo.example:{site.port}/", max_bytes=5)
    assert site.connections == []


async def test_a_name_that_changes_its_address_gains_nothing() -> None:
    resolver = ScriptedResolver(["127.0.0.1"], ["127.0.0.2"])
    async with (
        serve(answer_hello) as site,
        serve_raw(b"", host="127.0.0.2") as private,
        Outbound(ALLOWED, resolver=resolver) as outbound,
    ):
        assert await outbound.download(f"http://photo.example:{site.port}/", max_bytes=5) == b"hello"
        with pytest.raises(AddressRefused):
            await outbound.download(f"http://photo.example:{private.port}/", max_bytes=5)
    assert private.connections == []


async def test_an_open_and_a_closed_private_port_look_the_same() -> None:
    async with serve_raw(b"", host="127.0.0.2") as site:
        messages = []
        async with Outbound(ALLOWED) as outbound:
            for port in (site.port, 1):
                with pytest.raises(AddressRefused) as caught:
                    await outbound.download(f"http://127.0.0.2:{port}/", max_bytes=5)
                messages.append(str(caught.value))
    assert len(set(messages)) == 1


async def test_a_redirect_is_followed(outbound: Outbound) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/start":
            return web.Response(status=302, headers={"Location": "next?x=1#y"})
        return web.Response(body=request.path_qs.encode())

    async with serve(answer) as site:
        assert await outbound.download(f"{site.url}/start", max_bytes=100) == b"/next?x=1"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_a_private_address_is_refused(outbound: Outbound, status: int) -> None:
    async with serve_raw(b"", host="127.0.0.2") as private:

        async def answer(request: web.BaseRequest) -> web.Response:
            return web.Response(status=status, headers={"Location": f"{private.url}/"})

        async with serve(answer) as site:
            with pytest.raises(AddressRefused):
                await outbound.download(site.url, max_bytes=5)
    assert private.connections == []


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "data:image/png;base64,AAAA",
        "http://a@127.0.0.1/",
        "http://[::1",
        "http://0[1]@/",
    ],
)
async def test_a_redirect_to_what_is_no_plain_web_url_fails(outbound: Outbound, location: str) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    async with serve(answer) as site:
        with pytest.raises((AddressRefused, DownloadFailed)):
            await outbound.download(site.url, max_bytes=5)
    assert len(site.requests) == 1


async def test_a_redirect_loop_ends_after_three(outbound: Outbound) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=302, headers={"Location": "/again"})

    async with serve(answer) as site:
        with pytest.raises(DownloadFailed):
            await outbound.download(site.url, max_bytes=5)
    assert len(site.requests) == 4


async def test_a_redirect_without_a_target_ends(outbound: Outbound) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=302)

    async with serve(answer) as site:
        with pytest.raises(DownloadFailed):
            await outbound.download(site.url, max_bytes=5)


@pytest.mark.parametrize("status", [204, 206, 304, 400, 403, 404, 500, 503])
async def test_any_status_but_200_is_a_failed_download(outbound: Outbound, status: int) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status)

    async with serve(answer) as site:
        with pytest.raises(DownloadFailed):
            await outbound.download(site.url, max_bytes=5)


async def test_a_large_body_is_refused_by_its_announced_length(outbound: Outbound) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"
    async with serve_raw(head, keep_open=True) as site:
        with pytest.raises(BodyTooLarge):
            await outbound.download(site.url, max_bytes=MAX_BYTES)


async def test_a_body_that_hides_its_length_is_cut(outbound: Outbound) -> None:
    async with serve_raw(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MAX_BYTES + 1)) as site:
        with pytest.raises(BodyTooLarge):
            await outbound.download(site.url, max_bytes=MAX_BYTES)


async def test_an_endless_body_is_cut(outbound: Outbound) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(10_000))

    async with serve(answer) as site:
        with pytest.raises(BodyTooLarge):
            await outbound.download(site.url, max_bytes=MAX_BYTES)


async def test_a_body_of_just_the_limit_is_accepted(outbound: Outbound) -> None:
    async with serve_raw(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MAX_BYTES)) as site:
        assert len(await outbound.download(site.url, max_bytes=MAX_BYTES)) == MAX_BYTES


async def test_a_slow_drip_runs_into_the_time_limit(outbound: Outbound) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b".")
            await asyncio.sleep(0.02)

    async with serve(answer) as site:
        with pytest.raises(DownloadFailed):
            await outbound.download(site.url, max_bytes=MAX_BYTES, timeout_s=0.3)


async def test_a_silent_server_runs_into_the_time_limit(outbound: Outbound) -> None:
    async with serve_raw(b"", keep_open=True) as site:
        with pytest.raises(DownloadFailed):
            await outbound.download(site.url, max_bytes=MAX_BYTES, timeout_s=0.3)
        with pytest.raises(DeliveryFailed):
            await outbound.post(site.url, body=b"{}", headers={}, timeout_s=0.3)


@pytest.mark.parametrize(
    "answer",
    [b"", b"\x16\x03\x01", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", b"HTTP/1.1 200 OK\r\nBad\r\n\r\n"],
)
async def test_a_broken_answer_is_a_failed_download(outbound: Outbound, answer: bytes) -> None:
    async with serve_raw(answer) as site:
        with pytest.raises(DownloadFailed):
            await outbound.download(site.url, max_bytes=MAX_BYTES)


async def test_a_closed_port_is_a_failure_without_details(outbound: Outbound) -> None:
    async with serve_raw(b"") as site:
        pass
    with pytest.raises(DownloadFailed) as download:
        await outbound.download(f"{site.url}/secret-path", max_bytes=5)
    with pytest.raises(DeliveryFailed) as delivery:
        await outbound.post(f"{site.url}/secret-path", body=b"{}", headers={})
    for caught in (download, delivery):
        assert "secret-path" not in str(caught.value)
        assert str(site.port) not in str(caught.value)


async def test_an_unencrypted_port_does_not_answer_https(outbound: Outbound) -> None:
    async with serve(answer_hello) as site:
        with pytest.raises(DownloadFailed):
            await outbound.download(site.url.replace("http:", "https:"), max_bytes=5)


async def test_a_post_delivers_the_body_and_headers(outbound: Outbound) -> None:
    async with serve(answer_hello) as site:
        answer = await outbound.post(site.url, body=b'{"a":1}', headers={"content-type": "application/json", "x": "y"})
    assert answer == Answer(status=200)
    assert site.bodies == [b'{"a":1}']
    assert site.requests[0].headers["x"] == "y"
    assert site.requests[0].headers["content-type"] == "application/json"


async def test_a_post_does_not_follow_redirects(outbound: Outbound) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=307, headers={"Location": "/other"})

    async with serve(answer) as site:
        assert (await outbound.post(site.url, body=b"{}", headers={})).status == 307
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120.0), ("0", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None), ("-5", None), *WILD_DATES],
)
async def test_the_wish_for_a_later_try_is_read(outbound: Outbound, header: str, seconds: float | None) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": header})

    async with serve(answer) as site:
        assert await outbound.post(site.url, body=b"{}", headers={}) == Answer(status=503, retry_after_s=seconds)


async def test_nothing_is_sent_outside_of_the_context() -> None:
    with pytest.raises(RuntimeError):
        await Outbound(ALLOWED).download("http://127.0.0.1:1/", max_bytes=5)
