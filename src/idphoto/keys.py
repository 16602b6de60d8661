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
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from idphoto.database import reader
from idphoto.tasks import tables

_TOKEN = re.compile(r"idp_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_ROW = tables.api_key.c


@dataclass(frozen=True, kw_only=True)
class KeyInfo:
    """A stored key. ``created_at`` is in Unix seconds."""

    id: str
    name: str
    created_at: float


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

    async def create(self, name: str) -> NewKey:
        """Make and store a key; ``name`` is for people."""
        key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        async with self._engine.begin() as conn:
            await conn.execute(
                insert(tables.api_key).values(
                    id=key_id, name=name, secret_sha256=_digest(secret), created_at=time.time()
                )
            )
        return NewKey(id=key_id, name=name, token=f"idp_{key_id}_{secret}")

    async def authenticate(self, token: str) -> str | None:
        """Return the owner id of a valid token, else None."""
        digest = _digest(token)
        # All are compared, so that the time taken does not tell which one was near.
        matches = [known for known in self._static_digests if hmac.compare_digest(known, digest)]
        if matches:
            return f"static-{digest[:8]}"
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        key_id, secret = parts.groups()
        async with self._reader.begin() as conn:
            known = (await conn.execute(select(_ROW.secret_sha256).where(_ROW.id == key_id))).scalar_one_or_none()
        return key_id if known is not None and hmac.compare_digest(known, _digest(secret)) else None

    async def list(self) -> list[KeyInfo]:
        """Return the stored keys, oldest first."""
        query = select(_ROW.id, _ROW.name, _ROW.created_at).order_by(_ROW.created_at, _ROW.id)
        async with self._reader.begin() as conn:
            return [KeyInfo(**row._mapping) for row in await conn.execute(query)]

    async def revoke(self, key_id: str) -> bool:
        """Delete a stored key; False when there is none with this id."""
        async with self._engine.begin() as conn:
            result = await conn.execute(delete(tables.api_key).where(_ROW.id == key_id))
        return result.rowcount == 1

    async def count(self) -> int:
        """Count the stored keys."""
        async with self._reader.begin() as conn:
            return (await conn.execute(select(func.count()).select_from(tables.api_key))).scalar_one()


def _digest(text: str) -> str:
    # A header may hold bytes that are no text; they must be refused, not crash.
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
