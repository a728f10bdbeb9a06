"""Tables of redemptions and their reversals.

A redemption holds what was true when it was made: tier, version, value, shares. Completed acts are never
recalculated (Article 12); what comes back is a reversal of its own.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Enum, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.credentials.models import Channel
from talentseal.db import Base, Instant
from talentseal.policy.tiers import Tier
from talentseal.redemptions.refusals import Refusal


class RedemptionState(StrEnum):
    """Domain specification §1.2."""

    RESERVED = "RESERVED"
    COMPLETED = "COMPLETED"
    PARTIALLY_REVERSED = "PARTIALLY_REVERSED"
    REVERSED = "REVERSED"
    RELEASED = "RELEASED"
    DISPUTED = "DISPUTED"
    SETTLED = "SETTLED"


class Release(StrEnum):
    """Why a reservation ended without being completed."""

    CANCELLED = "CANCELLED"
    LAPSED = "LAPSED"
    CODE_ENDED = "CODE_ENDED"


_RESERVED = text("state = 'RESERVED'")
_RELEASED = text("released_at IS NOT NULL")
_UNSETTLED = text("completed_at IS NOT NULL AND settlement_id IS NULL")


class Redemption(Base):
    """One use of a benefit by one person at one counter."""

    __tablename__ = "redemption"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("value_fen >= 0 AND subsidy_fen BETWEEN 0 AND value_fen", name="value"),
        CheckConstraint(
            "reversed_units BETWEEN 0 AND quantity AND reversed_fen BETWEEN 0 AND value_fen",
            name="reversed",
        ),
        Index("ix_redemption_reserved", "reserved_until", sqlite_where=_RESERVED, postgresql_where=_RESERVED),
        Index("ix_redemption_released", "released_at", sqlite_where=_RELEASED, postgresql_where=_RELEASED),
        Index("ix_redemption_talent", "talent_id", "made_at"),
        Index("ix_redemption_organisation", "organisation_id", "made_at"),
        Index(
            "ix_redemption_unsettled",
            "organisation_id",
            "completed_at",
            sqlite_where=_UNSETTLED,
            postgresql_where=_UNSETTLED,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("benefit_version.id"))
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"))
    talent_ref: Mapped[str] = mapped_column(String(32))
    """How the partner knows the person: another with each partner, and no way back from it."""
    code_id: Mapped[str] = mapped_column(ForeignKey("talent_code.id"))
    presentation_id: Mapped[str | None] = mapped_column(ForeignKey("presentation.id"), index=True)
    """What established the person; None for what he confirmed himself (免申即享)."""
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    """Whose counter it was."""
    outlet_id: Mapped[str | None] = mapped_column(ForeignKey("outlet.id"))
    terminal_id: Mapped[str | None] = mapped_column(ForeignKey("terminal.id"))
    staff_id: Mapped[str | None] = mapped_column(String(32))
    channel: Mapped[Channel | None] = mapped_column(Enum(Channel, native_enum=False, length=16))
    tier: Mapped[Tier] = mapped_column(Enum(Tier, native_enum=False, length=16))
    quantity: Mapped[int] = mapped_column()
    """Units."""
    list_value_fen: Mapped[int | None] = mapped_column(BigInteger)
    """What it costs without the benefit, where the counter says so."""
    value_fen: Mapped[int] = mapped_column(BigInteger)
    """What it is worth to the holder."""
    subsidy_fen: Mapped[int] = mapped_column(BigInteger)
    """What the budget's owner bears of it; the partner bears the rest."""
    period: Mapped[str] = mapped_column(String(16))
    budget_id: Mapped[str | None] = mapped_column(ForeignKey("budget.id"))
    agreement_version_id: Mapped[str | None] = mapped_column(ForeignKey("agreement_version.id"))
    """In force when it was made."""
    instrument_version_id: Mapped[str | None] = mapped_column(ForeignKey("instrument_version.id"))
    """In force when it was made; None when the agreement alone carried it (domain specification §1.3)."""
    state: Mapped[RedemptionState] = mapped_column(Enum(RedemptionState, native_enum=False, length=24))
    made_at: Mapped[datetime] = mapped_column(Instant)
    """When it was reserved, or completed in one step."""
    reserved_until: Mapped[datetime | None] = mapped_column(Instant)
    completed_at: Mapped[datetime | None] = mapped_column(Instant)
    occurred_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the counter says it was, where it entered it afterwards; None when it was entered at once."""
    released_at: Mapped[datetime | None] = mapped_column(Instant)
    release: Mapped[Release | None] = mapped_column(Enum(Release, native_enum=False, length=16))
    reversed_units: Mapped[int] = mapped_column(default=0)
    reversed_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"))
    """Evidence of kind 30; None until completed. It is the observance of the stipulation too (Article 20)."""
    settlement_id: Mapped[str | None] = mapped_column(String(32), index=True)


class Reversal(Base):
    """A part of a redemption, or all of it, undone."""

    __tablename__ = "reversal"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND value_fen >= 0", name="value"),
        Index("ix_reversal_at", "at"),
        Index(
            "ix_reversal_unsettled",
            "organisation_id",
            "at",
            sqlite_where=text("settlement_id IS NULL"),
            postgresql_where=text("settlement_id IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    redemption_id: Mapped[str] = mapped_column(ForeignKey("redemption.id"), index=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    """The redemption's."""
    quantity: Mapped[int] = mapped_column()
    value_fen: Mapped[int] = mapped_column(BigInteger)
    subsidy_fen: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(200))
    """In the partner's words; says nothing of the person."""
    by: Mapped[str] = mapped_column(String(32))
    """Account of the member of staff."""
    at: Mapped[datetime] = mapped_column(Instant)
    record_id: Mapped[str] = mapped_column(ForeignKey("evidence_record.id"))
    """Evidence of kind 31, which REVERSES the redemption's."""
    settlement_id: Mapped[str | None] = mapped_column(String(32), index=True)


class RedemptionRefusal(Base):
    """A use that was refused to somebody who had been established: so that he can ask why."""

    __tablename__ = "redemption_refusal"
    __table_args__ = (Index("ix_redemption_refusal_talent", "talent_id", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"))
    benefit_id: Mapped[str] = mapped_column(String(32))
    """As the counter named it."""
    version_id: Mapped[str | None] = mapped_column(ForeignKey("benefit_version.id"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    outlet_id: Mapped[str] = mapped_column(ForeignKey("outlet.id"))
    refusal: Mapped[Refusal] = mapped_column(Enum(Refusal, native_enum=False, length=32))
    at: Mapped[datetime] = mapped_column(Instant)


class StaticUse(Base):
    """What a person drew in a day on cards of which all can be copied (domain specification §3.2)."""

    __tablename__ = "static_use"
    __table_args__ = (CheckConstraint("used_fen >= 0", name="used"),)

    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    used_fen: Mapped[int] = mapped_column(BigInteger)


class DeclinedProposal(Base):
    """A proactive benefit that a person does not want in a quota period: it is not proposed again in it."""

    __tablename__ = "declined_proposal"

    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), primary_key=True)
    benefit_id: Mapped[str] = mapped_column(ForeignKey("benefit.id"), primary_key=True)
    period: Mapped[str] = mapped_column(String(16), primary_key=True)
    """As `QuotaUse.period`."""
    at: Mapped[datetime] = mapped_column("declined_at", Instant)
