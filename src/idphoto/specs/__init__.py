"""What a finished photo must look like: sizes, ranges and the catalogue of known documents."""

from __future__ import annotations

from idphoto.specs.catalogue import Catalogue, CatalogueError, UnknownSpec
from idphoto.specs.spec import Confidence, Crown, Editing, Placement, Range, Source, Spec

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Confidence",
    "Crown",
    "Editing",
    "Placement",
    "Range",
    "Source",
    "Spec",
    "UnknownSpec",
]
