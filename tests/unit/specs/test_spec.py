from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idphoto.specs import Range, Spec
from idphoto.specs.units import to_mm, to_px

BARE = Spec.of_size(300, 400)


def test_a_size_alone_is_a_spec_with_our_usual_placement() -> None:
    assert (BARE.id, BARE.width, BARE.height, BARE.dpi) == ("300x400", 300, 400, 300)
    assert 0.62 in BARE.placement.head_height
    assert not BARE.has_ranges


def test_a_print_size_becomes_pixels_at_its_dpi() -> None:
    spec = Spec.of_print(35, 45, dpi=600)
    assert (spec.width, spec.height, spec.dpi) == (827, 1063, 600)
    assert spec.print_size_mm == (35, 45)


def test_a_file_s_print_size_follows_from_its_dpi() -> None:
    assert Spec.of_size(300, 600, dpi=150).print_size_mm == pytest.approx((50.8, 101.6))


@given(millimetres=st.floats(1, 500), dpi=st.integers(10, 1200))
def test_a_length_survives_the_way_to_pixels_and_back(millimetres: float, dpi: int) -> None:
    pixels = to_px(millimetres, dpi)
    assert pixels >= 1
    if pixels > 1:
        assert to_mm(pixels, dpi) == pytest.approx(millimetres, abs=0.5001 * 25.4 / dpi)
    assert to_px(to_mm(pixels, dpi), dpi) == pixels


@given(low=st.floats(0.0, 0.5), size=st.floats(0.01, 0.5), value=st.floats(0, 1))
def test_an_aim_lies_in_its_range_as_near_as_it_can(low: float, size: float, value: float) -> None:
    aimed = Range(low=low, high=low + size).aim_for(value)
    assert aimed.target is not None
    assert aimed.target in aimed
    if value in aimed:
        assert aimed.target == value


def test_an_aim_that_a_document_implies_is_kept() -> None:
    assert Range.around(0.2, 0.4).aim_for(0.39).target == pytest.approx(0.3)


def test_a_document_s_face_width_decides_how_high_the_head_is() -> None:
    placement = replace(BARE, face_width=Range.around(0.6, 0.7)).placement
    assert placement.head_height.target == pytest.approx(1.7 * 0.65 * 300 / 400)


def test_a_large_head_leaves_a_smaller_margin() -> None:
    large = replace(BARE, head_height=Range.around(0.8, 0.85)).placement
    assert large.top_margin.target is not None
    assert large.top_margin.target < 0.06


def test_a_half_open_range_is_aimed_at_where_we_usually_aim() -> None:
    placement = replace(BARE, head_height=Range(low=0.0, high=0.8)).placement
    assert placement.head_height.target == pytest.approx(0.62)
    higher = replace(BARE, head_height=Range(low=0.7, high=1.0)).placement
    assert higher.head_height.target == pytest.approx(0.7)
