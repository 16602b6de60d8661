from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from idphoto.imaging.portrait import Box
from idphoto.imaging.refine import refine_alpha

SIDE = 400
FACE = Box(x=130, y=150, width=140, height=140)
HAIR, WALL = (40, 28, 22), (205, 200, 190)


def draw_head(*, hairs: bool) -> NDArray[np.float32]:
    """A round head on a neck, with four single hairs that stand out 40 pixels: exact alpha."""
    fine = np.zeros((SIDE * 4, SIDE * 4), np.uint8)
    cv2.circle(fine, (800, 800), 400, 255, -1, cv2.LINE_AA)
    cv2.rectangle(fine, (650, 1100), (950, 1599), 255, -1)
    if hairs:
        for angle in (-150, -110, -70, -30):
            towards = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
            start, end = (np.array([800, 800]) + towards * reach for reach in (390, 560))
            cv2.line(fine, start.astype(int).tolist(), end.astype(int).tolist(), 255, 6, cv2.LINE_AA)
    return cv2.resize(fine, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)


def photograph(alpha: NDArray[np.float32], wall: tuple[int, int, int] = WALL) -> NDArray[np.uint8]:
    share = alpha[..., None]
    noise = np.random.default_rng(3).normal(0, 1.5, (SIDE, SIDE, 3))
    return np.clip(np.array(HAIR) * share + np.array(wall) * (1 - share) + noise, 0, 255).astype(np.uint8)


def as_a_network_sees(alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Soft, as from a reduced picture."""
    return np.rint(cv2.GaussianBlur(alpha, (0, 0), 4) * 255).astype(np.uint8)


def test_a_soft_edge_becomes_as_sharp_as_the_photo() -> None:
    true = draw_head(hairs=False)
    seen = as_a_network_sees(true)
    refined = refine_alpha(photograph(true), seen, FACE, steps=60)
    before, after = (np.abs(alpha / 255.0 - true).mean() for alpha in (seen, refined))
    assert after < 0.35 * before


def test_single_hairs_that_the_network_lost_come_back() -> None:
    true, seen = draw_head(hairs=True), as_a_network_sees(draw_head(hairs=False))
    refined = refine_alpha(photograph(true), seen, FACE, steps=60)
    hairs = (true > 0.6) & (draw_head(hairs=False) < 0.01) & (seen < 5)
    assert hairs.sum() > 100
    assert (seen[hairs] / 255).mean() < 0.01
    assert (refined[hairs] / 255).mean() > 0.6


def test_lines_that_do_not_hang_on_to_the_person_stay_background() -> None:
    true = draw_head(hairs=False)
    photo = photograph(true)
    photo[60:64, 60:130] = HAIR
    refined = refine_alpha(photo, as_a_network_sees(true), FACE, steps=60)
    assert refined[55:69, 55:135].max() == 0


def test_a_textured_wall_is_not_taken_for_hair() -> None:
    true = draw_head(hairs=False)
    rng = np.random.default_rng(5)
    texture = cv2.GaussianBlur(rng.normal(0, 90, (SIDE, SIDE, 3)), (0, 0), 1.2)
    photo = np.clip(photograph(true) + texture * (1 - true[..., None]), 0, 255).astype(np.uint8)
    refined = refine_alpha(photo, as_a_network_sees(true), FACE, steps=60)
    far = cv2.distanceTransform((true < 0.01).astype(np.uint8), cv2.DIST_L2, 3) > 16
    assert (refined[far] > 60).mean() < 0.01


def test_sure_parts_are_kept() -> None:
    true = draw_head(hairs=False)
    refined = refine_alpha(photograph(true), as_a_network_sees(true), FACE, steps=10)
    assert (refined[150:250, 160:240] == 255).all()
    assert (refined[:40] == 0).all()


@pytest.mark.parametrize("level", [0, 255])
def test_a_matte_without_an_edge_is_returned(level: int) -> None:
    flat = np.full((SIDE, SIDE), level, np.uint8)
    assert np.array_equal(refine_alpha(photograph(draw_head(hairs=False)), flat, FACE, steps=5), flat)


def test_a_matte_that_is_unsure_everywhere_is_returned() -> None:
    vague = np.full((SIDE, SIDE), 120, np.uint8)
    assert np.array_equal(refine_alpha(photograph(draw_head(hairs=False)), vague, FACE, steps=5), vague)
