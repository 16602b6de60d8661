"""`idphoto make`: photos from files, without a server."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from idphoto.cli.console import fail, make_console
from idphoto.cli.targets import name_beside, name_targets
from idphoto.imaging.errors import ImagingError, ModelError
from idphoto.settings import Settings
from idphoto.specs import Catalogue, UnknownSpec

if TYPE_CHECKING:
    from idphoto.imaging.order import SheetOrder
    from idphoto.library import IDPhoto, Result, Wishes

#: The same limits as the wire contract's.
_MIN_SIDE, _MAX_SIDE = 100, 2000
_PLACE, _LOOK, _SHEET = "Size and place", "Look", "Print sheet"


class Format(StrEnum):
    """File formats of the result."""

    JPG = "jpg"
    PNG = "png"


def make(
    photos: Annotated[list[Path], typer.Argument(help="Photo files.", metavar="PHOTO", show_default=False)],
    spec: Annotated[
        str | None,
        typer.Option(
            help="Document: its size, head, background, file size. See `idphoto specs`.", rich_help_panel=_PLACE
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Width x height in pixels, such as 295x413.", rich_help_panel=_PLACE)
    ] = None,
    mm: Annotated[
        str | None, typer.Option(help="Width x height in millimetres, such as 35x45.", rich_help_panel=_PLACE)
    ] = None,
    dpi: Annotated[
        int | None, typer.Option(min=10, max=1000, help="Print resolution. Default: 300.", rich_help_panel=_PLACE)
    ] = None,
    bg: Annotated[
        str | None,
        typer.Option(help="RRGGBB or 'transparent' (png). Default: the document's, or white.", rich_help_panel=_LOOK),
    ] = None,
    bg2: Annotated[str | None, typer.Option(help="RRGGBB at the bottom of a gradient.", rich_help_panel=_LOOK)] = None,
    keep_background: Annotated[
        bool | None,
        typer.Option(
            "--keep-background/--replace-background",
            help="Crop only. Default: where the document forbids editing.",
            rich_help_panel=_LOOK,
            show_default=False,
        ),
    ] = None,
    brightness: Annotated[float, typer.Option(min=-1, max=1, rich_help_panel=_LOOK)] = 0,
    contrast: Annotated[float, typer.Option(min=-1, max=1, rich_help_panel=_LOOK)] = 0,
    saturation: Annotated[float, typer.Option(min=-1, max=1, rich_help_panel=_LOOK)] = 0,
    sharpness: Annotated[float, typer.Option(min=-1, max=1, rich_help_panel=_LOOK)] = 0,
    smooth: Annotated[float, typer.Option(min=0, max=1, help="Smoother skin.", rich_help_panel=_LOOK)] = 0,
    auto_bright: Annotated[float, typer.Option(min=0, max=1, rich_help_panel=_LOOK)] = 0,
    auto_smooth: Annotated[float, typer.Option(min=0, max=1, rich_help_panel=_LOOK)] = 0,
    auto_sharp: Annotated[float, typer.Option(min=0, max=1, rich_help_panel=_LOOK)] = 0,
    preview: Annotated[bool, typer.Option("--preview", help="With a watermark.", rich_help_panel=_LOOK)] = False,
    layout: Annotated[
        str | None,
        typer.Option(
            help="5inch, 6inch, A4, A5, 3R, 4R, letter or WIDTHxHEIGHT in mm: also write PHOTO-sheet.jpg and .pdf.",
            rich_help_panel=_SHEET,
        ),
    ] = None,
    layout_copies: Annotated[
        int | None, typer.Option(min=1, max=500, help="Default: as many as fit.", rich_help_panel=_SHEET)
    ] = None,
    layout_with: Annotated[
        str | None,
        typer.Option(help="Further documents on the sheet, such as cn-2inch:4.", rich_help_panel=_SHEET),
    ] = None,
    layout_margin: Annotated[
        float, typer.Option(min=0, max=50, help="Millimetres to the paper's edges.", rich_help_panel=_SHEET)
    ] = 3,
    layout_spacing: Annotated[
        float, typer.Option(min=0, max=50, help="Millimetres between photos.", rich_help_panel=_SHEET)
    ] = 2,
    cut_lines: Annotated[bool, typer.Option(rich_help_panel=_SHEET)] = True,
    format: Annotated[  # noqa: A002 - the option's name
        Format | None, typer.Option(help="File format. Default: jpg; png if transparent.", show_default=False)
    ] = None,
    min_kb: Annotated[
        int | None, typer.Option(min=1, help="Least file size. Default: the document's.", show_default=False)
    ] = None,
    max_kb: Annotated[int | None, typer.Option(min=1, help="Most, likewise.", show_default=False)] = None,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", help="Folder, or file for a single photo. Default: beside each photo."),
    ] = None,
    largest_face: Annotated[
        bool, typer.Option("--largest-face", help="Take the largest of several faces instead of failing.")
    ] = False,
    debug_overlay: Annotated[
        bool,
        typer.Option("--debug-overlay", help="Also write PHOTO-overlay.png: ranges over the photo."),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", min=1, help="Photos at a time. Default: one for each core.")
    ] = None,
) -> None:
    """Make ID photos of files. With none of --spec, --size and --mm: the photo's own canvas, background replaced."""
    settings = Settings()
    catalogue = Catalogue.load(settings.specs_file)
    ending = format.value if format else ("png" if bg == "transparent" else "jpg")

    from idphoto.imaging.retouch import Retouch
    from idphoto.library import IDPhoto, read_wishes

    sheet_options = {"margin_mm": layout_margin, "spacing_mm": layout_spacing, "cut_lines": cut_lines}
    try:
        wishes: Wishes = {
            "spec": spec,
            "size": _read_size(size),
            "size_mm": _read_millimetres(mm),
            "dpi": dpi,
            "background": bg,
            "background_end": bg2,
            "keep_background": keep_background,
            "format": "png" if ending == "png" else "jpg",
            "largest_face": largest_face,
            "min_kb": min_kb,
            "max_kb": max_kb,
            "retouch": Retouch(
                brightness=brightness,
                contrast=contrast,
                saturation=saturation,
                sharpness=sharpness,
                smooth=smooth,
                auto_bright=auto_bright,
                auto_smooth=auto_smooth,
                auto_sharp=auto_sharp,
            ),
            "preview": preview,
            "layout": _read_layout(layout, layout_copies, layout_with, catalogue, sheet_options),
        }
        read_wishes(wishes, catalogue)
    except (ValueError, UnknownSpec) as error:
        fail(str(error))
    targets = name_targets(photos, output, ending)
    local = threading.local()

    def make_one(photo: Path) -> Result:
        # Inference sessions belong to one thread each.
        maker: IDPhoto | None = getattr(local, "maker", None)
        if maker is None:
            maker = local.maker = IDPhoto(settings)
        result = maker.make(photo, **wishes)
        _write(result, targets[photo], overlay=debug_overlay)
        return result

    threads = min(len(targets), jobs or os.cpu_count() or 1)
    failed = _run(make_one, targets, threads)
    if failed:
        raise typer.Exit(1)


def _write(result: Result, target: Path, *, overlay: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    result.save(target)
    if result.sheet:
        name_beside(target, "sheet", "jpg").write_bytes(result.sheet.image)
        name_beside(target, "sheet", "pdf").write_bytes(result.sheet.pdf)
    if overlay:
        name_beside(target, "overlay", "png").write_bytes(result.draw_overlay())


def _run(make_one: Callable[[Path], Result], targets: dict[Path, Path], threads: int) -> int:
    """Make all photos, show how far it is, print one line for each and return the number of failures."""
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
                console.print(f"[red]✗[/] {escape(str(photo))}: {error.code}: {escape(str(error))}")
            except (OSError, ValueError) as error:
                failed += 1
                console.print(f"[red]✗[/] {escape(str(photo))}: {escape(_explain(error))}")
            else:
                console.print(f"[green]✓[/] {escape(str(photo))} → {escape(str(targets[photo]))}{_note(result)}")
            progress.advance(bar)
    console.print(f"{len(targets) - failed} made, {failed} failed.")
    return failed


def _explain(error: OSError | ValueError) -> str:
    if isinstance(error, IsADirectoryError):
        return "this is a folder: name the photos in it"
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _note(result: Result) -> str:
    notes = list(result.warnings)
    if result.report and result.report.failed:
        notes.append(f"{result.report.spec}: not met: {', '.join(check.id for check in result.report.failed)}")
    return f" ({'; '.join(notes)})" if notes else ""


def _as_they_end(running: dict[Future[Result], Path]) -> Iterator[tuple[Future[Result], Path]]:
    while running:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield future, running.pop(future)


def _read_size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if match is None:
        fail(f"--size {text!r} is not WIDTHxHEIGHT in pixels, such as 295x413.")
    width, height = int(match[1]), int(match[2])
    if not (_MIN_SIDE <= width <= _MAX_SIDE and _MIN_SIDE <= height <= _MAX_SIDE):
        fail(f"--size {text}: each side is {_MIN_SIDE} to {_MAX_SIDE} pixels.")
    return width, height


def _read_millimetres(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?)x(\d{1,3}(?:\.\d{1,3})?)", text)
    if match is None or not all(1 <= float(side) <= 500 for side in match.groups()):
        fail(f"--mm {text!r} is not WIDTHxHEIGHT in millimetres from 1 to 500, such as 35x45.")
    return float(match[1]), float(match[2])


def _read_layout(
    paper: str | None, copies: int | None, others: str | None, catalogue: Catalogue, options: dict[str, Any]
) -> SheetOrder | None:
    from idphoto.imaging.order import SheetOrder
    from idphoto.imaging.sheet import parse_paper

    if paper is None:
        return None
    wanted = []
    for part in (others or "").split(","):
        name, _, number = part.strip().partition(":")
        if name:
            if number and not number.isdigit():
                fail(f"--layout-with {part!r} is not ID:COPIES, such as cn-2inch:4.")
            wanted.append((catalogue.get(name), int(number) if number else None))
    return SheetOrder(paper=parse_paper(paper), copies=copies, others=tuple(wanted), **options)
