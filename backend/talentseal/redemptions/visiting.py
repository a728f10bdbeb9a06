"""What the counter is offered for whoever stands there, and what a holder is offered of all benefits."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.benefits.models import Category, QuotaPeriod
from talentseal.credentials.presentations import PresentationRequired
from talentseal.partners.counter import Place, counter_of
from talentseal.policy.tiers import Tier
from talentseal.redemptions import checks, facts, proposing
from talentseal.redemptions.checks import Wish
from talentseal.redemptions.facts import Bearer, Facts
from talentseal.redemptions.refusals import ARTICLES, Refusal
from talentseal.talents import codes, people
from talentseal.talents.models import CodeState


@dataclass(frozen=True, slots=True)
class Choice:
    """A benefit, whether it can be used now, and if not, why: the article and what it stands on.

    remaining: units of the period, None without limit. instrument: title's number and version in force, None
    when there is none or the agreement alone carries it. usage_period: key of the quota period of today.
    """

    benefit: str
    version: int
    category: Category
    title: str
    text: str
    partner: str
    value_fen: int | None
    value_limit_fen: int | None
    ends_on: date
    quota: int | None
    remaining: int | None
    period: QuotaPeriod
    refusal: Refusal | None
    article: int | None
    instrument: tuple[str, int] | None
    proactive: bool
    usage_period: str


@dataclass(frozen=True, slots=True)
class Customer:
    """Who stands at the counter, and what he may use there; what he may comes first."""

    tier: Tier
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class Wallet:
    """A holder's benefits. state: of his code, None when he has none that is live.

    proposals: what he can take by a click (免申即享) and has not declined in this period; no choices.
    """

    state: CodeState | None
    tier: Tier | None
    choices: list[Choice]
    proposals: list[Choice]


HIDDEN: Final = frozenset({Refusal.TIER_NOT_ELIGIBLE})
"""What a counter is not shown at all: it says nothing but which tiers there are."""


def at_counter(session: Session, actor: Actor, place: Place, presentation: str, *, now: datetime) -> Customer:
    """What this outlet may give to whoever was established here. Only within a write.

    Raises NotPermitted, TerminalUnknown, PresentationRequired.
    """
    counter = counter_of(session, actor, place)
    bearer = facts.bearer_of(session, counter, presentation, now=now)
    if bearer is None:
        raise PresentationRequired
    here = facts.Place(counter.organisation, counter.outlet)
    known = facts.offers_here(session, bearer, here, now=now)
    found = [choice for choice in map(_choice, known) if choice.refusal not in HIDDEN]
    return Customer(bearer.tier, sorted(found, key=lambda choice: choice.refusal is not None))


def own(session: Session, actor: Actor, *, now: datetime) -> Wallet:
    """A holder's own: every published benefit with what remains of it, and why not. Raises NotPermitted."""
    talent = people.of_account(session, actor)
    try:
        code = codes.live_of(session, talent.id)
    except codes.CodeNotFound:
        return Wallet(None, None, [], [])
    bearer = Bearer(talent.id, code.id, code.tier, code.state)
    found = [_choice(each) for each in facts.offers_anywhere(session, bearer, now=now)]
    open_ = [each for each in found if each.proactive and each.refusal is None]
    unwanted = proposing.declined(session, talent.id) if open_ else frozenset()
    proposals = [each for each in open_ if (each.benefit, each.usage_period) not in unwanted]
    choices = [each for each in found if each not in proposals]
    ordered = sorted(choices, key=lambda choice: choice.refusal is not None)
    return Wallet(code.state, code.tier, ordered, proposals)


def _choice(known: Facts) -> Choice:
    offer = known.offer
    if offer is None:
        raise AssertionError("only what is offered is listed")  # pragma: no cover
    row, refusal = offer.row, checks.refusal_of(known, Wish())
    return Choice(
        benefit=row.benefit_id,
        version=row.number,
        category=Category(row.category),
        title=row.title,
        text=row.text,
        partner=row.partner,
        value_fen=row.value_fen,
        value_limit_fen=row.value_limit_fen,
        ends_on=row.ends_on,
        quota=row.quota,
        remaining=offer.remaining,
        period=row.quota_period,
        refusal=refusal,
        article=ARTICLES[refusal] if refusal else None,
        instrument=(known.basis.instrument, known.basis.number) if known.basis else None,
        proactive=row.proactive,
        usage_period=offer.period,
    )
