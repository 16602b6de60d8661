from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idphoto.imaging.sheet import (
    MAX_PHOTOS,
    PAPERS,
    DoesNotFit,
    Item,
    Paper,
    Place,
    SheetPlan,
    is_quick,
    parse_paper,
    plan_sheet,
)

# Millimetres that floating point may be off by.
SLACK = 1e-5

ONE_INCH = Item(width_mm=25, height_mm=35)
TWO_INCH = Item(width_mm=35, height_mm=49)

sides = st.one_of(st.integers(15, 60), st.floats(15, 60).map(lambda side: round(side, 2)))
papers = st.one_of(
    st.sampled_from(list(PAPERS.values())),
    st.builds(Paper.custom, st.integers(60, 320), st.integers(60, 320)),
)
margins = st.sampled_from([0.0, 3.0, 5.5])
spacings = st.sampled_from([0.0, 0.1, 2.0, 4.7])


def times(item: Item, copies: int | None) -> Item:
    return Item(width_mm=item.width_mm, height_mm=item.height_mm, copies=copies)


def count_items(plan: SheetPlan) -> Counter[int]:
    return Counter(place.item for place in plan.places)


def count_on_grid(paper: Paper, item: Item, margin: float, spacing: float) -> int:
    """The most photos in plain rows, all lying the same way, on either paper: the shop's usual calculation."""

    def fill(room: float, side: float) -> int:
        return max(0, math.floor((room - 2 * margin + spacing) / (side + spacing) + 1e-9))

    width, height = paper.width_mm, paper.height_mm
    return max(
        fill(across, item.width_mm) * fill(down, item.height_mm) for across, down in ((width, height), (height, width))
    )


def check_plan(plan: SheetPlan, items: list[Item], margin: float, spacing: float) -> None:
    places = plan.places
    for place in places:
        item = items[place.item]
        expected = (item.height_mm, item.width_mm) if place.turned else (item.width_mm, item.height_mm)
        assert (place.width_mm, place.height_mm) == expected
        assert place.x_mm >= margin - SLACK
        assert place.y_mm >= margin - SLACK
        assert place.x_mm + place.width_mm <= plan.paper.width_mm - margin + SLACK
        assert place.y_mm + place.height_mm <= plan.paper.height_mm - margin + SLACK
    for index, one in enumerate(places):
        for other in places[index + 1 :]:
            beside = max(one.x_mm, other.x_mm) - min(one.x_mm + one.width_mm, other.x_mm + other.width_mm)
            above = max(one.y_mm, other.y_mm) - min(one.y_mm + one.height_mm, other.y_mm + other.height_mm)
            assert max(beside, above) >= spacing - SLACK
    left, right = min(place.x_mm for place in places), max(place.x_mm + place.width_mm for place in places)
    top, bottom = min(place.y_mm for place in places), max(place.y_mm + place.height_mm for place in places)
    assert left == pytest.approx(plan.paper.width_mm - right, abs=SLACK)
    assert top == pytest.approx(plan.paper.height_mm - bottom, abs=SLACK)


def can_be_cut(places: list[Place]) -> bool:
    """Whether straight cuts from side to side separate all photos."""
    if len(places) <= 1:
        return True
    for start, side in (("x_mm", "width_mm"), ("y_mm", "height_mm")):
        ordered = sorted(places, key=lambda place: getattr(place, start))
        end = 0.0
        for index, place in enumerate(ordered):
            if index and getattr(place, start) >= end - SLACK:
                return can_be_cut(ordered[:index]) and can_be_cut(ordered[index:])
            end = max(end, getattr(place, start) + getattr(place, side))
    return False


@settings(max_examples=60, deadline=None)
@given(paper=papers, width=sides, height=sides, margin=margins, spacing=spacings)
def test_one_size_fills_the_paper_at_least_as_well_as_a_plain_grid(paper, width, height, margin, spacing):
    items = [Item(width_mm=width, height_mm=height)]
    grid = min(MAX_PHOTOS, count_on_grid(paper, items[0], margin, spacing))
    if grid == 0:
        with pytest.raises(DoesNotFit, match="0 of 1 of"):
            plan_sheet(paper, items, margin_mm=margin, spacing_mm=spacing)
        return
    plan = plan_sheet(paper, items, margin_mm=margin, spacing_mm=spacing)
    assert len(plan.places) >= grid
    assert {plan.paper.width_mm, plan.paper.height_mm} == {paper.width_mm, paper.height_mm}
    check_plan(plan, items, margin, spacing)
    assert can_be_cut(list(plan.places))


@settings(max_examples=25, deadline=None)
@given(
    paper=st.builds(Paper.custom, st.integers(60, 180), st.integers(60, 180)),
    items=st.lists(
        st.builds(
            Item,
            width_mm=st.sampled_from([25, 35, 33.5]),
            height_mm=st.sampled_from([35, 49, 45]),
            copies=st.one_of(st.none(), st.integers(1, 6)),
        ),
        min_size=1,
        max_size=3,
    ),
    margin=margins,
    spacing=spacings,
)
def test_a_mixed_sheet_holds_exactly_what_is_asked_for(paper, items, margin, spacing):
    try:
        plan = plan_sheet(paper, items, margin_mm=margin, spacing_mm=spacing)
    except DoesNotFit:
        # Only where it is crowded: photos on less than two fifths of the room have always found a place.
        room = (paper.width_mm - 2 * margin) * (paper.height_mm - 2 * margin)
        asked = sum((i.width_mm + spacing) * (i.height_mm + spacing) * (i.copies or 1) for i in items)
        assert asked > 0.4 * room
        return
    counts = count_items(plan)
    for index, item in enumerate(items):
        assert counts[index] == item.copies if item.copies else counts[index] >= 1
    check_plan(plan, items, margin, spacing)
    assert can_be_cut(list(plan.places))


@pytest.mark.parametrize(
    ("paper", "item", "count"),
    [
        ("5inch", ONE_INCH, 9),
        ("6inch", ONE_INCH, 13),
        ("a4", ONE_INCH, 55),
        ("5inch", TWO_INCH, 4),
        ("6inch", TWO_INCH, 6),
        ("a4", TWO_INCH, 30),
        ("6inch", Item(width_mm=35, height_mm=45), 8),
        ("4r", Item(width_mm=51, height_mm=51), 2),
    ],
)
def test_known_counts(paper, item, count):
    assert len(plan_sheet(PAPERS[paper], [item]).places) == count


def test_the_paper_is_turned_only_where_that_holds_more():
    assert plan_sheet(PAPERS["5inch"], [ONE_INCH]).paper == PAPERS["5inch"]
    turned = plan_sheet(PAPERS["6inch"], [Item(width_mm=35, height_mm=45)])
    assert (turned.paper.width_mm, turned.paper.height_mm) == (152, 102)
    assert turned.paper.name == "6inch"
    assert plan_sheet(Paper.custom(127, 89), [ONE_INCH]).paper.width_mm == 89


def test_photos_stay_upright_where_turning_gains_nothing():
    assert not any(place.turned for place in plan_sheet(PAPERS["6inch"], [Item(width_mm=35, height_mm=45)]).places)
    assert not any(place.turned for place in plan_sheet(PAPERS["6inch"], [times(ONE_INCH, 12)]).places)
    assert any(place.turned for place in plan_sheet(PAPERS["6inch"], [times(ONE_INCH, 13)]).places)


def test_of_two_papers_the_one_with_more_upright_photos_is_taken():
    assert sum(place.turned for place in plan_sheet(PAPERS["a4"], [TWO_INCH]).places) == 10


def test_few_copies_make_an_even_block():
    places = plan_sheet(PAPERS["6inch"], [times(ONE_INCH, 4)]).places
    assert [(place.x_mm, place.y_mm) for place in places] == [(25, 40), (52, 40), (25, 77), (52, 77)]


def test_an_exact_fit_is_a_fit():
    # In floating point, (40.3 + 0.1) / (20.1 + 0.1) is less than 2.
    plan = plan_sheet(Paper.custom(40.3, 40.3), [Item(width_mm=20.1, height_mm=20.1)], margin_mm=0, spacing_mm=0.1)
    assert len(plan.places) == 4


def test_two_sizes_share_a_sheet():
    plan = plan_sheet(PAPERS["6inch"], [times(ONE_INCH, 4), TWO_INCH])
    assert count_items(plan) == {0: 4, 1: 4}


def test_items_without_a_number_share_the_room_evenly():
    assert count_items(plan_sheet(PAPERS["a4"], [ONE_INCH, TWO_INCH])) == {0: 20, 1: 20}
    square = Item(width_mm=51, height_mm=51)
    assert count_items(plan_sheet(PAPERS["a4"], [ONE_INCH, TWO_INCH, square])) == {0: 13, 1: 9, 2: 9}
    assert count_items(plan_sheet(PAPERS["6inch"], [ONE_INCH] * 3)) == {0: 5, 1: 4, 2: 4}
    assert count_items(plan_sheet(PAPERS["6inch"], [times(ONE_INCH, 2), ONE_INCH, ONE_INCH])) == {0: 2, 1: 6, 2: 5}


def test_many_sizes_all_get_a_place():
    items = [Item(width_mm=20 + 2 * step, height_mm=30 + step, copies=2) for step in range(8)]
    plan = plan_sheet(PAPERS["a4"], items)
    assert count_items(plan) == dict.fromkeys(range(8), 2)
    check_plan(plan, items, 3, 2)


def test_a_sheet_is_filled_up_to_the_limit_and_not_beyond():
    small = Item(width_mm=5, height_mm=6)
    assert len(plan_sheet(PAPERS["a4"], [small]).places) == MAX_PHOTOS
    assert count_items(plan_sheet(PAPERS["a4"], [times(ONE_INCH, 1), small])) == {0: 1, 1: MAX_PHOTOS - 1}


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([times(ONE_INCH, 12)], "9 of 12 of 25x35 mm"),
        ([Item(width_mm=90, height_mm=90)], "0 of 1 of 90x90 mm"),
        ([times(ONE_INCH, 4), times(TWO_INCH, 12)], "4 of 4 of 25x35 mm, 2 of 12 of 35x49 mm"),
        ([Item(width_mm=80, height_mm=120), ONE_INCH], "of 1 of 25x35 mm"),
    ],
)
def test_what_does_not_fit_is_told(items, message):
    with pytest.raises(DoesNotFit, match=message):
        plan_sheet(PAPERS["5inch"], items)


def test_a_margin_that_leaves_no_room_is_told():
    with pytest.raises(DoesNotFit):
        plan_sheet(PAPERS["5inch"], [ONE_INCH], margin_mm=60)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [times(ONE_INCH, 0)],
        [times(ONE_INCH, -1)],
        [Item(width_mm=0, height_mm=35)],
        [Item(width_mm=25, height_mm=math.nan)],
        [Item(width_mm=math.inf, height_mm=35)],
        [times(ONE_INCH, 501)],
        [times(ONE_INCH, 300), times(TWO_INCH, 201)],
        [Item(width_mm=10 + step, height_mm=10, copies=1) for step in range(9)],
    ],
)
def test_wrong_items_are_refused(items):
    with pytest.raises(ValueError, match=r"photo") as caught:
        plan_sheet(PAPERS["a4"], items)
    assert not isinstance(caught.value, DoesNotFit)


@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_margin_and_spacing_are_lengths(value):
    for name in ("margin_mm", "spacing_mm"):
        with pytest.raises(ValueError, match="Margin and spacing"):
            plan_sheet(PAPERS["a4"], [ONE_INCH], **{name: value})


def test_known_papers_are_portrait_and_named_by_their_keys():
    assert all(name == paper.name and paper.width_mm <= paper.height_mm for name, paper in PAPERS.items())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6inch", PAPERS["6inch"]),
        (" 5 Inch ", PAPERS["5inch"]),
        ("6寸", PAPERS["6inch"]),
        ("5 英寸", PAPERS["5inch"]),
        ("4R", PAPERS["4r"]),
        ("A4", PAPERS["a4"]),
        ("Letter", PAPERS["letter"]),
        ("100x150", Paper(name="100x150", width_mm=100, height_mm=150)),
        ("152.5 × 102 mm", Paper(name="152.5x102", width_mm=152.5, height_mm=102)),
    ],
)
def test_a_paper_is_read_from_text(text, expected):
    assert parse_paper(text) == expected


@pytest.mark.parametrize(
    "text", ["", "7inch", "x", "100x", "100x150x200", "-100x150", "1e3x100", "nanxnan", "１００x150"]
)
def test_an_unknown_paper_is_told_with_the_choices(text):
    with pytest.raises(ValueError, match=r"one of 5inch, 6inch, .* WIDTHxHEIGHT in mm"):
        parse_paper(text)


@pytest.mark.parametrize(("width", "height"), [(29.9, 100), (100, 1200.1), (math.nan, 100), (100, math.inf)])
def test_a_paper_of_an_odd_size_is_refused(width, height):
    with pytest.raises(ValueError, match="30 to 1200 mm"):
        Paper.custom(width, height)
    with pytest.raises(ValueError, match="30 to 1200 mm"):
        parse_paper("20x100")


@pytest.mark.parametrize(
    ("paper", "items", "quick"),
    [
        (Paper.custom(1200, 1200), [ONE_INCH], True),
        (PAPERS["6inch"], [ONE_INCH, TWO_INCH, Item(width_mm=33, height_mm=48)], True),
        (PAPERS["a4"], [ONE_INCH, TWO_INCH, ONE_INCH], True),
        (Paper.custom(297, 420), [ONE_INCH, TWO_INCH, Item(width_mm=33, height_mm=48)], False),
        (Paper.custom(300, 1000), [Item(width_mm=1.0012, height_mm=1.0013), TWO_INCH], False),
    ],
)
def test_sheets_whose_planning_takes_long_are_known_before(paper: Paper, items: list[Item], *, quick: bool) -> None:
    assert is_quick(paper, items) is quick
