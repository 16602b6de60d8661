"""API keys: made here and stored as digests, or static ones from the settings.

A token is ``idp_<id>_<secret>``. Its secret is 256 random bits, which nobody can guess from a SHA-256, so a slow
password hash would only cost time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import asdict, dataclass, fields

from sqlalchemy import RowMapping, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.database import reader
from idphoto.tasks import tables
from idphoto.tasks.admission import get_day

#: What the owners of static keys begin with, and no stored key's id.
_STATIC = "static-"
_TOKEN = re.compile(r"idp_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_ROW = tables.api_key.c


@dataclass(frozen=True, kw_only=True)
class KeyLimits:
    """What a key may do; None: as the server's settings say."""

    rate_per_s: float | None = None
    """Tasks made in a second."""
    at_once: int | None = None
    """Unfinished tasks."""
    per_day: int | None = None
    """Tasks made since midnight UTC; 0: any number."""


_LIMITS = tuple(_ROW[field.name] for field in fields(KeyLimits))


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls with a valid key, and what the key may do; see :class:`KeyLimits`."""

    owner: str
    """Id of the key: tasks belong to it."""
    limits: KeyLimits = KeyLimits()


@dataclass(frozen=True, kw_only=True)
class KeyInfo:
    """A stored key. ``created_at`` is in Unix seconds."""

    id: str
    name: str
    created_at: float
    limits: KeyLimits
    made_today: int
    """Tasks made since midnight UTC."""


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key just made: the only time that its token is known."""

    id: str
    name: str
    token: str


class KeyStore:
    """Makes, checks and revokes keys."""

    def __init__(self, engine: AsyncEngine, static_keys: tuple[str, ...]) -> None:
        """``static_keys``: tokens of any form that are valid beside the stored ones."""
        self._engine = engine
        self._reader = reader(engine)
        self._static_digests = tuple(_digest(key) for key in static_keys)

    async def create(self, name: str, limits: KeyLimits | None = None) -> NewKey:
        """Make and store a key; ``name`` is for people."""
        key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        async with self._engine.begin() as conn:
            await conn.execute(
                insert(tables.api_key).values(
                    id=key_id,
                    name=name,
                    secret_sha256=_digest(secret),
                    created_at=time.time(),
                    **asdict(limits or KeyLimits()),
                )
            )
        return NewKey(id=key_id, name=name, token=f"idp_{key_id}_{secret}")

    async def authenticate(self, token: str) -> Caller | None:
        """Return who has this token, None when it is not valid."""
        digest = _digest(token)
        # All are compared, so that the time taken does not tell which one was near.
        matches = [known for known in self._static_digests if hmac.compare_digest(known, digest)]
        if matches:
            return Caller(owner=f"{_STATIC}{digest[:8]}")
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        key_id, secret = parts.groups()
        query = select(_ROW.secret_sha256, *_LIMITS).where(_ROW.id == key_id)
        async with self._reader.begin() as conn:
            row = (await conn.execute(query)).one_or_none()
        if row is None or not hmac.compare_digest(row.secret_sha256, _digest(secret)):
            return None
        return Caller(owner=key_id, limits=_read_limits(row._mapping))

    async def is_valid(self, caller: Caller) -> bool:
        """Tell whether a caller's key has not been revoked since."""
        if caller.owner.startswith(_STATIC):
            return True  # settings do not change while the server runs
        async with self._reader.begin() as conn:
            return (await conn.execute(select(_ROW.id).where(_ROW.id == caller.owner))).first() is not None

    async def list(self) -> list[KeyInfo]:
        """Return the stored keys, oldest first."""
        today = and_(tables.usage.c.owner == _ROW.id, tables.usage.c.day == get_day(time.time()))
        made = func.coalesce(tables.usage.c.tasks, 0).label("made_today")
        query = (
            select(_ROW.id, _ROW.name, _ROW.created_at, *_LIMITS, made)
            .select_from(tables.api_key.outerjoin(tables.usage, today))
            .order_by(_ROW.created_at, _ROW.id)
        )
        async with self._reader.begin() as conn:
            return [
                KeyInfo(
                    id=row.id,
                    name=row.name,
                    created_at=row.created_at,
                    limits=_read_limits(row._mapping),
                    made_today=row.made_today,
                )
                for row in await conn.execute(query)
            ]

    async def limit(self, key_id: str, limits: KeyLimits) -> bool:
        """Replace a stored key's limits, from its next call on; False when there is none with this id."""
        query = update(tables.api_key).where(_ROW.id == key_id).values(**asdict(limits))
        async with self._engine.begin() as conn:
            result = await conn.execute(query)
        return result.rowcount == 1

    async def revoke(self, key_id: str) -> bool:
        """Delete a stored key; False when there is none with this id."""
        async with self._engine.begin() as conn:
            result = await conn.execute(delete(tables.api_key).where(_ROW.id == key_id))
        return result.rowcount == 1

    async def count(self) -> int:
        """Count the stored keys."""
        async with self._reader.begin() as conn:
            return (await conn.execute(select(func.count()).select_from(tables.api_key))).scalar_one()


def _read_limits(row: RowMapping) -> KeyLimits:
    return KeyLimits(**{column.name: row[column] for column in _LIMITS})


def _digest(text: str) -> str:
    # A header may hold bytes that are no text; they must be refused, not crash.
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
