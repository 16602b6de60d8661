"""Downloads over TLS through the running server. 127.0.0.2 is a site that the operator allowed, with a certificate."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.integration.sites import serve
from tests.running import Server

SITE = "127.0.0.2"


def make_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return the file of a certificate that vouches for itself, and what a server of it needs."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName=IP:{SITE}"]
    subprocess.run([*command, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return make_certificate(tmp_path_factory.mktemp("trusted"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, trusted: tuple[Path, ssl.SSLContext]) -> Iterator[Server]:
    settings = {"IDPHOTO_OUTBOUND_ALLOW": f"{SITE}/32", "SSL_CERT_FILE": str(trusted[0])}
    running = Server(tmp_path_factory.mktemp("https"), settings).start()
    yield running
    assert running.stop() == 0


async def end_of(server: Server, url: str) -> int:
    answer = await asyncio.to_thread(lambda: server.create(None, image_url=url, size="300x400"))
    ended = await asyncio.to_thread(server.wait_for_end, answer.json()["data"]["task_id"])
    state: int = ended["state"]
    return state


async def test_a_redirect_does_not_leave_https(server: Server, trusted: tuple[Path, ssl.SSLContext]) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/photo":
            return web.Response(body=b"no photo")
        return web.Response(status=302, headers={"Location": targets[request.path]})

    async with serve(answer, host=SITE, tls=trusted[1]) as safe, serve(answer, host=SITE) as plain:
        targets = {"/stay": "/photo", "/up": f"{safe.url}/photo", "/down": f"{plain.url}/photo"}
        assert await end_of(server, f"{safe.url}/stay") == -7
        assert await end_of(server, f"{plain.url}/up") == -7
        assert await end_of(server, f"{safe.url}/down") == -3
    assert [request.path for request in plain.requests] == ["/up"]


async def test_a_certificate_that_nobody_vouches_for_is_refused(server: Server, tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=b"no photo")

    async with serve(answer, host=SITE, tls=make_certificate(tmp_path)[1]) as site:
        assert await end_of(server, f"{site.url}/photo") == -3
    assert site.requests == []
