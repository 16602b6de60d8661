"""Reads the pins of a compiled requirements file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "requirements"

_PIN = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9-]*)(?:\[[a-z0-9,-]+\])?==(?P<version>[A-Za-z0-9.+!]+)"
    r"(?: ; (?P<marker>[^;#]*?))?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})*)"
)


class NotAPin(ValueError):
    """A line of a compiled requirements file is no pin: an option, a URL, a range."""


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One version of one package. A package may have several, for different Pythons."""

    name: str
    version: str
    marker: str
    """Where it applies, such as ``sys_platform == 'win32'``; empty: everywhere."""
    sha256: tuple[str, ...]
    """Of every file of that version that may be installed."""


def list_files() -> list[Path]:
    """Return every compiled requirements file."""
    return sorted(FOLDER.glob("*.txt"))


def read_pins(path: Path) -> list[Pin]:
    """Return the pins of a file, in its order.

    Raises:
        NotAPin: a line that is no comment is something else.
    """
    text = path.read_text("utf-8").replace("\\\n", " ")
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [_read_pin(line, path) for line in lines if line and not line.startswith("#")]


def _read_pin(line: str, path: Path) -> Pin:
    found = _PIN.fullmatch(line)
    if found is None:
        raise NotAPin(f"{path.name}: {line[:100]!r} is not a pinned version with hashes.")
    hashes = tuple(re.findall(r"sha256:([0-9a-f]{64})", found["hashes"]))
    return Pin(name=found["name"], version=found["version"], marker=found["marker"] or "", sha256=hashes)
