"""A real server as a child process, and a real receiver of callbacks, for the acceptance and web tests."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import requests

READY_S = 60.0
END_S = 90.0


class Server:
    """`idphoto serve` in a process group of its own, in a data folder of its own."""

    def __init__(
        self,
        data_dir: Path,
        settings: Mapping[str, str] | None = None,
        *,
        workers: int = 1,
        port: int = 0,
        log: Path | None = None,
    ) -> None:
        """``log``: where to write it, if not to :attr:`output`."""
        self.data_dir = data_dir
        self._settings = dict(settings or {})
        self._workers = workers
        self._port = port
        self._log = log
        self.output: list[str] = []
        self.url = ""
        self.key = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Server:
        """Start it and wait until it says that it can be used."""
        command = [str(Path(sys.executable).parent / "idphoto"), "serve", "--port", str(self._port)]
        command += ["--workers", str(self._workers), "--data-dir", str(self.data_dir)]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IDPHOTO_")}
        environment = {
            **inherited,
            "IDPHOTO_OUTBOUND_ALLOW": "127.0.0.0/8",
            "IDPHOTO_RATE_PER_S": "1000",
            "IDPHOTO_STOP_DELAY_S": "0",
            **self._settings,
        }
        log = os.open(self._log, os.O_WRONLY) if self._log else subprocess.STDOUT
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, process_group=0
        )
        if self._log:
            os.close(log)
        lines: Queue[str | None] = Queue()
        threading.Thread(target=self._read, args=(self._process, lines), daemon=True).start()
        deadline = time.monotonic() + READY_S
        while True:
            line = lines.get(timeout=max(0.1, deadline - time.monotonic()))
            if line is None:
                self._process.wait(10)
                raise AssertionError("the server ended:\n" + "\n".join(self.output))
            if found := re.search(r"IDPhoto is running\s+(http://\S+?)/(?:#key=(\S+))?$", line):
                self.url = found[1]
                self.key = found[2] or self.key
            if line.startswith("Stop with"):
                return self

    def _read(self, process: subprocess.Popen[str], lines: Queue[str | None]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line.rstrip())
            lines.put(line.rstrip())
        process.stdout.close()
        lines.put(None)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def children(self, role: str) -> list[int]:
        """Return the process ids of the children that were started as ``idphoto ROLE``."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                parent = int(re.search(r"PPid:\s+(\d+)", (folder / "status").read_text())[1])  # type: ignore[index]
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.pid and role.encode() in words:
                found.append(int(folder.name))
        return sorted(found)

    def kill_tree(self) -> None:
        """SIGKILL the supervisor and every child at once, as a power cut would."""
        assert self._process is not None
        if self._process.poll() is None:
            children = [*self.children("api"), *self.children("worker")]
            self._process.kill()
            for pid in children:
                with suppress(ProcessLookupError):  # the kernel ends the children when their supervisor dies
                    os.kill(pid, signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> int:
        """Stop it as an operator would and return its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(60)

    def create(
        self,
        photo: bytes | None = None,
        fields: Mapping[str, str] | None = None,
        *,
        path: str = "/task/pic/idphoto",
        headers: Mapping[str, str] | None = None,
        name: str = "me.jpg",
        **more: str,
    ) -> requests.Response:
        """Send a create call as multipart/form-data, text parts without a filename."""
        parts: dict[str, Any] = {key: (None, value) for key, value in {**(fields or {}), **more}.items()}
        if photo is not None:
            parts["image_file"] = (name, photo)
        return requests.post(f"{self.url}{path}", files=parts, headers=headers or self.headers, timeout=60)

    def poll(self, task_id: str) -> dict[str, Any]:
        """Return the ``data`` of one poll."""
        answer = requests.get(f"{self.url}/task/{task_id}", headers=self.headers, timeout=10)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    def wait_for(self, task_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Poll until the condition holds."""
        deadline = time.monotonic() + END_S
        while time.monotonic() < deadline:
            data = self.poll(task_id)
            if condition(data):
                return data
            time.sleep(0.02)
        raise AssertionError(f"still {data} after {END_S} s\n" + "\n".join(self.output[-40:]))

    def wait_for_end(self, task_id: str) -> dict[str, Any]:
        """Poll until the task has ended."""
        return self.wait_for(task_id, lambda data: data["state"] == 1 or data["state"] < 0)


@dataclass
class Received:
    """One request that a receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """An HTTP server on 127.0.0.1 that keeps what is posted and serves the files it was given."""

    url: str
    received: Queue[Received] = field(default_factory=Queue)
    files: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    """Statuses for the next posts; 200 when empty."""


@contextmanager
def run_receiver() -> Iterator[Receiver]:
    receiver = Receiver(url="")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.answers.pop(0) if receiver.answers else 200
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            receiver.received.put(
                Received(path=self.path, headers={k.lower(): v for k, v in self.headers.items()}, body=body)
            )

        def do_GET(self) -> None:
            status, data = receiver.files.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
