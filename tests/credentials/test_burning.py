"""However many present one token at once, one of them is answered; the rest are told that it was used."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from talentseal.credentials import presenting
from talentseal.credentials.models import TokenBurn
from talentseal.credentials.presenting import Bearer
from talentseal.credentials.refusals import Refusal
from talentseal.db import table_of
from tests.credentials.burning import Answers, Post, answered, processes
from tests.credentials.counters import CREDENTIALS, Street, verdict
from tests.talents.conftest import in_force
from tests.world import SetClock, make_world

CLIENTS = 64
TOKENS = int(os.environ.get("TALENTSEAL_BURNS", "3"))
"""1,000 in `scripts/test --full`."""

PROCESSES = 4
ONCE = {None: 1, Refusal.TOKEN_USED: CLIENTS - 1}


@pytest.fixture
def postgres_street(postgres_url: str, clock: SetClock, tmp_path: Path) -> Iterator[Street]:
    with contextmanager(make_world)(postgres_url, clock, tmp_path) as world:
        yield Street(in_force(world))


@pytest.mark.scenario(30)
def test_of_many_that_present_a_token_at_two_outlets_at_once_one_succeeds(street: Street) -> None:
    phone, ready = street.phone(), threading.Barrier(CLIENTS)

    def client(number: int, token: str) -> Refusal | None:
        ready.wait()
        return verdict(street.tills[number % 2].scan(token))

    with ThreadPoolExecutor(CLIENTS) as threads:
        for _ in range(TOKENS):
            token = phone.mint().text
            assert Answers(threads.map(client, range(CLIENTS), [token] * CLIENTS)) == ONCE
            street.world.clock.advance(seconds=3)

    assert len(street.presentations()) == street.burns() == TOKENS


@pytest.mark.long
@pytest.mark.scenario(30)
def test_it_is_one_in_several_processes_too(postgres_street: Street, postgres_url: str) -> None:
    street, phone = postgres_street, postgres_street.phone()
    posts = [
        Post(postgres_url, till.device.actor, till.place, CREDENTIALS, CLIENTS // PROCESSES)
        for till in street.tills * (PROCESSES // 2)
    ]

    with processes(posts) as connections:
        for _ in range(TOKENS):
            shown = [phone.mint().text] * (CLIENTS // PROCESSES)
            assert answered(connections, shown, street.world.clock.now()) == ONCE
            street.world.clock.advance(seconds=3)

    assert len(street.presentations()) == street.burns() == TOKENS


def test_both_forms_of_a_token_at_once_are_one(street: Street) -> None:
    minted, till = street.phone().mint(), street.tills[0]

    with ThreadPoolExecutor(8) as threads:
        answers = Answers(verdict(met) for met in threads.map(till.scan, [minted.text, minted.number] * 4))

    assert answers == {None: 1, Refusal.TOKEN_USED: 7}


def test_a_check_before_the_insert_is_caught(
    postgres_street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    burn, looked = presenting._burn, threading.Barrier(2)

    def wait_and_burn(session: Session, asked: Any, bearer: Bearer, identifier: str) -> None:
        with suppress(threading.BrokenBarrierError):
            looked.wait(timeout=1)
        burn(session, asked, bearer, identifier)

    monkeypatch.setattr(presenting, "_burn", wait_and_burn)
    monkeypatch.setattr(presenting, "_BURN", insert(table_of(TokenBurn)).on_conflict_do_nothing())

    with pytest.raises(AssertionError):
        test_of_many_that_present_a_token_at_two_outlets_at_once_one_succeeds(postgres_street)
