"""A cut-out that was damaged on disk is refused as such, whatever the damage."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.seeds import make_archives
from idphoto.imaging.archive import BadArchive, unpack

UNHURRIED = settings(deadline=None)
WHOLE = dict(make_archives())["archive"]


def read_parts() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@UNHURRIED
@given(length=st.integers(0, len(WHOLE) - 1))
def test_a_part_of_an_archive_is_refused(length: int) -> None:
    with pytest.raises(BadArchive, match="archive is damaged"):
        unpack(WHOLE[:length])


@UNHURRIED
@given(place=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255))
def test_a_changed_byte_does_no_more_than_have_it_refused(place: int, value: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] = value
    # A changed pixel or measure cannot be noticed; whatever else is raised fails the test.
    with suppress(BadArchive):
        portrait, _ = unpack(bytes(damaged))
        assert portrait.alpha.size > 0


@pytest.mark.parametrize(
    "facts", [[], None, "x", {}, {"version": 1}, {"version": 1, "face": 7, "head": [], "levels": 1}]
)
def test_other_facts_are_refused(facts: Any) -> None:
    with pytest.raises(BadArchive):
        unpack(write(read_parts() | {"facts.json": json.dumps(facts).encode()}))


def test_pictures_of_another_format_are_refused() -> None:
    parts = read_parts()
    with pytest.raises(BadArchive):
        unpack(write(parts | {"pixels-0.jpg": parts["alpha-0.png"]}))
