"""Connections that want to be held for ever, against the real server."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from idphoto import http_connection
from idphoto.http_connection import MAX_HEAD_BYTES, MAX_PIPELINED
from idphoto.http_server import StoppingServer

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
BIG = 64 * 1024 * 1024


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the number of bytes in the body; ``/big`` with many bytes, ``/early`` without reading."""
    if scope["type"] != "http":
        return
    size, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/big":
        for _ in range(BIG // 65536):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
    await send({"type": "http.response.body", "body": str(size).encode()})


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = StoppingServer(app, delay_s=0, grace_s=1, on_stop=lambda: None)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        thread.join()


def connect(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, timeout=30)


def read_all(client: socket.socket) -> bytes:
    """Read until the server closes the connection; the socket's timeout ends the test if it never does."""
    data = bytearray()
    while chunk := client.recv(65536):
        data += chunk
    return bytes(data)


def send_for_ever(client: socket.socket, data: bytes) -> None:
    """Send until the connection breaks; the test's own time limit ends it if it never does."""
    while True:
        client.sendall(data)


def check_refusal(answer: bytes, status: int, code: str) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert json.loads(body)["error"]["code"] == code


def test_a_request_is_served_and_the_next_one_on_the_same_connection(address: tuple[str, int]) -> None:
    with connect(address) as client:
        for _ in range(3):
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"b" * 200_000)
            answer = b""
            while b"200000" not in answer:
                answer += client.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK")


def test_a_large_head_is_refused_in_one_piece(address: tuple[str, int]) -> None:
    with connect(address) as client:
        client.sendall(GET + b"X-Big: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n")
        check_refusal(read_all(client), 431, "head_too_large")


@pytest.mark.parametrize("endless", [b"X-Small: aaaaaaaaaaaaaaaa\r\n", b"a" * 1000])
def test_a_head_without_an_end_is_refused(address: tuple[str, int], endless: bytes) -> None:
    with connect(address) as client:
        client.sendall(GET if endless.endswith(b"\n") else GET + b"X-Big: ")
        with pytest.raises(OSError, match=r"reset|pipe|abort"):
            send_for_ever(client, endless * 100)


def test_a_long_address_is_refused(address: tuple[str, int]) -> None:
    with connect(address) as client:
        client.sendall(b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        check_refusal(read_all(client), 431, "head_too_large")


def test_a_head_that_takes_too_long_is_refused(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "HEAD_S", 0.3)
    with connect(address) as client:
        client.sendall(GET)
        check_refusal(read_all(client), 408, "head_too_slow")
    with connect(address) as silent:
        assert read_all(silent) == b""


@pytest.mark.parametrize("many", [b"a:\r\n" * 15_000, b"a: b\r\n" * 12_000])
def test_many_small_headers_are_a_large_head(address: tuple[str, int], many: bytes) -> None:
    with connect(address) as client:
        client.sendall(GET + many + b"\r\n")
        check_refusal(read_all(client), 431, "head_too_large")


def test_a_large_body_before_it_makes_no_head_large(address: tuple[str, int]) -> None:
    body = b"b" * 2 * MAX_HEAD_BYTES
    with connect(address) as client:
        client.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body))
        time.sleep(0.1)
        client.sendall(body + GET[:20])
        time.sleep(0.1)
        client.sendall(GET[20:] + b"Connection: close\r\n\r\n")
        answer = read_all(client)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert str(len(body)).encode() in answer


@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize(
    ("start", "endless"),
    [(b"0\r\n", b"a:b\r\n"), (b"0\r\na:", b"b"), (b"0;a=", b"b"), (b"1;a=", b"b"), (b"0\r\n", b"b"), (b"", b"0")],
)
def test_what_follows_a_body_has_an_end_too(
    address: tuple[str, int], method: bytes, start: bytes, endless: bytes
) -> None:
    with connect(address) as client:
        client.sendall(method + b" / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + start)
        with pytest.raises(OSError, match=r"reset|pipe|abort"):
            send_for_ever(client, endless * 10_000)


def test_trailers_are_read_and_dropped(address: tuple[str, int]) -> None:
    with connect(address) as client:
        client.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 1\r\n\r\n")
        client.sendall(GET + b"Connection: close\r\n\r\n")
        answer = read_all(client)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"\r\n4\r\n" in answer


@pytest.mark.parametrize(
    ("request_", "more"),
    [
        (GET + b"\r\n", b"\r\n"),
        (GET + b"\r\n", b"GET"),
        (b"GET /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", b"b"),
        (b"POST /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nb"),
    ],
)
def test_after_a_reply_a_few_bytes_hold_no_connection(
    address: tuple[str, int], request_: bytes, more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connection, "HEAD_S", 0.5)
    with connect(address) as client:
        client.sendall(request_)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
        time.sleep(0.2)
        client.sendall(more)
        read_all(client)


@pytest.mark.parametrize("wish", [b"websocket", b"h2c", b"foo"])
@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_a_request_that_offers_another_protocol_is_served_as_it_is(
    address: tuple[str, int], wish: bytes, pieces: int
) -> None:
    # A body that would be a request of its own, were it taken for one.
    body = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    head = POST + b"Upgrade: %s\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n" % wish
    head += b"Content-Length: %d\r\n\r\n" % len(body)
    sent = {1: [head + body], 2: [head, body], 3: [head, body[:10], body[10:]]}[pieces]
    with connect(address) as client:
        for piece in sent:
            client.sendall(piece)
            time.sleep(0.1)
        client.sendall(GET + b"Connection: close\r\n\r\n")
        answer = read_all(client)
    assert answer.count(b"HTTP/1.1 ") == 2
    assert f"\r\n{len(body)}\r\n".encode() in answer


@pytest.mark.parametrize(
    "request_", [GET + b"Host: y\r\n\r\n", b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", b"no HTTP at all\r\n\r\n"]
)
def test_what_is_no_valid_request_is_refused(address: tuple[str, int], request_: bytes) -> None:
    with connect(address) as client:
        client.sendall(request_)
        check_refusal(read_all(client), 400, "bad_http")


def test_few_requests_may_wait_on_one_connection(address: tuple[str, int]) -> None:
    with connect(address) as client:
        client.sendall((GET + b"\r\n") * 10)
        client.sendall(GET + b"Connection: close\r\n\r\n")
        assert read_all(client).count(b"HTTP/1.1 200 OK") == 11
    with connect(address) as client:
        client.sendall((GET + b"\r\n") * 1000)
        answer = bytearray()
        with suppress(ConnectionResetError):
            while chunk := client.recv(65536):
                answer += chunk
    assert answer.count(b"HTTP/1.1 200 OK") <= MAX_PIPELINED + 1


def test_a_body_may_take_longer_than_a_head(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "HEAD_S", 0.2)
    with connect(address) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\n")
        for _ in range(4):
            time.sleep(0.15)
            client.sendall(b"b")
        assert b"\r\n4\r\n" in read_all(client)


def test_a_client_that_does_not_read_is_dropped(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "STALLED_S", 0.3)
    with connect(address) as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(1.0)
        assert len(read_all(client)) < BIG


def test_a_client_that_reads_gets_everything(address: tuple[str, int]) -> None:
    with connect(address) as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert read_all(client).count(b"x") >= BIG


def test_connections_beyond_the_limit_are_refused_until_others_end(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connection, "MAX_CONNECTIONS", 3)
    held = [connect(address) for _ in range(3)]
    for client in held:
        client.sendall(GET)
    # Connections are accepted in their order.
    with connect(address) as late:
        answer = read_all(late)
    check_refusal(answer, 503, "too_many_connections")
    assert b"Retry-After: " in answer
    for client in held:
        client.sendall(b"Connection: close\r\n\r\n")
        assert read_all(client).startswith(b"HTTP/1.1 200 OK")
        client.close()
    with connect(address) as client:
        client.sendall(GET + b"Connection: close\r\n\r\n")
        assert read_all(client).startswith(b"HTTP/1.1 200 OK")
