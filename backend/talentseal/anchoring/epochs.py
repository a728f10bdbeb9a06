"""Chain epochs: which chain and contract the log is anchored on, and the operator's step to another.

A chain's identity is {chain id, genesis hash, contract, code hash, deployment id, deployment block hash}.
When the chain that answers is another, shorter or wiped one, anchoring stops with CHAIN_RESET and nothing is
repaired. `open_epoch` goes on from there:

- The new epoch names the hash of the former identity, in the database, in the log (an entry of its own) and,
since the contract is deployed with it as `predecessor`, on the chain.
- The whole log is anchored anew: the first anchor of the epoch covers every entry so far.
- Keys are carried again, so that organisations can sign under the new contract.
- Agreements that were final stay as they are: their signatures bind the former chain id and contract
(EIP-712), so nobody, the service included, can carry them again. What re-anchors them is their entry in the
log. Acts that were not final yet are refused with `EpochClosed`: their parties sign anew.
- On the *same* chain and contract (a node that came back with an older state) signatures still hold: every
act whose block is gone is queued again; the contract takes a repetition as a no-op.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from sealproof import canonical
from sealproof.eip712 import Domain
from talentseal import evidence
from talentseal.anchoring import conditions
from talentseal.anchoring.models import (
    ChainEpoch,
    ChainState,
    ChainTransaction,
    Condition,
    Scope,
    TransactionState,
)
from talentseal.chain.port import ZERO_HASH, Chain, ChainIdentity
from talentseal.db import Database
from talentseal.errors import Conflict, NotFound, Unavailable
from talentseal.evidence import Event
from talentseal.evidence.models import ActKind, ActState, LogProgress, RegistryAct

KEY_ACTS = (ActKind.SET_KEY, ActKind.REVOKE_KEY)
EPOCH_CLOSED = "EpochClosed"


class NoEpochOpen(Unavailable):
    code = "no-chain-epoch"
    zh = "尚未开启链上纪元，请由运营机构完成合约部署后再试。"
    en = "No chain epoch is open yet; the operator has to deploy the registry first."


class EpochNotFound(NotFound):
    code = "epoch-not-found"
    zh = "没有第 {epoch} 纪元。请运行 talentseal chain status 查看现有纪元。"
    en = "There is no epoch {epoch}; talentseal chain status names the one that is open."


class DeploymentMismatch(Conflict):
    code = "deployment-mismatch"
    zh = "链上实际情况与部署记录不符（{parts}），未开启新纪元。请核对 RPC 地址与部署文件。"
    en = "The chain differs from the deployment record in {parts}; no epoch was opened. Check RPC and record."


class PredecessorMismatch(Conflict):
    code = "predecessor-mismatch"
    zh = "新合约记载的前一纪元为 {met}，应为 {expected}。请以该值作为 predecessor 重新部署合约。"
    en = "The contract names predecessor {met} instead of {expected}; deploy it again with that predecessor."


class EpochStillOpen(Conflict):
    code = "epoch-still-open"
    zh = "纪元 {epoch} 已绑定该部署且链上记录完好，无需开启新纪元。"
    en = "Epoch {epoch} is bound to this deployment and nothing on it is known to be lost; none is needed."


@dataclass(frozen=True, slots=True)
class ChainEpochOpened(Event):
    """The log is anchored under this identity from now on; `predecessor` is the former identity's hash."""

    kind: ClassVar[int] = 92
    epoch: int
    chain_id: int
    genesis_hash: str
    contract: str
    code_hash: str
    deployment_id: str
    deployment_block_hash: str
    predecessor: str
    opened_by: str


def current(session: Session) -> ChainEpoch:
    """The open epoch. Raises NoEpochOpen."""
    epoch = newest(session)
    if epoch is None:
        raise NoEpochOpen
    return epoch


def newest(session: Session) -> ChainEpoch | None:
    """The open epoch; None before the first."""
    return session.scalars(select(ChainEpoch).order_by(ChainEpoch.id.desc()).limit(1)).one_or_none()


def of_domain(session: Session, domain: Domain) -> ChainEpoch | None:
    """The newest epoch in which signatures for that contract hold; None when there was none."""
    found = select(ChainEpoch).where(
        ChainEpoch.chain_id == domain.chain_id, ChainEpoch.contract == domain.contract
    )
    return session.scalars(found.order_by(ChainEpoch.id.desc()).limit(1)).one_or_none()


def numbered(session: Session, number: int) -> ChainEpoch:
    """The epoch of that number. Raises EpochNotFound."""
    epoch = session.get(ChainEpoch, number)
    if epoch is None:
        raise EpochNotFound(epoch=number)
    return epoch


def identity_of(epoch: ChainEpoch) -> ChainIdentity:
    """The identity that an epoch is bound to."""
    return ChainIdentity(
        chain_id=epoch.chain_id,
        genesis_hash=epoch.genesis_hash,
        contract=epoch.contract,
        code_hash=epoch.code_hash,
        deployment_id=epoch.deployment_id,
        deployment_block_hash=epoch.deployment_block_hash,
    )


def domain_of(epoch: ChainEpoch) -> Domain:
    """The EIP-712 domain under which parties sign in this epoch."""
    return Domain(epoch.chain_id, epoch.contract)


def identity_hash(identity: ChainIdentity) -> str:
    """0x SHA-256 of the identity as canonical JSON: what the next contract is deployed with as
    `predecessor`.
    """
    return "0x" + hashlib.sha256(canonical.encode(asdict(identity))).hexdigest()


def open_epoch(
    database: Database,
    chain: Chain,
    deployment: ChainIdentity,
    deployment_block: int,
    actor: str,
    *,
    now: datetime,
) -> int:
    """Bind the log to the deployment that `chain` shows, and anchor everything anew; the epoch's number.

    chain: connected to that deployment. deployment: what the deployer recorded. actor: account id of the
    operator. Raises
    DeploymentMismatch, PredecessorMismatch, EpochStillOpen, ChainUnavailable; then nothing has changed.
    """
    differences = deployment.differences(chain.identity())
    if differences:
        raise DeploymentMismatch(parts=", ".join(differences))
    former = database.read(newest)
    expected = identity_hash(identity_of(former)) if former else ZERO_HASH
    is_same_contract = former is not None and identity_of(former) == deployment
    if not is_same_contract and chain.predecessor() != expected:
        raise PredecessorMismatch(met=chain.predecessor(), expected=expected)
    lost = _lost_acts(database, chain)
    epoch = _Opening(deployment, deployment_block, expected, actor, now)

    def write(session: Session) -> int:
        before = newest(session)
        number = 1 if before is None else before.id + 1
        is_lost = conditions.standing(session, Scope.CHAIN).condition is Condition.CHAIN_RESET
        if before is not None and identity_of(before) == deployment and not is_lost:
            raise EpochStillOpen(epoch=before.id)
        epoch.insert(session, number)
        if before is not None:
            _close(session, before, deployment, lost, now)
        _start_over(session)
        return number

    return database.write(write)


@dataclass(frozen=True, slots=True)
class _Opening:
    """What a new epoch's row and entry say."""

    identity: ChainIdentity
    deployment_block: int
    predecessor: str
    actor: str
    now: datetime

    def insert(self, session: Session, number: int) -> None:
        parts = asdict(self.identity)
        event = ChainEpochOpened(epoch=number, predecessor=self.predecessor, opened_by=self.actor, **parts)
        recorded = evidence.record(session, event, now=self.now)
        session.add(
            ChainEpoch(
                id=number,
                deployment_block_number=self.deployment_block,
                predecessor=self.predecessor,
                opened_at=self.now,
                opened_by=self.actor,
                record_id=recorded.id,
                **parts,
            )
        )
        session.flush()


def _lost_acts(database: Database, chain: Chain) -> frozenset[str]:
    """Ids of carried acts whose block is not on the chain that answers now."""

    def carried(session: Session) -> Sequence[tuple[str, int, str | None]]:
        rows = session.execute(
            select(RegistryAct.id, RegistryAct.block_number, RegistryAct.block_hash)
            .where(RegistryAct.block_number.is_not(None))
            .order_by(RegistryAct.block_number.desc())
        )
        return [(row[0], int(row[1] or 0), row[2]) for row in rows]

    lost = set()
    for act_id, number, block_hash in database.read(carried):
        block = chain.block(number)
        if block is not None and block.hash == block_hash:
            # Blocks commit to their ancestors: whatever is older is there as well.
            break
        lost.add(act_id)
    return frozenset(lost)


def _close(
    session: Session, former: ChainEpoch, successor: ChainIdentity, lost: frozenset[str], now: datetime
) -> None:
    former.closed_at = now
    session.execute(
        update(ChainTransaction)
        .where(ChainTransaction.epoch_id == former.id, ChainTransaction.state == TransactionState.SIGNED)
        .values(state=TransactionState.ABANDONED)
    )
    is_same_domain = domain_of(former) == Domain(successor.chain_id, successor.contract)
    is_same_contract = identity_of(former) == successor
    for act in session.scalars(select(RegistryAct).where(RegistryAct.state != ActState.REFUSED)):
        if is_same_contract:
            if act.id in lost or act.state is ActState.SUBMITTED:
                _queue_again(act, now)
        elif act.kind in KEY_ACTS:
            _queue_again(act, now)
        elif act.state is not ActState.FINAL:
            if is_same_domain:
                # Same chain id and address after a wipe: the signatures still name this contract.
                _queue_again(act, now)
            else:
                act.state, act.updated_at = ActState.REFUSED, now
                act.reason = f"{EPOCH_CLOSED}(epoch={former.id}, contract={former.contract})"
    session.flush()


def _queue_again(act: RegistryAct, now: datetime) -> None:
    act.state, act.updated_at, act.reason = ActState.QUEUED, now, ""
    act.transaction_hash = act.block_hash = None
    act.block_number = None


def _start_over(session: Session) -> None:
    move_progress(session, 0, 0)
    session.execute(delete(ChainState))


def move_progress(session: Session, anchored_size: int, final_size: int) -> None:
    """Set the log's high-water marks, forward or back."""
    row = session.get(LogProgress, 1)
    if row is None:
        session.add(LogProgress(id=1, anchored_size=anchored_size, final_size=final_size))
    else:
        row.anchored_size, row.final_size = anchored_size, final_size
    session.flush()
