"""The life of a benefit's versions as a state machine: whatever is tried in whatever order."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from talentseal.benefits import reading, service
from talentseal.benefits.models import BenefitState, BenefitVersion, Category
from talentseal.benefits.refusals import TermOver, VersionUnderway
from talentseal.benefits.states import OUT, VERSION
from talentseal.states import TransitionRefused
from tests.benefits.conftest import Shelf
from tests.world import SetClock, make_world

WHY = "虚构的理由"
ACTS: dict[str, tuple[Callable[..., BenefitVersion], BenefitState, tuple[str, ...]]] = {
    "send": (service.send_to_review, BenefitState.REVIEW, ()),
    "give back": (service.give_back, BenefitState.DRAFT, (WHY,)),
    "publish": (service.publish, BenefitState.PUBLISHED, ()),
    "pause": (service.pause, BenefitState.PAUSED, (WHY,)),
    "resume": (service.resume, BenefitState.PUBLISHED, ()),
    "withdraw": (service.withdraw, BenefitState.WITHDRAWN, (WHY,)),
}
"""What people do, where it leads, and what it takes."""
REVIEWERS = frozenset({"give back", "publish", "resume"})
TERM = 20
"""Days."""


class Life(RuleBasedStateMachine):
    """url: of a database with all tables, of which each run has a copy."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "talentseal.sqlite"
        file.write_bytes(Path(url.removeprefix("sqlite:///")).read_bytes())
        self.making = make_world(f"sqlite:///{file}", SetClock(), Path(self.folder.name))
        self.shelf = Shelf(next(self.making))
        self.model: dict[int, BenefitState] = {}

    def teardown(self) -> None:
        next(self.making, None)
        self.folder.cleanup()

    @initialize()
    def first(self) -> None:
        self.bank = self.shelf.provider_of(Category.FINANCIAL)
        last = self.shelf.today + timedelta(days=TERM)
        self.version = self.shelf.drafted(Category.FINANCIAL, provider=self.bank, ends_on=last)
        self.model[1] = BenefitState.DRAFT

    @rule(act=st.sampled_from(sorted(ACTS)), back=st.integers(0, 1))
    def someone_acts(self, act: str, back: int) -> None:
        number = max(1, len(self.model) - back)
        function, after, given = ACTS[act]
        actor = self.shelf.operator.actor if act in REVIEWERS else self.bank.actor
        before = self.model[number]
        is_open = VERSION.allows(before, after) and (act != "publish" or before is BenefitState.REVIEW)
        if act == "resume":
            is_open = before is BenefitState.PAUSED
        try:
            self.shelf.do(function, actor, self.version.benefit_id, number, *given)
        except TermOver:
            assert act in {"publish", "resume"}
        except TransitionRefused:
            assert not is_open
        else:
            assert is_open
            self.model[number] = after
            if act == "publish":
                self._replaced_by(number)

    @rule()
    def the_provider_drafts_anew(self) -> None:
        content = self.shelf.content(Category.FINANCIAL, self.bank)
        last = len(self.model)
        try:
            made = self.shelf.do(service.revise, self.bank.actor, self.version.benefit_id, content)
        except VersionUnderway:
            assert self.model[last] is BenefitState.REVIEW
        else:
            assert made.number == last + (self.model[last] is not BenefitState.DRAFT)
            self.model[made.number] = BenefitState.DRAFT

    @precondition(lambda self: len(self.model) < 6)
    @rule(days=st.integers(1, 8))
    def days_pass(self, days: int) -> None:
        self.shelf.world.clock.advance(days=days)
        day = self.shelf.today
        self.shelf.act(lambda session, now: service.apply_day(session, day, now))
        for number, version in self._stored().items():
            if self.model[number] in OUT and version.ends_on < day:
                self.model[number] = BenefitState.EXPIRED

    def _replaced_by(self, number: int) -> None:
        for former in range(1, number):
            if self.model[former] in OUT:
                self.model[former] = BenefitState.EXPIRED

    def _stored(self) -> dict[int, BenefitVersion]:
        rows = self.shelf.act(lambda session, _now: session.scalars(select(BenefitVersion)).all())
        return {row.number: row for row in rows}

    @invariant()
    def each_version_is_where_the_table_lets_it_be(self) -> None:
        assert {number: row.state for number, row in self._stored().items()} == self.model

    @invariant()
    def one_version_is_out_at_a_time(self) -> None:
        assert sum(state in OUT for state in self.model.values()) <= 1


def test_no_order_of_acts_leaves_the_table(sqlite_url: str) -> None:
    few = settings(max_examples=6, stateful_step_count=14, deadline=None)

    class Fresh(Life):
        def __init__(self) -> None:
            super().__init__(sqlite_url)

    run_state_machine_as_test(Fresh, settings=few)


def test_every_move_is_kept_as_its_step(sqlite_shelf: Shelf) -> None:
    version = sqlite_shelf.published(Category.FINANCIAL)
    sqlite_shelf.do(service.withdraw, sqlite_shelf.bank.actor, version.benefit_id, 1, WHY)

    view = sqlite_shelf.act(
        lambda session, _now: reading.version_view(session, sqlite_shelf.bank.actor, version.benefit_id, 1)
    )
    assert [step.state.value for step in view.steps] == ["DRAFT", "REVIEW", "PUBLISHED", "WITHDRAWN"]
    assert view.steps[-1].reason == WHY
