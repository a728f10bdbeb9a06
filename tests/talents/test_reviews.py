"""Reviews (Article 15): what the date brings, what is reported, answered and decided."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.clock import legal_date
from talentseal.db import Database
from talentseal.errors import NotPermitted
from talentseal.policy.tiers import Tier
from talentseal.states import TransitionRefused
from talentseal.talents import codes, people, review_terms, reviews
from talentseal.talents.models import CodeState, FieldGroup
from talentseal.talents.review_models import ReviewCause, ReviewReminder, ReviewState, ReviewTask
from talentseal.talents.review_schemas import Happening, ProposeTerms, Verdict
from tests.talents.conftest import People, basic, high, in_force, office, work
from tests.talents.reviewing import BUREAU, Reviewing, days_until
from tests.world import SetClock, make_world

YEAR = 365


@pytest.fixture
def reviewing(crowd: People) -> Reviewing:
    return Reviewing(crowd)


@pytest.fixture
def sqlite_reviewing(sqlite_crowd: People) -> Reviewing:
    return Reviewing(sqlite_crowd)


def reminders_of(reviewing: Reviewing, task: ReviewTask) -> list[int]:
    query = select(ReviewReminder.days_left).where(ReviewReminder.review_id == task.id)
    return reviewing.people.world.database.read(
        lambda session: list(session.scalars(query.order_by(ReviewReminder.on)))
    )


@pytest.mark.scenario(53)
def test_a_review_that_nobody_answers_within_the_grace_stops_the_code_until_it_is_answered(
    reviewing: Reviewing,
) -> None:
    holder = reviewing.people.holder()
    reviewing.after(YEAR)
    task = reviewing.one(holder)
    assert (task.state, reviewing.state(holder)) == (ReviewState.DUE, CodeState.ACTIVE)

    reviewing.after(30)
    assert reviewing.state(holder) is CodeState.ACTIVE, "the last day of the grace is a day of grace"
    reviewing.after(1)
    assert reviewing.one(holder).state is ReviewState.OVERDUE
    assert reviewing.state(holder) is CodeState.REVIEW_OVERDUE

    reviewing.answer(holder, task)
    assert reviewing.state(holder) is CodeState.REVIEW_OVERDUE, "an answer alone frees nothing"
    reviewing.decide(task, Verdict.CONFIRMED)
    assert reviewing.state(holder) is CodeState.ACTIVE


@pytest.mark.scenario(54)
def test_a_gap_in_social_insurance_opens_a_review_and_takes_nothing(reviewing: Reviewing) -> None:
    who = basic()
    holder = reviewing.people.holder(who=who)

    reviewing.report(who, Happening.INSURANCE_GAP)
    reviewing.night()

    task = reviewing.one(holder)
    assert (task.cause, task.state) == (ReviewCause.INSURANCE_GAP, ReviewState.SCHEDULED)
    assert reviewing.state(holder) is CodeState.ACTIVE
    assert reminders_of(reviewing, task) == [30]
    reviewing.after(60)
    assert reviewing.state(holder) is CodeState.ACTIVE


def test_the_same_report_is_taken_once_and_another_of_its_cause_joins_the_review(
    reviewing: Reviewing,
) -> None:
    who = basic()
    holder = reviewing.people.holder(who=who)

    for reference in ("7", "7", "8"):
        reviewing.report(who, Happening.INSURANCE_GAP, reference)
    reviewing.report(who, Happening.JOB_CHANGE)

    by_cause = {task.cause: task.steps for task in reviewing.of(holder)}
    assert by_cause == {ReviewCause.INSURANCE_GAP: 2, ReviewCause.JOB_CHANGE: 1}


def test_a_report_says_nothing_of_whether_somebody_is_known(sqlite_reviewing: Reviewing) -> None:
    sqlite_reviewing.report(basic(), Happening.COMPLAINT)


def test_the_holder_is_reminded_thirty_days_seven_days_and_on_the_day_once_each(
    reviewing: Reviewing,
) -> None:
    holder = reviewing.people.holder()
    assert reviewing.after(YEAR - 31) == 0
    met = []
    for days in (1, 22, 1, 6, 1):
        reviewing.after(days)
        assert reviewing.night() == 0, "a day that is run again finds nothing to do"
        met.append(reminders_of(reviewing, reviewing.one(holder)))

    assert met == [[30], [30], [30, 7], [30, 7], [30, 7, 0]]


def test_days_that_nobody_ran_are_made_up_for_and_cost_the_holder_nothing(
    sqlite_reviewing: Reviewing,
) -> None:
    holder = sqlite_reviewing.people.holder()

    sqlite_reviewing.after(2 * YEAR)

    task, today = (
        sqlite_reviewing.one(holder),
        legal_date(sqlite_reviewing.people.world.clock.now()),
    )
    assert (task.state, task.due_on, task.answer_by) == (
        ReviewState.DUE,
        today,
        today + timedelta(days=30),
    )
    assert sqlite_reviewing.state(holder) is CodeState.ACTIVE


def test_what_the_holder_corrects_is_sealed_and_counts_once_it_is_confirmed(reviewing: Reviewing) -> None:
    holder = reviewing.people.holder()
    database, vault = reviewing.people.world.database, reviewing.people.vault
    talent = reviewing.people.id_of(holder)

    def employer() -> str:
        fields = database.read(lambda session: people.fields_of(session, vault, talent, FieldGroup.BASIC))
        assert fields["full_name"] == "欧阳虚构"
        return str(fields["organisation"])

    reviewing.after(YEAR)
    task = reviewing.one(holder)
    reviewing.answer(holder, task, work=work(organisation="虚构新单位（演示）"))
    steps = database.read(lambda session: reviews.steps_of(session, task.id))
    assert all("虚构".encode() not in (each.sealed or b"") for each in steps)
    assert employer() == "虚构科技公司（演示）"

    reviewing.decide(task, Verdict.CONFIRMED)

    assert employer() == "虚构新单位（演示）"
    steps = database.read(lambda session: reviews.steps_of(session, task.id))
    assert reviews.said_in(vault, steps[-1])["before"]["BASIC"]["organisation"] == "虚构科技公司（演示）"


def test_the_next_year_counts_from_the_review_that_was_confirmed(sqlite_reviewing: Reviewing) -> None:
    holder = sqlite_reviewing.people.holder()
    sqlite_reviewing.after(YEAR + 10)
    first = sqlite_reviewing.one(holder)
    sqlite_reviewing.answer(holder, first)
    sqlite_reviewing.decide(first, Verdict.CONFIRMED)

    sqlite_reviewing.after(YEAR - 30)  # 2028 has a day more
    assert len(sqlite_reviewing.of(holder)) == 1
    sqlite_reviewing.after(1)

    assert [each.state for each in sqlite_reviewing.of(holder)] == [
        ReviewState.SCHEDULED,
        ReviewState.CONFIRMED,
    ]


def test_an_empty_answer_does_not_hold_the_grace_off(sqlite_reviewing: Reviewing) -> None:
    holder = sqlite_reviewing.people.holder()
    sqlite_reviewing.after(YEAR)
    task = sqlite_reviewing.one(holder)
    sqlite_reviewing.answer(holder, task)
    task = sqlite_reviewing.decide(task, Verdict.CHANGES_REQUIRED)

    sqlite_reviewing.after(days_until(task, sqlite_reviewing.people) - 1)
    assert sqlite_reviewing.state(holder) is CodeState.ACTIVE
    sqlite_reviewing.after(1)

    assert sqlite_reviewing.state(holder) is CodeState.REVIEW_OVERDUE
    sqlite_reviewing.answer(holder, task)
    sqlite_reviewing.decide(task, Verdict.CONFIRMED)
    assert sqlite_reviewing.state(holder) is CodeState.ACTIVE


def test_a_code_whose_suspension_ends_after_the_grace_is_overdue_the_next_night(
    sqlite_reviewing: Reviewing,
) -> None:
    holder, world = sqlite_reviewing.people.holder(), sqlite_reviewing.people.world
    code = sqlite_reviewing.people.code(holder)

    def take(after: CodeState) -> None:
        now = world.clock.now()
        world.database.write(
            lambda session: codes.move(session, code.id, after, by="office-1", cause=None, now=now)
        )

    sqlite_reviewing.after(YEAR)
    take(CodeState.SUSPENDED)
    sqlite_reviewing.after(31)
    assert sqlite_reviewing.state(holder) is CodeState.SUSPENDED
    take(CodeState.ACTIVE)
    sqlite_reviewing.night()

    assert sqlite_reviewing.state(holder) is CodeState.REVIEW_OVERDUE


def test_before_the_five_years_of_a_youth_end_he_is_reviewed_once(sqlite_reviewing: Reviewing) -> None:
    crowd = sqlite_reviewing.people
    claim = high(Tier.YOUTH, body=None, number=None, recognised_on=None)
    holder = crowd.holder(claim=claim, works=work(started_on=date(2022, 1, 10)))
    crowd.confirm(holder)

    sqlite_reviewing.after(18)  # 11 December 2026: thirty days before 10 January 2027
    assert sqlite_reviewing.one(holder).cause is ReviewCause.GRADUATION_LIMIT
    task = sqlite_reviewing.one(holder)
    assert (task.due_on, task.state) == (date(2027, 1, 10), ReviewState.SCHEDULED)
    sqlite_reviewing.answer(holder, task)
    sqlite_reviewing.decide(task, Verdict.CONFIRMED)

    assert sqlite_reviewing.after(1) == 0


def test_whoever_reported_does_not_decide(sqlite_reviewing: Reviewing) -> None:
    who = basic()
    holder = sqlite_reviewing.people.holder(who=who)
    sqlite_reviewing.report(who, Happening.COMPLAINT, by=office(3))
    task = sqlite_reviewing.one(holder)
    sqlite_reviewing.answer(holder, task)

    with pytest.raises(reviews.ReporterDecides):
        sqlite_reviewing.decide(task, Verdict.CONFIRMED, by=office(3))
    sqlite_reviewing.decide(task, Verdict.CONFIRMED)


@pytest.mark.scenario(84)
def test_the_review_of_somebody_else_is_not_found_and_the_attempt_is_noted(
    sqlite_reviewing: Reviewing, capsys: pytest.CaptureFixture[str]
) -> None:
    holder, other = sqlite_reviewing.people.holder(), sqlite_reviewing.people.holder()
    sqlite_reviewing.after(YEAR)
    task = sqlite_reviewing.one(holder)

    with pytest.raises(reviews.ReviewNotFound):
        sqlite_reviewing.answer(other, task)
    with pytest.raises(NotPermitted):
        sqlite_reviewing.answer(office(), task)
    with pytest.raises(NotPermitted):
        sqlite_reviewing.decide(task, Verdict.CONFIRMED, by=BUREAU)

    noted = capsys.readouterr().out
    assert "access.not-yours" in noted
    assert other.account_id in noted
    assert "欧阳" not in noted


def test_nothing_is_asked_of_a_code_that_has_ended(sqlite_reviewing: Reviewing) -> None:
    holder, world = sqlite_reviewing.people.holder(), sqlite_reviewing.people.world
    sqlite_reviewing.after(YEAR)
    task = sqlite_reviewing.one(holder)
    now = world.clock.now()
    world.database.write(
        lambda session: codes.move(
            session, task.code_id, CodeState.CANCELLED, by=holder.account_id, cause=None, now=now
        )
    )

    assert sqlite_reviewing.after(40) == 0
    with pytest.raises(reviews.ReviewMoot):
        sqlite_reviewing.answer(holder, task)


def test_one_night_over_many_codes_goes_part_by_part(
    sqlite_reviewing: Reviewing, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders = [sqlite_reviewing.people.holder() for _ in range(5)]
    monkeypatch.setattr("talentseal.talents.review_days.PART", 2)

    sqlite_reviewing.after(YEAR)

    assert [sqlite_reviewing.one(each).state for each in holders] == [ReviewState.DUE] * 5


def terms(crowd: People, by: Actor, **months: int) -> int:
    """Propose terms; their number."""
    command = ProposeTerms(months={Tier(t): n for t, n in months.items()}, grace_days=10, reason="虚构")
    now = crowd.world.clock.now()
    return crowd.world.database.write(
        lambda session: review_terms.propose(session, by, command, now=now).number
    )


def test_another_period_counts_once_a_second_person_approved_it(reviewing: Reviewing) -> None:
    crowd = reviewing.people
    holder, now = crowd.holder(), crowd.world.clock.now()
    number = terms(crowd, office(1), RESERVE=6)

    def approve(by: Actor) -> None:
        crowd.world.database.write(lambda session: review_terms.approve(session, by, number, now=now))

    with pytest.raises(review_terms.ProposerApproves):
        approve(office(1))
    assert reviewing.after(182) == 0, "what is proposed counts for nothing"
    approve(office(2))
    with pytest.raises(review_terms.TermsSettled):
        approve(office(2))
    reviewing.night()

    task = reviewing.one(holder)
    assert task.answer_by - task.due_on == timedelta(days=10)


def test_terms_are_the_offices_own(sqlite_reviewing: Reviewing) -> None:
    for role in set(Role) - {Role.TALENT_OFFICE}:
        stranger = Actor("stranger", "0x" + "4" * 64, role, PERMISSIONS[role])
        with pytest.raises(NotPermitted):
            terms(sqlite_reviewing.people, stranger)


LISTED = {
    ("SCHEDULED", "DUE"),
    ("DUE", "SUBMITTED"),
    ("DUE", "OVERDUE"),
    ("OVERDUE", "SUBMITTED"),
    ("SUBMITTED", "CONFIRMED"),
    ("SUBMITTED", "CHANGES_REQUIRED"),
    ("SUBMITTED", "FAILED"),
    ("CHANGES_REQUIRED", "SUBMITTED"),
    ("CHANGES_REQUIRED", "OVERDUE"),
}


@pytest.mark.parametrize("before", ReviewState)
@pytest.mark.parametrize("after", ReviewState)
def test_every_transition_that_is_not_listed_is_refused(before: ReviewState, after: ReviewState) -> None:
    if (before.value, after.value) in LISTED:
        reviews.MOVES.require(before, after)
        return
    with pytest.raises(TransitionRefused):
        reviews.MOVES.require(before, after)


@contextmanager
def a_crowd() -> Iterator[People]:
    """A world for each run of the machine."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/world.db"
        database = Database(url)
        database.upgrade()
        database.close()
        with contextmanager(make_world)(url, SetClock(), Path(folder)) as world:
            yield in_force(world)


class ReviewLife(RuleBasedStateMachine):
    """A holder, an office and a calendar that do what they like: what holds of the code at every moment."""

    @initialize()
    def begin(self) -> None:
        self.opened = a_crowd()
        self.reviewing = Reviewing(self.opened.__enter__())
        self.holder = self.reviewing.people.holder()

    @rule(days=st.sampled_from([1, 8, 30, 31, 180, 365]))
    def let_days_pass(self, days: int) -> None:
        self.reviewing.after(days)
        assert self.reviewing.night() == 0

    @rule()
    def answer(self) -> None:
        for task in self.reviewing.of(self.holder):
            if task.state in reviews.ANSWERABLE:
                self.reviewing.answer(self.holder, task)
            else:
                with pytest.raises(TransitionRefused):
                    self.reviewing.answer(self.holder, task)

    @rule(verdict=st.sampled_from(Verdict))
    def decide(self, verdict: Verdict) -> None:
        for task in self.reviewing.of(self.holder):
            if task.state is ReviewState.SUBMITTED:
                self.reviewing.decide(task, verdict)
            else:
                with pytest.raises(TransitionRefused):
                    self.reviewing.decide(task, verdict)

    @invariant()
    def a_code_is_overdue_only_for_a_review_that_lapsed(self) -> None:
        if not hasattr(self, "holder"):
            return
        tasks = self.reviewing.of(self.holder)
        if self.reviewing.state(self.holder) is CodeState.REVIEW_OVERDUE:
            assert any(task.lapsed_on for task in tasks)
        else:
            assert not any(task.state is ReviewState.OVERDUE for task in tasks)
        assert sum(task.state in reviews.OPEN for task in tasks) <= 1

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.opened.__exit__(None, None, None)


TestReviewLife = ReviewLife.TestCase
TestReviewLife.settings = settings(max_examples=6, stateful_step_count=8, deadline=None)


def test_the_database_keeps_one_open_review_for_each_cause(reviewing: Reviewing) -> None:
    holder, database = reviewing.people.holder(), reviewing.people.world.database
    reviewing.after(YEAR)
    task = reviewing.one(holder)
    code = reviewing.people.code(holder)

    def again() -> None:
        now = reviewing.people.world.clock.now()
        row = reviews.make(
            code,
            ReviewCause.PERIODIC,
            "another",
            due_on=task.due_on,
            day=legal_date(now),
            grace_days=30,
        )
        database.write(lambda session: session.add(row))

    with pytest.raises(IntegrityError):
        again()
