"""Names of the files that `idphoto make` writes."""

from __future__ import annotations

from pathlib import Path

from idphoto.cli.console import fail

_ENDINGS = {".jpg", ".jpeg", ".png"}


def name_targets(photos: list[Path], output: Path | None, ending: str) -> dict[Path, Path]:
    """Choose a file for each photo: never a source, never the same twice.

    Args:
        photos: the sources.
        output: a folder, or a file for a single photo; None: beside each photo.
        ending: ``jpg`` or ``png``.
    """
    sources = {photo.resolve() for photo in photos}
    is_file = output is not None and output.suffix.lower() in _ENDINGS and not output.is_dir()
    if is_file and len(photos) > 1:
        fail("-o names one file, but there are several photos: name a folder.")
    if is_file and output is not None and output.resolve() in sources:
        fail("-o would overwrite the photo itself.")
    if is_file and output is not None and (output.suffix.lower() == ".png") != (ending == "png"):
        fail(f"-o {output.name} does not end as a {ending} file does: choose --format, or another name.")
    targets: dict[Path, Path] = {}
    taken: set[Path] = set()
    for photo in dict.fromkeys(photos):
        if is_file and output is not None:
            targets[photo] = output
            continue
        folder = output or photo.parent
        stem, number = (photo.stem if output else f"{photo.stem}-idphoto"), 1
        target = folder / f"{stem}.{ending}"
        # A link may lead to an original of the user's.
        while target.resolve() in taken or target.resolve() in sources or target.is_symlink():
            number += 1
            target = folder / f"{stem}-{number}.{ending}"
        taken.add(target.resolve())
        targets[photo] = target
    return targets


def name_beside(target: Path, what: str, ending: str) -> Path:
    """Name a further file of a photo, such as its sheet, beside the photo's own; never one that is there."""
    number = 1
    path = target.with_name(f"{target.stem}-{what}.{ending}")
    while path.exists() or path.is_symlink():
        number += 1
        path = target.with_name(f"{target.stem}-{what}-{number}.{ending}")
    return path
