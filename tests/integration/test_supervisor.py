"""The supervisor's own promises; restarts and kills are in the acceptance tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from idphoto.supervisor import AddressTaken, AlreadyRunning, listen, lock_data_dir

CHILD = """
import os, sys, time
from idphoto.supervisor import die_with_supervisor
die_with_supervisor()
print(os.getpid(), flush=True)
time.sleep(60)
"""
PARENT = """
import os, subprocess, sys, time
environment = {**os.environ, "IDPHOTO_SUPERVISOR_PID": str(os.getpid())}
subprocess.Popen([sys.executable, "-c", sys.argv[1]], env=environment)
time.sleep(60)
"""


def test_the_data_folder_belongs_to_one_server_at_a_time(tmp_path: Path) -> None:
    with lock_data_dir(tmp_path / "data"), pytest.raises(AlreadyRunning, match="--data-dir"):
        lock_data_dir(tmp_path / "data").__enter__()
    with lock_data_dir(tmp_path / "data"):
        pass  # free again


def test_a_free_port_is_taken_for_port_0_and_a_taken_one_is_refused() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert port > 0
        with pytest.raises(AddressTaken, match=f"127.0.0.1:{port}"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(AddressTaken, match="--port"):
        listen("192.0.2.1", 0)


def test_a_child_dies_with_its_supervisor_however_that_dies() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert int(parent.stdout.readline()) > 0
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    # The child's end of the pipe closes with it: end of file means that it is gone.
    assert parent.stdout.read() == ""
    parent.stdout.close()


def test_a_child_whose_supervisor_is_gone_already_does_not_start() -> None:
    environment = {**os.environ, "IDPHOTO_SUPERVISOR_PID": "1"}
    done = subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stdout == b""
