"""Retouching: light, colour, sharpness and smooth skin of the person; the background and every outline stay.

Colours are worked on in Oklab (B. Ottosson, "A perceptual color space for image processing", 2020): lightness L from
0 to 1 and two axes of colour, a and b. For a gray, CIE L* = 116 L - 16. Lengths are in face units, the square root of
the area that the mesh covers: about the width of the face.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.landmarks import CHIN, FOREHEAD, LEFT_EYE, RIGHT_EYE
from idphoto.imaging.portrait import Alpha, Pixels, Points

_Planes: TypeAlias = NDArray[np.floating]  # (H, W) or (H, W, 3), float32

_LEFT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
_RIGHT_BROW = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)

# What the ends of the ranges do, set by eye on five portraits.
_MOST_ODDS = 2.0  # factor on L / (1 - L): 0.70 becomes 0.82; the other end divides, 0.54
_STEEPEST = 1.35  # slope around the face's median; the other end divides
_MOST_CHROMA = 1.5  # factor on the chroma; the other end is gray
_MOST_DETAIL = 1.5  # how much of the fine detail is added once more, half of it on skin; the other end takes all away
_MOST_SMOOTH = 0.85  # what is left of the skin's own texture keeps it from looking like wax
_AUTO_SHARPNESS = 0.7

_DETAIL = 0.010  # face units, a sigma: a pixel and a half in a 1 inch photo
_HALO = 0.05  # of L: sharpening adds no more than this to an edge, where it would show as a halo
_WINDOW = 0.05  # face units, half the side of the skin filter's window
_TEXTURE = np.array([0.035, 0.012, 0.012], np.float32)  # standard deviations of L, a, b that it smooths by half
_MARGIN, _FEATHER = 0.015, 0.05  # face units: smoothing begins so far from outlines and features, and needs so long
_NECK = 0.3  # of the face's height: how far below the face skin is looked for as well
_SKIN_COLOUR = np.array([0.18, 0.035, 0.035], np.float32)  # skin differs from the median L, a, b by 1 to 2 of these

# A median L of the face between these, L* 58 to 78, is left; five portraits measure 0.68 to 0.79 and, rather bright,
# 0.85. Beyond, the odds change by no more than these factors: little light cannot be told from dark skin.
_WELL_EXPOSED, _AUTO_ODDS = (0.64, 0.81), (0.5, 1.5)
# Robust standard deviation of L in the skin's fine detail: 0.003 to 0.005 on retouched skin, 0.010 on untouched.
_ROUGHNESS = (0.003, 0.010)
# Energy of the face's fine detail as a share of that within _COARSE face units to each side: five portraits measure
# 0.06 to 0.11, and 0.02 after a blur of 0.01 face units.
_COARSE, _SHARPNESS = 0.09, (0.02, 0.06)

# Linear light of each sRGB code, IEC 61966-2-1, and Ottosson's two matrices.
_CODES = np.arange(256) / 255
_LINEAR = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4).astype(np.float32)
_TO_CONES = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                      [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                    [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
_REACH = 0.5001  # of linear light around a half: what sRGB holds, and a third of a code
_NOT_ZERO = np.float32(1e-6)


@dataclass(frozen=True, kw_only=True)
class Retouch:
    """What is wanted. The first four go from -1 to 1 and 0 keeps the photo's own; the others from 0, off, to 1.

    ``smooth`` is for the skin of face and neck. ``auto_bright`` is how far a face that is too dark or too bright comes
    towards good exposure, ``auto_smooth`` does less the more even the skin is, ``auto_sharp`` sharpens what is blurred.

    Raises:
        ValueError: a value is out of its range.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    sharpness: float = 0.0
    smooth: float = 0.0
    auto_bright: float = 0.0
    auto_smooth: float = 0.0
    auto_sharp: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            low = -1 if field.name in {"brightness", "contrast", "saturation", "sharpness"} else 0
            value = getattr(self, field.name)
            if not low <= value <= 1:
                raise ValueError(f"{field.name} goes from {low} to 1, not {value}.")

    @property
    def is_off(self) -> bool:
        """Whether nothing is wanted."""
        return self == Retouch()


def retouch(pixels: Pixels, alpha: Alpha, landmarks: Points, wish: Retouch) -> Pixels:
    """Retouch the person; nothing moves.

    What the pixels hold where alpha is 0 has no influence. Where it is between, they should hold the person's own
    colour: call :func:`idphoto.imaging.foreground.clean_foreground` before.

    Args:
        pixels: (H, W, 3), sRGB.
        alpha: (H, W), 0 background to 255 person.
        landmarks: (468, 3) float32, MediaPipe face mesh in the same pixels; may reach out of the picture.
        wish: what to do. The order is skin, light, colour, sharpness, all measured on the photo as it came.

    Returns:
        (H, W, 3), a copy: unchanged where alpha is 0, and everywhere if the wish is off.
    """
    finished = pixels.copy()
    left, top, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    if wish.is_off or width == 0:
        return finished
    part = np.s_[top : top + height, left : left + width]
    person = alpha[part] > 0
    share, points = alpha[part] / np.float32(255), (landmarks[:, :2] - (left, top)).astype(np.float32)
    finished[part][person] = _to_srgb(_change(_to_lab(pixels[part]), share, points, wish))[person]
    return finished


def _change(lab: _Planes, share: _Planes, points: Points, wish: Retouch) -> _Planes:
    unit = max(1.0, float(cv2.contourArea(cv2.convexHull(points))) ** 0.5)
    skin = _find_skin(lab, share, points, unit)
    face = _fill(share, points) & (share > 0.5)
    sure = face & (skin > 0.5)
    if not sure.any():  # a face in the dark, or behind a mask: the person has to do
        sure = share >= share.max()
    changed = lab.copy()
    if wish.smooth or wish.auto_smooth:
        detail = lab[..., :1] - _blur(lab[..., :1], skin, unit)
        rough = np.interp(1.4826 * np.median(np.abs(detail[sure])), _ROUGHNESS, (0, 1))
        strength = 1 - (1 - wish.smooth) * (1 - wish.auto_smooth * float(rough))
        changed += np.float32(_MOST_SMOOTH * strength) * skin[..., None] * (_filter_skin(lab, skin, unit) - lab)
    changed = _relight(changed, _change_tone(changed[..., :1], float(np.median(lab[sure][:, 0])), wish))
    changed[..., 1:] *= 1 + wish.saturation * (_MOST_CHROMA - 1 if wish.saturation > 0 else 1)
    sharpness = wish.sharpness
    if wish.auto_sharp:
        blur = _measure_blur(lab[..., :1], share, face, unit)
        sharpness = min(1.0, sharpness + _AUTO_SHARPNESS * wish.auto_sharp * blur)
    if sharpness == 0:
        return changed
    detail = changed[..., :1] - _blur(changed[..., :1], share, unit)
    detail *= sharpness
    if sharpness > 0:
        detail = _HALO * np.tanh(detail * (_MOST_DETAIL / _HALO)) * (1 - skin[..., None] / 2)
    return _relight(changed, np.clip(changed[..., :1] + detail, 0, 1))


def _relight(lab: _Planes, light: _Planes) -> _Planes:
    """Give each pixel another lightness, (H, W, 1)."""
    # Chroma in proportion, as from real light, makes a darker face pale and a brighter one painted; the same chroma
    # does the reverse. The square root lies between.
    scale = np.sqrt((light + _NOT_ZERO) / (np.maximum(lab[..., :1], 0) + _NOT_ZERO))
    return np.concatenate([light, lab[..., 1:] * scale], axis=2, dtype=np.float32)


def _change_tone(light: _Planes, median: float, wish: Retouch) -> _Planes:
    """Apply both brightnesses, then contrast around where they take the face's median."""
    # A straight line in the logarithm of the odds, L / (1 - L): black and white stay, nothing clips.
    slope = _STEEPEST**wish.contrast
    odds, low, high = (level / (1 - level) for level in (min(max(median, 0.01), 0.99), *_WELL_EXPOSED))
    exposure = min(max(min(max(odds, low), high) / odds, _AUTO_ODDS[0]), _AUTO_ODDS[1])
    gain = exposure**wish.auto_bright * _MOST_ODDS**wish.brightness * odds ** (1 - slope)
    light = np.clip(light, 0, 1)
    risen = np.float32(gain) * np.power(light, np.float32(slope))
    return np.divide(risen, risen + np.power(1 - light, np.float32(slope)))


def _measure_blur(light: _Planes, share: _Planes, face: NDArray[np.bool_], unit: float) -> float:
    """Return how blurred the face is, from 0, as sharp as it should be, to 1."""
    fine = np.square(light - _blur(light, share, unit))[face].sum()
    coarse = np.square(light - _average(light, share, _COARSE * unit))[face].sum()
    return float(np.interp(fine / coarse, _SHARPNESS, (1, 0))) if coarse > 0 else 0.0


def _find_skin(lab: _Planes, share: _Planes, points: Points, unit: float) -> _Planes:
    """Find the skin of face and neck: (H, W), 0 to 1, and 0 at eyes, brows, lips and outlines."""
    face = _fill(share, points)
    neck = _fill(share, points + _NECK * (points[CHIN] - points[FOREHEAD])) & ~face
    free = share > 0.5
    for feature in (LEFT_EYE, RIGHT_EYE, _LEFT_BROW, _RIGHT_BROW, _LIPS):
        free &= ~_fill(share, points[list(feature)])
    depths = [cv2.distanceTransform((free & part).astype(np.uint8), cv2.DIST_L2, 5) for part in (face, neck)]
    inner = np.clip((np.maximum(*depths, dtype=np.float32) / np.float32(unit) - _MARGIN) / _FEATHER, 0, 1)
    sample = lab[(inner > 0.5) & face]
    if len(sample) == 0:
        return np.zeros_like(share)
    # A spot is judged together with what is around it: it is what smoothing is for.
    away = (_blur(lab, share, unit) - np.median(sample, axis=0)) / _SKIN_COLOUR
    return np.asarray(inner * np.clip(2 - np.sqrt(np.square(away).sum(axis=2)), 0, 1), np.float32)


def _filter_skin(lab: _Planes, skin: _Planes, unit: float) -> _Planes:
    """Smooth the skin between its edges; nothing else is looked at.

    The guided filter of K. He, J. Sun and X. Tang (ECCV 2010), each plane by itself, every mean weighted by ``skin``.
    """
    mean, square = (_average(planes, skin, _WINDOW * unit) for planes in (lab, np.square(lab)))
    variance = np.maximum(square - np.square(mean), 0)
    kept = variance / (variance + np.square(_TEXTURE))
    return _average(kept, skin, _WINDOW * unit) * lab + _average((1 - kept) * mean, skin, _WINDOW * unit)


def _average(planes: _Planes, weight: _Planes, radius: float) -> _Planes:
    """Average (H, W, C) over square windows where there is a weight, (H, W)."""
    window = [2 * max(1, round(radius)) + 1] * 2
    total = np.maximum(cv2.blur(weight, window), _NOT_ZERO)[..., None]
    return np.divide(cv2.blur(planes * weight[..., None], window).reshape(planes.shape), total)


def _blur(planes: _Planes, weight: _Planes, unit: float) -> _Planes:
    """Blur fine detail of (H, W, C) away where there is a weight, (H, W)."""
    total = np.maximum(cv2.GaussianBlur(weight, (0, 0), _DETAIL * unit), _NOT_ZERO)[..., None]
    return np.divide(cv2.GaussianBlur(planes * weight[..., None], (0, 0), _DETAIL * unit).reshape(planes.shape), total)


def _fill(like: _Planes, points: _Planes) -> NDArray[np.bool_]:
    """Draw the convex hull of points, as a mask of the size of ``like``."""
    mask = np.zeros(like.shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(points).astype(np.int32)), 1)
    return mask.astype(np.bool_)


def _to_lab(pixels: Pixels) -> _Planes:
    return np.asarray(cv2.transform(np.cbrt(cv2.transform(_LINEAR[pixels], _TO_CONES)), _TO_LAB), np.float32)


def _to_srgb(lab: _Planes) -> Pixels:
    """Return to sRGB; a colour that it does not hold loses chroma, not its lightness or hue, until it does."""
    linear = _to_linear(lab)
    missed = (np.abs(linear - 0.5) > _REACH).any(axis=2)
    if missed.any():
        gray, chroma = (lab[missed][None] * np.array(planes, np.float32) for planes in ((1, 0, 0), (0, 1, 1)))
        kept = np.zeros_like(gray[..., :1])
        for step in (1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128):
            tried = np.abs(_to_linear(gray + chroma * (kept + step)) - 0.5)
            kept += step * (tried <= _REACH).all(axis=2, keepdims=True)
        linear[missed] = _to_linear(gray + chroma * kept)[0]
    bent = 1.055 * np.maximum(linear, 0.0031308) ** np.float32(1 / 2.4) - 0.055
    codes: _Planes = np.where(linear > 0.0031308, bent, 12.92 * linear) * 255
    return np.rint(np.clip(codes, 0, 255)).astype(np.uint8)


def _to_linear(lab: _Planes) -> _Planes:
    cones = cv2.transform(lab, np.linalg.inv(_TO_LAB))
    return np.asarray(cv2.transform(cones**3, np.linalg.inv(_TO_CONES)), np.float32)
