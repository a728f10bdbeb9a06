"""Chip cards answer a challenge: once, within a minute, at the terminal that put it."""

import pytest

from talentseal.credentials import cards, challenges, chips
from talentseal.credentials.card_models import CardChallenge, CardProof, TalentCard
from talentseal.credentials.cards import CardFound
from talentseal.credentials.chips import CardWithoutChip
from talentseal.credentials.refusals import Refusal
from talentseal.partners.counter import Counter
from tests.credentials.card_hands import KEYS, Holder, Issuer, nightly, number
from tests.partners.counters import Manager
from tests.talents.conftest import VAULT, People


class Till:
    """A counter at which chips are asked."""

    def __init__(self, crowd: People) -> None:
        self.crowd, bank = crowd, Manager(crowd.world, crowd.world.joined("虚构商户"))
        outlet, clerk = bank.open(), bank.person()
        device = bank.device(outlet)
        self.counter = Counter(bank.member.id, outlet.id, device.row.id, clerk.account_id)

    def put(self, text: str) -> CardChallenge | Refusal:
        now = self.crowd.world.clock.now()
        return self.crowd.world.database.write(
            lambda session: chips.put(session, KEYS, self.counter, text, now=now)
        )

    def put_to(self, card: TalentCard) -> CardChallenge:
        row = self.put(number(card))
        assert isinstance(row, CardChallenge)
        return row

    def answer(self, row: CardChallenge, response: bytes) -> CardFound | Refusal:
        now = self.crowd.world.clock.now()
        return self.crowd.world.database.write(
            lambda session: chips.answer(session, VAULT, self.counter, row.id, response, now=now)
        )


def chip(card: TalentCard, row: CardChallenge) -> bytes:
    """What the card's chip answers."""
    return challenges.response(cards.secret_of(VAULT, card), card.card_ref or b"", row.challenge)


@pytest.fixture
def till(crowd: People) -> Till:
    return Till(crowd)


@pytest.fixture
def sqlite_till(sqlite_crowd: People) -> Till:
    return Till(sqlite_crowd)


def with_chip(crowd: People) -> tuple[Holder, TalentCard]:
    holder = Holder(crowd)
    return holder, holder.active(Issuer(crowd, proof=CardProof.CHIP))


def test_a_chip_that_answers_is_established_without_a_second_factor(till: Till) -> None:
    _, card = with_chip(till.crowd)
    row = till.put_to(card)

    found = till.answer(row, chip(card, row))

    assert isinstance(found, CardFound)
    assert (found.card.id, found.second_factor_required) == (card.id, False)


def test_a_challenge_is_answered_once(till: Till) -> None:
    _, card = with_chip(till.crowd)
    row = till.put_to(card)
    till.answer(row, chip(card, row))

    assert till.answer(row, chip(card, row)) is Refusal.TOKEN_USED


def test_a_wrong_answer_uses_the_challenge_up(sqlite_till: Till) -> None:
    _, card = with_chip(sqlite_till.crowd)
    row = sqlite_till.put_to(card)

    assert sqlite_till.answer(row, bytes(16)) is Refusal.TOKEN_FORGED
    assert sqlite_till.answer(row, chip(card, row)) is Refusal.TOKEN_USED


def test_a_challenge_lives_a_minute_and_is_forgotten_after_a_day(sqlite_till: Till) -> None:
    _, card = with_chip(sqlite_till.crowd)
    clock = sqlite_till.crowd.world.clock
    at_last, late = sqlite_till.put_to(card), sqlite_till.put_to(card)

    clock.advance(seconds=60)
    assert isinstance(sqlite_till.answer(at_last, chip(card, at_last)), CardFound)
    clock.advance(seconds=1)
    assert sqlite_till.answer(late, chip(card, late)) is Refusal.TOKEN_EXPIRED
    clock.advance(days=2)
    nightly(sqlite_till.crowd)
    assert sqlite_till.answer(late, chip(card, late)) is Refusal.TOKEN_FORGED


def test_another_terminal_and_another_cards_chip_answer_in_vain(sqlite_till: Till) -> None:
    crowd = sqlite_till.crowd
    (_, card), elsewhere = with_chip(crowd), Till(crowd)
    other = Holder(crowd).active(Issuer(crowd, "虚构长河银行", proof=CardProof.CHIP))
    row = sqlite_till.put_to(card)

    assert elsewhere.answer(row, chip(card, row)) is Refusal.TOKEN_FORGED
    assert sqlite_till.answer(row, chip(other, row)) is Refusal.TOKEN_FORGED


def test_a_card_lost_between_challenge_and_answer_is_refused(till: Till) -> None:
    holder, card = with_chip(till.crowd)
    row = till.put_to(card)
    holder.report_lost(card)

    assert till.answer(row, chip(card, row)) is Refusal.CARD_FROZEN
    assert till.put(number(card)) is Refusal.CARD_FROZEN


def test_a_card_without_a_chip_and_no_card_at_all_get_no_challenge(sqlite_till: Till) -> None:
    card = Holder(sqlite_till.crowd).active(Issuer(sqlite_till.crowd))

    with pytest.raises(CardWithoutChip):
        sqlite_till.put(number(card))
    assert sqlite_till.put("9156001000000018") is Refusal.TOKEN_MALFORMED
