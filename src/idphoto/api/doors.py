"""What both doors do: create a task, poll it, delete it. A door adds its paths and the shape of its errors."""

from __future__ import annotations

import asyncio
import base64
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from idphoto.api.errors import BadField, BadRequest, NotFound, NotReady, TooManyRequests, Unauthorised
from idphoto.api.fields import CreateRequest, read_create_request
from idphoto.api.forms import is_short, open_form
from idphoto.api.services import Services, get_services
from idphoto.envelope import reply
from idphoto.keys import Caller
from idphoto.storage import NotStored, StorageError
from idphoto.tasks.admission import NoRoom, Room
from idphoto.tasks.model import ReturnType, State, Task
from idphoto.tasks.queue import JobKind, NewJob, Priority
from idphoto.tasks.request import Mode

#: Planning a sheet takes a moment. One thread of its own, so that many of them hold up no upload.
_PLANNER = ThreadPoolExecutor(1, thread_name_prefix="plan")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}")


async def create_task(request: Request, caller: Caller, mode: Mode = Mode.MAKE) -> Response:
    """Accept a photo: stored and queued before the reply, finished before it when ``sync`` is 1.

    Raises:
        ApiError: nothing was accepted.
    """
    services = get_services(request)
    if services.stopping.is_set():
        raise NotReady("The server is stopping: try again in a moment.")
    await services.limits.hit(caller)
    room = services.limits.get_room(caller)
    idempotency_key = _read_idempotency_key(request)
    if idempotency_key is None and not is_short(request):
        # Before the upload, to spare it. A repeat needs no room: its task is there.
        await _check_room(services, caller.owner, room)
    public_url = _find_public_url(request, services)
    async with open_form(
        request,
        max_upload_bytes=services.settings.max_upload_bytes,
        timeout_s=services.settings.upload_timeout_s,
        deadline=partial(_wait_for_late_stop, services),
    ) as form:
        read = partial(
            read_create_request, form, catalogue=services.catalogue, check_url=services.outbound.check_url, mode=mode
        )
        wish = await asyncio.get_running_loop().run_in_executor(_PLANNER, read) if form.get("layout") else read()
        if not is_short(request) and not await services.keys.is_valid(caller):
            raise Unauthorised  # revoked during the upload
        cutout = await _find_cutout(services, caller.owner, wish)
        task_id = str(uuid.uuid4())
        task = Task(
            id=task_id,
            owner=caller.owner,
            request=wish.photo,
            return_type=wish.return_type,
            public_url=public_url,
            request_id=request.state.request_id,
            image_url=wish.image_url,
            source_key=f"sources/{task_id}" if wish.image or cutout else None,
            callback_url=wish.callback_url,
            idempotency_key=idempotency_key,
            created_at=time.time(),
        )
        task = await _accept(services, task, wish, cutout, room)
    if wish.sync:
        return await _answer_when_done(request, services, task)
    return JSONResponse(reply(task, image=await _read_inline(services, task)))


async def poll_task(request: Request, owner: str, task_id: str) -> Response:
    """Answer with the task's envelope as it is now.

    Raises:
        NotFound: the task is unknown, expired or somebody else's.
    """
    services = get_services(request)
    task = await services.store.get(task_id, owner=owner)
    if task is None:
        raise NotFound.of_task(task_id)
    return JSONResponse(reply(task, image=await _read_inline(services, task)))


async def delete_task(request: Request, owner: str, task_id: str) -> Response:
    """Delete the task, its source and its result at once, whatever its state.

    Raises:
        NotFound: the task is unknown, expired or somebody else's.
    """
    services = get_services(request)
    task = await services.store.delete(task_id, owner)
    if task is None:
        raise NotFound.of_task(task_id)
    for key in task.keys:
        await services.storage.delete(key)
    return JSONResponse({"status": 200, "message": "success", "data": {"task_id": task.id}})


async def _wait_for_late_stop(services: Services) -> None:
    """Return when the server stops and half of the grace is over: refusals must go out before the connections end."""
    await services.stopping.wait()
    await asyncio.sleep(services.settings.stop_grace_s / 2)


async def _check_room(services: Services, owner: str, room: Room) -> None:
    try:
        await services.store.check_room(owner, room)
    except NoRoom as error:
        raise _refuse(error) from error


def _refuse(error: NoRoom) -> TooManyRequests:
    return TooManyRequests(str(error), code=error.code, retry_after_s=error.retry_after_s)


async def _find_cutout(services: Services, owner: str, wish: CreateRequest) -> str | None:
    """Return the storage key of the cut-out that ``last_id`` names, None when it is not used."""
    if wish.photo.last_id is None:
        return None
    earlier = await services.store.get(wish.photo.last_id, owner=owner)
    if earlier is None or earlier.outcome is None or earlier.outcome.cutout_key is None:
        raise _refuse_last_id(wish)
    return earlier.outcome.cutout_key


def _refuse_last_id(wish: CreateRequest) -> BadField:
    reason = "it must be the image_id of a finished photo of yours that has not expired"
    return BadField("last_id", wish.photo.last_id or "", reason, code="unknown_image")


async def _accept(services: Services, task: Task, wish: CreateRequest, cutout: str | None, room: Room) -> Task:
    """Store the source, then the task with its job; return the first task of a repeated idempotency key."""
    job = NewJob(
        kind=JobKind.PROCESS if task.source_key else JobKind.FETCH,
        task_id=task.id,
        owner=task.owner,
        priority=Priority.SYNC if wish.sync else Priority.NORMAL,
    )
    try:
        if task.source_key and wish.image:
            await services.storage.put_file(task.source_key, wish.image.file)
        elif task.source_key and cutout:
            await services.storage.copy(cutout, task.source_key)
        added = await services.store.add(task, services.queue, job, room)
    except NotStored:
        # The cut-out expired or was deleted between the two reads.
        raise _refuse_last_id(wish) from None
    except (SQLAlchemyError, StorageError, NoRoom) as error:
        await _drop_source(services, task)
        if isinstance(error, NoRoom):
            raise _refuse(error) from error
        raise
    if added.id != task.id:
        await _drop_source(services, task)
    return added


async def _drop_source(services: Services, task: Task) -> None:
    if task.source_key:
        await services.storage.delete(task.source_key)


async def _answer_when_done(request: Request, services: Services, task: Task) -> Response:
    ended = await _wait_for_end(request, services, task)
    if ended is None:
        raise NotFound.of_task(task.id)
    if not ended.state.is_end:
        # The contract's answer to a wait that was too long; polls then tell the true state.
        body = reply(ended)
        body["data"] |= {"state": State.PROCESSING.value, "state_detail": State.PROCESSING.detail}
        return JSONResponse(body)
    if ended.return_type is ReturnType.BINARY and ended.outcome and ended.outcome.result_key:
        content = await _read_result(services, ended)
        return Response(content, media_type=ended.request.format.media_type)
    return JSONResponse(reply(ended, image=await _read_inline(services, ended)))


async def _wait_for_end(request: Request, services: Services, task: Task) -> Task | None:
    """Wait while the settings allow and the client is there; return the task as it is then, None when it is gone."""
    wait = asyncio.ensure_future(services.waiters.wait_for_end(task.id, services.settings.sync_wait_s))
    leave = asyncio.ensure_future(_wait_for_disconnect(request))
    stop = asyncio.ensure_future(services.stopping.wait())
    try:
        await asyncio.wait({wait, leave, stop}, return_when=asyncio.FIRST_COMPLETED)
        if stop.done():
            # A photo in work may just be finished; the reply must go out before the connection is broken off.
            half_s = services.settings.stop_grace_s / 2
            await asyncio.wait({wait, leave}, timeout=half_s, return_when=asyncio.FIRST_COMPLETED)
        return wait.result() if wait.done() else task
    finally:
        for waiting in (wait, leave, stop):
            waiting.cancel()
        await asyncio.gather(wait, leave, stop, return_exceptions=True)


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _read_inline(services: Services, task: Task) -> str | None:
    """Return the photo in base64 if that is how it was asked for, else None for its URL."""
    if task.return_type is not ReturnType.BASE64 or not task.outcome or not task.outcome.result_key:
        return None
    return base64.b64encode(await _read_result(services, task)).decode("ascii")


async def _read_result(services: Services, task: Task) -> bytes:
    key = task.outcome and task.outcome.result_key
    if not key:
        raise NotFound.of_task(task.id)
    try:
        return await services.storage.get(key)
    except NotStored:
        # It expired or was deleted between the two reads.
        raise NotFound.of_task(task.id) from None


def _read_idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise BadRequest("Idempotency-Key takes 1 to 255 printable ASCII characters.", code="bad_idempotency_key")
    return key


def _find_public_url(request: Request, services: Services) -> str:
    """Return the scheme, host and port for result URLs: as set, else as this client wrote them."""
    if services.settings.public_url:
        return services.settings.public_url.rstrip("/")
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise BadRequest("The Host header is not host[:port].", code="bad_host")
    return f"{request.url.scheme}://{host}"
