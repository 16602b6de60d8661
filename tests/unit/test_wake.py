from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from idphoto.wake import VARIABLE, Wake, WakeHub

LONG_S = 30.0
"""Far longer than a ring takes: a test that waits so long fails by its timeout."""

SIBLING = """
import asyncio, os
from idphoto.wake import Wake

async def main():
    wake = Wake.from_environment(os.environ)
    await wake.start()
    seen = wake.count
    print("ready", flush=True)
    await wake.wait(30, since=seen)
    assert wake.count > seen
    wake.notify()
    await wake.close()

asyncio.run(main())
"""


@pytest.fixture
def hub() -> Iterator[WakeHub]:
    hub = WakeHub(3)
    yield hub
    hub.close()


def inherit(hub: WakeHub, index: int) -> Wake:
    """Build a child's bell in this process; a child owns copies of the descriptors, and so does this."""
    receive, *send = (os.dup(fd) for fd in hub.fds_for(index))
    return Wake.from_environment({VARIABLE: f"{receive}:{','.join(map(str, send))}"})


@pytest.fixture
async def children(hub: WakeHub) -> AsyncIterator[list[Wake]]:
    wakes = [inherit(hub, index) for index in range(3)]
    for wake in wakes:
        await wake.start()
    yield wakes
    for wake in wakes:
        await wake.close()


async def test_without_a_supervisor_it_rings_in_its_own_process():
    wake = Wake.from_environment({})
    await wake.start()
    waiting = asyncio.create_task(wake.wait(LONG_S))
    await asyncio.sleep(0)
    wake.notify()
    await asyncio.wait_for(waiting, LONG_S / 2)
    await wake.close()
    assert wake.count == 1


async def test_one_ring_wakes_all_who_wait():
    wake = Wake()
    waiting = [asyncio.create_task(wake.wait(LONG_S)) for _ in range(20)]
    await asyncio.sleep(0)
    wake.notify()
    await asyncio.wait_for(asyncio.gather(*waiting), LONG_S / 2)
    assert wake.count == 1


async def test_a_wait_without_a_ring_ends_by_its_timeout():
    wake = Wake()
    await wake.wait(0.01)
    assert wake.count == 0


async def test_a_ring_between_the_look_and_the_wait_is_not_missed():
    wake = Wake()
    seen = wake.count
    wake.notify()
    await asyncio.wait_for(wake.wait(LONG_S, since=seen), LONG_S / 2)
    assert wake.count == seen + 1


async def test_an_old_ring_does_not_end_a_new_wait():
    wake = Wake()
    wake.notify()
    waiting = asyncio.create_task(wake.wait(LONG_S, since=wake.count))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    wake.notify()
    await asyncio.wait_for(waiting, LONG_S / 2)


async def test_a_ring_reaches_all_other_children_and_comes_back_to_none(children: list[Wake]):
    waiting = [asyncio.create_task(wake.wait(LONG_S)) for wake in children[1:]]
    await asyncio.sleep(0)
    children[0].notify()
    await asyncio.wait_for(asyncio.gather(*waiting), LONG_S / 2)
    await asyncio.sleep(0.01)
    assert [wake.count for wake in children] == [1, 1, 1]


async def test_a_full_channel_takes_more_rings_without_blocking(children: list[Wake]):
    # The others cannot read while this loop does not yield, so their buffers fill up.
    for _ in range(2000):
        children[0].notify()
    await asyncio.wait_for(children[1].wait(LONG_S), LONG_S / 2)
    assert 1 <= children[1].count < 2000


async def test_a_ring_after_the_other_end_has_gone_is_no_error(hub: WakeHub):
    wake = inherit(hub, 0)
    hub.close()
    wake.notify()
    await wake.close()
    assert wake.count == 1


async def test_a_child_process_hears_its_sibling_and_answers(hub: WakeHub):
    wake = inherit(hub, 0)
    await wake.start()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SIBLING,
        env={**os.environ, VARIABLE: hub.env_for(1)},
        pass_fds=hub.fds_for(1),
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert await asyncio.wait_for(child.stdout.readline(), LONG_S) == b"ready\n"
    wake.notify()
    own = wake.count
    await wake.wait(LONG_S, since=own)
    assert await asyncio.wait_for(child.wait(), LONG_S) == 0
    await wake.close()
    assert wake.count == own + 1


def test_a_lone_child_is_told_of_no_others():
    hub = WakeHub(1)
    receive, _, send = hub.env_for(0).partition(":")
    hub.close()
    assert int(receive) > 2
    assert send == ""
