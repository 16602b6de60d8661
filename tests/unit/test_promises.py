"""The promises of the docs name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["security.md", "reliability.md"])
def test_every_test_that_a_promise_names_is_there(page: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text)
    assert len(named) >= 10
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text("utf-8"), f"{file}::{test}"


def test_every_promise_of_a_table_names_a_test() -> None:
    for page in ("security.md", "reliability.md"):
        lines = (ROOT / "docs" / page).read_text("utf-8").splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith("| promise |")]
        assert starts
        for start in starts:
            for line in lines[start + 2 :]:
                if not line.startswith("|"):
                    break
                assert re.search(r"`(tests|bench|chaos|fuzz)/|the same test|the first of these|`make ", line), line
