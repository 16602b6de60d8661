"""What operators and their machines ask: is it up, is it ready, how is it doing, which specs are there."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from idphoto.api.errors import NotFound, NotReady
from idphoto.api.openapi import READY, SPEC
from idphoto.api.services import Services, get_services
from idphoto.specs import UnknownSpec
from idphoto.storage import StorageError


def build_router() -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["operation"])
    # Strangers may ask, and each check writes a file: those who ask at the same time share one.
    running: asyncio.Task[list[str]] | None = None

    @router.get("/healthz", summary="Is the process up?", response_class=PlainTextResponse)
    async def healthz() -> str:
        return "ok"

    @router.get("/readyz", openapi_extra=READY, summary="Can a task be finished?")
    async def readyz(request: Request) -> Response:
        services = get_services(request)
        nonlocal running
        if services.stopping.is_set():
            failed = ["the server is stopping"]
        else:
            if running is None or running.done():
                running = asyncio.create_task(_find_failed_checks(services))
            failed = await asyncio.shield(running)
        if failed:
            raise NotReady(f"Not ready: {', '.join(failed)}.")
        return JSONResponse({"status": 200, "message": "ready"})

    @router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        services = get_services(request)
        tasks, queue_depth, workers = await asyncio.gather(
            services.store.count_by_state(),
            services.queue.count_ready(),
            _count_workers(services),
        )
        text = services.metrics.write(tasks=tasks, queue_depth=queue_depth, workers=workers)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    @router.get("/specs", summary="The known documents, or those of a country")
    async def list_specs(request: Request, country: str | None = None) -> dict[str, list[dict[str, Any]]]:
        return {"specs": [asdict(spec) for spec in get_services(request).catalogue.list(country or None)]}

    @router.get("/specs/{spec_id}", openapi_extra=SPEC, summary="One known document")
    async def show_spec(request: Request, spec_id: str) -> dict[str, Any]:
        try:
            return asdict(get_services(request).catalogue.get(spec_id))
        except UnknownSpec as error:
            raise NotFound(str(error)) from error

    return router


async def _find_failed_checks(services: Services) -> list[str]:
    """Return a phrase for each thing that a task needs and that is not there."""
    failed: list[str] = []
    try:
        if not await _count_workers(services):
            failed.append("no worker is alive")
    except SQLAlchemyError:
        failed.append("the database does not answer")
    # The sweeper knows this folder, should we die between the two calls.
    probe = f"sources/ready-{uuid.uuid4().hex}"
    try:
        await services.storage.put(probe, b"")
        await services.storage.delete(probe)
    except StorageError:
        failed.append("the storage is not writable")
    return failed


async def _count_workers(services: Services) -> int:
    """Count the workers that are alive by the same measure as their jobs."""
    return await services.workers.count_alive(services.settings.lease_s)
