"""What a client can do wrong, and how a door says so.

::

    ApiError                    the HTTP status, a stable code, a sentence
    ├── BadRequest              400
    │   └── BadField            400, names the field, its value and the rule
    ├── Unauthorised            401
    ├── NotFound                404
    ├── BodyTooSlow             408
    ├── BodyTooLarge            413
    ├── TooManyRequests         429, with Retry-After
    │   └── RateExceeded
    ├── NotReady                503, with Retry-After
    └── StorageUnavailable      503, with Retry-After

The docstring of a class is its default message.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from structlog.stdlib import get_logger

from idphoto.database import UNAVAILABLE
from idphoto.storage import StorageFailed

VISUAL_PREFIX = "/api/tasks/visual/"
#: Longest part of a refused value that an error repeats.
SHOWN_VALUE_CHARS = 80

_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_TYPES = {
    400: "invalid_request",
    401: "authentication",
    404: "not_found",
    405: "invalid_request",
    408: "too_slow",
    413: "too_large",
    429: "rate_limit",
}


class ApiError(Exception):
    """The request failed."""

    status: ClassVar[int] = 500
    code: str = "internal"

    def __init__(
        self, message: str | None = None, *, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message or self.__doc__)
        self.code = code or self.code
        self.headers = dict(headers or {})


class BadRequest(ApiError):
    """The request cannot be understood."""

    status = 400
    code = "bad_request"


class BadField(BadRequest):
    """A field has a value that is not allowed."""

    def __init__(self, field: str, value: str, rule: str, *, code: str | None = None) -> None:
        super().__init__(f"{field}: {show_value(value)} is not allowed: {rule}", code=code or f"bad_{field}")


class Unauthorised(ApiError):
    """The API key is missing or not valid: send it as `Authorization: Bearer <key>` or `X-API-KEY: <key>`."""

    status = 401
    code = "unauthorized"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="idphoto"'})


class NotFound(ApiError):
    """There is nothing here: it never was, or it has expired."""

    status = 404
    code = "not_found"

    @classmethod
    def of_task(cls, task_id: str) -> Self:
        """Return the error of a task that this caller cannot see."""
        return cls(f"There is no task {show_value(task_id)}: it never was, it has expired, or it is another key's.")


class BodyTooLarge(ApiError):
    """The upload is too large."""

    status = 413
    code = "upload_too_large"


class BodyTooSlow(ApiError):
    """The upload did not come in time."""

    status = 408
    code = "upload_too_slow"

    def __init__(self, limit_s: float) -> None:
        # The rest of the body is not waited for.
        message = f"The upload took longer than {limit_s:g} s: send a smaller photo, or try again."
        super().__init__(message, headers={"Connection": "close"})


class TooManyRequests(ApiError):
    """Too many requests: try again later."""

    status = 429

    def __init__(self, message: str | None = None, *, code: str | None = None, retry_after_s: float) -> None:
        super().__init__(message, code=code, headers={"Retry-After": str(max(1, math.ceil(retry_after_s)))})


class RateExceeded(TooManyRequests):
    """This key makes tasks faster than its rate allows: try again later."""

    code = "rate_limited"


class NotReady(ApiError):
    """The server is not ready: try again later."""

    status = 503
    code = "not_ready"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, headers={"Retry-After": "2"})


class StorageUnavailable(ApiError):
    """The server can store or read nothing at the moment: try again later."""

    status = 503
    code = "storage_failed"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})


def show_value(value: str) -> str:
    """Return the value in quotes, cut and with anything unprintable escaped."""
    cut = value if len(value) <= SHOWN_VALUE_CHARS else value[:SHOWN_VALUE_CHARS] + "…"
    return repr(cut)


def get_error_type(status: int) -> str:
    """Return the family of an HTTP status, for ``error.type``."""
    return _TYPES.get(status, "server_error")


def build_error(request: Request, status: int, code: str, message: str) -> dict[str, Any]:
    """Return the error body of the door that the request came through."""
    body: dict[str, Any] = {"status": status, "message": message}
    if not request.url.path.startswith(VISUAL_PREFIX):
        body["error"] = {"message": message, "type": get_error_type(status), "code": code}
    return body


def add_error_handlers(app: FastAPI) -> None:
    """Let every failure end in the JSON error body of its door."""

    async def answer_api_error(request: Request, exc: Exception) -> Response:
        if not isinstance(exc, ApiError):  # only to narrow the type that the framework passes
            raise exc
        body = build_error(request, exc.status, exc.code, str(exc))
        return JSONResponse(body, status_code=exc.status, headers=exc.headers)

    async def answer_http_error(request: Request, exc: Exception) -> Response:
        if not isinstance(exc, HTTPException):  # as above
            raise exc
        codes = {404: NotFound.code, 405: "method_not_allowed"}
        message = {404: NotFound.__doc__, 405: "This address does not take this method."}.get(exc.status_code)
        body = build_error(
            request, exc.status_code, codes.get(exc.status_code, BadRequest.code), message or str(exc.detail)
        )
        headers = dict(exc.headers or {})
        if exc.status_code == 405 and (methods := _find_methods(request)):
            headers["Allow"] = ", ".join(methods)
        return JSONResponse(body, status_code=exc.status_code, headers=headers)

    async def answer_storage_error(request: Request, exc: Exception) -> Response:
        # A full disk is the operator's to see, in one line for each call, and for the client to wait for.
        get_logger().error("storage_failed", error=type(exc).__name__, request_id=request.state.request_id)
        return await answer_api_error(request, StorageUnavailable())

    async def answer_disconnect(request: Request, exc: Exception) -> Response:
        # Nobody reads this; it only ends the request without a stack trace.
        return JSONResponse(build_error(request, 400, "disconnected", "The client went away."), status_code=400)

    app.add_exception_handler(ApiError, answer_api_error)
    app.add_exception_handler(HTTPException, answer_http_error)
    app.add_exception_handler(ClientDisconnect, answer_disconnect)
    app.add_exception_handler(StorageFailed, answer_storage_error)
    for error in UNAVAILABLE:
        app.add_exception_handler(error, answer_storage_error)


def _find_methods(request: Request) -> list[str]:
    """Return every method of the address; the framework names those of its first route only (RFC 9110, 10.2.1)."""
    return [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]


def answer_crash(request: Request, error: Exception) -> Response:
    """Log what nobody foresaw and return the reply that tells the client where to find it in the log."""
    request_id = request.state.request_id
    # As text, since a renderer given the exception may show local variables, photos and keys among them.
    trace = "".join(traceback.format_exception(error))
    get_logger().error("unhandled_error", request_id=request_id, trace=trace)
    message = f"Something went wrong on our side. Quote request {request_id} when you report it."
    return JSONResponse(build_error(request, 500, ApiError.code, message), status_code=500)
