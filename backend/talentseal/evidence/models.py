"""Tables of the evidence core.

`evidence_record`, `checkpoint` are append-only: triggers refuse UPDATE and DELETE, but for the one step in
which a record receives its index. `tile` and the right edge of the tree can be rebuilt from the records;
nothing else can.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Enum, ForeignKey, Index, LargeBinary, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.db import Base, Instant


class EvidenceRecord(Base):
    """One entry of the log, exactly as its leaf commits to it."""

    __tablename__ = "evidence_record"
    __table_args__ = (
        Index(
            "ix_evidence_record_pending",
            "recorded_at",
            "id",
            sqlite_where=text("log_index IS NULL"),
            postgresql_where=text("log_index IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[int] = mapped_column(SmallInteger)
    entry: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    relation: Mapped[str | None] = mapped_column(String(16))
    refers_to: Mapped[str | None] = mapped_column(
        ForeignKey("evidence_record.id", deferrable=True, initially="IMMEDIATE"), index=True
    )
    deadline: Mapped[datetime] = mapped_column(Instant)
    """By when a signed checkpoint must cover the record: what the promise says."""
    log_index: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    """Position in the log; None until the sealer numbers it, then never changed."""


class EvidenceDisclosure(Base):
    """The salted fields behind one record's digests; destroyed on erasure, which leaves every proof as it
    was.
    """

    __tablename__ = "evidence_disclosure"

    record_id: Mapped[str] = mapped_column(ForeignKey("evidence_record.id"), primary_key=True)
    disclosures: Mapped[str | None] = mapped_column(Text)
    """JSON array of RFC 9901 disclosures in the order of the entry's digests; None once erased."""
    erased_at: Mapped[datetime | None] = mapped_column(Instant)


class Tile(Base):
    """Up to 256 hashes of one level of the tree (C2SP tlog-tiles, height 8); only the right edge is
    partial.
    """

    __tablename__ = "tile"

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary(8192))


class CheckpointRow(Base):
    """A signed head of the log, published."""

    __tablename__ = "checkpoint"
    __table_args__ = (Index("ix_checkpoint_signed_at", "signed_at", "size"),)

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    previous_size: Mapped[int] = mapped_column(BigInteger)
    """Size of the checkpoint signed before; 0 for the first. A missing row breaks this chain."""
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[datetime] = mapped_column(Instant)
    """Whole seconds; the same time stands, signed, in the note's timestamped cosignature."""


class SealerCondition(StrEnum):
    """Whether checkpoints are being signed; every state but RUNNING waits for an operator."""

    RUNNING = "RUNNING"
    REWOUND = "REWOUND"
    FORKED = "FORKED"
    CORRUPT = "CORRUPT"
    CLOCK_BEHIND = "CLOCK_BEHIND"


class LogProgress(Base):
    """One row: how far the log's heads have come on the chain, and the sealer's condition."""

    __tablename__ = "log_progress"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, default=1)
    anchored_size: Mapped[int] = mapped_column(BigInteger, default=0)
    """Entries under a head that is in a block; moved by anchoring, back as well as forward."""
    final_size: Mapped[int] = mapped_column(BigInteger, default=0)
    """Entries under a head whose block is final under the network's policy."""
    sealer: Mapped[SealerCondition] = mapped_column(
        Enum(SealerCondition, native_enum=False, length=16), default=SealerCondition.RUNNING
    )
    sealer_reason: Mapped[str] = mapped_column(Text, default="")
    sealer_since: Mapped[datetime | None] = mapped_column(Instant)


class Lease(Base):
    """Who does a single-worker job. `fence` grows with every change of holder and guards that holder's
    writes.
    """

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    fence: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(Instant)


class ActKind(StrEnum):
    """What the registry contract is asked to do."""

    SET_KEY = "SET_KEY"
    REVOKE_KEY = "REVOKE_KEY"
    CONCLUDE = "CONCLUDE"
    AMEND = "AMEND"
    TERMINATE = "TERMINATE"
    RECORD_BREACH = "RECORD_BREACH"
    RESOLVE_BREACH = "RESOLVE_BREACH"


class ActState(StrEnum):
    QUEUED = "QUEUED"
    SUBMITTED = "SUBMITTED"
    MINED = "MINED"
    FINAL = "FINAL"
    REFUSED = "REFUSED"


class RegistryAct(Base):
    """The outbox to the contract: written beside the act that asks for it, carried by anchoring.

    `digest` is unique: the EIP-712 digest of an agreement's statement, the hash of a key's registration, or
    what a breach or its end is called, so that one act is carried once however often it is asked for.
    """

    __tablename__ = "registry_act"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[ActKind] = mapped_column(Enum(ActKind, native_enum=False, length=16))
    digest: Mapped[str] = mapped_column(String(66), unique=True)
    payload: Mapped[str] = mapped_column(Text)
    """JSON: the statements and signatures of a bundle's `agreement`; organisation, address and validity of a
    key; a finding on a stipulation.
    """
    record_id: Mapped[str | None] = mapped_column(ForeignKey("evidence_record.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[ActState] = mapped_column(
        Enum(ActState, native_enum=False, length=16), default=ActState.QUEUED, index=True
    )
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was refused: the contract's error with its values."""
    transaction_hash: Mapped[str | None] = mapped_column(String(66))
    block_number: Mapped[int | None] = mapped_column(BigInteger)
    block_hash: Mapped[str | None] = mapped_column(String(66))
