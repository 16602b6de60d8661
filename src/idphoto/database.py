"""The database connection and its schema.

SQLite keeps tasks and jobs of one machine in one file. Its settings here follow https://www.sqlite.org/wal.html and
https://www.sqlite.org/pragma.html: WAL lets readers and a writer work side by side, ``synchronous=FULL`` makes a commit
survive a power cut, ``busy_timeout`` makes writers of several processes queue up instead of failing.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as ConnectionsTaken
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool


class DatabaseBusy(SQLAlchemyError):
    """Too many writes are waiting for the database already."""


#: What can pass: the database is locked for long, its disk is full, or all connections are taken.
UNAVAILABLE = (OperationalError, ConnectionsTaken, DatabaseBusy)

_READS_ONLY = "idphoto_reads_only"
_PRAGMAS = (
    # First, for switching to WAL itself may have to wait for another process.
    "PRAGMA busy_timeout=25000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)


def make_engine(url: str) -> AsyncEngine:
    """Return an engine for an async SQLAlchemy URL, such as ``sqlite+aiosqlite:////srv/idphoto.db``.

    On SQLite every transaction opens with BEGIN IMMEDIATE, other than those of :func:`reader`.
    """
    # Errors that quote parameters would carry URLs into the log.
    engine = create_async_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine.sync_engine)
    return engine


def reader(engine: AsyncEngine) -> AsyncEngine:
    """Return a view of the engine, on the same pool, for single reads, which wait for no writer.

    On SQLite they have no transaction around them, which takes a quarter of their time: two reads after each other may
    see different moments.
    """
    return engine.execution_options(**{_READS_ONLY: True})


def migrate(url: str) -> None:
    """Bring the schema of the database to this version; create the SQLite file and its folder where missing.

    Several processes may call it at once: the whole upgrade is one transaction.
    """
    parsed = _sync_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, poolclass=NullPool)
    if is_sqlite:
        _prepare_sqlite(engine)
    config = Config()
    config.set_main_option("script_location", "idphoto:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _sync_url(url: str) -> URL:
    # aiosqlite is the one driver here that cannot also be used without a loop.
    parsed = make_url(url)
    return parsed.set(drivername="sqlite") if parsed.get_backend_name() == "sqlite" else parsed


def _prepare_sqlite(engine: Engine) -> None:
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)


def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver would open its own deferred transactions, and only before writes; None leaves BEGIN to _begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    # A deferred transaction that reads first and writes later can fail with SQLITE_BUSY at once, whatever the
    # timeout; taking the write lock at the start cannot.
    if not connection.get_execution_options().get(_READS_ONLY, False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
