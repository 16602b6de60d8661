"""IDPhoto turns any portrait into a finished, standard ID photo (证件照).

>>> from idphoto import IDPhoto
>>> IDPhoto().make("me.jpg", spec="us-passport").save("out.jpg")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from idphoto.library import IDPhoto, Result
    from idphoto.specs import Spec

__all__ = ["IDPhoto", "Result", "Spec"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    """Import the public names when they are used: the API process and `idphoto --help` need no inference runtime."""
    if name in {"IDPhoto", "Result"}:
        from idphoto import library

        return getattr(library, name)
    if name == "Spec":
        from idphoto.specs import Spec

        return Spec
    raise AttributeError(f"module 'idphoto' has no attribute {name!r}")
