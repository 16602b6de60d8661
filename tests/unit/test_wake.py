from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

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
    with wake.listen("question") as bell:
        print("ready", flush=True)
        assert await bell.wait(30)
    wake.notify("answer")
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
    with wake.listen("a") as bell:
        waiting = asyncio.create_task(bell.wait(LONG_S))
        await asyncio.sleep(0)
        wake.notify("a")
        assert await waiting
    await wake.close()


async def test_one_ring_wakes_all_who_listen_to_its_topic_and_nobody_else():
    wake = Wake()
    with ExitStack() as stack:
        bells = [stack.enter_context(wake.listen("a", "b")) for _ in range(20)]
        other = stack.enter_context(wake.listen("c"))
        waiting = [asyncio.create_task(bell.wait(LONG_S)) for bell in bells]
        await asyncio.sleep(0)
        wake.notify("b")
        assert all(await asyncio.gather(*waiting))
        assert not await other.wait(0.01)


async def test_a_wait_without_a_ring_ends_by_its_timeout():
    with Wake().listen("a") as bell:
        assert not await bell.wait(0.01)


async def test_a_ring_between_the_look_and_the_wait_is_not_missed_and_not_heard_twice():
    wake = Wake()
    with wake.listen("a") as bell:
        wake.notify("a")
        assert await bell.wait(LONG_S)
        assert not await bell.wait(0.01)


async def test_nobody_is_remembered_who_has_stopped_listening():
    wake = Wake()
    with wake.listen("a") as first:
        with wake.listen("a", "b") as second:
            pass
        wake.notify("a")
        wake.notify("b")
        assert await first.wait(LONG_S)
        assert not await second.wait(0)


async def test_a_ring_reaches_all_other_children_and_comes_back_to_none(children: list[Wake]):
    with ExitStack() as stack:
        bells = [stack.enter_context(wake.listen("a")) for wake in children]
        children[0].notify("a")
        assert await asyncio.gather(*(bell.wait(LONG_S) for bell in bells)) == [True] * 3
        assert await asyncio.gather(*(bell.wait(0.01) for bell in bells)) == [False] * 3


async def test_a_full_channel_blocks_nobody_and_loses_no_ring(children: list[Wake]):
    with children[1].listen("last") as bell, children[1].listen("never rung") as other:
        # The others cannot read while this loop does not yield, so their channels fill up.
        for number in range(2000):
            children[0].notify(f"topic {number}")
        children[0].notify("last")
        assert await bell.wait(LONG_S)
        assert await other.wait(LONG_S)


async def test_a_ring_after_the_other_end_has_gone_is_no_error(hub: WakeHub):
    wake = inherit(hub, 0)
    hub.close()
    with wake.listen("a") as bell:
        wake.notify("a")
        assert await bell.wait(LONG_S)
    await wake.close()


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
    with wake.listen("answer") as bell:
        wake.notify("question")
        assert await bell.wait(LONG_S)
    assert await asyncio.wait_for(child.wait(), LONG_S) == 0
    await wake.close()


def test_a_lone_child_is_told_of_no_others():
    hub = WakeHub(1)
    receive, _, send = hub.env_for(0).partition(":")
    hub.close()
    assert int(receive) > 2
    assert send == ""
