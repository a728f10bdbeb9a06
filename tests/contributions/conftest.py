"""A third party that gives concessions, and those who count and reward them."""

from dataclasses import dataclass
from functools import cached_property

import pytest

from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Role
from talentseal.benefits.models import BenefitVersion
from talentseal.benefits.schemas import TierLine
from talentseal.contributions import rewards, service
from talentseal.contributions.models import (
    ContributionFormula,
    ContributionPeriod,
    RewardDecision,
    RewardKind,
)
from talentseal.contributions.schemas import (
    ClosePeriod,
    DecideReward,
    EnterFormula,
    FormulaText,
    ProposeReward,
)
from talentseal.policy.measure_models import MeasureState
from talentseal.policy.tiers import Tier
from talentseal.redemptions.models import Redemption
from tests.redemptions.clearing import Clearing
from tests.redemptions.market import Market, done
from tests.world import Member, World, clock, sqlite_world, world

__all__ = ["clock", "sqlite_world", "world"]

FORMULA = FormulaText(consumption_bp=12_000, ratings_bp=(0, 5_000, 8_000, 10_000, 11_000), unrated_bp=9_000)


@dataclass
class Merits(Clearing):
    """Hands of a café that came in under the operator's mandate, and of the talent office."""

    def third_party(self, name: str = "虚构咖啡馆") -> Member:
        return self.market.world.member(name, role=Role.THIRD_PARTY, kind=OrganisationKind.THIRD_PARTY)

    @cached_property
    def cafe(self) -> Member:
        return self.third_party()

    @cached_property
    def coffee(self) -> BenefitVersion:
        return self.concession(self.cafe)

    def concession(self, owner: Member) -> BenefitVersion:
        """A benefit of any value that a third party bears."""
        shelf = self.market.shelf
        shelf.mandated()
        tiers = (TierLine(tier=Tier.RESERVE, quota=None),)
        version = shelf.drafted(provider=owner, tiers=tiers, value_fen=None)
        return shelf.publish(shelf.send(version, owner), shelf.operator.actor)

    def give(
        self,
        value_fen: int,
        quantity: int = 1,
        *,
        version: BenefitVersion | None = None,
        owner: Member | None = None,
    ) -> Redemption:
        """Somebody uses a third party's concession, the café's unless another is named."""
        given, by = version or self.coffee, owner or self.cafe
        till = self.market.tills(by)[0]
        guest = self.market.holder()
        self.market.consent(guest, by)
        return done(self.market.redeem(given, guest, till, quantity=quantity, value_fen=value_fen))

    def formula(self, text: FormulaText = FORMULA) -> ContributionFormula:
        """A formula by an approved measure."""
        shelf = self.market.shelf
        measure = shelf.measure_at(
            MeasureState.APPROVED, text=f"服务贡献值按公式计算（虚构），公式摘要 {text.sha256()}。"
        )
        command = EnterFormula(measure=measure.id, formula=text)
        return self.do(service.enter_formula, shelf.office.actor, command)

    def post(self) -> int:
        now = self.market.now
        return self.market.write(lambda session: service.post(session, now=now))

    def close_quarter(self, period: str) -> ContributionPeriod:
        return self.do(service.close, self.market.shelf.office.actor, ClosePeriod(period=period))

    def propose(self, period: str, kind: RewardKind = RewardKind.MORAL) -> RewardDecision:
        command = ProposeReward(
            organisation=self.cafe.id,
            period=period,
            kind=kind,
            title="虚构奖状",
            amount_fen=50_000 if kind is RewardKind.MATERIAL else None,
            reason="服务突出（虚构）",
        )
        return self.do(rewards.propose, self.market.shelf.office.actor, command)

    def decide(self, row: RewardDecision, *, grant: bool = True) -> RewardDecision:
        command = DecideReward(grant=grant, reason="经核实（虚构）")
        return self.do(rewards.decide, self.market.shelf.office_2, row.id, command)


@pytest.fixture
def merits(world: World) -> Merits:
    """On both kinds of database."""
    return Merits(Market.of(world))


@pytest.fixture
def sqlite_merits(sqlite_world: World) -> Merits:
    """On SQLite alone, for what does not depend on the database."""
    return Merits(Market.of(sqlite_world))
