"""Matting networks, run for real: ONNX files of a few nodes that are made here."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from idphoto import IDPhoto
from idphoto.imaging.errors import ModelError
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.networks import open_network, open_session
from idphoto.imaging.recipes import MattingChoice
from idphoto.settings import Settings


def save_model(
    path: Path,
    *,
    shape: tuple[int | str, ...] = (1, 3, "h", "w"),
    kind: int = TensorProto.FLOAT,
    inputs: int = 1,
    bias: float = 0.0,
) -> Path:
    """Write a network whose output is the mean of the three channels of its input, plus a bias."""
    nodes = [
        helper.make_node("ReduceMean", ["in0"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Add", ["mean", "bias"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info(f"in{number}", kind, list(shape)) for number in range(inputs)],
        [helper.make_tensor_value_info("out", kind, [1, 1, *shape[2:]])],
        [helper.make_tensor("bias", kind, [1], [bias])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9), path)
    return path


@pytest.fixture
def models(models_dir: Path) -> ModelFolder:
    return ModelFolder(models_dir)


@pytest.fixture
def ramp() -> NDArray[np.uint8]:
    """Gray from 0 at the left to 255 at the right, twice as high as wide."""
    return np.repeat(np.broadcast_to(np.arange(256, dtype=np.uint8), (512, 256))[..., None], 3, axis=2)


def estimate(name: str, path: Path, pixels: NDArray[np.uint8], models: ModelFolder) -> NDArray[np.uint8]:
    network, _, _ = open_network(MattingChoice(name=name, file=path), models)
    return network.estimate_alpha(pixels, low=None)


def test_isnet_sees_a_square_and_its_answer_is_stretched(tmp_path: Path, ramp, models: ModelFolder) -> None:
    # Whatever the scale and the bias of the output, the least becomes 0 and the most 255.
    path = save_model(tmp_path / "isnet.onnx", shape=(1, 3, 64, 64), bias=5.0)
    alpha = estimate("isnet", path, ramp, models)
    assert alpha.shape == (512, 256)
    assert (alpha[0, 0], alpha[0, -1]) == (0, 255)
    assert np.abs(alpha.astype(int) - ramp[..., 0]).max() <= 4


def test_birefnet_gives_logits(tmp_path: Path, ramp, models: ModelFolder) -> None:
    alpha = estimate("birefnet", save_model(tmp_path / "b.onnx", shape=(1, 3, 64, 64)), ramp, models)
    # ImageNet's normalisation, then the logistic function.
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    for column in (2, 128, 253):
        logit = ((column / 255 - mean) / std).mean()
        assert alpha[0, column] == pytest.approx(255 / (1 + np.exp(-logit)), abs=3)


def test_modnet_keeps_proportions_and_its_answer_is_the_alpha(tmp_path: Path, ramp, models: ModelFolder) -> None:
    alpha = estimate("modnet", save_model(tmp_path / "m.onnx"), ramp, models)
    assert alpha.shape == (512, 256)
    # From -1 to 1 after normalisation; below 0 is no alpha.
    assert alpha[:, :120].max() == 0
    assert alpha[0, 191] == pytest.approx(255 * (191 / 127.5 - 1), abs=3)


def test_modnet_gives_both_sides_in_multiples_of_32(tmp_path: Path, models: ModelFolder) -> None:
    # A file that fixes what it takes refuses any other size: 512 wide, and 700/500 of that to the next multiple.
    path = save_model(tmp_path / "m.onnx", shape=(1, 3, 704, 512))
    assert estimate("modnet", path, np.zeros((700, 500, 3), np.uint8), models).shape == (700, 500)


def test_half_precision_files_are_fed_half_precision(tmp_path: Path, ramp, models: ModelFolder) -> None:
    path = save_model(tmp_path / "half.onnx", shape=(1, 3, 64, 64), kind=TensorProto.FLOAT16)
    assert np.abs(estimate("isnet", path, ramp, models).astype(int) - ramp[..., 0]).max() <= 5


@pytest.mark.parametrize(
    ("shape", "inputs"), [((1, 1, 64, 64), 1), ((1, 3, 64), 1), ((1, 3, 64, 64), 2)], ids=["gray", "flat", "two"]
)
def test_a_file_that_takes_no_picture_is_refused(
    tmp_path: Path, shape: tuple[int, ...], inputs: int, models: ModelFolder
) -> None:
    path = save_model(tmp_path / "odd.onnx", shape=shape, inputs=inputs)
    with pytest.raises(ModelError, match="not one picture"):
        open_network(MattingChoice(name="isnet", file=path), models)


def test_answers_that_are_not_numbers_are_refused(tmp_path: Path, ramp, models: ModelFolder) -> None:
    path = save_model(tmp_path / "nan.onnx", shape=(1, 3, 64, 64), bias=float("nan"))
    with pytest.raises(ModelError, match="not numbers"):
        estimate("modnet", path, ramp, models)


def test_a_file_that_is_no_onnx_file_is_refused(tmp_path: Path, models: ModelFolder) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("not a model")
    with pytest.raises(ModelError, match="could not be loaded"):
        open_network(MattingChoice(name="isnet", file=path), models)


def test_a_supplied_model_needs_its_file(models: ModelFolder) -> None:
    with pytest.raises(ModelError, match="IDPHOTO_MATTING_FILE"):
        open_network(MattingChoice(name="birefnet"), models)
    with pytest.raises(ModelError, match="is not there"):
        open_network(MattingChoice(name="birefnet", file=Path("absent.onnx")), models)


def test_a_wrong_hash_is_refused_and_the_right_one_is_not(tmp_path: Path, models: ModelFolder) -> None:
    path = save_model(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="SHA-256"):
        open_network(MattingChoice(name="modnet", file=path, sha256="0" * 64), models)
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    open_network(MattingChoice(name="modnet", file=path, sha256=right), models)


@pytest.mark.parametrize("providers", [("cuda",), ("tensorrt", "cuda", "cpu")])
def test_a_provider_that_is_not_there_falls_back_with_one_sentence(
    tmp_path: Path, providers: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        session = open_session(save_model(tmp_path / "m.onnx"), providers)
    assert session.get_providers() == ["CPUExecutionProvider"]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "Matting runs on the CPU" in record.message
    assert "CUDAExecutionProvider" in record.message


def test_the_cpu_asked_for_first_is_used_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_session(save_model(tmp_path / "m.onnx"), ("cpu", "cuda"))
    assert caplog.records == []


@pytest.mark.parametrize("recipe", ["rvm", "fast", "best"])
def test_every_recipe_makes_a_photo(recipe: str, models_dir: Path, astronaut_jpeg: bytes) -> None:
    photo = IDPhoto(Settings(matting=recipe, models_dir=models_dir)).make(astronaut_jpeg, size=(295, 413))
    assert (photo.width, photo.height) == (295, 413)


def test_an_operators_file_makes_a_photo(tmp_path: Path, models_dir: Path, astronaut_jpeg: bytes) -> None:
    path = save_model(tmp_path / "own.onnx", shape=(1, 3, 128, 128))
    settings = Settings(matting="isnet", matting_file=path, models_dir=models_dir)
    photo = IDPhoto(settings).make(astronaut_jpeg)
    assert (photo.width, photo.height) == (512, 512)
