"""What the date brings: states at midnight, evidence once, whoever and however often the job runs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.nightly import CLAIM, LOOK_EVERY, DayAhead, Nightly, NightlyRun
from talentseal.policy import reading, service
from talentseal.policy.effects import Deed, Verdict
from talentseal.policy.models import InstrumentAct, InstrumentVersion
from talentseal.policy.states import InstrumentState, Step
from tests.policy.conftest import Office
from tests.world import World

BROUGHT = (Step.IN_FORCE, Step.EXPIRED, Step.SUPERSEDED)


def nightly(world: World) -> Nightly:
    return Nightly(world.database, {"instruments": service.apply_day})


def brought(world: World) -> list[tuple[int, str, date]]:
    """(version, step, day) of what the date has brought, with evidence."""

    def read(session: Session) -> list[tuple[int, str, date]]:
        query = select(InstrumentVersion.number, InstrumentAct.step, InstrumentAct.on)
        query = query.join(InstrumentAct, InstrumentAct.version_id == InstrumentVersion.id)
        rows = session.execute(query.where(InstrumentAct.step.in_(BROUGHT)).order_by(InstrumentAct.on))
        return [(number, step.value, on) for number, step, on in rows]

    return world.database.read(read)


@pytest.mark.scenario(4)
def test_an_approved_successor_takes_force_at_midnight_without_a_restart(office: Office) -> None:
    clock = office.world.clock
    office.issued(effective_from=date(2026, 11, 23))
    office.issued(effective_from=date(2026, 11, 24), title="虚构办法")
    night = nightly(office.world)
    night.run_due(now=clock.now())

    clock.moment = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    assert [each.state for each in office.versions()] == [InstrumentState.ISSUED, InstrumentState.IN_FORCE]
    rest = night.run_due(now=clock.now())
    clock.advance(seconds=rest)

    assert [each.state for each in office.versions()] == [
        InstrumentState.IN_FORCE,
        InstrumentState.SUPERSEDED,
    ]
    assert rest == 1.0
    night.run_due(now=clock.now())
    assert set(brought(office.world)) == {
        (1, "IN_FORCE", date(2026, 11, 23)),
        (1, "SUPERSEDED", date(2026, 11, 24)),
        (2, "IN_FORCE", date(2026, 11, 24)),
    }


def test_the_last_day_counts_and_the_next_is_out(office: Office) -> None:
    row = office.issued(effective_from=date(2026, 11, 23), valid_through=date(2026, 11, 24))
    states = []
    for moment in ((24, 15, 59, 59), (24, 16, 0, 0)):
        day, hour, minute, second = moment
        office.world.clock.moment = datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)
        states.append(office.view(row).state)

    assert states == [InstrumentState.IN_FORCE, InstrumentState.EXPIRED]


def test_any_day_any_number_of_times_leaves_the_same(office: Office) -> None:
    office.issued(effective_from=date(2026, 11, 23), valid_through=date(2026, 11, 30))
    office.issued(effective_from=date(2026, 12, 10), title="虚构办法")
    now = office.world.clock.advance(days=30)
    night = nightly(office.world)

    found = [night.run(date(2026, 12, day), now=now)["instruments"] for day in (5, 12, 1, 12, 5)]

    assert found == [2, 1, 0, 0, 0]
    assert brought(office.world) == [
        (1, "IN_FORCE", date(2026, 11, 23)),
        (1, "EXPIRED", date(2026, 12, 1)),
        (2, "IN_FORCE", date(2026, 12, 10)),
    ]


def test_a_day_that_has_not_come_brings_nothing(office: Office) -> None:
    office.issued(effective_from=date(2026, 11, 24))

    with pytest.raises(DayAhead):
        nightly(office.world).run(date(2026, 11, 24), now=office.world.clock.now())
    assert brought(office.world) == []


def test_many_at_once_leave_the_evidence_once(office: Office) -> None:
    office.issued(effective_from=date(2026, 11, 23))
    now = office.world.clock.now()

    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(nightly(office.world).run, date(2026, 11, 23), now=now) for _ in range(16)]
        found = [run.result()["instruments"] for run in runs]

    assert sum(found) == 1
    assert brought(office.world) == [(1, "IN_FORCE", date(2026, 11, 23))]


def test_one_worker_runs_a_day_and_another_takes_it_up_when_that_one_died(world: World) -> None:
    ran: list[date] = []

    def once(_session: Session, day: date, _now: datetime) -> int:
        ran.append(day)
        if len(ran) == 1:
            raise RuntimeError("died")
        return 0

    night, now = Nightly(world.database, {"once": once}), world.clock.now()
    with pytest.raises(RuntimeError):
        night.run_due(now=now)
    assert night.run_due(now=now + CLAIM - timedelta(seconds=1)) == LOOK_EVERY
    assert len(ran) == 1

    for minutes in (10, 20, 30):
        night.run_due(now=now + timedelta(minutes=minutes))

    assert ran == [date(2026, 11, 23)] * 2
    rows = world.database.read(lambda session: session.scalars(select(NightlyRun)).all())
    assert [(row.day, row.finished_at) for row in rows] == [(date(2026, 11, 23), now + CLAIM)]


def verdicts(office: Office) -> dict[Deed, tuple[Verdict, int | None]]:
    now = office.world.clock.now()
    shown = office.world.database.read(lambda session: reading.overview(session, now=now)).standings
    return {each.deed: (each.verdict, each.article) for each in shown}


def test_an_act_stands_on_the_version_and_article_in_force(office: Office) -> None:
    office.issued(effective_from=date(2026, 11, 23), valid_through=date(2026, 11, 23))
    office.issued(
        effective_from=date(2026, 12, 1),
        articles=(
            {"number": 1, "text": "总则。"},
            {"number": 2, "text": "申领。", "deeds": (Deed.NEW_CODE,)},
        ),
    )

    in_force = verdicts(office)
    office.world.clock.advance(days=1)
    gap = verdicts(office)
    office.world.clock.advance(days=7)
    renewed = verdicts(office)

    assert in_force[Deed.NEW_CODE] == (Verdict.ALLOWED, 1)
    assert in_force[Deed.FINANCIAL_REDEMPTION] == (Verdict.ALLOWED, 2)
    assert gap[Deed.NEW_CODE] == (Verdict.BLOCKED, 1)
    assert gap[Deed.FINANCIAL_REDEMPTION] == (Verdict.BY_AGREEMENT, 2)
    assert renewed[Deed.NEW_CODE] == (Verdict.ALLOWED, 2)
    assert renewed[Deed.NEW_TIER] == (Verdict.BLOCKED, 1)
    assert all(when[Deed.COMPLAINT] == (Verdict.ALWAYS, None) for when in (in_force, gap, renewed))


def test_without_any_instrument_policy_acts_are_blocked_and_rights_are_not(office: Office) -> None:
    shown = verdicts(office)

    assert {deed for deed, (verdict, _) in shown.items() if verdict is Verdict.BLOCKED} == {
        Deed.NEW_CODE,
        Deed.NEW_TIER,
        Deed.GOVERNMENT_BENEFIT,
        Deed.GOVERNMENT_REDEMPTION,
        Deed.NEW_SUSPENSION_RULE,
    }
    assert not [deed for deed, (verdict, _) in shown.items() if verdict is Verdict.ALLOWED]
