"""Breaches of stipulations: alleged, decided by another person, cured with the receiving side, on the
contract.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from sealproof.entry import Relation
from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import PERMISSIONS, Actor, Permission, Role
from talentseal.agreements import duties, duty_reading
from talentseal.agreements.duties import (
    AnotherDecides,
    BreachNotFound,
    CureNotAcknowledged,
    NotOwnDuty,
    OwnDuty,
    StipulationNotFound,
    StipulationNotOwed,
)
from talentseal.agreements.duty_models import Breach
from talentseal.agreements.duty_schemas import Allege
from talentseal.agreements.duty_states import BreachSource, BreachState
from talentseal.agreements.models import Stipulation
from talentseal.audit import trail
from talentseal.complaints import service_records
from talentseal.errors import NotPermitted
from talentseal.evidence.models import ActState, EvidenceRecord
from talentseal.states import TransitionRefused
from tests.api.conftest import Api
from tests.complaints.conftest import THIRD, Counter, make_counter
from tests.sanctions.machines import fresh_world
from tests.talents.conftest import office
from tests.world import Member

MONTH: Final = (date(2026, 11, 1), date(2026, 12, 31))


def record(counter: Counter, record_id: str | None) -> EvidenceRecord:
    return counter.read(lambda session: session.get_one(EvidenceRecord, record_id or ""))


def breach_rate(counter: Counter) -> int | None:
    bank = counter.bank.id
    return counter.read(lambda session: service_records.breach_rate_bp(session, bank, *MONTH))


@pytest.mark.scenario(65)
def test_a_missed_answer_is_alleged_confirmed_by_decision_and_cured(counter: Counter, tmp_path: Path) -> None:
    talent = counter.people.holder()
    complaint = counter.file(talent, stipulation=counter.promise)
    counter.world.clock.advance(hours=48)
    assert counter.tick() == 0
    counter.world.clock.advance(seconds=1)

    assert [counter.tick(), counter.tick(), counter.night()] == [1, 0, 0]
    (breach,) = counter.breaches()
    counter.world.clock.advance(days=30)
    counter.night()
    assert counter.breach(breach).state is BreachState.BREACH_ALLEGED  # time alone confirms nothing
    assert (breach.source, breach.organisation_id) == (BreachSource.MEASURED, counter.bank.id)

    counter.judge(breach)
    counter.acknowledge(counter.offer(breach))
    ended = counter.end(breach)
    assert ended.state is BreachState.CURED

    alleged, found, cured = (
        record(counter, each) for each in (ended.record_id, ended.decision_record_id, ended.closing_record_id)
    )
    declared = counter.read(lambda session: session.get_one(Stipulation, counter.promise).record_id)
    assert [(each.kind, each.relation, each.refers_to) for each in (alleged, found, cured)] == [
        (22, Relation.DECLARES, declared),
        (23, Relation.RESOLVES, alleged.id),
        (25, Relation.CURES, found.id),
    ]
    counter.world.settle()
    view = counter.read(
        lambda session: duty_reading.breach_view(session, THIRD, counter.people.vault, breach.id)
    )
    assert view.finding is not None
    assert view.ending is not None
    assert (view.finding.state, view.ending.state) == (ActState.FINAL, ActState.FINAL)
    assert counter.complaint(complaint).missed_at is not None
    lines = counter.read(lambda session: trail.whole(session, counter.bank.actor, limit=99))
    told = {line.record: line.subject.clause for line in lines if line.subject}
    assert [told[each.id] for each in (alleged, found, cured)] == ["第三条"] * 3
    api = Api(counter.world, tmp_path)
    for each in (alleged, found, cured):
        assert api.call(counter.bank, "GET", f"/evidence/{each.id}/bundle").status_code == 200
        assert api.call(counter.bank, "GET", f"/evidence/{each.id}/certificate").status_code == 200


@pytest.mark.scenario(66)
def test_what_was_dismissed_cured_or_waived_does_not_count_in_the_breach_rate(
    sqlite_counter: Counter,
) -> None:
    counter = sqlite_counter
    talent = counter.people.holder()
    assert breach_rate(counter) is None
    for _ in range(3):
        counter.used(talent)
    counter.used(talent, promised=False)
    alleged = [counter.allege(reference=f"虚构-{number}") for number in range(4)]
    assert breach_rate(counter) == 0

    counter.judge(alleged[0], confirm=False)
    assert breach_rate(counter) == 0
    for each in alleged[1:]:
        counter.judge(each)
    assert breach_rate(counter) == 5_000  # three that stand, three observances
    counter.acknowledge(counter.offer(alleged[1]))
    counter.end(alleged[1])
    counter.end(alleged[2], cured=False)
    assert breach_rate(counter) == 2_500


def test_a_waived_breach_resolves_its_finding(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    row = counter.end(counter.judge(counter.allege()), cured=False)

    closed = record(counter, row.closing_record_id)
    assert (closed.kind, closed.relation, closed.refers_to) == (
        25,
        Relation.RESOLVES,
        row.decision_record_id,
    )
    counter.world.settle()
    view = counter.read(
        lambda session: duty_reading.breach_view(session, THIRD, counter.people.vault, row.id)
    )
    assert view.ending is not None
    assert view.ending.state is ActState.FINAL


def test_one_occurrence_is_alleged_once(counter: Counter) -> None:
    first, again, another = counter.allege(), counter.allege(), counter.allege(reference="虚构-2")
    by_office = counter.allege(by=office())

    assert first.id == again.id
    assert len({first.id, another.id, by_office.id}) == 3
    assert len(counter.breaches()) == 3


def test_the_other_side_or_the_office_alleges_and_nobody_else(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    with pytest.raises(OwnDuty):
        counter.allege(by=counter.bank.actor)
    with pytest.raises(StipulationNotFound):
        counter.allege(position=9)
    stranger = counter.world.member("虚构他行")
    with pytest.raises(Exception, match="does not exist or is not yours"):
        counter.allege(by=stranger.actor)
    leader = Actor("leader", "0x" + "7" * 64, Role.LEADING_GROUP, PERMISSIONS[Role.LEADING_GROUP])
    with pytest.raises(NotPermitted):  # it reads every agreement and is a party of none
        counter.allege(by=leader)


def test_nothing_is_owed_before_an_agreement_is_in_force(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    later = counter.world.signed(counter.merchant, counter.bank, plain=b"%PDF-1.7\n%later\n")
    command = Allege(agreement=later.agreement_id, version=1, position=0, reference="一", text="虚构")

    with pytest.raises(StipulationNotOwed):
        counter.write(
            lambda session, now: duties.allege(
                session, counter.merchant.actor, counter.people.vault, command, now=now
            )
        )


def test_whoever_alleged_or_acknowledged_does_not_decide(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    row = counter.allege(by=office())
    with pytest.raises(AnotherDecides):
        counter.judge(row, by=office())
    counter.judge(row, by=office(2))
    with pytest.raises(AnotherDecides):
        counter.end(row, cured=False, by=office())
    with pytest.raises(NotPermitted):
        counter.judge(counter.allege(), by=counter.merchant.actor)


def test_a_cure_needs_the_receiving_side_and_anew_when_it_is_offered_again(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    row = counter.judge(counter.allege())
    with pytest.raises(CureNotAcknowledged):
        counter.acknowledge(row)
    with pytest.raises(NotOwnDuty):
        counter.offer(row, by=counter.merchant.actor)
    counter.offer(row)
    with pytest.raises(OwnDuty):
        counter.acknowledge(row, by=counter.bank.actor)
    with pytest.raises(CureNotAcknowledged):
        counter.end(row)
    counter.acknowledge(row)
    counter.offer(row)
    with pytest.raises(CureNotAcknowledged):
        counter.end(row)
    counter.acknowledge(row)

    assert counter.end(row).state is BreachState.CURED


def test_strangers_learn_nothing_of_a_breach(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    row, stranger = counter.allege(), counter.world.member("虚构他行").actor
    vault = counter.people.vault
    with pytest.raises(BreachNotFound):
        counter.read(lambda session: duty_reading.breach_view(session, stranger, vault, row.id))
    for act in (duties.state_duty, duties.offer_cure, duties.acknowledge_cure):
        with pytest.raises(BreachNotFound):
            counter.speak(act, row, stranger)
    assert counter.read(lambda session: duty_reading.breach_list(session, stranger, limit=9).items) == []
    mine = counter.read(lambda session: duty_reading.breach_list(session, counter.bank.actor, limit=9).items)
    assert [(each.id, each.clause) for each in mine] == [(row.id, "第三条")]


def test_pages_of_breaches_follow_each_other_and_keep_to_a_state(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    rows = []
    for number in range(3):
        counter.world.clock.advance(minutes=1)
        rows.append(counter.allege(reference=f"虚构-{number}"))
    counter.judge(rows[0])

    first = counter.read(lambda session: duty_reading.breach_list(session, THIRD, limit=2))
    rest = counter.read(
        lambda session: duty_reading.breach_list(session, THIRD, after=first.next or "", limit=2)
    )
    confirmed = counter.read(
        lambda session: duty_reading.breach_list(session, THIRD, state=BreachState.BREACH_CONFIRMED, limit=9)
    )

    assert [each.id for each in (*first.items, *rest.items)] == [each.id for each in reversed(rows)]
    assert [each.id for each in confirmed.items] == [rows[0].id]


LEADS: Final[dict[tuple[str, BreachState], BreachState]] = {
    ("state", BreachState.BREACH_ALLEGED): BreachState.BREACH_ALLEGED,
    ("confirm", BreachState.BREACH_ALLEGED): BreachState.BREACH_CONFIRMED,
    ("dismiss", BreachState.BREACH_ALLEGED): BreachState.DISMISSED,
    ("offer", BreachState.BREACH_CONFIRMED): BreachState.BREACH_CONFIRMED,
    ("acknowledge", BreachState.BREACH_CONFIRMED): BreachState.BREACH_CONFIRMED,
    ("cure", BreachState.BREACH_CONFIRMED): BreachState.CURED,
    ("waive", BreachState.BREACH_CONFIRMED): BreachState.WAIVED,
}
"""Where an act leads: the table of domain specification §1.2, said anew; everything else is refused."""

ACTS: Final = ("state", "confirm", "dismiss", "offer", "acknowledge", "cure", "waive")


class BreachMachine(RuleBasedStateMachine):
    """One allegation at a time, with everybody who has a say in it."""

    counter: ClassVar[Counter]
    number: ClassVar[int] = 0

    @initialize()
    def alleged(self) -> None:
        type(self).number += 1
        self.row = self.counter.allege(reference=f"虚构-{self.number}")
        self.state, self.offered, self.seen = self.row.state, False, False

    def hands(self) -> dict[str, Callable[[], Breach]]:
        counter, row = self.counter, self.row
        return {
            "state": lambda: counter.speak(duties.state_duty, row, counter.bank.actor),
            "confirm": lambda: counter.judge(row),
            "dismiss": lambda: counter.judge(row, confirm=False),
            "offer": lambda: counter.offer(row),
            "acknowledge": lambda: counter.acknowledge(row),
            "cure": lambda: counter.end(row),
            "waive": lambda: counter.end(row, cured=False),
        }

    @rule(act=st.sampled_from(ACTS))
    def attempt(self, act: str) -> None:
        hand, after = self.hands()[act], LEADS.get((act, self.state))
        if after is None:
            with pytest.raises(TransitionRefused):
                hand()
        elif (act == "acknowledge" and not self.offered) or (act == "cure" and not self.seen):
            with pytest.raises(CureNotAcknowledged):
                hand()
        else:
            self.state = hand().state
            assert self.state is after
            self.seen = act == "acknowledge" or (self.seen and act != "offer")
            self.offered = self.offered or act == "offer"
        assert self.counter.breach(self.row).state is self.state


def test_no_step_is_taken_that_is_not_listed() -> None:
    worlds = fresh_world()

    class Machine(BreachMachine):
        counter = make_counter(next(worlds))

    run_state_machine_as_test(Machine, settings=settings(max_examples=15, stateful_step_count=8))
    worlds.close()


WHO: dict[Permission, set[Role]] = {
    Permission.BREACH_TAKE_PART: set(Role) - {Role.TALENT, Role.AUDITOR},
    Permission.BREACH_DECIDE: {Role.TALENT_OFFICE},
    Permission.COMPLAINT_OWN: {Role.TALENT},
    Permission.COMPLAINT_ANSWER: {
        Role.PARTNER,
        Role.THIRD_PARTY,
        Role.OPERATOR,
        Role.BUREAU,
        Role.FINANCIAL_AFFAIRS_BUREAU,
    },
    Permission.COMPLAINT_DECIDE: {Role.TALENT_OFFICE},
}


@pytest.mark.parametrize("permission", WHO)
def test_each_act_is_for_its_bodies_alone(permission: Permission) -> None:
    assert {role for role in Role if permission in PERMISSIONS[role]} == WHO[permission]


def test_what_programs_do_with_a_breach(sqlite_counter: Counter, tmp_path: Path) -> None:
    counter, api = sqlite_counter, Api(sqlite_counter.world, tmp_path)
    government = OrganisationKind.GOVERNMENT
    judge = counter.world.member("虚构人才办", role=Role.TALENT_OFFICE, kind=government)

    def post(who: Member, path: str, **said: Any) -> str:
        answer = api.call(who, "POST", path, json=said)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])

    alleged = api.call(
        counter.merchant,
        "POST",
        "/breaches",
        json={
            "agreement": counter.version.agreement_id,
            "version": 1,
            "position": 0,
            "reference": "虚构-1",
            "text": "三日未答复（虚构）",
        },
    ).json()
    path = f"/breaches/{alleged['id']}"

    states = [
        post(counter.bank, f"{path}/statement", text="节假日（虚构）"),
        post(judge, f"{path}/decision", confirm=True, reason="属实（虚构）"),
        post(counter.bank, f"{path}/cure", text="已补办（虚构）"),
        post(counter.merchant, f"{path}/acknowledgement", text="已看到（虚构）"),
        post(judge, f"{path}/closing", cured=True, reason="已补办（虚构）"),
    ]

    assert states == ["BREACH_ALLEGED", *["BREACH_CONFIRMED"] * 3, "CURED"]
    view = api.call(counter.merchant, "GET", path).json()
    assert [each["act"] for each in view["steps"]] == [
        "ALLEGED", "STATED", "CONFIRMED", "CURE_OFFERED", "CURE_ACKNOWLEDGED", "CURED",
    ]  # fmt: skip
    assert view["receiving"]
    listed = api.call(judge, "GET", "/breaches?state=CURED").json()["items"]
    assert [each["id"] for each in listed] == [alleged["id"]]
