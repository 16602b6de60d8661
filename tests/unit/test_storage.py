from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from idphoto.storage import BadKey, LocalStorage, NotStored, StorageFailed


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "files")


async def test_what_was_put_is_got_back(storage: LocalStorage) -> None:
    await storage.put("results/abc-_1.png", b"data")
    assert await storage.get("results/abc-_1.png") == b"data"
    assert storage.path("results/abc-_1.png").read_bytes() == b"data"


async def test_an_open_file_is_stored_whole(storage: LocalStorage) -> None:
    data = os.urandom(300_000)
    await storage.put_file("sources/upload", io.BytesIO(data))
    assert await storage.get("sources/upload") == data


async def test_a_second_put_replaces_the_first(storage: LocalStorage) -> None:
    await storage.put("sources/a", b"first")
    await storage.put("sources/a", b"second")
    assert await storage.get("sources/a") == b"second"


async def test_nothing_partial_is_left_behind(storage: LocalStorage) -> None:
    await storage.put("sources/a", b"data")
    assert await storage.list_older_than("partial", -60) == []


async def test_a_file_that_breaks_off_while_written_is_not_stored(storage: LocalStorage) -> None:
    class BreaksOff(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError("the client went away")
            return super().read(10)

    with pytest.raises(StorageFailed):
        await storage.put_file("sources/a", BreaksOff(b"x" * 1000))
    with pytest.raises(NotStored):
        await storage.get("sources/a")
    assert await storage.list_older_than("partial", -60) == []


async def test_a_missing_file_is_not_stored(storage: LocalStorage) -> None:
    with pytest.raises(NotStored):
        await storage.get("results/missing.png")


async def test_deleting_a_missing_file_is_fine(storage: LocalStorage) -> None:
    await storage.put("sources/a", b"data")
    await storage.delete("sources/a")
    await storage.delete("sources/a")
    with pytest.raises(NotStored):
        await storage.get("sources/a")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a",
        "sources",
        "sources/",
        "sources/..",
        "sources/../x",
        "../sources/x",
        "/sources/x",
        "sources//x",
        "sources/x/y",
        "sources/x\n",
        "sources/x\0",
        "sources/.hidden",
        "sources/a.b.c",
        "sources/x.",
        "other/x",
        "results/x%2e%2e",
        "results\\x",
        "results/" + "x" * 101,
        "results/é",
    ],
)
async def test_a_key_cannot_leave_the_folder(storage: LocalStorage, key: str) -> None:
    with pytest.raises(BadKey):
        storage.path(key)
    with pytest.raises(BadKey):
        await storage.get(key)
    with pytest.raises(BadKey):
        await storage.put(key, b"data")
    with pytest.raises(BadKey):
        await storage.delete(key)


async def test_only_old_files_of_the_prefix_are_listed(storage: LocalStorage) -> None:
    await storage.put("results/old.png", b"")
    await storage.put("results/new.png", b"")
    await storage.put("sources/old", b"")
    for key in ("results/old.png", "sources/old"):
        os.utime(storage.path(key), (0, 0))
    assert await storage.list_older_than("results", 3600) == ["results/old.png"]


async def test_strange_files_in_the_folder_are_left_alone(storage: LocalStorage) -> None:
    await storage.put("results/a.png", b"")
    stranger = storage.path("results/a.png").with_name(".nfs 0001")
    stranger.write_bytes(b"")
    os.utime(stranger, (0, 0))
    assert await storage.list_older_than("results", 3600) == []


async def test_trouble_with_the_disk_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"not a folder")
    storage = LocalStorage(tmp_path / "file")
    with pytest.raises(StorageFailed) as caught:
        await storage.put("sources/a", b"data")
    assert caught.value.code == "storage_failed"
    with pytest.raises(StorageFailed):
        await storage.get("sources/a")
    with pytest.raises(StorageFailed):
        await storage.delete("sources/a")
    with pytest.raises(StorageFailed):
        await storage.list_older_than("sources", 0)


async def test_a_copy_outlives_its_original_and_counts_as_young(storage: LocalStorage) -> None:
    await storage.put("cutouts/a", b"data")
    os.utime(storage.path("cutouts/a"), (1, 1))
    await storage.copy("cutouts/a", "sources/b")
    await storage.copy("cutouts/a", "sources/b")  # as a retried job does
    assert await storage.list_older_than("sources", 60) == []
    await storage.delete("cutouts/a")
    assert await storage.get("sources/b") == b"data"
    assert await storage.list_older_than("partial", -60) == []


async def test_a_replaced_original_does_not_change_its_copy(storage: LocalStorage) -> None:
    await storage.put("cutouts/a", b"first")
    await storage.copy("cutouts/a", "sources/b")
    await storage.put("cutouts/a", b"second")
    assert await storage.get("sources/b") == b"first"


async def test_what_is_not_stored_cannot_be_copied(storage: LocalStorage) -> None:
    with pytest.raises(NotStored):
        await storage.copy("cutouts/none", "sources/b")
    assert await storage.list_older_than("partial", -60) == []
