from __future__ import annotations

import pytest

from idphoto.specs import Catalogue, Spec, UnknownSpec

SPECS = list(Catalogue.load())


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_pixels_are_millimetres_at_the_spec_s_dpi(spec: Spec) -> None:
    assert spec.width_mm is not None
    assert spec.height_mm is not None
    assert spec.width == pytest.approx(spec.width_mm / 25.4 * spec.dpi, abs=1)
    assert spec.height == pytest.approx(spec.height_mm / 25.4 * spec.dpi, abs=1)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_every_entry_has_both_names_and_a_source(spec: Spec) -> None:
    assert spec.name_en
    assert spec.name_zh
    assert spec.source


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_the_ranges_leave_room_for_a_head(spec: Spec) -> None:
    placement = spec.placement
    for limits in (placement.head_height, placement.top_margin, placement.eye_line, placement.face_width):
        if limits is not None:
            assert 0 < limits.low <= limits.target <= limits.high < 1
    assert placement.top_margin.low + placement.head_height.low < 1
    assert placement.top_margin.target + placement.head_height.target < 1


def test_the_passport_s_millimetres_become_fractions_of_its_height() -> None:
    head = Catalogue.load().get("cn-passport").head_height
    assert head is not None
    assert (head.low, head.high) == pytest.approx((28 / 48, 33 / 48))


def test_a_size_alone_is_a_spec_with_our_usual_placement() -> None:
    spec = Spec.of_size(300, 400)
    assert (spec.id, spec.width, spec.height, spec.dpi) == ("300x400", 300, 400, 300)
    assert 0.62 in spec.placement.head_height


def test_an_unknown_id_says_where_to_look() -> None:
    with pytest.raises(UnknownSpec, match="idphoto specs"):
        Catalogue.load().get("moon-visa")
