"""The catalogue of known documents: ``catalogue.toml``, and an operator's own file beside it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from idphoto.specs.entry import SpecEntry, to_spec
from idphoto.specs.spec import Spec

#: A file of ours has 150 entries; one of an operator's is not larger by orders of magnitude.
_MAX_FILE_BYTES = 4 * 1024 * 1024


class UnknownSpec(LookupError):
    """There is no such spec; `idphoto specs` lists them."""

    def __init__(self, spec_id: str) -> None:
        super().__init__(f"There is no spec named {spec_id!r}; `idphoto specs` and GET /specs list them.")


class CatalogueError(ValueError):
    """A catalogue file cannot be used; the message names the file, the entry and the field."""


class Catalogue:
    """The known specs by id, in the order of the file."""

    def __init__(self, specs: Mapping[str, Spec]) -> None:
        self._specs = dict(specs)

    @classmethod
    def load(cls, extra: Path | None = None) -> Catalogue:
        """Read the catalogue that comes with the package, and an operator's file of the same format.

        Args:
            extra: Its entries come after ours; one with an id of ours takes its place.

        Raises:
            CatalogueError: the operator's file cannot be read or breaks the schema.
        """
        ours = resources.files("idphoto.specs").joinpath("catalogue.toml").read_text("utf-8")
        specs = _read(ours, "catalogue.toml")
        if extra is not None:
            specs |= _read(_read_text(extra), str(extra))
        return cls(specs)

    def get(self, spec_id: str) -> Spec:
        """Return the spec of that id.

        Raises:
            UnknownSpec: there is none.
        """
        try:
            return self._specs[spec_id]
        except KeyError:
            raise UnknownSpec(spec_id) from None

    def list(self, country: str | None = None) -> list[Spec]:
        """Return all specs, or those of a country (ISO 3166-1 alpha-2, in any case)."""
        return [spec for spec in self if country is None or spec.country == country.upper()]

    def __iter__(self) -> Iterator[Spec]:
        return iter(self._specs.values())

    def __len__(self) -> int:
        return len(self._specs)


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise CatalogueError(f"{path} is too large for a catalogue.")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path} cannot be read: {error}") from error


def _read(text: str, name: str) -> dict[str, Spec]:
    try:
        tables: object = tomllib.loads(text).get("spec")
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{name} is not TOML: {error}") from error
    if not isinstance(tables, list):
        raise CatalogueError(f"{name} has no [[spec]] entries.")
    specs: dict[str, Spec] = {}
    for number, table in enumerate(tables, start=1):
        entry = _read_entry(table, name, number)
        if entry.id in specs:
            raise CatalogueError(f"{name}: there are two entries named {entry.id}.")
        specs[entry.id] = to_spec(entry)
    return specs


def _read_entry(table: object, name: str, number: int) -> SpecEntry:
    try:
        return SpecEntry.model_validate(table)
    except ValidationError as error:
        label = table.get("id", number) if isinstance(table, dict) else number
        reasons = "; ".join(
            f"{'.'.join(map(str, problem['loc']))} {problem['msg'].removeprefix('Value error, ')}".strip()
            for problem in error.errors()
        )
        raise CatalogueError(f"{name}: entry {label}: {reasons}") from error
