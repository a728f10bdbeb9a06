"""What is said in reviews: reports, answers, decisions, terms; and how reviews are shown."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, Field

from talentseal.accounts.schemas import Command
from talentseal.policy.tiers import Tier
from talentseal.talents.models import FieldGroup
from talentseal.talents.privacy_schemas import PaperView
from talentseal.talents.review_models import ReviewCause, ReviewState
from talentseal.talents.schemas import Education, IdentityDocument, Line, Paragraphs, Phone, Reason, Work


class Happening(StrEnum):
    """What may be reported of a holder; each opens a review and takes nothing from him by itself."""

    JOB_CHANGE = "JOB_CHANGE"
    INSURANCE_GAP = "INSURANCE_GAP"
    GRADUATION_LIMIT = "GRADUATION_LIMIT"
    COMPLAINT = "COMPLAINT"


class ReportHappening(Command):
    """Something that happened to a person, named by his identity document.

    reference: the reporting office's own number, by which the same report is known again. note: what is
    known; the office and the holder read it.
    """

    happening: Happening
    document: IdentityDocument
    document_number: Line
    reference: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]
    note: Reason

    @property
    def identity(self) -> str:
        """The text under whose keyed digest the person is found, as `Basic.identity`."""
        return f"{self.document.value}|{self.document_number.upper()}"


class AnswerReview(Command):
    """A holder's answer: what is None has not changed since it was last verified."""

    phone: Phone | None = None
    work: Work | None = None
    education: Education | None = None
    research: Paragraphs | None = None
    honours: Paragraphs | None = None
    remark: Paragraphs = ""

    @property
    def changes(self) -> Mapping[FieldGroup, dict[str, Any]]:
        """The corrected fields by group."""
        said = self.model_dump(mode="json")
        basic = {**({"phone": said["phone"]} if said["phone"] else {}), **(said["work"] or {})}
        groups = {
            FieldGroup.BASIC: basic,
            FieldGroup.ACADEMIC: said["education"] or {},
            FieldGroup.RESEARCH: {"summary": said["research"]} if self.research is not None else {},
            FieldGroup.HONOUR: {"summary": said["honours"]} if self.honours is not None else {},
        }
        return {group: fields for group, fields in groups.items() if fields}


class Verdict(StrEnum):
    """What the office says to an answer."""

    CONFIRMED = "CONFIRMED"
    CHANGES_REQUIRED = "CHANGES_REQUIRED"
    FAILED = "FAILED"


class DecideReview(Command):
    """Decide a review that was answered. reason: for the holder."""

    verdict: Verdict
    reason: Reason


class ProposeTerms(Command):
    """Propose how often is reviewed. months: by tier; a tier that is left out has twelve."""

    months: Annotated[dict[Tier, Annotated[int, Field(ge=1, le=60)]], Field(max_length=len(Tier))]
    grace_days: Annotated[int, Field(ge=7, le=180)]
    reason: Reason


class StepBy(StrEnum):
    """Whose a step was."""

    DATE = "DATE"
    HOLDER = "HOLDER"
    OFFICE = "OFFICE"


class ReviewStepView(BaseModel):
    """One step of a review. by: whose it was. text: the note, the remark or the reason, as it stands."""

    state: ReviewState
    at: datetime
    by: StepBy
    text: str = ""


class HolderReview(BaseModel):
    """A review as its holder and the office see it.

    answerable: whether the holder may answer now. reminders: days on which he was reminded. answer: his
    latest answer; None before. known: his fields by group; empty in lists.
    """

    id: str
    cause: ReviewCause
    state: ReviewState
    due_on: date
    answer_by: date
    lapsed_on: date | None
    answerable: bool
    reminders: list[date]
    steps: list[ReviewStepView]
    answer: AnswerReview | None
    papers: list[PaperView]
    known: dict[FieldGroup, dict[str, Any]]


class OfficeReview(HolderReview):
    """A review with what is known of the holder, for a decision.

    own_report: whether the caller reported what it is about, and so cannot decide.
    """

    own_report: bool


class ReviewRow(BaseModel):
    """A line of the office's work list: nothing that tells who it is about."""

    id: str
    cause: ReviewCause
    state: ReviewState
    due_on: date
    answer_by: date


class ReviewList(BaseModel):
    """Reviews of one state, the most urgent first. counts: by state, of codes that live. next: cursor."""

    items: list[ReviewRow]
    counts: dict[ReviewState, int]
    next: str | None


class OwnReviews(BaseModel):
    """A holder's reviews. next_due: day of the next periodic one; None without a code."""

    items: list[HolderReview]
    next_due: date | None
    months: int | None


class TermsView(BaseModel):
    """A version of the terms. in_force: whether it counts now. own: whether the caller proposed it."""

    number: int
    months: dict[Tier, int]
    grace_days: int
    reason: str
    proposed_at: datetime | None
    approved_at: datetime | None
    in_force: bool
    own: bool


class TermsBook(BaseModel):
    """Every version, the newest first; the last is what the service ships with."""

    items: list[TermsView]


class Taken(BaseModel):
    """That a report was taken: the same whether the person is known here or not."""

    taken: bool = True
