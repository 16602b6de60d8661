"""What may be wished for, without a model."""

from __future__ import annotations

from typing import Any

import pytest

from idphoto.library import read_wishes
from idphoto.specs import Catalogue, UnknownSpec

CATALOGUE = Catalogue.load()


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"size": (0, 0)}, "20 to 10000 pixels"),
        ({"size": (-1, 5)}, "20 to 10000 pixels"),
        ({"size": (30_000, 30_000)}, "20 to 10000 pixels"),
        ({"size_mm": (0.1, 0.1)}, "20 to 10000 pixels"),
        ({"size_mm": (float("nan"), 45)}, "above 0"),
        ({"size_mm": (35, 5000)}, "above 0"),
        ({"size_mm": (35, 45), "dpi": 0}, "dpi"),
        ({"spec": "cn-1inch", "dpi": -300}, "dpi"),
        ({"spec": "cn-1inch", "size": (300, 400)}, "one of"),
        ({"size": (300, 400), "format": "gif"}, "jpg or png"),
        ({"size": (300, 400), "format": "jpg", "background": "transparent"}, "transparent"),
        ({"size": (300, 400), "background": "zzz"}, "colour"),
        ({"size": (300, 400), "min_kb": -5}, "min_kb"),
        ({"size": (300, 400), "min_kb": 10**9}, "min_kb"),
        ({"size": (300, 400), "min_kb": 30, "max_kb": 20}, "above the most"),
        ({"size": (300, 400), "layout": "1x1"}, "paper"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused_in_words(wishes: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_wishes(wishes, CATALOGUE)


def test_a_wish_or_document_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="no wish named bg"):
        read_wishes({"bg": "FFFFFF"}, CATALOGUE)  # type: ignore[typeddict-unknown-key]
    with pytest.raises(UnknownSpec):
        read_wishes({"spec": "atlantis"}, CATALOGUE)


def test_what_is_wished_for_is_ordered() -> None:
    order = read_wishes({"size_mm": (35, 45), "dpi": 600, "background": "438edb", "max_kb": 80}, CATALOGUE)
    assert order.spec is not None
    assert (order.spec.width, order.spec.height, order.spec.dpi) == (827, 1063, 600)
    assert (order.format, order.background, order.transparent) == ("jpg", "438EDB", False)
