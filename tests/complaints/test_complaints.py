"""Complaints: filed, answered in time or not, contested once, decided; what a breach is made of them."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from sealproof import canonical
from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Role
from talentseal.agreements.duty_states import BreachSource
from talentseal.complaints import clockwork, holdings, reading
from talentseal.complaints.models import Complaint
from talentseal.complaints.service import (
    AnswerAwaited,
    BenefitNotOffered,
    ComplaintNotFound,
    NobodyAnswers,
    OfficeAccepts,
    PromiseForeign,
    RedemptionNotOwn,
)
from talentseal.complaints.states import UNANSWERED, ComplaintKind, ComplaintState
from talentseal.errors import NotPermitted
from talentseal.evidence import records
from talentseal.states import TransitionRefused
from tests.api.conftest import Api
from tests.complaints.conftest import SECRET, Counter, make_counter
from tests.sanctions.machines import fresh_world
from tests.talents.conftest import office
from tests.world import START, Member

REFUSED: Final = ComplaintKind.SERVICE_REFUSED


def test_a_complaint_is_answered_contested_and_decided_within_its_terms(counter: Counter) -> None:
    talent = counter.people.holder()
    row = counter.file(talent)
    assert row.answer_due == row.filed_at + timedelta(hours=48)
    row = counter.answer(counter.process(counter.accept(row)))
    row = counter.reopen(talent, row)
    assert row.decide_through == date(2026, 11, 30)  # five working days after Monday the 23rd
    row = counter.decide(counter.escalate(row))

    assert (row.state, row.upheld, row.missed_at) == (ComplaintState.DECIDED, True, None)
    vault = counter.people.vault
    told = counter.read(
        lambda session: reading.own_complaint(session, talent, vault, row.id, now=counter.now)
    )
    assert [each.act for each in told.steps] == [
        "FILED", "ACCEPTED", "PROCESSING", "ANSWERED", "REOPENED", "ESCALATED", "UPHELD",
    ]  # fmt: skip
    assert told.steps[0].said == SECRET
    assert counter.breaches() == []  # no promise was named


def test_a_complaint_that_nobody_answered_in_time_is_brought_before_the_office(counter: Counter) -> None:
    talent = counter.people.holder()
    row = counter.file(talent, stipulation=counter.promise)
    counter.accept(row)
    counter.world.clock.advance(hours=48)
    with pytest.raises(AnswerAwaited):
        counter.reopen(talent, row)
    counter.world.clock.advance(seconds=1)

    row = counter.reopen(talent, row)  # before the clock looked

    assert (row.state, row.decide_through) == (ComplaintState.REOPENED, date(2026, 12, 2))
    (breach,) = counter.breaches()
    assert (breach.source, row.missed_at, counter.tick()) == (BreachSource.MEASURED, counter.now, 0)
    with pytest.raises(TransitionRefused):
        counter.answer(row)
    decided = counter.decide(counter.escalate(row))
    assert (decided.state, decided.upheld, len(counter.breaches())) == (ComplaintState.DECIDED, True, 2)


def test_a_refusal_that_the_office_has_not_accepted_is_not_the_organisations_to_answer(
    sqlite_counter: Counter,
) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()
    row = counter.file(talent, kind=REFUSED)
    counter.world.clock.advance(days=5)
    with pytest.raises(AnswerAwaited):
        counter.reopen(talent, row)

    counter.accept(row, by=office())
    with pytest.raises(AnswerAwaited):
        counter.reopen(talent, row)
    counter.world.clock.advance(hours=49)
    assert counter.reopen(talent, row).state is ComplaintState.REOPENED


def test_an_upheld_complaint_that_names_a_promise_alleges_its_breach(sqlite_counter: Counter) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()
    row = counter.reopen(talent, counter.answered(talent, stipulation=counter.promise))
    counter.decide(counter.escalate(row))

    (breach,) = counter.breaches()
    assert (breach.source, breach.organisation_id) == (BreachSource.COMPLAINT, counter.bank.id)
    view = counter.read(
        lambda session: reading.complaint_view(
            session, counter.bank.actor, counter.people.vault, row.id, now=counter.now
        )
    )
    assert view.breach == breach.id


def test_a_dismissed_complaint_alleges_nothing(sqlite_counter: Counter) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()
    row = counter.reopen(talent, counter.answered(talent, stipulation=counter.promise))

    assert counter.decide(counter.escalate(row), uphold=False).upheld is False
    assert counter.breaches() == []


def test_a_refusal_is_evidence_at_once_and_alleged_once_the_office_accepts(counter: Counter) -> None:
    talent = counter.people.holder()
    row = counter.file(talent, kind=REFUSED, redemption=counter.used(talent).id)
    with pytest.raises(OfficeAccepts):
        counter.accept(row)
    counter.world.clock.advance(days=3)
    assert counter.tick() == 0  # not the bank's to answer before the office accepts

    accepted = counter.accept(row, by=office())

    evidenced = counter.read(lambda session: records.find(session, row.refusal_record_id or ""))
    assert evidenced.kind == 32
    disclosed = counter.read(lambda session: records.disclosures_of(session, evidenced.id))
    assert counter.people.id_of(talent) not in str([canonical.encode(each) for each in disclosed])
    assert accepted.answer_due == counter.now + timedelta(hours=48)
    (breach,) = counter.breaches()
    assert (breach.source, breach.stipulation_id) == (BreachSource.COMPLAINT, counter.promise)
    counter.reopen(talent, counter.answer(counter.process(row)))
    counter.decide(counter.escalate(row, by=office(2)), by=office(2))
    assert len(counter.breaches()) == 1  # one occurrence, one allegation


def test_no_other_kind_of_complaint_is_evidence(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    row = counter.file(counter.people.holder())

    assert row.refusal_record_id is None


def test_a_late_answer_is_noted_even_before_the_clock_comes_round(sqlite_counter: Counter) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()
    row = counter.process(counter.accept(counter.file(talent, stipulation=counter.promise)))
    counter.world.clock.advance(hours=49)

    assert counter.answer(row).missed_at == counter.now
    assert [each.source for each in counter.breaches()] == [BreachSource.MEASURED]
    assert counter.read(lambda session: clockwork.is_anything_late(session, counter.now)) is False


def test_an_answer_that_nobody_contests_closes_by_date(sqlite_counter: Counter) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()
    row = counter.answered(talent)
    counter.world.clock.advance(days=14)
    assert counter.night() == 0
    counter.world.clock.advance(days=1)

    assert [counter.night(), counter.night()] == [1, 0]
    assert counter.complaint(row).state is ComplaintState.CLOSED


def test_what_a_complaint_is_about_has_to_be_the_talents_own_and_the_organisations(
    sqlite_counter: Counter,
) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()
    other = counter.people.holder()
    used = counter.used(other)
    with pytest.raises(RedemptionNotOwn):
        counter.file(talent, redemption=used.id)
    with pytest.raises(RedemptionNotOwn):
        counter.file(other, redemption=used.id, organisation=counter.merchant.id)
    with pytest.raises(PromiseForeign):
        counter.file(talent, stipulation=counter.other)
    with pytest.raises(BenefitNotOffered):
        counter.file(talent, benefit=used.version_id, organisation=counter.merchant.id)
    auditor = counter.world.member("虚构审计", role=Role.AUDITOR, kind=OrganisationKind.AUDITOR)
    for nobody in (auditor.id, "0x" + "1" * 64):
        with pytest.raises(NobodyAnswers):
            counter.file(talent, organisation=nobody)

    row = counter.file(talent, benefit=used.version_id)
    assert row.stipulation_id == counter.promise  # that of the benefit


def test_a_complaint_is_for_its_two_sides_and_the_office(sqlite_counter: Counter) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()
    row, other, vault = counter.file(talent), counter.people.holder(), counter.people.vault
    for read in (
        lambda session: reading.own_complaint(session, other, vault, row.id, now=counter.now),
        lambda session: reading.complaint_view(
            session, counter.merchant.actor, vault, row.id, now=counter.now
        ),
    ):
        with pytest.raises(ComplaintNotFound):
            counter.read(read)
    with pytest.raises(ComplaintNotFound):
        counter.accept(row, by=counter.merchant.actor)
    with pytest.raises(ComplaintNotFound):
        counter.reopen(other, row)
    with pytest.raises(NotPermitted):
        counter.decide(row, by=counter.bank.actor)


def test_lists_show_what_is_overdue(sqlite_counter: Counter) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()
    late, contested = counter.file(talent), counter.reopen(talent, counter.answered(talent))
    counter.answered(talent)
    counter.world.clock.advance(days=8)

    def listed(**wanted: Any) -> set[str]:
        found = counter.read(
            lambda session: reading.complaint_list(session, office(), limit=9, now=counter.now, **wanted)
        )
        return {each.id for each in found.items}

    assert listed(overdue=True) == {late.id, contested.id}
    assert listed(state=ComplaintState.FILED) == {late.id}
    assert len(listed()) == 3
    page = counter.read(lambda session: reading.complaint_list(session, office(), limit=2, now=counter.now))
    rest = counter.read(
        lambda session: reading.complaint_list(
            session, office(), after=page.next or "", limit=2, now=counter.now
        )
    )
    assert len({each.id for each in (*page.items, *rest.items)}) == 3


def test_promises_are_those_that_the_organisation_owes_now(sqlite_counter: Counter) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()

    found = counter.read(lambda session: reading.promises(session, talent, counter.bank.id, now=counter.now))
    later = counter.now + timedelta(days=900)
    ended = counter.read(lambda session: reading.promises(session, talent, counter.bank.id, now=later))

    assert [(each.id, each.threshold) for each in found] == [(counter.promise, "48 h")]
    assert ended == []


def test_whoever_leaves_is_told_everything_and_forgotten_once_nothing_is_open(
    sqlite_counter: Counter,
) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()
    row = counter.answered(talent, kind=ComplaintKind.QUALITY)
    used = counter.used(talent)
    counter.rate(talent, used, 2, text="态度冷淡（虚构）")
    talent_id, vault, now = counter.people.id_of(talent), counter.people.vault, counter.now
    complaints, marks = holdings.HOLDINGS

    told = counter.read(lambda session: complaints.tell(session, vault, talent_id))
    assert told[0]["steps"][0]["said"] == SECRET
    assert (
        counter.read(lambda session: marks.tell(session, vault, talent_id))[0]["text"] == "态度冷淡（虚构）"
    )
    assert counter.read(lambda session: complaints.is_open(session, talent_id, now))
    counter.close(talent, row)
    assert not counter.read(lambda session: complaints.is_open(session, talent_id, now))
    assert counter.read(lambda session: complaints.records(session, talent_id)) == []

    assert counter.write(lambda session, at: complaints.destroy(session, vault, talent_id, at)) == 2
    assert counter.write(lambda session, at: marks.destroy(session, vault, talent_id, at)) == 1
    left = counter.read(lambda session: complaints.tell(session, vault, talent_id))
    assert {step["said"] for step in left[0]["steps"]} == {None}


LEADS: Final[dict[tuple[str, ComplaintState], ComplaintState]] = {
    ("accept", ComplaintState.FILED): ComplaintState.ACCEPTED,
    ("process", ComplaintState.ACCEPTED): ComplaintState.PROCESSING,
    ("answer", ComplaintState.PROCESSING): ComplaintState.ANSWERED,
    ("close", ComplaintState.ANSWERED): ComplaintState.CLOSED,
    ("reopen", ComplaintState.ANSWERED): ComplaintState.REOPENED,
    ("escalate", ComplaintState.REOPENED): ComplaintState.ESCALATED,
    ("uphold", ComplaintState.ESCALATED): ComplaintState.DECIDED,
    ("dismiss", ComplaintState.ESCALATED): ComplaintState.DECIDED,
}
"""The table of domain specification §1.2, said anew; everything else is refused."""

ACTS: Final = ("accept", "process", "answer", "close", "reopen", "escalate", "uphold", "dismiss")


class ComplaintMachine(RuleBasedStateMachine):
    """One complaint at a time, whatever its sides and the clock do in whatever order."""

    counter: ClassVar[Counter]
    talent: ClassVar[Any]

    @initialize(kind=st.sampled_from([REFUSED, ComplaintKind.SLOW]), named=st.booleans())
    def filed(self, kind: ComplaintKind, *, named: bool) -> None:
        self.counter.world.clock.moment = max(self.counter.now, START)
        self.named, self.kind, self.before = named, kind, len(self.counter.breaches())
        promise = {"stipulation": self.counter.promise} if named else {}
        self.row = self.counter.file(self.talent, kind=kind, **promise)
        self.state = self.row.state
        self.late = self.alleged = False

    def hands(self) -> dict[str, Callable[[], Complaint]]:
        counter, row, talent = self.counter, self.row, self.talent
        accepting = office() if self.kind is REFUSED else counter.bank.actor
        return {
            "accept": lambda: counter.accept(row, by=accepting),
            "process": lambda: counter.process(row),
            "answer": lambda: counter.answer(row),
            "close": lambda: counter.close(talent, row),
            "reopen": lambda: counter.reopen(talent, row),
            "escalate": lambda: counter.escalate(row),
            "uphold": lambda: counter.decide(row),
            "dismiss": lambda: counter.decide(row, uphold=False),
        }

    @rule(act=st.sampled_from(ACTS))
    def attempt(self, act: str) -> None:
        hand, after = self.hands()[act], LEADS.get((act, self.state))
        unheard = act == "reopen" and self.state in UNANSWERED
        if unheard and self.late:
            after = ComplaintState.REOPENED
        if after is None:
            with pytest.raises(AnswerAwaited if unheard else TransitionRefused):
                hand()
        else:
            self.state = hand().state
            assert self.state is after
            self.alleged |= self.named and (act == "uphold" or (act, self.kind) == ("accept", REFUSED))
        self.agrees()

    @rule()
    def wait(self) -> None:
        """Beyond the time for an answer."""
        self.counter.world.clock.advance(hours=49)
        done = self.counter.tick()
        unanswered = self.state in {ComplaintState.ACCEPTED, ComplaintState.PROCESSING}
        owed = unanswered or (self.state is ComplaintState.FILED and self.kind is not REFUSED)
        assert done == (owed and not self.late)
        self.late = self.late or owed
        self.agrees()

    def agrees(self) -> None:
        row = self.counter.complaint(self.row)
        assert (row.state, row.missed_at is not None) == (self.state, self.late)
        expected = self.alleged + (self.late and self.named)
        assert len(self.counter.breaches()) - self.before == expected

    def teardown(self) -> None:
        """Nobody owes an answer when the next complaint comes."""
        self.counter.world.clock.advance(days=10)
        self.counter.tick()


def test_no_step_is_taken_that_is_not_listed_and_nothing_is_alleged_twice() -> None:
    worlds = fresh_world()
    made = make_counter(next(worlds))

    class Machine(ComplaintMachine):
        counter, talent = made, made.people.holder()

    run_state_machine_as_test(Machine, settings=settings(max_examples=15, stateful_step_count=10))
    worlds.close()


def test_what_programs_do_with_a_complaint(sqlite_counter: Counter, tmp_path: Path) -> None:
    counter, api = sqlite_counter, Api(sqlite_counter.world, tmp_path)
    talent = Member(counter.people.holder(), None, "虚构人才")
    judge = counter.world.member("虚构人才办", role=Role.TALENT_OFFICE, kind=OrganisationKind.GOVERNMENT)

    def done(who: Member, path: str, **said: Any) -> str:
        answer = api.call(who, "POST", path, json=said)
        assert answer.status_code in {200, 201}, answer.text
        return str(answer.json().get("state") or answer.json()["stars"])

    targets = {each["id"] for each in api.call(talent, "GET", "/complaint-targets").json()}
    assert {counter.bank.id, counter.merchant.id} <= targets
    promises = api.call(talent, "GET", f"/complaint-targets/{counter.bank.id}/promises").json()
    said = {
        "organisation": counter.bank.id,
        "kind": "SLOW",
        "text": SECRET,
        "stipulation": promises[0]["id"],
    }
    filed = api.call(talent, "POST", "/me/complaints", json=said).json()["id"]
    mine, theirs = f"/me/complaints/{filed}", f"/complaints/{filed}"

    states = [
        done(counter.bank, f"{theirs}/acceptance"),
        done(counter.bank, f"{theirs}/processing"),
        done(counter.bank, f"{theirs}/answer", text="已加派人手（虚构）"),
        done(talent, f"{mine}/reopening", text="并未解决（虚构）"),
        done(counter.bank, f"{theirs}/statement", text="另有值班记录（虚构）"),
        done(judge, f"{theirs}/escalation"),
        done(judge, f"{theirs}/decision", uphold=True, reason="查明属实（虚构）"),
        done(talent, f"{mine}/rating", stars=4),
    ]

    opened = ["ACCEPTED", "PROCESSING", "ANSWERED", "REOPENED", "REOPENED"]
    assert states == [*opened, "ESCALATED", "DECIDED", "4"]
    late = api.call(counter.bank, "POST", f"{theirs}/statement", json={"text": "再说明（虚构）"})
    assert (late.status_code, late.json()["code"]) == (409, "nothing-to-decide")
    assert [each["id"] for each in api.call(talent, "GET", "/me/complaints").json()] == [filed]
    assert api.call(talent, "GET", mine).json()["rating"]["stars"] == 4
    assert api.call(counter.bank, "GET", theirs).json()["redemption"] is None
    assert len(api.call(counter.bank, "GET", "/complaints?overdue=false").json()["items"]) == 1
    (ours,) = api.call(counter.bank, "GET", "/service-records").json()["items"]
    assert (ours["complaints"], ours["upheld"], ours["ratings"], ours["mean_bp"]) == (1, 1, 1, None)
    second = api.call(talent, "POST", "/me/complaints", json=said | {"stipulation": None}).json()["id"]
    for act in ("acceptance", "processing"):
        done(counter.bank, f"/complaints/{second}/{act}")
    done(counter.bank, f"/complaints/{second}/answer", text="已办（虚构）")
    assert done(talent, f"/me/complaints/{second}/closing") == "CLOSED"
    used = counter.used(talent.actor)
    assert done(talent, f"/me/redemptions/{used.id}/rating", stars=5, text="周到（虚构）") == "5"
