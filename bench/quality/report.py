"""Tables that are printed, and stored as Markdown and JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text under a header, with what has to be known to read them."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def to_markdown(self) -> str:
        """Return the table as GitHub Markdown, numbers to the right."""
        lines = [f"### {self.title}", ""]
        if self.note:
            lines += [self.note, ""]
        lines.append("| " + " | ".join(self.header) + " |")
        lines.append("|---" + "|--:" * (len(self.header) - 1) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines) + "\n"


def store(tables: list[Table], folder: Path) -> None:
    """Write ``tables.md`` and ``tables.json`` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tables.md").write_text("\n".join(table.to_markdown() for table in tables), "utf-8")
    (folder / "tables.json").write_text(json.dumps([asdict(table) for table in tables], indent=1), "utf-8")
