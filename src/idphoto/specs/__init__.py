"""What a finished photo must look like: sizes, ranges and the catalogue of known documents."""

from __future__ import annotations

from idphoto.specs.catalogue import Catalogue, UnknownSpec
from idphoto.specs.spec import Range, Spec

__all__ = ["Catalogue", "Range", "Spec", "UnknownSpec"]
