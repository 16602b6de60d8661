"""The audit, by the real pip-audit, against a server on 127.0.0.1 that answers as OSV does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tools import audit as command
from tools.audit import CLEAN, NOT_AUDITED, VULNERABLE, NotAudited, audit
from tools.pins import Pin, list_files, read_pins

Answer = Callable[[str, str], tuple[int, dict[str, Any]]]
_PINS = [
    Pin(name="numpy", version="2.4.6", marker="python_full_version < '3.12'", sha256=("a" * 64,)),
    Pin(name="numpy", version="2.5.5", marker="python_full_version >= '3.12'", sha256=("b" * 64,)),
    Pin(name="colorama", version="0.4.6", marker="sys_platform == 'win32'", sha256=("c" * 64,)),
]


@contextmanager
def run_osv(answer: Answer) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Run the server; yield the address of its query call and what it was asked."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((question["package"]["name"], question["version"]))
            status, body = answer(*asked[-1])
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Keep the test's output quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1/query", asked
        finally:
            server.shutdown()
            thread.join()


def know_nothing(_name: str, _version: str) -> tuple[int, dict[str, Any]]:
    return 200, {}


def know_numpy(name: str, version: str) -> tuple[int, dict[str, Any]]:
    if (name, version) != ("numpy", "2.5.5"):
        return 200, {}
    events = [{"introduced": "0"}, {"fixed": "2.5.6"}]
    affected = {"package": {"name": "numpy", "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    known = {"id": "OSV-TEST-1", "summary": "a hole", "details": "a hole", "affected": [affected]}
    return 200, {"vulns": [{**known, "published": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"}]}


def test_every_version_is_asked_about_whatever_it_is_for() -> None:
    with run_osv(know_nothing) as (url, asked):
        assert audit(_PINS, url=url) == []
    assert sorted(asked) == [("colorama", "0.4.6"), ("numpy", "2.4.6"), ("numpy", "2.5.5")]


def test_a_known_vulnerability_is_found() -> None:
    with run_osv(know_numpy) as (url, _):
        (found,) = audit(_PINS, url=url)
    assert (found.name, found.version, found.id) == ("numpy", "2.5.5", "OSV-TEST-1")
    assert found.fixed_in == ("2.5.6",)


@pytest.mark.parametrize("status", [404, 429, 500])
def test_a_database_that_answers_with_an_error_is_no_pass(status: int) -> None:
    with run_osv(lambda name, _: (status if name == "colorama" else 200, {})) as (url, _), pytest.raises(NotAudited):
        audit(_PINS, url=url)


def run_command(monkeypatch: pytest.MonkeyPatch, url: str) -> int:
    monkeypatch.setattr("sys.argv", ["audit", "--osv-url", url])
    return command.main()


def test_the_command_asks_about_all_files_and_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_osv(know_nothing) as (url, asked):
        assert run_command(monkeypatch, url) == CLEAN
    assert set(asked) == {(pin.name, pin.version) for file in list_files() for pin in read_pins(file)}
    assert capsys.readouterr().out.startswith("0 known vulnerabilities in ")


def test_the_command_fails_when_something_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_osv(know_numpy) as (url, _):
        assert run_command(monkeypatch, url) == VULNERABLE
    assert "numpy 2.5.5: OSV-TEST-1, fixed in 2.5.6\n1 known" in capsys.readouterr().out


def test_the_command_fails_and_says_so_when_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_osv(know_nothing) as (url, _):
        pass
    assert run_command(monkeypatch, url) == NOT_AUDITED  # nobody listens there any more
    assert capsys.readouterr().out.startswith("NOT AUDITED: ")
