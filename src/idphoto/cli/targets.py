"""Names of the files that `idphoto make` writes."""

from __future__ import annotations

from pathlib import Path

from idphoto.cli.console import fail

_ENDINGS = {".jpg", ".jpeg", ".png"}
# Names that would make odd folders: who writes them wants a file of that kind.
_OTHER_ENDINGS = {".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif", ".pdf"}


def name_targets(photos: list[Path], output: str | None, ending: str) -> dict[Path, Path]:
    """Choose a file for each photo: never a source, never the same twice.

    Args:
        photos: the sources.
        output: a folder, or a file for a single photo; None: beside each photo. A slash at the end means a folder.
        ending: ``jpg`` or ``png``.
    """
    sources = {photo.resolve() for photo in photos}
    file, folder = _read_output(output)
    if file is not None:
        _check_file(file, photos, sources, ending)
        return {photos[0]: file}
    targets: dict[Path, Path] = {}
    taken: set[Path] = set()
    for photo in dict.fromkeys(photos):
        place = folder or photo.parent
        stem, number = (photo.stem if folder else f"{photo.stem}-idphoto"), 1
        target = place / f"{stem}.{ending}"
        # A link may lead to an original of the user's.
        while target.resolve() in taken or target.resolve() in sources or target.is_symlink():
            number += 1
            target = place / f"{stem}-{number}.{ending}"
        taken.add(target.resolve())
        targets[photo] = target
    return targets


def _read_output(output: str | None) -> tuple[Path | None, Path | None]:
    """Return the file that is meant, or else the folder."""
    if output is None:
        return None, None
    path = Path(output)
    suffix = path.suffix.lower()
    if path.is_dir():
        return None, path
    if output.endswith("/"):
        if path.exists():
            fail(f"-o {output} is not a folder, but a file: choose another name.")
        return None, path
    if suffix in _OTHER_ENDINGS:
        fail(f"-o {path.name}: photos are written as .jpg or .png.")
    if suffix in _ENDINGS:
        return path, None
    if path.exists():
        fail(f"-o {output} is there and is not a folder: choose another name.")
    return None, path


def _check_file(file: Path, photos: list[Path], sources: set[Path], ending: str) -> None:
    if len(photos) > 1:
        fail("-o names one file, but there are several photos: name a folder.")
    if file.resolve() in sources:
        fail("-o would overwrite the photo itself.")
    if (file.suffix.lower() == ".png") != (ending == "png"):
        fail(f"-o {file.name} does not end as a {ending} file does: choose --format, or another name.")


def name_beside(target: Path, what: str, ending: str) -> Path:
    """Name a further file of a photo, such as its sheet, beside the photo's own; never one that is there."""
    number = 1
    path = target.with_name(f"{target.stem}-{what}.{ending}")
    while path.exists() or path.is_symlink():
        number += 1
        path = target.with_name(f"{target.stem}-{what}-{number}.{ending}")
    return path
