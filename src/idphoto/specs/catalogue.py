"""The catalogue of known documents, read from ``catalogue.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any

from idphoto.specs.spec import DEFAULT_DPI, Range, Spec


class UnknownSpec(LookupError):
    """There is no such spec; `idphoto specs` lists them."""

    def __init__(self, spec_id: str) -> None:
        super().__init__(f"There is no spec named {spec_id!r}; `idphoto specs` and GET /specs list them.")


class Catalogue:
    """The known specs by id, in the order of the file."""

    def __init__(self, specs: dict[str, Spec]) -> None:
        self._specs = specs

    @classmethod
    def load(cls) -> Catalogue:
        """Read the catalogue that comes with the package."""
        text = resources.files("idphoto.specs").joinpath("catalogue.toml").read_text("utf-8")
        return cls({entry["id"]: _read_spec(entry) for entry in tomllib.loads(text)["spec"]})

    def get(self, spec_id: str) -> Spec:
        """Return the spec of that id.

        Raises:
            UnknownSpec: there is none.
        """
        try:
            return self._specs[spec_id]
        except KeyError:
            raise UnknownSpec(spec_id) from None

    def __iter__(self) -> Iterator[Spec]:
        return iter(self._specs.values())

    def __len__(self) -> int:
        return len(self._specs)


def _read_spec(entry: dict[str, Any]) -> Spec:
    width_mm, height_mm = entry["mm"]
    width, height = entry["px"]

    def of(key: str, side_mm: float) -> Range | None:
        limits = entry.get(key)
        return None if limits is None else Range.around(limits[0] / side_mm, limits[1] / side_mm)

    return Spec(
        id=entry["id"],
        name_en=entry["en"],
        name_zh=entry["zh"],
        width=width,
        height=height,
        dpi=entry.get("dpi", DEFAULT_DPI),
        width_mm=width_mm,
        height_mm=height_mm,
        head_height=of("head_height_mm", height_mm),
        top_margin=of("top_margin_mm", height_mm),
        eye_line=of("eye_line_mm", height_mm),
        chin_to_bottom=of("chin_to_bottom_mm", height_mm),
        face_width=of("face_width_mm", width_mm),
        source=entry["source"],
    )
