"""How patient, how generous and how sure: the anchorer's numbers for one network."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sealproof.rpc import Block
from talentseal.anchoring.models import Lane
from talentseal.chain.keys import FEE_CEILING_WEI
from talentseal.chain.port import Call, Chain, Fees
from talentseal.config import FinalityPolicy

BUMP_NUMERATOR, BUMP_DENOMINATOR = 9, 8
"""A replacement pays 12.5 % more on both fields: geth wants 10 %, some clients 12.5 %."""

LANE_FUNCTIONS = {
    Lane.ANCHOR: ("anchor",),
    Lane.REGISTRAR: ("setKey", "revokeKey", "conclude", "amend", "terminate"),
    Lane.ARBITER: ("recordBreach", "resolveBreach"),
}
"""What each lane's key may call: for the senders' signing policy."""


class AlarmKind(StrEnum):
    """What an operator is called for. The worker logs and counts them."""

    CHAIN_UNREACHABLE = "chain-unreachable"
    CHAIN_RESET = "chain-reset"
    CHAIN_RETURNED = "chain-returned"
    FORKED = "forked"
    REORGANISED = "reorganised"
    FINALITY_BROKEN = "finality-broken"
    NONCE_TAKEN = "nonce-taken"
    NONCE_BEHIND = "nonce-behind"
    ROLE_MISSING = "role-missing"
    SIGNING_REFUSED = "signing-refused"
    PAUSED = "paused"
    REVERTED = "reverted"
    ACT_REFUSED = "act-refused"
    UNEXPLAINED = "unexplained"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One reason to call an operator; `detail` holds no personal data and no secret."""

    kind: AlarmKind
    detail: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Defaults suit a development node. depth: blocks above a block before it is final, for the depth policy.

    tag: `finalized` or `safe`, for the tag policy. recheck_blocks: a final block that vanishes deeper than
    this is a chain reset rather than a reorganisation. anchor_every: least time between two anchors.
    """

    finality: FinalityPolicy = FinalityPolicy.INSTANT
    depth: int = 1
    tag: str = "finalized"
    recheck_blocks: int = 64
    anchor_every: timedelta = timedelta(0)
    resend_first: timedelta = timedelta(seconds=1)
    resend_most: timedelta = timedelta(seconds=15)
    bump_after: timedelta = timedelta(seconds=60)
    fee_cap_wei: int = FEE_CEILING_WEI
    stuck_after: timedelta = timedelta(seconds=120)
    surprise_grace: timedelta = timedelta(seconds=5)
    most_reverts: int = 3

    def resend_in(self, sends: int) -> timedelta:
        """Pause after the n-th send (n ≥ 1): doubling from the first to the most."""
        doublings: int = 2 ** min(sends - 1, 16)
        return min(self.resend_first * doublings, self.resend_most)

    def is_final(self, chain: Chain, number: int, latest: Block) -> bool:
        """Whether a canonical block of that number is final. Raises ChainUnavailable."""
        if self.finality is FinalityPolicy.INSTANT:
            return True
        if self.finality is FinalityPolicy.DEPTH:
            return latest.number - number >= self.depth
        tagged = chain.finalized_block(self.tag)
        return tagged is not None and tagged.number >= number

    def raised(self, former: Fees, market: Fees) -> Fees | None:
        """The price of a replacement; None on a free chain or when the cap does not allow the step."""
        if former.is_free:
            return None
        price = max(_step(former.max_fee_wei), market.max_fee_wei)
        if price > self.fee_cap_wei:
            price = self.fee_cap_wei
            if price < _step(former.max_fee_wei):
                return None
        if former.priority_fee_wei is None:
            return Fees(price, None)
        return Fees(price, min(price, max(_step(former.priority_fee_wei), market.priority_fee_wei or 0)))


@dataclass(frozen=True, slots=True)
class Job:
    """What a lane wants done next: a call, and the head (size, root) or the act that it carries."""

    call: Call
    size: int | None = None
    root: bytes | None = None
    act_id: str | None = None


def _step(wei: int) -> int:
    return -(-wei * BUMP_NUMERATOR // BUMP_DENOMINATOR)
