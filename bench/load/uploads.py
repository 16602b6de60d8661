"""Many uploads at once: memory before, at its peak and after, and what became of each call."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from bench.load.client import build_multipart, count_outcomes, create, describe_ms, make_photo, open_session, poll
from bench.load.memory import name_processes, read_high_water_mb, read_rss_mb, watch_peaks
from tests.running import Server

UPLOADS = 200
_REST_S = 8.0
#: Long enough for a worker's peak with photos of 12 megapixels; what is left is dropped with the server.
_PROCESS_S = 40.0


async def measure_uploads(server: Server, uploads: int = UPLOADS) -> dict[str, Any]:
    """Send the uploads, all at the same time, and watch the tree while the first of the tasks are processed."""
    photo = make_photo(3464, noise=30, quality=97)
    body, content_type = build_multipart(photo, {"size": "295x413", "format": "jpg"})
    pids = name_processes(server)
    before = read_rss_mb(pids)
    async with open_session(server, connections=uploads) as session:
        with watch_peaks(pids) as peaks:
            answers = await asyncio.gather(*(create(session, body, content_type) for _ in range(uploads)))
            accepted = [answer.data["task_id"] for answer in answers if answer.outcome == "200"]
        after_uploads = read_rss_mb(pids)
        with watch_peaks(pids) as peaks_while_processing:
            await asyncio.sleep(_PROCESS_S)
        polls = [await poll(session, task_id) for task_id in accepted]
    await asyncio.sleep(_REST_S)
    return {
        "uploads": uploads,
        "photo_mb": round(len(photo) / 2**20, 1),
        "outcomes": count_outcomes(answers),
        "states_then": dict(Counter(str(answer.data.get("state", answer.outcome)) for answer in polls)),
        "answered_ms": describe_ms([answer.seconds for answer in answers]),
        "rss_mb": {
            "before": before,
            "peak_while_uploading": peaks,
            "after_uploading": after_uploads,
            "peak_while_processing": peaks_while_processing,
            "after_rest": read_rss_mb(pids),
            "high_water": read_high_water_mb(pids),
        },
    }
