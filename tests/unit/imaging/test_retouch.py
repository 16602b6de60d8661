"""Each control on a real portrait with its real mesh."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from idphoto.imaging.faces import FaceFinder
from idphoto.imaging.landmarks import LEFT_EYE, RIGHT_EYE, centre_of
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Points
from idphoto.imaging.retouch import Retouch, retouch

BOTH_WAYS = ("brightness", "contrast", "saturation", "sharpness")
STRENGTHS = ("smooth", "auto_bright", "auto_smooth", "auto_sharp")
EVERYTHING = Retouch(
    brightness=0.3, contrast=0.4, saturation=0.4, sharpness=0.5, smooth=1, auto_bright=1, auto_smooth=1, auto_sharp=1
)
# Rows and columns of the astronaut.
CHEEK = np.s_[110:126, 190:206]
EYES = np.s_[94:108, 190:258]
MOUTH = np.s_[138:154, 202:246]
HAIR = np.s_[20:60, 180:250]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sitter:
    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    landmarks: Points

    def retouch(self, **wish: float) -> NDArray[np.uint8]:
        return retouch(self.pixels, self.alpha, self.landmarks, Retouch(**wish))

    def altered(self, pixels: NDArray[Any]) -> Sitter:
        return dataclasses.replace(self, pixels=np.rint(pixels).astype(np.uint8))

    def blurred(self, sigma: float) -> Sitter:
        return self.altered(np.asarray(cv2.GaussianBlur(self.pixels, (0, 0), sigma)))

    def resized(self, factor: float) -> Sitter:
        pixels, alpha = (
            cv2.resize(plane, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
            for plane in (self.pixels, self.alpha)
        )
        return Sitter(pixels=pixels, alpha=alpha, landmarks=self.landmarks * np.float32(factor))


@pytest.fixture(scope="module")
def finder(models_dir: Path) -> FaceFinder:
    return FaceFinder(ModelFolder(models_dir))


@pytest.fixture(scope="module")
def sitter(finder: FaceFinder, astronaut: NDArray[np.uint8]) -> Sitter:
    """The astronaut, read-only; an ellipse with a soft edge around head and neck stands in for the matte."""
    (face,) = finder.find(astronaut)
    alpha = np.zeros(astronaut.shape[:2], np.uint8)
    cv2.ellipse(alpha, (224, 140), (105, 135), 0, 0, 360, 255, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 2).astype(np.uint8)
    pixels, landmarks = astronaut.copy(), face.landmarks.copy()
    for array in (pixels, alpha, landmarks):
        array.setflags(write=False)
    return Sitter(pixels=pixels, alpha=alpha, landmarks=landmarks)


def to_lab(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIELAB, not the space that the code works in."""
    return cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab).astype(np.float32)


def lightness(pixels: NDArray[np.uint8], region: tuple[slice, slice] = CHEEK) -> float:
    return float(np.median(to_lab(pixels)[region][..., 0]))


def detail_energy(pixels: NDArray[np.uint8], region: tuple[slice, slice]) -> float:
    light = to_lab(pixels)[..., 0]
    across, down = (cv2.Sobel(light, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    return float((np.square(across) + np.square(down))[region].sum())


def roughness(pixels: NDArray[np.uint8]) -> float:
    light = to_lab(pixels)[..., 0]
    return float((light - cv2.GaussianBlur(light, (0, 0), 2))[CHEEK].std())


def test_no_wish_changes_nothing(sitter: Sitter) -> None:
    assert Retouch().is_off
    assert not any(Retouch(**{name: 1}).is_off for name in (*BOTH_WAYS, *STRENGTHS))
    assert not any(Retouch(**{name: -1}).is_off for name in BOTH_WAYS)
    finished = sitter.retouch()
    assert np.array_equal(finished, sitter.pixels)
    assert finished is not sitter.pixels


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in BOTH_WAYS for value in (-1.01, 1.01, math.nan)]
    + [(name, value) for name in STRENGTHS for value in (-0.01, 1.01, math.nan)],
)
def test_values_out_of_range_are_refused_by_name(name: str, value: float) -> None:
    low = -1 if name in BOTH_WAYS else 0
    with pytest.raises(ValueError, match=f"^{name} goes from {low} to 1"):
        Retouch(**{name: value})


def test_the_background_is_left_and_has_no_influence(sitter: Sitter) -> None:
    alpha = sitter.alpha.copy()
    alpha[CHEEK] = 0  # a hole in the face, so that background touches skin
    behind = alpha == 0
    finished = retouch(sitter.pixels, alpha, sitter.landmarks, EVERYTHING)
    assert np.array_equal(finished[behind], sitter.pixels[behind])
    assert (finished != sitter.pixels)[~behind].mean() > 0.5
    noise = np.random.default_rng(1).integers(0, 256, sitter.pixels.shape, dtype=np.uint8)
    other = np.where(behind[..., None], noise, sitter.pixels)
    assert np.array_equal(retouch(other, alpha, sitter.landmarks, EVERYTHING)[~behind], finished[~behind])


def test_brightness_rises_steadily_and_nothing_clips(sitter: Sitter) -> None:
    steps = [sitter.retouch(brightness=value) for value in (-1, -0.5, 0, 0.5, 1)]
    levels = [lightness(step) for step in steps]
    assert (np.diff(levels) > 2).all()
    person = sitter.alpha == 255
    before = (sitter.pixels[person] == 255).mean()
    assert (steps[-1][person] == 255).mean() < before + 0.02


def test_black_and_white_stay(sitter: Sitter) -> None:
    painted = sitter.altered(sitter.pixels)
    painted.pixels[200:240] = 0
    painted.pixels[240:260] = 255
    for wish in ({"brightness": 1.0}, {"brightness": -1.0}, {"contrast": 1.0}, {"contrast": -1.0}):
        finished = painted.retouch(**wish)
        assert not finished[200:240].any(), wish
        assert (finished[240:260] == 255).all(), wish


def test_contrast_turns_around_the_lightness_of_the_face(sitter: Sitter) -> None:
    skin = np.s_[108:128, 190:250]
    before, more, less = (sitter.retouch(contrast=value) for value in (0, 1, -1))
    assert lightness(more, skin) == pytest.approx(lightness(before, skin), abs=2)
    assert lightness(less, skin) == pytest.approx(lightness(before, skin), abs=2)
    spreads = [to_lab(step)[40:200, 170:280, 0].std() for step in (less, before, more)]
    assert spreads[0] < 0.93 * spreads[1] < 0.93 * 0.95 * spreads[2]


def test_saturation_changes_chroma_and_keeps_hue_and_lightness(sitter: Sitter) -> None:
    before, more, less = (to_lab(sitter.retouch(saturation=value))[CHEEK] for value in (0, 0.6, -0.6))
    chroma, more_chroma, less_chroma = (np.hypot(lab[..., 1], lab[..., 2]).mean() for lab in (before, more, less))
    assert more_chroma > 1.2 * chroma
    assert less_chroma < 0.5 * chroma
    for changed in (more, less):
        assert np.abs(changed[..., 0] - before[..., 0]).mean() < 1
        hues = [np.degrees(np.arctan2(lab[..., 2].mean(), lab[..., 1].mean())) for lab in (before, changed)]
        assert hues[1] == pytest.approx(hues[0], abs=3)
    gray = sitter.retouch(saturation=-1)[sitter.alpha > 0].astype(int)
    assert (gray.max(axis=1) - gray.min(axis=1)).max() <= 1


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 110, 160), (250, 240, 10), (10, 160, 40)])
@pytest.mark.parametrize("wish", [{"saturation": 1.0}, {"brightness": 0.8}, {"brightness": -0.8}])
def test_a_colour_at_the_edge_of_srgb_keeps_its_hue(
    sitter: Sitter, colour: tuple[int, int, int], wish: dict[str, float]
) -> None:
    painted = sitter.altered(sitter.pixels)
    painted.pixels[230:250, 200:240] = colour
    _, *before = to_lab(painted.pixels)[240, 220]
    _, *after = to_lab(painted.retouch(**wish))[240, 220]
    turn = math.degrees(math.atan2(after[1], after[0]) - math.atan2(before[1], before[0]))
    assert math.remainder(turn, 360) == pytest.approx(0, abs=6)
    assert math.hypot(*after) > 0.3 * math.hypot(*before)


def test_sharpness_adds_detail_and_takes_it_away(sitter: Sitter) -> None:
    for region in (HAIR, EYES):
        energies = [detail_energy(sitter.retouch(sharpness=value), region) for value in (-1, -0.5, 0, 0.5, 1)]
        assert (np.diff(energies) > 0.1 * energies[2]).all()


def test_smoothing_evens_the_skin_and_keeps_eyes_lips_and_hair(sitter: Sitter) -> None:
    finished = sitter.retouch(smooth=1)
    assert roughness(finished) < 0.75 * roughness(sitter.pixels)
    for region in (EYES, MOUTH, HAIR):
        assert 0.95 < detail_energy(finished, region) / detail_energy(sitter.pixels, region) < 1.05
    assert np.array_equal(finished[HAIR], sitter.pixels[HAIR])
    assert lightness(finished) == pytest.approx(lightness(sitter.pixels), abs=1.5)
    assert roughness(finished) < roughness(sitter.retouch(smooth=0.4)) < roughness(sitter.pixels)


def test_what_lies_on_the_skin_in_another_colour_is_not_smoothed(sitter: Sitter) -> None:
    # Hair over the cheek, glasses, a plaster: textured, so that smoothing would show.
    texture = np.random.default_rng(2).integers(-12, 13, (16, 20, 1))
    place = np.s_[110:126, 188:208]
    for colour, kept in (((60, 45, 35), True), ((70, 130, 160), True), ((225, 180, 150), False)):
        covered = sitter.altered(sitter.pixels)
        covered.pixels[place] = np.array(colour) + texture
        change = np.abs(covered.retouch(smooth=1).astype(int) - covered.pixels)[114:122, 194:202]
        assert (change.max() == 0) == kept, colour


def test_automatic_light_helps_dark_and_bright_faces_and_leaves_good_ones(sitter: Sitter) -> None:
    assert np.array_equal(sitter.retouch(auto_bright=1), sitter.pixels)
    share = sitter.pixels / 255.0
    dark, bright = sitter.altered(255 * share**2.6), sitter.altered(255 * share**0.45)
    for wrong, sign in ((dark, 1), (bright, -1)):
        start, some, full = (lightness(wrong.retouch(auto_bright=value)) for value in (0, 0.5, 1))
        assert sign * (some - start) > 2
        assert sign * (full - some) > 2
        assert sign * (full - start) < 20  # within limits
        assert sign * (lightness(sitter.pixels) - full) > 0  # not beyond


def test_automatic_smoothing_follows_the_roughness(sitter: Sitter) -> None:
    even = sitter.blurred(2)
    assert np.abs(sitter.retouch(auto_smooth=1).astype(int) - sitter.pixels)[CHEEK].mean() > 2
    assert np.abs(even.retouch(auto_smooth=1).astype(int) - even.pixels)[CHEEK].mean() < 1
    assert roughness(sitter.retouch(auto_smooth=1)) < 0.75 * roughness(sitter.pixels)


def test_automatic_sharpening_is_for_blurred_photos_only(sitter: Sitter) -> None:
    assert np.array_equal(sitter.retouch(auto_sharp=1), sitter.pixels)
    blurred = sitter.blurred(1.2)
    assert detail_energy(blurred.retouch(auto_sharp=1), EYES) > 1.2 * detail_energy(blurred.pixels, EYES)


def test_nothing_moves(sitter: Sitter, finder: FaceFinder) -> None:
    (face,) = finder.find(retouch(sitter.pixels, sitter.alpha, sitter.landmarks, EVERYTHING))
    eyes = math.dist(centre_of(sitter.landmarks, LEFT_EYE), centre_of(sitter.landmarks, RIGHT_EYE))
    moved = np.hypot(*(face.landmarks - sitter.landmarks)[:, :2].T)
    assert moved.mean() < 0.01 * eyes


@pytest.mark.parametrize("wish", [{"sharpness": 1.0}, {"sharpness": -1.0}, {"smooth": 1.0}, {"brightness": 0.5}])
def test_the_look_is_the_same_at_any_resolution(sitter: Sitter, wish: dict[str, float]) -> None:
    large = sitter.resized(3)
    reduced = cv2.resize(large.retouch(**wish), (512, 512), interpolation=cv2.INTER_AREA)
    start = cv2.resize(large.pixels, (512, 512), interpolation=cv2.INTER_AREA)
    part = np.s_[60:180, 170:280]
    small, big = (
        (to_lab(after) - to_lab(before))[part][..., 0].ravel()
        for after, before in (
            (sitter.retouch(**wish), sitter.pixels),
            (reduced.astype(np.uint8), start.astype(np.uint8)),
        )
    )
    assert np.corrcoef(small, big)[0, 1] > 0.95
    assert small.std() == pytest.approx(big.std(), rel=0.25)


@pytest.mark.parametrize("place", [(0.0, 0.0), (5000.0, -3000.0), (470.0, 470.0)])
def test_a_mesh_without_a_face_below_does_no_harm(sitter: Sitter, place: tuple[float, float]) -> None:
    points = np.zeros((468, 3), np.float32)
    points[:, :2] = place
    assert lightness(retouch(sitter.pixels, sitter.alpha, points, EVERYTHING)) > lightness(sitter.pixels)


def test_a_picture_without_a_person_is_returned(sitter: Sitter) -> None:
    nobody = np.zeros_like(sitter.alpha)
    assert np.array_equal(retouch(sitter.pixels, nobody, sitter.landmarks, EVERYTHING), sitter.pixels)


def test_an_even_picture_stays_even(sitter: Sitter) -> None:
    for level in (0, 128, 255):
        even = sitter.altered(np.full_like(sitter.pixels, level))
        finished = retouch(even.pixels, np.full_like(even.alpha, 255), even.landmarks, EVERYTHING)
        assert np.ptp(finished.reshape(-1, 3), axis=0).max() == 0
