from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.database import make_engine, migrate, reader
from idphoto.tasks.tables import metadata


def compare(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
    return list(compare_metadata(context, metadata))


async def test_the_migrations_lead_to_the_tables_that_the_code_uses(engine: AsyncEngine):
    async with engine.begin() as conn:
        assert await conn.run_sync(compare) == []
        names = set((await conn.execute(text("SELECT name FROM sqlite_master WHERE type='table'"))).scalars())
    assert set(metadata.tables) < names


def test_the_folder_of_the_database_is_made(tmp_path: Path):
    file = tmp_path / "new" / "folder" / "idphoto.db"
    migrate(f"sqlite+aiosqlite:///{file}")
    assert file.is_file()


async def test_migrating_again_keeps_the_rows(database_url: str, engine: AsyncEngine):
    async with engine.begin() as conn:
        await conn.execute(text("INSERT INTO worker VALUES ('w1', 1.0)"))
    await asyncio.to_thread(migrate, database_url)
    async with engine.begin() as conn:
        assert (await conn.execute(text("SELECT id FROM worker"))).scalars().all() == ["w1"]


async def test_several_may_migrate_at_once(tmp_path: Path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'idphoto.db'}"
    # Alembic keeps the running migration in module globals, so processes are needed; as are they in real life.
    code = f"from idphoto.database import migrate; migrate({url!r})"
    children = [await asyncio.create_subprocess_exec(sys.executable, "-c", code) for _ in range(3)]
    assert [await child.wait() for child in children] == [0, 0, 0]
    engine = make_engine(url)
    async with engine.begin() as conn:
        assert await conn.run_sync(compare) == []
    await engine.dispose()


async def test_a_commit_survives_a_power_cut_and_foreign_keys_hold(engine: AsyncEngine):
    async with engine.connect() as conn:
        settings = {
            name: (await conn.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 25000, "foreign_keys": 1}


async def test_a_reader_waits_for_no_writer(database_url: str, engine: AsyncEngine):
    writer = sqlite3.connect(database_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO worker VALUES ('w1', 1.0)")
    async with reader(engine).begin() as conn:
        # Were it to wait for the lock, it would fail after the busy timeout, for the writer commits only below.
        count = (await conn.execute(text("SELECT count(*) FROM worker"))).scalar_one()
    writer.execute("COMMIT")
    writer.close()
    assert count == 0
