"""A card at the counter: what is refused before any look-up, what its state and its code's make of it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from talentseal.clock import legal_date
from talentseal.credentials import cards, profiles, tc3
from talentseal.credentials.card_models import TalentCard
from talentseal.credentials.card_numbers import CardNumber
from talentseal.credentials.card_states import CardState
from talentseal.credentials.cards import STATIC_CAP, CardFound, second_factor
from talentseal.credentials.profiles import Presented, Profile
from talentseal.credentials.refusals import Refusal
from talentseal.talents.models import CodeState
from tests.credentials.card_hands import KEYS, Holder, Issuer, nightly, number, swiped
from tests.talents.conftest import People

_NOW: Final = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
CARDS: Final = 32
"""Cards that are given numbers at once."""


@pytest.fixture
def bank(sqlite_crowd: People) -> Issuer:
    return Issuer(sqlite_crowd)


@pytest.fixture
def holder(sqlite_crowd: People) -> Holder:
    return Holder(sqlite_crowd)


def printed(card: TalentCard, crowd: People) -> str:
    """The text of the code on the card."""
    assert card.card_ref is not None
    return tc3.write(KEYS, card.card_ref, now=crowd.world.clock.now())


def test_number_and_printed_code_find_the_card_and_ask_more_for_much(crowd: People) -> None:
    holder = Holder(crowd)
    card = holder.active(Issuer(crowd))

    for text in (number(card), printed(card, crowd)):
        found = swiped(crowd, text)
        assert isinstance(found, CardFound)
        assert (found.card.id, found.code.id) == (card.id, crowd.code(holder.actor).id)
        assert found.second_factor_required


class NoDatabase(Session):
    """Fails whatever is asked of it."""

    def execute(self, *_statement: object, **_options: object) -> None:  # type: ignore[override]  # it never answers
        raise AssertionError("nothing may be looked up")

    scalars = scalar = get = get_one = execute  # type: ignore[assignment]  # as above


@pytest.mark.scenario(38)
@given(st.integers(1, 999), st.integers(1, 99_999_999), st.integers(0, 15), st.integers(1, 9))
def test_a_wrong_check_digit_is_refused_before_any_card_is_looked_for(
    issuer: int, serial: int, place: int, more: int
) -> None:
    digits = str(CardNumber(issuer, serial))
    wrong = digits[:place] + str((int(digits[place]) + more) % 10) + digits[place + 1 :]

    met = cards.find_for_swipe(NoDatabase(), KEYS, Presented(Profile.CARD, wrong), now=_NOW)

    assert met is Refusal.TOKEN_MALFORMED


def test_a_forged_printed_code_is_refused_before_any_card_is_looked_for() -> None:
    text = tc3.write(KEYS, bytes(8), now=_NOW)
    forged = text[:-2] + ("0" if text[-2] != "0" else "1") + text[-1]

    met = cards.find_for_swipe(NoDatabase(), KEYS, Presented(Profile.TC3, forged), now=_NOW)

    assert met in {Refusal.TOKEN_FORGED, Refusal.TOKEN_MALFORMED}
    assert cards.find_for_swipe(NoDatabase(), KEYS, Presented(Profile.TC1, ""), now=_NOW) is (
        Refusal.TOKEN_MALFORMED
    )


@pytest.mark.scenario(39)
def test_a_card_reported_lost_is_frozen_a_second_later_and_the_code_still_works(crowd: People) -> None:
    holder = Holder(crowd)
    card = holder.active(Issuer(crowd))

    holder.report_lost(card)
    crowd.world.clock.advance(seconds=1)

    assert swiped(crowd, number(card)) is Refusal.CARD_FROZEN
    assert swiped(crowd, printed(card, crowd)) is Refusal.CARD_FROZEN
    assert crowd.code(holder.actor).state is CodeState.ACTIVE


def replaced(bank: Issuer, holder: Holder) -> TalentCard:
    card = holder.active(bank)
    holder.activate(bank.delivered(holder.replace(card)))
    return card


def expired(bank: Issuer, holder: Holder) -> TalentCard:
    day = legal_date(bank.world.clock.now()) + timedelta(days=1)
    card = bank.personalise(bank.approve(bank.take_up(holder.ask(bank)[0])), valid_through=day)
    card = holder.activate(bank.deliver(card))
    bank.world.clock.advance(days=2)
    return card


def expired_and_noted(bank: Issuer, holder: Holder) -> TalentCard:
    card = expired(bank, holder)
    nightly(bank.crowd)
    return card


def closed(bank: Issuer, holder: Holder) -> TalentCard:
    return holder.close(holder.active(bank))


def not_activated(bank: Issuer, holder: Holder) -> TalentCard:
    return bank.delivered(holder.ask(bank)[0])


@pytest.mark.parametrize("ended", [replaced, expired, expired_and_noted, closed, not_activated])
def test_what_became_of_a_card_is_told_to_its_holder_alone(
    bank: Issuer, holder: Holder, ended: Callable[[Issuer, Holder], TalentCard]
) -> None:
    card = ended(bank, holder)

    assert swiped(bank.crowd, number(card)) is Refusal.CARD_NOT_VALID
    assert swiped(bank.crowd, str(CardNumber(999, 99_999_999))) is Refusal.CARD_NOT_VALID
    assert holder.standing(card).value in {"REPLACED", "EXPIRED", "CLOSED", "DELIVERED"}


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (CodeState.SUSPENDED, Refusal.CODE_SUSPENDED),
        (CodeState.REVIEW_OVERDUE, Refusal.REVIEW_OVERDUE),
        (CodeState.TERMINATED, Refusal.CODE_TERMINATED),
        (CodeState.CANCELLED, Refusal.CODE_TERMINATED),
    ],
)
def test_a_code_that_is_not_active_refuses_its_cards(
    bank: Issuer, holder: Holder, state: CodeState, refusal: Refusal
) -> None:
    card = holder.active(bank)
    holder.code_becomes(state)

    assert swiped(bank.crowd, number(card)) is refusal


def test_whoever_finds_a_lost_card_learns_nothing_of_its_holder(bank: Issuer, holder: Holder) -> None:
    card = holder.report_lost(holder.active(bank))
    holder.code_becomes(CodeState.SUSPENDED)

    assert swiped(bank.crowd, number(card)) is Refusal.CARD_FROZEN


@pytest.mark.scenario(37)
@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_static_cards_are_good_for_500_yuan_a_day_and_a_second_factor_is_asked_above(
    used: int, amount: int
) -> None:
    met = second_factor(amount, used)

    assert (met is Refusal.SECOND_FACTOR_REQUIRED) == (used + amount > STATIC_CAP == 50_000)


def test_the_cap_is_exactly_met_and_one_fen_more_is_not() -> None:
    assert second_factor(20_000, 30_000) is None
    assert second_factor(20_001, 30_000) is Refusal.SECOND_FACTOR_REQUIRED
    assert second_factor(1, 0, cap=0) is Refusal.SECOND_FACTOR_REQUIRED
    with pytest.raises(ValueError, match="0 fen and more"):
        second_factor(-1, 0)


def test_numbers_given_at_once_are_never_the_same(crowd: People) -> None:
    banks = [Issuer(crowd, f"虚构银行{each}") for each in range(2)]
    asked = [Holder(crowd).ask(*banks) for _ in range(CARDS // 2)]
    waiting = [
        (bank, bank.approve(bank.take_up(card)))
        for both in asked
        for bank, card in zip(banks, both, strict=True)
    ]
    together = threading.Barrier(16)

    def personalise(work: tuple[Issuer, TalentCard]) -> str:
        together.wait(30)
        return number(work[0].personalise(work[1]))

    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(personalise, waiting))

    assert len(set(numbers)) == CARDS
    serials = sorted(int(each[7:15]) for each in numbers)
    assert serials == sorted([*range(1, CARDS // 2 + 1)] * 2)


def test_a_swipe_and_a_loss_report_follow_one_another(crowd: People) -> None:
    holder = Holder(crowd)
    card = holder.active(Issuer(crowd))
    presented = Presented(Profile.CARD, number(card))
    swiping, reported = threading.Event(), threading.Event()

    def swipe(session: Session) -> tuple[CardFound | Refusal, bool]:
        found = cards.find_for_swipe(session, KEYS, presented, now=crowd.world.clock.now())
        swiping.set()
        return found, reported.wait(0.3)

    with ThreadPoolExecutor(2) as pool:
        act = pool.submit(crowd.world.database.write, swipe)
        assert swiping.wait(30)
        report = pool.submit(holder.report_lost, card)
        report.add_done_callback(lambda _done: reported.set())
        found, was_reported_meanwhile = act.result(30)
        report.result(30)

    assert isinstance(found, CardFound)
    assert not was_reported_meanwhile, "the report is answered only once the swipe is over"
    assert found.card.state is CardState.ACTIVE
    assert swiped(crowd, number(card)) is Refusal.CARD_FROZEN


def test_what_no_scanner_sends_of_a_card_is_no_card() -> None:
    assert profiles.presented("6222020000000000000") is Refusal.TOKEN_MALFORMED
