"""Tables of measures (Article 16): their versions and the steps taken on each."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.db import Base, Instant


class MeasureState(StrEnum):
    """Of a version (domain specification §1.2)."""

    DRAFT = "DRAFT"
    ON_AGENDA = "ON_AGENDA"
    PASSED_BY_JOINT_MEETING = "PASSED_BY_JOINT_MEETING"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    IN_FORCE = "IN_FORCE"


class Measure(Base):
    """One version of a measure, complete from its draft on; another text is another version."""

    __tablename__ = "measure"
    __table_args__ = (
        UniqueConstraint("measure", "number"),
        Index("ix_measure_state", "state", "effective_from"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    measure: Mapped[str] = mapped_column(String(32))
    """The same for all versions."""
    number: Mapped[int] = mapped_column()
    """From 1, in the order of drafting."""
    state: Mapped[MeasureState] = mapped_column(Enum(MeasureState, native_enum=False, length=24))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    """The body that carries it out, and alone may publish benefits on it."""
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    effective_from: Mapped[date] = mapped_column()
    """First day in force, Asia/Shanghai, unless it is approved later."""
    drafted_by: Mapped[str] = mapped_column(String(32))
    drafted_at: Mapped[datetime] = mapped_column(Instant)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the leading group approved, returned or rejected it."""
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    """Evidence of kind 51; None until approved."""


class MeasureStep(Base):
    """One move of a version, kept for ever."""

    __tablename__ = "measure_step"

    measure_id: Mapped[str] = mapped_column(ForeignKey("measure.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[MeasureState] = mapped_column(Enum(MeasureState, native_enum=False, length=24))
    by: Mapped[str | None] = mapped_column(String(32))
    """Account; None for the clock."""
    at: Mapped[datetime] = mapped_column(Instant)
    reference: Mapped[str | None] = mapped_column(String(100))
    """Number of the agenda, the minutes or the decision."""
    reason: Mapped[str | None] = mapped_column(String(500))
