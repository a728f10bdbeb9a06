"""Hands of those who close, confirm, dispute and reconcile settlements."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.benefits import budgeting
from talentseal.benefits.models import BenefitVersion, Category
from talentseal.benefits.schemas import BudgetInput, TierLine
from talentseal.clock import SHANGHAI
from talentseal.nightly import Nightly, Walk
from talentseal.partners import service as partners
from talentseal.policy.tiers import Tier
from talentseal.redemptions import confirming, settling
from talentseal.redemptions.models import Redemption
from talentseal.redemptions.settlement_models import Settlement, SettlementStatement
from talentseal.redemptions.settlement_schemas import (
    Adjustment,
    CloseSettlement,
    ConfirmPayment,
    Object,
    Reconcile,
    SignStatement,
)
from tests.benefits.conftest import another
from tests.credentials.counters import Phone, Till
from tests.redemptions.market import Market, done
from tests.world import Member

T = TypeVar("T")


@dataclass
class Clearing:
    """A merchant whose customers pay less, and a bureau that makes up for a part of it."""

    market: Market
    _customer: tuple[Phone, datetime] | None = None

    @cached_property
    def merchant(self) -> Member:
        return self.market.shelf.merchant

    @cached_property
    def operator(self) -> Member:
        return self.market.shelf.operator

    @cached_property
    def closer(self) -> Actor:
        """Who closes and reconciles for the operator, and so never signs."""
        return another(self.operator.actor, 9)

    @cached_property
    def till(self) -> Till:
        return self.market.till(self.subsidised)

    @cached_property
    def subsidised(self) -> BenefitVersion:
        """A benefit of any value of which the bureau bears a third."""
        return self._published(None, subsidy_bp=3_333)

    @cached_property
    def own(self) -> BenefitVersion:
        """One that the merchant bears alone."""
        return self._published(1_000)

    def _published(self, value_fen: int | None, **changes: Any) -> BenefitVersion:
        shelf = self.market.shelf
        merchant = shelf.provider_of(Category.CONSUMPTION)
        tiers = (TierLine(tier=Tier.RESERVE, quota=None),)
        version = shelf.drafted(provider=merchant, tiers=tiers, value_fen=value_fen, **changes)
        if changes:
            self.budget(version, shelf.bureau)
        return shelf.publish(shelf.send(version, merchant), shelf.operator.actor)

    def budget(self, version: BenefitVersion, owner: Member) -> None:
        """The talent office has a bureau bear what is not the merchant's."""
        command = BudgetInput(
            owner=owner.id,
            starts_on=version.starts_on,
            ends_on=version.ends_on,
            limit_units=None,
            limit_fen=10**9,
        )
        shelf = self.market.shelf
        shelf.act(
            lambda session, now: budgeting.set_budget(
                session, shelf.office.actor, version.benefit_id, command, now=now
            )
        )

    # Time.

    def at(self, text: str) -> datetime:
        """Let it be that time of Shanghai, not before now."""
        moment = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
        clock = self.market.world.clock
        assert moment >= clock.moment
        clock.moment = moment.astimezone(clock.moment.tzinfo)
        return clock.moment

    # Acts.

    def use(self, version: BenefitVersion, **order: Any) -> Redemption:
        """Somebody uses a benefit."""
        return done(self.market.redeem(version, self.customer(), self.till, **order))

    def customer(self) -> Phone:
        """Somebody whose phone is signed in."""
        now = self.market.now
        if self._customer is None or now - self._customer[1] > timedelta(minutes=5):
            self._customer = self.market.guest(self.subsidised, Tier.RESERVE), now
        return self._customer[0]

    def do(self, act: Callable[..., T], actor: Actor, *given: object) -> T:
        now = self.market.now
        return self.market.write(lambda session: act(session, actor, *given, now=now))

    def close(self, period: str, by: Actor | None = None, organisation: str = "") -> Settlement:
        command = CloseSettlement(organisation=organisation or self.merchant.id, period=period)
        return self.do(settling.close, by or self.closer, command)

    def night(self) -> int:
        """What the clock closes today."""
        nightly = Nightly(self.market.world.database, {"settlements": Walk(settling.apply_day)})
        now = self.market.now
        return nightly.run(now.astimezone(SHANGHAI).date(), now=now)["settlements"]

    def sign(self, row: Settlement, member: Member, by: Actor | None = None, number: int = 0) -> Settlement:
        """A member signs the newest statement, or that of a number."""
        said = number or self.row(row).statement
        command = SignStatement(statement=said, signature=self.signature(row, member, said))
        return self.do(confirming.sign, by or member.actor, row.id, command)

    def signature(self, row: Settlement, member: Member, number: int) -> str:
        statement = self.statement(row, number)
        text = confirming.statement_text(statement, member.id)
        return member.sign("0x" + partners.personal_digest(text).hex())

    def object(self, row: Settlement, *lines: int, by: Actor | None = None) -> Settlement:
        command = Object(reason="与我方账目不符（虚构）", lines=lines)
        return self.do(confirming.object_to, by or self.merchant.actor, row.id, command)

    def reconcile(
        self, row: Settlement, *amounts: int, line: int | None = None, by: Actor | None = None
    ) -> Settlement:
        adjustments = tuple(
            Adjustment(amount_fen=each, reason="核对后调整（虚构）", line=line) for each in amounts
        )
        command = Reconcile(reason="已逐笔核对（虚构）", adjustments=adjustments)
        return self.do(confirming.reconcile, by or self.closer, row.id, command)

    def paid(self, row: Settlement, by: Actor | None = None) -> Settlement:
        day = (self.market.now + timedelta(hours=8)).date()
        command = ConfirmPayment(reference="虚构转账1号", paid_on=day)
        return self.do(confirming.confirm_payment, by or self.merchant.actor, row.id, command)

    # What came of it.

    def row(self, row: Settlement) -> Settlement:
        return self.market.read(lambda session: session.get_one(Settlement, row.id))

    def statement(self, row: Settlement, number: int) -> SettlementStatement:
        return self.market.read(lambda session: session.get_one(SettlementStatement, (row.id, number)))

    def fits(self, row: Settlement) -> bool:
        return self.read(lambda session: settling.fits_the_ledger(session, row.id))

    def settlements(self) -> list[Settlement]:
        query = select(Settlement).order_by(Settlement.ends_on)
        return self.market.read(lambda session: list(session.scalars(query)))

    def read(self, work: Callable[[Session], T]) -> T:
        return self.market.read(work)
