"""Whatever happens in whatever order: limits hold, counters agree, each act is logged once."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import func, select, update

from talentseal import failpoints
from talentseal.benefits.models import ExclusionUse, QuotaUse
from talentseal.db import Database
from talentseal.errors import TalentSealError
from talentseal.evidence.models import EvidenceRecord
from talentseal.policy.tiers import Tier
from talentseal.redemptions.models import Redemption, RedemptionState, Reversal
from talentseal.talents import codes
from talentseal.talents.models import CodeState, TalentCode
from tests.crash.forks import in_child
from tests.redemptions.market import Market
from tests.world import SetClock, world_on

QUOTA, BUDGET = 4, 12
BEFORE, COMMITTED = "write.before-commit", "write.committed"
_EITHER = st.sampled_from([0, 1])
_LIVE = (RedemptionState.RESERVED, RedemptionState.COMPLETED, RedemptionState.PARTIALLY_REVERSED)


class Life(RuleBasedStateMachine):
    """Two benefits that exclude one another, two people, one counter."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="talentseal-life-"))
        shutil.copyfile(self.template, self.folder / "talentseal.sqlite")
        self.url = f"sqlite:///{self.folder / 'talentseal.sqlite'}"
        self.market = Market.of(world_on(Database(self.url), SetClock(), self.folder))
        self.versions = [
            self.market.shelf.published(
                tiers={Tier.RESERVE: QUOTA, Tier.HIGH_E: QUOTA + 2},
                budget_units=BUDGET,
                exclusion_group="XG-1",
            )
            for _ in range(2)
        ]
        self.phones = [self.market.guest(self.versions[0]) for _ in range(2)]

    def teardown(self) -> None:
        self.market.world.database.close()
        shutil.rmtree(self.folder)

    @property
    def till(self) -> Any:
        return self.market.till(self.versions[0])

    def attempt(self, act: Any, *given: Any, **more: Any) -> None:
        """Do it, or be refused: a refusal changes nothing, which the invariants see."""
        try:
            act(*given, **more)
        except TalentSealError:
            return

    @rule(
        who=_EITHER,
        what=st.sampled_from([0, 1]),
        units=st.integers(1, 3),
        reserve=st.booleans(),
    )
    def redeem(self, who: int, what: int, units: int, *, reserve: bool) -> None:
        phone = self.phones[who].sign_in()
        self.market.world.clock.advance(seconds=4)
        self.attempt(
            lambda: self.market.redeem(
                self.versions[what],
                phone,
                self.till,
                presentation=getattr(self.till.scan(phone.mint().text), "presentation", "0" * 32),
                quantity=units,
                reserve=reserve,
            )
        )

    def _some(self, pick: int, *states: RedemptionState) -> Redemption | None:
        found = [row for row in self.market.redemptions() if row.state in states]
        return found[pick % len(found)] if found else None

    @rule(pick=st.integers(0, 9))
    def complete(self, pick: int) -> None:
        if row := self._some(pick, RedemptionState.RESERVED):
            self.attempt(self.market.complete, row, self.till)

    @rule(pick=st.integers(0, 9))
    def cancel(self, pick: int) -> None:
        if row := self._some(pick, *_LIVE):
            self.attempt(self.market.cancel, row, self.till)

    @rule(pick=st.integers(0, 9), units=st.integers(1, 3))
    def reverse(self, pick: int, units: int) -> None:
        if row := self._some(pick, *RedemptionState):
            self.attempt(self.market.reverse, row, self.till, units)

    @rule(
        point=st.sampled_from([BEFORE, COMMITTED]),
        what=st.sampled_from(["redeem", "reserve", "complete", "cancel", "reverse"]),
        who=_EITHER,
        pick=st.integers(0, 9),
    )
    def be_killed_at(self, point: str, what: str, who: int, pick: int) -> None:
        """In the middle of an act, and started again: what was committed is there, nothing else is."""
        act, before = self._act(what, who, pick), self._traces()
        self.market.world.database.close()
        killed = self._killed(act, point)
        self.market.world.database = Database(self.url)

        assert (self._traces() != before) == (killed and point == COMMITTED)

    def _act(self, what: str, who: int, pick: int) -> Callable[[], object]:
        if what in {"redeem", "reserve"}:
            phone = self.phones[who].sign_in()
            self.market.world.clock.advance(seconds=4)
            try:
                shown = getattr(self.till.scan(phone.mint().text), "presentation", "0" * 32)
            except TalentSealError:
                shown = "0" * 32
            reserve = what == "reserve"
            version = self.versions[who]
            return lambda: self.market.redeem(version, phone, self.till, presentation=shown, reserve=reserve)
        row = self._some(pick, *_LIVE)
        return lambda: getattr(self.market, what)(row, self.till) if row else None

    def _traces(self) -> tuple[object, ...]:
        rows = sorted((row.id, row.state, row.reversed_units) for row in self.market.redemptions())
        return (*rows, len(self.market.refusals()))

    def _killed(self, act: Callable[[], object], point: str) -> bool:
        """Whether a child that does it came as far as that point, where it kills itself."""

        reached: list[str] = []

        def kill(name: str) -> None:
            reached.append(name)
            # A write that was undone comes past the second point alone.
            if name == point and BEFORE in reached:
                os.kill(os.getpid(), signal.SIGKILL)

        def live() -> None:
            self.market.world.database = Database(self.url)
            failpoints.arm(kill)
            self.attempt(act)

        status = in_child(live)
        assert status in {0, signal.SIGKILL}
        return status == signal.SIGKILL

    @rule(who=_EITHER, tier=st.sampled_from([Tier.RESERVE, Tier.HIGH_E, Tier.YOUTH]))
    def change_tier(self, who: int, tier: Tier) -> None:
        talent = self.market.crowd.id_of(self.phones[who].talent)
        self.market.change(update(TalentCode).where(TalentCode.talent_id == talent).values(tier=tier))

    @rule(who=_EITHER, state=st.sampled_from([CodeState.SUSPENDED, CodeState.ACTIVE]))
    def suspend_or_lift(self, who: int, state: CodeState) -> None:
        code = self.market.crowd.code(self.phones[who].talent).id
        move = partial(codes.move, code_id=code, after=state, by=None, cause=None, now=self.market.now)
        self.attempt(self.market.write, move)

    @rule(minutes=st.sampled_from([1, 11, 70, 1_500]))
    def let_time_pass(self, minutes: int) -> None:
        self.market.world.clock.advance(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        self.market.sweep()

    @invariant()
    def limits_hold_and_counters_agree(self) -> None:
        rows = self.market.redemptions()
        counted = [row for row in rows if row.state is not RedemptionState.RELEASED]
        for version in self.versions:
            mine = [row for row in counted if row.version_id == version.id]
            units = sum(row.quantity - row.reversed_units for row in mine)
            fen = sum(row.value_fen - row.reversed_fen for row in mine)
            assert self.market.spent(version) == (units, fen)
            assert units <= BUDGET
        counters = select(QuotaUse.talent_id, QuotaUse.period, QuotaUse.used)
        used = self.market.read(lambda session: session.execute(counters).all())
        assert sum(row.used for row in used) == sum(row.quantity - row.reversed_units for row in counted)
        assert all(0 <= row.used <= QUOTA + 2 for row in used)

    @invariant()
    def exclusive_benefits_are_not_both_live(self) -> None:
        by_person: dict[tuple[str, str], set[str]] = {}
        for row in self.market.redemptions():
            if row.state in _LIVE and row.reversed_units < row.quantity:
                by_person.setdefault((row.talent_id, row.period), set()).add(row.version_id)
        assert all(len(versions) == 1 for versions in by_person.values())
        counted = self.market.read(lambda session: session.scalar(select(func.sum(ExclusionUse.used)))) or 0
        quotas = self.market.read(lambda session: session.scalar(select(func.sum(QuotaUse.used)))) or 0
        assert counted == quotas

    @invariant()
    def each_act_is_in_the_log_once(self) -> None:
        completed = [row.record_id for row in self.market.redemptions() if row.completed_at]
        undone = self.market.read(lambda session: list(session.scalars(select(Reversal.record_id))))
        kinds = EvidenceRecord.kind.in_([30, 31])
        logged = self.market.read(lambda s: list(s.scalars(select(EvidenceRecord.id).where(kinds))))
        assert sorted([*map(str, completed), *undone]) == sorted(logged)


@pytest.fixture(autouse=True)
def template(migrated_sqlite: Path) -> None:
    Life.template = migrated_sqlite


TestRedemptionLife = Life.TestCase
TestRedemptionLife.settings = settings(
    max_examples=3, stateful_step_count=20, deadline=None, phases=(Phase.generate,)
)
