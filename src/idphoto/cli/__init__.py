"""The command line. Each module holds one group of commands; heavy imports wait until a command needs them."""

from __future__ import annotations

import sys
from typing import Never

import typer
from pydantic import ValidationError
from rich.markup import escape

from idphoto.cli import check, keys, make, models, server, specs
from idphoto.cli.console import make_console
from idphoto.settings import Settings
from idphoto.specs import CatalogueError

_app = typer.Typer(
    name="idphoto",
    help="Turns any portrait into a finished, standard ID photo (证件照).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_app.command("serve")(server.serve)
_app.command("api")(server.api)
_app.command("worker")(server.worker)
_app.command("migrate")(server.migrate)
_app.command("make")(make.make)
_app.command("check")(check.check)
_app.command("specs")(specs.specs)
_app.add_typer(models.app, name="models")
_app.add_typer(keys.app, name="keys")


def main() -> None:
    """Run the command line."""
    try:
        _app()
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        _explain_settings(error)
    except CatalogueError as error:
        make_console(stderr=True).print(f"[bold red]Error in the catalogue:[/] {escape(str(error))}")
        sys.exit(1)


def _explain_settings(error: ValidationError) -> Never:
    """Say which variables are wrong and why, and end."""
    console = make_console(stderr=True)
    for problem in error.errors():
        variable = "".join(f"IDPHOTO_{name}".upper() for name in problem["loc"][:1])
        reason = problem["msg"].removeprefix("Value error, ")
        console.print(f"[bold red]Error in the settings:[/] {escape(variable + ' ' + reason)}".replace("  ", " "))
    sys.exit(1)
