"""The fork servers that the crash tests give their orders to, one per kind of database and test process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.crash.orders import Account, Order
from tests.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]

TRIALS = int(os.environ.get("TALENTSEAL_TRIALS", "50"))
"""Trials a point in which the fault strikes."""

SEED = int(os.environ.get("TALENTSEAL_SEED", "1"))
"""Seed of each point's first trial; those that follow count up."""


class ForkServer:
    """A fork server in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.crash.server", *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def carry_out(self, order: Order) -> Account:
        """Have the trials of an order done."""
        orders, accounts = self._process.stdin, self._process.stdout
        assert orders is not None
        assert accounts is not None
        orders.write(json.dumps(asdict(order)) + "\n")
        orders.flush()
        answer = accounts.readline()
        assert answer, f"the fork server ended over {order}"
        return Account(**json.loads(answer))

    def close(self) -> None:
        """End it; it removes its files."""
        self._process.communicate(timeout=60)


@pytest.fixture(scope="session")
def sqlite_server() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgresql_server(postgres: Postgres) -> Iterator[ForkServer]:
    server = ForkServer("--postgresql", postgres.url())
    yield server
    server.close()
