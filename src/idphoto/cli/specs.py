"""`idphoto specs`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from idphoto.cli.console import fail, make_console
from idphoto.settings import Settings
from idphoto.specs import Catalogue, Crown, Spec, UnknownSpec
from idphoto.specs.table import write_kilobytes, write_markdown, write_millimetres, write_range

_CROWNS = {Crown.HAIR: "with hair", Crown.SKULL: "as if without hair", Crown.TRIMMED: "with hair; tall hair may be cut"}


def specs(
    spec_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Show one spec with its rules and sources.", show_default=False)
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="Only of this country: two letters, such as CN.", show_default=False)
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a page of all, in Markdown.")] = False,
) -> None:
    """List the known photo specs, or show one."""
    catalogue = Catalogue.load(Settings().specs_file)
    if markdown:
        typer.echo(write_markdown(catalogue.list(country)), nl=False)
        return
    if spec_id is not None:
        try:
            _show(catalogue.get(spec_id))
        except UnknownSpec as error:
            fail(str(error))
        return
    found = catalogue.list(country)
    if not found:
        countries = sorted({spec.country for spec in catalogue if spec.country})
        fail(f"There are no specs of {country!r}. There are some of: {', '.join(countries)}.")
    table = Table(box=None, header_style="bold")
    table.add_column("ID", no_wrap=True)
    table.add_column("Name", overflow="fold")
    for header in ("mm", "px", "Editing"):
        table.add_column(header, no_wrap=header != "Editing")
    for spec in found:
        table.add_row(
            spec.id,
            f"{spec.name_en} {spec.name_zh}",
            write_millimetres(spec),
            f"{spec.width}x{spec.height}",
            spec.editing.value.replace("_", " ") if spec.editing else "",
        )
    make_console().print(table)


def _show(spec: Spec) -> None:
    table = Table(box=None, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    ranges = {
        "Head, chin to crown": (spec.head_height, "height"),
        "Crown to top edge": (spec.top_margin, "height"),
        "Eyes to bottom edge": (spec.eye_line, "height"),
        "Chin to bottom edge": (spec.chin_to_bottom, "height"),
        "Face width": (spec.face_width, "width"),
    }
    rows = {
        "ID": spec.id,
        "Name": f"{spec.name_en}, {spec.name_zh}",
        "Country": spec.country,
        "On paper": write_millimetres(spec) and f"{write_millimetres(spec)} mm",
        "File": f"{spec.width}x{spec.height} px at {spec.dpi} dpi",
        "File size": write_kilobytes(spec) and f"{write_kilobytes(spec)} KB",
        "Top of the head": spec.crown
        and {"hair": "with hair", "skull": "as if without hair", "trimmed": "with hair, tall hair cut"}[
            spec.crown.value
        ],
        **{name: limits and f"{write_range(limits)} of the {side}" for name, (limits, side) in ranges.items()},
        "Backgrounds": ", ".join(spec.backgrounds),
        "Editing": spec.editing and spec.editing.value,
        "Confidence": spec.confidence and f"{spec.confidence.value} (A authority, B quoted, C convention)",
        "Checked": spec.checked and spec.checked.isoformat(),
        "Sources": "\n".join(f"{source.title} {source.url or ''}".strip() for source in spec.sources),
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, escape(value))
    make_console().print(table)
