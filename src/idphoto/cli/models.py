"""`idphoto models`: the weights."""

from __future__ import annotations

import re
from itertools import groupby
from operator import attrgetter
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from idphoto import weights
from idphoto.cli.console import fail, make_console
from idphoto.imaging.models import MODEL_FILES, ModelFile, ModelFolder, hash_file
from idphoto.imaging.recipes import MATTING_MODELS, PulledModel
from idphoto.settings import Settings

#: The largest published portrait matting models are about 1 GB.
_MAX_MODEL_BYTES = 4 * 1024**3

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
    console.print(f"Folder: {folder.folder}\n")
    chosen = Settings().matting
    matting = Table("IDPHOTO_MATTING", "Purpose", "File", "Licence", "", box=None, header_style="bold")
    for name, one in MATTING_MODELS.items():
        file = one.file.filename if isinstance(one, PulledModel) else "yours"
        matting.add_row(name, one.purpose, file, one.licence, "[green]in use[/]" if name == chosen else "")
    console.print(matting)
    console.print("Where the file is yours, IDPHOTO_MATTING_FILE names it; check its licence.")


@app.command()
def pull(
    mirror: Annotated[
        str | None,
        typer.Option("--from", help="A folder on a web server of yours that holds the files.", show_default=False),
    ] = None,
) -> None:
    """Fetch what is missing; what is there and right is not fetched again."""
    folder = ModelFolder(Settings().models_dir)
    missing = weights.find_missing(folder, MODEL_FILES)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=make_console(stderr=True)) as progress:
            if mirror is None:
                _pull_packages(folder, missing, progress)
            else:
                _pull_mirror(folder, missing, mirror, progress)
    except weights.WeightsError as error:
        fail(str(error))
    make_console().print(f"All model files are in {folder.folder}.")


def _pull_packages(folder: ModelFolder, missing: list[ModelFile], progress: Progress) -> None:
    for package, group in groupby(sorted(missing, key=attrgetter("package")), key=attrgetter("package")):
        models = list(group)
        weights.pull_package(folder, models, _add_bar(progress, f"{package} {models[0].version}"))


def _pull_mirror(folder: ModelFolder, missing: list[ModelFile], mirror: str, progress: Progress) -> None:
    for model in missing:
        weights.download(
            f"{mirror.rstrip('/')}/{model.filename}",
            folder.folder / model.filename,
            sha256=model.sha256,
            max_bytes=_MAX_MODEL_BYTES,
            report=_add_bar(progress, model.filename),
        )


def _add_bar(progress: Progress, name: str) -> weights.Report:
    bar = progress.add_task(f"Fetching {name}", total=None)

    def report(done: int, total: int | None) -> None:
        progress.update(bar, completed=done, total=total)

    return report


@app.command()
def fetch(
    url: Annotated[str, typer.Argument(help="Where the file is, http:// or https://.", show_default=False)],
    sha256: Annotated[str, typer.Option(help="What the file must hash to, 64 hexadecimal digits.", show_default=False)],
) -> None:
    """Fetch a matting model of your choice into the models folder; goes on where it was interrupted."""
    name = PurePosixPath(urlsplit(url).path).name
    if not name.endswith(".onnx"):
        fail("The URL does not name an .onnx file.")
    if not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        fail("A SHA-256 has 64 hexadecimal digits.")
    target = Settings().models_dir / name
    if target.exists():
        if hash_file(target) != sha256.lower():
            fail(f"{target} is there already and is another file: move it away first.")
        make_console().print("It is there already.")
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=make_console(stderr=True)) as progress:
            weights.download(
                url, target, sha256=sha256.lower(), max_bytes=_MAX_MODEL_BYTES, report=_add_bar(progress, name)
            )
    except weights.WeightsError as error:
        fail(str(error))
    make_console().print(f"The file is {target}: set IDPHOTO_MATTING_FILE to it, and IDPHOTO_MATTING to its kind.")


@app.command()
def verify() -> None:
    """Check every model file against its pinned SHA-256."""
    folder = ModelFolder(Settings().models_dir)
    missing = weights.find_missing(folder, MODEL_FILES)
    if missing:
        names = ", ".join(model.filename for model in missing)
        fail(f"Missing or damaged: {names}. Run `idphoto models pull`.")
    make_console().print(f"All {len(MODEL_FILES)} model files are right.")
