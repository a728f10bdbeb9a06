"""Tables of instruments: versions, articles, what stands on which article, acts, interpretations; holidays.

The state of a version is not stored: it follows from the acts and the date (`states.py`). Everything but
interpretations is append-only, and the database itself refuses to alter it.
"""

from datetime import date, datetime

from sqlalchemy import (
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.accounts.roles import Role
from talentseal.db import Base, Instant
from talentseal.policy.effects import Deed
from talentseal.policy.states import Step
from talentseal.policy.working_days import DayKind

_BY_DOCUMENT = text("step IN ('ISSUED', 'ENTERED')")


class InstrumentVersion(Base):
    """One version of an instrument, complete from its draft on; another text is another version."""

    __tablename__ = "instrument_version"
    __table_args__ = (UniqueConstraint("instrument", "number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    instrument: Mapped[str] = mapped_column(String(64))
    """Lower-case letters, digits and hyphens; the same for all versions."""
    number: Mapped[int] = mapped_column()
    """From 1, in the order of drafting."""
    title: Mapped[str] = mapped_column(String(200))
    issuer: Mapped[str] = mapped_column(String(200))
    effective_from: Mapped[date] = mapped_column()
    """First day in force, Asia/Shanghai."""
    valid_through: Mapped[date] = mapped_column()
    """Last day in force, Asia/Shanghai."""
    legal_basis: Mapped[str] = mapped_column(Text)
    """JSON array of the documents that it names as its basis."""
    text_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    """Over the canonical form of the whole text, dates and articles included: a text comes once."""
    drafted_by: Mapped[str] = mapped_column(String(32))
    drafted_at: Mapped[datetime] = mapped_column(Instant)


class InstrumentArticle(Base):
    """One article as it was issued."""

    __tablename__ = "instrument_article"

    version_id: Mapped[str] = mapped_column(ForeignKey("instrument_version.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chapter: Mapped[str] = mapped_column(String(100))
    """The heading under which it stands; empty when there is none."""
    text: Mapped[str] = mapped_column(Text)
    """Paragraphs, each on a line."""
    gloss: Mapped[str] = mapped_column(Text)
    """What it says, in English; empty when nobody has written it."""


class InstrumentBasis(Base):
    """Which article of a version a deed stands on."""

    __tablename__ = "instrument_basis"
    __table_args__ = (
        ForeignKeyConstraint(
            ["version_id", "article"], ["instrument_article.version_id", "instrument_article.number"]
        ),
    )

    version_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    deed: Mapped[Deed] = mapped_column(Enum(Deed, native_enum=False, length=32), primary_key=True)
    article: Mapped[int] = mapped_column()


class InstrumentAct(Base):
    """One step of a version, with its evidence; each step comes once."""

    __tablename__ = "instrument_act"
    __table_args__ = (
        Index(
            "uq_instrument_act_document",
            "reference",
            unique=True,
            sqlite_where=_BY_DOCUMENT,
            postgresql_where=_BY_DOCUMENT,
        ),
    )

    version_id: Mapped[str] = mapped_column(ForeignKey("instrument_version.id"), primary_key=True)
    step: Mapped[Step] = mapped_column(Enum(Step, native_enum=False, length=16), primary_key=True)
    on: Mapped[date] = mapped_column("on_day")
    """PASSED, APPROVED: day of the decision. ISSUED, ENTERED: date of the document. Else: first day of it."""
    reference: Mapped[str | None] = mapped_column(String(100))
    """Number of the minutes, of the decision, of the document; None for what the date brought."""
    reason: Mapped[str | None] = mapped_column(String(500))
    account_id: Mapped[str | None] = mapped_column(String(32))
    """Who took it; None for what the date brought."""
    organisation_id: Mapped[str | None] = mapped_column(String(66))
    role: Mapped[Role | None] = mapped_column(Enum(Role, native_enum=False, length=32))
    at: Mapped[datetime] = mapped_column("recorded_at", Instant)
    record_id: Mapped[str] = mapped_column(ForeignKey("evidence_record.id"), index=True)


class Interpretation(Base):
    """What an article means: a proposal until the body that interprets the instrument has issued it."""

    __tablename__ = "instrument_interpretation"
    __table_args__ = (
        UniqueConstraint("version_id", "article", "question"),
        ForeignKeyConstraint(
            ["version_id", "article"], ["instrument_article.version_id", "instrument_article.number"]
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version_id: Mapped[str] = mapped_column(String(32))
    article: Mapped[int] = mapped_column()
    question: Mapped[str] = mapped_column(String(500))
    answer: Mapped[str] = mapped_column(Text)
    gloss: Mapped[str] = mapped_column(Text)
    """Question and answer in English; empty when nobody has written it."""
    valid_from: Mapped[date] = mapped_column()
    proposed_by: Mapped[str] = mapped_column(String(32))
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    issued_by: Mapped[str | None] = mapped_column(String(32))
    issued_at: Mapped[datetime | None] = mapped_column(Instant)
    """None while a proposal."""
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)


class HolidayNotice(Base):
    """The State Council's holiday notice for a year, as imported once; the newest of a year counts."""

    __tablename__ = "holiday_notice"
    __table_args__ = (UniqueConstraint("year", "number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    year: Mapped[int] = mapped_column()
    number: Mapped[int] = mapped_column()
    """From 1, in the order of import: two that come at once cannot both be the next."""
    document_number: Mapped[str] = mapped_column(String(100))
    issued_on: Mapped[date] = mapped_column()
    source: Mapped[str] = mapped_column(String(300))
    """Web address of the text; empty where it was taken from paper."""
    text_sha256: Mapped[str] = mapped_column(String(64))
    """Over the canonical form of everything that was imported: the same once more is no other one."""
    imported_by: Mapped[str] = mapped_column(String(32))
    imported_at: Mapped[datetime] = mapped_column(Instant)


class HolidayDay(Base):
    """A day that a notice names."""

    __tablename__ = "holiday_day"

    notice_id: Mapped[str] = mapped_column(ForeignKey("holiday_notice.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[DayKind] = mapped_column(Enum(DayKind, native_enum=False, length=16))
    holiday: Mapped[str] = mapped_column(String(100))
    """Which holiday it belongs to, or is worked in return for; a name stands once in a notice."""
