from __future__ import annotations

from dataclasses import replace

import pytest

from idphoto.imaging.encode import FileLimits
from idphoto.imaging.order import Order
from idphoto.specs import Editing, Spec

DOCUMENT = Spec(id="club-card", width=300, height=400, backgrounds=("E5E5E5", "FFFFFF"), min_kb=20, max_kb=80, dpi=350)
STRICT = replace(DOCUMENT, editing=Editing.FORBIDDEN)


def test_a_document_says_what_the_order_leaves_open():
    order = Order(spec=DOCUMENT)
    assert order.finish.background == "E5E5E5"
    assert order.file_limits == FileLimits(min_kb=20, max_kb=80)
    assert order.print_dpi == 350
    assert not order.keeps_background


def test_what_is_asked_for_goes_before_the_document():
    order = Order(spec=DOCUMENT, background="438EDB", limits=FileLimits(max_kb=30), dpi=600)
    assert order.finish.background == "438EDB"
    assert order.file_limits == FileLimits(max_kb=30)
    assert order.print_dpi == 600


def test_without_a_document_it_is_white_at_300_dpi_of_any_size():
    order = Order()
    assert (order.finish.background, order.print_dpi, order.file_limits) == ("FFFFFF", 300, FileLimits())
    assert order.target is None


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"keep_background": False}, False),
        ({"background": "FFFFFF"}, False),
        ({"transparent": True}, False),
        ({"background_end": "FFFFFF"}, False),
        ({"background": "FFFFFF", "keep_background": True}, True),
    ],
)
def test_a_background_is_kept_where_editing_is_forbidden_unless_another_is_asked_for(changes, kept):
    assert Order(spec=STRICT, **changes).keeps_background is kept
    assert Order(spec=STRICT, **changes).finish.keep_background is kept


def test_a_placement_by_number_takes_the_place_of_the_range():
    target = Order(spec=DOCUMENT, head_height=0.5, eye_line=0.6).target
    assert target is not None
    assert target.head_height is not None
    assert target.head_height.target == 0.5
    assert target.eye_line is not None
    assert 0.6 in target.eye_line
    assert target.top_margin is None


def test_a_preview_need_not_be_of_the_document_s_file_size():
    assert Order(spec=DOCUMENT, preview=True).file_limits == FileLimits()
