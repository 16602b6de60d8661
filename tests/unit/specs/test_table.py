from __future__ import annotations

from pathlib import Path

from idphoto.specs import Catalogue
from idphoto.specs.table import write_markdown

PAGE = Path(__file__).resolve().parents[3] / "docs" / "specs.md"


def test_the_page_in_the_docs_is_the_catalogue_s() -> None:
    assert PAGE.read_text("utf-8") == write_markdown(Catalogue.load()), "run: idphoto specs --markdown > docs/specs.md"


def test_every_document_has_a_row_of_all_columns() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert len(rows) == len(Catalogue.load())
    assert {row.count(" | ") for row in rows} == {13}
