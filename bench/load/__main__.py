"""``python -m bench.load [uploads] [polls] [slow]``: load on a real server; a table, and out/load.json."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.load.polls import measure_polls
from bench.load.slow import measure_slow
from bench.load.uploads import measure_uploads
from tests.running import Server

_OUT = Path("out/load.json")
_PARTS = ("uploads", "polls", "slow")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(_PARTS)}; all unless named")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 1) // 2))
    parser.add_argument("--hold", type=float, default=0.0, help="seconds to keep slow clients after the calls")
    wanted = parser.parse_args()
    if unknown := set(wanted.parts) - set(_PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    measures: dict[str, Callable[[Server], Coroutine[Any, Any, dict[str, Any]]]] = {
        "uploads": measure_uploads,
        "polls": lambda server: measure_polls(server, wanted.workers),
        "slow": lambda server: measure_slow(server, hold_s=wanted.hold),
    }
    console = Console()
    results: dict[str, Any] = json.loads(_OUT.read_text("utf-8")) if _OUT.exists() else {}
    for name in wanted.parts or _PARTS:
        with tempfile.TemporaryDirectory() as folder:
            # A server of its own for each: no part sees the memory or the queue of another.
            server = Server(Path(folder), workers=wanted.workers).start()
            try:
                results[name] = asyncio.run(measures[name](server))
            finally:
                server.stop()
        _print(console, name, results[name])
        _OUT.parent.mkdir(exist_ok=True)
        _OUT.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    console.print(f"\nWritten to {_OUT}.")


def _print(console: Console, name: str, result: dict[str, Any]) -> None:
    table = Table(title=name, title_justify="left", show_header=False)
    for label, value in _flatten(result):
        table.add_row(label, value)
    console.print(table)


def _flatten(result: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return a row for each innermost dictionary and for each value that is in none."""
    rows = []
    for key, value in result.items():
        label = f"{prefix}{key}"
        if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
            rows += _flatten(value, f"{label} / ")
        elif isinstance(value, dict):
            rows.append((label, "  ".join(f"{name} {inner}" for name, inner in value.items())))
        else:
            rows.append((label, str(value)))
    return rows


if __name__ == "__main__":
    main()
