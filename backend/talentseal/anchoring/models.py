"""Tables of anchoring: chain epochs, signed transactions, the condition of the chain and of each lane."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from talentseal.db import Base, Instant


class Lane(StrEnum):
    """A sender key and what it carries. One transaction of a lane is in flight at a time."""

    ANCHOR = "ANCHOR"
    REGISTRAR = "REGISTRAR"
    ARBITER = "ARBITER"


class TransactionState(StrEnum):
    """Where a signed transaction stands."""

    SIGNED = "SIGNED"
    """Its bytes are stored and may have been sent, any number of times; it is in no block that we know."""
    MINED = "MINED"
    REVERTED = "REVERTED"
    """In a block, without effect but for the nonce it used."""
    FINAL = "FINAL"
    SUPERSEDED = "SUPERSEDED"
    """Another candidate of the same nonce was mined."""
    ABANDONED = "ABANDONED"
    """Its epoch was closed before it was mined; it is never sent again."""


class Scope(StrEnum):
    """What a condition is about: the chain as a whole or one lane."""

    CHAIN = "CHAIN"
    ANCHOR = "ANCHOR"
    REGISTRAR = "REGISTRAR"
    ARBITER = "ARBITER"


class Condition(StrEnum):
    """How chain or lane are. UNREACHABLE and PAUSED end by themselves, FORKED and STOPPED by an operator's
    `resume`.

    CHAIN_RESET ends with a new epoch, or when the very chain that was lost is back with all that was anchored
    on it.
    """

    OK = "OK"
    UNREACHABLE = "UNREACHABLE"
    PAUSED = "PAUSED"
    CHAIN_RESET = "CHAIN_RESET"
    FORKED = "FORKED"
    STOPPED = "STOPPED"


class ChainEpoch(Base):
    """One chain identity under which the log was anchored; the newest is the open one. See
    `port.ChainIdentity`.
    """

    __tablename__ = "chain_epoch"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """1, 2, 3 …: two operators opening at once collide here."""
    chain_id: Mapped[int] = mapped_column(BigInteger)
    genesis_hash: Mapped[str] = mapped_column(String(66))
    contract: Mapped[str] = mapped_column(String(42))
    code_hash: Mapped[str] = mapped_column(String(66))
    deployment_id: Mapped[str] = mapped_column(String(66))
    deployment_block_hash: Mapped[str] = mapped_column(String(66))
    deployment_block_number: Mapped[int] = mapped_column(BigInteger)
    predecessor: Mapped[str] = mapped_column(String(66))
    """Hash of the former epoch's identity; zeros for the first."""
    opened_at: Mapped[datetime] = mapped_column(Instant)
    opened_by: Mapped[str] = mapped_column(String(64))
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    record_id: Mapped[str] = mapped_column(ForeignKey("evidence_record.id"))
    """The log's own entry about the opening."""


class ChainTransaction(Base):
    """Signed bytes, stored before they are sent. Candidates of one nonce differ in their price only.

    The unique constraint is what keeps two workers from putting two payloads on one nonce: whoever stores
    first wins, and what the other signed is dropped unsent.
    """

    __tablename__ = "chain_transaction"
    __table_args__ = (
        UniqueConstraint("epoch_id", "sender", "nonce", "attempt", name="uq_chain_transaction_candidate"),
        Index("ix_chain_transaction_state", "epoch_id", "state", "lane"),
        Index("ix_chain_transaction_block", "epoch_id", "block_number"),
        Index("ix_chain_transaction_head", "epoch_id", "size"),
    )

    epoch_id: Mapped[int] = mapped_column(ForeignKey("chain_epoch.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(66), primary_key=True)
    lane: Mapped[Lane] = mapped_column(Enum(Lane, native_enum=False, length=16))
    sender: Mapped[str] = mapped_column(String(42))
    nonce: Mapped[int] = mapped_column(BigInteger)
    attempt: Mapped[int] = mapped_column(Integer)
    """0 for the first candidate of a nonce, one more with each raised price."""
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    gas: Mapped[int] = mapped_column(BigInteger)
    max_fee_wei: Mapped[int] = mapped_column(BigInteger)
    priority_fee_wei: Mapped[int | None] = mapped_column(BigInteger)
    size: Mapped[int | None] = mapped_column(BigInteger)
    """Entries under the head it anchors; None for an act."""
    root: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    act_id: Mapped[str | None] = mapped_column(ForeignKey("registry_act.id"), index=True)
    state: Mapped[TransactionState] = mapped_column(Enum(TransactionState, native_enum=False, length=16))
    signed_at: Mapped[datetime] = mapped_column(Instant)
    sends: Mapped[int] = mapped_column(Integer, default=0)
    next_send_at: Mapped[datetime] = mapped_column(Instant)
    last_reply: Mapped[str] = mapped_column(Text, default="")
    """The node's words at the last send, for the operator; nothing is decided on them."""
    surprised_at: Mapped[datetime | None] = mapped_column(Instant)
    """When its nonce was first seen used by something else."""
    block_number: Mapped[int | None] = mapped_column(BigInteger)
    block_hash: Mapped[str | None] = mapped_column(String(66))
    mined_at: Mapped[datetime | None] = mapped_column(Instant)
    final_at: Mapped[datetime | None] = mapped_column(Instant)
    reorganisations: Mapped[int] = mapped_column(Integer, default=0)


class ChainState(Base):
    """The condition of the chain and of each lane; a scope without a row is OK."""

    __tablename__ = "chain_state"

    scope: Mapped[Scope] = mapped_column(Enum(Scope, native_enum=False, length=16), primary_key=True)
    condition: Mapped[Condition] = mapped_column(Enum(Condition, native_enum=False, length=16))
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(Instant)
