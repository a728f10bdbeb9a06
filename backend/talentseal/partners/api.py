"""JSON API of signing keys."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db
from talentseal.accounts.api import OrganisationPath
from talentseal.accounts.calls import Call
from talentseal.accounts.schemas import Address
from talentseal.partners import service
from talentseal.partners.schemas import KeyView, ProveKey, RequestKey

api = APIRouter(tags=["signing keys"], prefix="/organisations/{organisation_id}/keys")

AddressPath = Annotated[Address, Path()]


@dataclass(frozen=True, slots=True)
class KeyRules:
    """Set as `app.state.key_rules`. refused: addresses that nobody may register."""

    refused: frozenset[str]


class KeyList(BaseModel):
    """All signing keys of an organisation."""

    items: list[KeyView]


async def _rules(request: Request) -> KeyRules:
    rules: KeyRules = request.app.state.key_rules
    return rules


Rules = Annotated[KeyRules, Depends(_rules)]


@api.get("")
def list_keys(organisation_id: OrganisationPath, actor: ApiActor, database: Db) -> KeyList:
    """The signing keys of one's own organisation; of any for the operator."""
    return database.read(
        lambda session: KeyList(
            items=[KeyView.of(row) for row in service.keys_of(session, actor, organisation_id)]
        )
    )


@api.post("", status_code=201, response_model=KeyView)
def request_key(organisation_id: OrganisationPath, command: RequestKey, call: Call, rules: Rules) -> Response:
    """Ask for a signing key; the answer holds the challenge that the key must sign (EIP-191)."""

    def work(session: Session) -> KeyView:
        service.own_only(call.actor, organisation_id)
        return KeyView.of(
            service.request_key(session, call.actor, command, now=call.now, refused=rules.refused)
        )

    meaning = {"organisation": organisation_id, **command.model_dump(mode="json")}
    return call.perform("POST key", meaning, work, status=201)


@api.post("/{address}/proof", response_model=KeyView)
def prove_key(
    organisation_id: OrganisationPath, address: AddressPath, command: ProveKey, call: Call
) -> Response:
    """Show that the organisation holds the key: its signature over the challenge."""

    def work(session: Session) -> KeyView:
        service.own_only(call.actor, organisation_id)
        return KeyView.of(service.prove_key(session, call.actor, address, command.signature, now=call.now))

    meaning = {"organisation": organisation_id, "address": address, "signature": command.signature}
    return call.perform("POST key proof", meaning, work)


@api.post("/{address}/approval", response_model=KeyView)
def approve_key(organisation_id: OrganisationPath, address: AddressPath, call: Call) -> Response:
    """Register a proven key (operator, not the one who asked)."""
    return call.perform(
        "POST key approval",
        {"organisation": organisation_id, "address": address},
        lambda session: KeyView.of(
            service.approve_key(session, call.actor, organisation_id, address, now=call.now)
        ),
    )


@api.post("/{address}/revocation", response_model=KeyView)
def revoke_key(organisation_id: OrganisationPath, address: AddressPath, call: Call) -> Response:
    """Stop a key at once (its organisation, or the operator)."""
    return call.perform(
        "POST key revocation",
        {"organisation": organisation_id, "address": address},
        lambda session: KeyView.of(
            service.revoke_key(session, call.actor, organisation_id, address, now=call.now)
        ),
    )
