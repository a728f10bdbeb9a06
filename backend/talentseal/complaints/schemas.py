"""What is filed, answered, decided and marked, and how it is shown."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from talentseal.accounts.roles import Role
from talentseal.accounts.schemas import Command, OrganisationId
from talentseal.complaints.states import ComplaintAct, ComplaintKind, ComplaintState
from talentseal.policy.schemas import clean_paragraphs

Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(clean_paragraphs)]


class FileComplaint(Command):
    """Complain of an organisation.

    redemption: one's own use of a benefit that it is about, needed when its receipt is wrong. benefit:
    version of a benefit of the organisation. stipulation: the promise it is measured by; without one, that of
    the benefit.
    """

    organisation: OrganisationId
    kind: ComplaintKind
    text: Words
    redemption: Identifier | None = None
    benefit: Identifier | None = None
    stipulation: Identifier | None = None


class Say(Command):
    """An answer, or why a complaint is reopened; read by both sides and the talent office."""

    text: Words


class DecideComplaint(Command):
    """The decision of a complaint that was reopened. uphold: the talent is right; False dismisses it."""

    uphold: bool
    reason: Words


class Rate(Command):
    """A mark from 1 (bad) to 5 (very good)."""

    stars: Annotated[int, Field(ge=1, le=5)]
    text: Words | None = None


class ComplaintReceipt(BaseModel):
    """Where a complaint stands after an act."""

    id: str
    state: ComplaintState


class RatingReceipt(BaseModel):
    """What mark was given, and until when it can be changed."""

    id: str
    stars: int
    changeable_until: datetime


class ComplaintLine(BaseModel):
    """A complaint in a list. organisation: name of whom it is against.

    due: whether somebody has to act whose term is over.
    """

    id: str
    kind: ComplaintKind
    state: ComplaintState
    organisation: str
    filed_at: datetime
    answer_due: datetime
    decide_through: date | None
    overdue: bool


class ComplaintStepView(BaseModel):
    """What happened to a complaint. said: None where nothing was said, or after erasure."""

    act: ComplaintAct
    at: datetime
    role: Role | None
    said: str | None


class PromiseView(BaseModel):
    """What an organisation has promised. id: of the stipulation."""

    id: str
    measure: str
    threshold: str


class RatingView(BaseModel):
    """A mark that was given. changeable: whether it can still be changed."""

    stars: int
    text: str | None
    rated_at: datetime
    changeable_until: datetime
    changeable: bool


class ComplaintView(ComplaintLine):
    """One complaint as its complainant, the organisation or the talent office sees it; never his name.

    redemption: shown to the complainant alone. breach: the allegation that came of it, for the office and
    the organisation.
    """

    promise: PromiseView | None
    redemption: str | None
    upheld: bool | None
    refusal_record: str | None
    breach: str | None
    answered_at: datetime | None
    closes_on: date | None = Field(description="When an answered complaint closes by itself")
    rating: RatingView | None
    steps: list[ComplaintStepView]


class ComplaintList(BaseModel):
    """Complaints. next: cursor of the following page."""

    items: list[ComplaintLine]
    next: str | None


class TargetView(BaseModel):
    """An organisation that answers complaints."""

    id: str
    name: str


class ServiceRecord(BaseModel):
    """How an organisation has served in a period, as counted from records.

    mean_bp: mean mark in basis points of the best one (5 = 10,000); None below the least number. breach_bp:
    breaches that stand, of all that was owed and came due, in basis points; None when nothing was.
    """

    organisation: str
    name: str
    complaints: int
    answered_late: int
    upheld: int
    ratings: int
    mean_bp: int | None
    breaches: int
    breach_bp: int | None


class ServiceRecordList(BaseModel):
    """Service records from one day through another."""

    since: date
    through: date
    least_ratings: int
    items: list[ServiceRecord]
