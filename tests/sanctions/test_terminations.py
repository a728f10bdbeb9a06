"""Terminations: four grounds with their guards, two persons, an appeal that restores."""

from datetime import date, timedelta

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select

from sealproof.entry import Relation
from talentseal.accounts.roles import Role
from talentseal.errors import NotPermitted
from talentseal.evidence import records
from talentseal.policy.service import OwnProposal
from talentseal.sanctions import terminations
from talentseal.sanctions.models import TerminationCase
from talentseal.sanctions.refusals import AppealTooLate, HearingOpen, OwnDecision, StatementTooLate
from talentseal.sanctions.schemas import Propose
from talentseal.sanctions.states import TERMINATION, Ground, TerminationState
from talentseal.sanctions.terminations import (
    ConfirmationMissing,
    ConfirmationNeedless,
    FindingMissing,
    FindingNeedless,
    FindingRefused,
    TerminationExists,
    TerminationNotFound,
)
from talentseal.states import TransitionRefused
from talentseal.talents.applications import ApplicationBarred
from talentseal.talents.codes import CodeExists
from talentseal.talents.models import CodeState, IdentityBar
from tests.sanctions.conftest import DRAFTER, Court, leading_group, make_court
from tests.sanctions.machines import fresh_world
from tests.talents.conftest import VAULT, basic, in_force, office


@pytest.mark.scenario(48)
def test_whoever_proposed_that_somebody_left_does_not_decide_it(court: Court) -> None:
    talent = court.people.holder()
    row = court.propose(talent, Ground.LEFT_AREA, by=court.bank.actor)
    assert row.state is TerminationState.PROPOSED
    court.notify(row)
    court.heard(talent, row)

    with pytest.raises(NotPermitted):
        court.vote(row, court.bank.actor)

    own = court.heard(talent, court.propose(talent, Ground.FALSE_MATERIALS))
    with pytest.raises(OwnProposal):
        court.vote(own, DRAFTER)
    assert court.code_state(talent) is CodeState.ACTIVE


@pytest.mark.scenario(49)
def test_other_circumstances_need_the_leading_group(court: Court) -> None:
    talent = court.people.holder()
    row = court.propose(talent, Ground.OTHER_UNSUITABLE, resolution="虚构联席〔2026〕3号")
    court.heard(talent, row)

    with pytest.raises(ConfirmationMissing):
        court.vote(row, office(1))
    with pytest.raises(NotPermitted):
        court.confirm(row, by=office(1))
    court.confirm(row)
    with pytest.raises(ConfirmationNeedless):
        court.confirm(row)
    court.vote(row, office(1))

    assert court.vote(row, office(2)).state is TerminationState.DECIDED
    assert court.code_state(talent) is CodeState.TERMINATED


@pytest.mark.scenario(50)
def test_false_materials_end_the_code_at_once_and_bar_the_person_for_two_years(court: Court) -> None:
    who = basic()
    talent = court.people.holder(who=who)

    row = court.terminated(talent, Ground.FALSE_MATERIALS)

    assert court.code_state(talent) is CodeState.TERMINATED
    assert row.effective_on == date(2026, 11, 23)
    bar = court.world.database.read(lambda session: session.scalars(select(IdentityBar)).one())
    assert (bar.until, bar.cause) == (date(2028, 11, 23), row.id)
    again = court.people.talent()
    with pytest.raises(ApplicationBarred, match="2028-11-23"):
        court.people.submit(again, court.people.entered(again, who=who))


@pytest.mark.scenario(51)
def test_serious_misconduct_needs_an_external_finding(court: Court) -> None:
    talent = court.people.holder()
    row = court.heard(talent, court.propose(talent, Ground.SERIOUS_MISCONDUCT))

    with pytest.raises(FindingMissing):
        court.vote(row, office(1))
    with pytest.raises(FindingRefused):
        court.attach(row, b"opinion")
    court.attach(row)
    court.vote(row, office(1))
    court.vote(row, office(2))

    assert court.code_state(talent) is CodeState.TERMINATED
    about = court.world.database.read(lambda session: terminations.findings_of(session, VAULT, row.id))
    assert [each.issuer for each in about] == ["虚构法院"]


@pytest.mark.scenario(52)
def test_an_annulled_termination_restores_the_code_and_both_records_stay(court: Court) -> None:
    who = basic()
    talent = court.people.holder(who=who)
    row = court.terminated(talent, Ground.FALSE_MATERIALS)
    court.appeal_end(talent, row)

    with pytest.raises(OwnDecision):
        court.hear_end(row, uphold=False, by=office(2))
    with pytest.raises(OwnProposal):
        court.hear_end(row, uphold=False, by=DRAFTER)
    annulled = court.hear_end(row, uphold=False)

    assert annulled.state is TerminationState.ANNULLED
    assert court.code_state(talent) is CodeState.ACTIVE
    assert court.world.database.read(lambda session: session.scalars(select(IdentityBar)).all()) == []

    first, second = court.world.database.read(
        lambda session: [
            records.find(session, str(which)) for which in (annulled.record_id, annulled.annulment_record_id)
        ]
    )
    assert (first.kind, second.kind) == (43, 43)
    assert (second.relation, second.refers_to) == (Relation.REVERSES, first.id)


def test_a_suspension_that_was_running_goes_on_when_a_termination_is_annulled(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule()
    talent = court.people.holder()
    case = court.suspended(talent)
    row = court.refer(case)
    court.heard(talent, row)
    court.vote(row, office(3))
    court.vote(row, office(4))
    assert court.code_state(talent) is CodeState.TERMINATED
    court.appeal_end(talent, row)

    court.hear_end(row, uphold=False, by=office(5))

    assert court.code_state(talent) is CodeState.SUSPENDED
    court.world.clock.advance(days=31)
    court.night()
    assert court.code_state(talent) is CodeState.ACTIVE


def test_whoever_left_has_thirty_days(sqlite_court: Court) -> None:
    court = sqlite_court
    talent = court.people.holder()
    row = court.terminated(talent, Ground.LEFT_AREA)
    assert row.effective_on == date(2026, 12, 24)

    court.world.clock.advance(days=30)
    court.night()
    assert court.code_state(talent) is CodeState.ACTIVE
    court.world.clock.advance(days=1)
    court.night()
    court.night()

    assert court.code_state(talent) is CodeState.TERMINATED
    again = court.people.talent()
    court.people.submit(again, court.people.entered(again))


def test_an_end_annulled_within_the_thirty_days_never_comes(sqlite_court: Court) -> None:
    court = sqlite_court
    talent = court.people.holder()
    row = court.terminated(talent, Ground.LEFT_AREA)
    court.appeal_end(talent, row)
    court.hear_end(row, uphold=False)

    court.world.clock.advance(days=40)
    court.night()

    assert court.code_state(talent) is CodeState.ACTIVE


def test_annulling_does_not_give_a_person_two_codes(court: Court) -> None:
    who = basic()
    talent = court.people.holder(who=who)
    row = court.propose(talent, Ground.OTHER_UNSUITABLE, resolution="虚构联席〔2026〕3号")
    court.heard(talent, row)
    court.confirm(row)
    court.vote(row, office(1))
    court.vote(row, office(2))
    court.appeal_end(talent, row)
    court.people.holder(who=who)

    with pytest.raises(CodeExists):
        court.hear_end(row, uphold=False)


def test_one_person_alone_terminates_nobody(court: Court) -> None:
    talent = court.people.holder()
    row = court.heard(talent, court.propose(talent, Ground.FALSE_MATERIALS))

    assert court.vote(row, office(1)).state is TerminationState.STATEMENT_OPEN
    with pytest.raises(OwnDecision):
        court.vote(row, office(1))

    assert court.code_state(talent) is CodeState.ACTIVE


def test_one_person_may_dismiss_and_another_proposal_may_follow(sqlite_court: Court) -> None:
    court = sqlite_court
    talent = court.people.holder()
    row = court.propose(talent, Ground.LEFT_AREA, by=court.bank.actor)
    with pytest.raises(TerminationExists):
        court.propose(talent, Ground.LEFT_AREA)

    court.vote(row, office(1), grant=False)

    assert court.propose(talent, Ground.LEFT_AREA).id != row.id


def test_the_holder_is_heard_before_he_is_decided_on(sqlite_court: Court) -> None:
    court = sqlite_court
    talent, other = court.people.holder(), court.people.holder()
    row = court.propose(talent, Ground.FALSE_MATERIALS)
    court.world.clock.advance(days=5)
    court.night()

    with pytest.raises(HearingOpen):
        court.vote(row, office(1))
    with pytest.raises(TerminationNotFound):
        court.heard(other, row)
    court.world.clock.advance(days=6)
    with pytest.raises(StatementTooLate):
        court.heard(talent, row)
    court.vote(row, office(1))

    assert court.vote(row, office(2)).state is TerminationState.DECIDED


def test_an_appeal_against_an_end_comes_within_fifteen_days(sqlite_court: Court) -> None:
    court = sqlite_court
    talent = court.people.holder()
    row = court.terminated(talent, Ground.FALSE_MATERIALS)
    assert row.appeal_through == date(2026, 12, 8)
    court.world.clock.advance(days=16)

    with pytest.raises(AppealTooLate):
        court.appeal_end(talent, row)


def test_a_finding_is_attached_by_the_proposer_or_the_office_where_it_matters(sqlite_court: Court) -> None:
    court = sqlite_court
    talent = court.people.holder()
    row = court.propose(talent, Ground.SERIOUS_MISCONDUCT, by=court.bank.actor)
    other = court.world.member("另一虚构银行")

    with pytest.raises(TerminationNotFound):
        court.attach(row, by=other.actor)
    court.attach(row, by=court.bank.actor)

    with pytest.raises(FindingNeedless):
        court.attach(court.propose(talent, Ground.LEFT_AREA))


@pytest.mark.parametrize(
    ("ground", "resolution"),
    [
        (Ground.PERSONAL_USE_BREACH, None),
        (Ground.OTHER_UNSUITABLE, None),
        (Ground.LEFT_AREA, "虚构联席〔2026〕3号"),
    ],
)
def test_a_proposal_has_what_its_ground_asks_for(ground: Ground, resolution: str | None) -> None:
    with pytest.raises(ValueError, match=r"ground_by_referral|resolution"):
        Propose(code="0" * 16, ground=ground, reason="理由", resolution=resolution)


def test_the_leading_group_does_not_confirm_what_it_cannot(sqlite_court: Court) -> None:
    court = sqlite_court
    row = court.propose(court.people.holder(), Ground.LEFT_AREA)

    with pytest.raises(ConfirmationNeedless):
        court.confirm(row)
    assert leading_group().role is Role.LEADING_GROUP


class TerminationMachine(RuleBasedStateMachine):
    """Any order of acts and of time, against the table of what may follow what."""

    def __init__(self) -> None:
        super().__init__()
        self.worlds = fresh_world()
        self.court = make_court(in_force(next(self.worlds)))
        self.talent = self.court.people.holder()
        self.row: TerminationCase | None = None
        self.votes = 0

    def current(self) -> TerminationCase:
        assert self.row
        return self.court.termination(self.row)

    def attempt(self, act: str, after: TerminationState, *late: type[Exception]) -> bool:
        """Do something that leads to `after`: done where listed, else refused by one code."""
        before, court = self.current(), self.court
        try:
            {
                "notify": lambda: court.notify(before),
                "state": lambda: court.heard(self.talent, before),
                "first": lambda: court.vote(before, office(1)),
                "second": lambda: court.vote(before, office(2)),
                "dismiss": lambda: court.vote(before, office(2), grant=False),
                "appeal": lambda: court.appeal_end(self.talent, before),
                "uphold": lambda: court.hear_end(before, uphold=True),
                "annul": lambda: court.hear_end(before, uphold=False),
            }[act]()
        except TransitionRefused:
            assert not TERMINATION.allows(before.state, after)
            return False
        except late:
            return False
        stays = act in {"first", "second", "state"} and before.state is self.current().state
        assert stays or TERMINATION.allows(before.state, self.current().state)
        return True

    @precondition(lambda self: self.row is None)
    @rule()
    def propose(self) -> None:
        self.row = self.court.propose(self.talent, Ground.LEFT_AREA, by=self.court.bank.actor)

    @precondition(lambda self: self.row)
    @rule()
    def notify(self) -> None:
        self.attempt("notify", TerminationState.NOTIFIED)

    @precondition(lambda self: self.row)
    @rule()
    def make_statement(self) -> None:
        self.attempt("state", TerminationState.STATEMENT_OPEN, StatementTooLate)

    @precondition(lambda self: self.row)
    @rule()
    def first(self) -> None:
        self.votes += self.attempt("first", TerminationState.DECIDED, HearingOpen, OwnDecision)

    @precondition(lambda self: self.row)
    @rule()
    def second(self) -> None:
        self.votes += self.attempt("second", TerminationState.DECIDED, HearingOpen, OwnDecision)

    @precondition(lambda self: self.row and self.votes == 1)
    @rule()
    def dismiss(self) -> None:
        self.attempt("dismiss", TerminationState.DISMISSED)

    @precondition(lambda self: self.row)
    @rule()
    def appeal(self) -> None:
        self.attempt("appeal", TerminationState.APPEALED, AppealTooLate)

    @precondition(lambda self: self.row)
    @rule()
    def uphold(self) -> None:
        self.attempt("uphold", TerminationState.UPHELD)

    @precondition(lambda self: self.row)
    @rule()
    def annul(self) -> None:
        self.attempt("annul", TerminationState.ANNULLED)

    @rule()
    def wait(self) -> None:
        self.court.world.clock.advance(days=8)
        self.court.night()

    @invariant()
    def the_code_has_ended_only_by_two_votes_after_the_grace(self) -> None:
        ended = self.court.code_state(self.talent) is CodeState.TERMINATED
        if self.row is None:
            assert not ended
            return
        row = self.current()
        if ended:
            assert self.votes == 2
            assert row.decided_at
            assert self.court.now - row.decided_at >= timedelta(days=30)
        if row.state is TerminationState.ANNULLED:
            assert not ended

    def teardown(self) -> None:
        self.worlds.close()


TestTerminationMachine = TerminationMachine.TestCase
TestTerminationMachine.settings = settings(max_examples=12, stateful_step_count=14, deadline=None)
