"""Contribution value: a line for each use and each reversal, sums that are the ledger, no reward by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from talentseal.accounts.roles import Role
from talentseal.contributions import rewards, service
from talentseal.contributions.models import (
    ContributionEntry,
    ContributionFormula,
    ContributionRating,
    ContributionStanding,
    RewardDecision,
    RewardKind,
    RewardState,
)
from talentseal.contributions.refusals import (
    FormulaEntered,
    FormulaNotInMeasure,
    MeasureNotApproved,
    NothingToClose,
    NotRanked,
    NotThirdParty,
    OwnReward,
    QuarterClosed,
    QuarterRunning,
    RatedAlready,
    RewardNotFound,
)
from talentseal.contributions.schemas import ClosePeriod, DecideReward, EnterFormula, Rate
from talentseal.errors import NotPermitted
from talentseal.policy.measure_models import MeasureState
from talentseal.states import TransitionRefused
from tests.contributions.conftest import FORMULA, Merits


def entries(merits: Merits) -> list[ContributionEntry]:
    query = select(ContributionEntry).order_by(ContributionEntry.at, ContributionEntry.contribution.desc())
    return merits.read(lambda session: list(session.scalars(query)))


@pytest.mark.scenario(72)
def test_a_quarter_is_its_ledger_with_what_came_back_and_rewards_nobody_by_itself(merits: Merits) -> None:
    merits.formula()
    merits.give(1_001)
    back = merits.give(999, quantity=3)
    merits.market.correct(back, merits.cafe, 2)
    merits.at("2027-01-01T00:00")
    late = merits.market.correct(back, merits.cafe, 1)

    closed = merits.close_quarter("2026-Q4")

    lines = entries(merits)
    assert [(each.concession_fen, each.contribution, each.period) for each in lines] == [
        (1_001, 1_081, "2026-Q4"),
        (999, 1_078, "2026-Q4"),
        (-666, -719, "2026-Q4"),
        (-333, -359, None),
    ]
    assert lines[-1].reversal_id == late.reversal.id
    assert merits.read(lambda session: service.fits_the_ledger(session, "2026-Q4"))
    (standing,) = merits.read(lambda session: list(session.scalars(select(ContributionStanding))))
    assert (standing.entries, standing.concession_fen, standing.contribution) == (3, 1_334, 1_440)
    assert merits.market.records(60) == 1
    assert closed.record_id
    assert merits.read(lambda session: list(session.scalars(select(RewardDecision)))) == []
    assert merits.market.records(61) == 0


def test_a_line_is_posted_once_whoever_posts(sqlite_merits: Merits) -> None:
    sqlite_merits.formula()
    row = sqlite_merits.give(500)
    sqlite_merits.market.reverse(row, sqlite_merits.market.tills(sqlite_merits.cafe)[0])

    assert (sqlite_merits.post(), sqlite_merits.post()) == (2, 0)
    assert sum(each.contribution for each in entries(sqlite_merits)) == 0


def test_partners_and_the_operator_earn_none(sqlite_merits: Merits) -> None:
    sqlite_merits.formula()
    sqlite_merits.use(sqlite_merits.own)

    assert sqlite_merits.post() == 0


def test_a_use_counts_by_the_formula_of_its_day_and_the_rating_of_the_quarter_before(
    sqlite_merits: Merits,
) -> None:
    merits = sqlite_merits
    merits.give(10_000)
    assert merits.post() == 0, "there is no formula yet"
    merits.formula()
    office = merits.market.shelf.office.actor
    rating = Rate(organisation=merits.cafe.id, period="2026-Q4", stars=5, reason="评价好（虚构）")
    with pytest.raises(QuarterRunning):
        merits.do(service.rate, office, rating)
    merits.at("2027-01-02T00:00")
    merits.do(service.rate, office, rating)
    with pytest.raises(RatedAlready):
        merits.do(service.rate, office, rating)
    with pytest.raises(NotThirdParty):
        merits.do(service.rate, office, rating.model_copy(update={"organisation": merits.merchant.id}))
    merits.formula(FORMULA.model_copy(update={"consumption_bp": 20_000}))
    merits.give(10_000)

    merits.post()

    assert [each.contribution for each in entries(merits)] == [10_800, 22_000]


def test_a_formula_is_an_approved_measure_that_names_it(sqlite_merits: Merits) -> None:
    merits, shelf = sqlite_merits, sqlite_merits.market.shelf
    office = shelf.office.actor
    waiting = shelf.measure_at(MeasureState.SUBMITTED, text=FORMULA.sha256())
    other = shelf.measure_at(MeasureState.APPROVED)

    with pytest.raises(MeasureNotApproved):
        merits.do(service.enter_formula, office, EnterFormula(measure=waiting.id, formula=FORMULA))
    with pytest.raises(FormulaNotInMeasure):
        merits.do(service.enter_formula, office, EnterFormula(measure=other.id, formula=FORMULA))
    entered = merits.formula()
    with pytest.raises(FormulaEntered):
        merits.do(service.enter_formula, office, EnterFormula(measure=entered.measure_id, formula=FORMULA))
    assert service.text_of(entered) == FORMULA


def test_a_quarter_closes_once_after_its_end(sqlite_merits: Merits) -> None:
    merits = sqlite_merits
    merits.formula()
    merits.give(100)
    with pytest.raises(QuarterRunning):
        merits.close_quarter("2026-Q4")
    with pytest.raises(NothingToClose):
        merits.close_quarter("2026-Q3")
    with pytest.raises(NotPermitted):
        merits.do(service.close, merits.cafe.actor, ClosePeriod(period="2026-Q3"))
    merits.at("2027-01-01T00:00")
    merits.close_quarter("2026-Q4")

    for period in ("2026-Q4", "2026-Q3"):
        with pytest.raises(QuarterClosed):
            merits.close_quarter(period)


def test_equal_contributions_share_a_place(sqlite_merits: Merits) -> None:
    merits = sqlite_merits
    merits.formula()
    teahouse, bakery = merits.third_party("虚构茶馆"), merits.third_party("虚构面包房")
    merits.give(100)
    for owner, value in ((teahouse, 300), (bakery, 300)):
        merits.give(value, version=merits.concession(owner), owner=owner)
    merits.post()

    found = merits.read(service.standings)

    assert [each.place for each in found] == [1, 1, 3]
    assert found[-1].organisation == merits.cafe.id


@pytest.fixture
def ranked(sqlite_merits: Merits) -> Merits:
    """A quarter is closed."""
    sqlite_merits.formula()
    sqlite_merits.give(10_000)
    sqlite_merits.at("2027-01-01T00:00")
    sqlite_merits.close_quarter("2026-Q4")
    return sqlite_merits


@pytest.mark.parametrize("kind", RewardKind)
def test_a_reward_takes_two_persons_and_leaves_evidence(ranked: Merits, kind: RewardKind) -> None:
    row = ranked.propose("2026-Q4", kind)
    assert ranked.market.records(61) == 0
    with pytest.raises(OwnReward):
        ranked.do(
            rewards.decide, ranked.market.shelf.office.actor, row.id, DecideReward(grant=True, reason="虚构")
        )

    granted = ranked.decide(row)

    assert (granted.state, ranked.market.records(61)) == (RewardState.GRANTED, 1)
    assert granted.record_id
    with pytest.raises(TransitionRefused):
        ranked.decide(row, grant=False)


def test_a_declined_reward_leaves_none(ranked: Merits) -> None:
    row = ranked.decide(ranked.propose("2026-Q4"), grant=False)

    assert (row.state, row.record_id, ranked.market.records(61)) == (RewardState.DECLINED, None, 0)


def test_only_who_is_ranked_is_rewarded_and_only_by_the_office(ranked: Merits) -> None:
    with pytest.raises(NotRanked):
        ranked.propose("2026-Q3")
    command = DecideReward(grant=True, reason="虚构")
    with pytest.raises(RewardNotFound):
        ranked.do(rewards.decide, ranked.market.shelf.office_2, "0" * 32, command)
    auditor = ranked.market.world.member("虚构审计", role=Role.AUDITOR)
    for actor in (ranked.cafe.actor, ranked.operator.actor, auditor.actor):
        with pytest.raises(NotPermitted):
            ranked.do(rewards.decide, actor, "0" * 32, command)


def test_the_database_itself_lets_no_line_be_altered(merits: Merits) -> None:
    merits.formula()
    merits.give(100)
    merits.at("2027-01-01T00:00")
    merits.close_quarter("2026-Q4")
    rating = Rate(organisation=merits.cafe.id, period="2026-Q4", stars=5, reason="虚构")
    merits.do(service.rate, merits.market.shelf.office.actor, rating)

    for statement in (
        update(ContributionEntry).values(contribution=1),
        update(ContributionEntry).values(period=None),
        update(ContributionStanding).values(place=9),
        update(ContributionFormula).values(number=9),
        update(ContributionRating).values(stars=1),
    ):
        with pytest.raises(DBAPIError, match=r"append-only|set once"):
            merits.market.change(statement)


@given(
    whole=st.integers(0, 10**12),
    parts=st.lists(st.integers(0, 10**11), max_size=6),
    weight=st.integers(0, 100_000),
    rating=st.integers(0, 100_000),
)
def test_what_comes_back_in_parts_is_the_whole_to_the_point(
    whole: int, parts: list[int], weight: int, rating: int
) -> None:
    rest, total = whole, service.contribution_of(whole, weight, rating)
    for part in [*(min(each, whole) for each in parts), whole]:
        after = max(rest - part, 0)
        back = service.contribution_of(after, weight, rating) - service.contribution_of(rest, weight, rating)
        assert back <= 0
        rest, total = after, total + back

    assert total == 0
