"""Names of files that `idphoto make` writes."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from idphoto.cli.targets import name_beside, name_targets


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "me.jpg"
    path.write_bytes(b"a photo")
    return path


def test_without_an_output_the_photo_lies_beside_its_source(photo: Path) -> None:
    assert name_targets([photo], None, "jpg") == {photo: photo.with_name("me-idphoto.jpg")}


@pytest.mark.parametrize(
    "output", ["{folder}", "{folder}/", "{folder}/new", "{folder}/new.jpg/", "{folder}/photos.2026"]
)
def test_a_folder_takes_the_source_s_name(photo: Path, output: str) -> None:
    output = output.format(folder=photo.parent / "out")
    (target,) = name_targets([photo], output, "png").values()
    assert target == Path(output) / "me.png"


def test_a_file_is_taken_as_it_is_named(photo: Path) -> None:
    assert name_targets([photo], str(photo.with_name("out.JPEG")), "jpg") == {photo: photo.with_name("out.JPEG")}


def test_sources_and_links_are_spared_and_names_are_not_used_twice(photo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "me.jpg"
    other.parent.mkdir()
    other.write_bytes(b"another photo")
    (tmp_path / "me-2.jpg").symlink_to(other)
    targets = name_targets([photo, other], str(tmp_path), "jpg")
    assert list(targets.values()) == [tmp_path / "me-3.jpg", tmp_path / "me-4.jpg"]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("{photo}", "overwrite the photo itself"),
        ("{photo}/", "is not a folder"),
        ("{folder}/out.gif", "written as .jpg or .png"),
        ("{folder}/out.png", "does not end as a jpg file does"),
        ("/dev/full", "is not a folder"),
    ],
)
def test_an_output_that_cannot_be_is_told(
    photo: Path, output: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        name_targets([photo], output.format(photo=photo, folder=photo.parent), "jpg")
    assert words in " ".join(capsys.readouterr().err.split())


def test_one_file_for_several_photos_is_told(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        name_targets([photo, photo.with_name("you.jpg")], str(photo.with_name("out.jpg")), "jpg")
    assert "several photos" in capsys.readouterr().err


def test_what_lies_beside_a_photo_replaces_nothing(photo: Path) -> None:
    photo.with_name("me-sheet.pdf").write_bytes(b"a sheet")
    photo.with_name("me-sheet-2.pdf").symlink_to(photo)
    assert name_beside(photo, "sheet", "pdf") == photo.with_name("me-sheet-3.pdf")
