"""The stored transactions: what is in flight, what is in a block, and the steps between.

Every step is one guarded write: it names the state it expects and changes nothing when another worker was
first. Acts and the log's high-water marks move in the same write as the transaction that carries them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.anchoring import epochs
from talentseal.anchoring.models import ChainEpoch, ChainTransaction, Lane, TransactionState
from talentseal.chain.port import Receipt, SignedTransaction
from talentseal.db import Database
from talentseal.evidence.models import ActState, LogProgress, RegistryAct

IN_A_BLOCK = (TransactionState.MINED, TransactionState.REVERTED, TransactionState.FINAL)
EFFECTIVE = (TransactionState.MINED, TransactionState.FINAL)


@dataclass(frozen=True, slots=True)
class Carried:
    """What a transaction is for: the head (size, root) that it anchors, or the act that it carries."""

    size: int | None
    root: bytes | None
    act_id: str | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A signed transaction about to be stored, and what it is for."""

    epoch_id: int
    lane: Lane
    attempt: int
    signed: SignedTransaction
    payload: bytes
    carried: Carried


def in_flight(session: Session, epoch_id: int, lane: Lane) -> list[ChainTransaction]:
    """All candidates of the lane's lowest unsettled nonce, first candidate first."""
    unsettled = (
        ChainTransaction.epoch_id == epoch_id,
        ChainTransaction.lane == lane,
        ChainTransaction.state == TransactionState.SIGNED,
    )
    lowest = select(func.min(ChainTransaction.nonce)).where(*unsettled).scalar_subquery()
    query = select(ChainTransaction).where(*unsettled, ChainTransaction.nonce == lowest)
    return list(session.scalars(query.order_by(ChainTransaction.attempt)))


def next_nonce(session: Session, epoch_id: int, sender: str) -> int | None:
    """One more than the highest nonce stored for the sender in this epoch; None when there is none."""
    highest = session.scalar(
        select(func.max(ChainTransaction.nonce)).where(
            ChainTransaction.epoch_id == epoch_id, ChainTransaction.sender == sender
        )
    )
    return None if highest is None else highest + 1


def store(database: Database, prepared: Prepared, *, now: datetime) -> bool:
    """Store signed bytes so that they may be sent; False when another worker or act took the place first."""

    def write(session: Session) -> bool:
        if prepared.attempt == 0 and in_flight(session, prepared.epoch_id, prepared.lane):
            return False
        if prepared.carried.act_id is not None and not _submit_act(session, prepared, now):
            return False
        session.add(_row(prepared, now))
        session.flush()
        return True

    try:
        return database.write(write)
    except IntegrityError:
        # The unique constraint decided between two workers; what was signed here is dropped unsent.
        return False


def _submit_act(session: Session, prepared: Prepared, now: datetime) -> bool:
    act = session.get(RegistryAct, prepared.carried.act_id, with_for_update=True)
    expected = ActState.QUEUED if prepared.attempt == 0 else ActState.SUBMITTED
    if act is None or act.state is not expected:
        return False
    act.state, act.updated_at = ActState.SUBMITTED, now
    act.transaction_hash = prepared.signed.hash
    return True


def _row(prepared: Prepared, now: datetime) -> ChainTransaction:
    signed = prepared.signed
    return ChainTransaction(
        epoch_id=prepared.epoch_id,
        hash=signed.hash,
        lane=prepared.lane,
        sender=signed.sender,
        nonce=signed.nonce,
        attempt=prepared.attempt,
        raw=signed.raw,
        payload=prepared.payload,
        gas=signed.gas,
        max_fee_wei=signed.fees.max_fee_wei,
        priority_fee_wei=signed.fees.priority_fee_wei,
        size=prepared.carried.size,
        root=prepared.carried.root,
        act_id=prepared.carried.act_id,
        state=TransactionState.SIGNED,
        signed_at=now,
        next_send_at=now,
    )


def candidates(session: Session, one: ChainTransaction) -> list[ChainTransaction]:
    """All stored transactions of one nonce in its epoch, locked."""
    query = select(ChainTransaction).where(
        ChainTransaction.epoch_id == one.epoch_id,
        ChainTransaction.sender == one.sender,
        ChainTransaction.nonce == one.nonce,
    )
    return list(session.scalars(query.order_by(ChainTransaction.attempt).with_for_update()))


def settle(session: Session, mined: ChainTransaction, receipt: Receipt, *, now: datetime) -> None:
    """A candidate is in a block: it is MINED or REVERTED, the others of its nonce are superseded."""
    for row in candidates(session, mined):
        if row.state is not TransactionState.SIGNED:
            continue
        if row.hash != receipt.transaction_hash:
            row.state = TransactionState.SUPERSEDED
            continue
        row.state = TransactionState.MINED if receipt.succeeded else TransactionState.REVERTED
        row.block_number, row.block_hash, row.mined_at = receipt.block_number, receipt.block_hash, now
        _move_act(session, row, ActState.MINED if receipt.succeeded else ActState.QUEUED, now)
    session.flush()
    recount(session, mined.epoch_id)


def finalise(session: Session, hashes: Sequence[str], epoch_id: int, *, now: datetime) -> None:
    """The blocks of these transactions are final."""
    rows = session.scalars(
        select(ChainTransaction)
        .where(
            ChainTransaction.epoch_id == epoch_id,
            ChainTransaction.hash.in_(hashes),
            ChainTransaction.state == TransactionState.MINED,
        )
        .with_for_update()
    )
    for row in rows:
        row.state, row.final_at = TransactionState.FINAL, now
        _move_act(session, row, ActState.FINAL, now)
    session.flush()
    recount(session, epoch_id)


def unsettle(session: Session, hashes: Sequence[str], epoch_id: int, *, now: datetime) -> None:
    """The blocks of these transactions are gone: the same bytes are to be sent again, at once."""
    lost = session.scalars(
        select(ChainTransaction).where(
            ChainTransaction.epoch_id == epoch_id, ChainTransaction.hash.in_(hashes)
        )
    ).all()
    for one in lost:
        had_effect = one.state in EFFECTIVE
        for row in candidates(session, one):
            row.state, row.next_send_at, row.sends = TransactionState.SIGNED, now, 0
            row.block_number = row.block_hash = row.mined_at = row.final_at = None
            row.reorganisations += 1
        if had_effect:
            _move_act(session, one, ActState.SUBMITTED, now)
    session.flush()
    recount(session, epoch_id)


def displace(session: Session, nonce_of: ChainTransaction, *, now: datetime) -> None:
    """Something else used the nonce: its candidates can never be mined, and what they carried is wanted
    again.
    """
    for row in candidates(session, nonce_of):
        if row.state is TransactionState.SIGNED:
            row.state = TransactionState.SUPERSEDED
            _move_act(session, row, ActState.QUEUED, now)
    session.flush()


def former_candidates(session: Session, nonce_of: ChainTransaction) -> list[ChainTransaction]:
    """What earlier epochs on the same chain signed for the same nonce."""
    query = (
        select(ChainTransaction)
        .join(ChainEpoch, ChainEpoch.id == ChainTransaction.epoch_id)
        .where(
            ChainTransaction.epoch_id != nonce_of.epoch_id,
            ChainTransaction.sender == nonce_of.sender,
            ChainTransaction.nonce == nonce_of.nonce,
        )
    )
    return list(session.scalars(query))


def sent(session: Session, row: ChainTransaction, reply: str, *, again_at: datetime) -> None:
    """Note that the bytes went out once more, and when to send them again if they are in no block by then."""
    session.execute(
        update(ChainTransaction)
        .where(ChainTransaction.epoch_id == row.epoch_id, ChainTransaction.hash == row.hash)
        .values(sends=ChainTransaction.sends + 1, next_send_at=again_at, last_reply=reply)
    )


def surprised(session: Session, row: ChainTransaction, *, now: datetime) -> datetime:
    """Since when the nonce is known to be used by something else; `now` when that is news."""
    met = session.get(ChainTransaction, (row.epoch_id, row.hash))
    if met is None:
        return now
    met.surprised_at = met.surprised_at or now
    session.flush()
    return met.surprised_at


def last_signed_at(session: Session, epoch_id: int, lane: Lane) -> datetime | None:
    """When the lane last signed a first candidate in this epoch."""
    return session.scalar(
        select(func.max(ChainTransaction.signed_at)).where(
            ChainTransaction.epoch_id == epoch_id,
            ChainTransaction.lane == lane,
            ChainTransaction.attempt == 0,
        )
    )


def _move_act(session: Session, row: ChainTransaction, state: ActState, now: datetime) -> None:
    if row.act_id is None:
        return
    act = session.get(RegistryAct, row.act_id, with_for_update=True)
    if act is None:
        return
    if state is ActState.QUEUED:
        # A reverted or displaced transaction; by then the act may have been carried by another or refused.
        if act.state is ActState.SUBMITTED:
            act.state, act.updated_at, act.transaction_hash = state, now, None
        return
    act.state, act.updated_at, act.reason = state, now, ""
    act.transaction_hash, act.block_number, act.block_hash = row.hash, row.block_number, row.block_hash


def recount(session: Session, epoch_id: int) -> None:
    """Set the log's high-water marks to what this epoch's transactions show."""
    epochs.move_progress(
        session,
        _highest(session, epoch_id, EFFECTIVE),
        _highest(session, epoch_id, (TransactionState.FINAL,)),
    )


def _highest(session: Session, epoch_id: int, states: Sequence[TransactionState]) -> int:
    size = session.scalar(
        select(func.max(ChainTransaction.size)).where(
            ChainTransaction.epoch_id == epoch_id, ChainTransaction.state.in_(states)
        )
    )
    return size or 0


def marks(session: Session) -> tuple[int, int]:
    """(anchored size, final size) as recorded."""
    row = session.get(LogProgress, 1)
    return (0, 0) if row is None else (row.anchored_size, row.final_size)


def in_blocks(session: Session, epoch_id: int, *, offset: int, limit: int) -> list[ChainTransaction]:
    """Transactions that are in a block, newest block first, a page at a time."""
    query = (
        select(ChainTransaction)
        .where(ChainTransaction.epoch_id == epoch_id, ChainTransaction.state.in_(IN_A_BLOCK))
        .order_by(ChainTransaction.block_number.desc(), ChainTransaction.hash)
    )
    return list(session.scalars(query.offset(offset).limit(limit)))


def mined(session: Session, epoch_id: int) -> list[ChainTransaction]:
    """Transactions in a block that is not final yet, oldest first."""
    query = select(ChainTransaction).where(
        ChainTransaction.epoch_id == epoch_id, ChainTransaction.state == TransactionState.MINED
    )
    return list(session.scalars(query.order_by(ChainTransaction.block_number)))


def reverts_in_a_row(
    session: Session, epoch_id: int, lane: Lane, act_id: str | None, *, after: datetime | None, limit: int
) -> int:
    """How many of the lane's last transactions reverted one after the other, up to `limit`.

    act_id: counts only those that carried this act, when given; after: only those signed later, when given.
    """
    query = select(ChainTransaction.state).where(
        ChainTransaction.epoch_id == epoch_id,
        ChainTransaction.lane == lane,
        ChainTransaction.state.in_(IN_A_BLOCK),
    )
    if act_id is not None:
        query = query.where(ChainTransaction.act_id == act_id)
    if after is not None:
        query = query.where(ChainTransaction.signed_at > after)
    states = session.scalars(query.order_by(ChainTransaction.nonce.desc()).limit(limit)).all()
    return next(
        (place for place, state in enumerate(states) if state is not TransactionState.REVERTED), len(states)
    )
