"""Tables of suspension rules, facts, cases, restrictions and terminations.

What was signed is kept as the very text that was hashed. Reasons, statements and notes lie sealed
(`talentseal.vault`), each bound to its row. Steps, signatures and facts taken into a case are append-only.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.accounts.roles import Role
from talentseal.db import Base, Instant
from talentseal.sanctions.states import CaseState, Ground, TerminationState
from talentseal.sanctions.triggers import Reach, Trigger

_OPEN = text("closed_at IS NULL")
_UNEXAMINED = text("examined_at IS NULL")
_UNENDED = text("ended_at IS NULL")


class SuspensionRule(Base):
    """One version of a rule, complete from its draft on; another text is another version."""

    __tablename__ = "suspension_rule"
    __table_args__ = (
        UniqueConstraint("rule", "number"),
        Index("ix_suspension_rule_trigger", "trigger_kind", "in_force_from"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    rule: Mapped[str] = mapped_column(String(32))
    """The same for all versions."""
    number: Mapped[int] = mapped_column()
    """From 1, in the order of drafting."""
    trigger: Mapped[Trigger] = mapped_column("trigger_kind", Enum(Trigger, native_enum=False, length=24))
    text: Mapped[str] = mapped_column(Text)
    """Canonical JSON of the whole text."""
    sha256: Mapped[str] = mapped_column(String(64))
    drafted_by: Mapped[str] = mapped_column(String(32))
    drafted_at: Mapped[datetime] = mapped_column(Instant)
    refused_by: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))
    """None unless a side has refused it."""
    refused_at: Mapped[datetime | None] = mapped_column(Instant)
    refusal: Mapped[str | None] = mapped_column(String(500))
    approved_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the last side signed."""
    in_force_from: Mapped[datetime | None] = mapped_column(Instant)
    """No fact before it counts."""
    superseded_from: Mapped[datetime | None] = mapped_column(Instant)
    """When the next version comes into force; none of its facts counts here."""
    version_id: Mapped[str | None] = mapped_column(ForeignKey("instrument_version.id"))
    """Version of the measures, and its article, on which it stands; None before it is approved."""
    article: Mapped[int | None] = mapped_column()
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)


class RuleSignature(Base):
    """One side's signature over a version; the key lets each side sign once."""

    __tablename__ = "rule_signature"

    rule_version_id: Mapped[str] = mapped_column(ForeignKey("suspension_rule.id"), primary_key=True)
    side: Mapped[str] = mapped_column(String(66), primary_key=True)
    """TALENT_OFFICE, BIG_DATA_BUREAU, or the partner's id."""
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    signer: Mapped[str] = mapped_column(String(42))
    """EIP-55 address of the key, which was registered and valid when the signature came in."""
    signature: Mapped[str] = mapped_column(String(132))
    received_by: Mapped[str] = mapped_column(String(32))
    received_at: Mapped[datetime] = mapped_column(Instant)


class FactSource(StrEnum):
    """Where a fact comes from."""

    RECORDS = "RECORDS"
    """The service's own records."""
    REPORT = "REPORT"
    """Somebody who serves talents."""


class Fact(Base):
    """Something that happened with a code and that a rule may count."""

    __tablename__ = "sanction_fact"
    __table_args__ = (
        UniqueConstraint("trigger_kind", "reference"),
        Index("ix_sanction_fact_of_code", "code_id", "trigger_kind", "occurred_at"),
        Index(
            "ix_sanction_fact_unexamined",
            "noted_at",
            sqlite_where=_UNEXAMINED,
            postgresql_where=_UNEXAMINED,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    trigger: Mapped[Trigger] = mapped_column("trigger_kind", Enum(Trigger, native_enum=False, length=24))
    code_id: Mapped[str] = mapped_column(ForeignKey("talent_code.id"))
    organisation_id: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))
    """At whose counter it happened; None for what happened at none."""
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    noted_at: Mapped[datetime] = mapped_column(Instant)
    source: Mapped[FactSource] = mapped_column(Enum(FactSource, native_enum=False, length=16))
    reference: Mapped[str] = mapped_column(String(200))
    """What it was read from, or the reporter and his number of it: the same is not noted twice."""
    noted_by: Mapped[str | None] = mapped_column(String(32))
    """Account of the reporter; None for what the service found."""
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The reporter's note; None without one."""
    cured_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was put right."""
    examined_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the rules were asked about it; None while they have not been."""


class SuspensionCase(Base):
    """A case under a rule against a code; the database lets one be open at a time."""

    __tablename__ = "suspension_case"
    __table_args__ = (
        Index(
            "uq_suspension_case_open",
            "rule_version_id",
            "code_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_suspension_case_worklist", "state", "opened_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    rule_version_id: Mapped[str] = mapped_column(ForeignKey("suspension_rule.id"))
    code_id: Mapped[str] = mapped_column(ForeignKey("talent_code.id"), index=True)
    state: Mapped[CaseState] = mapped_column(Enum(CaseState, native_enum=False, length=24))
    opened_at: Mapped[datetime] = mapped_column(Instant)
    statement_from: Mapped[date] = mapped_column()
    """First day of the term for a statement; from the notice on one is taken."""
    statement_through: Mapped[date] = mapped_column()
    stated_at: Mapped[datetime | None] = mapped_column(Instant)
    provisional_until: Mapped[datetime | None] = mapped_column(Instant)
    """When a provisional suspension lapses or was ended; None without one."""
    decided_by: Mapped[str | None] = mapped_column(String(32))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    suspended_through: Mapped[date | None] = mapped_column(index=True)
    """Last day of a suspension that a person decided."""
    until_cured: Mapped[bool] = mapped_column()
    """Whether it is lifted as soon as its facts are put right."""
    appeal_through: Mapped[date | None] = mapped_column()
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was dismissed or lifted."""
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    lifting_record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)


class CaseFact(Base):
    """A fact taken into a case; the key lets one version of a rule count it once."""

    __tablename__ = "case_fact"

    fact_id: Mapped[str] = mapped_column(ForeignKey("sanction_fact.id"), primary_key=True)
    rule_version_id: Mapped[str] = mapped_column(ForeignKey("suspension_rule.id"), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("suspension_case.id"), index=True)


class CaseAct(StrEnum):
    """What is done with a suspension case."""

    DETECTED = "DETECTED"
    NOTIFIED = "NOTIFIED"
    SUSPENDED_PROVISIONALLY = "SUSPENDED_PROVISIONALLY"
    PROVISION_LAPSED = "PROVISION_LAPSED"
    HEARING_OPENED = "HEARING_OPENED"
    STATED = "STATED"
    SUSPENDED = "SUSPENDED"
    DISMISSED = "DISMISSED"
    APPEALED = "APPEALED"
    UPHELD = "UPHELD"
    LIFTED_ON_APPEAL = "LIFTED_ON_APPEAL"
    LIFTED_BY_DATE = "LIFTED_BY_DATE"
    LIFTED_AS_CURED = "LIFTED_AS_CURED"
    REFERRED = "REFERRED"


class CaseStep(Base):
    """One step of a suspension case."""

    __tablename__ = "case_step"

    case_id: Mapped[str] = mapped_column(ForeignKey("suspension_case.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    act: Mapped[CaseAct] = mapped_column(Enum(CaseAct, native_enum=False, length=32))
    state: Mapped[CaseState] = mapped_column(Enum(CaseState, native_enum=False, length=24))
    """The state after it."""
    at: Mapped[datetime] = mapped_column("taken_at", Instant)
    account_id: Mapped[str | None] = mapped_column(String(32))
    """Who took it; None for the service and for what the date brought."""
    role: Mapped[Role | None] = mapped_column(Enum(Role, native_enum=False, length=32))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What was said with it."""


class Restriction(Base):
    """What rests of a code, from when to when: what a redemption asks about."""

    __tablename__ = "restriction"
    __table_args__ = (
        Index("ix_restriction_code_id", "code_id", sqlite_where=_UNENDED, postgresql_where=_UNENDED),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    code_id: Mapped[str] = mapped_column(ForeignKey("talent_code.id"))
    case_id: Mapped[str] = mapped_column(ForeignKey("suspension_case.id"), index=True)
    reach: Mapped[Reach] = mapped_column(Enum(Reach, native_enum=False, length=16))
    value: Mapped[str | None] = mapped_column(String(200))
    """The category, partner or benefit; None for ALL."""
    from_at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column("until_at", Instant)
    """From then on it holds no more, whether or not the clock's step has been."""
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was ended; None while it holds."""


class TerminationCase(Base):
    """A proposal to terminate a code, and what became of it; one on a ground at a time."""

    __tablename__ = "termination_case"
    __table_args__ = (
        Index(
            "uq_termination_case_open",
            "code_id",
            "ground",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_termination_case_worklist", "state", "proposed_at"),
        Index("uq_termination_case_review", "review_id", unique=True),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    code_id: Mapped[str] = mapped_column(ForeignKey("talent_code.id"), index=True)
    ground: Mapped[Ground] = mapped_column(Enum(Ground, native_enum=False, length=24))
    state: Mapped[TerminationState] = mapped_column(Enum(TerminationState, native_enum=False, length=16))
    proposed_by: Mapped[str] = mapped_column(String(32))
    proposed_for: Mapped[str] = mapped_column(String(66))
    """Organisation of the proposer."""
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("suspension_case.id"), unique=True)
    """The suspension case it was referred from, which is referred once."""
    review_id: Mapped[str | None] = mapped_column(String(32))
    """The failed review it was proposed for, which that is done for once."""
    resolution: Mapped[str | None] = mapped_column(String(100))
    """Of the joint meeting; OTHER_UNSUITABLE alone."""
    confirmed_by: Mapped[str | None] = mapped_column(String(32))
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    confirmation: Mapped[str | None] = mapped_column(String(100))
    """Of the leading group; None before it has confirmed."""
    statement_from: Mapped[date | None] = mapped_column()
    """None before the holder was notified."""
    statement_through: Mapped[date | None] = mapped_column()
    stated_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the second person decided."""
    effective_on: Mapped[date | None] = mapped_column(index=True)
    """First day on which the code is ended."""
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the code was ended; None while it is not."""
    appeal_through: Mapped[date | None] = mapped_column()
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    annulment_record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)


class TerminationDecision(Base):
    """One person's decision to terminate; the key makes two of them two persons."""

    __tablename__ = "termination_decision"

    termination_id: Mapped[str] = mapped_column(ForeignKey("termination_case.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime] = mapped_column("decided_at", Instant)


class TerminationAct(StrEnum):
    """What is done with a termination."""

    PROPOSED = "PROPOSED"
    NOTIFIED = "NOTIFIED"
    HEARING_OPENED = "HEARING_OPENED"
    STATED = "STATED"
    FINDING_ATTACHED = "FINDING_ATTACHED"
    CONFIRMED = "CONFIRMED"
    DECIDED_BY_FIRST = "DECIDED_BY_FIRST"
    DECIDED = "DECIDED"
    CODE_ENDED = "CODE_ENDED"
    DISMISSED = "DISMISSED"
    APPEALED = "APPEALED"
    UPHELD = "UPHELD"
    ANNULLED = "ANNULLED"


class TerminationStep(Base):
    """One step of a termination."""

    __tablename__ = "termination_step"

    termination_id: Mapped[str] = mapped_column(ForeignKey("termination_case.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    act: Mapped[TerminationAct] = mapped_column(Enum(TerminationAct, native_enum=False, length=32))
    state: Mapped[TerminationState] = mapped_column(Enum(TerminationState, native_enum=False, length=16))
    at: Mapped[datetime] = mapped_column("taken_at", Instant)
    account_id: Mapped[str | None] = mapped_column(String(32))
    role: Mapped[Role | None] = mapped_column(Enum(Role, native_enum=False, length=32))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class Finding(Base):
    """An external finding on which a termination for serious misconduct stands."""

    __tablename__ = "termination_finding"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    termination_id: Mapped[str] = mapped_column(ForeignKey("termination_case.id"), index=True)
    sealed_about: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON of issuer, reference and date."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """The PDF."""
    size: Mapped[int] = mapped_column()
    added_by: Mapped[str] = mapped_column(String(32))
    added_at: Mapped[datetime] = mapped_column(Instant)
