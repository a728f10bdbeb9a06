"""The page of signing keys: asking, proving, revoking; approving, for the operator."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import Db, Now, WebActor
from talentseal.accounts.roles import Actor, Permission
from talentseal.accounts.schemas import Command
from talentseal.db import Database
from talentseal.errors import TalentSealError
from talentseal.partners import service
from talentseal.partners.api import KeyRules, Rules
from talentseal.partners.schemas import ProveKey, RequestKey
from talentseal.web.forms import SHOWN_ELSEWHERE, Form, FormRefused, Typed, errors_of, nested, said, texts
from talentseal.web.pages import Pages, see_other

Model = TypeVar("Model", bound=Command)

pages = APIRouter(include_in_schema=False)

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}\Z")
_ORGANISATION: Final = re.compile(r"0x[0-9a-f]{64}\Z")

_NO_ADDRESS: Final = (
    "不是密钥地址：应为 0x 开头的 42 个字符，大小写须与校验一致。",
    "No address of a key: expected 42 characters beginning with 0x, capitals as its checksum has them.",
)
_NO_SIGNATURE: Final = (
    "不是签名：应为 0x 开头的 132 个字符。",
    "No signature: expected 132 characters beginning with 0x.",
)


@dataclass(frozen=True, slots=True)
class KeyDesk:
    """One request for the page of keys, by one person."""

    request: Request
    database: Database
    rules: KeyRules
    actor: Actor
    now: datetime

    def show(self, *, refusal: TalentSealError | None = None, typed: Typed | None = None) -> Response:
        """The page; after a refusal with its sentence, its status and what was typed."""

        def read(session: Session) -> dict[str, Any]:
            return {
                "keys": service.keys_of(session, self.actor, self.actor.organisation_id),
                "waiting": service.waiting_keys(session, self.actor),
            }

        site: Pages = self.request.app.state.pages
        return site.render(
            self.request,
            "partners/keys.html",
            status=refusal.status if refusal else 200,
            refusal=said(refusal, self.request) if refusal else "",
            errors=errors_of(refusal, self.request),
            typed=Typed() if typed is None else typed,
            now=self.now,
            account=self.actor.account_id,
            **self.database.read(read),
        )

    def act(self, work: Callable[[Session], Any], notice: str, typed: Typed | None = None) -> Response:
        """One act in a transaction of its own, and back to the page."""
        try:
            self.database.write(work)
        except TalentSealError as refusal:
            if refusal.status in SHOWN_ELSEWHERE:
                raise
            return self.show(refusal=refusal, typed=typed)
        return see_other("/keys", notice)


async def _desk(request: Request, database: Db, rules: Rules, actor: WebActor, now: Now) -> KeyDesk:
    actor.require(Permission.SIGNING_KEY_REQUEST)
    return KeyDesk(request, database, rules, actor, now)


Desk = Annotated[KeyDesk, Depends(_desk)]


async def _address(address: str) -> str:
    if not _ADDRESS.match(address):
        raise service.KeyNotFound
    return address


async def _organisation(organisation_id: str) -> str:
    if not _ORGANISATION.match(organisation_id):
        raise service.KeyNotFound
    return organisation_id


Address = Annotated[str, Depends(_address)]
Organisation = Annotated[str, Depends(_organisation)]


@pages.get("/keys")
def show_keys(desk: Desk) -> Response:
    """The organisation's keys, and for the operator those that wait for approval."""
    return desk.show()


@pages.post("/keys")
def request_key(desk: Desk, form: Form) -> Response:
    """Ask for a key; the page then shows what it has to sign."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = _valid(lambda: RequestKey(address=typed["address"].strip()), "address", _NO_ADDRESS)
        return service.request_key(session, desk.actor, command, now=desk.now, refused=desk.rules.refused)

    return desk.act(work, "key-requested", typed)


@pages.post("/keys/{address}/proof")
def prove_key(desk: Desk, address: Address, form: Form) -> Response:
    """Take the key's signature over its challenge."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        signature = typed["signature"].strip()
        command = _valid(lambda: ProveKey(signature=signature), f"signature-{address}", _NO_SIGNATURE)
        return service.prove_key(session, desk.actor, address, command.signature, now=desk.now)

    return desk.act(work, "key-proven", typed)


@pages.post("/keys/{address}/revocation")
def revoke_key(desk: Desk, address: Address) -> Response:
    """Stop a key of one's own organisation at once."""
    return desk.act(
        lambda session: service.revoke_key(
            session, desk.actor, desk.actor.organisation_id, address, now=desk.now
        ),
        "key-revoked",
    )


@pages.post("/keys/{organisation_id}/{address}/approval")
def approve_key(desk: Desk, organisation_id: Organisation, address: Address) -> Response:
    """Register a proven key (operator, not the one who asked)."""
    return desk.act(
        lambda session: service.approve_key(session, desk.actor, organisation_id, address, now=desk.now),
        "key-approved",
    )


def _valid(make: Callable[[], Model], field: str, why: tuple[str, str]) -> Model:
    try:
        return make()
    except ValidationError:
        raise FormRefused({field: why}) from None
