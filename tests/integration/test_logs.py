"""A log that cannot be written costs its lines and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from idphoto.logs import _LastingFile

CHILD = """
import logging, structlog
from idphoto import logs

logs.configure("{format}")
for number in range(100):
    structlog.get_logger().error("event", number=number)
    logging.getLogger("library").warning("message %d", number)
print("done", flush=True)
"""


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_process_goes_on_when_its_log_is_full_or_closed(log_format: str) -> None:
    reader, closed = os.pipe()
    os.close(reader)
    with Path("/dev/full").open("wb") as full:
        for stderr in (full, closed):
            command = [sys.executable, "-c", CHILD.format(format=log_format)]
            assert subprocess.check_output(command, stderr=stderr) == b"done\n"
    os.close(closed)


def test_a_log_that_can_be_written_again_says_what_it_lost() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    os.set_blocking(reader, False)
    file = _LastingFile(writer)
    while file._try(b"x" * 4096):
        pass
    for _ in range(3):
        assert file.write(b"lost\n") == 5
    while True:
        try:
            os.read(reader, 65536)
        except BlockingIOError:
            break
    assert file.write(b"found\n") == 6
    assert os.read(reader, 65536) == b"3 lines of this log could not be written.\nfound\n"
    os.close(reader)
    os.close(writer)
