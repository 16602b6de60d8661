"""Who calls: either header of either door."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from idphoto.api.errors import Unauthorised
from idphoto.api.services import get_services

_bearer = HTTPBearer(auto_error=False, scheme_name="Bearer", description="Authorization: Bearer <API key>")
_header = APIKeyHeader(name="X-API-KEY", auto_error=False, scheme_name="ApiKey", description="X-API-KEY: <API key>")


async def find_owner(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    key: Annotated[str | None, Depends(_header)],
) -> str:
    """Return the id of the caller's key.

    Raises:
        Unauthorised: no key, or none that is valid. A bearer token goes before ``X-API-KEY``.
    """
    token = bearer.credentials if bearer else key
    owner = await get_services(request).keys.authenticate(token) if token else None
    if owner is None:
        raise Unauthorised
    return owner


Owner = Annotated[str, Depends(find_owner)]
