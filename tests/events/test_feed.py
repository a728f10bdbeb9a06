"""The feed: what partners are told, once, in an order in which no reader misses any."""

import json
import threading
import time
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Role
from talentseal.benefits.models import BenefitState, BenefitStep, BenefitVersion
from talentseal.clock import legal_date
from talentseal.errors import NotPermitted
from talentseal.events import gathering, service
from talentseal.events.models import EventProgress
from talentseal.events.states import EventKind
from talentseal.policy.tiers import Tier
from talentseal.redemptions.models import RedemptionState
from talentseal.worker import gathering_events
from tests.complaints.conftest import SECRET, Counter
from tests.events.conftest import gather, told
from tests.redemptions.clearing import Clearing
from tests.redemptions.market import Market, done
from tests.world import Member, World


def kinds(world: World, member: Member) -> list[str]:
    return [each.kind.value for each in told(world, member.actor)]


def test_a_partner_is_told_of_redemptions_and_nobody_else_is(sqlite_market: Market) -> None:
    market, world = sqlite_market, sqlite_market.world
    version = market.shelf.published(tiers={Tier.RESERVE: 9}, value_fen=500)
    phone, till, partner = market.guest(version), market.till(version), market.provider(version)
    row = done(market.redeem(version, phone, quantity=2))
    reversed_now = market.reverse(row, till, 1).reversal
    gather(world)

    events = {each.kind: each for each in told(world, partner.actor)}

    assert set(events) == {
        EventKind.BENEFIT_PUBLISHED,
        EventKind.REDEMPTION_COMPLETED,
        EventKind.REDEMPTION_REVERSED,
    }
    completed, undone = events[EventKind.REDEMPTION_COMPLETED], events[EventKind.REDEMPTION_REVERSED]
    assert (completed.subject, undone.subject) == (row.id, reversed_now.id)
    assert completed.data["value_fen"] == row.value_fen
    assert completed.data["talent_ref"] == row.talent_ref
    assert completed.data["record"] == row.record_id
    assert undone.data["redemption"] == row.id
    assert row.talent_id not in json.dumps([each.data for each in events.values()])
    stranger = world.joined("虚构书店二号")
    assert told(world, stranger.actor) == []


def test_a_reservation_that_lapsed_is_told_however_late_it_is_found(sqlite_counter: Counter) -> None:
    world, bank = sqlite_counter.world, sqlite_counter.bank
    used = sqlite_counter.used(sqlite_counter.people.holder(), RedemptionState.RESERVED)
    gather(world)
    now = world.clock.advance(days=2)

    def release(session: Session) -> None:
        row = session.get_one(type(used), used.id)
        row.state, row.released_at = RedemptionState.RELEASED, now

    world.database.write(release)
    gather(world)

    assert "redemption.released" in kinds(world, bank)


def test_a_partner_is_told_of_his_closed_period_once_and_what_it_comes_to(sqlite_market: Market) -> None:
    clearing, world = Clearing(sqlite_market), sqlite_market.world
    clearing.use(clearing.subsidised, value_fen=1_000)
    gather(world)
    assert "settlement.closed" not in kinds(world, clearing.merchant)
    clearing.at("2026-12-01T09:00")
    row = clearing.close("2026-11")
    gather(world)
    clearing.object(row)
    clearing.reconcile(row, -33)
    clearing.market.world.clock.advance(hours=1)
    gather(world)

    (closed,) = [each for each in told(world, clearing.merchant.actor) if each.subject == row.id]
    assert (closed.kind, closed.at) == (EventKind.SETTLEMENT_CLOSED, row.closed_at)
    assert closed.data == {"settlement": row.id, "period": "2026-11", "net_fen": 333}
    assert clearing.statement(row, 2).net_fen == 300, "what it came to later is read from the settlement"
    for member in (clearing.market.shelf.bureau, clearing.operator):
        assert "settlement.closed" not in kinds(world, member)


def test_complaints_and_breaches_are_told_without_saying_who_complained(counter: Counter) -> None:
    talent, world = counter.people.holder(), counter.world
    used = counter.used(talent)
    row = counter.answered(talent, redemption=used.id, stipulation=counter.promise)
    counter.reopen(talent, row)
    counter.escalate(row)
    counter.decide(row)
    breach = counter.allege(reference="虚构-9")
    counter.judge(breach)
    counter.offer(breach)
    counter.acknowledge(breach)
    counter.end(breach)

    gather(world)

    met = kinds(world, counter.bank)
    wanted = ["complaint.filed", "complaint.escalated", "complaint.decided"]
    assert [each for each in met if each.startswith("complaint.")] == wanted
    assert {"breach.alleged", "breach.confirmed", "breach.cured"} <= set(met)
    assert {"breach.alleged", "breach.confirmed", "breach.cured"} <= set(kinds(world, counter.merchant))
    said = [each.data for each in told(world, counter.bank.actor) if each.kind.value[0] == "c"]
    assert used.id not in json.dumps(said)
    assert used.talent_ref not in json.dumps(said)
    assert SECRET not in json.dumps(said, ensure_ascii=False)


def test_to_tell_again_tells_nothing_again(sqlite_counter: Counter) -> None:
    world, bank = sqlite_counter.world, sqlite_counter.bank
    sqlite_counter.file(sqlite_counter.people.holder())
    loop = gathering_events(world.database, world.clock)

    loop.tick()
    before = told(world, bank.actor)
    world.clock.advance(minutes=2)
    loop.tick()
    today = legal_date(world.clock.now())
    again = world.database.write(lambda session: gathering.apply_day(session, today, world.clock.now()))

    assert (len(before), again) == (1, 0)
    assert told(world, bank.actor) == before
    assert not world.database.read(partial(gathering.is_due, now=world.clock.now()))


def test_what_ends_long_after_its_time_is_told_behind_what_was_told(sqlite_market: Market) -> None:
    world = sqlite_market.world
    version = sqlite_market.shelf.published(tiers={Tier.RESERVE: 9})
    partner = sqlite_market.provider(version)
    gather(world)
    begun = world.clock.now()
    world.clock.advance(minutes=10)
    gather(world)

    move(world, version, begun)
    gather(world)
    assert [each.cursor for each in told(world, partner.actor)] == [1, 2]

    very_late = world.clock.now()
    world.clock.advance(days=2)
    gather(world)
    move(world, version, very_late)
    gather(world)
    assert len(told(world, partner.actor)) == 2
    now = world.clock.now()
    world.database.write(lambda session: gathering.apply_day(session, legal_date(now), now))
    assert [each.cursor for each in told(world, partner.actor)] == [1, 2, 3]


def move(world: World, version: BenefitVersion, at: object) -> None:
    """A step of a version, written behind the services' back."""

    def write(session: Session) -> None:
        newest = session.scalar(
            select(func.max(BenefitStep.number)).where(BenefitStep.version_id == version.id)
        )
        step = BenefitStep(version_id=version.id, number=(newest or 0) + 1, at=at)
        step.state, step.by, step.reason = BenefitState.PUBLISHED, None, None
        session.add(step)

    world.database.write(write)


def test_more_than_one_step_takes_are_told_in_several(
    sqlite_market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_market.world
    version = sqlite_market.shelf.published(tiers={Tier.RESERVE: 9})
    for _ in range(7):
        move(world, version, world.clock.advance(seconds=1))
    monkeypatch.setattr(gathering, "PART", 3)

    rounds = []
    while done_now := gather(world):
        rounds.append(done_now)

    assert sum(rounds) == 8
    assert max(rounds) <= 6
    events = told(world, sqlite_market.provider(version).actor)
    assert [each.cursor for each in events] == list(range(1, 9))
    assert events == sorted(events, key=lambda each: each.at)


def test_a_reader_never_misses_one_while_several_tell_and_one_is_slow(counter: Counter) -> None:
    world, bank, talent = counter.world, counter.bank, counter.people.holder()
    counter.file(talent)
    entered, released, read = threading.Event(), threading.Event(), []
    now = world.clock.now()

    def slow(session: Session) -> int:
        """Has given cursors, and does not commit yet."""
        count = gathering.gather(session, now=now)
        entered.set()
        assert released.wait(20)
        return count

    counts: list[int] = []
    first = threading.Thread(target=lambda: counts.append(world.database.write(slow)))
    first.start()
    assert entered.wait(20)
    others = [threading.Thread(target=lambda: counts.append(gather(world))) for _ in range(3)]
    for each in others:
        each.start()
    read += told(world, bank.actor)
    assert read == []
    released.set()
    for each in (first, *others):
        each.join(20)
    read += told(world, bank.actor, after=0)

    assert sorted(counts) == [0, 0, 0, 1]
    assert [each.cursor for each in read] == [1]


def test_writers_tellers_and_a_reader_together(world: World) -> None:
    """Whoever reads behind his last cursor all the time has read everything at the end, once, in order."""
    market = Market.of(world)
    version = market.shelf.published(tiers={Tier.RESERVE: 9})
    partner, now = market.provider(version), world.clock.now()
    written, tellers_done = 24, threading.Event()

    def write(numbers: range) -> None:
        for number in numbers:
            # Times go back and forth between the writers, as they do between processes.
            step = BenefitStep(version_id=version.id, number=number, at=now + timedelta(seconds=number % 7))
            step.state, step.by, step.reason = BenefitState.PAUSED, None, None
            world.database.write(partial(Session.merge, instance=step))

    def tell() -> None:
        while not tellers_done.is_set():
            gather(world)

    ranges = [range(100 + place * 8, 108 + place * 8) for place in range(written // 8)]
    writers = [threading.Thread(target=write, args=(each,)) for each in ranges]
    tellers = [threading.Thread(target=tell) for _ in range(2)]
    for each in (*tellers, *writers):
        each.start()
    read: list[int] = []
    subjects: set[str] = set()
    ends = time.monotonic() + 20
    while len(read) < written + 1 and time.monotonic() < ends:
        for event in told(world, partner.actor, after=read[-1] if read else 0, limit=3):
            read.append(event.cursor)
            subjects.add(event.subject)
    tellers_done.set()
    for each in (*tellers, *writers):
        each.join(20)

    assert read == list(range(1, written + 2))
    assert len(subjects) == written + 1


def test_a_page_holds_a_hundred_at_most_and_says_where_it_ends(sqlite_market: Market) -> None:
    world = sqlite_market.world
    version = sqlite_market.shelf.published(tiers={Tier.RESERVE: 9})
    partner = sqlite_market.provider(version)
    for _ in range(101):
        move(world, version, world.clock.now())
    gather(world)

    page = world.database.read(partial(service.feed, actor=partner.actor, after=0, limit=500))
    rest = world.database.read(partial(service.feed, actor=partner.actor, after=page.next, limit=100))

    assert (len(page.items), page.next, len(rest.items)) == (100, 100, 2)
    empty = world.database.read(partial(service.feed, actor=partner.actor, after=rest.next, limit=100))
    assert (empty.items, empty.next) == ([], 102)


def test_a_talent_reads_no_feed(sqlite_world: World) -> None:
    talent = sqlite_world.member("虚构人才", role=Role.TALENT)
    with pytest.raises(NotPermitted):
        told(sqlite_world, talent.actor)


def test_progress_moves_though_nothing_happens(sqlite_world: World) -> None:
    gather(sqlite_world)
    now = sqlite_world.clock.advance(days=30)
    gather(sqlite_world)

    assert sqlite_world.database.read(lambda session: session.get_one(EventProgress, 1).through) == now
