"""What the parts do together when one of them fails."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from idphoto import app, supervisor
from idphoto.database import migrate
from idphoto.settings import Settings


async def test_an_error_beside_the_server_ends_its_process_for_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        await asyncio.sleep(0.1)
        raise RuntimeError("what nobody foresaw")

    monkeypatch.setattr(app, "_sweep", fail)
    monkeypatch.setattr(tempfile, "tempdir", None)
    settings = Settings(data_dir=tmp_path, stop_delay_s=0, stop_grace_s=2)
    await asyncio.to_thread(migrate, settings.resolved_database_url)
    with supervisor.listen("127.0.0.1", 0) as listener, pytest.raises(RuntimeError, match="foresaw"):
        await asyncio.wait_for(app.run_api(settings, listener), 60)
