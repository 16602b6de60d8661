"""`idphoto keys`: who may use the server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from idphoto.cli.console import fail, make_console
from idphoto.database import make_engine, migrate
from idphoto.keys import KeyInfo, KeyStore, NewKey
from idphoto.settings import Settings

app = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The server's data folder.", show_default=False)]


def _read_settings(data_dir: Path | None) -> Settings:
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    migrate(settings.resolved_database_url)
    return settings


async def create_key(settings: Settings, name: str) -> NewKey:
    """Make a key in the database that the settings name."""
    engine = make_engine(settings.resolved_database_url)
    try:
        return await KeyStore(engine, settings.api_keys).create(name)
    finally:
        await engine.dispose()


async def list_keys(settings: Settings) -> list[KeyInfo]:
    """Return all keys of the database."""
    engine = make_engine(settings.resolved_database_url)
    try:
        return await KeyStore(engine, settings.api_keys).list()
    finally:
        await engine.dispose()


async def _revoke_key(settings: Settings, key_id: str) -> bool:
    engine = make_engine(settings.resolved_database_url)
    try:
        return await KeyStore(engine, settings.api_keys).revoke(key_id)
    finally:
        await engine.dispose()


@app.command()
def create(name: Annotated[str, typer.Argument(help="What the key is for.")] = "key", data_dir: DataDir = None) -> None:
    """Make a key and show it; only its hash is stored, so it cannot be shown again."""
    key = asyncio.run(create_key(_read_settings(data_dir), name))
    make_console().print(key.token)


@app.command("list")
def list_() -> None:
    """List the keys."""
    table = Table("ID", "Name", "Created (UTC)", box=None, header_style="bold")
    for key in asyncio.run(list_keys(_read_settings(None))):
        created = datetime.fromtimestamp(key.created_at, UTC).strftime("%Y-%m-%d %H:%M")
        table.add_row(key.id, key.name, created)
    make_console().print(table)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The id that `idphoto keys list` shows.")]) -> None:
    """Revoke a key, at once and for good."""
    if not asyncio.run(_revoke_key(_read_settings(None), key_id)):
        fail(f"There is no key with the id {key_id}; `idphoto keys list` shows them.")
    make_console().print(f"Key {key_id} is revoked.")
