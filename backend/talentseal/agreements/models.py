"""Tables of agreements: versions, parties, stipulations, signatures, terminations, documents.

The state of a version is not stored: it follows from these rows, the registry act and the date (`states.py`).
Content columns are nullable because erasure empties them; every digest and signature stays.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
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

from talentseal.db import Base, Instant


class Category(StrEnum):
    """What an agreement is about (measures, Arts. 4, 17–20)."""

    FINANCIAL_BENEFIT = "FINANCIAL_BENEFIT"
    CONSUMPTION_BENEFIT = "CONSUMPTION_BENEFIT"
    SCENARIO = "SCENARIO"
    HOST_BANK = "HOST_BANK"
    OPERATOR_MANDATE = "OPERATOR_MANDATE"
    CONCESSION = "CONCESSION"
    OTHER = "OTHER"


class StatementKind(StrEnum):
    """Which typed structure a set of signatures covers."""

    AGREEMENT = "AGREEMENT"
    TERMINATION = "TERMINATION"


class Document(Base):
    """A submitted document: its digests always, its bytes only encrypted and only if the partner left it."""

    __tablename__ = "agreement_document"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    sm3: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes."""
    media_type: Mapped[str] = mapped_column(String(100))
    nonce: Mapped[bytes | None] = mapped_column(LargeBinary(12))
    ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    """AES-256-GCM with the tag at the end. None when only digests were submitted, or after erasure."""
    created_at: Mapped[datetime] = mapped_column(Instant)


class AgreementVersion(Base):
    """One version of an agreement and the statement that its parties sign."""

    __tablename__ = "agreement_version"
    __table_args__ = (
        # A returned version frees its number: the contract counts concluded versions only.
        Index(
            "uq_agreement_version_live",
            "agreement_id",
            "version",
            unique=True,
            sqlite_where=text("returned_at IS NULL"),
            postgresql_where=text("returned_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    agreement_id: Mapped[str] = mapped_column(String(66), index=True)
    """0x and 64 hex digits: 32 random bytes, the same for all versions."""
    version: Mapped[int] = mapped_column()
    """From 1, without gaps among those not returned."""
    previous_id: Mapped[str | None] = mapped_column(
        ForeignKey("agreement_version.id", deferrable=True, initially="IMMEDIATE")
    )
    """The version that this one amends; None for version 1."""
    submission_key: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 over submitter, document, parties, previous version and chain: the same submission comes once.

    Returning a version replaces it, so that a corrected submission of the same document is admitted.
    """
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 over the whole submission: tells a repetition from a different one under the same key."""
    submitter_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    submitted_by: Mapped[str] = mapped_column(String(32))
    number: Mapped[str | None] = mapped_column(String(100))
    title: Mapped[str | None] = mapped_column(String(200))
    category: Mapped[Category] = mapped_column(Enum(Category, native_enum=False, length=32))
    effective_from: Mapped[date] = mapped_column()
    """First day in force, Asia/Shanghai."""
    valid_through: Mapped[date] = mapped_column()
    """Last day in force, Asia/Shanghai."""
    survives_instrument: Mapped[bool] = mapped_column(default=False)
    """Whether its terms say that what it grants goes on when the instrument has expired."""
    document_id: Mapped[str] = mapped_column(ForeignKey("agreement_document.id"))
    terms: Mapped[str] = mapped_column(Text)
    """Exact terms text; its SHA-256 is the commitment."""
    terms_disclosures: Mapped[str | None] = mapped_column(Text)
    """JSON array of the terms' RFC 9901 disclosures; None after erasure."""
    statement: Mapped[str] = mapped_column(Text)
    """JSON object of the typed statement, as in bundles."""
    digest: Mapped[str] = mapped_column(String(66), unique=True)
    """EIP-712 digest: the key of this version on the contract."""
    chain_id: Mapped[int] = mapped_column(BigInteger)
    contract: Mapped[str] = mapped_column(String(42))
    deadline: Mapped[datetime] = mapped_column(Instant)
    """The contract takes the signatures until then."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    submitted_at: Mapped[datetime | None] = mapped_column(Instant)
    """None while a draft."""
    signed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the last signature came; None until then."""
    returned_at: Mapped[datetime | None] = mapped_column(Instant)
    return_reason: Mapped[str | None] = mapped_column(String(500))
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    """Evidence of kind 10 or 11; None until all have signed."""
    erased_at: Mapped[datetime | None] = mapped_column(Instant)


class AgreementParty(Base):
    """One party of one version, in the order of the statement (ascending by organisation)."""

    __tablename__ = "agreement_party"

    version_id: Mapped[str] = mapped_column(
        ForeignKey("agreement_version.id", ondelete="CASCADE"), primary_key=True
    )
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column()
    signatory_role: Mapped[str] = mapped_column(String(100))
    signer: Mapped[str] = mapped_column(String(42))
    """The address that must sign for this party."""
    nonce: Mapped[int] = mapped_column(BigInteger)


class Stipulation(Base):
    """One duty under a version, committed by the statement's stipulations root."""

    __tablename__ = "stipulation"
    __table_args__ = (UniqueConstraint("version_id", "position"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("agreement_version.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column()
    """Index of the leaf, from 0, in clause order."""
    disclosure: Mapped[str | None] = mapped_column(Text)
    """RFC 9901 disclosure that holds clause, duty holder, tiers, measure, period, threshold and remedy."""
    leaf_hash: Mapped[str] = mapped_column(String(64))
    """Hex of the RFC 9162 leaf hash of the disclosure."""
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)
    """Evidence of kind 20; None until all have signed."""


class AgreementTermination(Base):
    """The parties' termination of one version; in effect once all have signed and the contract has it."""

    __tablename__ = "agreement_termination"

    version_id: Mapped[str] = mapped_column(ForeignKey("agreement_version.id"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    terms: Mapped[str] = mapped_column(Text)
    terms_disclosures: Mapped[str | None] = mapped_column(Text)
    statement: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(66), unique=True)
    effective_at: Mapped[datetime] = mapped_column(Instant)
    deadline: Mapped[datetime] = mapped_column(Instant)
    proposed_by: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    signed_at: Mapped[datetime | None] = mapped_column(Instant)
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"), index=True)


class StatementSignature(Base):
    """One party's EIP-712 signature over a statement, checked on receipt."""

    __tablename__ = "statement_signature"

    digest: Mapped[str] = mapped_column(String(66), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    kind: Mapped[StatementKind] = mapped_column(Enum(StatementKind, native_enum=False, length=16))
    signer: Mapped[str] = mapped_column(String(42))
    signature: Mapped[str] = mapped_column(String(132))
    """0x and 65 bytes: r, s, v."""
    received_by: Mapped[str] = mapped_column(String(32))
    received_at: Mapped[datetime] = mapped_column(Instant)
