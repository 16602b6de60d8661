"""The command line. Each module holds one group of commands; heavy imports wait until a command needs them."""

from __future__ import annotations

import typer

from idphoto.cli import keys, make, models, server, specs

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
_app.command("specs")(specs.specs)
_app.add_typer(models.app, name="models")
_app.add_typer(keys.app, name="keys")


def main() -> None:
    """Run the command line."""
    _app()
