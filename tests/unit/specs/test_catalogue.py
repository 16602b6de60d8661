from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from idphoto.specs import Catalogue, CatalogueError, Crown, Editing, Range, Spec, UnknownSpec

SPECS = list(Catalogue.load())
WITH_RANGES = [spec for spec in SPECS if spec.has_ranges]


def by_id(spec: Spec) -> str:
    return spec.id


def test_the_catalogue_is_broad() -> None:
    countries = {spec.country for spec in SPECS if "passport" in spec.id or "visa" in spec.id}
    assert len(SPECS) >= 60
    assert len(countries) >= 25
    assert len([spec for spec in SPECS if spec.country == "CN"]) >= 20


@pytest.mark.parametrize("spec", SPECS, ids=by_id)
def test_pixels_are_millimetres_at_the_spec_s_dpi(spec: Spec) -> None:
    width_mm, height_mm = spec.print_size_mm
    assert spec.width == pytest.approx(width_mm / 25.4 * spec.dpi, abs=1)
    assert spec.height == pytest.approx(height_mm / 25.4 * spec.dpi, abs=1)


@pytest.mark.parametrize("spec", SPECS, ids=by_id)
def test_every_entry_can_be_checked_by_a_reader(spec: Spec) -> None:
    assert spec.name_en
    assert re.search(r"[\u4e00-\u9fff]", spec.name_zh)
    assert spec.sources
    assert spec.confidence is not None
    assert spec.checked is not None


@pytest.mark.parametrize("spec", SPECS, ids=by_id)
def test_ranges_are_plausible_for_a_photo_of_a_head(spec: Spec) -> None:
    plausible = {
        "head_height": (0.40, 0.95),
        "top_margin": (0.0, 0.35),
        "eye_line": (0.35, 0.75),
        "chin_to_bottom": (0.0, 0.60),
        "face_width": (0.35, 0.95),
    }
    for name, (low, high) in plausible.items():
        limits: Range | None = getattr(spec, name)
        if limits is None:
            continue
        assert limits.high >= low, name
        assert limits.low <= high, name
        if limits.target is not None:  # closed on both sides
            assert low <= limits.low, name
            assert limits.high <= high, name


@pytest.mark.parametrize("spec", WITH_RANGES, ids=by_id)
def test_a_usual_head_satisfies_all_ranges_at_once(spec: Spec) -> None:
    """Heads are 1.9 to 2.4 T high with hair, 2.0 without; T is the height of the eyes above the chin."""

    def fits(crown: float, head: float, chin: float, face: float) -> bool:
        values = {
            "head_height": head,
            "top_margin": 1 - chin - head,
            "eye_line": chin + head / crown,
            "chin_to_bottom": chin,
            "face_width": face * head / crown * spec.height / spec.width,
        }
        return all(getattr(spec, name) is None or value in getattr(spec, name) for name, value in values.items())

    crowns = (2.0,) if spec.crown is Crown.SKULL else (2.0, 2.1, 2.17, 2.3)
    heads = [0.40 + step / 200 for step in range(110)]
    chins = [step / 200 for step in range(110)]
    candidates = itertools.product(crowns, heads, chins, (1.15, 1.28, 1.4))
    assert any(chin + head <= 1 and fits(crown, head, chin, face) for crown, head, chin, face in candidates)


@pytest.mark.parametrize("spec", SPECS, ids=by_id)
def test_what_we_aim_for_lies_inside_the_photo(spec: Spec) -> None:
    placement = spec.placement
    head, top = placement.head_height.target, placement.top_margin.target
    assert head is not None
    assert top is not None
    assert head in placement.head_height
    assert top in placement.top_margin
    assert head + top < 1


def test_the_passport_s_millimetres_become_fractions_of_its_height() -> None:
    spec = Catalogue.load().get("cn-passport")
    assert spec.head_height is not None
    assert (spec.head_height.low, spec.head_height.high) == pytest.approx((28 / 48, 33 / 48))
    assert spec.face_width is not None
    assert (spec.face_width.low, spec.face_width.high) == pytest.approx((15 / 33, 22 / 33))
    assert spec.chin_to_bottom == Range(low=7 / 48, high=1.0)
    assert spec.editing is Editing.BACKGROUND_ONLY


def test_a_country_s_documents_are_listed_in_any_case() -> None:
    catalogue = Catalogue.load()
    assert {spec.country for spec in catalogue.list("jp")} == {"JP"}
    assert catalogue.list("xx") == []
    assert len(catalogue.list()) == len(catalogue)


def test_an_unknown_id_says_where_to_look() -> None:
    with pytest.raises(UnknownSpec, match="idphoto specs"):
        Catalogue.load().get("moon-visa")


OURS = """
[[spec]]
id = "club-card"
en = "Club card"
zh = "会员卡"
mm = [25, 30]
px = [295, 354]
head_height = { min = 18, max = 21, unit = "mm" }
"""


def test_an_operator_s_file_adds_documents_and_may_replace_ours(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(OURS + OURS.replace("club-card", "cn-passport"), "utf-8")
    catalogue = Catalogue.load(path)
    assert len(catalogue) == len(SPECS) + 1
    assert catalogue.get("club-card").head_height == Range.around(18 / 30, 21 / 30)
    assert catalogue.get("cn-passport").name_en == "Club card"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("spec = [", "is not TOML"),
        ("title = 1", r"has no \[\[spec\]\] entries"),
        (OURS + OURS, "two entries named club-card"),
        (OURS.replace("295", "300"), "entry club-card: 300 px is not 25 mm at 300 dpi"),
        (OURS.replace("min = 18", "min = 28"), "head_height min must be less than max"),
        (OURS.replace("max = 21", "max = 41"), "head_height does not fit into the photo"),
        (OURS.replace("mm = [25, 30]", ""), "head_height is in mm, but the document has no print size"),
        (OURS.replace('"club-card"', '"Club Card"'), "entry Club Card: id"),
        (OURS + "head_hight = 3\n", "entry club-card: head_hight"),
        (OURS + "min_kb = 30\nmax_kb = 20\n", "min_kb must be less than max_kb"),
        (OURS + 'editing = "perhaps"\n', "editing"),
    ],
)
def test_a_wrong_operator_s_file_is_told_with_its_entry_and_field(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(CatalogueError, match=told) as caught:
        Catalogue.load(path)
    assert str(path) in str(caught.value)


def test_a_missing_operator_s_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read"):
        Catalogue.load(tmp_path / "none.toml")
