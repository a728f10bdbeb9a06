"""Settling: every act once, to the fen; two signatures; nothing closed is altered."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from talentseal.accounts.roles import Actor, Role
from talentseal.errors import NotPermitted, TalentSealError
from talentseal.evidence import records
from talentseal.redemptions import ledger, settling
from talentseal.redemptions.models import Redemption, RedemptionState, Reversal
from talentseal.redemptions.reversing import AlreadySettled
from talentseal.redemptions.settlement_models import (
    Cycle,
    Settlement,
    SettlementLine,
    SettlementSignature,
    SettlementState,
    SettlementStatement,
    SettlementStep,
)
from talentseal.redemptions.settlement_refusals import (
    AdjustmentEmpty,
    LineUnknown,
    NothingToSettle,
    NotSignedByBoth,
    OwnClosing,
    OwnSettlement,
    PaymentAhead,
    PeriodClosed,
    PeriodRunning,
    SettlementNotFound,
    SideSigned,
    StatementOutdated,
    StatementSignatureFalse,
)
from talentseal.redemptions.settlement_schemas import SetCycle
from talentseal.redemptions.settlement_states import Period, PeriodUnknown
from talentseal.states import TransitionRefused
from tests.redemptions.clearing import Clearing
from tests.redemptions.market import Market


@pytest.fixture
def clearing(market: Market) -> Clearing:
    """On both kinds of database."""
    return Clearing(market)


@pytest.fixture
def sqlite_clearing(sqlite_market: Market) -> Clearing:
    """On SQLite alone, for what does not depend on the database."""
    return Clearing(sqlite_market)


def nov(clearing: Clearing) -> Settlement:
    """November, closed on the first of December, with one subsidised use of 10 yuan."""
    clearing.use(clearing.subsidised, value_fen=1_000)
    clearing.at("2026-12-01T09:00")
    return clearing.close("2026-11")


def lines(clearing: Clearing, row: Settlement) -> list[SettlementLine]:
    return clearing.read(lambda session: settling.lines_of(session, row.id))


@pytest.mark.scenario(79)
def test_after_the_closing_the_counter_reverses_no_more_and_a_correction_counts_in_the_next_period(
    clearing: Clearing,
) -> None:
    used = clearing.use(clearing.subsidised, quantity=2, value_fen=999)
    november = nov(clearing)

    with pytest.raises(AlreadySettled):
        clearing.market.reverse(used, clearing.till)
    correction = clearing.market.correct(used, clearing.merchant)
    clearing.at("2027-01-01T00:00")
    december = clearing.close("2026-12")

    assert [each.net_fen for each in lines(clearing, november)] == [332 + 333]
    (line,) = lines(clearing, december)
    assert (line.units, line.reversed_units, line.reversed_value_fen) == (0, 1, 499)
    assert line.net_fen == -correction.reversal.subsidy_fen
    assert clearing.market.row(used.id).settlement_id == november.id
    stored = clearing.read(lambda session: session.get_one(Reversal, correction.reversal.id))
    assert stored.settlement_id == december.id
    assert clearing.fits(november)
    assert clearing.fits(december)


def test_a_closing_takes_in_what_lies_before_its_end_and_rests_it(clearing: Clearing) -> None:
    plain, whole = clearing.use(clearing.own), clearing.use(clearing.subsidised, value_fen=100)
    clearing.market.reverse(whole, clearing.till)
    clearing.at("2026-12-01T00:00")
    later = clearing.use(clearing.own)

    row = clearing.close("2026-11")

    states = {each.id: (each.state, each.settlement_id) for each in clearing.market.redemptions()}
    assert states[plain.id] == (RedemptionState.SETTLED, row.id)
    assert states[whole.id] == (RedemptionState.REVERSED, row.id)
    assert states[later.id] == (RedemptionState.COMPLETED, None)
    assert {(each.units, each.reversed_units, each.net_fen) for each in lines(clearing, row)} == {
        (1, 0, 0),
        (1, 1, 0),
    }


def test_of_two_closings_at_once_one_has_every_act(clearing: Clearing) -> None:
    for _ in range(3):
        clearing.use(clearing.subsidised, value_fen=1_000)
    clearing.at("2026-12-01T09:00")

    def attempt(_: int) -> Settlement | TalentSealError:
        try:
            return clearing.close("2026-11")
        except TalentSealError as refusal:
            return refusal

    with ThreadPoolExecutor(4) as threads:
        met = list(threads.map(attempt, range(4)))

    (row,) = [each for each in met if isinstance(each, Settlement)]
    assert sum(isinstance(each, PeriodClosed) for each in met) == 3
    assert [each.units for each in lines(clearing, row)] == [3]


def test_a_dispute_waits_for_its_decision(sqlite_clearing: Clearing) -> None:
    clearing = sqlite_clearing
    disputed = clearing.use(clearing.subsidised, quantity=2, value_fen=1_000)
    clearing.market.reverse(disputed, clearing.till)
    mark = update(Redemption).where(Redemption.id == disputed.id)
    clearing.market.change(mark.values(state=RedemptionState.DISPUTED))
    clearing.use(clearing.own)
    clearing.at("2026-12-01T09:00")

    november = clearing.close("2026-11")
    clearing.market.change(mark.values(state=RedemptionState.PARTIALLY_REVERSED))
    clearing.at("2027-01-01T09:00")
    december = clearing.close("2026-12")

    assert [each.units for each in lines(clearing, november)] == [1]
    assert [(each.units, each.reversed_units) for each in lines(clearing, december)] == [(2, 1)]


def test_the_clock_closes_some_days_after_the_period(sqlite_clearing: Clearing) -> None:
    clearing = sqlite_clearing
    clearing.use(clearing.own)
    clearing.at("2026-12-03T00:10")
    assert clearing.night() == 0

    clearing.at("2026-12-04T00:10")
    assert (clearing.night(), clearing.night()) == (1, 0)

    (row,) = clearing.settlements()
    assert (row.period, row.state, row.closed_by) == ("2026-11", SettlementState.CLOSED, None)


def test_a_partner_may_be_settled_with_by_quarters(sqlite_clearing: Clearing) -> None:
    clearing = sqlite_clearing
    clearing.use(clearing.own)
    for _ in range(2):
        clearing.do(settling.set_cycle, clearing.closer, clearing.merchant.id, SetCycle(cycle=Cycle.QUARTER))
    clearing.at("2026-12-04T00:10")
    assert clearing.night() == 0

    clearing.at("2027-01-04T00:10")
    assert clearing.night() == 1
    assert [each.period for each in clearing.settlements()] == ["2026-Q4"]


def test_only_what_is_over_and_not_closed_is_closed(sqlite_clearing: Clearing) -> None:
    clearing = sqlite_clearing
    clearing.use(clearing.own)

    with pytest.raises(PeriodRunning):
        clearing.close("2026-11")
    with pytest.raises(NothingToSettle):
        clearing.close("2026-10")
    with pytest.raises(NotPermitted):
        clearing.close("2026-10", by=clearing.merchant.actor)
    with pytest.raises(OwnSettlement):
        clearing.close("2026-10", organisation=clearing.operator.id)
    with pytest.raises(PeriodUnknown):
        Period.named("2026-Q9")
    clearing.at("2026-12-01T09:00")
    clearing.close("2026-11")
    for period in ("2026-11", "2026-10"):
        with pytest.raises(PeriodClosed):
            clearing.close(period)


def test_both_sides_sign_one_text_and_the_log_has_it(clearing: Clearing) -> None:
    row = nov(clearing)
    text = clearing.statement(row, 1).text

    clearing.sign(row, clearing.merchant)
    assert clearing.row(row).state is SettlementState.CONFIRMED
    assert clearing.market.records(62) == 0
    clearing.sign(row, clearing.operator)
    clearing.sign(row, clearing.operator)

    signed = clearing.row(row)
    assert clearing.market.records(62) == 1
    assert signed.record_id
    told = clearing.read(lambda session: records.disclosures_of(session, signed.record_id or ""))
    assert len(told) == 7
    said = json.loads(text)
    assert said["totals"]["net_fen"] == "333"
    assert settling.statement_sha256(text) == clearing.statement(row, 1).sha256
    paid = clearing.paid(row)
    assert (paid.state, paid.payment) == (SettlementState.PAID_CONFIRMED, "虚构转账1号")


def test_an_objection_leads_to_another_statement_with_lines_of_its_own(clearing: Clearing) -> None:
    row = nov(clearing)
    clearing.sign(row, clearing.operator)

    clearing.object(row, 1)
    with pytest.raises(TransitionRefused):
        clearing.sign(row, clearing.merchant)
    clearing.reconcile(row, 250, -50, line=1)

    assert [(each.number, each.statement, each.net_fen) for each in lines(clearing, row)] == [
        (1, 1, 333),
        (2, 2, 250),
        (3, 2, -50),
    ]
    assert clearing.statement(row, 2).net_fen == 533
    assert clearing.fits(row)
    with pytest.raises(StatementOutdated):
        clearing.sign(row, clearing.merchant, number=1)
    clearing.sign(row, clearing.merchant)
    assert clearing.row(row).record_id is None, "the operator signed the first statement alone"
    with pytest.raises(NotSignedByBoth):
        clearing.paid(row)
    clearing.sign(row, clearing.operator)
    assert clearing.paid(row).state is SettlementState.PAID_CONFIRMED


def test_what_was_reconciled_may_be_objected_to_again(sqlite_clearing: Clearing) -> None:
    clearing = sqlite_clearing
    row = nov(clearing)
    for _ in range(2):
        clearing.object(row)
        clearing.reconcile(row)

    assert clearing.row(row).statement == 3
    assert clearing.statement(row, 3).net_fen == 333


def test_nobody_confirms_what_he_closed_or_reconciled(sqlite_clearing: Clearing) -> None:
    clearing = sqlite_clearing
    row = nov(clearing)
    with pytest.raises(OwnClosing):
        clearing.sign(row, clearing.operator, by=clearing.closer)
    clearing.object(row)
    clearing.reconcile(row, by=clearing.operator.actor)

    with pytest.raises(OwnClosing):
        clearing.sign(row, clearing.operator)


def test_a_signature_counts_by_its_side_its_key_and_its_text(sqlite_clearing: Clearing) -> None:
    clearing = sqlite_clearing
    row, office = nov(clearing), clearing.market.shelf.office

    with pytest.raises(StatementSignatureFalse):
        clearing.sign(row, clearing.operator, by=clearing.merchant.actor)
    with pytest.raises(SettlementNotFound):
        clearing.sign(row, clearing.market.shelf.bank)
    with pytest.raises(NotPermitted):
        clearing.sign(row, clearing.market.world.member("虚构审计", role=Role.AUDITOR))
    clearing.sign(row, office)
    with pytest.raises(SideSigned):
        clearing.sign(row, clearing.operator)


def test_a_body_sees_the_settlements_whose_subsidy_it_bears_and_signs_them(sqlite_clearing: Clearing) -> None:
    clearing = sqlite_clearing
    row, other = nov(clearing), clearing.market.shelf.finance_bureau

    with pytest.raises(SettlementNotFound):
        clearing.sign(row, other)
    clearing.sign(row, clearing.market.shelf.bureau)
    clearing.sign(row, clearing.merchant)
    assert clearing.row(row).record_id


def test_whoever_is_owed_says_that_the_money_came(sqlite_clearing: Clearing) -> None:
    clearing = sqlite_clearing
    used = clearing.use(clearing.subsidised, value_fen=900)
    nov(clearing)
    clearing.market.correct(used, clearing.merchant)
    clearing.at("2027-01-01T09:00")
    row = clearing.close("2026-12")
    clearing.sign(row, clearing.merchant)
    clearing.sign(row, clearing.market.shelf.bureau)

    with pytest.raises(SettlementNotFound):
        clearing.paid(row)
    clearing.market.world.clock.advance(days=-40)
    with pytest.raises(PaymentAhead):
        clearing.paid(row, by=clearing.operator.actor)
    clearing.market.world.clock.advance(days=40)
    assert clearing.paid(row, by=clearing.operator.actor).paid_on


def test_what_an_objection_and_an_answer_name_has_to_be_there(sqlite_clearing: Clearing) -> None:
    clearing = sqlite_clearing
    row = nov(clearing)

    with pytest.raises(LineUnknown):
        clearing.object(row, 7)
    with pytest.raises(SettlementNotFound):
        clearing.object(row, by=clearing.market.shelf.bureau.actor)
    clearing.object(row)
    with pytest.raises(LineUnknown):
        clearing.reconcile(row, 5, line=7)
    with pytest.raises(AdjustmentEmpty):
        clearing.reconcile(row, 0)
    with pytest.raises(NotPermitted):
        clearing.reconcile(row, by=clearing.merchant.actor)
    with pytest.raises(OwnSettlement):
        clearing.reconcile(row, by=_of(clearing.merchant.id, clearing.closer))


def _of(organisation: str, actor: Actor) -> Actor:
    """Somebody of the operator's role in that organisation."""
    return Actor(actor.account_id, organisation, actor.role, actor.scopes)


def test_the_database_itself_lets_nothing_closed_be_altered(clearing: Clearing) -> None:
    row = nov(clearing)
    clearing.sign(row, clearing.merchant)
    altered = [
        update(SettlementLine).values(net_fen=1),
        update(SettlementStatement).values(net_fen=1),
        update(SettlementSignature).values(signer="0x"),
        update(SettlementStep).values(reason="虚构"),
        update(Settlement).values(period="2026-10"),
        update(Redemption).values(settlement_id=None),
    ]

    for statement in altered:
        with pytest.raises(DBAPIError, match=r"append-only|set once"):
            clearing.market.change(statement)
    with pytest.raises(DBAPIError, match="append-only"):
        clearing.market.write(lambda session: session.execute(delete(SettlementLine)))


def test_what_is_open_is_what_no_settlement_has(sqlite_clearing: Clearing) -> None:
    clearing = sqlite_clearing
    nov(clearing)
    clearing.use(clearing.subsidised, value_fen=300)
    ahead = clearing.market.world.clock.advance(hours=1)

    found = clearing.read(lambda session: ledger.unsettled(session, clearing.merchant.id, before=ahead))

    assert [(heading.payer, sums.subsidy_fen) for heading, sums in found.items()] == [
        (clearing.market.shelf.bureau.id, 99)
    ]
