"""JSON API of measures."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, StringConstraints
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db
from talentseal.accounts.calls import Call
from talentseal.policy import measures
from talentseal.policy.measure_schemas import (
    DraftMeasure,
    MeasureMove,
    MeasureReceipt,
    MeasureSummary,
    MeasureView,
)

api = APIRouter(tags=["measures"], prefix="/measures")

MeasurePath = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$"), Path()]


class MeasureList(BaseModel):
    """Measures, newest first."""

    items: list[MeasureSummary]


@api.get("")
def list_measures(actor: ApiActor, database: Db) -> MeasureList:
    """The measures that one may read: all of them, or those of one's own body."""

    def read(session: Session) -> MeasureList:
        return MeasureList(items=[MeasureSummary.of(row) for row in measures.listed(session, actor)])

    return database.read(read)


@api.post("", status_code=201, response_model=MeasureReceipt)
def draft_measure(command: DraftMeasure, call: Call) -> Response:
    """Draft a measure (talent office)."""

    def work(session: Session) -> MeasureReceipt:
        return MeasureReceipt.of(measures.draft(session, call.actor, command, now=call.now))

    return call.perform("POST measure", command.model_dump(mode="json"), work, status=201)


@api.get("/{measure_id}")
def get_measure(measure_id: MeasurePath, actor: ApiActor, database: Db) -> MeasureView:
    """One version of a measure with its steps."""
    return database.read(lambda session: measures.view(session, actor, measure_id))


@api.post("/{measure_id}/versions", status_code=201, response_model=MeasureReceipt)
def draft_measure_version(measure_id: MeasurePath, command: DraftMeasure, call: Call) -> Response:
    """Draft the next version of a measure that the leading group returned."""

    def work(session: Session) -> MeasureReceipt:
        return MeasureReceipt.of(measures.redraft(session, call.actor, measure_id, command, now=call.now))

    meaning = {"measure": measure_id, **command.model_dump(mode="json")}
    return call.perform("POST measure version", meaning, work, status=201)


@api.post("/{measure_id}/steps", response_model=MeasureReceipt)
def move_measure(measure_id: MeasurePath, command: MeasureMove, call: Call) -> Response:
    """Take a measure a step further: agenda, joint meeting, leading group, and the decision of that."""

    def work(session: Session) -> MeasureReceipt:
        return MeasureReceipt.of(measures.move(session, call.actor, measure_id, command, now=call.now))

    meaning = {"measure": measure_id, **command.model_dump(mode="json")}
    return call.perform("POST measure step", meaning, work)
