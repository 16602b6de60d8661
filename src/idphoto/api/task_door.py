"""The task door: ``/task/...``, the reference contract of the product."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from idphoto.api import doors
from idphoto.api.auth import Owner
from idphoto.api.openapi import CHECK, CREATE, DELETE, POLL
from idphoto.tasks.request import Mode


def build_router() -> APIRouter:
    """Return the door's routes."""
    router = APIRouter(tags=["task door"])

    @router.post("/task/pic/idphoto", openapi_extra=CREATE, summary="Make an ID photo")
    async def create(request: Request, owner: Owner) -> Response:
        return await doors.create_task(request, owner)

    @router.post("/task/pic/idphoto/check", openapi_extra=CHECK, summary="Check a finished photo")
    async def check(request: Request, owner: Owner) -> Response:
        return await doors.create_task(request, owner, Mode.CHECK)

    @router.get("/task/{task_id}", openapi_extra=POLL, summary="Ask how a task is doing")
    async def poll(request: Request, owner: Owner, task_id: str) -> Response:
        return await doors.poll_task(request, owner, task_id)

    @router.delete("/task/{task_id}", openapi_extra=DELETE, summary="Delete a task, its photo and its result")
    async def delete(request: Request, owner: Owner, task_id: str) -> Response:
        return await doors.delete_task(request, owner, task_id)

    return router
