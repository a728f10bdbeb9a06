"""Whether a benefit may be used: the checks, in the order in which they answer (domain specification §4)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from talentseal.benefits.models import Category
from talentseal.credentials import cards
from talentseal.redemptions.facts import Facts, Offer
from talentseal.redemptions.refusals import Refusal
from talentseal.talents.models import CodeState


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. value_fen: of all units together; None while it is not said.

    static_used_fen: what the person drew today on cards of which all can be copied.
    """

    units: int = 1
    value_fen: int | None = None
    static_used_fen: int = 0


def refusal_of(facts: Facts, wish: Wish) -> Refusal | None:
    """The first check that fails; None when the benefit may be used."""
    for refusal, passes in _CHECKS:
        if not passes(facts, wish):
            return refusal
    return None


def _in_state(*states: CodeState) -> Callable[[Facts, Wish], bool]:
    return lambda facts, _wish: facts.bearer.state not in states


def _not_resting(facts: Facts, _wish: Wish) -> bool:
    return facts.bearer.state is not CodeState.SUSPENDED and not (facts.offer and facts.offer.row.rests)


def _card_in_use(facts: Facts, _wish: Wish) -> bool:
    return not facts.bearer.card_frozen


def _instrument(facts: Facts, _wish: Wish) -> bool:
    """In force, or the agreement carries it alone (domain specification §1.3, "Effect of expiry")."""
    if facts.offer is None or facts.basis is not None:
        return True
    if facts.offer.category is Category.GOVERNMENT:
        return False
    # Without an agreement in force it is the next check that fails.
    return facts.offer.row.agreement is None or bool(facts.offer.row.survives_instrument)


def _of_offer(holds: Callable[[Offer, Facts, Wish], bool]) -> Callable[[Facts, Wish], bool]:
    """A check of the benefit itself; when there is none, BENEFIT_NOT_PUBLISHED says so."""
    return lambda facts, wish: facts.offer is None or holds(facts.offer, facts, wish)


def _agreement(offer: Offer, _facts: Facts, _wish: Wish) -> bool:
    return offer.row.agreement_id is None or offer.row.agreement is not None


def _published(facts: Facts, _wish: Wish) -> bool:
    return facts.offer is not None and facts.offer.is_published


def _showing(offer: Offer, facts: Facts, _wish: Wish) -> bool:
    showing = facts.bearer.showing
    allowed = showing is None or showing.value in offer.row.showings.split()
    return allowed and (bool(offer.row.low_risk) or not facts.bearer.offline)


def _exclusion(offer: Offer, _facts: Facts, _wish: Wish) -> bool:
    return offer.row.excluded_by is None or offer.row.excluded_by == offer.row.benefit_id


def _quota(offer: Offer, _facts: Facts, wish: Wish) -> bool:
    return offer.row.quota is None or offer.used + wish.units <= offer.row.quota


def _budget(offer: Offer, _facts: Facts, wish: Wish) -> bool:
    row = offer.row
    if row.budget is None:
        return not row.budgeted and offer.category is not Category.GOVERNMENT
    units = row.limit_units is None or row.used_units + wish.units <= row.limit_units
    return units and (row.limit_fen is None or row.used_fen + (wish.value_fen or 0) <= row.limit_fen)


def _value(offer: Offer, _facts: Facts, wish: Wish) -> bool:
    limit = offer.row.value_limit_fen
    return limit is None or wish.value_fen is None or wish.value_fen <= limit


def _second_factor(facts: Facts, wish: Wish) -> bool:
    if not facts.bearer.static or wish.value_fen is None:
        return True
    return cards.second_factor(wish.value_fen, wish.static_used_fen) is None


_CHECKS: Final[tuple[tuple[Refusal, Callable[[Facts, Wish], bool]], ...]] = (
    (Refusal.CODE_SUSPENDED, _not_resting),
    (Refusal.CODE_TERMINATED, _in_state(CodeState.TERMINATED, CodeState.CANCELLED)),
    (Refusal.REVIEW_OVERDUE, _in_state(CodeState.REVIEW_OVERDUE)),
    (Refusal.CARD_FROZEN, _card_in_use),
    (Refusal.INSTRUMENT_EXPIRED, _instrument),
    (Refusal.AGREEMENT_NOT_IN_FORCE, _of_offer(_agreement)),
    (Refusal.BENEFIT_NOT_PUBLISHED, _published),
    (
        Refusal.OUTLET_NOT_COVERED,
        _of_offer(lambda offer, facts, _wish: facts.place.outlet is None or bool(offer.row.covered)),
    ),
    (Refusal.TIER_NOT_ELIGIBLE, _of_offer(lambda offer, _facts, _wish: bool(offer.row.tier_listed))),
    (Refusal.CHANNEL_NOT_ALLOWED, _of_offer(_showing)),
    (Refusal.CONSENT_MISSING, _of_offer(lambda offer, _facts, _wish: bool(offer.row.consented))),
    (Refusal.EXCLUSION_CONFLICT, _of_offer(_exclusion)),
    (Refusal.QUOTA_EXHAUSTED, _of_offer(_quota)),
    (Refusal.BUDGET_EXHAUSTED, _of_offer(_budget)),
    (Refusal.VALUE_OVER_LIMIT, _of_offer(_value)),
    (Refusal.SECOND_FACTOR_REQUIRED, _second_factor),
)
