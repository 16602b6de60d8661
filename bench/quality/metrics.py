"""Errors of a cut-out against the true one; all are the smaller the better.

MAD, MSE and the gradient error are those of the alpha matting literature (Rhemann et al., CVPR 2009), as means over the
picture instead of sums, so that pictures of different sizes weigh the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.portrait import Pixels

_Planes: TypeAlias = NDArray[np.float32]

#: The band around true edges that photos are judged by, in pixels to each side.
BAND_PX = 12
#: The backgrounds of ID photos that fringes show on.
BACKDROPS = {"white": (255, 255, 255), "438EDB": (0x43, 0x8E, 0xDB), "red": (0xD9, 0x00, 0x1B)}
_GRADIENT_SIGMA = 1.4


@dataclass(frozen=True, kw_only=True)
class Errors:
    """The errors of one cut-out, each times 1000 with alpha from 0 to 1 and colour from 0 to 1."""

    mad: float
    mse: float
    gradient: float
    band: float
    """Mean absolute difference within the band around true edges."""
    colour: tuple[float, ...]
    """Mean absolute difference of the finished picture in the band, on each of the backdrops."""


def measure_errors(alpha: _Planes, colour: Pixels, true_alpha: _Planes, true_colour: Pixels) -> Errors:
    """Compare a cut-out with the true one: alphas (H, W) from 0 to 1, colours (H, W, 3) uint8."""
    difference = np.abs(alpha - true_alpha)
    gradients = (_slope(alpha) - _slope(true_alpha)) ** 2
    band = find_band(true_alpha)
    return Errors(
        mad=float(difference.mean()) * 1000,
        mse=float((difference**2).mean()) * 1000,
        gradient=float(gradients.mean()) * 1000,
        band=float(difference[band].mean()) * 1000,
        colour=tuple(
            float(np.abs(_lay(colour, alpha, backdrop) - _lay(true_colour, true_alpha, backdrop))[band].mean() * 1000)
            for backdrop in BACKDROPS.values()
        ),
    )


def find_band(true_alpha: _Planes) -> NDArray[np.bool_]:
    """Return where an edge of the true alpha is within 12 pixels: (H, W)."""
    person = (true_alpha > 0.5).astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    edge = (cv2.dilate(person, kernel) != cv2.erode(person, kernel)) | ((true_alpha > 0.05) & (true_alpha < 0.95))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAND_PX + 1, 2 * BAND_PX + 1))
    band: NDArray[np.bool_] = cv2.dilate(edge.astype(np.uint8), disc) == 1
    return band


def _slope(alpha: _Planes) -> _Planes:
    smooth = cv2.GaussianBlur(alpha, (0, 0), _GRADIENT_SIGMA)
    x, y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125)
    return np.hypot(x, y).astype(np.float32)


def _lay(colour: Pixels, alpha: _Planes, backdrop: tuple[int, int, int]) -> _Planes:
    share = alpha[..., None]
    laid = (colour * share + np.array(backdrop, np.float32) * (1 - share)) / 255
    return laid.astype(np.float32)
