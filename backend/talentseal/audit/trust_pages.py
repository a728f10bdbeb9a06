"""The trust statement: who holds which key, which chain this is, and what the log does not prove."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from sealproof.trust import FinalityPolicy
from talentseal.accounts.access import Db, Now
from talentseal.anchoring import epochs
from talentseal.anchoring.models import ChainEpoch, ChainTransaction, Lane
from talentseal.audit.api import Desk
from talentseal.audit.proofs import Notary
from talentseal.chain.port import Chain, ChainUnavailable, Holders
from talentseal.config import ChainType
from talentseal.db import Database, rows
from talentseal.web.pages import Pages

log = structlog.get_logger(__name__)

KEPT: Final = timedelta(seconds=60)
"""How long the chain's answer is shown before it is asked again, however many people look."""

api = APIRouter(tags=["log"])
pages = APIRouter(prefix="/trust", include_in_schema=False)


class LogKeyView(BaseModel):
    """The log's Ed25519 key."""

    verifier_key: str = Field(description="C2SP: name, key id, key")
    key_id: str = Field(description="8 hex digits")
    public_key: str = Field(description="64 hex digits")


class FinalityView(BaseModel):
    """When a block counts as final. depth: blocks on top, 0 but for the policy `depth`."""

    policy: FinalityPolicy
    depth: int


class EpochView(BaseModel):
    """A chain and contract that the log was or is anchored on."""

    epoch: int
    chain_id: int
    genesis_hash: str
    contract: str
    code_hash: str
    deployment_id: str
    deployment_block_number: int
    deployment_block_hash: str
    predecessor: str = Field(description="Hash of the former epoch's identity; zeros for the first")
    identity_hash: str = Field(description="Hash of this epoch's identity, which the next one names")
    opened_at: datetime
    closed_at: datetime | None


class TrustStatement(BaseModel):
    """Whom and what a verifier relies on, as this service says; compare it with what you have elsewhere."""

    origin: str
    chain_type: ChainType
    log_key: LogKeyView
    finality: FinalityView
    epochs: list[EpochView] = Field(description="Newest first")
    senders: dict[Lane, str] = Field(description="Addresses that this service sends its transactions from")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the chain said, and when. holders: None when it did not answer."""

    holders: Holders | None
    at: datetime


@dataclass(slots=True)
class RoleHolders:
    """Asks the chain who holds its roles, at most once in KEPT. Set as part of `app.state.trust`.

    chain: that of the newest epoch; None before the first.
    """

    chain: Callable[[], Chain | None]
    _asking: threading.Lock = field(default_factory=threading.Lock)
    _last: Answer | None = None

    def now(self, now: datetime) -> Answer:
        """The last answer while it is fresh, else a new one."""
        with self._asking:
            if self._last is None or now - self._last.at >= KEPT:
                self._last = Answer(self._ask(), now)
            return self._last

    def _ask(self) -> Holders | None:
        try:
            chain = self.chain()
            return chain.holders() if chain else None
        except ChainUnavailable as silence:
            log.warning("trust.chain-silent", why=str(silence))
            return None


@dataclass(frozen=True, slots=True)
class TrustDesk:
    """Set as `app.state.trust`. lone: SHA-256 of the verification page as one file, in hex."""

    chain_type: ChainType
    holders: RoleHolders
    lone: str


async def _trust_desk(request: Request) -> TrustDesk:
    desk: TrustDesk = request.app.state.trust
    return desk


TrustOf = Annotated[TrustDesk, Depends(_trust_desk)]


_EPOCHS: Final = select(ChainEpoch).order_by(ChainEpoch.id.desc())


def statement(session: Session, notary: Notary, chain_type: ChainType) -> TrustStatement:
    """What there is to say without asking the chain."""
    known = session.scalars(_EPOCHS).all()
    key = notary.key
    return TrustStatement(
        origin=key.name,
        chain_type=chain_type,
        log_key=LogKeyView(verifier_key=str(key), key_id=key.key_id.hex(), public_key=key.public.hex()),
        finality=FinalityView(policy=notary.finality.policy, depth=notary.finality.depth),
        epochs=[_epoch(each) for each in known],
        senders=_senders(session, known[0].id) if known else {},
    )


def _epoch(row: ChainEpoch) -> EpochView:
    return EpochView(
        epoch=row.id,
        chain_id=row.chain_id,
        genesis_hash=row.genesis_hash,
        contract=row.contract,
        code_hash=row.code_hash,
        deployment_id=row.deployment_id,
        deployment_block_number=row.deployment_block_number,
        deployment_block_hash=row.deployment_block_hash,
        predecessor=row.predecessor,
        identity_hash=epochs.identity_hash(epochs.identity_of(row)),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )


_SENDER: Final = (
    select(ChainTransaction.sender)
    .where(
        ChainTransaction.epoch_id == bindparam("epoch"),
        ChainTransaction.lane == bindparam("lane"),
        ChainTransaction.block_number.is_not(None),
    )
    .order_by(ChainTransaction.block_number.desc())
    .limit(1)
)


def _senders(session: Session, epoch_id: int) -> dict[Lane, str]:
    """Each lane's sender of late, as far as it has sent anything that is in a block."""
    return {lane: sender for lane in Lane for (sender,) in rows(session, _SENDER, epoch=epoch_id, lane=lane)}


@api.get("/trust")
def get_trust(database: Db, desk: Desk, trust: TrustOf) -> TrustStatement:
    """Log key, chain, contract, finality and epochs, as this service states them."""
    return _read(database, desk.notary, trust)


@pages.get("")
def page(request: Request, database: Db, desk: Desk, trust: TrustOf) -> Response:
    """The trust statement in words."""
    site: Pages = request.app.state.pages
    met = _read(database, desk.notary, trust)
    return site.render(request, "trust/page.html", met=met, answer=None, lone=trust.lone)


@pages.get("/holders")
def holders(request: Request, database: Db, desk: Desk, trust: TrustOf, now: Now) -> Response:
    """Who holds the contract's roles, asked of the chain after the page is there."""
    site: Pages = request.app.state.pages
    answer = trust.holders.now(now)
    met = _read(database, desk.notary, trust)
    if request.headers.get("hx-request") == "true":
        return site.fragment(request, "trust/page.html", "holders", met=met, answer=answer)
    return site.render(request, "trust/page.html", met=met, answer=answer, lone=trust.lone)


def _read(database: Database, notary: Notary, trust: TrustDesk) -> TrustStatement:
    return database.read(lambda session: statement(session, notary, trust.chain_type))
