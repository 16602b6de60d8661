"""Polls beside an idle and a saturated worker."""

from __future__ import annotations

import asyncio
import math
import os
from typing import Any

import aiohttp

from bench.load.client import Answer, build_multipart, create, describe_ms, make_photo, open_session, poll_steadily
from bench.load.memory import name_processes, read_cpu_s
from tests.running import Server

POLLS_PER_S = 50.0
CONNECTIONS = 8
_FOR_S = 16.0
#: More work than the polls last: what is left over is dropped with the server.
_BUSY_S = 40.0
PROMISED_P99_MS = 50.0


async def measure_polls(server: Server, workers: int) -> dict[str, Any]:
    """Poll an idle server, then one whose workers are busy all the time."""
    photo = make_photo(2048, noise=6, quality=90)
    body, content_type = build_multipart(photo, {"size": "295x413", "format": "jpg", "sync": "1"})
    later, _ = build_multipart(photo, {"size": "295x413", "format": "jpg"})
    async with open_session(server, connections=CONNECTIONS) as session:
        firsts: list[Answer] = [await create(session, body, content_type) for _ in range(3)]
        ids = [answer.data["task_id"] for answer in firsts]
        idle = await _poll(server, session, ids)
        needed = math.ceil(_BUSY_S / min(answer.seconds for answer in firsts)) * workers
        tasks = await asyncio.gather(*(create(session, later, content_type) for _ in range(needed)))
        ids = [answer.data["task_id"] for answer in tasks]
        busy = await _poll(server, session, ids)
        last = await asyncio.to_thread(server.poll, ids[-1])
    idle_ms, busy_ms = idle["ms"], busy["ms"]
    return {
        "cores": os.cpu_count(),
        "workers": workers,
        "photo_alone_ms": round(min(answer.seconds for answer in firsts) * 1000),
        "tasks": needed,
        "was_busy_to_the_end": last["state"] != 1,
        "idle": idle,
        "saturated": busy,
        "ratio": {name: round(busy_ms[name] / idle_ms[name], 1) for name in ("p50", "p95", "p99", "max")},
        "promise_kept": busy_ms["p99"] < PROMISED_P99_MS,
    }


async def _poll(server: Server, session: aiohttp.ClientSession, ids: list[str]) -> dict[str, Any]:
    """Poll, and see how long the API and this client ran on a core and waited for one meanwhile.

    Much waiting says that a slow poll is the machine's doing: more processes want to run than it has cores.
    """
    watched = {"api": name_processes(server)["api"], "this_client": os.getpid()}
    before = {name: read_cpu_s(pid) for name, pid in watched.items()}
    seconds, outcomes = await poll_steadily(session, ids, per_s=POLLS_PER_S, for_s=_FOR_S)
    after = {name: read_cpu_s(pid) for name, pid in watched.items()}
    cpu = {
        name: f"ran {after[name][0] - before[name][0]:.2f}, waited {after[name][1] - before[name][1]:.2f}"
        for name in watched
    }
    return {"ms": describe_ms(seconds), "outcomes": outcomes, "cpu_s": cpu}
