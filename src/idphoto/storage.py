"""Files of the server: uploads and results.

A key names a file: ``sources/<name>``, ``results/<name>``, ``cutouts/<name>`` or, while it is being written,
``partial/<name>``. What was put is on the disk when the call returns and is seen whole or not at all.

::

    StorageError (OSError)
    ├── BadKey            bad_key
    ├── NotStored         not_stored (FileNotFoundError)
    └── StorageFailed     storage_failed
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import BinaryIO, ClassVar, Literal, TypeAlias

Prefix: TypeAlias = Literal["sources", "results", "cutouts", "partial"]

_KEY = re.compile(r"(?:sources|results|cutouts|partial)/[A-Za-z0-9_-]{1,100}(?:\.[a-z0-9]{1,5})?")


class StorageError(OSError):
    """Something went wrong with a stored file."""

    code: ClassVar[str] = "storage_failed"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class BadKey(StorageError):
    """This cannot be the key of a stored file."""

    code = "bad_key"


class NotStored(StorageError, FileNotFoundError):
    """There is no such file."""

    code = "not_stored"


class StorageFailed(StorageError):
    """The file could not be stored or read: the disk is full, damaged or not ours to write."""

    code = "storage_failed"


class LocalStorage:
    """Files in a folder of this machine, which lies on one file system.

    Every method may raise BadKey for a key that is none, and StorageFailed for trouble with the disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, data: bytes) -> None:
        """Store the bytes; a file of that key is replaced."""
        await self.put_file(key, io.BytesIO(data))

    async def put_file(self, key: str, source: BinaryIO) -> None:
        """Store what is left to read in an open file; a file of that key is replaced."""
        await asyncio.to_thread(self._write, self.path(key), source)

    async def get(self, key: str) -> bytes:
        """Return the bytes.

        Raises:
            NotStored: there is no such file.
        """
        return await asyncio.to_thread(self._read, self.path(key))

    async def copy(self, key: str, target: str) -> None:
        """Store a file's bytes under another key as well; a file of that key is replaced.

        Raises:
            NotStored: there is no such file.
        """
        await asyncio.to_thread(self._link, self.path(key), self.path(target))

    def path(self, key: str) -> Path:
        """Return where the file is, or would be."""
        if _KEY.fullmatch(key) is None:
            raise BadKey
        return self._folder / key

    async def delete(self, key: str) -> None:
        """Delete the file, if there is one."""
        await asyncio.to_thread(self._delete, self.path(key))

    async def list_older_than(self, prefix: Prefix, seconds: float) -> list[str]:
        """Return the keys of a prefix whose files were written longer ago than that."""
        return await asyncio.to_thread(self._list, prefix, time.time() - seconds)

    def _write(self, target: Path, source: BinaryIO) -> None:
        partial = self._folder / "partial" / secrets.token_urlsafe(16)
        try:
            partial.parent.mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with partial.open("xb") as file:
                    shutil.copyfileobj(source, file)
                    file.flush()
                    os.fsync(file.fileno())
                partial.replace(target)
            except OSError:
                partial.unlink(missing_ok=True)
                raise
            _sync_folder(target.parent)
        except OSError as error:
            raise StorageFailed from error

    def _link(self, path: Path, target: Path) -> None:
        # A second name of the same bytes: files are never written in place, so neither name sees the other change.
        partial = self._folder / "partial" / secrets.token_urlsafe(16)
        try:
            partial.parent.mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.hardlink_to(path)
            # As new: the sweeper spares young files, which may not belong to a task yet.
            os.utime(partial)
            partial.replace(target)
            # Where both are names of one file already, the replacement does nothing and leaves the first one.
            partial.unlink(missing_ok=True)
            _sync_folder(target.parent)
        except FileNotFoundError as error:
            raise NotStored from error
        except OSError as error:
            raise StorageFailed from error

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise NotStored from error
        except OSError as error:
            raise StorageFailed from error

    def _delete(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageFailed from error

    def _list(self, prefix: Prefix, before: float) -> list[str]:
        keys = []
        try:
            with os.scandir(self._folder / prefix) as entries:
                for entry in entries:
                    key = f"{prefix}/{entry.name}"
                    if _KEY.fullmatch(key) and _written_before(entry, before):
                        keys.append(key)
        except FileNotFoundError:
            return []  # nothing of the kind was ever stored
        except OSError as error:
            raise StorageFailed from error
        return sorted(keys)


def _written_before(entry: os.DirEntry[str], moment: float) -> bool:
    try:
        return entry.stat().st_mtime < moment
    except FileNotFoundError:  # deleted since the folder was read
        return False


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut: the name is data of the folder, not of the file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
