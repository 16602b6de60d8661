"""What nobody foresaw."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.types import Message, Receive, Scope, Send

from idphoto.api.middleware import CrashGuard, RequestContext
from idphoto.metrics import Metrics


async def fail(scope: Scope, receive: Receive, send: Send) -> None:
    raise LookupError("a secret detail")


async def fail_late(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise LookupError("a secret detail")


async def call(app: CrashGuard | RequestContext) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/task/pic/idphoto",
        "query_string": b"",
        "headers": [(b"x-request-id", b"order-7")],
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return sent


def test_what_nobody_foresaw_is_answered_with_500_and_the_request_s_id() -> None:
    start, body = asyncio.run(call(RequestContext(CrashGuard(fail), Metrics())))
    assert start["status"] == 500
    assert (b"x-request-id", b"order-7") in start["headers"]
    error = json.loads(body["body"])["error"]
    assert error["code"] == "internal"
    assert "order-7" in error["message"]
    assert "secret" not in error["message"]


def test_half_a_reply_is_broken_off() -> None:
    with pytest.raises(LookupError):
        asyncio.run(call(CrashGuard(fail_late)))
