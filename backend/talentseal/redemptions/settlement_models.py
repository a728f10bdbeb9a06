"""Tables of settlements: which acts of a partner lie in which, what both sides signed, how it went on.

What was closed stays: the database itself refuses to alter statements, lines, signatures and steps, and to
take a redemption or a reversal out of the settlement that it lies in.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Enum, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.db import Base, Instant


class SettlementState(StrEnum):
    """Domain specification §1.2. OPEN is no row: it is what no settlement has taken in yet."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    CONFIRMED = "CONFIRMED"
    OBJECTED = "OBJECTED"
    RECONCILED = "RECONCILED"
    PAID_CONFIRMED = "PAID_CONFIRMED"


class Cycle(StrEnum):
    """How often a partner is settled with; calendar periods of Asia/Shanghai [R]."""

    MONTH = "MONTH"
    QUARTER = "QUARTER"


class Side(StrEnum):
    """Who signs a statement. PAYER: the operator, the talent office or who bears the subsidy."""

    PARTNER = "PARTNER"
    PAYER = "PAYER"


class SettlementTerm(Base):
    """How often a partner is settled with; without a row every month."""

    __tablename__ = "settlement_term"

    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    cycle: Mapped[Cycle] = mapped_column(Enum(Cycle, native_enum=False, length=16))
    set_by: Mapped[str] = mapped_column(String(32))
    set_at: Mapped[datetime] = mapped_column(Instant)


class Settlement(Base):
    """One closed period of one partner."""

    __tablename__ = "settlement"
    __table_args__ = (
        UniqueConstraint("organisation_id", "period"),
        CheckConstraint("starts_on <= ends_on", name="term"),
        Index("ix_settlement_state", "state", "closed_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    period: Mapped[str] = mapped_column(String(16))
    """2026-11 or 2026-Q4."""
    starts_on: Mapped[date] = mapped_column()
    ends_on: Mapped[date] = mapped_column()
    """The last day, Asia/Shanghai."""
    state: Mapped[SettlementState] = mapped_column(Enum(SettlementState, native_enum=False, length=16))
    statement: Mapped[int] = mapped_column(default=1)
    """Number of the newest statement: 1 when closed, one more with each reconciliation."""
    closed_by: Mapped[str | None] = mapped_column(String(32))
    """Account; None for the clock."""
    closed_at: Mapped[datetime] = mapped_column(Instant)
    paid_on: Mapped[date | None] = mapped_column()
    """The day the money came, as whoever received it says; paid outside this service."""
    payment: Mapped[str | None] = mapped_column(String(100))
    """Reference of the transfer."""
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    """Evidence of kind 62; None until both sides have signed."""


class SettlementStatement(Base):
    """One text that is signed: the whole settlement in canonical JSON, with its sums."""

    __tablename__ = "settlement_statement"

    settlement_id: Mapped[str] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    net_fen: Mapped[int] = mapped_column(BigInteger)
    """What the partner is paid; what he pays when negative."""
    made_by: Mapped[str | None] = mapped_column(String(32))
    """Account that closed or reconciled; None for the clock."""
    made_at: Mapped[datetime] = mapped_column(Instant)


class SettlementLine(Base):
    """What was used of one benefit at one payer's expense, less what came back; or an adjustment."""

    __tablename__ = "settlement_line"
    __table_args__ = (
        CheckConstraint(
            "units >= 0 AND reversed_units >= 0 AND value_fen >= 0 AND reversed_value_fen >= 0 "
            "AND subsidy_fen BETWEEN 0 AND value_fen "
            "AND reversed_subsidy_fen BETWEEN 0 AND reversed_value_fen",
            name="amounts",
        ),
        CheckConstraint(
            "reason IS NULL OR (units = 0 AND value_fen = 0 AND reversed_units = 0 AND net_fen <> 0)",
            name="adjustment",
        ),
    )

    settlement_id: Mapped[str] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """From 1."""
    statement: Mapped[int] = mapped_column()
    """The statement that brought it; it stands in every later one."""
    benefit_id: Mapped[str | None] = mapped_column(ForeignKey("benefit.id"))
    title: Mapped[str] = mapped_column(String(100))
    """The benefit's name when it was closed."""
    payer_id: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))
    """Who bears the subsidy; None where nobody does."""
    units: Mapped[int] = mapped_column(BigInteger, default=0)
    value_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    subsidy_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    reversed_units: Mapped[int] = mapped_column(BigInteger, default=0)
    reversed_value_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    reversed_subsidy_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    net_fen: Mapped[int] = mapped_column(BigInteger)
    """What the payer owes the partner for it; nothing where the partner bears it himself."""
    corrects: Mapped[int | None] = mapped_column()
    """Of an adjustment: the line that it is about, when it is about one."""
    reason: Mapped[str | None] = mapped_column(String(500))
    """Of an adjustment, and only of one."""


class SettlementSignature(Base):
    """One side's signature over a statement; the key lets each side sign once."""

    __tablename__ = "settlement_signature"

    settlement_id: Mapped[str] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    statement: Mapped[int] = mapped_column(primary_key=True)
    side: Mapped[Side] = mapped_column(Enum(Side, native_enum=False, length=16), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    signer: Mapped[str] = mapped_column(String(42))
    """EIP-55 address of the key, which was registered and valid when the signature came in."""
    signature: Mapped[str] = mapped_column(String(132))
    received_by: Mapped[str] = mapped_column(String(32))
    received_at: Mapped[datetime] = mapped_column(Instant)


class SettlementStep(Base):
    """One move of a settlement, kept for ever."""

    __tablename__ = "settlement_step"

    settlement_id: Mapped[str] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[SettlementState] = mapped_column(Enum(SettlementState, native_enum=False, length=16))
    by: Mapped[str | None] = mapped_column(String(32))
    """Account; None for the clock."""
    at: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str | None] = mapped_column(String(500))
    """Of an objection or a reconciliation."""
    lines: Mapped[str | None] = mapped_column(String(200))
    """Numbers of the lines that an objection names, between spaces."""
