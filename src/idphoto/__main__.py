"""``python -m idphoto`` is the command line."""

from __future__ import annotations

from idphoto.cli import main

main()
