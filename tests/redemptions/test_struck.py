"""Killed at any moment under load: nothing acknowledged is lost, nothing happens twice."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.crash.fork_server import ForkServer
from tests.redemptions.slips import SLIPS
from tests.redemptions.struck import Account, Order

KILLS = int(os.environ.get("TALENTSEAL_KILLS", "500"))
"""Of the service, on each kind of database; 10,000 in `scripts/test --full`."""

RESTARTS = int(os.environ.get("TALENTSEAL_RESTARTS", "3"))
"""Of the PostgreSQL server; 100 in `scripts/test --full`."""

SEED = int(os.environ.get("TALENTSEAL_SEED", "1"))
FEW = 40
"""Kills in which a planted fault is met."""

SHOWN = 5
"""Violations that are shown."""

CAUGHT = {"acknowledge-before-commit": "R1", "forget-idempotency": "R2"}
"""Planted fault → the oracle that names it."""

pytestmark = pytest.mark.timeout(7200)


Struck = ForkServer[Account]


@contextmanager
def struck(kind: str) -> Iterator[Struck]:
    server = ForkServer("tests.redemptions.struck", Account, kind)
    yield server
    server.close()


@pytest.fixture(scope="module")
def on_sqlite() -> Iterator[Struck]:
    with struck("sqlite") as server:
        yield server


@pytest.fixture(scope="module")
def on_postgresql() -> Iterator[Struck]:
    with struck("postgresql") as server:
        yield server


def assert_nothing_was_violated(account: Account) -> None:
    shown = "\n".join(account.violations[:SHOWN])
    assert not account.violations, (
        f"{len(account.violations)} violations; see tests.redemptions.struck\n{shown}"
    )
    assert account.acknowledged > (account.kills + account.restarts) / 4
    assert account.repeated > 0


def test_a_service_killed_at_any_moment_loses_nothing_and_does_nothing_twice(on_sqlite: Struck) -> None:
    account = on_sqlite.carry_out(Order(KILLS, SEED))

    assert_nothing_was_violated(account)
    assert account.kills == KILLS


def test_nor_does_one_on_postgresql(on_postgresql: Struck) -> None:
    account = on_postgresql.carry_out(Order(KILLS, SEED))

    assert_nothing_was_violated(account)
    assert account.kills == KILLS


def test_nor_does_one_whose_postgresql_is_killed_under_it(on_postgresql: Struck) -> None:
    account = on_postgresql.carry_out(Order(0, SEED, RESTARTS))

    assert_nothing_was_violated(account)
    assert account.restarts == RESTARTS


def test_every_planted_fault_is_looked_for() -> None:
    assert set(CAUGHT) == set(SLIPS)


@pytest.mark.parametrize("slip", sorted(CAUGHT))
def test_a_planted_fault_is_caught(slip: str, on_sqlite: Struck) -> None:
    account = on_sqlite.carry_out(Order(FEW, SEED, slip=slip))

    assert CAUGHT[slip] in {violation.partition(":")[0] for violation in account.violations}
