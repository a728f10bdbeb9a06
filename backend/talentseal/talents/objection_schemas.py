"""Commands and read models of objections to a decision."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel

from talentseal.accounts.schemas import Command
from talentseal.policy.tiers import Tier
from talentseal.talents.objection_models import ObjectionState
from talentseal.talents.privacy_schemas import RandomId
from talentseal.talents.schemas import Reason, RejectionGround


class Against(StrEnum):
    """What an objection is made against: a rejected application, or a recognition refused or ended."""

    APPLICATION = "APPLICATION"
    RECOGNITION = "RECOGNITION"


class FileObjection(Command):
    """Object to a decision in one's own words. id: of the application or the recognition."""

    against: Against
    id: RandomId
    text: Reason


class AnswerObjection(Command):
    """Let the decision stand, or set it aside. reason: for whoever objected."""

    set_aside: bool
    reason: Reason


class OpenDecision(BaseModel):
    """A decision that can be objected to. through: the last day, which ends at 24:00.

    tier: of a recognition. state: what was decided, REVOKED with `refused` being a refusal to confirm.
    """

    against: Against
    id: str
    tier: Tier | None
    state: str
    refused: bool
    decided_at: datetime
    through: date


class ObjectionView(BaseModel):
    """An objection for whoever made it. about: id of the application or the recognition."""

    id: str
    against: Against
    about: str
    tier: Tier | None
    state: ObjectionState
    filed_at: datetime
    due_on: date
    answered_at: datetime | None
    text: str
    reason: str


class OwnObjections(BaseModel):
    """What I can object to, the longest time left last, and my objections, the newest first."""

    open: list[OpenDecision]
    items: list[ObjectionView]


class OfficeObjection(ObjectionView):
    """An objection as the office opens it, with the decision it is against. own: the caller made that."""

    decided_at: datetime
    decided_by: str
    decision_reason: str
    ground: RejectionGround | None
    own: bool


class ObjectionRow(BaseModel):
    """A line of the office's list: nothing that tells whose it is."""

    id: str
    against: Against
    filed_at: datetime
    due_on: date
    overdue: bool
    own: bool


class ObjectionList(BaseModel):
    """Objections that await an answer, the most urgent first."""

    items: list[ObjectionRow]
