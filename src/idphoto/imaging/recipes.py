"""The matting models by name: how much work each does on a photo, how a picture becomes its input, whose file it is.

Only values, so that settings and the command line can name models without loading an inference runtime.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from idphoto.imaging.errors import ModelError
from idphoto.imaging.models import RVM, ModelFile, ModelFolder, hash_file

#: Execution providers by our name, with onnxruntime's.
PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
}


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One look of a network at a part of the photo."""

    longest: int
    """The part is reduced until its longer side has this many pixels; it is never enlarged."""
    low: int | None = None
    """Longer side of the network's low-resolution stage, in pixels. None: the network has no such stage."""
    mirrored: bool = False
    """Look at the mirrored picture too and take the mean: twice the work."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is done with a photo: a coarse pass finds the person, a fine pass looks at that part only."""

    coarse: Pass
    fine: Pass
    steps: int = 60
    """How far the fine pass's unsure edge is solved from the photo, see :mod:`idphoto.imaging.refine`."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How a picture becomes the input of a network with a single input, and its output an alpha.

    A value v of 0..1 goes in as (v - mean) / std, for each of R, G and B.
    """

    side: int
    """Of the square input, or of the shorter side where the proportions are kept; what the file itself fixes wins."""
    keeps_aspect: bool = False
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    activation: Literal["none", "sigmoid", "minmax"]
    """What is left to do with the output: nothing, the logistic function, or stretching it to 0..1."""


@dataclass(frozen=True, kw_only=True)
class MattingModel:
    """A matting model that can be chosen by name."""

    name: str
    purpose: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class PulledModel(MattingModel):
    """A model whose file `idphoto models pull` fetches; several recipes share one file."""

    file: ModelFile
    recipe: Recipe


@dataclass(frozen=True, kw_only=True)
class SuppliedModel(MattingModel):
    """A model whose file the operator names."""

    preparation: Preparation


_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_HALF = (0.5, 0.5, 0.5)
_COARSE = Pass(longest=512, low=256)


def _cook(name: str, purpose: str, recipe: Recipe) -> PulledModel:
    return PulledModel(name=name, purpose=purpose, licence=RVM.licence, file=RVM, recipe=recipe)


# Sizes, scales, activations and licences of the supplied models are those that their authors publish; a file from
# elsewhere may have another licence.
MATTING_MODELS: dict[str, PulledModel | SuppliedModel] = {
    model.name: model
    for model in (
        _cook("rvm", "Robust Video Matting", Recipe(coarse=_COARSE, fine=Pass(longest=1024, low=512))),
        _cook("fast", "the same, less work", Recipe(coarse=_COARSE, fine=Pass(longest=768, low=384), steps=30)),
        _cook(
            "best",
            "the same, more work",
            Recipe(coarse=_COARSE, fine=Pass(longest=1024, low=512, mirrored=True), steps=90),
        ),
        SuppliedModel(
            name="isnet",
            purpose="IS-Net (DIS)",
            licence="Apache-2.0",
            preparation=Preparation(side=1024, mean=_HALF, std=(1.0, 1.0, 1.0), activation="minmax"),
        ),
        SuppliedModel(
            name="birefnet",
            purpose="BiRefNet",
            licence="MIT",
            preparation=Preparation(side=1024, mean=_IMAGENET_MEAN, std=_IMAGENET_STD, activation="sigmoid"),
        ),
        SuppliedModel(
            name="modnet",
            purpose="MODNet",
            licence="Apache-2.0",
            preparation=Preparation(side=512, keeps_aspect=True, mean=_HALF, std=_HALF, activation="none"),
        ),
        SuppliedModel(
            name="u2net",
            purpose="U2-Net",
            licence="Apache-2.0",
            preparation=Preparation(side=320, mean=_IMAGENET_MEAN, std=_IMAGENET_STD, activation="minmax"),
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class MattingChoice:
    """Which model cuts out, and on what it runs."""

    name: str = "rvm"
    file: Path | None = None
    """An ONNX file; for the models that are not pulled."""
    sha256: str | None = None
    """What the file must hash to, 64 lower-case hexadecimal digits. None: it is taken as it is."""
    providers: tuple[str, ...] = ("cpu",)
    """Keys of PROVIDERS, the first choice first."""

    def find_model(self) -> PulledModel | SuppliedModel:
        """Return the model of that name.

        Raises:
            ModelError: there is none.
        """
        model = MATTING_MODELS.get(self.name)
        if model is None:
            raise ModelError(f"There is no matting model named {self.name!r}: `idphoto models list` shows them.")
        return model

    def check_file(self, models: ModelFolder) -> Path:
        """Return the path of the model's file; its hash was checked where one is known.

        Raises:
            ModelError: there is no model of that name, or its file is not named, missing or not the expected one.
        """
        model = self.find_model()
        if isinstance(model, PulledModel):
            return models.check(model.file)
        if self.file is None:
            raise ModelError(
                f"The matting model {self.name} needs a file of yours: set IDPHOTO_MATTING_FILE to its .onnx file."
            )
        if not self.file.is_file():
            raise ModelError(f"The file {self.file} that IDPHOTO_MATTING_FILE names is not there.")
        if self.sha256 is not None and (found := hash_file(self.file)) != self.sha256:
            raise ModelError(f"The file {self.file} has SHA-256 {found}, not the one in IDPHOTO_MATTING_SHA256.")
        return self.file


#: What is used unless something else is chosen.
DEFAULT_CHOICE = MattingChoice()
