"""However many want the last one at once, one of them gets it, and nobody is refused what was there."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from talentseal.benefits.models import BenefitVersion, Budget
from talentseal.policy.tiers import Tier
from talentseal.redemptions.refusals import Refusal
from talentseal.redemptions.reversing import OverOriginal
from tests.credentials.burning import Answers, answered, processes
from tests.credentials.counters import CREDENTIALS
from tests.redemptions.giving import Giver
from tests.redemptions.market import Market, done
from tests.world import SetClock, make_world

CLIENTS = 64
ROUNDS = int(os.environ.get("TALENTSEAL_ROUNDS", "3"))
"""1,000 in `scripts/test --full`."""

PROCESSES = 4
PEOPLE = 8
ONCE = {None: 1, Refusal.BUDGET_EXHAUSTED: CLIENTS - 1}


@dataclass(frozen=True, slots=True)
class Rush:
    """A benefit with a budget for one at a time, and people who stand at its counters."""

    market: Market
    version: BenefitVersion
    shown: list[str]

    @classmethod
    def of(cls, market: Market) -> "Rush":
        version = market.shelf.published(tiers={Tier.RESERVE: None}, budget_units=1)
        till = market.till(version)
        return cls(market, version, [market.shown(till, market.guest(version)) for _ in range(PEOPLE)])

    def giver(self, clients: int) -> Giver:
        till = self.market.till(self.version)
        url = str(self.market.world.database.url)
        return Giver(url, till.device.actor, till.place, CREDENTIALS, clients, self.version.benefit_id)

    def refill(self) -> None:
        """One more."""
        more = update(Budget).values(limit_units=Budget.limit_units + 1)
        self.market.change(more)


@pytest.fixture
def postgres_rush(postgres_url: str, clock: SetClock, tmp_path: Path) -> Iterator[Rush]:
    with contextmanager(make_world)(postgres_url, clock, tmp_path) as world:
        yield Rush.of(Market.of(world))


@pytest.mark.scenario(76)
def test_a_budget_for_one_passes_one_of_many_terminals(market: Market) -> None:
    rush, ready = Rush.of(market), threading.Barrier(CLIENTS)
    giver, database = rush.giver(CLIENTS), market.world.database

    def client(number: int) -> str | None:
        ready.wait()
        return giver.act(database, rush.shown[number % PEOPLE], market.now)

    with ThreadPoolExecutor(CLIENTS) as threads:
        for _ in range(ROUNDS):
            assert Answers(threads.map(client, range(CLIENTS))) == ONCE
            rush.refill()

    assert market.spent(rush.version) == (ROUNDS, ROUNDS * 5_000)
    assert market.records() == len(market.redemptions()) == ROUNDS


@pytest.mark.long
@pytest.mark.scenario(76)
def test_it_is_one_in_several_processes_too(postgres_rush: Rush) -> None:
    rush, market = postgres_rush, postgres_rush.market
    clients = CLIENTS // PROCESSES
    shown = [rush.shown[number % PEOPLE] for number in range(clients)]

    with processes([rush.giver(clients)] * PROCESSES) as connections:
        for _ in range(ROUNDS):
            assert answered(connections, shown, market.now) == ONCE
            rush.refill()

    assert market.spent(rush.version) == (ROUNDS, ROUNDS * 5_000)
    assert market.records() == len(market.redemptions()) == ROUNDS


def test_a_quota_of_one_person_holds_at_several_counters_at_once(market: Market) -> None:
    version = market.shelf.published(tiers={Tier.RESERVE: 3}, exclusion_group="XG-1")
    phone, till = market.guest(version), market.till(version)
    shown, ready = market.shown(till, phone), threading.Barrier(12)
    giver = Giver("", till.device.actor, till.place, CREDENTIALS, 12, version.benefit_id)

    def client(_number: int) -> str | None:
        ready.wait()
        return giver.act(market.world.database, shown, market.now)

    with ThreadPoolExecutor(12) as threads:
        answers = Answers(threads.map(client, range(12)))

    assert answers == {None: 3, Refusal.QUOTA_EXHAUSTED: 9}
    assert market.used(version, phone) == 3


def test_reversals_at_once_never_exceed_the_original(market: Market) -> None:
    version = market.shelf.published(tiers={Tier.RESERVE: 5}, budget_units=5)
    phone, till = market.guest(version), market.till(version)
    row = done(market.redeem(version, phone, quantity=5))

    def client(_number: int) -> bool:
        try:
            market.reverse(row, till, 2)
        except OverOriginal:
            return True
        return False

    with ThreadPoolExecutor(6) as threads:
        over = sum(threads.map(client, range(6)))

    assert over == 4
    assert (market.used(version, phone), market.row(row.id).reversed_units) == (1, 4)


def test_the_database_itself_refuses_to_count_beyond_a_limit(market: Market) -> None:
    market.shelf.published(tiers={Tier.RESERVE: None}, budget_units=1, budget_fen=9_000)

    for beyond in ({"used_units": 2}, {"used_fen": 9_001}, {"used_units": -1}, {"used_fen": -1}):
        with pytest.raises(IntegrityError):
            market.change(update(Budget).values(**beyond))
