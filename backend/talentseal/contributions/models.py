"""Tables of contribution value: formulas, ratings, the ledger, closed periods, reward decisions.

All but a reward decision is append-only, and the database itself refuses to alter it; an entry is given its
period once.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.benefits.models import Category
from talentseal.db import Base, Instant

_OPEN = text("period IS NULL")
_GIVEN = text("reversal_id IS NULL")


class RewardKind(StrEnum):
    """Article 17: materially and morally."""

    MATERIAL = "MATERIAL"
    MORAL = "MORAL"


class RewardState(StrEnum):
    """One person proposes, another one decides."""

    PROPOSED = "PROPOSED"
    GRANTED = "GRANTED"
    DECLINED = "DECLINED"


class ContributionFormula(Base):
    """One version of the formula, approved as a measure whose text names its hash."""

    __tablename__ = "contribution_formula"
    __table_args__ = (UniqueConstraint("measure_id"), UniqueConstraint("number"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column()
    """From 1."""
    measure_id: Mapped[str] = mapped_column(ForeignKey("measure.id"))
    effective_from: Mapped[date] = mapped_column()
    """First day of the uses that it counts, Asia/Shanghai."""
    text: Mapped[str] = mapped_column(Text)
    """Canonical JSON of weights and factors."""
    sha256: Mapped[str] = mapped_column(String(64))
    entered_by: Mapped[str] = mapped_column(String(32))
    entered_at: Mapped[datetime] = mapped_column(Instant)


class ContributionRating(Base):
    """How a third party served in a quarter, one to five stars; counts for what is used in the next one."""

    __tablename__ = "contribution_rating"
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),)

    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    period: Mapped[str] = mapped_column(String(16), primary_key=True)
    stars: Mapped[int] = mapped_column()
    reason: Mapped[str] = mapped_column(String(500))
    rated_by: Mapped[str] = mapped_column(String(32))
    rated_at: Mapped[datetime] = mapped_column(Instant)


class ContributionEntry(Base):
    """One line of the ledger: a use of a third party's concession, or what came back of it."""

    __tablename__ = "contribution_entry"
    __table_args__ = (
        CheckConstraint(
            "(reversal_id IS NULL AND concession_fen >= 0 AND contribution >= 0) "
            "OR (reversal_id IS NOT NULL AND concession_fen <= 0 AND contribution <= 0)",
            name="sign",
        ),
        Index(
            "uq_contribution_entry_given",
            "redemption_id",
            unique=True,
            sqlite_where=_GIVEN,
            postgresql_where=_GIVEN,
        ),
        Index("ix_contribution_entry_open", "at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_contribution_entry_period", "period", "organisation_id"),
        Index("ix_contribution_entry_organisation", "organisation_id", "at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    """The third party."""
    redemption_id: Mapped[str] = mapped_column(ForeignKey("redemption.id"), index=True)
    reversal_id: Mapped[str | None] = mapped_column(ForeignKey("reversal.id"), unique=True)
    """None for the use itself."""
    formula_id: Mapped[str] = mapped_column(ForeignKey("contribution_formula.id"))
    category: Mapped[Category] = mapped_column(Enum(Category, native_enum=False, length=16))
    concession_fen: Mapped[int] = mapped_column(BigInteger)
    """What the third party bore of the value; negative for what came back."""
    weight_bp: Mapped[int] = mapped_column()
    rating_bp: Mapped[int] = mapped_column()
    contribution: Mapped[int] = mapped_column(BigInteger)
    """concession × weight × rating, in whole points; negative for what came back."""
    at: Mapped[datetime] = mapped_column(Instant)
    """Of the use or the reversal."""
    posted_at: Mapped[datetime] = mapped_column(Instant)
    period: Mapped[str | None] = mapped_column(String(16))
    """The closed quarter that it counts in; None until one is closed."""


class ContributionPeriod(Base):
    """One closed quarter."""

    __tablename__ = "contribution_period"

    period: Mapped[str] = mapped_column(String(16), primary_key=True)
    """2026-Q4."""
    ends_on: Mapped[date] = mapped_column()
    text: Mapped[str] = mapped_column(Text)
    """Canonical JSON: the sums of every third party."""
    sha256: Mapped[str] = mapped_column(String(64))
    closed_by: Mapped[str] = mapped_column(String(32))
    closed_at: Mapped[datetime] = mapped_column(Instant)
    record_id: Mapped[str] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    """Evidence of kind 60."""


class ContributionStanding(Base):
    """What a closed quarter came to for one third party."""

    __tablename__ = "contribution_standing"

    period: Mapped[str] = mapped_column(ForeignKey("contribution_period.period"), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    place: Mapped[int] = mapped_column()
    """From 1; equal sums share one."""
    entries: Mapped[int] = mapped_column(BigInteger)
    concession_fen: Mapped[int] = mapped_column(BigInteger)
    contribution: Mapped[int] = mapped_column(BigInteger)


class RewardDecision(Base):
    """A reward that somebody of the talent office proposed; another one grants or declines it."""

    __tablename__ = "reward_decision"
    __table_args__ = (
        CheckConstraint("(kind = 'MATERIAL') = (amount_fen IS NOT NULL)", name="amount"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="persons"),
        Index("ix_reward_decision_organisation", "organisation_id", "proposed_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    period: Mapped[str] = mapped_column(ForeignKey("contribution_period.period"))
    kind: Mapped[RewardKind] = mapped_column(Enum(RewardKind, native_enum=False, length=16))
    title: Mapped[str] = mapped_column(String(200))
    """What it is: a prize, a plaque, a commendation."""
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    """Of a material one."""
    reason: Mapped[str] = mapped_column(String(500))
    state: Mapped[RewardState] = mapped_column(Enum(RewardState, native_enum=False, length=16))
    proposed_by: Mapped[str] = mapped_column(String(32))
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(32))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decision: Mapped[str | None] = mapped_column(String(500))
    """Why it was granted or declined."""
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    """Evidence of kind 61; None unless granted."""
