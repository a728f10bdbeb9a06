"""Where the log stands on the chain, for bundles, for /readyz and for /metrics."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talentseal.anchoring import conditions, epochs, ledger
from talentseal.anchoring.conditions import Standing
from talentseal.anchoring.models import ChainTransaction, Scope, TransactionState
from talentseal.chain.port import ChainIdentity
from talentseal.evidence.models import ActState, RegistryAct


@dataclass(frozen=True, slots=True)
class AnchoredHead:
    """A head of the log in a block of the open epoch's chain: all that a bundle says about its anchor."""

    size: int
    root: bytes
    identity: ChainIdentity
    block_number: int
    block_hash: str
    transaction_hash: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class ChainStatus:
    """The chain's side at one moment; `epoch` None before the first was opened."""

    epoch: int | None
    standings: dict[Scope, Standing]
    in_flight: int
    oldest_in_flight: datetime | None
    queued_acts: int
    refused_acts: int


def anchored_head(session: Session, index: int, *, must_be_final: bool = False) -> AnchoredHead | None:
    """The smallest anchored head over the entry `index` (from 0); None while there is none, or in a reset
    chain.
    """
    epoch = epochs.newest(session)
    anchored, final = ledger.marks(session)
    if epoch is None or index >= (final if must_be_final else anchored):
        return None
    states = (TransactionState.FINAL,) if must_be_final else ledger.EFFECTIVE
    row = session.scalars(
        select(ChainTransaction)
        .where(
            ChainTransaction.epoch_id == epoch.id,
            ChainTransaction.size > index,
            ChainTransaction.state.in_(states),
        )
        .order_by(ChainTransaction.size, ChainTransaction.nonce)
        .limit(1)
    ).one_or_none()
    if row is None or row.size is None or row.root is None:
        return None
    return AnchoredHead(
        row.size,
        bytes(row.root),
        epochs.identity_of(epoch),
        row.block_number or 0,
        row.block_hash or "",
        row.hash,
        row.state is TransactionState.FINAL,
    )


def chain_status(session: Session) -> ChainStatus:
    """Conditions and counts; reads the database only, so it answers while the chain is away."""
    epoch = epochs.newest(session)
    flying, oldest = session.execute(
        select(func.count(), func.min(ChainTransaction.signed_at)).where(
            ChainTransaction.state == TransactionState.SIGNED
        )
    ).one()
    return ChainStatus(
        epoch=None if epoch is None else epoch.id,
        standings=conditions.all_standings(session),
        in_flight=flying,
        oldest_in_flight=oldest,
        queued_acts=_acts(session, ActState.QUEUED),
        refused_acts=_acts(session, ActState.REFUSED),
    )


def _acts(session: Session, state: ActState) -> int:
    return session.scalar(select(func.count()).where(RegistryAct.state == state)) or 0
