"""The task door: ``/task/...``, the reference contract of the product."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from idphoto.api import deliveries, doors
from idphoto.api.auth import Authenticated
from idphoto.api.openapi import CHECK, CREATE, DELETE, DELIVER_AGAIN, DELIVERIES, POLL
from idphoto.tasks.request import Mode


def build_router() -> APIRouter:
    """Return the door's routes."""
    router = APIRouter(tags=["task door"])

    @router.post("/task/pic/idphoto", openapi_extra=CREATE, summary="Make an ID photo")
    async def create(request: Request, caller: Authenticated) -> Response:
        return await doors.create_task(request, caller)

    @router.post("/task/pic/idphoto/check", openapi_extra=CHECK, summary="Check a finished photo")
    async def check(request: Request, caller: Authenticated) -> Response:
        return await doors.create_task(request, caller, Mode.CHECK)

    @router.get("/task/{task_id}", openapi_extra=POLL, summary="Ask how a task is doing")
    async def poll(request: Request, caller: Authenticated, task_id: str) -> Response:
        return await doors.poll_task(request, caller.owner, task_id)

    @router.delete("/task/{task_id}", openapi_extra=DELETE, summary="Delete a task, its photo and its result")
    async def delete(request: Request, caller: Authenticated, task_id: str) -> Response:
        return await doors.delete_task(request, caller.owner, task_id)

    @router.get("/task/{task_id}/deliveries", openapi_extra=DELIVERIES, summary="List the tries of a callback")
    async def list_deliveries(request: Request, caller: Authenticated, task_id: str) -> Response:
        return await deliveries.list_deliveries(request, caller, task_id)

    @router.post("/task/{task_id}/deliveries", openapi_extra=DELIVER_AGAIN, summary="Deliver a callback again")
    async def deliver_again(request: Request, caller: Authenticated, task_id: str) -> Response:
        return await deliveries.deliver_again(request, caller, task_id)

    return router
