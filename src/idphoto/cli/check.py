"""`idphoto check`: does a finished photo meet its document's rules?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from idphoto.cli.console import fail, make_console
from idphoto.imaging.errors import ImagingError
from idphoto.imaging.report import NOTICE, Status
from idphoto.specs import UnknownSpec

if TYPE_CHECKING:
    from idphoto.imaging.report import Check, Report

_MARKS = {
    Status.PASS: "[green]pass[/]",
    Status.WARN: "[yellow]warn[/]",
    Status.FAIL: "[bold red]fail[/]",
    Status.NOT_ASSESSED: "[dim]not assessed[/]",
}


def check(
    photo: Annotated[Path, typer.Argument(help="A finished photo.", metavar="PHOTO", show_default=False)],
    spec: Annotated[str, typer.Option(help="Id of the document, see `idphoto specs`.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check a finished photo against a document's rules. Exit code 1: a rule is not met."""
    from idphoto.library import IDPhoto

    try:
        report = IDPhoto().check(photo, spec=spec)
    except (UnknownSpec, ImagingError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{photo}: {error.strerror or error}")
    if as_json:
        typer.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
    else:
        _show(report)
    if report.verdict is Status.FAIL:
        raise typer.Exit(1)


def _show(report: Report) -> None:
    console = make_console()
    table = Table(box=None, header_style="bold")
    table.add_column("Check", no_wrap=True)
    table.add_column("", no_wrap=True)
    for header in ("Value", "Limit", "Unit", "Measured on"):
        table.add_column(header, overflow="fold")
    not_assessed = []
    for each in report.checks:
        if each.status is Status.NOT_ASSESSED and each.value is None:
            not_assessed.append(each.id)
            continue
        where = each.measured_on.value if each.measured_on else ""
        table.add_row(each.id, _MARKS[each.status], _write(each.value), _write_limit(each), each.unit, where)
    console.print(table)
    if not_assessed:
        console.print(f"Not assessed: {', '.join(not_assessed)}")
    console.print(f"\n{report.spec}: {_MARKS[report.verdict]}. {NOTICE}")


def _write(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:g}"


def _write_limit(each: Check) -> str:
    if each.limit is None or isinstance(each.limit, str):
        return each.limit or ""
    texts = [_write(end) for end in each.limit]
    if any(isinstance(end, str) for end in each.limit):
        return ", ".join(texts)
    low, high = texts
    return f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}"
