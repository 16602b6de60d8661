"""Result files under unguessable names. The name is the permission, so no key is asked for."""

from __future__ import annotations

import re

from anyio import Path
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from idphoto.api.errors import NotFound
from idphoto.api.openapi import READ_FILE
from idphoto.api.services import get_services

_NAME = re.compile(r"[A-Za-z0-9_-]{20,64}\.(?:png|jpg|pdf)")

_MEDIA_TYPES = {"png": "image/png", "jpg": "image/jpeg", "pdf": "application/pdf"}


def build_router() -> APIRouter:
    """Return the route of the files."""
    router = APIRouter(tags=["files"])

    @router.head("/files/{name}", include_in_schema=False)
    @router.get("/files/{name}", response_class=FileResponse, openapi_extra=READ_FILE, summary="The finished photo")
    async def read_file(request: Request, name: str) -> Response:
        return await _answer_file(request, name)

    return router


async def _answer_file(request: Request, name: str) -> Response:
    services = get_services(request)
    if not _NAME.fullmatch(name):
        raise NotFound
    key = f"results/{name}"
    task = await services.store.find_result(key)
    path = Path(services.storage.path(key))
    if task is None or not await path.is_file():
        raise NotFound
    extension = name.rpartition(".")[2]
    return FileResponse(
        path,
        media_type=_MEDIA_TYPES[extension],
        filename=f"idphoto.{extension}",
        content_disposition_type="inline",
        stat_result=await path.stat(),
        headers={
            # Deleted means deleted: a cache must ask again.
            "Cache-Control": "private, no-cache",
            # Pages of other origins may draw the photo on a canvas: the name is the secret, no cookie goes along.
            "Access-Control-Allow-Origin": "*",
        },
    )
