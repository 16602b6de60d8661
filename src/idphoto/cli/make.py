"""`idphoto make`: photos from files, without a server."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from idphoto.cli.console import fail, make_console
from idphoto.colour import parse_colour
from idphoto.imaging.errors import ImagingError, ModelError
from idphoto.settings import Settings
from idphoto.specs import Catalogue, Spec, UnknownSpec

if TYPE_CHECKING:
    from idphoto.library import IDPhoto, Result

#: The same limits as the wire contract's.
_MIN_SIDE, _MAX_SIDE = 100, 2000


class Format(StrEnum):
    """File formats of the result."""

    JPG = "jpg"
    PNG = "png"


def make(
    photos: Annotated[list[Path], typer.Argument(help="Photo files.", metavar="PHOTO", show_default=False)],
    size: Annotated[str | None, typer.Option(help="Width x height in pixels, such as 295x413.")] = None,
    spec: Annotated[str | None, typer.Option(help="Id of a spec, see `idphoto specs`.")] = None,
    bg: Annotated[str, typer.Option(help="Background: RRGGBB, or 'transparent' (png).")] = "FFFFFF",
    format: Annotated[  # noqa: A002 - the option's name
        Format | None, typer.Option(help="File format. Default: jpg; png if transparent.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder, or file for a single photo. Default: beside each photo."),
    ] = None,
    largest_face: Annotated[
        bool, typer.Option("--largest-face", help="Take the largest of several faces instead of failing.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", min=1, help="Photos at a time. Default: one for each core.")
    ] = None,
) -> None:
    """Make ID photos of files. With neither --size nor --spec: the photo's own canvas, background replaced."""
    wanted = _read_spec(size, spec)
    background = None if bg == "transparent" else _read_colour(bg)
    chosen = format or (Format.PNG if background is None else Format.JPG)
    if chosen is Format.JPG and background is None:
        fail("A JPEG cannot be transparent: choose a --bg colour or --format png.")
    targets = _name_targets(photos, output, chosen)

    from idphoto.library import IDPhoto

    settings = Settings()
    local = threading.local()

    def make_one(photo: Path) -> Result:
        # Inference sessions belong to one thread each.
        maker: IDPhoto | None = getattr(local, "maker", None)
        if maker is None:
            maker = local.maker = IDPhoto(settings)
        result = maker.make(photo, spec=wanted, background=background, format=chosen.value, largest_face=largest_face)
        targets[photo].parent.mkdir(parents=True, exist_ok=True)
        result.save(targets[photo])
        return result

    threads = min(len(targets), jobs or os.cpu_count() or 1)
    failed = _run(make_one, targets, threads)
    if failed:
        raise typer.Exit(1)


def _run(make_one: Callable[[Path], Result], targets: dict[Path, Path], threads: int) -> int:
    """Make all photos, show how far it is, print one line for each failure and return their number."""
    console = make_console(stderr=True)
    failed = 0
    columns = (TextColumn("Making photos"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(threads) as pool:
        bar = progress.add_task("photos", total=len(targets))
        running: dict[Future[Result], Path] = {pool.submit(make_one, photo): photo for photo in targets}
        for future, photo in _as_they_end(running):
            try:
                result = future.result()
            except ModelError as error:
                pool.shutdown(cancel_futures=True)
                progress.stop()
                fail(str(error))
            except ImagingError as error:
                failed += 1
                console.print(f"[red]✗[/] {photo}: {error.code}: {error}")
            except OSError as error:
                failed += 1
                console.print(f"[red]✗[/] {photo}: {error.strerror or error}")
            else:
                notes = f" ({', '.join(result.warnings)})" if result.warnings else ""
                console.print(f"[green]✓[/] {photo} → {targets[photo]}{notes}")
            progress.advance(bar)
    console.print(f"{len(targets) - failed} made, {failed} failed.")
    return failed


def _as_they_end(running: dict[Future[Result], Path]) -> Iterator[tuple[Future[Result], Path]]:
    while running:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield future, running.pop(future)


def _read_spec(size: str | None, spec_id: str | None) -> Spec | None:
    if size is not None and spec_id is not None:
        fail("Give --size or --spec, not both.")
    if spec_id is not None:
        try:
            return Catalogue.load().get(spec_id)
        except UnknownSpec as error:
            fail(str(error))
    if size is None:
        return None
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    if match is None:
        fail(f"--size {size!r} is not WIDTHxHEIGHT in pixels, such as 295x413.")
    width, height = int(match[1]), int(match[2])
    if not (_MIN_SIDE <= width <= _MAX_SIDE and _MIN_SIDE <= height <= _MAX_SIDE):
        fail(f"--size {size}: each side is {_MIN_SIDE} to {_MAX_SIDE} pixels.")
    return Spec.of_size(width, height)


def _read_colour(text: str) -> str:
    try:
        return parse_colour(text)
    except ValueError as error:
        fail(f"--bg {error}")


def _name_targets(photos: list[Path], output: Path | None, chosen: Format) -> dict[Path, Path]:
    """Choose a file for each photo: never a source, never the same twice."""
    sources = {photo.resolve() for photo in photos}
    is_file = output is not None and output.suffix.lower() in {".jpg", ".jpeg", ".png"} and not output.is_dir()
    if is_file and len(photos) > 1:
        fail("-o names one file, but there are several photos: name a folder.")
    if is_file and output is not None and output.resolve() in sources:
        fail("-o would overwrite the photo itself.")
    if is_file and output is not None and (output.suffix.lower() == ".png") != (chosen is Format.PNG):
        fail(f"-o {output.name} does not end as a {chosen.value} file does: choose --format, or another name.")
    targets: dict[Path, Path] = {}
    taken: set[Path] = set()
    for photo in dict.fromkeys(photos):
        if is_file and output is not None:
            targets[photo] = output
            continue
        folder = output or photo.parent
        stem, number = (photo.stem if output else f"{photo.stem}-idphoto"), 1
        target = folder / f"{stem}.{chosen.value}"
        # A link may lead to an original of the user's.
        while target.resolve() in taken or target.resolve() in sources or target.is_symlink():
            number += 1
            target = folder / f"{stem}-{number}.{chosen.value}"
        taken.add(target.resolve())
        targets[photo] = target
    return targets
