"""The fork servers that the crash tests give their orders to, one per kind of database and test process."""

import os
from collections.abc import Iterator

import pytest

from tests.crash.fork_server import ForkServer
from tests.crash.orders import Account
from tests.postgres import Postgres

TRIALS = int(os.environ.get("TALENTSEAL_TRIALS", "50"))
"""Trials a point in which the fault strikes."""

SEED = int(os.environ.get("TALENTSEAL_SEED", "1"))
"""Seed of each point's first trial; those that follow count up."""


Crashes = ForkServer[Account]
SERVER = "tests.crash.server"


@pytest.fixture(scope="session")
def sqlite_server() -> Iterator[Crashes]:
    server = ForkServer(SERVER, Account)
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgresql_server(postgres: Postgres) -> Iterator[Crashes]:
    server = ForkServer(SERVER, Account, "--postgresql", postgres.url())
    yield server
    server.close()
