"""The page and the documentation: static files of the package, which load nothing from anywhere else."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

#: The page shows the photo as a blob and its preview as data; everything else comes from this server.
_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}


class _Assets(StaticFiles):
    """Static files with the page's headers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_HEADERS)
        return response


def add_pages(app: FastAPI) -> None:
    """Serve ``/``, ``/docs`` and ``/static/``."""
    folder = Path(str(resources.files("idphoto").joinpath("web")))

    @app.get("/", include_in_schema=False)
    async def show_page() -> Response:
        return FileResponse(folder / "index.html", headers=_HEADERS)

    # The framework's own documentation page loads its scripts from another host.
    @app.get("/docs", include_in_schema=False)
    async def show_docs() -> Response:
        return FileResponse(folder / "docs.html", headers=_HEADERS)

    app.mount("/static", _Assets(directory=folder), name="static")
