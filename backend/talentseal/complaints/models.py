"""Tables of complaints and of the marks that talents give for service.

What was said lies sealed (`talentseal.vault`), bound to its row; steps are append-only.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Enum, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.accounts.roles import Role
from talentseal.complaints.states import ComplaintAct, ComplaintKind, ComplaintState
from talentseal.db import Base, Instant

_UNANSWERED = text("state IN ('FILED', 'ACCEPTED', 'PROCESSING')")


class Complaint(Base):
    """A talent's complaint against an organisation."""

    __tablename__ = "complaint"
    __table_args__ = (
        Index("ix_complaint_talent", "talent_id", "filed_at"),
        Index("ix_complaint_organisation", "organisation_id", "filed_at"),
        Index("ix_complaint_filed", "filed_at", "id"),
        Index(
            "ix_complaint_unanswered",
            "answer_due",
            sqlite_where=_UNANSWERED,
            postgresql_where=_UNANSWERED,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    """Against whom."""
    kind: Mapped[ComplaintKind] = mapped_column(Enum(ComplaintKind, native_enum=False, length=16))
    state: Mapped[ComplaintState] = mapped_column(Enum(ComplaintState, native_enum=False, length=16))
    redemption_id: Mapped[str | None] = mapped_column(ForeignKey("redemption.id"), index=True)
    """The use of a benefit that it is about; always the complainant's own."""
    benefit_version_id: Mapped[str | None] = mapped_column(ForeignKey("benefit_version.id"))
    stipulation_id: Mapped[str | None] = mapped_column(ForeignKey("stipulation.id"))
    """The promise that it is measured by; the organisation's own duty."""
    filed_at: Mapped[datetime] = mapped_column(Instant)
    answer_due: Mapped[datetime] = mapped_column(Instant)
    """By when the organisation has to answer."""
    missed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was noted that no answer had come in time; None while none is missing."""
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    reopened_at: Mapped[datetime | None] = mapped_column(Instant)
    decide_through: Mapped[date | None] = mapped_column(index=True)
    """The last day for the talent office's decision, Asia/Shanghai; None unless reopened."""
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was closed or decided."""
    upheld: Mapped[bool | None] = mapped_column()
    """The talent office's decision; None while there is none."""
    refusal_record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    """Evidence of kind 32; None for other kinds of complaint."""


class ComplaintStep(Base):
    """One step of a complaint."""

    __tablename__ = "complaint_step"
    __table_args__ = (Index("ix_complaint_step_taken_at", "taken_at"),)

    complaint_id: Mapped[str] = mapped_column(ForeignKey("complaint.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    act: Mapped[ComplaintAct] = mapped_column(Enum(ComplaintAct, native_enum=False, length=16))
    state: Mapped[ComplaintState] = mapped_column(Enum(ComplaintState, native_enum=False, length=16))
    """The state after it."""
    at: Mapped[datetime] = mapped_column("taken_at", Instant)
    account_id: Mapped[str | None] = mapped_column(String(32))
    """Who took it; None for the clock."""
    role: Mapped[Role | None] = mapped_column(Enum(Role, native_enum=False, length=32))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What was said with it."""


class Rating(Base):
    """A talent's mark for one use of a benefit, or for how a complaint was dealt with."""

    __tablename__ = "rating"
    __table_args__ = (
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        CheckConstraint("(redemption_id IS NULL) <> (complaint_id IS NULL)", name="about_one"),
        Index("ix_rating_organisation", "organisation_id", "rated_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), index=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    redemption_id: Mapped[str | None] = mapped_column(ForeignKey("redemption.id"), unique=True)
    complaint_id: Mapped[str | None] = mapped_column(ForeignKey("complaint.id"), unique=True)
    stars: Mapped[int] = mapped_column()
    """1 to 5."""
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """His words; None without any."""
    rated_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime | None] = mapped_column(Instant)
    changeable_until: Mapped[datetime] = mapped_column(Instant)
