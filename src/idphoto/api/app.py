"""The web application, put together from its parts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from idphoto import __doc__ as summary
from idphoto.api import files, ops, task_door, visual_door
from idphoto.api.errors import add_error_handlers
from idphoto.api.middleware import BodyDrain, CrashGuard, RequestContext
from idphoto.api.openapi import ERROR
from idphoto.api.pages import add_pages
from idphoto.api.services import Services

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(services: Services, *, lifespan: Lifespan | None = None) -> FastAPI:
    """Return the application; the server should not log accesses itself, as paths of results are secrets.

    Args:
        services: what requests use.
        lifespan: what else lives as long as the application, from the composition root.
    """
    app = FastAPI(
        title="IDPhoto",
        description=summary or "",
        version="1",
        docs_url=None,
        redoc_url=None,
        # Also keeps the framework from describing an error of its own, which never happens here.
        responses={"default": ERROR},
        lifespan=lifespan,
    )
    app.state.services = services
    for build_router in (task_door.build_router, visual_door.build_router, files.build_router, ops.build_router):
        app.include_router(build_router())
    add_pages(app)
    add_error_handlers(app)
    # The last one added is the outermost.
    app.add_middleware(CrashGuard)
    app.add_middleware(BodyDrain)
    if services.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=services.settings.cors_origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("Authorization", "X-API-KEY", "Idempotency-Key", "X-Request-ID"),
            expose_headers=("Retry-After", "X-Request-ID"),
        )
    app.add_middleware(RequestContext, metrics=services.metrics)
    return app
