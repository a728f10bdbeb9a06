"""Lives of an application, a recognition and a code through the services, held against the specification.

Everybody tries everything: what §1.2 lists happens, all else is refused with `transition-refused` and leaves
no trace.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.policy.tiers import Tier
from talentseal.states import TransitionRefused
from talentseal.talents import applications, codes, deciding, recognitions
from talentseal.talents.applications import ApplicationNotFound
from talentseal.talents.codes import CodeNotFound
from talentseal.talents.models import (
    Application,
    ApplicationState,
    CodeState,
    CodeStep,
    TalentCode,
    TierRecognition,
)
from talentseal.talents.recognitions import SecondPersonNeeded
from talentseal.talents.schemas import (
    Approve,
    Confirm,
    Defect,
    End,
    Ending,
    Part,
    Refuse,
    Reject,
    RejectionGround,
    Return,
)
from talentseal.talents.tiers import RecognitionState
from tests.talents.conftest import VAULT, People, high, office

State = ApplicationState
LISTED = {
    State.DRAFT: {"submit": State.SUBMITTED, "withdraw": State.WITHDRAWN},
    State.SUBMITTED: {"take_up": State.UNDER_REVIEW, "withdraw": State.WITHDRAWN},
    State.UNDER_REVIEW: {
        "send_back": State.RETURNED,
        "approve": State.APPROVED,
        "reject": State.REJECTED,
        "withdraw": State.WITHDRAWN,
    },
    State.RETURNED: {"submit": State.SUBMITTED, "withdraw": State.WITHDRAWN},
}
"""Domain specification §1.2: what may be done in which state, and where it leads; nothing in any other."""

ACTS = ("submit", "withdraw", "take_up", "send_back", "approve", "reject")
OF_THE_OFFICE = frozenset(ACTS[2:])


class ApplicationLife(RuleBasedStateMachine):
    """One application at a time; after its end the next one of another talent."""

    crowd: People

    def __init__(self) -> None:
        super().__init__()
        self._begin()

    def _begin(self) -> None:
        self.talent = self.crowd.talent()
        self.id = self.crowd.entered(self.talent).id
        self.state, self.steps, self.seen = State.DRAFT, 0, False

    def _act(self, name: str, session: Session) -> Application:
        now = self.crowd.world.clock.now()
        acts: dict[str, Callable[[], Application]] = {
            "submit": lambda: applications.submit(session, self.talent, VAULT, self.id, now=now),
            "withdraw": lambda: applications.withdraw(session, self.talent, VAULT, self.id, now=now),
            "take_up": lambda: deciding.take_up(session, office(), self.id, now=now),
            "send_back": lambda: deciding.send_back(
                session, office(), VAULT, self.id, Return(defects=(DEFECT,)), now=now
            ),
            "approve": lambda: deciding.approve(
                session, office(), VAULT, self.id, Approve(reason="齐全（虚构）"), now=now
            ),
            "reject": lambda: deciding.reject(session, office(), VAULT, self.id, REJECT, now=now),
        }
        return acts[name]()

    @rule(name=st.sampled_from(ACTS))
    def somebody_tries(self, name: str) -> None:
        after = LISTED.get(self.state, {}).get(name)
        try:
            self.crowd.world.database.write(lambda session: self._act(name, session).id)
        except TransitionRefused:
            assert after is None
            return
        except ApplicationNotFound:
            assert not self.seen, "the office knows of no draft"
            assert name in OF_THE_OFFICE
            return
        assert after is not None, f"{name} in {self.state}"
        self.state, self.steps, self.seen = after, self.steps + 1, self.seen or name == "submit"

    @rule()
    def the_next_one(self) -> None:
        if self.state not in LISTED:
            self._begin()

    @invariant()
    def it_stands_where_the_acts_left_it(self) -> None:
        row, steps = self.crowd.world.database.read(
            lambda session: (
                session.get_one(Application, self.id),
                applications.steps_of(session, self.id),
            )
        )
        assert (row.state, len(steps)) == (self.state, self.steps)
        assert (row.due_on is not None) == (self.state in {State.SUBMITTED, State.UNDER_REVIEW})
        assert all(step.article for step in steps if step.state in {State.APPROVED, State.REJECTED})

    @invariant()
    def a_code_stands_on_an_approval_alone(self) -> None:
        try:
            self.crowd.code(self.talent)
        except CodeNotFound:
            assert self.state is not State.APPROVED
        else:
            assert self.state is State.APPROVED


DEFECT = Defect(part=Part.WORK, text="请更正（虚构）")
REJECT = Reject(ground=RejectionGround.NOT_PROVED, reason="未能证明（虚构）")


class RecognitionLife(RuleBasedStateMachine):
    """One verified recognition, with two people who confirm and end it."""

    crowd: People

    def __init__(self) -> None:
        super().__init__()
        self.talent = self.crowd.holder(claim=high(Tier.HIGH_D))
        talent_id = self.crowd.id_of(self.talent)
        self.id: str = self.crowd.world.database.read(
            lambda session: recognitions.of_talent(session, talent_id)[0].id
        )
        self.state, self.verified, self.confirmed, self.steps = RecognitionState.VERIFIED, 1, 0, 1

    def _write(self, work: Callable[[Session], TierRecognition]) -> str:
        """Empty when it was done, else why not."""
        try:
            self.crowd.world.database.write(lambda session: work(session).id)
        except (TransitionRefused, SecondPersonNeeded) as refused:
            return refused.code
        self.steps += 1
        return ""

    @rule(person=st.integers(1, 3))
    def confirm(self, person: int) -> None:
        now, command = self.crowd.world.clock.now(), Confirm(reason="一致（虚构）")
        refused = self._write(
            lambda session: recognitions.confirm(session, office(person), VAULT, self.id, command, now=now)
        )
        if self.state is not RecognitionState.VERIFIED:
            assert refused == "transition-refused"
        elif person == self.verified:
            assert refused == "second-person-needed"
        else:
            assert not refused
            self.state, self.confirmed = RecognitionState.CONFIRMED, person

    @rule(person=st.integers(1, 3))
    def refuse(self, person: int) -> None:
        now, command = self.crowd.world.clock.now(), Refuse(reason="不符（虚构）")
        refused = self._write(
            lambda session: recognitions.refuse(session, office(person), VAULT, self.id, command, now=now)
        )
        if self.state is not RecognitionState.VERIFIED:
            assert refused == "transition-refused"
        elif person == self.verified:
            assert refused == "second-person-needed"
        else:
            assert not refused
            self.state = RecognitionState.REVOKED

    @rule(person=st.integers(1, 3), state=st.sampled_from(Ending))
    def end(self, person: int, state: Ending) -> None:
        now, command = self.crowd.world.clock.now(), End(state=state, reason="调整（虚构）")
        refused = self._write(
            lambda session: recognitions.end(session, office(person), VAULT, self.id, command, now=now)
        )
        if self.state is not RecognitionState.CONFIRMED:
            assert refused == "transition-refused"
        elif person == self.confirmed:
            assert refused == "second-person-needed"
        else:
            assert not refused
            self.state = RecognitionState(state.value)

    @invariant()
    def the_code_is_marked_with_what_is_confirmed(self) -> None:
        tier = self.crowd.code(self.talent).tier
        assert (tier is Tier.HIGH_D) == (self.state is RecognitionState.CONFIRMED)

    @invariant()
    def every_step_is_kept(self) -> None:
        row, steps = self.crowd.world.database.read(
            lambda session: (
                session.get_one(TierRecognition, self.id),
                recognitions.steps_of(session, self.id),
            )
        )
        assert (row.state, len(steps), steps[-1].state) == (self.state, self.steps, self.state)
        assert all(recognitions.said_in(VAULT, step)["reason"] for step in steps)


CODE_LISTED = {
    CodeState.ACTIVE: {
        CodeState.SUSPENDED,
        CodeState.REVIEW_OVERDUE,
        CodeState.TERMINATED,
        CodeState.CANCELLED,
    },
    CodeState.SUSPENDED: {CodeState.ACTIVE, CodeState.TERMINATED},
    CodeState.REVIEW_OVERDUE: {CodeState.ACTIVE, CodeState.TERMINATED, CodeState.CANCELLED},
    CodeState.TERMINATED: {CodeState.ACTIVE},
    CodeState.CANCELLED: set(),
}
"""Domain specification §1.2, and what it leaves open: a termination annulled, a holder who leaves."""


class CodeLife(RuleBasedStateMachine):
    """One code at a time; once it has ended, its holder may get another."""

    crowd: People

    def __init__(self) -> None:
        super().__init__()
        self._begin(self.crowd.holder())

    def _begin(self, talent: Actor) -> None:
        self.talent, self.id = talent, self.crowd.code(talent).id
        self.course = [CodeState.ACTIVE]

    @rule(after=st.sampled_from(CodeState), person=st.sampled_from(["1" * 32, None]))
    def somebody_moves(self, after: CodeState, person: str | None) -> None:
        now = self.crowd.world.clock.advance(seconds=1)
        move = partial(codes.move, code_id=self.id, after=after, by=person, cause=None, now=now)
        listed = after in CODE_LISTED[self.course[-1]]
        try:
            self.crowd.world.database.write(lambda session: move(session).id)
        except TransitionRefused:
            assert not listed
        else:
            assert listed, f"{self.course[-1]} to {after}"
            self.course.append(after)

    @rule()
    def the_next_one(self) -> None:
        if self.course[-1] is CodeState.CANCELLED:
            self._begin(self.crowd.holder())

    @invariant()
    def it_stands_where_the_moves_left_it_and_each_is_kept(self) -> None:
        kept = select(CodeStep.state).where(CodeStep.code_id == self.id).order_by(CodeStep.number)
        row, states = self.crowd.world.database.read(
            lambda session: (session.get_one(TalentCode, self.id), list(session.scalars(kept)))
        )
        assert (row.state, states) == (self.course[-1], self.course)

    @invariant()
    def a_code_that_ended_is_nobodys_live_code(self) -> None:
        talent_id = self.crowd.id_of(self.talent)
        has_ended = self.course[-1] in {CodeState.TERMINATED, CodeState.CANCELLED}
        try:
            self.crowd.world.database.read(lambda session: codes.live_of(session, talent_id).id)
        except CodeNotFound:
            assert has_ended
        else:
            assert not has_ended


@pytest.mark.parametrize("life", [ApplicationLife, RecognitionLife, CodeLife])
def test_a_life_takes_the_listed_steps_and_no_other(sqlite_crowd: People, life: Any) -> None:
    machine = type(life.__name__, (life,), {"crowd": sqlite_crowd})

    run_state_machine_as_test(
        machine, settings=settings(max_examples=8, stateful_step_count=20, deadline=None)
    )
