"""How often a code's holder is reviewed (Article 15): by tier, in versions that two persons stand for.

The measures name no period. What the service ships with is the default of the domain specification §1.3:
twelve months for every tier, and thirty days of grace.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.errors import Conflict, NotFound
from talentseal.policy.tiers import Tier
from talentseal.talents.review_models import ReviewTerms
from talentseal.talents.review_schemas import ProposeTerms
from talentseal.talents.terms import corresponding_day

DEFAULT_MONTHS: Final = 12
DEFAULT_GRACE_DAYS: Final = 30
REMINDERS: Final = (30, 7, 0)
"""Days before a review is due on which its holder is reminded."""


class TermsNotFound(NotFound):
    code = "review-terms-not-found"
    zh = "没有第 {number} 版复核周期。请核对版本号。"
    en = "There is no version {number} of the review terms; check the number."


class TermsSettled(Conflict):
    code = "review-terms-settled"
    zh = "第 {number} 版复核周期已经确认，或已有更新的版本，不能再确认。"
    en = "Version {number} of the review terms is approved already, or a newer one is; it cannot be now."


class ProposerApproves(Conflict):
    code = "proposer-approves"
    zh = "提出与确认须由两人分别办理，请由另一账户确认。"
    en = "Whoever proposed it cannot approve it; another account must."


class TermsProposedAtOnce(Conflict):
    code = "review-terms-proposed-at-once"
    zh = "另有人刚提出了新的复核周期，请刷新后再提。"
    en = "Somebody else has just proposed review terms; reload and propose again."


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts today. number: 0 for what the service ships with."""

    number: int
    months: Mapping[Tier, int]
    grace_days: int

    def due_after(self, tier: Tier, counted_from: date) -> date:
        """The day on which the next periodic review is due, from the last one or the code's first day on."""
        return corresponding_day(counted_from, self.months[tier])


DEFAULT: Final = Terms(0, dict.fromkeys(Tier, DEFAULT_MONTHS), DEFAULT_GRACE_DAYS)


def in_force(session: Session) -> Terms:
    """The newest approved terms."""
    query = select(ReviewTerms).where(ReviewTerms.approved_at.is_not(None))
    row = session.scalars(query.order_by(ReviewTerms.number.desc()).limit(1)).one_or_none()
    return DEFAULT if row is None else terms_of(row)


def terms_of(row: ReviewTerms) -> Terms:
    """A stored version. A tier that it does not name, for it did not exist then, has the default."""
    known: dict[str, int] = json.loads(row.months)
    months = {tier: known.get(tier.value, DEFAULT_MONTHS) for tier in Tier}
    return Terms(row.number, months, row.grace_days)


def every(session: Session, actor: Actor) -> list[ReviewTerms]:
    """Every version, the newest first. Raises NotPermitted."""
    actor.require(Permission.REVIEW_DECIDE)
    return list(session.scalars(select(ReviewTerms).order_by(ReviewTerms.number.desc())))


def propose(session: Session, actor: Actor, command: ProposeTerms, *, now: datetime) -> ReviewTerms:
    """Propose a version, which counts for nothing until another person approves it.

    Raises NotPermitted, TermsProposedAtOnce.
    """
    actor.require(Permission.REVIEW_DECIDE)
    newest = session.scalar(select(func.max(ReviewTerms.number))) or 0
    row = ReviewTerms(
        number=newest + 1,
        months=json.dumps({tier.value: command.months.get(tier, DEFAULT_MONTHS) for tier in Tier}),
        grace_days=command.grace_days,
        reason=command.reason,
        proposed_by=actor.account_id,
        proposed_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise TermsProposedAtOnce from None
    return row


def approve(session: Session, actor: Actor, number: int, *, now: datetime) -> ReviewTerms:
    """Let a proposed version count from now on, for what is not yet announced.

    Raises NotPermitted, TermsNotFound, TermsSettled, ProposerApproves.
    """
    actor.require(Permission.REVIEW_DECIDE)
    row = session.get(ReviewTerms, number, with_for_update=True)
    if row is None:
        raise TermsNotFound(number=number)
    if row.approved_at is not None or in_force(session).number > number:
        raise TermsSettled(number=number)
    if row.proposed_by == actor.account_id:
        raise ProposerApproves
    row.approved_by, row.approved_at = actor.account_id, now
    session.flush()
    return row
