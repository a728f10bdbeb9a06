"""What the other tests stand on: fresh databases, a chain that is put back, no way to the outside."""

import socket

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, text

from chainkit import rpc
from tests.postgres import Postgres


def test_a_database_has_its_tables_and_no_rows(database_url: str) -> None:
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    tables = inspect(engine).get_table_names()
    with engine.connect() as connection:
        counts = {
            name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in tables
        }
    engine.dispose()
    assert {"evidence_record", "checkpoint"} <= set(tables)
    assert {name for name, count in counts.items() if count} <= {"alembic_version", "log_progress"}


def test_a_blank_database_has_no_tables(blank_database_url: str) -> None:
    engine = create_engine(blank_database_url.replace("postgresql:", "postgresql+psycopg:"))
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_killed_postgresql_keeps_what_was_committed() -> None:
    server = Postgres().start()
    server.execute("CREATE TABLE kept AS SELECT 7 AS n")
    server.kill()
    server.start()
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    server.stop()


@pytest.mark.parametrize("turn", [1, 2])
def test_what_a_test_does_to_the_chain_is_undone(chain_url: str, turn: int) -> None:
    before = rpc.call(chain_url, "eth_blockNumber")
    rpc.call(chain_url, "evm_mine")
    assert rpc.call(chain_url, "eth_blockNumber") == hex(int(before, 16) + 1)
    assert (before, turn) in {("0x0", 1), ("0x0", 2)}


def test_nothing_outside_this_machine_is_reached() -> None:
    with socket.socket() as outward, pytest.raises((RuntimeError, UserWarning), match=r"192\.0\.2\.1"):
        outward.connect(("192.0.2.1", 80))
