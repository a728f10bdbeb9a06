"""The log's signed heads, where each stands on the chain, and how the log has grown: for everyone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple

from pydantic import BaseModel, Field
from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import Session

from sealproof import cosignature, note
from sealproof.errors import ProofError
from sealproof.note import ED25519, Signature, VerifierKey, key_id_of
from talentseal.anchoring import epochs, ledger
from talentseal.anchoring.models import ChainEpoch, ChainTransaction, Lane
from talentseal.clock import SHANGHAI
from talentseal.db import Instant
from talentseal.errors import NotFound
from talentseal.evidence import status
from talentseal.evidence.models import CheckpointRow
from talentseal.evidence.status import RecordState

DAYS: Final = 30
HOURS: Final = 24
YOUNG: Final = timedelta(days=2)
"""A log younger than this is shown by the hour."""


class CheckpointNotFound(NotFound):
    code: ClassVar[str] = "checkpoint-not-found"
    zh: ClassVar[str] = "没有恰好 {size} 条的检查点。检查点只在封存时产生，请从检查点列表中选取。"
    en: ClassVar[str] = (
        "No checkpoint has exactly {size} entries: one is made at each sealing. Choose one from the list."
    )


class AnchorView(BaseModel):
    """Where a head of the log stands on a chain."""

    size: int = Field(description="Entries under the anchored head; it covers every smaller checkpoint")
    epoch: int
    chain_id: int
    contract: str
    block_number: int
    block_hash: str
    transaction_hash: str
    mined_at: datetime
    final_at: datetime | None = Field(description="Null while the block is not final")


class CheckpointView(BaseModel):
    """A signed head of the log."""

    size: int
    root: str = Field(description="64 hex digits")
    signed_at: datetime
    state: RecordState
    anchor: AnchorView | None = Field(description="Its own anchor or the first later one; null without any")


class CheckpointPage(BaseModel):
    """Checkpoints, newest first."""

    items: list[CheckpointView]
    before: int | None = Field(description="Ask for the next page with this; null at the end")


class SignerKind(StrEnum):
    """Who put a line under a checkpoint: the log's key, the same key with a time, or someone else."""

    LOG = "LOG"
    LOG_TIME = "LOG_TIME"
    OTHER = "OTHER"


class SignerView(BaseModel):
    """One signature line of a note."""

    name: str
    key_id: str = Field(description="8 hex digits")
    kind: SignerKind
    signed_at: datetime | None = Field(description="The signed time of a timestamped cosignature")


class CheckpointDetail(CheckpointView):
    """A checkpoint with all that there is about it."""

    note: str = Field(description="The signed note (C2SP)")
    signers: list[SignerView]
    anchors: list[AnchorView] = Field(description="Of every epoch, newest first")
    previous: int | None
    next: int | None


class Step(StrEnum):
    """How long a period of the growth is."""

    HOUR = "HOUR"
    DAY = "DAY"


@dataclass(frozen=True, slots=True)
class Period:
    """One hour or day of Shanghai's clock. added: entries sealed in it. size: entries at its end, or now."""

    begins: datetime
    added: int
    size: int


@dataclass(frozen=True, slots=True)
class Growth:
    """Periods of one length, oldest first; the last one is not over yet."""

    step: Step
    periods: tuple[Period, ...]


class _Head(NamedTuple):
    size: int
    root: bytes
    signed_at: datetime


_HEAD: Final = (CheckpointRow.size, CheckpointRow.root, CheckpointRow.signed_at)
_ANCHOR: Final = (
    ChainTransaction.size,
    ChainTransaction.block_number,
    ChainTransaction.block_hash,
    ChainTransaction.hash,
    ChainTransaction.mined_at,
    ChainTransaction.final_at,
)
"""Without the signed bytes, which are long."""


def page(session: Session, *, before: int | None, limit: int) -> CheckpointPage:
    """Up to `limit` checkpoints, newest first, of fewer than `before` entries."""
    query = select(*_HEAD)
    if before is not None:
        query = query.where(CheckpointRow.size < before)
    query = query.order_by(CheckpointRow.size.desc()).limit(limit + 1)
    rows = [_Head(*row) for row in session.execute(query)]
    shown = rows[:limit]
    more = shown[-1].size if len(rows) > limit else None
    return CheckpointPage(items=_views(session, shown), before=more)


def _views(session: Session, rows: Sequence[_Head]) -> list[CheckpointView]:
    if not rows:
        return []
    log = status.log_sizes(session)
    anchors = _anchors(session, rows[-1].size, len(rows))
    return [
        CheckpointView(
            size=row.size,
            root=bytes(row.root).hex(),
            signed_at=row.signed_at,
            state=log.state_at(row.size - 1),
            anchor=next((anchor for anchor in anchors if anchor.size >= row.size), None),
        )
        for row in rows
    ]


def _anchors(session: Session, low: int, count: int) -> list[AnchorView]:
    """The open epoch's anchors of `low` entries and more, smallest first: enough for `count` checkpoints."""
    epoch = epochs.newest(session)
    if epoch is None:
        return []
    # An anchor is that of a checkpoint; a few more, because a head may have been anchored twice.
    query = _anchored(epoch).where(ChainTransaction.size >= low).order_by(ChainTransaction.size)
    return [_anchor(row, epoch) for row in session.execute(query.limit(2 * count + 8))]


def _anchored(epoch: ChainEpoch) -> Select[*tuple[Any, ...]]:
    """The heads that are in a block of the epoch's chain."""
    return select(*_ANCHOR).where(
        ChainTransaction.epoch_id == epoch.id,
        ChainTransaction.lane == Lane.ANCHOR,
        ChainTransaction.state.in_(ledger.EFFECTIVE),
    )


def _anchor(row: Row[Any], epoch: ChainEpoch) -> AnchorView:
    return AnchorView(
        size=row.size,
        epoch=epoch.id,
        chain_id=epoch.chain_id,
        contract=epoch.contract,
        block_number=row.block_number,
        block_hash=row.block_hash,
        transaction_hash=row.hash,
        mined_at=row.mined_at,
        final_at=row.final_at,
    )


def last_anchor(session: Session) -> AnchorView | None:
    """The largest head that the open epoch's chain holds; None before the first."""
    epoch = epochs.newest(session)
    if epoch is None:
        return None
    newest = _anchored(epoch).order_by(ChainTransaction.size.desc()).limit(1)
    row = session.execute(newest).one_or_none()
    return None if row is None else _anchor(row, epoch)


def note_of(session: Session, size: int) -> str:
    """The signed note of the checkpoint of exactly `size` entries. Raises CheckpointNotFound."""
    found = session.scalar(select(CheckpointRow.note).where(CheckpointRow.size == size))
    if found is None:
        raise CheckpointNotFound(size=size)
    return found


def checkpoint(session: Session, size: int, key: VerifierKey) -> CheckpointDetail:
    """All about the checkpoint of exactly `size` entries. key: the log's own. Raises CheckpointNotFound."""
    row = session.execute(select(*_HEAD, CheckpointRow.note).where(CheckpointRow.size == size)).one_or_none()
    if row is None:
        raise CheckpointNotFound(size=size)
    anchors = _anchors_of_every_epoch(session, size)
    previous, following = _beside(session, size)
    return CheckpointDetail(
        size=row.size,
        root=bytes(row.root).hex(),
        signed_at=row.signed_at,
        state=status.log_sizes(session).state_at(size - 1),
        anchor=anchors[0] if anchors else None,
        note=row.note,
        signers=signers_of(row.note, key),
        anchors=anchors,
        previous=previous,
        next=following,
    )


def _beside(session: Session, size: int) -> tuple[int | None, int | None]:
    """The sizes of the checkpoints before and after."""
    sizes = select(CheckpointRow.size).limit(1)
    before = sizes.where(CheckpointRow.size < size).order_by(CheckpointRow.size.desc())
    after = sizes.where(CheckpointRow.size > size).order_by(CheckpointRow.size)
    row = session.execute(
        select(before.scalar_subquery().label("before"), after.scalar_subquery().label("after"))
    ).one()
    return row.before, row.after


def _anchors_of_every_epoch(session: Session, size: int) -> list[AnchorView]:
    """The first anchor of each epoch that covers `size` entries, newest epoch first."""
    found = []
    for epoch in session.scalars(select(ChainEpoch).order_by(ChainEpoch.id.desc())):
        query = _anchored(epoch).where(ChainTransaction.size >= size)
        row = session.execute(query.order_by(ChainTransaction.size).limit(1)).one_or_none()
        if row is not None:
            found.append(_anchor(row, epoch))
    return found


def signers_of(text: str, key: VerifierKey) -> list[SignerView]:
    """Whose lines stand under a note. Nothing is verified here: that is for whoever reads it."""
    return [_signer(text, signature, key) for signature in note.split_note(text)[1]]


def _signer(text: str, signature: Signature, key: VerifierKey) -> SignerView:
    kinds = {
        key_id_of(key.name, ED25519, key.public): SignerKind.LOG,
        key_id_of(key.name, cosignature.COSIGNATURE, key.public): SignerKind.LOG_TIME,
    }
    kind = kinds.get(signature.key_id, SignerKind.OTHER) if signature.name == key.name else SignerKind.OTHER
    at = _signed_at(text, key) if kind is SignerKind.LOG_TIME else None
    return SignerView(name=signature.name, key_id=signature.key_id.hex(), kind=kind, signed_at=at)


def _signed_at(text: str, key: VerifierKey) -> datetime | None:
    try:
        return cosignature.read(text, key)
    except ProofError:
        return None


def newest_sizes(session: Session, limit: int) -> list[int]:
    """Sizes of the newest checkpoints, largest first."""
    query = select(CheckpointRow.size).order_by(CheckpointRow.size.desc()).limit(limit)
    return list(session.scalars(query))


def nearest_size(session: Session, size: int) -> int | None:
    """The largest checkpoint of at most `size` entries, else the smallest there is; None before the first."""
    sizes = select(CheckpointRow.size).limit(1)
    at_most = sizes.where(CheckpointRow.size <= size).order_by(CheckpointRow.size.desc())
    return session.scalar(at_most) or session.scalar(sizes.order_by(CheckpointRow.size))


def growth(session: Session, *, now: datetime) -> Growth:
    """The last 30 days; of a young log the last 24 hours."""
    first = session.scalar(select(CheckpointRow.signed_at).order_by(CheckpointRow.size).limit(1))
    is_young = first is None or now - first < YOUNG
    return by_hour(session, now=now) if is_young else _by_day(session, now=now)


def by_hour(session: Session, *, now: datetime) -> Growth:
    """The last 24 hours, the present one included."""
    this = now.astimezone(SHANGHAI).replace(minute=0, second=0, microsecond=0)
    return _growth(session, Step.HOUR, [this - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)])


def _by_day(session: Session, *, now: datetime) -> Growth:
    today = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return _growth(session, Step.DAY, [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)])


def _growth(session: Session, step: Step, begins: Sequence[datetime]) -> Growth:
    at = {f"at_{place}": each for place, each in enumerate(begins)}
    met = [size or 0 for size in session.execute(_sizes(len(begins)), at).one()]
    periods = [
        Period(each, after - size, after) for each, size, after in zip(begins, met, met[1:], strict=False)
    ]
    return Growth(step, tuple(periods))


@cache
def _sizes(count: int) -> Select[Any]:
    """The log's size before each of `count` times and now: one seek in the index for each."""
    sizes = select(CheckpointRow.size).order_by(CheckpointRow.signed_at.desc(), CheckpointRow.size.desc())
    before = [
        sizes.where(CheckpointRow.signed_at < bindparam(f"at_{place}", type_=Instant)).limit(1)
        for place in range(count)
    ]
    columns = [
        each.scalar_subquery().label(f"size_{place}") for place, each in enumerate([*before, sizes.limit(1)])
    ]
    return select(*columns)
