"""What can be measured of the person in a photo: pose, eyes, mouth, light and sharpness.

The measures follow the quality components of ISO/IEC 29794-5 as its reference implementation (BSI's OFIQ) computes
them, as far as the face models here allow; :mod:`idphoto.imaging.compliance` judges them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from idphoto.imaging import affine
from idphoto.imaging.eyes import EyeReader
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Face, Head, Pixels, Portrait

# An upright patch of the face with the eyes so many pixels apart: every photo is looked at in the same resolution.
_EYE_DISTANCE = 90.0
_WIDTH, _HEIGHT = 256, 320
_EYES_AT = (128.0, 120.0)
# Mesh points in the middle of the inner contour of the lips.
_UPPER_LIP, _LOWER_LIP = 13, 14
# Squares on the cheeks, in eye distances: how far from the axis and below the eyes, and their side.
_CHEEK_ASIDE, _CHEEK_DOWN, _CHEEK_SIDE = 0.5, 0.6, 0.3
_BURNT, _BLACK = 247, 25
_FINE_SIGMA, _COARSE_SIGMA = 1.0, 4.0


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """Measures of one photo. Lengths in T are in units of the height of the eyes above the chin."""

    second_face: float
    """Area of the second largest face, as a share of the largest."""
    roll: float
    """Degrees, as :class:`Head` has them."""
    yaw: float
    pitch: float
    eye_distance: float
    """Pixels of the photo."""
    eye_opening: float
    """T; of the narrower eye."""
    gaze: float
    """Eye widths off the middle."""
    mouth_opening: float
    """T; between the lips."""
    burnt: float
    """Share of the face with a luminance of at least 247 of 255."""
    black: float
    """Share of the face with a luminance of at most 25."""
    luminance: float
    """Mean of the face, 0 to 1."""
    entropy: float
    """Of the face's luminance, bits, 0 to 8."""
    evenness: float
    """How alike both cheeks are lit: the darker one's mean luminance as a share of the brighter one's. (The overlap of
    their histograms, which OFIQ takes, is 0 for smooth skin in quite even light.)"""
    redness: float
    """Mean a* of the face in CIELAB."""
    yellowness: float
    """Mean b*."""
    sharpness: float
    """Share of fine detail in all detail of the face at 90 pixels between the eyes, 0 to 1."""


class Inspector:
    """Holds the eye model. One call at a time.

    Raises:
        ModelError: the model file is missing or damaged.
    """

    def __init__(self, models: ModelFolder) -> None:
        self._eyes = EyeReader(models)

    def inspect(self, portrait: Portrait) -> Inspection:
        """Measure a portrait."""
        face, head = portrait.face, portrait.head
        eyes = self._eyes.read(portrait.pixels, face)
        patch, skin = _cut_face(portrait.pixels, face, head)
        light = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
        tones = light[skin]
        lab = cv2.cvtColor(patch.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)[skin].mean(axis=0)
        lips = face.landmarks[[_UPPER_LIP, _LOWER_LIP], :2]
        unit = max(1.0, math.dist(head.eye_middle, head.chin))
        return Inspection(
            second_face=portrait.second_face,
            roll=head.roll,
            yaw=head.yaw,
            pitch=head.pitch,
            eye_distance=math.dist(head.left_eye, head.right_eye),
            eye_opening=eyes.opening,
            gaze=eyes.gaze,
            mouth_opening=float(np.linalg.norm(lips[0] - lips[1])) / unit,
            burnt=float((tones >= _BURNT).mean()),
            black=float((tones <= _BLACK).mean()),
            luminance=float(tones.mean()) / 255,
            entropy=_measure_entropy(tones),
            evenness=_compare_cheeks(light),
            redness=float(lab[1]),
            yellowness=float(lab[2]),
            sharpness=_measure_sharpness(light, skin),
        )


def _cut_face(pixels: Pixels, face: Face, head: Head) -> tuple[Pixels, NDArray[np.bool_]]:
    """Cut the upright face out: (H, W, 3) pixels and an (H, W) mask of the face inside the mesh."""
    distance = max(1.0, math.dist(head.left_eye, head.right_eye))
    matrix = affine.level(head.eye_middle, angle=head.roll, scale=_EYE_DISTANCE / distance, target=_EYES_AT)
    patch = affine.sample(pixels, matrix, width=_WIDTH, height=_HEIGHT)
    outline = cv2.convexHull(np.rint(affine.move(matrix, face.landmarks[:, :2])).astype(np.int32))
    mask = np.zeros((_HEIGHT, _WIDTH), np.uint8)
    cv2.fillConvexPoly(mask, outline, 1)
    return patch, mask.astype(bool)


def _measure_entropy(tones: NDArray[np.uint8]) -> float:
    shares = np.bincount(tones, minlength=256) / max(1, tones.size)
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())


def _compare_cheeks(light: NDArray[np.uint8]) -> float:
    side, down = round(_CHEEK_SIDE * _EYE_DISTANCE), round(_EYES_AT[1] + _CHEEK_DOWN * _EYE_DISTANCE)
    means = []
    for direction in (-1, 1):
        left = round(_EYES_AT[0] + direction * _CHEEK_ASIDE * _EYE_DISTANCE) - side // 2
        means.append(float(light[down : down + side, left : left + side].mean()))
    return min(means) / max(1.0, *means)


def _measure_sharpness(light: NDArray[np.uint8], skin: NDArray[np.bool_]) -> float:
    plain = light.astype(np.float32)
    fine = plain - cv2.GaussianBlur(plain, (0, 0), _FINE_SIGMA)
    coarse = plain - cv2.GaussianBlur(plain, (0, 0), _COARSE_SIGMA)
    return float(fine[skin].std() / max(1e-3, float(coarse[skin].std())))
