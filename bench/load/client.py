"""An asyncio client that keeps every outcome, and the photos that it sends."""

from __future__ import annotations

import asyncio
import io
import json
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import cv2
import numpy as np
import skimage.data
from PIL import Image

from tests.running import Server

CREATE_PATH = "/task/pic/idphoto"
_BOUNDARY = "idphoto-load-7d1c"
_TIMEOUT = aiohttp.ClientTimeout(total=300)


def make_photo(side: int, *, noise: float, quality: int) -> bytes:
    """Return the public-domain portrait as a square JPEG of that side, with the noise of a sensor.

    Args:
        side: pixels.
        noise: standard deviation of the noise in levels of 0 to 255; what makes the file large.
        quality: of the JPEG.
    """
    pixels = cv2.resize(skimage.data.astronaut(), (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    generator = np.random.default_rng(1)
    for start in range(0, side, 256):  # in strips: the noise of 12 megapixels at once takes 300 MB
        strip = pixels[start : start + 256]
        strip += generator.standard_normal(strip.shape, dtype=np.float32) * np.float32(noise)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def build_multipart(photo: bytes, fields: Mapping[str, str]) -> tuple[bytes, str]:
    """Return a multipart body of the photo and the text fields, and its Content-Type."""
    lines = [f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    lines.append(f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image_file"; filename="me.jpg"\r\n')
    head = "".join(lines) + "Content-Type: image/jpeg\r\n\r\n"
    body = head.encode() + photo + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return body, f"multipart/form-data; boundary={_BOUNDARY}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of one call."""

    outcome: str
    """The status, or the class of the client's error: ``200``, ``429``, ``ServerDisconnectedError``."""
    seconds: float
    data: dict[str, Any]
    """The envelope's ``data``; empty after an error."""
    retry_after: str | None


def open_session(server: Server, *, connections: int) -> aiohttp.ClientSession:
    """Return a session with the server's key and that many connections at most."""
    connector = aiohttp.TCPConnector(limit=connections)
    return aiohttp.ClientSession(server.url, headers=server.headers, connector=connector, timeout=_TIMEOUT)


async def create(session: aiohttp.ClientSession, body: bytes, content_type: str) -> Answer:
    """Post a body to the create door."""
    # A BytesIO shares the bytes of the body; hundreds of calls hold one copy.
    return await _call(session, "POST", CREATE_PATH, data=io.BytesIO(body), headers={"Content-Type": content_type})


async def poll(session: aiohttp.ClientSession, task_id: str) -> Answer:
    """Poll a task once."""
    return await _call(session, "GET", f"/task/{task_id}")


async def _call(session: aiohttp.ClientSession, method: str, path: str, **options: Any) -> Answer:  # noqa: ANN401 - aiohttp's own
    started = time.perf_counter()
    data: dict[str, Any] = {}
    retry_after = None
    try:
        async with session.request(method, path, **options) as response:
            text = await response.text()
            outcome = str(response.status)
            retry_after = response.headers.get("Retry-After")
            if response.status == 200:
                data = json.loads(text)["data"]
    except (aiohttp.ClientError, TimeoutError) as error:
        outcome = type(error).__name__
    return Answer(outcome=outcome, seconds=time.perf_counter() - started, data=data, retry_after=retry_after)


def count_outcomes(answers: Sequence[Answer]) -> dict[str, int]:
    """Count the answers by outcome."""
    return dict(sorted(Counter(answer.outcome for answer in answers).items()))


def describe_ms(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50, p95, p99 and the maximum, in milliseconds (nearest rank)."""
    ordered = sorted(value * 1000 for value in seconds)

    def rank(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1)

    return {"n": len(ordered), "p50": rank(0.5), "p95": rank(0.95), "p99": rank(0.99), "max": round(ordered[-1], 1)}


async def poll_steadily(
    session: aiohttp.ClientSession, task_ids: Sequence[str], *, per_s: float, for_s: float
) -> tuple[list[float], dict[str, int]]:
    """Poll the tasks in turn at a steady rate, whether or not earlier polls were answered.

    Returns:
        Seconds from the moment each poll was due to its answer, and the outcomes: a client that could not send in
        time counts against the server, as a person who waits would.
    """
    loop = asyncio.get_running_loop()
    start = loop.time() + 0.1

    async def one(number: int) -> tuple[float, Answer]:
        due = start + number / per_s
        await asyncio.sleep(due - loop.time())
        answer = await poll(session, task_ids[number % len(task_ids)])
        return loop.time() - due, answer

    results = await asyncio.gather(*(one(number) for number in range(round(per_s * for_s))))
    return [seconds for seconds, _ in results], count_outcomes([answer for _, answer in results])
