"""JSON API of objections to a decision: the same acts as the pages."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.talents import objecting
from talentseal.talents.api import Acting, Looking
from talentseal.talents.desk import Identifier
from talentseal.talents.objection_models import Objection, ObjectionState
from talentseal.talents.objection_schemas import (
    AnswerObjection,
    FileObjection,
    ObjectionList,
    OfficeObjection,
    OwnObjections,
)

api = APIRouter(tags=["objections"])


class ObjectionReceipt(BaseModel):
    """Which objection was made or answered, and where it stands now."""

    id: str
    state: ObjectionState

    @classmethod
    def of(cls, row: Objection) -> "ObjectionReceipt":
        return cls(id=row.id, state=row.state)


@api.get("/me/objections")
def list_own_objections(look: Looking) -> OwnObjections:
    """What I can object to and until when, and my objections."""
    return look.read(lambda session: objecting.own(session, look.actor, look.vault, now=look.now))


@api.post("/me/objections", status_code=201, response_model=ObjectionReceipt)
def file_objection(command: FileObjection, act: Acting) -> Response:
    """Object to a rejected application, or to a recognition that was refused or ended, within 15 days."""

    def work(session: Session) -> ObjectionReceipt:
        return ObjectionReceipt.of(objecting.file(session, act.actor, act.vault, command, now=act.now))

    return act.perform("POST objection", "", work, sent=command.model_dump(mode="json"), status=201)


@api.get("/objections")
def list_objections(look: Looking) -> ObjectionList:
    """Objections that await the office's answer, the most urgent first."""
    return look.read(lambda session: objecting.waiting(session, look.actor, now=look.now))


@api.get("/objections/{objection}")
def get_objection(objection: Identifier, look: Looking) -> OfficeObjection:
    """One objection with the decision it is against; whoever made it sees that it was opened."""
    return look.opening(
        lambda session: objecting.for_answer(session, look.actor, look.vault, objection, now=look.now)
    )


@api.post("/objections/{objection}/answer", response_model=ObjectionReceipt)
def answer_objection(objection: Identifier, command: AnswerObjection, act: Acting) -> Response:
    """Let the decision stand or set it aside, as another person than the one who made it."""

    def work(session: Session) -> ObjectionReceipt:
        row = objecting.answer(session, act.actor, act.vault, objection, command, now=act.now)
        return ObjectionReceipt.of(row)

    return act.perform("POST objection answer", objection, work, sent=command.model_dump(mode="json"))
