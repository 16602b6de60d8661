"""The matting networks: ONNX files, run by onnxruntime."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from idphoto.imaging.errors import ModelError
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Alpha, Pixels
from idphoto.imaging.recipes import PROVIDERS, MattingChoice, Pass, Preparation, PulledModel, Recipe

#: The file's own element types that a picture can be given in.
_TYPES: dict[str, type[np.floating[Any]]] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
#: Where the proportions are kept, both sides are multiples of this: five halvings inside the network.
_STEP = 32
#: And the longer side has at most this many times the shorter one's pixels; thinner pictures are squeezed.
_MAX_ASPECT = 3
#: Persons are about three by four: the part is given with the shorter side as long as the input's.
_PORTRAIT = 4 / 3

_Values: TypeAlias = NDArray[np.float32]

_log = logging.getLogger(__name__)


class Network(Protocol):
    """Tells the person from the background."""

    def estimate_alpha(self, pixels: Pixels, *, low: int | None) -> Alpha:
        """Return the alpha, (H, W) uint8, of a picture of a person.

        Args:
            pixels: (H, W, 3) uint8, sRGB.
            low: Longer side of the low-resolution stage, in pixels; None for networks that have no such stage.

        Raises:
            ModelError: the runtime could not run the file, or its answer is no alpha.
        """
        ...


class RecurrentNetwork:
    """Robust Video Matting (Lin et al., WACV 2022), told of one frame. One call at a time."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    def estimate_alpha(self, pixels: Pixels, *, low: int | None) -> Alpha:
        """See :meth:`Network.estimate_alpha`; None: the whole of the network runs at the picture's size."""
        source = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255)
        empty = np.zeros((1, 1, 1, 1), np.float32)
        ratio = np.array([1.0 if low is None else min(1.0, low / max(pixels.shape[:2]))], np.float32)
        inputs = {"src": source, "r1i": empty, "r2i": empty, "r3i": empty, "r4i": empty, "downsample_ratio": ratio}
        with _explain("The matting model could not be run"):
            (matte,) = self._session.run(["pha"], inputs)
        alpha: Alpha = np.rint(matte[0, 0] * 255).astype(np.uint8)
        return alpha


class SingleInputNetwork:
    """A network that takes one picture, (1, 3, h, w), and whose first output is the alpha. One call at a time.

    Raises:
        ModelError: the file's inputs are something else.
    """

    def __init__(self, session: ort.InferenceSession, preparation: Preparation) -> None:
        self._session = session
        self._preparation = preparation
        self._output: str = session.get_outputs()[0].name
        inputs = session.get_inputs()
        if len(inputs) != 1 or not _takes_picture(inputs[0]):
            found = ", ".join(f"{given.name} {given.type} {given.shape}" for given in inputs) or "nothing"
            raise ModelError(f"The matting model's file takes {found}, not one picture as (1, 3, h, w) floats.")
        self._input: str = inputs[0].name
        self._dtype = _TYPES[inputs[0].type]
        # A side is a number where the file fixes it, and a name or nothing where it is free.
        height, width = inputs[0].shape[2:]
        self._fixed = (width, height) if isinstance(width, int) and isinstance(height, int) else None

    @property
    def longest(self) -> int:
        """Longer side, in pixels, of a picture of usual proportions in which the network sees every pixel."""
        return round(_PORTRAIT * (min(self._fixed) if self._fixed else self._preparation.side))

    def estimate_alpha(self, pixels: Pixels, *, low: int | None) -> Alpha:
        """See :meth:`Network.estimate_alpha`."""
        if low is not None:
            raise ValueError("This network has no low-resolution stage.")
        height, width = pixels.shape[:2]
        with _explain("The file that IDPHOTO_MATTING_FILE names could not be run"):
            answer = self._session.run([self._output], {self._input: self._prepare(pixels)})[0]
        matte = np.clip(self._activate(_take_plane(answer)), 0.0, 1.0)
        if matte.shape != (height, width):
            matte = cv2.resize(matte, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)
        alpha: Alpha = np.rint(matte * 255).astype(np.uint8)
        return alpha

    def _prepare(self, pixels: Pixels) -> NDArray[np.floating[Any]]:
        height, width = pixels.shape[:2]
        size = self._choose_size(width, height)
        if size != (width, height):
            reduces = size[0] <= width and size[1] <= height
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if reduces else cv2.INTER_LINEAR).astype(
                np.uint8, copy=False
            )
        mean, std = np.array(self._preparation.mean, np.float32), np.array(self._preparation.std, np.float32)
        values = (pixels.astype(np.float32) / np.float32(255) - mean) / std
        return np.ascontiguousarray(values.transpose(2, 0, 1)[None], dtype=self._dtype)

    def _choose_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the width and height of the input for a picture of this width and height."""
        side = self._preparation.side
        if self._fixed is not None:
            return self._fixed
        if not self._preparation.keeps_aspect:
            return side, side
        scale = side / min(width, height)
        wide, high = (
            max(_STEP, round(min(length * scale, side * _MAX_ASPECT) / _STEP) * _STEP) for length in (width, height)
        )
        return wide, high

    def _activate(self, matte: _Values) -> _Values:
        if self._preparation.activation == "sigmoid":
            # Beyond 80 float32 has no other value than 0 or 1, and exp() overflows soon after.
            return np.float32(1) / (np.float32(1) + np.exp(-np.clip(matte, -80, 80)))
        if self._preparation.activation == "minmax":
            lowest, highest = matte.min(), matte.max()
            # A flat answer has nothing to stretch.
            return matte if highest - lowest < 1e-6 else (matte - lowest) / (highest - lowest)
        return matte


def _takes_picture(given: ort.NodeArg) -> bool:
    shape = given.shape
    return given.type in _TYPES and len(shape) == 4 and (shape[1] == 3 or not isinstance(shape[1], int))


def _take_plane(answer: object) -> _Values:
    """Return an output as (h, w), whatever axes of length one come first."""
    array = np.asarray(answer)
    if array.ndim < 2 or array.size == 0 or array.size != array.shape[-1] * array.shape[-2]:
        raise ModelError(f"The matting model's first output is no alpha: its shape is {array.shape}.")
    plane = array.reshape(array.shape[-2:]).astype(np.float32)
    if not np.isfinite(plane).all():
        raise ModelError("The matting model answers with values that are not numbers: is its file right?")
    return plane


def open_network(choice: MattingChoice, models: ModelFolder) -> tuple[Network, Recipe, str]:
    """Load the chosen model; return it, its recipe and the key in PROVIDERS of what it runs on.

    Raises:
        ModelError: there is no model of that name, or its file is missing, not the expected one or not usable.
    """
    model = choice.find_model()
    session = open_session(choice.check_file(models), choice.providers)
    provider = next((name for name, theirs in PROVIDERS.items() if theirs == session.get_providers()[0]), "cpu")
    if isinstance(model, PulledModel):
        return RecurrentNetwork(session), model.recipe, provider
    network = SingleInputNetwork(session, model.preparation)
    whole = Pass(longest=network.longest)
    return network, Recipe(coarse=whole, fine=whole), provider


def open_session(path: Path, providers: Sequence[str]) -> ort.InferenceSession:
    """Load an ONNX file for the first of the providers that works; the processor always does.

    Args:
        path: The file.
        providers: Keys of PROVIDERS, the first choice first.

    Raises:
        ModelError: it is not an ONNX file that this onnxruntime can load.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    # Waiting threads that spin take the core from the other worker; without the arena memory goes back at once.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    cpu = PROVIDERS["cpu"]
    wanted = [PROVIDERS[name] for name in takewhile(lambda name: name != "cpu", providers)]
    usable = [name for name in wanted if name in ort.get_available_providers()]
    reason = f"this onnxruntime has {', '.join(ort.get_available_providers())}"
    if usable:
        try:
            # Without onnxruntime's own second try, which prints to the standard output.
            session = ort.InferenceSession(path, options, providers=[*usable, cpu], enable_fallback=0)
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no class in common
            reason = _shorten(error)
        else:
            # A provider whose libraries are missing is left out without an error.
            if session.get_providers()[0] != cpu:
                return session
            reason = "its libraries could not be loaded"
    with _explain(f"The matting model's file {path} could not be loaded"):
        session = ort.InferenceSession(path, options, providers=[cpu])
    if wanted:
        _log.warning("Matting runs on the CPU: %s cannot be used (%s).", " and ".join(wanted), reason)
    return session


@contextlib.contextmanager
def _explain(sentence: str) -> Iterator[None]:
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        # onnxruntime's errors have no class in common.
        raise ModelError(f"{sentence}: {_shorten(error)}.") from error


def _shorten(error: Exception) -> str:
    """Return the last part of onnxruntime's ``[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : why``, in one line."""
    return " ".join(str(error).split(" : ")[-1].split())[:200].rstrip(".")
