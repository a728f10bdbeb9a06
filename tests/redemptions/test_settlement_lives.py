"""Any order of using, reversing, closing, objecting, reconciling, signing and paying."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talentseal.clock import SHANGHAI
from talentseal.redemptions import ledger, settling
from talentseal.redemptions.ledger import Sums
from talentseal.redemptions.models import Redemption, Reversal
from talentseal.redemptions.reversing import AlreadySettled
from talentseal.redemptions.settlement_models import Cycle, Settlement, SettlementState, Side
from talentseal.redemptions.settlement_refusals import NothingToSettle, NotSignedByBoth, SideSigned
from talentseal.redemptions.settlement_states import SETTLEMENT, Period
from talentseal.states import TransitionRefused
from tests.redemptions.clearing import Clearing
from tests.redemptions.market import Market
from tests.sanctions.machines import fresh_world

_S = SettlementState
MONTHS = 5
"""How many end at most: then the benefits still count."""


class SettlementLife(RuleBasedStateMachine):
    """What is used and comes back lies in one settlement each, and all of them together are the ledger."""

    @initialize()
    def open_shop(self) -> None:
        self.worlds = fresh_world()
        self.clearing = Clearing(Market.of(next(self.worlds)))
        self.row: Settlement | None = None
        self.state, self.signed = _S.OPEN, set[Side]()
        self.months = 0
        self.use(100, 1)

    @rule(value=st.integers(1, 10_000), units=st.integers(1, 3))
    def use(self, value: int, units: int) -> None:
        self.clearing.use(self.clearing.subsidised, quantity=units, value_fen=value)

    @rule(units=st.integers(1, 3))
    def use_own(self, units: int) -> None:
        self.clearing.use(self.clearing.own, quantity=units)

    @rule(place=st.integers(0, 9), at_counter=st.booleans())
    def undo(self, place: int, at_counter: bool) -> None:
        found = [each for each in self.clearing.market.redemptions() if each.reversed_units < each.quantity]
        if not found:
            return
        row = found[place % len(found)]
        if not at_counter:
            self.clearing.market.correct(row, self.clearing.merchant)
        elif self.clearing.market.now - row.made_at < timedelta(minutes=30):
            with suppress(AlreadySettled):
                self.clearing.market.reverse(row, self.clearing.till)
                assert row.settlement_id is None

    @precondition(lambda self: self.months < MONTHS)
    @rule()
    def close_this_month_when_it_is_over(self) -> None:
        self.months += 1
        today = self.clearing.market.now.astimezone(SHANGHAI).date()
        period = Period.of(Cycle.MONTH, today)
        self.clearing.at(period.end.astimezone(SHANGHAI).replace(tzinfo=None).isoformat())
        with suppress(NothingToSettle):
            self.row = self.clearing.close(period.key)
            self.state, self.signed = _S.CLOSED, set()

    @precondition(lambda self: self.row)
    @rule()
    def object(self) -> None:
        self._move(_S.OBJECTED, lambda row: self.clearing.object(row, 1))

    @precondition(lambda self: self.row)
    @rule(amounts=st.lists(st.integers(-500, 500).filter(bool), max_size=2))
    def reconcile(self, amounts: list[int]) -> None:
        if self._move(_S.RECONCILED, lambda row: self.clearing.reconcile(row, *amounts)):
            self.signed = set()

    @precondition(lambda self: self.row)
    @rule()
    def confirm(self) -> None:
        if Side.PARTNER in self.signed:
            return
        if self._move(_S.CONFIRMED, lambda row: self.clearing.sign(row, self.clearing.merchant)):
            self.signed.add(Side.PARTNER)

    @precondition(lambda self: self.row)
    @rule()
    def countersign(self) -> None:
        assert self.row
        try:
            self.clearing.sign(self.row, self.clearing.operator)
        except TransitionRefused:
            assert self.state in {_S.OBJECTED, _S.PAID_CONFIRMED}
        except SideSigned:
            assert Side.PAYER in self.signed
        else:
            self.signed.add(Side.PAYER)

    @precondition(lambda self: self.row)
    @rule()
    def pay(self) -> None:
        assert self.row
        owed = self.clearing.statement(self.row, self.clearing.row(self.row).statement).net_fen >= 0
        by = self.clearing.merchant if owed else self.clearing.market.shelf.office
        try:
            self._move(_S.PAID_CONFIRMED, lambda row: self.clearing.paid(row, by.actor))
        except NotSignedByBoth:
            assert self.signed != set(Side)

    def _move(self, after: SettlementState, act: Callable[[Settlement], Settlement]) -> bool:
        assert self.row
        try:
            act(self.row)
        except TransitionRefused:
            assert not SETTLEMENT.allows(self.state, after)
            return False
        assert SETTLEMENT.allows(self.state, after)
        self.state = after
        return True

    @invariant()
    def it_is_where_it_was_taken(self) -> None:
        if self.row is not None:
            row = self.clearing.row(self.row)
            assert row.state is self.state
            assert (row.record_id is not None) == (self.signed == set(Side))

    @invariant()
    def everything_together_is_the_ledger(self) -> None:
        self.clearing.read(self._hold_against_the_ledger)

    def _hold_against_the_ledger(self, session: Session) -> None:
        rows = list(session.scalars(select(Settlement)))
        assert all(settling.fits_the_ledger(session, row.id) for row in rows)
        settled = [settling.sums_of(settling.lines_of(session, row.id)) for row in rows]
        ahead = self.clearing.market.now + timedelta(seconds=1)
        is_open = ledger.unsettled(session, self.clearing.merchant.id, before=ahead)
        assert ledger.total([*settled, *is_open.values()]) == _whole(session)

    def teardown(self) -> None:
        self.worlds.close()


def _whole(session: Session) -> Sums:
    """Every act there is."""
    used = session.execute(
        select(
            func.sum(Redemption.quantity), func.sum(Redemption.value_fen), func.sum(Redemption.subsidy_fen)
        )
    ).one()
    back = session.execute(
        select(func.sum(Reversal.quantity), func.sum(Reversal.value_fen), func.sum(Reversal.subsidy_fen))
    ).one()
    return Sums(*(int(each or 0) for each in (*used, *back)))


TestSettlementLife = SettlementLife.TestCase
TestSettlementLife.settings = settings(max_examples=8, stateful_step_count=14, deadline=None)
