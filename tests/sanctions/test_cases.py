"""Suspension cases: opened by facts under a rule of their time, heard, decided by people, ended by time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from sealproof.entry import Relation
from talentseal.accounts.roles import PERMISSIONS, Actor, Permission, Role
from talentseal.clock import legal_date
from talentseal.credentials.models import Device
from talentseal.errors import NotPermitted
from talentseal.evidence import records
from talentseal.evidence.models import EvidenceRecord
from talentseal.sanctions import cases, restrictions
from talentseal.sanctions.cases import CaseNotFound, NotPersonalUse
from talentseal.sanctions.facts import FactAhead, PresentationUnknown
from talentseal.sanctions.models import CaseAct, CaseStep, Fact, SuspensionCase
from talentseal.sanctions.refusals import AppealTooLate, HearingOpen, OwnDecision, StatementTooLate
from talentseal.sanctions.states import CASE, CaseState, Ground, TerminationState
from talentseal.sanctions.triggers import Reach, Trigger
from talentseal.states import TransitionRefused
from talentseal.talents import codes
from talentseal.talents.models import CodeState, FieldGroup, TalentFields
from tests.sanctions.conftest import Court, make_court
from tests.sanctions.machines import fresh_world
from tests.talents.conftest import VAULT, in_force, office

URGENT: dict[str, Any] = {"procedure": {"provisional_allowed": True}}


def kinds_of(court: Court) -> list[int]:
    return court.world.database.read(
        lambda session: list(
            session.scalars(select(EvidenceRecord.kind).order_by(EvidenceRecord.recorded_at))
        )
    )


@pytest.mark.scenario(33)
def test_a_code_is_suspended_from_the_decision_on_and_active_again_afterwards(court: Court) -> None:
    court.rule()
    talent = court.people.holder()

    case = court.suspended(talent)

    assert case.state is CaseState.SUSPENDED
    assert court.code_state(talent) is CodeState.SUSPENDED
    assert court.applies(talent, partner=court.bank.id)


@pytest.mark.scenario(41)
def test_five_replays_in_ten_minutes_open_one_case_and_suspend_for_72_hours_at_most(court: Court) -> None:
    court.rule(trigger=Trigger.TOKEN_REPLAY_GE_N, threshold=5, window_minutes=10, **URGENT)
    talent = court.people.holder()
    for _ in range(4):
        court.replayed(talent)
        court.world.clock.advance(minutes=2)
        court.tick()
    assert court.cases(talent) == []

    court.replayed(talent)
    court.tick()
    court.tick()

    (case,) = court.cases(talent)
    assert case.state is CaseState.PROVISIONAL
    assert case.provisional_until == court.now + timedelta(hours=72)
    assert court.code_state(talent) is CodeState.SUSPENDED
    court.world.clock.advance(hours=71, minutes=59)
    assert court.applies(talent)
    court.tick()
    assert court.code_state(talent) is CodeState.SUSPENDED
    court.world.clock.advance(minutes=1)
    assert not court.applies(talent), "by the clock, whether or not the worker has been"
    court.tick()
    assert court.code_state(talent) is CodeState.ACTIVE
    assert court.cases(talent)[0].state is CaseState.STATEMENT_OPEN


def test_a_person_who_decides_within_the_72_hours_lets_it_last(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule(duration_days=180, **URGENT)
    talent = court.people.holder()
    case = court.detected(talent)
    court.world.clock.advance(hours=50)

    court.decide(case)
    court.world.clock.advance(hours=30)
    court.tick()

    assert court.code_state(talent) is CodeState.SUSPENDED
    (case,) = court.cases(talent)
    assert case.suspended_through == legal_date(case.opened_at) + timedelta(days=179), "72 hours included"


def test_facts_that_lie_too_far_apart_open_no_case(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule(trigger=Trigger.NO_SHOW_GE_N, threshold=3, window_minutes=10)
    talent, other = court.people.holder(), court.people.holder()

    for _ in range(4):
        court.report(talent, Trigger.NO_SHOW_GE_N)
        court.report(talent, Trigger.QUOTA_ABUSE)
        court.world.clock.advance(minutes=6)
        court.report(other, Trigger.NO_SHOW_GE_N)
        court.tick()

    assert court.cases(talent) == court.cases(other) == []


def test_a_fact_that_is_reported_late_still_counts_where_it_belongs(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule(trigger=Trigger.NO_SHOW_GE_N, threshold=3, window_minutes=10)
    talent, first = court.people.holder(), court.world.clock.advance(minutes=1)
    court.report(talent, Trigger.NO_SHOW_GE_N, occurred_at=first)
    last = court.world.clock.advance(minutes=8)
    court.report(talent, Trigger.NO_SHOW_GE_N, occurred_at=last)
    court.tick()
    court.world.clock.advance(days=1)

    court.report(talent, Trigger.NO_SHOW_GE_N, occurred_at=first + timedelta(minutes=4))
    court.tick()

    assert len(court.cases(talent)) == 1


def test_what_comes_while_a_case_is_open_belongs_to_it(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule()
    talent = court.people.holder()
    case = court.detected(talent)

    court.report(talent)
    court.tick()
    assert len(court.cases(talent)) == 1
    assert len(court.world.database.read(lambda session: cases.facts_of(session, case.id))) == 2

    court.decide(case, grant=False)
    court.tick()
    court.report(talent)
    court.tick()
    assert len(court.cases(talent)) == 2, "a later fact is judged by itself"


def test_the_same_report_twice_is_one_fact(court: Court) -> None:
    talent = court.people.holder()

    first = court.report(talent, reference="柜台-7", note="照片不符（虚构）")
    again = court.report(talent, reference="柜台-7")

    assert first.id == again.id
    count = court.world.database.read(lambda session: session.scalar(select(func.count()).select_from(Fact)))
    assert count == 1


def test_nothing_is_reported_from_the_future_or_by_who_serves_nobody(sqlite_court: Court) -> None:
    court, talent = sqlite_court, sqlite_court.people.holder()

    with pytest.raises(FactAhead):
        court.report(talent, occurred_at=court.now + timedelta(seconds=1))
    with pytest.raises(PresentationUnknown):
        court.report(talent, presentation="1" * 32)
    with pytest.raises(PresentationUnknown):
        court.report(talent, presentation=court.presented(talent, court.world.member("另一虚构银行")))
    with pytest.raises(NotPermitted):
        court.report(talent, by=court.office)


@pytest.mark.scenario(45)
def test_a_rule_does_not_look_back(court: Court) -> None:
    talent = court.people.holder()
    court.report(talent)
    court.world.clock.advance(seconds=1)

    court.rule()
    court.tick()
    court.night()
    assert court.cases(talent) == []

    court.report(talent, occurred_at=court.now - timedelta(hours=2))
    court.tick()
    assert court.cases(talent) == [], "nor at what is reported late"


def test_a_changed_rule_does_not_count_the_facts_of_its_forerunner(sqlite_court: Court) -> None:
    court = sqlite_court
    first = court.rule(threshold=2)
    talent = court.people.holder()
    court.report(talent)
    court.tick()
    court.world.clock.advance(minutes=1)

    court.rule(of=first.rule, threshold=2, wording="新的文字（虚构）")
    court.report(talent)
    court.tick()
    assert court.cases(talent) == []

    court.report(talent)
    court.tick()
    assert len(court.cases(talent)) == 1


def test_a_rule_for_one_partner_counts_what_happened_there_and_rests_only_that(court: Court) -> None:
    scope = {"reach": "PARTNER", "value": court.bank.id}
    court.rule(scope=scope)
    other = court.world.member("另一虚构银行")
    talent = court.people.holder()
    court.report(talent, by=other)
    court.tick()
    assert court.cases(talent) == []

    court.suspended(talent)

    assert court.code_state(talent) is CodeState.ACTIVE
    assert court.applies(talent, partner=court.bank.id)
    assert not court.applies(talent, partner=other.id)
    assert not court.applies(talent, category="FINANCIAL")


@pytest.mark.parametrize(("reach", "use"), [(Reach.CATEGORY, "category"), (Reach.BENEFIT, "benefit")])
def test_a_narrower_suspension_rests_what_it_names_alone(sqlite_court: Court, reach: Reach, use: str) -> None:
    court = sqlite_court
    court.rule(scope={"reach": reach.value, "value": "X"})
    talent = court.people.holder()

    court.suspended(talent)

    assert court.applies(talent, **{use: "X"})
    assert not court.applies(talent, **{use: "Y"})
    assert not court.applies(talent)


def test_nobody_is_suspended_unheard_before_his_term_is_over(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule()
    talent = court.people.holder()
    case = court.detected(talent)
    assert (case.statement_from, case.statement_through) == (date(2026, 11, 27), date(2026, 12, 3))

    with pytest.raises(TransitionRefused):
        court.decide(case)
    court.world.clock.moment = datetime(2026, 12, 3, 15, 59, tzinfo=UTC)
    court.night()
    with pytest.raises(HearingOpen):
        court.decide(case)
    court.world.clock.advance(minutes=1)
    with pytest.raises(StatementTooLate):
        court.state_case(talent, case)

    assert court.decide(case).state is CaseState.SUSPENDED


def test_only_the_office_decides_and_only_the_holder_is_heard(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule()
    talent, other = court.people.holder(), court.people.holder()
    case = court.detected(talent)

    with pytest.raises(CaseNotFound):
        court.state_case(other, case)
    with pytest.raises(NotPermitted):
        court.decide(case, by=court.bureau.actor)
    with pytest.raises(NotPermitted):
        court.state_case(court.bank.actor, case)
    may_decide = {role for role in Role if Permission.CASE_DECIDE in PERMISSIONS[role]}
    assert may_decide == {Role.TALENT_OFFICE}


@pytest.mark.scenario(46)
def test_an_appeal_within_fifteen_days_that_is_won_gives_the_rights_back(court: Court) -> None:
    court.rule()
    talent = court.people.holder()
    case = court.suspended(talent)
    court.world.clock.advance(days=15)

    court.appeal(talent, case)
    with pytest.raises(OwnDecision):
        court.hear(case, uphold=False, by=office())
    lifted = court.hear(case, uphold=False)

    assert lifted.state is CaseState.LIFTED
    assert court.code_state(talent) is CodeState.ACTIVE
    assert not court.applies(talent)
    assert lifted.lifting_record_id
    row = court.world.database.read(lambda session: records.find(session, str(lifted.lifting_record_id)))
    assert (row.kind, row.relation, row.refers_to) == (42, Relation.RESOLVES, lifted.record_id)
    assert kinds_of(court).count(41) == 1


def test_an_appeal_comes_in_time_and_once(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule()
    talent, late = court.people.holder(), court.people.holder()
    case, other = court.suspended(talent), court.suspended(late)
    assert case.appeal_through == date(2026, 12, 8)

    court.appeal(talent, case)
    court.hear(case, uphold=True)
    with pytest.raises(TransitionRefused):
        court.appeal(talent, case)
    court.world.clock.moment = datetime(2026, 12, 8, 16, 0, tzinfo=UTC)
    with pytest.raises(AppealTooLate):
        court.appeal(late, other)
    assert court.code_state(talent) is CodeState.SUSPENDED


@pytest.mark.scenario(47)
@pytest.mark.parametrize("standing", ["suspended", "appealed", "upheld", "referred"])
def test_a_suspension_of_180_days_ends_by_itself(court: Court, standing: str) -> None:
    court.rule(duration_days=180)
    talent = court.people.holder()
    case = court.suspended(talent)
    if standing in {"appealed", "upheld"}:
        court.appeal(talent, case)
    if standing == "upheld":
        court.hear(case, uphold=True)
    if standing == "referred":
        court.refer(case)
    court.world.clock.moment = datetime(2027, 5, 22, 15, 59, tzinfo=UTC)
    court.night()
    assert court.code_state(talent) is CodeState.SUSPENDED
    court.world.clock.advance(minutes=1)
    assert not court.applies(talent)

    court.night()
    assert court.night() == 0, "once more changes nothing"

    assert court.code_state(talent) is CodeState.ACTIVE
    assert court.cases(talent)[0].state is CaseState.LIFTED


def test_two_suspensions_that_overlap_end_with_the_later_one(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule(duration_days=10)
    court.rule(trigger=Trigger.NO_SHOW_GE_N, duration_days=20)
    talent = court.people.holder()
    court.suspended(talent)
    court.world.clock.advance(minutes=1)
    court.report(talent, Trigger.NO_SHOW_GE_N)
    court.tick()
    second = court.cases(talent)[-1]
    court.state_case(talent, second)
    court.decide(second)

    court.world.clock.advance(days=11)
    court.night()
    assert court.code_state(talent) is CodeState.SUSPENDED
    court.world.clock.advance(days=10)
    court.night()
    assert court.code_state(talent) is CodeState.ACTIVE


def move(court: Court, talent: Actor, state: CodeState) -> None:
    now, code = court.now, court.code(talent).id
    court.write(lambda session: codes.move(session, code, state, by=None, cause=None, now=now).id)


def test_an_overdue_review_is_found_and_what_it_suspended_ends_when_it_is_made_up_for(court: Court) -> None:
    court.rule(trigger=Trigger.REVIEW_OVERDUE, duration_days=None)
    talent = court.people.holder()
    court.world.clock.advance(days=1)
    move(court, talent, CodeState.REVIEW_OVERDUE)
    court.night()
    court.night()
    (case,) = court.cases(talent)
    court.state_case(talent, case)

    court.decide(case)
    assert court.code_state(talent) is CodeState.REVIEW_OVERDUE
    assert court.applies(talent)
    move(court, talent, CodeState.ACTIVE)
    court.night()

    (case,) = court.cases(talent)
    assert case.state is CaseState.LIFTED
    assert court.code_state(talent) is CodeState.ACTIVE
    steps = court.world.database.read(lambda session: cases.steps_of(session, case.id))
    assert steps[-1].act is CaseAct.LIFTED_AS_CURED


def test_a_code_whose_review_passes_while_it_is_suspended_rests_on(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule()
    talent = court.people.holder()
    move(court, talent, CodeState.REVIEW_OVERDUE)
    court.suspended(talent)
    move(court, talent, CodeState.ACTIVE)

    court.night()

    assert court.code_state(talent) is CodeState.SUSPENDED


def test_fields_that_nobody_verified_are_found_and_cured_by_verifying(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule(trigger=Trigger.UNVERIFIED_DATA, duration_days=None)
    talent, now = court.people.holder(), court.world.clock.advance(minutes=1)
    talent_id = court.people.id_of(talent)
    own = (TalentFields.talent_id == talent_id) & (TalentFields.group == FieldGroup.BASIC)

    def set_verified(at: datetime | None) -> None:
        court.write(
            lambda session: session.execute(
                update(TalentFields).where(own).values(entered_at=now, verified_at=at)
            )
        )

    set_verified(None)
    court.night()
    (case,) = court.cases(talent)
    court.state_case(talent, case)
    court.decide(case)
    assert court.code_state(talent) is CodeState.SUSPENDED

    set_verified(court.now)
    court.night()

    assert court.code_state(talent) is CodeState.ACTIVE


def test_many_devices_in_a_short_time_open_a_case_at_night(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule(trigger=Trigger.DEVICE_COUNT_GE_N, threshold=4, window_minutes=7 * 24 * 60)
    talent = court.people.holder()
    talent_id, now = court.people.id_of(talent), court.now

    def bind(number: int) -> None:
        row = Device(
            id=f"{number:032x}",
            talent_id=talent_id,
            place=1,
            token_hash=f"{number:064x}",
            name="",
            bound_at=now,
            revoked_at=now,
        )
        court.write(lambda session: session.add(row))

    for number in range(3):
        bind(number)
    court.night()
    assert court.cases(talent) == []
    bind(3)
    court.night()

    assert len(court.cases(talent)) == 1


def test_a_grave_breach_of_personal_use_is_referred_once(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule()
    court.rule(trigger=Trigger.NO_SHOW_GE_N)
    talent, other = court.people.holder(), court.people.holder()
    case = court.suspended(talent)
    court.report(other, Trigger.NO_SHOW_GE_N)
    court.tick()
    absent = court.cases(other)[0]
    court.state_case(other, absent)
    court.decide(absent)

    with pytest.raises(NotPersonalUse):
        court.refer(absent)
    row = court.refer(case)
    with pytest.raises(TransitionRefused):
        court.refer(case)

    assert (row.ground, row.case_id, row.state) == (
        Ground.PERSONAL_USE_BREACH,
        case.id,
        TerminationState.NOTIFIED,
    )


def test_reasons_lie_sealed_and_no_step_is_altered(court: Court) -> None:
    court.rule()
    talent = court.people.holder()
    court.report(talent, note="照片明显不符（虚构）")
    court.tick()
    case = court.cases(talent)[0]
    court.state_case(talent, case)

    steps = court.world.database.read(lambda session: cases.steps_of(session, case.id))

    stated = steps[-1]
    assert cases.said_in(VAULT, stated) == "并非本人所为（虚构）"
    assert stated.sealed is not None
    assert "并非".encode() not in stated.sealed
    with pytest.raises(DBAPIError, match="append-only"):
        court.write(lambda session: session.execute(update(CaseStep).values(account_id="x")))


def test_two_workers_that_look_at_once_open_one_case(court: Court) -> None:
    court.rule()
    talent = court.people.holder()
    for _ in range(3):
        court.report(talent)

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: court.tick(), range(4)))

    assert len(court.cases(talent)) == 1


class CaseMachine(RuleBasedStateMachine):
    """Any order of acts and of time, against the table of what may follow what."""

    def __init__(self) -> None:
        super().__init__()
        self.worlds = fresh_world()
        self.court = make_court(in_force(next(self.worlds)))
        self.court.rule(duration_days=20, **URGENT)
        self.talent = self.court.people.holder()
        self.case: SuspensionCase | None = None

    def now(self) -> SuspensionCase:
        return self.court.cases(self.talent)[-1]

    def attempt(self, act: str, after: CaseState, *late: type[Exception]) -> None:
        """Do something that leads to `after`: done where listed, else refused by one code."""
        before = self.now().state
        acts: dict[str, Callable[[], object]] = {
            "suspend": lambda: self.court.decide(self.now()),
            "dismiss": lambda: self.court.decide(self.now(), grant=False),
            "appeal": lambda: self.court.appeal(self.talent, self.now()),
            "uphold": lambda: self.court.hear(self.now(), uphold=True),
            "lift": lambda: self.court.hear(self.now(), uphold=False),
            "refer": lambda: self.court.refer(self.now()),
        }
        try:
            acts[act]()
        except TransitionRefused:
            listed = CASE.allows(before, after)
            assert not listed or (after is CaseState.LIFTED and before is not CaseState.APPEALED)
        except late:
            assert CASE.allows(before, after)
        else:
            assert CASE.allows(before, after)
            assert self.now().state is after

    @precondition(lambda self: self.case is None)
    @rule()
    def detect(self) -> None:
        self.case = self.court.detected(self.talent)

    @precondition(lambda self: self.case)
    @rule()
    def make_statement(self) -> None:
        before = self.now().state
        try:
            self.court.state_case(self.talent, self.now())
        except (TransitionRefused, StatementTooLate):
            return
        assert before in {CaseState.PROVISIONAL, CaseState.NOTIFIED, CaseState.STATEMENT_OPEN}

    @precondition(lambda self: self.case)
    @rule()
    def suspend(self) -> None:
        self.attempt("suspend", CaseState.SUSPENDED, HearingOpen)

    @precondition(lambda self: self.case)
    @rule()
    def dismiss(self) -> None:
        self.attempt("dismiss", CaseState.DISMISSED)

    @precondition(lambda self: self.case)
    @rule()
    def appeal(self) -> None:
        self.attempt("appeal", CaseState.APPEALED, AppealTooLate)

    @precondition(lambda self: self.case)
    @rule()
    def uphold(self) -> None:
        self.attempt("uphold", CaseState.UPHELD)

    @precondition(lambda self: self.case)
    @rule()
    def lift(self) -> None:
        self.attempt("lift", CaseState.LIFTED)

    @precondition(lambda self: self.case)
    @rule()
    def refer(self) -> None:
        self.attempt("refer", CaseState.REFERRED_FOR_TERMINATION)

    @rule()
    def wait(self) -> None:
        self.court.world.clock.advance(days=2, hours=1)
        self.court.night()

    @invariant()
    def the_code_rests_while_something_holds_against_it(self) -> None:
        if self.case is None:
            return
        rests = self.court.applies(self.talent)
        assert (self.court.code_state(self.talent) is CodeState.SUSPENDED) == rests
        case = self.now()
        if rests and case.decided_at is None:
            assert case.provisional_until
            assert self.court.now < case.opened_at + timedelta(hours=72)
        if rests and case.suspended_through:
            assert legal_date(self.court.now) <= case.suspended_through

    def teardown(self) -> None:
        self.worlds.close()


TestCaseMachine = CaseMachine.TestCase
TestCaseMachine.settings = settings(max_examples=12, stateful_step_count=14, deadline=None)


def test_restrictions_are_asked_by_date_alone(sqlite_court: Court) -> None:
    court = sqlite_court
    court.rule()
    talent = court.people.holder()
    case = court.suspended(talent)
    code, until = court.code(talent).id, datetime(2026, 12, 23, 16, 0, tzinfo=UTC)
    assert case.suspended_through == date(2026, 12, 23)

    def holds(at: datetime) -> bool:
        return court.world.database.read(lambda session: restrictions.applies(session, code, now=at))

    assert [holds(court.now - timedelta(seconds=1)), holds(court.now)] == [False, True]
    assert [holds(until - timedelta(seconds=1)), holds(until)] == [True, False]
