"""Requirements are pinned by hash and say nothing about where packages come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.pins import FOLDER, NotAPin, list_files, read_pins

_HASH = "a" * 64


def test_every_compiled_file_is_known_and_has_its_source() -> None:
    assert {path.stem for path in list_files()} == {path.stem for path in FOLDER.glob("*.in")}
    assert "runtime" in {path.stem for path in list_files()}


@pytest.mark.parametrize("path", list_files(), ids=lambda path: path.name)
def test_every_line_is_a_pinned_version_with_hashes(path: Path) -> None:
    pins = read_pins(path)
    assert pins
    assert [pin.name for pin in pins if not pin.sha256] == []
    # Every pin that the file names was read, not passed over.
    assert len(pins) == sum("==" in line for line in path.read_text("utf-8").splitlines() if line[:1].isalnum())


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_no_file_names_a_host(path: Path) -> None:
    text = path.read_text("utf-8")
    for word in ("://", "--index-url", "--extra-index-url", "--find-links", "--trusted-host", " @ "):
        assert word not in text


@pytest.mark.parametrize("path", list_files(), ids=lambda path: path.name)
def test_files_agree_on_a_version(path: Path) -> None:
    runtime = {(pin.name, pin.marker): pin.version for pin in read_pins(FOLDER / "runtime.txt")}
    for pin in read_pins(path):
        assert runtime.get((pin.name, pin.marker), pin.version) == pin.version


@pytest.mark.parametrize(
    "line",
    [
        "numpy>=2",
        f"numpy @ https://packages.example/numpy.whl --hash=sha256:{_HASH}",
        "--index-url https://packages.example/simple",
        f"numpy==2.0 --hash=md5:{_HASH[:32]}",
        f"numpy==2.0 --hash=sha256:{_HASH[:63]}",
        "-r other.txt",
    ],
)
def test_what_is_no_pin_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "bad.txt"
    file.write_text(line + "\n")
    with pytest.raises(NotAPin, match=r"bad\.txt"):
        read_pins(file)


def test_a_pin_is_read_with_its_marker_and_hashes(tmp_path: Path) -> None:
    file = tmp_path / "good.txt"
    file.write_text(
        f"numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:{_HASH} \\\n"
        f"    --hash=sha256:{'b' * 64}\n    # via idphoto\n"
    )
    (pin,) = read_pins(file)
    assert (pin.name, pin.version, pin.marker) == ("numpy", "2.4.6", "python_full_version < '3.12'")
    assert pin.sha256 == (_HASH, "b" * 64)
