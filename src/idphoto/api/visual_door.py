"""The visual door: ``/api/tasks/visual/...``, the upstream interface that the first door resells."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from idphoto.api import doors
from idphoto.api.auth import Authenticated
from idphoto.api.openapi import CREATE, POLL

_PATHS = {
    "/api/tasks/visual/idphoto": ("Make an ID photo", "Ask how a task is doing"),
    "/api/tasks/visual/external/idphoto": (
        "Make an ID photo, advanced",
        "Ask how an advanced task is doing",
    ),
}


def build_router() -> APIRouter:
    """Return the door's routes."""
    router = APIRouter(tags=["visual door"])

    async def create(request: Request, caller: Authenticated) -> Response:
        return await doors.create_task(request, caller)

    async def poll(request: Request, caller: Authenticated, task_id: str) -> Response:
        return await doors.poll_task(request, caller.owner, task_id)

    for path, (create_summary, poll_summary) in _PATHS.items():
        router.add_api_route(path, create, methods=["POST"], openapi_extra=CREATE, summary=create_summary)
        router.add_api_route(path + "/{task_id}", poll, openapi_extra=POLL, summary=poll_summary)
    return router
