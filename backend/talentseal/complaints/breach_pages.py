"""Pages of breaches: what is alleged, what whoever owes it says, what the talent office decides."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.roles import Permission
from talentseal.agreements import duties, duty_reading
from talentseal.agreements import reading as agreements
from talentseal.agreements.duties import BreachNotFound, StipulationNotFound
from talentseal.agreements.duty_schemas import Allege, CloseBreach, DecideBreach, Say
from talentseal.agreements.duty_states import BreachState
from talentseal.errors import TalentSealError
from talentseal.sanctions.desk import AtDesk, Desk
from talentseal.web.forms import WHOLE, Form, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

PAGE_LENGTH: Final = 30

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}\Z")
_AGREEMENT: Final = re.compile(r"0x[0-9a-f]{64}\Z")

pages = APIRouter(include_in_schema=False)


async def _breach(breach: str) -> str:
    if not _IDENTIFIER.match(breach):
        raise BreachNotFound
    return breach


BreachId = Annotated[str, Depends(_breach)]
Decided = Callable[[Session], Any]


@pages.get("/breaches")
def list_breaches(desk: AtDesk, state: str = "", after: str = "") -> Response:
    """Allegations, the newest first."""
    wanted = BreachState(state) if state in set(BreachState) else None
    last = after if _IDENTIFIER.match(after) else ""
    met = desk.database.read(
        lambda session: duty_reading.breach_list(
            session, desk.actor, state=wanted, after=last, limit=PAGE_LENGTH
        )
    )
    states, shown = [each.value for each in BreachState], wanted.value if wanted else ""
    return desk.show("complaints/breaches.html", met=met, states=states, state=shown, after=last)


@pages.get("/breaches/new")
def show_allegation(desk: AtDesk, agreement: str = "", version: str = "") -> Response:
    """Which stipulation of this version was not kept?"""
    return _allegation(desk, Typed(agreement=agreement, version=version))


@pages.post("/breaches/new")
def allege(desk: AtDesk, form: Form) -> Response:
    """Allege it, and go on to its page."""
    typed = nested(texts(form))

    def work(session: Session) -> str:
        command = command_of(Allege, dict(typed))
        return duties.allege(session, desk.actor, desk.vault, command, now=desk.now).id

    return desk.act(
        work,
        lambda row: (f"/breaches/{row}", "breach-alleged"),
        lambda refusal: _allegation(desk, typed, refusal),
    )


def _allegation(desk: Desk, typed: Typed, refusal: TalentSealError | None = None) -> Response:
    desk.actor.require(Permission.BREACH_TAKE_PART)
    agreement, number = str(typed["agreement"]), str(typed["version"])
    if not _AGREEMENT.match(agreement) or not WHOLE.match(number):
        raise StipulationNotFound

    def read(session: Session) -> list[tuple[int, str]]:
        version = agreements.version_of(session, desk.actor, agreement, int(number))
        rows = [
            (row.position, duties.content_of(row)) for row in agreements.stipulations_of(session, version)
        ]
        return [
            (position, f"{said['clause']}　{said['measure']}")
            for position, said in rows
            if said and said["duty_holder"] != desk.actor.organisation_id
        ]

    return desk.show("complaints/allege.html", refusal, typed=typed, duties=desk.database.read(read))


@pages.get("/breaches/{breach}")
def show_breach(desk: AtDesk, breach: BreachId) -> Response:
    """One allegation, and what is to be done about it."""
    return _show(desk, breach)


@pages.post("/breaches/{breach}/statement")
def state_duty(desk: AtDesk, breach: BreachId, form: Form) -> Response:
    """What whoever owes it says."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Say, dict(typed))
        return duties.state_duty(session, desk.actor, desk.vault, breach, command, now=desk.now)

    return _on(desk, breach, work, "breach-stated", typed)


@pages.post("/breaches/{breach}/decision")
def decide(desk: AtDesk, breach: BreachId, form: Form) -> Response:
    """Confirm or dismiss."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(DecideBreach, dict(typed))
        return duties.decide(session, desk.actor, desk.vault, breach, command, now=desk.now)

    return _on(desk, breach, work, "breach-decided", typed)


@pages.post("/breaches/{breach}/cure")
def offer_cure(desk: AtDesk, breach: BreachId, form: Form) -> Response:
    """How it was put right."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Say, dict(typed))
        return duties.offer_cure(session, desk.actor, desk.vault, breach, command, now=desk.now)

    return _on(desk, breach, work, "cure-offered", typed)


@pages.post("/breaches/{breach}/acknowledgement")
def acknowledge_cure(desk: AtDesk, breach: BreachId, form: Form) -> Response:
    """The receiving side has seen the cure."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(Say, dict(typed))
        return duties.acknowledge_cure(session, desk.actor, desk.vault, breach, command, now=desk.now)

    return _on(desk, breach, work, "cure-acknowledged", typed)


@pages.post("/breaches/{breach}/closing")
def close(desk: AtDesk, breach: BreachId, form: Form) -> Response:
    """Cured, or waived."""
    typed = nested(texts(form))

    def work(session: Session) -> Any:
        command = command_of(CloseBreach, dict(typed))
        return duties.close(session, desk.actor, desk.vault, breach, command, now=desk.now)

    return _on(desk, breach, work, "breach-closed", typed)


@pages.get("/breaches/{breach}/{_act:path}")
def back_to_breach(breach: BreachId, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/breaches/{breach}")


def _on(desk: Desk, breach: str, work: Decided, notice: str, typed: Typed) -> Response:
    return desk.act(
        work,
        lambda _row: (f"/breaches/{breach}", notice),
        lambda refusal: _show(desk, breach, refusal, typed),
    )


def _show(
    desk: Desk, breach: str, refusal: TalentSealError | None = None, typed: Typed | None = None
) -> Response:
    met = desk.database.read(
        lambda session: duty_reading.breach_view(session, desk.actor, desk.vault, breach)
    )
    office = desk.actor.may(Permission.BREACH_DECIDE)
    return desk.show("complaints/breach.html", refusal, met=met, office=office, typed=typed or Typed())
