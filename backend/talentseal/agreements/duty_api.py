"""JSON API of breaches of stipulations."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, TheVault
from talentseal.accounts.calls import Call
from talentseal.agreements import duties, duty_reading
from talentseal.agreements.duty_models import Breach
from talentseal.agreements.duty_schemas import (
    Allege,
    BreachList,
    BreachReceipt,
    BreachView,
    CloseBreach,
    DecideBreach,
    Say,
)
from talentseal.agreements.duty_states import BreachState

api = APIRouter(tags=["agreements"])

BreachPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
After = Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")]
Limit = Annotated[int, Query(ge=1, le=100)]


def _perform(
    call: Call, route: str, command: BaseModel, work: Callable[[Session], Breach], **more: Any
) -> Response:
    def answer(session: Session) -> BreachReceipt:
        row = work(session)
        return BreachReceipt(id=row.id, state=row.state)

    return call.perform(route, {**more, **command.model_dump(mode="json")}, answer)


@api.get("/breaches")
def list_breaches(
    actor: ApiActor, database: Db, state: BreachState | None = None, after: After = "", limit: Limit = 20
) -> BreachList:
    """Allegations under my organisation's agreements, or all of them (talent office), the newest first."""
    return database.read(
        lambda session: duty_reading.breach_list(session, actor, state=state, after=after, limit=limit)
    )


@api.post("/breaches", response_model=BreachReceipt)
def allege_breach(command: Allege, call: Call, vault: TheVault) -> Response:
    """Allege, as another party or as the talent office, that a stipulation was not kept."""
    return _perform(
        call,
        "POST breach",
        command,
        lambda session: duties.allege(session, call.actor, vault, command, now=call.now),
    )


@api.get("/breaches/{breach_id}")
def get_breach(breach_id: BreachPath, actor: ApiActor, database: Db, vault: TheVault) -> BreachView:
    """One allegation: the stipulation, what was said, decided, and how far the contract has it."""
    return database.read(lambda session: duty_reading.breach_view(session, actor, vault, breach_id))


@api.post("/breaches/{breach_id}/statement", response_model=BreachReceipt)
def state_on_breach(breach_id: BreachPath, command: Say, call: Call, vault: TheVault) -> Response:
    """Make my statement as the one who owes the duty, while nothing is decided."""
    return _perform(
        call,
        "POST breach statement",
        command,
        lambda session: duties.state_duty(session, call.actor, vault, breach_id, command, now=call.now),
        breach=breach_id,
    )


@api.post("/breaches/{breach_id}/decision", response_model=BreachReceipt)
def decide_breach(breach_id: BreachPath, command: DecideBreach, call: Call, vault: TheVault) -> Response:
    """Confirm or dismiss an allegation (talent office, another person than whoever alleged)."""
    return _perform(
        call,
        "POST breach decision",
        command,
        lambda session: duties.decide(session, call.actor, vault, breach_id, command, now=call.now),
        breach=breach_id,
    )


@api.post("/breaches/{breach_id}/cure", response_model=BreachReceipt)
def offer_cure(breach_id: BreachPath, command: Say, call: Call, vault: TheVault) -> Response:
    """Say how I put the breach right."""
    return _perform(
        call,
        "POST breach cure",
        command,
        lambda session: duties.offer_cure(session, call.actor, vault, breach_id, command, now=call.now),
        breach=breach_id,
    )


@api.post("/breaches/{breach_id}/acknowledgement", response_model=BreachReceipt)
def acknowledge_cure(breach_id: BreachPath, command: Say, call: Call, vault: TheVault) -> Response:
    """Acknowledge, as the receiving side, that the breach was put right."""
    return _perform(
        call,
        "POST breach acknowledgement",
        command,
        lambda session: duties.acknowledge_cure(session, call.actor, vault, breach_id, command, now=call.now),
        breach=breach_id,
    )


@api.post("/breaches/{breach_id}/closing", response_model=BreachReceipt)
def close_breach(breach_id: BreachPath, command: CloseBreach, call: Call, vault: TheVault) -> Response:
    """Find a confirmed breach cured, or waive it (talent office)."""
    return _perform(
        call,
        "POST breach closing",
        command,
        lambda session: duties.close(session, call.actor, vault, breach_id, command, now=call.now),
        breach=breach_id,
    )
