"""Rewards (Article 17): proposed by one person of the talent office with a reason, decided by another.

No ranking and no closing makes one: 可以 leaves it to the office.
"""

import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from talentseal import evidence
from talentseal.accounts.roles import Actor, Permission
from talentseal.contributions.events import RewardDecided
from talentseal.contributions.models import ContributionStanding, RewardDecision, RewardState
from talentseal.contributions.refusals import NotRanked, OwnReward, RewardNotFound
from talentseal.contributions.schemas import DecideReward, ProposeReward
from talentseal.contributions.states import REWARD


def propose(session: Session, actor: Actor, command: ProposeReward, *, now: datetime) -> RewardDecision:
    """Propose a reward for a third party that stands in a closed quarter. Raises NotPermitted, NotRanked."""
    actor.require(Permission.REWARD_DECIDE)
    if session.get(ContributionStanding, (command.period, command.organisation)) is None:
        raise NotRanked(period=command.period)
    row = RewardDecision(
        id=secrets.token_hex(16),
        organisation_id=command.organisation,
        period=command.period,
        kind=command.kind,
        title=command.title,
        amount_fen=command.amount_fen,
        reason=command.reason,
        state=RewardState.PROPOSED,
        proposed_by=actor.account_id,
        proposed_at=now,
    )
    session.add(row)
    session.flush()
    return row


def decide(
    session: Session, actor: Actor, reward: str, command: DecideReward, *, now: datetime
) -> RewardDecision:
    """Grant it, with evidence of kind 61, or decline it.

    Raises NotPermitted, RewardNotFound, TransitionRefused, OwnReward.
    """
    actor.require(Permission.REWARD_DECIDE)
    row = session.get(RewardDecision, reward, with_for_update=True, populate_existing=True)
    if row is None:
        raise RewardNotFound
    after = RewardState.GRANTED if command.grant else RewardState.DECLINED
    REWARD.require(row.state, after)
    if row.proposed_by == actor.account_id:
        raise OwnReward
    row.state, row.decided_by, row.decided_at, row.decision = after, actor.account_id, now, command.reason
    if command.grant:
        row.record_id = evidence.record(session, _told(row, command.reason), now=now).id
    session.flush()
    return row


def _told(row: RewardDecision, decision: str) -> RewardDecided:
    return RewardDecided(
        reward=row.id,
        organisation=row.organisation_id,
        period=row.period,
        reward_kind=row.kind,
        title=row.title,
        amount_fen=None if row.amount_fen is None else str(row.amount_fen),
        reason=row.reason,
        decision=decision,
    )
