"""Servers for the tests of the web layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.running import Server, Start, start_server


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a server with settings of one's own."""

    def begin(**values: Any) -> AbstractContextManager[Server]:
        return start_server(tmp_path / "data", **values)

    return begin


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for all tests that leave it as it was."""
    with start_server(tmp_path_factory.mktemp("shared")) as running:
        yield running
