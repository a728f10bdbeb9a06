"""The log's signed heads, where each stands on the chain, and how the log has grown: for everyone."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple

from pydantic import BaseModel, Field
from sqlalchemy import BindParameter, Row, Select, bindparam, func, select
from sqlalchemy.orm import Session

from sealproof import cosignature, note
from sealproof.errors import ProofError
from sealproof.note import ED25519, Signature, VerifierKey, key_id_of
from talentseal.anchoring import ledger
from talentseal.anchoring.models import ChainEpoch, ChainTransaction, Lane
from talentseal.clock import SHANGHAI
from talentseal.db import Instant, only_row, rows
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


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest checkpoints first, the largest head that the open epoch's chain holds, and when the log's
    first checkpoint was signed; None before it.
    """

    checkpoints: CheckpointPage
    anchor: AnchorView | None
    began: datetime | None


class _Head(NamedTuple):
    size: int
    root: bytes
    signed_at: datetime


_SIZE: Final[BindParameter[int]] = bindparam("size")
_NEWEST_HEADS: Final = (
    select(CheckpointRow.size, CheckpointRow.root, CheckpointRow.signed_at)
    .order_by(CheckpointRow.size.desc())
    .limit(bindparam("limit"))
)
_NEWEST_AND_FIRST: Final = _NEWEST_HEADS.add_columns(
    select(CheckpointRow.signed_at)
    .order_by(CheckpointRow.size)
    .limit(1)
    .correlate(None)
    .scalar_subquery()
    .label("began")
)
_HEADS: Final = _NEWEST_HEADS.where(CheckpointRow.size < bindparam("before"))

# Without the signed bytes, which are long.
_ANCHORED: Final = (
    select(
        ChainTransaction.size,
        ChainEpoch.id,
        ChainEpoch.chain_id,
        ChainEpoch.contract,
        ChainTransaction.block_number,
        ChainTransaction.block_hash,
        ChainTransaction.hash,
        ChainTransaction.mined_at,
        ChainTransaction.final_at,
    )
    .join(ChainEpoch, ChainEpoch.id == ChainTransaction.epoch_id)
    .where(ChainTransaction.lane == Lane.ANCHOR, ChainTransaction.state.in_(ledger.EFFECTIVE))
)
"""The heads that are in a block of their epoch's chain, as an AnchorView has them."""
_OF_EPOCH: Final = (
    _ANCHORED.where(ChainTransaction.epoch_id == bindparam("epoch"), ChainTransaction.size >= _SIZE)
    .order_by(ChainTransaction.size)
    .limit(1)
)
_OF_OPEN_EPOCH: Final = _ANCHORED.where(
    ChainTransaction.epoch_id == select(func.max(ChainEpoch.id)).correlate(None).scalar_subquery()
)
_FROM: Final = (
    _OF_OPEN_EPOCH.where(ChainTransaction.size >= _SIZE)
    .order_by(ChainTransaction.size)
    .limit(bindparam("limit"))
)
_LAST: Final = _OF_OPEN_EPOCH.order_by(ChainTransaction.size.desc()).limit(1)
Anchored = Row[*tuple[Any, ...]]
"""What is found by one of these."""

_EPOCHS: Final = select(ChainEpoch.id).order_by(ChainEpoch.id.desc())


def page(session: Session, *, before: int | None, limit: int) -> CheckpointPage:
    """Up to `limit` checkpoints, newest first, of fewer than `before` entries."""
    found = (
        rows(session, _NEWEST_HEADS, limit=limit + 1)
        if before is None
        else rows(session, _HEADS, limit=limit + 1, before=before)
    )
    return _page(session, found, limit)[0]


def newest(session: Session, limit: int) -> Newest:
    """Up to `limit` checkpoints, and how the log stands."""
    found = rows(session, _NEWEST_AND_FIRST, limit=limit + 1)
    shown, anchors, is_whole = _page(session, found, limit)
    anchor = _anchor(anchors[-1]) if anchors and is_whole else last_anchor(session)
    return Newest(shown, anchor, found[0].began if found else None)


def _page(
    session: Session, found: Sequence[Row[*tuple[Any, ...]]], limit: int
) -> tuple[CheckpointPage, Sequence[Anchored], bool]:
    """A page, the open epoch's anchors of its heads, and whether those are all from its last head on."""
    heads = [_Head(each.size, each.root, each.signed_at) for each in found[:limit]]
    if not heads:
        return CheckpointPage(items=[], before=None), [], True
    anchors, is_whole = _anchors(session, heads[-1].size, len(heads))
    more = heads[-1].size if len(found) > limit else None
    return CheckpointPage(items=_views(session, heads, anchors), before=more), anchors, is_whole


def _views(session: Session, heads: Sequence[_Head], anchors: Sequence[Anchored]) -> list[CheckpointView]:
    log = status.log_sizes(session)
    sizes = [anchor.size for anchor in anchors]
    places = [bisect_left(sizes, head.size) for head in heads]
    made = {place: _anchor(anchors[place]) for place in set(places) if place < len(anchors)}
    return [
        CheckpointView(
            size=head.size,
            root=bytes(head.root).hex(),
            signed_at=head.signed_at,
            state=log.state_at(head.size - 1),
            anchor=made.get(place),
        )
        for head, place in zip(heads, places, strict=True)
    ]


def _anchors(session: Session, low: int, count: int) -> tuple[Sequence[Anchored], bool]:
    """The open epoch's anchors of `low` entries and more, smallest first: enough for `count` checkpoints.
    And whether there are no others.
    """
    # An anchor is that of a checkpoint; a few more, because a head may have been anchored twice.
    limit = 2 * count + 8
    found = rows(session, _FROM, size=low, limit=limit)
    return found, len(found) < limit


def _anchor(found: Anchored) -> AnchorView:
    return AnchorView(
        size=found.size,
        epoch=found.id,
        chain_id=found.chain_id,
        contract=found.contract,
        block_number=found.block_number,
        block_hash=found.block_hash,
        transaction_hash=found.hash,
        mined_at=found.mined_at,
        final_at=found.final_at,
    )


def last_anchor(session: Session) -> AnchorView | None:
    """The largest head that the open epoch's chain holds; None before the first."""
    found = only_row(session, _LAST)
    return None if found is None else _anchor(found)


def note_of(session: Session, size: int) -> str:
    """The signed note of the checkpoint of exactly `size` entries. Raises CheckpointNotFound."""
    found = session.scalar(select(CheckpointRow.note).where(CheckpointRow.size == size))
    if found is None:
        raise CheckpointNotFound(size=size)
    return found


_SIZES: Final = select(CheckpointRow.size).limit(1)
_CHECKPOINT: Final = select(
    CheckpointRow.size,
    CheckpointRow.root,
    CheckpointRow.signed_at,
    CheckpointRow.note,
    _SIZES.where(CheckpointRow.size < _SIZE)
    .order_by(CheckpointRow.size.desc())
    .correlate(None)
    .scalar_subquery()
    .label("previous"),
    _SIZES.where(CheckpointRow.size > _SIZE)
    .order_by(CheckpointRow.size)
    .correlate(None)
    .scalar_subquery()
    .label("next"),
).where(CheckpointRow.size == _SIZE)


def checkpoint(session: Session, size: int, key: VerifierKey) -> CheckpointDetail:
    """All about the checkpoint of exactly `size` entries. key: the log's own. Raises CheckpointNotFound."""
    found = only_row(session, _CHECKPOINT, size=size)
    if found is None:
        raise CheckpointNotFound(size=size)
    anchors = _anchors_of_every_epoch(session, size)
    return CheckpointDetail(
        size=found.size,
        root=bytes(found.root).hex(),
        signed_at=found.signed_at,
        state=status.log_sizes(session).state_at(size - 1),
        anchor=anchors[0] if anchors else None,
        note=found.note,
        signers=signers_of(found.note, key),
        anchors=anchors,
        previous=found.previous,
        next=found.next,
    )


def _anchors_of_every_epoch(session: Session, size: int) -> list[AnchorView]:
    """The first anchor of each epoch that covers `size` entries, newest epoch first."""
    return [
        _anchor(each)
        for (epoch,) in rows(session, _EPOCHS)
        for each in rows(session, _OF_EPOCH, epoch=epoch, size=size)
    ]


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


def growth(session: Session, began: datetime | None, *, now: datetime) -> Growth:
    """The last 30 days; of a young log the last 24 hours. began: see `Newest`."""
    return by_hour(session, now=now) if began is None or now - began < YOUNG else _by_day(session, now=now)


def by_hour(session: Session, *, now: datetime) -> Growth:
    """The last 24 hours, the present one included."""
    this = now.astimezone(SHANGHAI).replace(minute=0, second=0, microsecond=0)
    return _growth(session, Step.HOUR, [this - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)])


def _by_day(session: Session, *, now: datetime) -> Growth:
    today = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return _growth(session, Step.DAY, [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)])


def _growth(session: Session, step: Step, begins: Sequence[datetime]) -> Growth:
    at = {f"at_{place}": each for place, each in enumerate(begins)}
    ((*sizes,),) = rows(session, _sizes(len(begins)), **at)
    met = [size or 0 for size in sizes]
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
