"""Tables of the operator's mandates (Article 5) and of admissions to the modules (Article 18)."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Enum, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.db import Base, Instant
from talentseal.partners.modules import Module


class MandateState(StrEnum):
    """Where a mandate stands; a live one counts within its term alone."""

    DRAFT = "DRAFT"
    LIVE = "LIVE"
    EXPIRED = "EXPIRED"
    ENDED = "ENDED"


class OperatorMandate(Base):
    """What the operator is entrusted with, from one day through another."""

    __tablename__ = "operator_mandate"
    __table_args__ = (CheckConstraint("starts_on <= ends_on", name="term"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    operator_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[MandateState] = mapped_column(Enum(MandateState, native_enum=False, length=16))
    reference: Mapped[str] = mapped_column(String(100))
    """Number of the mandate's document."""
    starts_on: Mapped[date] = mapped_column()
    ends_on: Mapped[date] = mapped_column()
    """The last day, Asia/Shanghai."""
    scope: Mapped[str] = mapped_column(String(200))
    """Kinds of partners that may be negotiated with, `OrganisationKind` in order, between spaces."""
    drafted_by: Mapped[str] = mapped_column(String(32))
    drafted_at: Mapped[datetime] = mapped_column(Instant)


class MandateStep(Base):
    """One move of a mandate, kept for ever."""

    __tablename__ = "mandate_step"

    mandate_id: Mapped[str] = mapped_column(ForeignKey("operator_mandate.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[MandateState] = mapped_column(Enum(MandateState, native_enum=False, length=16))
    by: Mapped[str | None] = mapped_column(String(32))
    """Account; None for the clock."""
    at: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str | None] = mapped_column(String(500))


class AccessState(StrEnum):
    """Of an admission (domain specification §1.2): the first three of FINANCE, the next of CONSUMPTION."""

    APPLIED = "APPLIED"
    RETURNED = "RETURNED"
    EXAMINED = "EXAMINED"
    NEGOTIATION_OPENED = "NEGOTIATION_OPENED"
    TERMS_AGREED = "TERMS_AGREED"
    SIGNED = "SIGNED"
    FILED = "FILED"
    ABANDONED = "ABANDONED"
    ADMITTED = "ADMITTED"
    REFUSED = "REFUSED"
    PAUSED = "PAUSED"
    WITHDRAWN = "WITHDRAWN"


_OPEN = text("state NOT IN ('ABANDONED', 'REFUSED', 'WITHDRAWN')")


class ModuleAccess(Base):
    """An organisation's way into a module, and its standing there; one is open at a time."""

    __tablename__ = "module_access"
    __table_args__ = (
        Index(
            "uq_module_access_open",
            "organisation_id",
            "module",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    module: Mapped[Module] = mapped_column(Enum(Module, native_enum=False, length=16))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[AccessState] = mapped_column(Enum(AccessState, native_enum=False, length=24))
    licence_type: Mapped[str | None] = mapped_column(String(100))
    licence_number: Mapped[str | None] = mapped_column(String(64))
    """FINANCE: the enterprise's licence; None while it is missing."""
    mandate_id: Mapped[str | None] = mapped_column(ForeignKey("operator_mandate.id"))
    """CONSUMPTION: under which the operator negotiates."""
    agreement_id: Mapped[str | None] = mapped_column(String(66))
    """CONSUMPTION: what was signed."""
    opened_by: Mapped[str] = mapped_column(String(32))
    opened_at: Mapped[datetime] = mapped_column(Instant)
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    """Evidence of kind 14; None until admitted."""


class AccessStep(Base):
    """One move of an admission, kept for ever."""

    __tablename__ = "access_step"

    access_id: Mapped[str] = mapped_column(ForeignKey("module_access.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[AccessState] = mapped_column(Enum(AccessState, native_enum=False, length=24))
    by: Mapped[str | None] = mapped_column(String(32))
    """Account; None for the clock."""
    at: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str | None] = mapped_column(String(500))
