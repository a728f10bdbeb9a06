"""A use that its holder denies, or not in that amount: it waits for the decision of his complaint, and no
settlement takes it in meanwhile (domain specification §1.2).
"""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.redemptions.models import Redemption, RedemptionState
from talentseal.redemptions.reversing import Part, undo
from talentseal.redemptions.service import terms_of
from talentseal.redemptions.states import MOVES

UPHELD: Final = "投诉成立（complaint upheld）"
"""The reason of a reversal that follows from a decision."""


def dispute(session: Session, redemption: str) -> None:
    """Let it wait. One that lies in a settlement stays in it: what comes back counts in the next.

    Raises TransitionRefused for one that is not completed, came back whole, or waits already.
    """
    row = _held(session, redemption)
    if row.state is not RedemptionState.SETTLED:
        MOVES.require(row.state, RedemptionState.DISPUTED)
        row.state = RedemptionState.DISPUTED


def let_stand(session: Session, redemption: str) -> None:
    """It waits no more and counts as it did before. Nothing happens to one that does not wait."""
    row = _held(session, redemption)
    if row.state is RedemptionState.DISPUTED:
        row.state = RedemptionState.PARTIALLY_REVERSED if row.reversed_units else RedemptionState.COMPLETED


def undo_rest(session: Session, actor: Actor, redemption: str, *, now: datetime) -> None:
    """Reverse what has not come back yet, by whoever decided so; nothing when all has."""
    row = _held(session, redemption)
    if left := row.quantity - row.reversed_units:
        undo(session, row, terms_of(session, row), Part(left, UPHELD), by=actor.account_id, now=now)


def _held(session: Session, redemption: str) -> Redemption:
    return session.get_one(Redemption, redemption, with_for_update=True, populate_existing=True)
