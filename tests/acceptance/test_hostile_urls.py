"""Addresses that lead into the server's own machine, through the running server as it comes.

A listener on this machine stands for what must not be reached. The last test shows that it would have noticed.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import requests

from tests.running import Server

# Spellings of this machine, of its networks, and of what else must not be reached. {port} is the listener's.
HOSTILE = (
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}",
    "https://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://localhost.localdomain:{port}/",
    "http://ip6-localhost:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.255.255.254:{port}/",
    "http://0x7f.1:{port}/",
    "http://0x7f000001:{port}/",
    "http://0X7F.0X0.0X0.0X1:{port}/",
    "http://2130706433:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://00000000177.0.0.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0.0.0.0.:{port}/",
    "http://[::]:{port}/",
    "http://[::1]:{port}/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[fec0::1]:{port}/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://100.100.100.200/latest/meta-data/",
    "http://100.64.0.1/",
    "http://10.0.0.1:{port}/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://198.18.0.1/",
    "http://192.0.2.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://１２７.0.0.1:{port}/",
    "http://127。0。0。1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://user:password@127.0.0.1:{port}/",
    "http://photo.example:80@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@photo.example/",
    "http://photo.example\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@photo.example/",
    "http://127.0.0.1:{port}?@photo.example/",
    "http:///127.0.0.1:{port}/",
    "http:127.0.0.1:{port}",
    "//127.0.0.1:{port}/",
    "http://photo.example/\r\nHost: 127.0.0.1:{port}",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_GET%20/",
    "ftp://127.0.0.1:{port}/",
    "dict://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock",
    "data:image/png;base64,iVBORw0KGgo=",
)


@dataclass
class Canary:
    """What has connected to a listener of this machine, on IPv4 and IPv6."""

    port: int
    seen: list[object] = field(default_factory=list)


@contextmanager
def run_canary() -> Iterator[Canary]:
    listeners = [socket.create_server(("127.0.0.1", 0))]
    port = listeners[0].getsockname()[1]
    if socket.has_ipv6:
        listeners.append(socket.create_server(("::1", port), family=socket.AF_INET6))
    canary = Canary(port)

    def listen(listener: socket.socket) -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:  # closed: the test is over
                return
            canary.seen.append(address)
            connection.close()

    threads = [threading.Thread(target=listen, args=(listener,), daemon=True) for listener in listeners]
    for thread in threads:
        thread.start()
    try:
        yield canary
    finally:
        for listener in listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


@pytest.fixture(scope="module")
def closed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may reach public addresses only, as it comes."""
    server = Server(tmp_path_factory.mktemp("server"), {"IDPHOTO_OUTBOUND_ALLOW": ""}).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    with run_canary() as running:
        yield running


def test_no_image_url_reaches_this_machine(closed_server: Server, canary: Canary) -> None:
    assert len(HOSTILE) >= 40
    for hostile in HOSTILE:
        url = hostile.replace("{port}", str(canary.port))
        answer = closed_server.create(None, {"image_url": url, "sync": "1"})
        if answer.status_code == 400:
            assert answer.json()["error"]["code"] == "bad_image_url", url
            continue
        data = answer.json()["data"]
        assert (answer.status_code, data["state"]) == (200, -3), url
        assert data["err_info"].split(":")[0] in {"address_refused", "download_failed"}, url
    assert canary.seen == []


def test_no_callback_reaches_this_machine(closed_server: Server, canary: Canary) -> None:
    accepted = []
    for hostile in HOSTILE:
        url = hostile.replace("{port}", str(canary.port))
        answer = closed_server.create(b"no image", {"callback_url": url, "sync": "1"})
        if answer.status_code == 400:
            assert answer.json()["error"]["code"] == "bad_callback_url", url
        else:
            # A name that has to be looked up first: it is refused when it has an address.
            accepted.append((url, answer.json()["data"]["task_id"]))
    assert len(accepted) <= 3, accepted
    for url, task_id in accepted:
        deadline = time.monotonic() + 30
        while not (tries := _list_tries(closed_server, task_id)):
            assert time.monotonic() < deadline, url
            time.sleep(0.05)
        assert tries[0]["status"] is None
        assert tries[0]["error"] in {"address_refused", "delivery_failed"}
    assert canary.seen == []


def _list_tries(server: Server, task_id: str) -> list[dict[str, object]]:
    answer = requests.get(f"{server.url}/task/{task_id}/deliveries", headers=server.headers, timeout=10)
    tries: list[dict[str, object]] = answer.json()["data"]["deliveries"]
    return tries


def test_open_and_closed_ports_of_this_machine_look_the_same(closed_server: Server, canary: Canary) -> None:
    errors = {
        closed_server.create(None, {"image_url": f"http://{host}:{port}/", "sync": "1"}).json()["data"]["err_info"]
        for host in ("127.0.0.1", "[::1]", "localhost")
        for port in (canary.port, 1, 22, 80)
    }
    assert len(errors) == 1


def test_only_the_named_networks_are_opened_and_there_the_listener_is_reached(server: Server) -> None:
    # The shared server may reach 127.0.0.0/8.
    with run_canary() as own:
        answer = server.create(None, {"image_url": f"http://127.0.0.1:{own.port}/", "sync": "1"})
        assert answer.json()["data"]["err_info"].startswith("download_failed: ")
        reached = len(own.seen)
        assert reached >= 1
        for host in ("[::1]", "10.0.0.1", "169.254.169.254"):
            answer = server.create(None, {"image_url": f"http://{host}:{own.port}/", "sync": "1"})
            assert answer.json()["data"]["err_info"].startswith("address_refused: ")
        assert len(own.seen) == reached
