"""Tables of the catalogue: benefits with their versions, tiers, outlets, budgets, and what was used of them.

A published version is never changed; another replaces it. Counters are changed by guarded statements alone,
in the transaction of the redemption that they count.
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
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.db import Base, Instant
from talentseal.policy.tiers import Tier


class Category(StrEnum):
    """What kind of right it is (Article 8). 政务权益 and 政策权益 are one."""

    GOVERNMENT = "GOVERNMENT"
    FINANCIAL = "FINANCIAL"
    CONSUMPTION = "CONSUMPTION"


class BenefitState(StrEnum):
    """Of a version (domain specification §1.2)."""

    DRAFT = "DRAFT"
    REVIEW = "REVIEW"
    PUBLISHED = "PUBLISHED"
    PAUSED = "PAUSED"
    EXHAUSTED = "EXHAUSTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"


class Showing(StrEnum):
    """How the holder may show himself for it. STATIC_CARD: a card of which all can be copied."""

    CODE = "CODE"
    CARD = "CARD"
    STATIC_CARD = "STATIC_CARD"


class QuotaPeriod(StrEnum):
    """Calendar periods of Asia/Shanghai; WEEK: ISO 8601. TERM: the version's own term."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"
    TERM = "TERM"


class Benefit(Base):
    """One benefit of one provider through all its versions."""

    __tablename__ = "benefit"
    __table_args__ = (UniqueConstraint("organisation_id", "number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    """The provider."""
    number: Mapped[str] = mapped_column(String(64))
    """The provider's own."""
    category: Mapped[Category] = mapped_column(Enum(Category, native_enum=False, length=16))
    created_at: Mapped[datetime] = mapped_column(Instant)


class BenefitVersion(Base):
    """What is promised under it, from one day through another."""

    __tablename__ = "benefit_version"
    __table_args__ = (
        UniqueConstraint("benefit_id", "number"),
        Index("ix_benefit_version_state", "state", "starts_on"),
        CheckConstraint("starts_on <= ends_on", name="term"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    benefit_id: Mapped[str] = mapped_column(ForeignKey("benefit.id"))
    number: Mapped[int] = mapped_column()
    """From 1."""
    state: Mapped[BenefitState] = mapped_column(Enum(BenefitState, native_enum=False, length=16))
    title: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    """What the holder gets and how, in plain words."""
    starts_on: Mapped[date] = mapped_column()
    ends_on: Mapped[date] = mapped_column()
    """The last day, Asia/Shanghai."""
    showings: Mapped[str] = mapped_column(String(64))
    """Values of `Showing`, in order, between spaces."""
    quota_period: Mapped[QuotaPeriod] = mapped_column(Enum(QuotaPeriod, native_enum=False, length=16))
    value_fen: Mapped[int | None] = mapped_column(BigInteger)
    """What one unit is worth to the holder; None when the counter says so with each redemption."""
    value_limit_fen: Mapped[int | None] = mapped_column(BigInteger)
    """The most that one redemption may be worth."""
    subsidy_bp: Mapped[int] = mapped_column()
    """Which part of the value is borne by the budget's owner, in basis points; the partner bears the rest."""
    regulated: Mapped[bool] = mapped_column(default=False)
    """Whether it is a service that only a licensed financial enterprise may render."""
    low_risk: Mapped[bool] = mapped_column()
    """Whether a token that was minted for a phone without network is enough."""
    proactive: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it is proposed to whoever is eligible, to be taken by a click (免申即享)."""
    exclusion_group: Mapped[str | None] = mapped_column(String(64))
    """Of the benefits in one group a person uses one in a quota period."""
    agreement_id: Mapped[str | None] = mapped_column(String(66))
    stipulation_position: Mapped[int | None] = mapped_column()
    """The agreement's stipulation of which each redemption is an observance (Article 20)."""
    measure_id: Mapped[str | None] = mapped_column(String(32))
    """The approved measure that a GOVERNMENT benefit stands on (Article 16)."""
    reversal_minutes: Mapped[int] = mapped_column()
    """How long the counter may reverse after completion."""
    proposed_by: Mapped[str] = mapped_column(String(32))
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(32))
    """Account that published it: never the one that proposed."""
    published_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class BenefitTier(Base):
    """One line of the matrix benefit × tier. A tier that is not listed has no right; none inherits."""

    __tablename__ = "benefit_tier"

    version_id: Mapped[str] = mapped_column(ForeignKey("benefit_version.id"), primary_key=True)
    tier: Mapped[Tier] = mapped_column(Enum(Tier, native_enum=False, length=16), primary_key=True)
    starts_on: Mapped[date] = mapped_column(primary_key=True)
    ends_on: Mapped[date] = mapped_column()
    quota: Mapped[int | None] = mapped_column()
    """Units a person and period; None for no limit."""


class BenefitOutlet(Base):
    """Where a version can be used. Without any: at every outlet of its provider."""

    __tablename__ = "benefit_outlet"

    version_id: Mapped[str] = mapped_column(ForeignKey("benefit_version.id"), primary_key=True)
    outlet_id: Mapped[str] = mapped_column(ForeignKey("outlet.id"), primary_key=True)


class BenefitStep(Base):
    """One move of a version, kept for ever."""

    __tablename__ = "benefit_step"
    __table_args__ = (Index("ix_benefit_step_at", "at"),)

    version_id: Mapped[str] = mapped_column(ForeignKey("benefit_version.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[BenefitState] = mapped_column(Enum(BenefitState, native_enum=False, length=16))
    by: Mapped[str | None] = mapped_column(String(32))
    """Account; None for the clock."""
    at: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str | None] = mapped_column(String(500))


class Budget(Base):
    """What may be used of a benefit by all together, from one day through another.

    used_units, used_fen: of completed and reserved redemptions, less what came back.
    """

    __tablename__ = "budget"
    __table_args__ = (
        UniqueConstraint("benefit_id", "starts_on"),
        CheckConstraint(
            "used_units >= 0 AND (limit_units IS NULL OR used_units <= limit_units)", name="units"
        ),
        CheckConstraint("used_fen >= 0 AND (limit_fen IS NULL OR used_fen <= limit_fen)", name="fen"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    benefit_id: Mapped[str] = mapped_column(ForeignKey("benefit.id"))
    owner_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    """Who bears the subsidy."""
    starts_on: Mapped[date] = mapped_column()
    ends_on: Mapped[date] = mapped_column()
    limit_units: Mapped[int | None] = mapped_column(BigInteger)
    limit_fen: Mapped[int | None] = mapped_column(BigInteger)
    used_units: Mapped[int] = mapped_column(BigInteger, default=0)
    used_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)


class BudgetAlarm(Base):
    """A threshold that was reached: told once."""

    __tablename__ = "budget_alarm"

    budget_id: Mapped[str] = mapped_column(ForeignKey("budget.id"), primary_key=True)
    percent: Mapped[int] = mapped_column(primary_key=True)
    reached_at: Mapped[datetime] = mapped_column(Instant)


class QuotaUse(Base):
    """What one person has used of a benefit in one period, reserved units among it; never per card."""

    __tablename__ = "quota_use"
    __table_args__ = (CheckConstraint("used >= 0", name="used"),)

    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), primary_key=True)
    benefit_id: Mapped[str] = mapped_column(ForeignKey("benefit.id"), primary_key=True)
    period: Mapped[str] = mapped_column(String(16), primary_key=True)
    """2026-11-26, 2026-W48, 2026-11, 2026-Q4, 2026, or the version's number for its term."""
    used: Mapped[int] = mapped_column(BigInteger)


class ExclusionUse(Base):
    """Which benefit of an exclusion group a person uses in one period, and how many units of it are live."""

    __tablename__ = "exclusion_use"
    __table_args__ = (CheckConstraint("used >= 0", name="used"),)

    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), primary_key=True)
    exclusion_group: Mapped[str] = mapped_column(String(64), primary_key=True)
    period: Mapped[str] = mapped_column(String(16), primary_key=True)
    benefit_id: Mapped[str] = mapped_column(ForeignKey("benefit.id"))
    used: Mapped[int] = mapped_column(BigInteger)
