"""Who calls: either header of either door."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from idphoto.api.errors import Unauthorised
from idphoto.api.services import get_services
from idphoto.keys import Caller

_bearer = HTTPBearer(auto_error=False, scheme_name="Bearer", description="Authorization: Bearer <API key>")
_header = APIKeyHeader(name="X-API-KEY", auto_error=False, scheme_name="ApiKey", description="X-API-KEY: <API key>")


async def find_caller(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    key: Annotated[str | None, Depends(_header)],
) -> Caller:
    """Return the caller.

    Raises:
        Unauthorised: no key, or none that is valid. A bearer token goes before ``X-API-KEY``.
    """
    token = bearer.credentials if bearer else key
    caller = await get_services(request).keys.authenticate(token) if token else None
    if caller is None:
        raise Unauthorised
    return caller


Authenticated = Annotated[Caller, Depends(find_caller)]
