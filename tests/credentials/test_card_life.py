"""A talent card from its request to its end: who may do what when, and what stands in no row."""

from datetime import timedelta
from functools import partial

import pytest
from pydantic import ValidationError

from talentseal.accounts.roles import Role
from talentseal.clock import legal_date
from talentseal.credentials import card_reading, issuing
from talentseal.credentials.card_models import DeclineCategory
from talentseal.credentials.card_schemas import Recipient, RequestCards, Stage
from talentseal.credentials.card_states import CardStanding, CardState
from talentseal.credentials.cards import CardNotFound, CodeNotActive
from talentseal.credentials.holding import CardDigitsWrong, CardExists, CardNotInUse
from talentseal.credentials.issuing import LastDayRefused, RecipientClosed, ReissueNeedless
from talentseal.credentials.offers import OfferNotFound
from talentseal.errors import NotPermitted
from talentseal.policy.tiers import Tier
from talentseal.states import TransitionRefused
from talentseal.talents import codes
from talentseal.talents.models import CodeState, FieldGroup, TalentAccess
from tests.credentials.card_hands import Holder, Issuer, nightly, number, state_of
from tests.talents.conftest import VAULT, People, high


@pytest.fixture
def bank(sqlite_crowd: People) -> Issuer:
    return Issuer(sqlite_crowd)


@pytest.fixture
def holder(sqlite_crowd: People) -> Holder:
    return Holder(sqlite_crowd)


def test_a_card_from_its_request_to_its_use(crowd: People) -> None:
    bank, holder = Issuer(crowd), Holder(crowd)

    card = holder.ask(bank)[0]
    assert (card.state, holder.sees(card).number) == (CardState.REQUESTED, None)
    card = bank.delivered(card)
    assert (card.state, holder.sees(card).number) == (CardState.DELIVERED, None)
    card = holder.activate(card)

    seen = holder.sees(card)
    assert (seen.standing, seen.printed_tier) == (CardStanding.ACTIVE, Tier.RESERVE)
    assert seen.number is not None
    assert seen.number.replace(" ", "") == number(card)
    assert number(card).startswith("9156001")
    assert [step.state for step in seen.steps] == [
        CardState.REQUESTED,
        CardState.ISSUER_REVIEW,
        CardState.APPROVED,
        CardState.PERSONALISED,
        CardState.DELIVERED,
        CardState.ACTIVE,
    ]


@pytest.mark.scenario(22)
@pytest.mark.parametrize("state", [None, CodeState.SUSPENDED, CodeState.REVIEW_OVERDUE, CodeState.TERMINATED])
def test_without_an_active_code_no_card_is_requested(crowd: People, state: CodeState | None) -> None:
    bank, somebody = Issuer(crowd), Holder(crowd, None if state else crowd.talent())
    if state:
        somebody.code_becomes(state)

    with pytest.raises(CodeNotActive):
        somebody.ask(bank)


def test_several_issuers_are_asked_at_once_or_none(
    sqlite_crowd: People, bank: Issuer, holder: Holder
) -> None:
    other, closed = Issuer(sqlite_crowd, "虚构长河银行"), Issuer(sqlite_crowd, "虚构停办银行")
    closed.offer(is_open=False)

    with pytest.raises(OfferNotFound):
        holder.ask(bank, closed)
    assert bank.waiting(Stage.NEW) == []
    asked = holder.ask(bank, other)

    assert len(asked) == 2
    assert [row.id for row in bank.waiting(Stage.NEW)] == [asked[0].id]
    assert [row.id for row in other.waiting(Stage.NEW)] == [asked[1].id]


def test_an_issuer_is_asked_once_at_a_time(crowd: People) -> None:
    bank, holder = Issuer(crowd), Holder(crowd)
    card = holder.ask(bank)[0]

    with pytest.raises(CardExists):
        holder.ask(bank)
    holder.activate(bank.delivered(card))
    with pytest.raises(CardExists):
        holder.ask(bank)
    with pytest.raises(ValidationError):
        RequestCards(issuers=(bank.member.id, bank.member.id), agreed=True)


@pytest.mark.scenario(28)
def test_a_decline_says_its_category_and_leaves_the_other_issuers_open(
    crowd: People,
) -> None:
    bank, holder, other = Issuer(crowd), Holder(crowd), Issuer(crowd, "虚构长河银行")
    card = bank.decline(bank.take_up(holder.ask(bank)[0]))

    seen = holder.sees(card)

    assert (seen.standing, seen.category) == (CardStanding.DECLINED, DeclineCategory.TERMS_NOT_MET)
    assert seen.reason == "暂不符合本行条件（虚构）"
    assert holder.ask(other)[0].state is CardState.REQUESTED
    assert holder.ask(bank)[0].state is CardState.REQUESTED


def test_what_stands_in_the_way_of_an_act_is_refused_by_one_code(bank: Issuer, holder: Holder) -> None:
    card = holder.ask(bank)[0]

    for act in (bank.approve, bank.decline, bank.personalise, bank.deliver, holder.report_lost):
        with pytest.raises(TransitionRefused) as refused:
            act(card)
        assert refused.value.code == "transition-refused"
    with pytest.raises(TransitionRefused):
        holder.activate(card, "0000")
    with pytest.raises(TransitionRefused):
        holder.put_back(card)


def test_only_the_last_four_digits_on_the_card_take_it_into_use(bank: Issuer, holder: Holder) -> None:
    card = bank.delivered(holder.ask(bank)[0])
    wrong = f"{(int(number(card)[-4:]) + 1) % 10_000:04d}"

    with pytest.raises(CardDigitsWrong):
        holder.activate(card, wrong)

    assert holder.standing(card) is CardStanding.DELIVERED
    assert holder.activate(card).state is CardState.ACTIVE


def test_a_lost_card_is_frozen_and_a_found_one_put_back(bank: Issuer, holder: Holder) -> None:
    card = holder.active(bank)

    assert holder.report_lost(card).state is CardState.FROZEN
    assert holder.report_lost(card).state is CardState.FROZEN
    with pytest.raises(TransitionRefused):
        holder.activate(card)
    assert holder.put_back(card).state is CardState.ACTIVE


def test_a_replacement_has_a_number_of_its_own_and_ends_the_old_card_once_it_is_activated(
    crowd: People,
) -> None:
    bank, holder = Issuer(crowd), Holder(crowd)
    lost = holder.report_lost(holder.active(bank))

    anew = bank.delivered(holder.replace(lost))
    assert holder.standing(lost) is CardStanding.FROZEN
    anew = holder.activate(anew)

    assert (holder.standing(lost), holder.standing(anew)) == (CardStanding.REPLACED, CardStanding.ACTIVE)
    assert number(anew) != number(lost)
    assert holder.sees(anew).replaces == lost.id
    with pytest.raises(CardNotInUse):
        holder.replace(lost)


def test_a_card_runs_out_after_its_last_day(crowd: People) -> None:
    bank, holder = Issuer(crowd), Holder(crowd)
    last_day = legal_date(crowd.world.clock.now()) + timedelta(days=3)
    card = bank.deliver(
        bank.personalise(bank.approve(bank.take_up(holder.ask(bank)[0])), valid_through=last_day)
    )
    card = holder.activate(card)
    crowd.world.clock.advance(days=3)
    assert (nightly(crowd), holder.standing(card)) == (0, CardStanding.ACTIVE)
    crowd.world.clock.advance(days=1)

    assert holder.standing(card) is CardStanding.EXPIRED
    assert (nightly(crowd), nightly(crowd)) == (1, 0)
    assert state_of(crowd, card) is CardState.EXPIRED


def test_a_last_day_is_to_come_and_within_ten_years(bank: Issuer, holder: Holder) -> None:
    card = bank.approve(bank.take_up(holder.ask(bank)[0]))
    today = legal_date(bank.world.clock.now())

    for day in (today, today + timedelta(days=3654)):
        with pytest.raises(LastDayRefused):
            bank.personalise(card, valid_through=day)
    assert bank.personalise(card, valid_through=today + timedelta(days=1)).valid_through is not None


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        (CodeState.SUSPENDED, CardStanding.SUSPENDED),
        (CodeState.REVIEW_OVERDUE, CardStanding.SUSPENDED),
        (CodeState.TERMINATED, CardStanding.TERMINATED),
    ],
)
def test_a_card_follows_its_code_and_comes_back_with_it_without_a_write(
    bank: Issuer, holder: Holder, state: CodeState, standing: CardStanding
) -> None:
    card = holder.active(bank)
    code = holder.crowd.code(holder.actor)

    holder.code_becomes(state)

    assert holder.standing(card) is standing
    assert state_of(holder.crowd, card) is CardState.ACTIVE
    holder.write(
        lambda session, now: codes.move(session, code.id, CodeState.ACTIVE, by="o", cause=None, now=now)
    )
    assert holder.standing(card) is CardStanding.ACTIVE


def test_a_card_whose_code_ended_waits_for_nothing(bank: Issuer, holder: Holder) -> None:
    card = holder.ask(bank)[0]
    holder.code_becomes(CodeState.TERMINATED)

    assert bank.waiting(Stage.NEW) == []
    assert bank.sees(card).standing is CardStanding.TERMINATED
    with pytest.raises(CodeNotActive):
        bank.approve(bank.take_up(card))


def test_another_issuers_card_and_another_holders_do_not_exist(
    sqlite_crowd: People, bank: Issuer, holder: Holder
) -> None:
    card = holder.ask(bank)[0]
    other, stranger = Issuer(sqlite_crowd, "虚构长河银行"), Holder(sqlite_crowd)

    for act in (other.take_up, other.sees, stranger.close, stranger.sees, stranger.report_lost):
        with pytest.raises(CardNotFound):
            act(card)


def test_an_issuer_is_told_a_masked_surname_and_a_tier(sqlite_crowd: People, bank: Issuer) -> None:
    holder = Holder(sqlite_crowd)
    row = (holder.ask(bank), bank.waiting(Stage.NEW)[0])[1]

    assert (row.holder, row.tier) == ("欧阳**", Tier.RESERVE)


def test_name_and_telephone_are_shown_until_the_delivery_and_each_opening_is_kept(
    bank: Issuer, holder: Holder
) -> None:
    card = holder.ask(bank)[0]

    def opened() -> object:
        return bank.write(
            lambda session, now: issuing.recipient(session, bank.actor, VAULT, card.id, now=now)
        )

    with pytest.raises(RecipientClosed):
        opened()
    card = bank.take_up(card)
    assert opened() == Recipient(name="欧阳虚构", phone="13900000000")
    card = bank.deliver(bank.personalise(bank.approve(card)))
    with pytest.raises(RecipientClosed):
        opened()

    kept = bank.world.database.read(lambda session: session.query(TalentAccess).all())
    assert [(each.account_id, each.groups) for each in kept if each.organisation_id == bank.member.id] == [
        (bank.actor.account_id, FieldGroup.BASIC.value)
    ]


@pytest.mark.scenario(26)
def test_a_changed_tier_is_told_to_the_issuer_once_until_the_card_is_replaced(crowd: People) -> None:
    bank, holder = Issuer(crowd), Holder(crowd, crowd.holder(claim=high(Tier.HIGH_E)))
    card = holder.active(bank)
    crowd.world.clock.advance(hours=1)
    crowd.confirm(holder.actor)

    seen = holder.sees(card)
    assert (seen.standing, seen.printed_tier) == (CardStanding.REISSUE_REQUIRED, Tier.RESERVE)
    assert seen.reissue_by == legal_date(crowd.world.clock.now()) + timedelta(days=30)
    assert crowd.code(holder.actor).tier is Tier.HIGH_E
    assert (nightly(crowd), nightly(crowd)) == (1, 0)
    assert [row.id for row in bank.waiting(Stage.REISSUE)] == [card.id]

    anew = bank.reissue(card)
    assert bank.waiting(Stage.REISSUE) == []
    anew = holder.activate(bank.deliver(bank.personalise(anew)))
    assert (holder.standing(card), holder.standing(anew)) == (CardStanding.REPLACED, CardStanding.ACTIVE)
    assert anew.printed_tier is Tier.HIGH_E
    assert nightly(crowd) == 0
    with pytest.raises(ReissueNeedless):
        bank.reissue(anew)


def test_the_roles_are_kept_apart(sqlite_crowd: People, bank: Issuer, holder: Holder) -> None:
    auditor = sqlite_crowd.world.joined("虚构事务所", role=Role.AUDITOR)
    card = holder.ask(bank)[0]

    with pytest.raises(NotPermitted):
        Holder(sqlite_crowd, bank.actor).sees(card)
    with pytest.raises(NotPermitted):
        bank.write(lambda session, now: issuing.take_up(session, holder.actor, card.id, now=now))
    with pytest.raises(NotPermitted):
        bank.write(lambda session, now: issuing.take_up(session, auditor.actor, card.id, now=now))


def test_a_work_list_goes_on_where_a_page_ended_what_waits_longest_first(crowd: People) -> None:
    bank, asked = Issuer(crowd), []
    for _ in range(3):
        asked.append(Holder(crowd).ask(bank)[0].id)
        crowd.world.clock.advance(seconds=1)
    now, met, after = crowd.world.clock.now(), [], ""

    for _ in range(3):
        page = crowd.world.database.read(
            partial(
                card_reading.work_list,
                actor=bank.actor,
                vault=crowd.vault,
                stage=Stage.NEW,
                after=after,
                limit=1,
                now=now,
            )
        )
        met += [row.id for row in page.items]
        after = page.next or ""

    assert (met, after) == (asked, "")
    assert crowd.world.database.read(partial(card_reading.waiting, actor=bank.actor))[Stage.NEW] == 3
