from __future__ import annotations

import pytest

from idphoto.colour import parse_colour


@pytest.mark.parametrize(("text", "colour"), [("438EDB", "438EDB"), ("#438edb", "438EDB"), (" ffffff ", "FFFFFF")])
def test_six_digits_are_a_colour(text: str, colour: str) -> None:
    assert parse_colour(text) == colour


@pytest.mark.parametrize("text", ["", "fff", "white", "##438EDB", "438EDB00", "43 8EDB", "４３８EDB"])
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        parse_colour(text)
