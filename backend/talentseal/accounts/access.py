"""What routes take from the application: the database, the time, and whoever is calling."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from talentseal.accounts.api_keys import Authenticator
from talentseal.accounts.roles import Actor
from talentseal.clock import Clock
from talentseal.db import Database

# Names the scheme in the OpenAPI document; the Authenticator does the reading and the refusing.
_BEARER = HTTPBearer(auto_error=False, scheme_name="ApiKey", bearerFormat="ts_<id>_<secret>")


@dataclass(frozen=True, slots=True)
class Access:
    """Set as `app.state.access` by the composition root."""

    database: Database
    clock: Clock
    authenticator: Authenticator


async def _access(request: Request) -> Access:
    access: Access = request.app.state.access
    return access


async def _database(access: Annotated[Access, Depends(_access)]) -> Database:
    return access.database


async def _now(access: Annotated[Access, Depends(_access)]) -> datetime:
    return access.clock.now()


def _actor(
    request: Request,
    access: Annotated[Access, Depends(_access)],
    _scheme: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> Actor:
    address = request.client.host if request.client else ""
    return access.authenticator.authenticate(request.headers.get("authorization"), address)


Db = Annotated[Database, Depends(_database)]
Now = Annotated[datetime, Depends(_now)]
ApiActor = Annotated[Actor, Depends(_actor)]
