"""The command line and the library, as an installed user has them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import idphoto
from tests.running import Receiver, Server

COMMAND = str(Path(sys.executable).parent / "idphoto")


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_make_writes_each_photo_and_reports_each_failure(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    (tmp_path / "good.jpg").write_bytes(astronaut_jpeg)
    (tmp_path / "also good.jpeg").write_bytes(astronaut_jpeg)
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    (tmp_path / "folder").mkdir()
    photos = ["good.jpg", "also good.jpeg", "bad.jpg", "missing.jpg", "folder"]
    done = run("make", *photos, "--size", "295x413", "--bg", "438EDB", "-o", "out", cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert sum("bad.jpg: unreadable_image: " in line for line in lines) == 1
    assert sum("missing.jpg: No such file" in line for line in lines) == 1
    assert sum("folder: this is a folder" in line for line in lines) == 1
    assert "2 made, 3 failed." in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["also good.jpg", "good.jpg"]
    with Image.open(tmp_path / "out" / "good.jpg") as image:
        assert (image.size, image.format) == ((295, 413), "JPEG")


def test_make_succeeds_with_exit_code_0_and_never_overwrites_a_source(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    (tmp_path / "me.jpg").write_bytes(astronaut_jpeg)
    done = run("make", "me.jpg", "--spec", "us-passport", "-o", ".", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "me.jpg").read_bytes() == astronaut_jpeg
    with Image.open(tmp_path / "me-2.jpg") as image:
        assert image.size == (600, 600)


def test_make_writes_a_sheet_and_an_overlay_beside_a_document_s_photo(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    (tmp_path / "me.jpg").write_bytes(astronaut_jpeg)
    (tmp_path / "me-idphoto-sheet.jpg").write_bytes(b"the user's own")
    options = ("--spec", "cn-passport", "--layout", "6inch", "--layout-with", "cn-1inch:2", "--debug-overlay")
    done = run("make", "me.jpg", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "cn-passport: not met: enlarged" in done.stderr
    with Image.open(tmp_path / "me-idphoto.jpg") as image:
        assert (image.size, image.info["dpi"]) == ((390, 567), (300, 300))
    with Image.open(tmp_path / "me-idphoto-sheet-2.jpg") as image:
        assert image.info["dpi"] == (300, 300)
    assert (tmp_path / "me-idphoto-sheet.jpg").read_bytes() == b"the user's own"
    assert (tmp_path / "me-idphoto-sheet.pdf").read_bytes().startswith(b"%PDF-")
    with Image.open(tmp_path / "me-idphoto-overlay.png") as image:
        assert image.height == 900


def test_a_finished_photo_is_checked(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    (tmp_path / "me.jpg").write_bytes(astronaut_jpeg)
    assert run("make", "me.jpg", "--spec", "cn-passport", "-o", "done.jpg", cwd=tmp_path).returncode == 0
    good = run("check", "done.jpg", "--spec", "cn-passport", cwd=tmp_path)
    assert good.returncode == 0, good.stdout
    assert "head_height" in good.stdout
    assert "not an approval" in good.stdout
    assert "Not assessed: glasses" in good.stdout
    bad = run("check", "me.jpg", "--spec", "cn-passport", "--json", cwd=tmp_path)
    assert bad.returncode == 1
    report = json.loads(bad.stdout)
    assert report["verdict"] == "fail"
    assert "pixels" in {check["id"] for check in report["checks"] if check["status"] == "fail"}
    assert run("check", "none.jpg", "--spec", "cn-passport", cwd=tmp_path).returncode == 1


def test_specs_are_shown_with_their_rules_and_sources(tmp_path: Path) -> None:
    shown = run("specs", "jp-passport", cwd=tmp_path).stdout
    assert "71.1% to 80.0% of the height" in shown
    assert "as if without hair" in shown
    assert "https://" in shown
    assert "us-passport" not in run("specs", "--country", "jp", cwd=tmp_path).stdout
    assert run("specs", "--country", "XX", cwd=tmp_path).returncode == 1


def test_an_operator_s_documents_are_taken_from_a_file(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[[spec]]\nid = "club-card"\nen = "Club card"\nzh = "会员卡"\npx = [240, 320]\nmax_kb = 12\n', "utf-8"
    )
    (tmp_path / "me.jpg").write_bytes(astronaut_jpeg)
    done = run("make", "me.jpg", "--spec", "club-card", "-o", "out.jpg", cwd=tmp_path, IDPHOTO_SPECS_FILE=str(own))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.jpg").stat().st_size <= 12_000
    own.write_text("[[spec]]\nid = 'x'\n", "utf-8")
    broken = run("serve", "--port", "0", cwd=tmp_path, IDPHOTO_SPECS_FILE=str(own))
    assert broken.returncode == 1
    assert "entry x: en Field required" in broken.stderr
    assert "Traceback" not in broken.stderr


def test_make_explains_wrong_options(tmp_path: Path) -> None:
    for options, word in (
        (("--size", "big"), "WIDTHxHEIGHT"),
        (("--size", "20x20"), "100 to 2000"),
        (("--mm", "35"), "WIDTHxHEIGHT in millimetres"),
        (("--size", "300x400", "--mm", "35x45"), "one of spec, size and size_mm"),
        (("--size", "300x400", "--layout", "poster"), "5inch, 6inch"),
        (("--spec", "us-passport", "--smooth", "0.5"), "does not allow"),
        (("--size", "300x400", "--min-kb", "30", "--max-kb", "20"), "above the most"),
        (("--bg", "blue"), "hexadecimal"),
        (("--spec", "moon-visa"), "idphoto specs"),
        (("--bg", "transparent", "--format", "jpg"), "cannot be transparent"),
    ):
        done = run("make", "me.jpg", *options, cwd=tmp_path)
        assert done.returncode == 1
        assert word in done.stderr


def test_missing_models_are_explained(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    (tmp_path / "me.jpg").write_bytes(astronaut_jpeg)
    empty = str(tmp_path / "no-models")
    for arguments in (("make", "me.jpg"), ("serve", "--port", "0"), ("models", "verify")):
        done = run(*arguments, cwd=tmp_path, IDPHOTO_MODELS_DIR=empty)
        assert done.returncode == 1
        assert "idphoto models pull" in done.stderr


def test_a_taken_port_is_explained(server: Server, tmp_path: Path) -> None:
    port = server.url.rsplit(":", 1)[1]
    done = run("serve", "--port", port, "--data-dir", "data", cwd=tmp_path)
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr


def test_specs_and_models_are_listed(tmp_path: Path) -> None:
    assert "cn-1inch" in run("specs", cwd=tmp_path).stdout
    listed = run("models", "list", cwd=tmp_path).stdout
    assert "rvm" in listed
    assert "GPL-3.0" in listed
    assert run("models", "verify", cwd=tmp_path).returncode == 0


def test_a_server_on_a_full_disk_says_so(tmp_path: Path) -> None:
    # A limit on file sizes fails every write, as a full disk does.
    limit = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    code = f"{limit}; os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", code, COMMAND, "serve", "--port", "0", "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "Is the disk full" in done.stderr
    assert "Traceback" not in done.stderr


def test_keys_have_limits_that_can_be_changed(tmp_path: Path) -> None:
    token = run("keys", "create", "shop", "--rate", "0.5", "--per-day", "100", cwd=tmp_path).stdout.strip()
    key_id = token.split("_")[1]
    listed = run("keys", "list", "--data-dir", "data", cwd=tmp_path).stdout.splitlines()[1].split()
    assert listed[-4:] == ["0.5", "-", "100", "0"]
    assert run("keys", "limit", key_id, "--at-once", "3", cwd=tmp_path).returncode == 0
    assert run("keys", "list", cwd=tmp_path).stdout.splitlines()[1].split()[-4:] == ["-", "3", "-", "0"]
    unknown = run("keys", "limit", "00000000", cwd=tmp_path)
    assert unknown.returncode == 1
    assert "keys list" in unknown.stderr
    assert run("keys", "create", "--rate", "0", cwd=tmp_path).returncode == 2


def test_keys_are_created_listed_and_revoked(tmp_path: Path) -> None:
    token = run("keys", "create", "shop", cwd=tmp_path).stdout.strip()
    key_id = token.split("_")[1]
    listed = run("keys", "list", cwd=tmp_path).stdout
    assert key_id in listed
    assert token not in listed
    assert run("keys", "revoke", key_id, cwd=tmp_path).returncode == 0
    assert key_id not in run("keys", "list", cwd=tmp_path).stdout
    assert run("keys", "revoke", key_id, cwd=tmp_path).returncode == 1


def test_the_library_makes_the_same_photo(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    result = idphoto.IDPhoto().make(astronaut_jpeg, size=(300, 400), background="438EDB")
    saved = result.save(tmp_path / "out.jpg")
    assert (result.width, result.height) == (300, 400)
    with Image.open(io.BytesIO(saved.read_bytes())) as image:
        assert image.size == (300, 400)


def test_a_matting_model_is_fetched_from_a_url_and_only_with_its_hash(tmp_path: Path, receiver: Receiver) -> None:
    data = b"an ONNX file, for all that fetching knows" * 1000
    receiver.files["/hub/portrait.onnx"] = (200, data)
    url, models = f"{receiver.url}/hub/portrait.onnx", str(tmp_path / "models")
    right = hashlib.sha256(data).hexdigest()
    wrong = run("models", "fetch", url, "--sha256", "0" * 64, cwd=tmp_path, IDPHOTO_MODELS_DIR=models)
    assert wrong.returncode == 1
    assert "SHA-256" in wrong.stderr
    assert not (tmp_path / "models" / "portrait.onnx").exists()
    done = run("models", "fetch", url, "--sha256", right, cwd=tmp_path, IDPHOTO_MODELS_DIR=models)
    assert done.returncode == 0
    assert "IDPHOTO_MATTING_FILE" in done.stdout
    assert (tmp_path / "models" / "portrait.onnx").read_bytes() == data
    receiver.files.clear()
    assert run("models", "fetch", url, "--sha256", right, cwd=tmp_path, IDPHOTO_MODELS_DIR=models).returncode == 0
    other = run("models", "fetch", url, "--sha256", "0" * 64, cwd=tmp_path, IDPHOTO_MODELS_DIR=models)
    assert other.returncode == 1
    assert "another file" in other.stderr
    assert (tmp_path / "models" / "portrait.onnx").read_bytes() == data


def test_a_matting_file_that_cannot_be_loaded_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "[a]").mkdir()
    path = tmp_path / "[a]" / "text.onnx"
    path.write_text("not a model")
    done = run("serve", "--port", "0", cwd=tmp_path, IDPHOTO_MATTING="isnet", IDPHOTO_MATTING_FILE=str(path))
    assert done.returncode == 1
    assert f"{path} could not be loaded" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ftp://127.0.0.1/a.onnx", "--sha256", "0" * 64), "http://"),
        (("http://127.0.0.1/a.zip", "--sha256", "0" * 64), ".onnx"),
        (("http://127.0.0.1/a.onnx", "--sha256", "12"), "64 hexadecimal"),
        (("http://127.0.0.1:9/a.onnx", "--sha256", "0" * 64), "run the command again"),
    ],
)
def test_what_cannot_be_fetched_is_explained(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = run("models", "fetch", *arguments, cwd=tmp_path, IDPHOTO_MODELS_DIR=str(tmp_path))
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"IDPHOTO_MATTING": "isnet"}, "IDPHOTO_MATTING_FILE"),
        ({"IDPHOTO_MATTING": "nonsense"}, "nonsense"),
        ({"IDPHOTO_MATTING_FILE": "x.onnx"}, "MATTING_FILE is set"),
        ({"IDPHOTO_PROVIDERS": "cpu,abacus"}, "abacus"),
    ],
)
def test_a_wrong_choice_of_model_is_told_at_the_start(
    environment: dict[str, str], said: str, tmp_path: Path, astronaut_jpeg: bytes
) -> None:
    (tmp_path / "me.jpg").write_bytes(astronaut_jpeg)
    for arguments in (("make", "me.jpg"), ("serve", "--port", "0")):
        done = run(*arguments, cwd=tmp_path, **environment)
        assert done.returncode != 0
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_a_provider_that_is_not_there_is_told_and_the_photo_made(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    (tmp_path / "me.jpg").write_bytes(astronaut_jpeg)
    done = run("make", "me.jpg", "-o", "out.jpg", cwd=tmp_path, IDPHOTO_PROVIDERS="cuda")
    assert done.returncode == 0
    assert "Matting runs on the CPU" in done.stderr
    assert (tmp_path / "out.jpg").exists()
