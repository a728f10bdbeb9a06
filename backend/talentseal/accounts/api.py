"""JSON API of organisations and of one's own account."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts import service
from talentseal.accounts.access import ApiActor, Db, Now
from talentseal.accounts.roles import Permission, Role
from talentseal.accounts.schemas import (
    AddOrganisation,
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
