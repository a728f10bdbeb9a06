"""JSON API of instruments: reading for everyone, acts for the bodies whose they are."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, StringConstraints
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import Db, Now
from talentseal.accounts.calls import Call
from talentseal.policy import reading, service
from talentseal.policy.schemas import (
    Decide,
    DraftVersion,
    InstrumentId,
    InstrumentList,
    Number,
    ProposeInterpretation,
    VersionView,
)

api = APIRouter(tags=["instruments"], prefix="/instruments")

InstrumentPath = Annotated[InstrumentId, Path(description="Lower-case letters, digits and hyphens")]
NumberPath = Annotated[Number, Path()]
InterpretationPath = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$"), Path()]


class VersionReceipt(BaseModel):
    """Which version was drafted or decided on."""

    instrument: str
    number: int


class InterpretationReceipt(BaseModel):
    """Which interpretation was proposed or issued."""

    id: str


@api.get("")
def list_instruments(database: Db, now: Now) -> InstrumentList:
    """Every version of every instrument with its state, and what may be done today under which article."""
    return database.read(lambda session: reading.overview(session, now=now))


@api.get("/{instrument}/versions/{number}")
def get_version(instrument: InstrumentPath, number: NumberPath, database: Db, now: Now) -> VersionView:
    """One version: articles, interpretations, the steps taken on it and their evidence."""
    return database.read(lambda session: reading.version(session, instrument, number, now=now))


@api.post("", status_code=201, response_model=VersionReceipt)
def draft_version(command: DraftVersion, call: Call) -> Response:
    """Draft the next version of an instrument (talent office)."""

    def work(session: Session) -> VersionReceipt:
        row = service.draft(session, call.actor, command, now=call.now)
        return VersionReceipt(instrument=row.instrument, number=row.number)

    return call.perform("POST instrument", command.model_dump(mode="json"), work, status=201)


@api.post("/{instrument}/versions/{number}/decisions", status_code=201, response_model=VersionReceipt)
def decide(instrument: InstrumentPath, number: NumberPath, command: Decide, call: Call) -> Response:
    """Take a version a step further or repeal it: each step by its body, and by none who proposed it."""

    def work(session: Session) -> VersionReceipt:
        service.decide(session, call.actor, instrument, number, command, now=call.now)
        return VersionReceipt(instrument=instrument, number=number)

    meaning = {"instrument": instrument, "number": number, **command.model_dump(mode="json")}
    return call.perform("POST instrument decision", meaning, work, status=201)


@api.post(
    "/{instrument}/versions/{number}/interpretations", status_code=201, response_model=InterpretationReceipt
)
def propose_interpretation(
    instrument: InstrumentPath, number: NumberPath, command: ProposeInterpretation, call: Call
) -> Response:
    """Propose what an article means (talent office)."""

    def work(session: Session) -> InterpretationReceipt:
        row = service.propose_interpretation(session, call.actor, instrument, number, command, now=call.now)
        return InterpretationReceipt(id=row.id)

    meaning = {"instrument": instrument, "number": number, **command.model_dump(mode="json")}
    return call.perform("POST interpretation", meaning, work, status=201)


@api.post(
    "/{instrument}/versions/{number}/interpretations/{interpretation}/issue",
    response_model=InterpretationReceipt,
)
def issue_interpretation(
    instrument: InstrumentPath, number: NumberPath, interpretation: InterpretationPath, call: Call
) -> Response:
    """Issue a proposed interpretation (management committee, not whoever proposed it)."""

    def work(session: Session) -> InterpretationReceipt:
        row = service.issue_interpretation(
            session, call.actor, instrument, number, interpretation, now=call.now
        )
        return InterpretationReceipt(id=row.id)

    meaning = {"instrument": instrument, "number": number, "interpretation": interpretation}
    return call.perform("POST interpretation issue", meaning, work, status=200)
