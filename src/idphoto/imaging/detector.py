"""The face detector: BlazeFace, full range.

The model looks at 192x192 pixels in a grid of 48x48 cells. Each cell says how likely a face is centred near it, and
where its box and six keypoints lie, as offsets from the cell's centre in model pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.litert import Net
from idphoto.imaging.models import DETECTOR, ModelFolder
from idphoto.imaging.portrait import Box, Pixels, Points

#: A detection below this is noise (docs/imaging.md).
MIN_SCORE = 0.5

_SIDE = 192
_CELLS = 48
_LOGIT_LIMIT = 100.0  # beyond it the sigmoid is 0 or 1 anyway and its exponential overflows
_MIN_OVERLAP = 0.3  # intersection over union from which two boxes show the same face, as in MediaPipe's graph


@dataclass(frozen=True, kw_only=True)
class Detection:
    """A face as the detector sees it."""

    box: Box
    score: float
    """0.5 to 1."""
    keypoints: Points
    """(6, 2): viewer's left eye, right eye, nose tip, mouth, left ear, right ear."""

    def move(self, x: float, y: float) -> Detection:
        """Return the detection in the coordinates of a picture that this one was cut from at (x, y)."""
        box = replace(self.box, x=self.box.x + x, y=self.box.y + y)
        return replace(self, box=box, keypoints=self.keypoints + np.array([x, y], np.float32))


class FaceDetector:
    """Finds faces of about 6 % to 60 % of the picture's longer side. Not safe to share between threads.

    Raises:
        ModelError: the model file is missing or damaged.
    """

    def __init__(self, models: ModelFolder) -> None:
        self._net = Net(models.check(DETECTOR))
        centres = (np.arange(_CELLS, dtype=np.float32) + 0.5) / _CELLS
        self._anchors = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)

    def detect(self, pixels: Pixels, *, fill: float = 1.0) -> list[Detection]:
        """Return the faces, best score first.

        Args:
            pixels: (H, W, 3) uint8; at most about 1024 pixels a side, as all of them are read.
            fill: share of the model's square that the picture's longer side fills; the rest is grey.
                A face that fills the picture is only found with a wide grey border.
        """
        rows, columns = pixels.shape[:2]
        scale = fill * _SIDE / max(rows, columns)
        height, width = max(1, round(rows * scale)), max(1, round(columns * scale))
        top, left = (_SIDE - height) // 2, (_SIDE - width) // 2
        small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        square = np.zeros((1, _SIDE, _SIDE, 3), np.float32)  # 0 is mid-grey
        square[0, top : top + height, left : left + width] = small.astype(np.float32) / 127.5 - 1.0

        values, logits = self._net.run(square)
        scores = 1.0 / (1.0 + np.exp(-np.clip(logits.ravel(), -_LOGIT_LIMIT, _LOGIT_LIMIT)))
        likely = np.flatnonzero(scores >= MIN_SCORE)
        if likely.size == 0:
            return []
        # Eight pairs a cell: box centre, box size, six keypoints. All but the size count from the cell's centre.
        pairs = values[0, likely].reshape(-1, 8, 2) / _SIDE
        pairs[:, [0, 2, 3, 4, 5, 6, 7]] += self._anchors[likely, None]
        zoom = np.array([columns / width, rows / height], np.float32)
        pairs *= _SIDE * zoom
        pairs[:, [0, 2, 3, 4, 5, 6, 7]] -= np.array([left, top], np.float32) * zoom
        return _merge(pairs, scores[likely].astype(np.float32))


def _merge(pairs: NDArray[np.float32], scores: NDArray[np.float32]) -> list[Detection]:
    """Join overlapping detections into their score-weighted mean (BlazeFace paper, 4.2); keep the best score."""
    corners = np.concatenate([pairs[:, 0] - pairs[:, 1] / 2, pairs[:, 0] + pairs[:, 1] / 2], axis=1)
    waiting = np.argsort(-scores)
    merged = []
    while waiting.size:
        same = _overlap(corners[waiting[0]], corners[waiting]) >= _MIN_OVERLAP
        same[0] = True
        group, waiting = waiting[same], waiting[~same]
        mean = np.average(pairs[group], axis=0, weights=scores[group]).astype(np.float32)
        (x, y), (width, height) = mean[0].tolist(), mean[1].tolist()
        merged.append(
            Detection(
                box=Box(x=x - width / 2, y=y - height / 2, width=width, height=height),
                score=float(scores[group[0]]),
                keypoints=mean[2:],
            )
        )
    return merged


def _overlap(one: NDArray[np.float32], many: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return intersection over union of one (4,) box with each of (N, 4): x0, y0, x1, y1."""
    common = np.clip(np.minimum(one[2:], many[:, 2:]) - np.maximum(one[:2], many[:, :2]), 0, None).prod(axis=1)
    union = (one[2:] - one[:2]).prod() + (many[:, 2:] - many[:, :2]).prod(axis=1) - common
    shares: NDArray[np.float32] = common / np.maximum(union, np.finfo(np.float32).tiny)
    return shares
