"""The table of objections to a decision: what an applicant or holder said against it, and the answer."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Enum, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.db import Base, Instant


class ObjectionState(StrEnum):
    """Where an objection stands. STANDS: the decision does. WITHDRAWN: its holder had everything erased."""

    FILED = "FILED"
    STANDS = "STANDS"
    SET_ASIDE = "SET_ASIDE"
    WITHDRAWN = "WITHDRAWN"


class Objection(Base):
    """An objection to one decision on an application or a recognition; the database lets it be made once."""

    __tablename__ = "objection"
    __table_args__ = (
        CheckConstraint("(application_id IS NULL) <> (recognition_id IS NULL)", name="of_one_decision"),
        UniqueConstraint("application_id", "step"),
        UniqueConstraint("recognition_id", "step"),
        Index("ix_objection_worklist", "state", "due_on"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), index=True)
    application_id: Mapped[str | None] = mapped_column(ForeignKey("application.id"))
    recognition_id: Mapped[str | None] = mapped_column(ForeignKey("tier_recognition.id"))
    step: Mapped[int] = mapped_column()
    """Number of the step by which it was decided: another decision can be objected to again."""
    made_by: Mapped[str] = mapped_column(String(32))
    """Account that decided, which answers no objection to it."""
    state: Mapped[ObjectionState] = mapped_column(Enum(ObjectionState, native_enum=False, length=16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON of what was said against it; once answered also of the reason."""
    filed_at: Mapped[datetime] = mapped_column(Instant)
    due_on: Mapped[date] = mapped_column()
    """Last day for the office to answer."""
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_by: Mapped[str | None] = mapped_column(String(32))
