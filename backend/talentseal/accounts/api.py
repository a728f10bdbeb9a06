"""JSON API of organisations and of one's own account."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts import api_keys, own, service
from talentseal.accounts.access import ApiActor, Db, Now
from talentseal.accounts.models import ApiKey
from talentseal.accounts.roles import Permission, Role
from talentseal.accounts.schemas import (
    AddOrganisation,
    Command,
    OrganisationId,
    OrganisationReceipt,
    OrganisationView,
)
from talentseal.web.idempotency import Answer, IdempotencyKey, Once, fingerprint, perform

api = APIRouter(tags=["organisations"])

OrganisationPath = Annotated[OrganisationId, Path()]


class Me(BaseModel):
    """Whoever is calling, and what the key in use may do."""

    account: str
    organisation: str
    role: Role
    permissions: list[Permission]


class OrganisationPage(BaseModel):
    """A page of organisations. next: cursor of the following page, null on the last."""

    items: list[OrganisationView]
    next: str | None


@api.get("/me")
def me(actor: ApiActor) -> Me:
    """Who am I, and what may this key do?"""
    allowed = sorted(permission for permission in Permission if actor.may(permission))
    return Me(
        account=actor.account_id, organisation=actor.organisation_id, role=actor.role, permissions=allowed
    )


class ApiKeyView(BaseModel):
    """One of one's own API keys, without its secret."""

    id: str
    scopes: list[Permission]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: ApiKey) -> "ApiKeyView":
        return cls(
            id=row.id,
            scopes=[Permission(scope) for scope in row.scopes.split()],
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            revoked_at=row.revoked_at,
        )


class ApiKeyList(BaseModel):
    """All of one's own API keys, the newest first."""

    items: list[ApiKeyView]


class MintApiKey(Command):
    """Ask for an API key. scopes: none stands for all that the key in use may do."""

    scopes: list[Permission] | None = None


class ApiKeyReceipt(BaseModel):
    """Names a new or revoked key. key: the key itself, in the first answer to its minting alone."""

    id: str
    key: str | None = None


@api.get("/me/api-keys")
def list_api_keys(actor: ApiActor, database: Db) -> ApiKeyList:
    """My API keys."""
    return database.read(
        lambda session: ApiKeyList(items=[ApiKeyView.of(row) for row in own.api_keys_of(session, actor)])
    )


@api.post("/me/api-keys", status_code=201, response_model=ApiKeyReceipt)
def mint_api_key(
    command: MintApiKey, actor: ApiActor, database: Db, now: Now, key: IdempotencyKey
) -> Response:
    """Give me another API key. It is answered once: the same request sent again names it and no more."""
    route, minted = "POST /me/api-keys", api_keys.mint()
    once = Once(actor.account_id, route, key, fingerprint(route, command.model_dump(mode="json")))

    def effect(session: Session) -> Answer:
        return Answer(
            201, ApiKeyReceipt(id=own.add_api_key(session, actor, minted, command.scopes, now=now).id)
        )

    answer = perform(database, once, effect, now=now)
    if "Idempotency-Replayed" in answer.headers:
        return answer
    shown = ApiKeyReceipt(id=minted.id, key=minted.text)
    return Response(shown.model_dump_json(), 201, media_type="application/json")


@api.post("/me/api-keys/{key_id}/revocation", response_model=ApiKeyReceipt)
def revoke_api_key(
    key_id: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")],
    actor: ApiActor,
    database: Db,
    now: Now,
    key: IdempotencyKey,
) -> Response:
    """Make one of my API keys open nothing from the next request on."""
    route = "POST /me/api-keys/revocation"
    once = Once(actor.account_id, route, key, fingerprint(route, {"key": key_id}))
    return perform(
        database,
        once,
        lambda session: Answer(200, ApiKeyReceipt(id=own.revoke_api_key(session, actor, key_id, now=now).id)),
        now=now,
    )


@api.post("/organisations", status_code=201, response_model=OrganisationReceipt)
def add_organisation(
    command: AddOrganisation, actor: ApiActor, database: Db, now: Now, key: IdempotencyKey
) -> Response:
    """Enter an organisation into the scheme (operator)."""
    route = "POST /organisations"
    once = Once(actor.account_id, route, key, fingerprint(route, command.model_dump(mode="json")))

    def effect(session: Session) -> Answer:
        return Answer(
            201, OrganisationReceipt(id=service.add_organisation(session, actor, command, now=now).id)
        )

    return perform(database, once, effect, now=now)


@api.get("/organisations")
def list_organisations(
    actor: ApiActor,
    database: Db,
    after: Annotated[str, Query(pattern=r"^(0x[0-9a-f]{64})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> OrganisationPage:
    """All organisations, in order of their identifiers."""

    def page(session: Session) -> OrganisationPage:
        rows = service.organisations(session, actor, after=after, limit=limit)
        following = rows[-1].id if len(rows) == limit else None
        return OrganisationPage(items=[OrganisationView.of(row) for row in rows], next=following)

    return database.read(page)


@api.get("/organisations/{organisation_id}")
def get_organisation(organisation_id: OrganisationPath, actor: ApiActor, database: Db) -> OrganisationView:
    """One organisation."""
    actor.require(Permission.ORGANISATION_READ)
    return database.read(lambda session: OrganisationView.of(service.organisation(session, organisation_id)))
