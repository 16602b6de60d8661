"""What every command shares: where it writes and how it gives up."""

from __future__ import annotations

from typing import Never

import typer
from rich.console import Console
from rich.markup import escape


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that leaves paths, URLs and numbers uncoloured and unbroken, so that they can be copied."""
    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def fail(message: str) -> Never:
    """Print why the command cannot go on, and end it with exit code 1."""
    make_console(stderr=True).print(f"[bold red]Error:[/] {escape(message)}")
    raise typer.Exit(1)
