"""The counter after somebody was established: what he may use, the receipt, undoing it."""

import json
import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.calls import UnsafeCall
from talentseal.credentials.counter_pages import AtCounter
from talentseal.errors import TalentSealError
from talentseal.partners.counter import AtBrowser
from talentseal.redemptions import reading, reversing, service, visiting
from talentseal.redemptions.api import Acting, RedemptionDesk, WithDesk
from talentseal.redemptions.reversing import Part
from talentseal.redemptions.schemas import Order, Undo
from talentseal.redemptions.service import Visit
from talentseal.talents.desk import Desk, Identifier
from talentseal.web.forms import SHOWN_ELSEWHERE, Form, Typed, command_of, fen_of, nested, texts, whole_of
from talentseal.web.pages import see_other

pages = APIRouter(include_in_schema=False, prefix="/counter/{outlet}")

_LONGEST_KEY: Final = 64


@dataclass(frozen=True, slots=True)
class AtOutlet:
    """One request of somebody who serves at an outlet."""

    desk: Desk
    redemptions: RedemptionDesk
    outlet: str

    @property
    def place(self) -> AtBrowser:
        return AtBrowser(self.outlet)

    def acting(self, key: str) -> Acting:
        """For an act under a key that the form brings, so that to send it twice does it once."""
        call = UnsafeCall(self.desk.database, self.desk.actor, key or secrets.token_hex(16), self.desk.now)
        return Acting(call, self.redemptions)


async def _at_outlet(outlet: Identifier, desk: AtCounter, redemptions: WithDesk) -> AtOutlet:
    return AtOutlet(desk, redemptions, outlet)


Here = Annotated[AtOutlet, Depends(_at_outlet)]


@pages.get("/visits/{presentation}")
def show_visit(here: Here, presentation: Identifier) -> Response:
    """What whoever was established here may use."""
    return _visit(here, presentation)


@pages.post("/visits/{presentation}")
def redeem_here(here: Here, presentation: Identifier, form: Form) -> Response:
    """Use one of them, once however often the form is sent."""
    desk, typed = here.desk, nested(texts(form))
    acting = here.acting(str(typed["key"])[:_LONGEST_KEY])
    try:
        order = command_of(Order, _order(typed))
        visit = Visit(here.redemptions.credentials, here.place, presentation)
        made = acting.once(
            "POST /counter/visits",
            {"presentation": presentation, **order.model_dump()},
            lambda session: service.redeem(session, desk.actor, visit, order, now=desk.now),
        )
    except TalentSealError as refusal:
        if refusal.status in SHOWN_ELSEWHERE:
            raise
        return _visit(here, presentation, refusal, typed)
    return see_other(f"/counter/{here.outlet}/redemptions/{json.loads(bytes(made.body))['id']}", "redeemed")


def _order(typed: Typed) -> dict[str, Any]:
    """What the form says as the command takes it: a blank amount is none."""
    said = {
        "benefit": typed["benefit"],
        "quantity": whole_of(typed["quantity"]),
        "value_fen": fen_of(typed["value_fen"]),
    }
    return {name: value for name, value in said.items() if value != ""}


def _visit(
    here: AtOutlet, presentation: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    desk = here.desk
    customer = desk.database.write(
        lambda session: visiting.at_counter(session, desk.actor, here.place, presentation, now=desk.now)
    )
    return desk.show(
        "redemptions/visit.html",
        refusal=refusal,
        customer=customer,
        outlet=here.outlet,
        presentation=presentation,
        typed=typed or Typed(),
        key=secrets.token_hex(16),
    )


@pages.get("/redemptions/{redemption}")
def show_given(here: Here, redemption: Identifier) -> Response:
    """The receipt, as the counter has it."""
    return _given(here, redemption)


@pages.post("/redemptions/{redemption}/reversal")
def reverse_here(here: Here, redemption: Identifier, form: Form) -> Response:
    """Undo units of it."""
    desk, typed = here.desk, nested(texts(form))
    try:
        command = command_of(Undo, {"quantity": whole_of(typed["quantity"]), "reason": typed["reason"]})
        part = Part(command.quantity, command.reason)
        here.acting(str(typed["key"])[:_LONGEST_KEY]).once(
            "POST /counter/reversals",
            {"redemption": redemption, **command.model_dump()},
            lambda session: reversing.reverse(
                session, desk.actor, here.place, redemption, part, now=desk.now
            ),
        )
    except TalentSealError as refusal:
        if refusal.status in SHOWN_ELSEWHERE:
            raise
        return _given(here, redemption, refusal, typed)
    return see_other(f"/counter/{here.outlet}/redemptions/{redemption}", "reversed")


def _given(
    here: AtOutlet, redemption: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    desk = here.desk

    def find(session: Session) -> Any:
        return reading.one_at_counter(session, desk.actor, here.place, redemption, now=desk.now)

    return desk.show(
        "redemptions/given.html",
        refusal=refusal,
        given=desk.database.write(find),
        outlet=here.outlet,
        typed=typed or Typed(),
        key=secrets.token_hex(16),
    )
