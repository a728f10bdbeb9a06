"""Tables of breaches: each allegation against a stipulation, and what was said and done about it.

What was said lies sealed (`talentseal.vault`), bound to its step; steps are append-only.
"""

from datetime import datetime

from sqlalchemy import Enum, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.accounts.roles import Role
from talentseal.agreements.duty_states import BreachAct, BreachSource, BreachState
from talentseal.db import Base, Instant


class Breach(Base):
    """One allegation that one stipulation was not kept."""

    __tablename__ = "breach"
    __table_args__ = (
        # The same occurrence is alleged once, whoever asks and however often.
        UniqueConstraint("stipulation_id", "reference"),
        Index("ix_breach_organisation", "organisation_id", "state", "decided_at"),
        Index("ix_breach_alleged_at", "alleged_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    stipulation_id: Mapped[str] = mapped_column(ForeignKey("stipulation.id"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    """Whose duty it is."""
    state: Mapped[BreachState] = mapped_column(Enum(BreachState, native_enum=False, length=16))
    source: Mapped[BreachSource] = mapped_column(Enum(BreachSource, native_enum=False, length=16))
    reference: Mapped[str] = mapped_column(String(200))
    """The occurrence: of whoever alleges it, or what it was found in."""
    alleged_by: Mapped[str | None] = mapped_column(String(32))
    """Account; None for the clock."""
    alleged_for: Mapped[str | None] = mapped_column(String(66))
    """Organisation that alleges it; None for the clock."""
    alleged_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(32))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was confirmed or dismissed."""
    cure_offered_at: Mapped[datetime | None] = mapped_column(Instant)
    cure_acknowledged_by: Mapped[str | None] = mapped_column(String(32))
    """Account of the receiving side; None until it has acknowledged the cure."""
    cure_acknowledged_for: Mapped[str | None] = mapped_column(String(66))
    """Organisation of the receiving side."""
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was dismissed, cured or waived."""
    record_id: Mapped[str] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    """Evidence of kind 22."""
    decision_record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    """Evidence of kind 23 or 24, which RESOLVES the allegation's."""
    closing_record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    """Evidence of kind 25, which closes the confirmation's."""
    finding: Mapped[str | None] = mapped_column(String(66))
    """What the contract calls the confirmed breach: 0x and 64 hex digits; None until confirmed."""
    ending: Mapped[str | None] = mapped_column(String(66))
    """Digest of the act that closes it on the contract; None until cured or waived."""


class BreachStep(Base):
    """One step of an allegation."""

    __tablename__ = "breach_step"
    __table_args__ = (Index("ix_breach_step_taken_at", "taken_at"),)

    breach_id: Mapped[str] = mapped_column(ForeignKey("breach.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    act: Mapped[BreachAct] = mapped_column(Enum(BreachAct, native_enum=False, length=24))
    state: Mapped[BreachState] = mapped_column(Enum(BreachState, native_enum=False, length=16))
    """The state after it."""
    at: Mapped[datetime] = mapped_column("taken_at", Instant)
    account_id: Mapped[str | None] = mapped_column(String(32))
    """Who took it; None for the clock."""
    organisation_id: Mapped[str | None] = mapped_column(String(66))
    role: Mapped[Role | None] = mapped_column(Enum(Role, native_enum=False, length=32))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What was said with it."""
