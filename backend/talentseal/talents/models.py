"""Tables of talents, what is known of them, their applications, recognitions and codes.

Whatever tells who somebody is lies sealed (`talentseal.vault`), each cell bound to its row by `place_of`.
What has happened lies in append-only tables (`…_step`, `tier_change`) beside the row that says what holds.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Enum, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.accounts.roles import Role
from talentseal.db import Base, Instant
from talentseal.policy.tiers import Tier
from talentseal.talents.tiers import Recognition, RecognitionState

_LIVE_CODE = text("ended_at IS NULL")
_OPEN_APPLICATION = text("state IN ('SUBMITTED', 'UNDER_REVIEW', 'RETURNED')")
_UNDECIDED = text("state IN ('DRAFT', 'SUBMITTED', 'UNDER_REVIEW', 'RETURNED')")


def place_of(table: str, *key: str | int) -> str:
    """What the sealed cell of a row is bound to."""
    return "/".join((table, *map(str, key)))


ERASED: Final = b"{}"
"""What is sealed where a row stays whose content its person had erased."""


class FieldGroup(StrEnum):
    """What a code records of its holder (Article 9)."""

    BASIC = "BASIC"
    ACADEMIC = "ACADEMIC"
    RESEARCH = "RESEARCH"
    HONOUR = "HONOUR"
    ORG_PROJECT = "ORG_PROJECT"
    ORG_COOPERATION = "ORG_COOPERATION"


class Source(StrEnum):
    """Where fields come from. SHARED: another office's, which makes asking for them needless."""

    SUBMITTED = "SUBMITTED"
    SHARED = "SHARED"
    OFFICE = "OFFICE"


class Talent(Base):
    """A natural person with an account; everything else hangs on his id, which no partner ever sees."""

    __tablename__ = "talent"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), unique=True)
    registered_at: Mapped[datetime] = mapped_column(Instant)


class TalentFields(Base):
    """One group of fields as it stands now; what was before is in the application or the correction."""

    __tablename__ = "talent_fields"

    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), primary_key=True)
    group: Mapped[FieldGroup] = mapped_column(
        "field_group", Enum(FieldGroup, native_enum=False, length=16), primary_key=True
    )
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON object of the group's fields."""
    source: Mapped[Source] = mapped_column(Enum(Source, native_enum=False, length=16))
    entered_at: Mapped[datetime] = mapped_column(Instant)
    verified_by: Mapped[str | None] = mapped_column(String(32))
    """Account that compared the fields with their proof; None while nobody has."""
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    organisation_agreed_at: Mapped[datetime | None] = mapped_column(Instant)
    """ORG_…: when the organisation whose project it is allowed its use; None while it has not."""


class ApplicationState(StrEnum):
    """Where an application stands (domain specification §1.2)."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    RETURNED = "RETURNED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class Purpose(StrEnum):
    """What is applied for. TIER: by the holder of a code, whose tier is to be recognised anew."""

    CODE = "CODE"
    TIER = "TIER"


class Application(Base):
    """A talent's application (Articles 6, 12); one at a time."""

    __tablename__ = "application"
    __table_args__ = (
        Index(
            "uq_application_identity",
            "identity_digest",
            unique=True,
            sqlite_where=_OPEN_APPLICATION,
            postgresql_where=_OPEN_APPLICATION,
        ),
        Index(
            "uq_application_undecided",
            "talent_id",
            unique=True,
            sqlite_where=_UNDECIDED,
            postgresql_where=_UNDECIDED,
        ),
        Index("ix_application_worklist", "state", "submitted_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(Enum(Purpose, native_enum=False, length=8))
    state: Mapped[ApplicationState] = mapped_column(Enum(ApplicationState, native_enum=False, length=16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON of what was entered so far."""
    identity_digest: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of the identity document; None while a draft."""
    begun_at: Mapped[datetime] = mapped_column(Instant)
    submitted_at: Mapped[datetime | None] = mapped_column(Instant)
    """The last time."""
    due_on: Mapped[date | None] = mapped_column()
    """Last day for the office to answer; None while it is not the office's turn."""
    reviewer_id: Mapped[str | None] = mapped_column(String(32))
    """Account of whoever took it up."""


class ApplicationStep(Base):
    """One step of an application, with who took it, why, and what it stands on."""

    __tablename__ = "application_step"

    application_id: Mapped[str] = mapped_column(ForeignKey("application.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 1."""
    state: Mapped[ApplicationState] = mapped_column(Enum(ApplicationState, native_enum=False, length=16))
    """The state after it."""
    account_id: Mapped[str] = mapped_column(String(32))
    organisation_id: Mapped[str] = mapped_column(String(66))
    """Empty for the talent's own steps."""
    role: Mapped[Role] = mapped_column(Enum(Role, native_enum=False, length=32))
    at: Mapped[datetime] = mapped_column("taken_at", Instant)
    version_id: Mapped[str | None] = mapped_column(ForeignKey("instrument_version.id"))
    """Version of the measures, and its article, on which a decision stands; None for what is none."""
    article: Mapped[int | None] = mapped_column()
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """JSON of the reason or the defects, for the talent; None where there is nothing to say."""


class DocumentKind(StrEnum):
    """What an uploaded document proves."""

    IDENTITY = "IDENTITY"
    WORK_IN_AREA = "WORK_IN_AREA"
    GRADUATION = "GRADUATION"
    RECOGNITION = "RECOGNITION"
    ECONOMIC_CONTRIBUTION = "ECONOMIC_CONTRIBUTION"
    INNOVATION = "INNOVATION"


class ApplicationDocument(Base):
    """One document of an application, sealed; its name is its kind."""

    __tablename__ = "application_document"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    application_id: Mapped[str] = mapped_column(ForeignKey("application.id"), index=True)
    kind: Mapped[DocumentKind] = mapped_column(Enum(DocumentKind, native_enum=False, length=32))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column()
    """Bytes before sealing."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime] = mapped_column(Instant)


class TierRecognition(Base):
    """One recognition of a tier (Article 7); all are kept, whatever becomes of them."""

    __tablename__ = "tier_recognition"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), index=True)
    tier: Mapped[Tier] = mapped_column(Enum(Tier, native_enum=False, length=16))
    state: Mapped[RecognitionState] = mapped_column(Enum(RecognitionState, native_enum=False, length=16))
    starts_on: Mapped[date] = mapped_column()
    """YOUTH: first verified day of work or registration in the area. Else: the day of the recognition."""
    valid_through: Mapped[date | None] = mapped_column(index=True)
    """Last day; None for one without a term."""
    application_id: Mapped[str | None] = mapped_column(String(32))
    """The application by which it was claimed; its documents prove it."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON of body, number and date of the certificate."""
    claimed_at: Mapped[datetime] = mapped_column(Instant)
    verified_by: Mapped[str | None] = mapped_column(String(32))
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    confirmed_by: Mapped[str | None] = mapped_column(String(32))
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was adjusted, expired or revoked."""

    @property
    def fact(self) -> Recognition:
        """What the effective tier is computed from."""
        return Recognition(self.tier, self.state, self.starts_on, self.valid_through)


class RecognitionStep(Base):
    """One step of a recognition, with who took it, why, and what it stands on."""

    __tablename__ = "recognition_step"

    recognition_id: Mapped[str] = mapped_column(ForeignKey("tier_recognition.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 1."""
    state: Mapped[RecognitionState] = mapped_column(Enum(RecognitionState, native_enum=False, length=16))
    """The state after it."""
    account_id: Mapped[str | None] = mapped_column(String(32))
    """Who took it; None for what the date brought."""
    at: Mapped[datetime] = mapped_column("taken_at", Instant)
    version_id: Mapped[str | None] = mapped_column(ForeignKey("instrument_version.id"))
    article: Mapped[int | None] = mapped_column()
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """JSON of the reason and of the documents that prove it; None for what the date brought."""


class CodeState(StrEnum):
    """Where a talent code stands (domain specification §1.2)."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    REVIEW_OVERDUE = "REVIEW_OVERDUE"
    TERMINATED = "TERMINATED"
    CANCELLED = "CANCELLED"


class TalentCode(Base):
    """A talent code. The database lets a person have one that has not ended, whatever accounts he opens."""

    __tablename__ = "talent_code"
    __table_args__ = (
        Index(
            "uq_talent_code_identity",
            "identity_digest",
            unique=True,
            sqlite_where=_LIVE_CODE,
            postgresql_where=_LIVE_CODE,
        ),
        Index(
            "uq_talent_code_talent",
            "talent_id",
            unique=True,
            sqlite_where=_LIVE_CODE,
            postgresql_where=_LIVE_CODE,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), index=True)
    code_ref: Mapped[bytes] = mapped_column(LargeBinary(8), unique=True)
    """8 random bytes that tokens carry; says nothing about the person and is never used again."""
    identity_digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[CodeState] = mapped_column(Enum(CodeState, native_enum=False, length=16))
    tier: Mapped[Tier] = mapped_column(Enum(Tier, native_enum=False, length=16))
    """The effective tier, which the code is marked with (Article 12)."""
    issued_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was terminated or cancelled; None while it lives."""


class CodeStep(Base):
    """One change of a code's state."""

    __tablename__ = "code_step"

    code_id: Mapped[str] = mapped_column(ForeignKey("talent_code.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[CodeState] = mapped_column(Enum(CodeState, native_enum=False, length=16))
    """The state after it."""
    at: Mapped[datetime] = mapped_column("taken_at", Instant)
    account_id: Mapped[str | None] = mapped_column(String(32))
    """Who brought it about; None for what the date brought."""
    cause: Mapped[str | None] = mapped_column(String(32))
    """Id of the application, case or review behind it; None for the holder's own wish."""


class TierChange(Base):
    """A change of a code's effective tier (Article 12), with its evidence."""

    __tablename__ = "tier_change"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    code_id: Mapped[str] = mapped_column(ForeignKey("talent_code.id"), index=True)
    before: Mapped[Tier | None] = mapped_column("tier_before", Enum(Tier, native_enum=False, length=16))
    """None for the first."""
    after: Mapped[Tier] = mapped_column("tier_after", Enum(Tier, native_enum=False, length=16))
    at: Mapped[datetime] = mapped_column("changed_at", Instant)
    record_id: Mapped[str] = mapped_column(ForeignKey("evidence_record.id"), index=True)


class IdentityBar(Base):
    """Until when a person may not apply again (Article 14, false materials)."""

    __tablename__ = "identity_bar"

    identity_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    until: Mapped[date] = mapped_column("until_day")
    """First day on which he may."""
    cause: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Id of the termination case."""


class AccessPurpose(StrEnum):
    """Why somebody of an office or another body opened what is known of a person."""

    APPLICATION_REVIEW = "APPLICATION_REVIEW"
    RECOGNITION_CONFIRMATION = "RECOGNITION_CONFIRMATION"
    CARD_DELIVERY = "CARD_DELIVERY"
    REVIEW = "REVIEW"
    CORRECTION = "CORRECTION"
    OBJECTION = "OBJECTION"
    CASE = "CASE"
    AUDIT = "AUDIT"
    COUNTER_PHOTO = "COUNTER_PHOTO"
    """The photo was looked at beside the person at a counter."""
    COUNTER_FIELDS = "COUNTER_FIELDS"
    """A partner read at its counter what it is consented to read."""
    OFFLINE_PROOF = "OFFLINE_PROOF"
    """An offline proof was looked at, with masked surname and tier."""


class TalentAccess(Base):
    """One opening of a person's data by somebody else; the person sees all of them."""

    __tablename__ = "talent_access"
    __table_args__ = (Index("ix_talent_access_of_talent", "talent_id", "opened_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"))
    at: Mapped[datetime] = mapped_column("opened_at", Instant)
    account_id: Mapped[str] = mapped_column(String(32))
    organisation_id: Mapped[str] = mapped_column(String(66))
    role: Mapped[Role] = mapped_column(Enum(Role, native_enum=False, length=32))
    purpose: Mapped[AccessPurpose] = mapped_column(Enum(AccessPurpose, native_enum=False, length=32))
    groups: Mapped[str] = mapped_column("field_groups", String(200))
    """Values of FieldGroup, sorted, parted by one space."""
    application_id: Mapped[str | None] = mapped_column(String(32))
    """The application that was opened; None when it was the fields themselves."""
    document_id: Mapped[str | None] = mapped_column(String(32))
    """The document that was opened; None when it was what had been entered."""
    grant_id: Mapped[str | None] = mapped_column(String(32))
    """The auditor's grant under which it was opened; None for the office's own work."""


class NoticeAcceptance(Base):
    """That a talent was shown a version of the privacy notice and accepted it."""

    __tablename__ = "notice_acceptance"

    talent_id: Mapped[str] = mapped_column(ForeignKey("talent.id"), primary_key=True)
    version: Mapped[str] = mapped_column("notice_version", String(16), primary_key=True)
    accepted_at: Mapped[datetime] = mapped_column(Instant)


class RegisterKind(StrEnum):
    """Which numbers another office shares."""

    GRADUATION_CERTIFICATE = "GRADUATION_CERTIFICATE"


class SharedRegister(Base):
    """A number that another office knows as valid: its keyed digest, never the number."""

    __tablename__ = "shared_register"

    kind: Mapped[RegisterKind] = mapped_column(
        Enum(RegisterKind, native_enum=False, length=32), primary_key=True
    )
    number_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    imported_at: Mapped[datetime] = mapped_column(Instant)
    imported_by: Mapped[str] = mapped_column(String(32))
    """Account of the bureau's person, or `console`."""
