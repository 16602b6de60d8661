"""`idphoto specs`."""

from __future__ import annotations

from rich.table import Table

from idphoto.cli.console import make_console
from idphoto.specs import Catalogue


def specs() -> None:
    """List the known photo specs."""
    table = Table("ID", "Name", "名称", "mm", "px", "dpi", box=None, header_style="bold")
    for spec in Catalogue.load():
        millimetres = f"{spec.width_mm:g} x {spec.height_mm:g}"
        table.add_row(spec.id, spec.name_en, spec.name_zh, millimetres, f"{spec.width} x {spec.height}", str(spec.dpi))
    make_console().print(table)
