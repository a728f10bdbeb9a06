"""The pages of outlets: the list, and one outlet with its terminals and staff."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts import api_keys
from talentseal.accounts.access import Db, Now, WebActor
from talentseal.accounts.roles import Actor, Permission
from talentseal.accounts.schemas import Command
from talentseal.db import Database
from talentseal.errors import TalentSealError
from talentseal.partners import outlets
from talentseal.partners.schemas import AddTerminal, BindStaff, OpenOutlet
from talentseal.web.forms import SHOWN_ELSEWHERE, Form, FormRefused, Typed, errors_of, nested, said, texts
from talentseal.web.pages import Pages, see_other

Model = TypeVar("Model", bound=Command)
T = TypeVar("T")

PAGE_LENGTH: Final = 50

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}\Z")

pages = APIRouter(include_in_schema=False, prefix="/outlets")


@dataclass(frozen=True, slots=True)
class OutletDesk:
    """One request for the pages of outlets, by one person."""

    request: Request
    database: Database
    actor: Actor
    now: datetime

    def show_list(
        self, after: str = "", *, refusal: TalentSealError | None = None, typed: Typed | None = None
    ) -> Response:
        """The outlets by name, behind the one of id `after`, and the form that opens another."""
        rows = self.database.read(
            lambda session: outlets.outlets_of(session, self.actor, after=after, limit=PAGE_LENGTH + 1)
        )
        shown = rows[:PAGE_LENGTH]
        following = shown[-1].id if len(rows) > PAGE_LENGTH else ""
        return self._render(
            "partners/outlets.html", refusal, typed, outlets=shown, after=after, next=following
        )

    def show(
        self, outlet: str, *, refusal: TalentSealError | None = None, typed: Typed | None = None
    ) -> Response:
        """One outlet; after a refusal with its sentence, its status and what was typed."""

        def read(session: Session) -> dict[str, Any]:
            return {
                "outlet": outlets.sheet_of(session, self.actor, outlet),
                "people": outlets.may_be_bound(session, self.actor, outlet),
            }

        return self._render("partners/outlet.html", refusal, typed, **self.database.read(read))

    def render(self, template: str, **values: Any) -> Response:
        site: Pages = self.request.app.state.pages
        return site.render(self.request, template, **values)

    def _render(
        self, template: str, refusal: TalentSealError | None, typed: Typed | None, **values: Any
    ) -> Response:
        return self.render(
            template,
            status=refusal.status if refusal else 200,
            refusal=said(refusal, self.request) if refusal else "",
            errors=errors_of(refusal, self.request),
            typed=Typed() if typed is None else typed,
            **values,
        )

    def act(
        self,
        work: Callable[[Session], T],
        then: Callable[[T], Response],
        otherwise: Callable[[TalentSealError], Response],
    ) -> Response:
        """One act in a transaction of its own, and what is shown of its result or its refusal."""
        try:
            result = self.database.write(work)
        except TalentSealError as refusal:
            if refusal.status in SHOWN_ELSEWHERE:
                raise
            return otherwise(refusal)
        return then(result)

    def act_at(
        self, outlet: str, work: Callable[[Session], Any], notice: str, typed: Typed | None = None
    ) -> Response:
        """One act on an outlet, and back to its page."""
        return self.act(
            work,
            lambda _done: see_other(f"/outlets/{outlet}", notice),
            lambda refusal: self.show(outlet, refusal=refusal, typed=typed),
        )


async def _desk(request: Request, database: Db, actor: WebActor, now: Now) -> OutletDesk:
    actor.require(Permission.OUTLET_MANAGE)
    return OutletDesk(request, database, actor, now)


async def _outlet(outlet: str) -> str:
    if not _IDENTIFIER.match(outlet):
        raise outlets.OutletNotFound
    return outlet


async def _terminal(terminal: str) -> str:
    if not _IDENTIFIER.match(terminal):
        raise outlets.TerminalNotFound
    return terminal


async def _account(account: str) -> str:
    if not _IDENTIFIER.match(account):
        raise outlets.StaffNotFound
    return account


Desk = Annotated[OutletDesk, Depends(_desk)]
OutletId = Annotated[str, Depends(_outlet)]
TerminalId = Annotated[str, Depends(_terminal)]
AccountId = Annotated[str, Depends(_account)]


def _command(kind: type[Model], typed: Typed) -> Model:
    """What was typed as a command. Raises FormRefused."""
    try:
        return kind.model_validate(dict(typed))
    except ValidationError as error:
        raise FormRefused.of(error) from None


@pages.get("")
def list_outlets(desk: Desk, after: str = "") -> Response:
    """The organisation's outlets."""
    if after and not _IDENTIFIER.match(after):
        raise outlets.OutletNotFound
    return desk.show_list(after)


@pages.post("")
def open_outlet(desk: Desk, form: Form) -> Response:
    """Open another, and go on to its page."""
    typed = nested(texts(form))
    return desk.act(
        lambda session: (
            outlets.open_outlet(session, desk.actor, _command(OpenOutlet, typed), now=desk.now).id
        ),
        lambda opened: see_other(f"/outlets/{opened}", "outlet-opened"),
        lambda refusal: desk.show_list(refusal=refusal, typed=typed),
    )


@pages.get("/{outlet}")
def show_outlet(desk: Desk, outlet: OutletId) -> Response:
    """One outlet."""
    return desk.show(outlet)


@pages.post("/{outlet}/closure")
def close_outlet(desk: Desk, outlet: OutletId) -> Response:
    """Close it for good."""
    return desk.act_at(
        outlet,
        lambda session: outlets.close_outlet(session, desk.actor, outlet, now=desk.now),
        "outlet-closed",
    )


@pages.post("/{outlet}/terminals")
def add_terminal(desk: Desk, outlet: OutletId, form: Form) -> Response:
    """Add a device, whose key is shown now and never again."""
    typed, minted = nested(texts(form)), api_keys.mint()

    def work(session: Session) -> str:
        command = _command(AddTerminal, typed)
        return outlets.add_terminal(session, desk.actor, outlet, command, minted, now=desk.now).name

    return desk.act(
        work,
        lambda name: desk.render("partners/terminal-key.html", outlet=outlet, name=name, key=minted.text),
        lambda refusal: desk.show(outlet, refusal=refusal, typed=typed),
    )


@pages.post("/{outlet}/terminals/{terminal}/revocation")
def revoke_terminal(desk: Desk, outlet: OutletId, terminal: TerminalId) -> Response:
    """Let a device ask nothing any more."""
    return desk.act_at(
        outlet,
        lambda session: outlets.revoke_terminal(session, desk.actor, outlet, terminal, now=desk.now),
        "terminal-revoked",
    )


@pages.post("/{outlet}/staff")
def bind_staff(desk: Desk, outlet: OutletId, form: Form) -> Response:
    """Let somebody serve here."""
    typed = nested(texts(form))
    return desk.act_at(
        outlet,
        lambda session: outlets.bind_staff(
            session, desk.actor, outlet, _command(BindStaff, typed), now=desk.now
        ),
        "staff-bound",
        typed,
    )


@pages.post("/{outlet}/staff/{account}/release")
def release_staff(desk: Desk, outlet: OutletId, account: AccountId) -> Response:
    """Let somebody serve here no more."""
    return desk.act_at(
        outlet,
        lambda session: outlets.release_staff(session, desk.actor, outlet, account, now=desk.now),
        "staff-released",
    )


@pages.get("/{outlet}/{_act:path}")
def back_to_outlet(outlet: OutletId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/outlets/{outlet}")
