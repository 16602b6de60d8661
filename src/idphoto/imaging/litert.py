"""A TensorFlow Lite model, run on one thread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray


class Net:
    """A loaded model with one input. Not safe to share between threads.

    One thread, because models of this size gain nothing from a second one (docs/imaging.md).
    """

    def __init__(self, path: Path) -> None:
        self._interpreter = Interpreter(model_path=str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        self._outputs: list[int] = [detail["index"] for detail in self._interpreter.get_output_details()]

    def run(self, tensor: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return copies of the outputs, in the model's order, for an input of the model's shape."""
        self._interpreter.set_tensor(self._input, tensor)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]
