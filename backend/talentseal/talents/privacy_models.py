"""Tables of what people have agreed to and asked for: consents, corrections, erasures, auditors' grants."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Enum, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.db import Base, Instant
from talentseal.talents.models import FieldGroup

_STANDING = text("withdrawn_at IS NULL")
_ASKED = text("state = 'ASKED'")


class ConsentScope(StrEnum):
    """What an organisation may do with somebody's data, each consented to by itself (PIPL Art. 23).

    SERVICE: check who he is, with masked surname and tier, and handle his benefits. The others show a group
    of fields; ORG_… moreover needs the organisation's own permission.
    """

    SERVICE = "SERVICE"
    PHOTO = "PHOTO"
    ACADEMIC = "ACADEMIC"
    RESEARCH = "RESEARCH"
    HONOUR = "HONOUR"
    ORG_PROJECT = "ORG_PROJECT"
    ORG_COOPERATION = "ORG_COOPERATION"


class TalentConsent(Base):
    """One consent, from giving to withdrawal; a new one is another row, so that the history stays."""

    __tablename__ = "talent_consent"
    __table_args__ = (
        Index(
            "uq_talent_consent_standing",
            "talent_id",
            "organisation_id",
            "scope",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    scope: Mapped[ConsentScope] = mapped_column(Enum(ConsentScope, native_enum=False, length=24))
    notice_version: Mapped[str] = mapped_column(String(16))
    """Of the text that was shown when it was given."""
    given_at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)


class WishState(StrEnum):
    """Where a wish for correction or erasure stands."""

    ASKED = "ASKED"
    GRANTED = "GRANTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


class TalentCorrection(Base):
    """That a person wants a group of his fields corrected (PIPL Art. 46); one of a group at a time."""

    __tablename__ = "talent_correction"
    __table_args__ = (
        Index(
            "uq_talent_correction_asked",
            "talent_id",
            "field_group",
            unique=True,
            sqlite_where=_ASKED,
            postgresql_where=_ASKED,
        ),
        Index("ix_talent_correction_worklist", "state", "due_on"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), index=True)
    group: Mapped[FieldGroup] = mapped_column("field_group", Enum(FieldGroup, native_enum=False, length=16))
    state: Mapped[WishState] = mapped_column(Enum(WishState, native_enum=False, length=16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON of the wanted fields and why; once decided also of the reason and of what stood there before."""
    asked_at: Mapped[datetime] = mapped_column(Instant)
    due_on: Mapped[date] = mapped_column()
    """Last day for the office to answer."""
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(32))
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"))
    """The record that is wrong as well; None where nothing was recorded."""
    corrected_by_record: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"))
    """The record that says so (kind 80); None unless granted."""


class TalentPaper(Base):
    """A document that somebody adds to his answer in a review, or to a correction."""

    __tablename__ = "talent_paper"
    __table_args__ = (CheckConstraint("(review_id IS NULL) <> (correction_id IS NULL)", name="of_one_thing"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), index=True)
    review_id: Mapped[str | None] = mapped_column(ForeignKey("review_task.id"), index=True)
    correction_id: Mapped[str | None] = mapped_column(ForeignKey("talent_correction.id"), index=True)
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column()
    """Bytes before sealing."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime] = mapped_column(Instant)


class TalentPhoto(Base):
    """The photo that a holder keeps of himself, for the counters that he lets see it."""

    __tablename__ = "talent_photo"

    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(100))
    width: Mapped[int] = mapped_column()
    height: Mapped[int] = mapped_column()
    """Pixels."""
    size: Mapped[int] = mapped_column()
    """Bytes before sealing."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    put_at: Mapped[datetime] = mapped_column(Instant)


class TalentErasure(Base):
    """That a person wants everything about him erased (PIPL Art. 47), and what became of it."""

    __tablename__ = "talent_erasure"
    __table_args__ = (
        Index(
            "uq_talent_erasure_asked",
            "talent_id",
            unique=True,
            sqlite_where=_ASKED,
            postgresql_where=_ASKED,
        ),
        Index("ix_talent_erasure_worklist", "state", "due_on"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), index=True)
    state: Mapped[WishState] = mapped_column(Enum(WishState, native_enum=False, length=16))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """JSON of the reason of a refusal; None otherwise."""
    asked_at: Mapped[datetime] = mapped_column(Instant)
    due_on: Mapped[date] = mapped_column()
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(32))
    payloads: Mapped[int | None] = mapped_column()
    """How many sealed contents were destroyed; None unless granted."""
    records: Mapped[int | None] = mapped_column()
    """Of how many records of the log the content was destroyed; None unless granted."""


class AccessGrant(Base):
    """That an auditor may read some groups of a person's fields for a time, for a reason."""

    __tablename__ = "access_grant"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), index=True)
    auditor_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    groups: Mapped[str] = mapped_column("field_groups", String(200))
    """Values of FieldGroup, sorted, parted by one space."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON of the reason, which may name somebody."""
    given_by: Mapped[str] = mapped_column(String(32))
    given_at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column("valid_until", Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_by: Mapped[str | None] = mapped_column(String(32))
