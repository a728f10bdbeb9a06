"""Tables of reviews (Article 15): what is asked of a holder and when, each step, each reminder, the terms."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.accounts.roles import Role
from talentseal.db import Base, Instant

_OPEN = text("state IN ('SCHEDULED', 'DUE', 'OVERDUE', 'SUBMITTED', 'CHANGES_REQUIRED')")


class ReviewCause(StrEnum):
    """What a review was opened by: the calendar, or something that happened."""

    PERIODIC = "PERIODIC"
    JOB_CHANGE = "JOB_CHANGE"
    INSURANCE_GAP = "INSURANCE_GAP"
    GRADUATION_LIMIT = "GRADUATION_LIMIT"
    COMPLAINT = "COMPLAINT"


class ReviewState(StrEnum):
    """Where a review stands (domain specification §1.2)."""

    SCHEDULED = "SCHEDULED"
    DUE = "DUE"
    OVERDUE = "OVERDUE"
    SUBMITTED = "SUBMITTED"
    CHANGES_REQUIRED = "CHANGES_REQUIRED"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"


class ReviewTask(Base):
    """One review of a code's holder: one at a time is open for each cause, one is made of each occasion."""

    __tablename__ = "review_task"
    __table_args__ = (
        Index(
            "uq_review_task_open",
            "code_id",
            "cause",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        UniqueConstraint("code_id", "cause", "occasion"),
        Index("ix_review_task_worklist", "state", "due_on", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), index=True)
    code_id: Mapped[str] = mapped_column(ForeignKey("talent_code.id"))
    """The code that is reviewed: once that has ended, nothing is asked any more."""
    cause: Mapped[ReviewCause] = mapped_column(Enum(ReviewCause, native_enum=False, length=24))
    occasion: Mapped[str] = mapped_column(String(32))
    """What makes it one of its kind: day of a periodic review, id of a recognition or of a report."""
    state: Mapped[ReviewState] = mapped_column(Enum(ReviewState, native_enum=False, length=24))
    steps: Mapped[int] = mapped_column()
    """How many were taken; the next one has the number after it."""
    opened_on: Mapped[date] = mapped_column()
    opened_by: Mapped[str | None] = mapped_column(String(32))
    """Account that reported what happened; None for the calendar."""
    due_on: Mapped[date] = mapped_column()
    answer_by: Mapped[date] = mapped_column()
    """Last day of the grace; the code is REVIEW_OVERDUE after it."""
    lapsed_on: Mapped[date | None] = mapped_column()
    """First day after a grace that nobody answered in; stays when the answer comes late."""
    concluded_on: Mapped[date | None] = mapped_column()
    """Day on which it was confirmed or failed."""


class ReviewStep(Base):
    """One step of a review, with who took it and what he said."""

    __tablename__ = "review_step"

    review_id: Mapped[str] = mapped_column(ForeignKey("review_task.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 1."""
    state: Mapped[ReviewState] = mapped_column(Enum(ReviewState, native_enum=False, length=24))
    """The state after it."""
    at: Mapped[datetime] = mapped_column("taken_at", Instant)
    account_id: Mapped[str | None] = mapped_column(String(32))
    """None for what the date brought."""
    organisation_id: Mapped[str | None] = mapped_column(String(66))
    """None for the date, empty for the holder."""
    role: Mapped[Role | None] = mapped_column(Enum(Role, native_enum=False, length=32))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """JSON of the report, the answer or the reason; None where nothing was said, or it was erased."""


class ReviewReminder(Base):
    """That the holder is reminded of a review; he sees it with his code. The same one is never made twice."""

    __tablename__ = "review_reminder"

    review_id: Mapped[str] = mapped_column(ForeignKey("review_task.id"), primary_key=True)
    on: Mapped[date] = mapped_column("remind_on", primary_key=True)
    days_left: Mapped[int] = mapped_column()


class ReviewTerms(Base):
    """A version of how often is reviewed. It counts from the day on which a second person approved it."""

    __tablename__ = "review_terms"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 1; the terms that the service ships with are version 0."""
    months: Mapped[str] = mapped_column(Text)
    """JSON object: months between two reviews by tier, every tier named."""
    grace_days: Mapped[int] = mapped_column()
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(String(32))
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    approved_by: Mapped[str | None] = mapped_column(String(32))
    approved_at: Mapped[datetime | None] = mapped_column(Instant)
