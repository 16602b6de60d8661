"""`idphoto keys`: who may use the server, and how much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table

from idphoto.cli.console import fail, make_console
from idphoto.database import make_engine, migrate
from idphoto.keys import KeyInfo, KeyLimits, KeyStore, NewKey
from idphoto.settings import Settings

app = typer.Typer(help="API keys: create, list, limit, revoke.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The server's data folder.", show_default=False)]
KeyId = Annotated[str, typer.Argument(help="The id that `idphoto keys list` shows.")]
Rate = Annotated[
    float | None, typer.Option(min=0.001, help="Tasks a second. Default: the server's.", show_default=False)
]
AtOnce = Annotated[int | None, typer.Option(min=1, help="Unfinished tasks. Default: the server's.", show_default=False)]
PerDay = Annotated[
    int | None,
    typer.Option(min=0, help="Tasks a day (UTC); 0: any number. Default: the server's.", show_default=False),
]


def _read_settings(data_dir: Path | None) -> Settings:
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    migrate(settings.resolved_database_url)
    return settings


async def create_key(settings: Settings, name: str, limits: KeyLimits | None = None) -> NewKey:
    """Make a key in the database that the settings name."""
    async with _open_keys(settings) as keys:
        return await keys.create(name, limits)


async def list_keys(settings: Settings) -> list[KeyInfo]:
    """Return all keys of the database."""
    async with _open_keys(settings) as keys:
        return await keys.list()


async def _limit_key(settings: Settings, key_id: str, limits: KeyLimits) -> bool:
    async with _open_keys(settings) as keys:
        return await keys.limit(key_id, limits)


async def _revoke_key(settings: Settings, key_id: str) -> bool:
    async with _open_keys(settings) as keys:
        return await keys.revoke(key_id)


@asynccontextmanager
async def _open_keys(settings: Settings) -> AsyncIterator[KeyStore]:
    engine = make_engine(settings.resolved_database_url)
    try:
        yield KeyStore(engine, settings.api_keys)
    finally:
        await engine.dispose()


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")] = "key",
    rate: Rate = None,
    at_once: AtOnce = None,
    per_day: PerDay = None,
    data_dir: DataDir = None,
) -> None:
    """Make a key and show it; only its hash is stored, so it cannot be shown again."""
    limits = KeyLimits(rate_per_s=rate, at_once=at_once, per_day=per_day)
    key = asyncio.run(create_key(_read_settings(data_dir), name, limits))
    make_console().print(key.token)


@app.command("list")
def list_(data_dir: DataDir = None) -> None:
    """List the keys with their limits and the tasks that each has made today (UTC)."""
    table = Table(
        "ID", "Name", "Created (UTC)", "Per second", "At once", "Per day", "Today", box=None, header_style="bold"
    )
    for key in asyncio.run(list_keys(_read_settings(data_dir))):
        created = datetime.fromtimestamp(key.created_at, UTC).strftime("%Y-%m-%d %H:%M")
        limits = ["-" if value is None else f"{value:g}" for value in astuple(key.limits)]
        table.add_row(key.id, key.name, created, *limits, str(key.made_today))
    make_console().print(table)


@app.command()
def limit(
    key_id: KeyId, rate: Rate = None, at_once: AtOnce = None, per_day: PerDay = None, data_dir: DataDir = None
) -> None:
    """Replace a key's limits, from its next call on; without an option that limit is the server's again."""
    limits = KeyLimits(rate_per_s=rate, at_once=at_once, per_day=per_day)
    if not asyncio.run(_limit_key(_read_settings(data_dir), key_id, limits)):
        _fail_unknown(key_id)
    make_console().print(f"Key {key_id} has new limits.")


@app.command()
def revoke(key_id: KeyId, data_dir: DataDir = None) -> None:
    """Revoke a key, at once and for good."""
    if not asyncio.run(_revoke_key(_read_settings(data_dir), key_id)):
        _fail_unknown(key_id)
    make_console().print(f"Key {key_id} is revoked.")


def _fail_unknown(key_id: str) -> NoReturn:
    fail(f"There is no key with the id {key_id}; `idphoto keys list` shows them.")
