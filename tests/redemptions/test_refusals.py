"""Each reason to refuse, by its own test; all of them in their order; and how each is told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import update

from talentseal.agreements.models import AgreementVersion
from talentseal.benefits import service as catalogue
from talentseal.benefits.models import BenefitVersion, Category, QuotaPeriod, Showing
from talentseal.credentials.card_models import CardProof, TalentCard
from talentseal.credentials.models import Channel, Presentation
from talentseal.credentials.presenting import Established
from talentseal.credentials.refusals import Refusal as Unestablished
from talentseal.partners import access
from talentseal.partners.counter import TerminalUnknown
from talentseal.policy.tiers import Tier
from talentseal.redemptions.refusals import ARTICLES, CHECK_ORDER, Refusal
from talentseal.redemptions.refusing import TOLD
from talentseal.redemptions.service import NotRedeemed
from talentseal.sanctions.schemas import Scope
from talentseal.sanctions.triggers import Reach
from talentseal.talents import codes, consents
from talentseal.talents.models import CodeState, TalentCode
from tests.credentials.card_hands import Holder, Issuer, number
from tests.credentials.counters import Phone, Till
from tests.redemptions.market import Market, done, refused
from tests.sanctions.conftest import make_court

RESERVE, HIGH = Tier.RESERVE, Tier.HIGH_E


@pytest.fixture(params=[False, True], ids=["established before", "by code"])
def by_code(request: pytest.FixtureRequest) -> bool:
    """Both ways have a query of their own, which has to find the same."""
    return bool(request.param)


@pytest.fixture
def market(market: Market, by_code: bool) -> Market:
    market.by_code = by_code
    return market


@pytest.fixture
def sqlite_market(sqlite_market: Market, by_code: bool) -> Market:
    sqlite_market.by_code = by_code
    return sqlite_market


def test_there_are_twenty_one_in_the_order_of_the_specification() -> None:
    assert (
        *("TERMINAL_UNKNOWN", "TOKEN_MALFORMED", "TOKEN_FORGED", "TOKEN_EXPIRED", "TOKEN_USED"),
        *("CODE_SUSPENDED", "CODE_TERMINATED", "REVIEW_OVERDUE", "CARD_FROZEN", "INSTRUMENT_EXPIRED"),
        *("AGREEMENT_NOT_IN_FORCE", "BENEFIT_NOT_PUBLISHED", "OUTLET_NOT_COVERED", "TIER_NOT_ELIGIBLE"),
        *("CHANNEL_NOT_ALLOWED", "CONSENT_MISSING", "EXCLUSION_CONFLICT", "QUOTA_EXHAUSTED"),
        *("BUDGET_EXHAUSTED", "VALUE_OVER_LIMIT", "SECOND_FACTOR_REQUIRED"),
    ) == CHECK_ORDER
    assert len(CHECK_ORDER) == 21


def test_each_is_told_in_a_sentence_of_its_own_and_stands_on_an_article() -> None:
    assert TOLD.keys() == ARTICLES.keys() == set(Refusal)
    assert len({told.code for told in TOLD.values()}) == len(Refusal)


# ------------------------------------------------------------------------------ who asks, and what is shown


def test_terminal_unknown(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 1})
    phone, till = market.guest(version), market.till(version)
    shown = market.shown(till, phone)
    stranger = Till(market.world, till.device, market.tills(market.shelf.merchant, 2)[1].clerk)

    with pytest.raises(TerminalUnknown):
        market.redeem(version, phone, stranger, presentation=shown)
    assert market.nothing_counts(version, phone)


@pytest.mark.parametrize(
    ("spoil", "refusal"),
    [
        (lambda _text: "x" * 46, Unestablished.TOKEN_MALFORMED),
        (lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"), Unestablished.TOKEN_FORGED),
    ],
)
def test_a_token_that_is_none(
    sqlite_market: Market, spoil: Callable[[str], str], refusal: Unestablished
) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 1})
    phone, till = market.guest(version), market.till(version)

    met = market.redeem_at_once(version, spoil(phone.mint().text), till)

    assert isinstance(met, NotRedeemed)
    assert met.error.code == refusal.value.lower().replace("_", "-")
    assert market.nothing_counts(version, phone)


def test_token_expired(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 1})
    phone, till = market.guest(version), market.till(version)
    token = phone.mint().text
    market.world.clock.advance(seconds=66)

    met = market.redeem_at_once(version, token, till)

    assert isinstance(met, NotRedeemed)
    assert met.error.code == "token-expired"


# --------------------------------------------------------------------------------------- the code, the card


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (CodeState.SUSPENDED, Refusal.CODE_SUSPENDED),
        (CodeState.TERMINATED, Refusal.CODE_TERMINATED),
        (CodeState.CANCELLED, Refusal.CODE_TERMINATED),
        (CodeState.REVIEW_OVERDUE, Refusal.REVIEW_OVERDUE),
    ],
)
@pytest.mark.parametrize("reserved", [False, True])
def test_a_code_that_is_not_active_redeems_nothing_and_ends_its_reservations(
    sqlite_market: Market, state: CodeState, refusal: Refusal, *, reserved: bool
) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 1})
    phone, till = market.guest(version), market.till(version)
    shown = market.shown(till, phone)
    row = done(market.redeem(version, phone, presentation=shown, reserve=True)) if reserved else None
    _move(market, phone, state)

    met = market.complete(row, till) if row else market.redeem(version, phone, presentation=shown)

    assert refused(met) is refusal
    assert market.used(version, phone) == 0
    assert market.records() == 0


def _move(market: Market, phone: Phone, state: CodeState) -> None:
    move = partial(codes.move, code_id=market.crowd.code(phone.talent).id, after=state, by=None, cause=None)
    market.write(partial(move, now=market.now))


@pytest.mark.scenario(50)
def test_reservations_of_a_code_that_ended_are_released_by_the_clock(market: Market) -> None:
    version = market.shelf.published(tiers={RESERVE: 1}, budget_units=1)
    phone = market.guest(version)
    done(market.redeem(version, phone, reserve=True))
    _move(market, phone, CodeState.TERMINATED)

    assert (market.sweep(), market.sweep()) == (1, 0)
    assert (market.used(version, phone), market.spent(version)) == (0, (0, 0))


@pytest.mark.parametrize("reach", [Reach.PARTNER, Reach.CATEGORY, Reach.BENEFIT])
def test_a_suspension_in_part_reaches_that_far(sqlite_market: Market, reach: Reach) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 9})
    other = market.shelf.published(Category.FINANCIAL, tiers={RESERVE: 9})
    phone = market.guest(version)
    market.consent(phone, market.shelf.bank)
    value = {
        Reach.PARTNER: market.shelf.merchant.id,
        Reach.CATEGORY: Category.CONSUMPTION.value,
        Reach.BENEFIT: version.benefit_id,
    }[reach]
    court = replace(make_court(market.crowd), bank=market.shelf.merchant)
    court.rule(scope=Scope(reach=reach, value=value))
    court.suspended(phone.talent)

    assert refused(market.redeem(version, phone)) is Refusal.CODE_SUSPENDED
    assert refused(market.redeem(other, phone)) is None


def test_card_frozen_after_the_swipe(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 9}, showings=tuple(Showing))
    phone, card, shown = _swiped(market, version)
    Holder(market.crowd, phone.talent).report_lost(card)

    assert refused(market.redeem(version, phone, presentation=shown)) is Refusal.CARD_FROZEN


def _swiped(market: Market, version: BenefitVersion) -> tuple[Phone, TalentCard, str]:
    """Somebody's static card, and the presentation of it at the benefit's counter."""
    phone, till = market.guest(version), market.till(version)
    issuer = Issuer(market.crowd, "虚构发卡银行", proof=CardProof.STATIC)
    card = Holder(market.crowd, phone.talent).active(issuer)
    met = till.scan(number(card))
    assert isinstance(met, Established)
    return phone, card, met.presentation


# ------------------------------------------------------------------------ what the benefit itself stands on


@pytest.mark.scenario(1)
def test_instrument_expired(ending_market: Market) -> None:
    market = ending_market
    version = market.shelf.published(Category.GOVERNMENT, tiers={RESERVE: 1})
    phone = market.guest(version)
    _let_instruments_expire(market, phone)

    assert refused(market.redeem(version, phone)) is Refusal.INSTRUMENT_EXPIRED
    assert market.nothing_counts(version, phone)


def _let_instruments_expire(market: Market, phone: Phone) -> None:
    market.world.clock.advance(days=21)
    phone.sign_in().bind()


@pytest.mark.scenario(3)
@pytest.mark.parametrize("survives", [False, True])
def test_an_agreement_that_survives_the_instrument_goes_on_and_is_marked(
    ending_market: Market, *, survives: bool
) -> None:
    market = ending_market
    version = market.shelf.published(tiers={RESERVE: 2})
    phone = market.guest(version)
    market.change(update(AgreementVersion).values(survives_instrument=survives))
    _let_instruments_expire(market, phone)

    met = market.redeem(version, phone)

    if survives:
        row = done(met)
        assert row.instrument_version_id is None
        assert row.agreement_version_id is not None
    else:
        assert refused(met) is Refusal.INSTRUMENT_EXPIRED


def test_agreement_not_in_force(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 1})
    phone = market.guest(version)
    over = market.now.date() - timedelta(days=1)
    market.change(update(AgreementVersion).values(valid_through=over))

    assert refused(market.redeem(version, phone)) is Refusal.AGREEMENT_NOT_IN_FORCE


def test_benefit_not_published(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 9})
    phone, till = market.guest(version), market.till(version)
    merchant = market.shelf.merchant.actor

    assert refused(market.redeem("0" * 32, phone, till)) is Refusal.BENEFIT_NOT_PUBLISHED
    market.shelf.do(catalogue.pause, merchant, version.benefit_id, version.number, "盘点（虚构）")
    assert refused(market.redeem(version, phone)) is Refusal.BENEFIT_NOT_PUBLISHED
    market.shelf.do(catalogue.resume, market.shelf.operator.actor, version.benefit_id, version.number)
    assert refused(market.redeem(version, phone)) is None
    market.shelf.do(catalogue.withdraw, merchant, version.benefit_id, version.number, "下架（虚构）")
    assert refused(market.redeem(version, phone)) is Refusal.BENEFIT_NOT_PUBLISHED


def test_a_partner_who_is_paused_gives_nothing_until_he_is_back(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(Category.FINANCIAL, tiers={RESERVE: 9})
    phone, office = market.guest(version), market.shelf.office.actor
    row = market.read(lambda s: access.listed(s, office))[0][0]

    market.shelf.do(access.pause, office, row.id, "整改（虚构）")
    assert refused(market.redeem(version, phone)) is Refusal.BENEFIT_NOT_PUBLISHED
    market.shelf.admit(row)
    assert refused(market.redeem(version, phone)) is None


def test_outlet_not_covered(sqlite_market: Market) -> None:
    market = sqlite_market
    first, second = market.tills(market.shelf.provider_of(Category.CONSUMPTION), 2)
    listed = market.shelf.published(tiers={RESERVE: 9}, outlets=(first.device.row.outlet_id,))
    phone = market.guest(listed)
    market.consent(phone, market.shelf.bank)
    foreign = market.tills(market.shelf.bank)[0]

    assert refused(market.redeem(listed, phone, second)) is Refusal.OUTLET_NOT_COVERED
    assert refused(market.redeem(listed, phone, foreign)) is Refusal.OUTLET_NOT_COVERED
    assert refused(market.redeem(listed, phone, first)) is None


def test_tier_not_eligible_and_none_inherits(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 9})

    assert refused(market.redeem(version, market.guest(version, HIGH))) is Refusal.TIER_NOT_ELIGIBLE
    assert refused(market.redeem(version, market.guest(version))) is None


@pytest.mark.parametrize("allowed", [Showing.CARD, Showing.STATIC_CARD, Showing.CODE])
def test_channel_not_allowed(sqlite_market: Market, allowed: Showing) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 9}, showings=(allowed,))
    phone = market.guest(version)

    expected = None if allowed is Showing.CODE else Refusal.CHANNEL_NOT_ALLOWED
    assert refused(market.redeem(version, phone)) is expected


@pytest.mark.scenario(86)
def test_consent_missing_once_it_was_withdrawn_and_what_was_before_stays(market: Market) -> None:
    version = market.shelf.published(tiers={RESERVE: 9})
    phone = market.holder()
    assert refused(market.redeem(version, phone)) is Refusal.CONSENT_MISSING
    consent = market.consent(phone, market.shelf.merchant)
    row = done(market.redeem(version, phone))
    withdraw = partial(consents.withdraw, actor=phone.talent, consent_id=consent, now=market.now)
    market.write(lambda session: withdraw(session).id)

    assert refused(market.redeem(version, phone)) is Refusal.CONSENT_MISSING
    assert market.row(row.id).record_id == row.record_id


# --------------------------------------------------------------------------------------- what has been used


@pytest.mark.scenario(81)
def test_exclusion_conflict_within_one_period(market: Market) -> None:
    one, other = (
        market.shelf.published(tiers={RESERVE: 9}, exclusion_group="XG-1", period=QuotaPeriod.MONTH)
        for _ in range(2)
    )
    phone = market.guest(one)
    row = done(market.redeem(one, phone))

    assert refused(market.redeem(other, phone)) is Refusal.EXCLUSION_CONFLICT
    assert refused(market.redeem(one, phone)) is None
    market.world.clock.moment = market.world.clock.moment.replace(month=12, day=2)
    assert refused(market.redeem(other, phone)) is None
    assert market.row(row.id).period == "2026-11"


def test_what_is_reversed_excludes_nothing_any_more(sqlite_market: Market) -> None:
    market = sqlite_market
    one, other = (market.shelf.published(tiers={RESERVE: 9}, exclusion_group="XG-1") for _ in range(2))
    phone, till = market.guest(one), market.till(one)
    row = done(market.redeem(one, phone, quantity=2))

    market.reverse(row, till, 1)
    assert refused(market.redeem(other, phone)) is Refusal.EXCLUSION_CONFLICT
    market.reverse(row, till, 1)
    assert refused(market.redeem(other, phone)) is None


@pytest.mark.scenario(23)
def test_quota_exhausted_counts_a_person_and_not_his_cards(market: Market) -> None:
    version = market.shelf.published(
        tiers={RESERVE: 2}, period=QuotaPeriod.MONTH, showings=tuple(Showing), value_fen=100
    )
    phone, till = market.guest(version), market.till(version)
    for name in ("虚构甲银行", "虚构乙银行"):
        issuer = Issuer(market.crowd, name)
        card = Holder(market.crowd, phone.talent).active(issuer)
        met = till.scan(number(card))
        assert isinstance(met, Established)
        assert refused(market.redeem(version, phone, presentation=met.presentation)) is None

    assert refused(market.redeem(version, phone)) is Refusal.QUOTA_EXHAUSTED
    assert market.used(version, phone) == 2


@pytest.mark.scenario(24)
def test_an_upgrade_brings_the_new_quota_less_what_was_used(market: Market) -> None:
    version = market.shelf.published(tiers={RESERVE: 5, HIGH: 8})
    phone = market.guest(version)
    done(market.redeem(version, phone, quantity=3))
    _become(market, phone, HIGH)

    assert refused(market.redeem(version, phone, quantity=6)) is Refusal.QUOTA_EXHAUSTED
    done(market.redeem(version, phone, quantity=5))
    _become(market, phone, RESERVE)
    assert refused(market.redeem(version, phone)) is Refusal.QUOTA_EXHAUSTED
    assert market.used(version, phone) == 8


def _become(market: Market, phone: Phone, tier: Tier) -> None:
    talent = market.crowd.id_of(phone.talent)
    change = update(TalentCode).where(TalentCode.talent_id == talent).values(tier=tier)
    market.change(change)


@pytest.mark.parametrize(
    ("period", "same", "next_"),
    [
        (QuotaPeriod.DAY, date(2026, 11, 23), date(2026, 11, 24)),
        (QuotaPeriod.WEEK, date(2026, 11, 29), date(2026, 11, 30)),
        (QuotaPeriod.MONTH, date(2026, 11, 30), date(2026, 12, 1)),
        (QuotaPeriod.QUARTER, date(2026, 12, 31), date(2027, 1, 1)),
        (QuotaPeriod.YEAR, date(2026, 12, 31), date(2027, 1, 1)),
        (QuotaPeriod.TERM, date(2027, 5, 1), None),
    ],
)
def test_a_quota_begins_anew_with_its_period_in_shanghai(
    sqlite_market: Market, period: QuotaPeriod, same: date, next_: date | None
) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: 1}, period=period)
    phone = market.guest(version)
    done(market.redeem(version, phone))
    _go_to(market, same, hour=15)  # 23:00 in Shanghai
    phone.sign_in().bind()

    assert refused(market.redeem(version, phone)) is Refusal.QUOTA_EXHAUSTED
    if next_ is not None:
        _go_to(market, same, hour=16)  # midnight in Shanghai
        phone.sign_in().bind()
        assert refused(market.redeem(version, phone)) is None


def _go_to(market: Market, day: date, *, hour: int) -> None:
    clock = market.world.clock
    clock.moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def test_budget_exhausted_by_count_and_by_amount(sqlite_market: Market) -> None:
    market = sqlite_market
    units = market.shelf.published(tiers={RESERVE: None}, budget_units=2)
    fen = market.shelf.published(tiers={RESERVE: None}, budget_fen=12_000)
    phone = market.guest(units)

    assert refused(market.redeem(units, phone, quantity=3)) is Refusal.BUDGET_EXHAUSTED
    done(market.redeem(units, phone, quantity=2))
    assert refused(market.redeem(units, phone)) is Refusal.BUDGET_EXHAUSTED
    done(market.redeem(fen, phone, quantity=2))
    assert refused(market.redeem(fen, phone)) is Refusal.BUDGET_EXHAUSTED
    assert market.spent(fen) == (2, 10_000)


def test_value_over_limit(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: None}, value_fen=None, value_limit_fen=900)
    phone = market.guest(version)

    assert refused(market.redeem(version, phone, value_fen=901)) is Refusal.VALUE_OVER_LIMIT
    assert refused(market.redeem(version, phone, value_fen=900)) is None


@pytest.mark.scenario(37)
def test_second_factor_required_above_500_yuan_a_day_on_static_cards(market: Market) -> None:
    version = market.shelf.published(tiers={RESERVE: None}, value_fen=None, showings=tuple(Showing))
    phone, _card, shown = _swiped(market, version)
    till = market.till(version)
    row = done(market.redeem(version, phone, presentation=shown, value_fen=50_000))

    assert refused(market.redeem(version, phone, presentation=shown, value_fen=1)) is (
        Refusal.SECOND_FACTOR_REQUIRED
    )
    assert refused(market.redeem(version, phone, value_fen=90_000)) is None, "the code is the second factor"
    market.reverse(row, till)
    assert refused(market.redeem(version, phone, presentation=shown, value_fen=50_000)) is None


def test_channels_are_those_of_presentations(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(tiers={RESERVE: None}, showings=tuple(Showing))
    _phone, _card, shown = _swiped(market, version)

    row = market.read(lambda session: session.get_one(Presentation, shown))
    assert (row.channel, row.second_factor_required) == (Channel.SWIPE, True)


def test_the_first_check_that_fails_answers(sqlite_market: Market) -> None:
    market = sqlite_market
    version = market.shelf.published(
        tiers={HIGH: 1}, showings=(Showing.CARD,), value_limit_fen=10, value_fen=None, budget_units=1
    )
    phone, till = market.holder(), market.tills(market.shelf.provider_of(Category.FINANCIAL))[0]
    steps: list[tuple[Refusal, Callable[[], object]]] = [
        (Refusal.OUTLET_NOT_COVERED, lambda: None),
        (Refusal.TIER_NOT_ELIGIBLE, lambda: None),
    ]
    here = market.till(version)

    met = [refused(market.redeem(version, phone, at, quantity=9, value_fen=99)) for at in (till, here)]

    assert met == [refusal for refusal, _ in steps]
    _become(market, phone, HIGH)
    assert refused(market.redeem(version, phone, here, quantity=9, value_fen=99)) is (
        Refusal.CHANNEL_NOT_ALLOWED
    )
