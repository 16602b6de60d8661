"""The callback deliveries of a task: what was tried, and once more."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from idphoto.api.errors import BadRequest, NotFound
from idphoto.api.services import get_services
from idphoto.keys import Caller
from idphoto.tasks.model import Task


async def list_deliveries(request: Request, caller: Caller, task_id: str) -> Response:
    """Answer with every try, oldest first.

    Raises:
        NotFound: the task is unknown, expired or somebody else's.
    """
    task = await _find_task(request, caller, task_id)
    tries = await get_services(request).deliveries.list_deliveries(task.id)
    shown = [{name: value for name, value in asdict(one).items() if name != "task_id"} for one in tries]
    return JSONResponse(
        {"status": 200, "message": "success", "data": {"task_id": task.id, "deliveries": shown}},
    )


async def deliver_again(request: Request, caller: Caller, task_id: str) -> Response:
    """Queue the task's callback once more, with all its tries; it counts as a create call.

    Raises:
        NotFound: the task is unknown, expired or somebody else's.
        BadRequest: the task has no callback_url, or has not ended.
        RateExceeded: the key is over its rate.
    """
    services = get_services(request)
    await services.limits.hit(caller)
    task = await _find_task(request, caller, task_id)
    if task.callback_url is None:
        raise BadRequest("This task was made without a callback_url.", code="no_callback")
    if not task.state.is_end:
        raise BadRequest("This task has not ended: its callback will be delivered when it has.", code="not_ended")
    await services.store.announce_again(task, services.queue)
    return JSONResponse({"status": 200, "message": "success", "data": {"task_id": task.id}})


async def _find_task(request: Request, caller: Caller, task_id: str) -> Task:
    task = await get_services(request).store.get(task_id, owner=caller.owner)
    if task is None:
        raise NotFound.of_task(task_id)
    return task
