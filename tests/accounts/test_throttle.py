"""Guessing is slowed, and no amount of it shuts out whoever has the right password and code."""

from typing import Any

import pytest

from talentseal.accounts.api_keys import FREE_FAILURES, TooManyAttempts
from talentseal.accounts.throttle import (
    CHALLENGES,
    LONGEST_SLOT,
    PRESSING_FAILURES,
    PRESSURE_SECONDS,
    SHORTEST_SLOT,
    Step,
    Throttle,
    network_of,
)
from tests.accounts.door import Ticking

HOME = "198.51.100.7"


@pytest.fixture
def time() -> Ticking:
    return Ticking()


@pytest.fixture
def throttle(time: Ticking) -> Throttle:
    return Throttle(time)


def press(throttle: Throttle, name: str = "lin") -> None:
    """As many failures at a name as there are networks to make them from."""
    for number in range(PRESSING_FAILURES):
        throttle.failed(name, f"203.0.113.{number}")


def test_a_network_that_fails_waits_longer_each_time_and_others_do_not(throttle: Throttle) -> None:
    for _ in range(FREE_FAILURES + 1):
        throttle.failed("lin", HOME)

    with pytest.raises(TooManyAttempts):
        throttle.check("somebody else", HOME, Step.PASSWORD)
    throttle.check("lin", "198.51.100.8", Step.PASSWORD)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("testclient", "testclient", True),
    ],
)
def test_a_network_is_what_one_party_commands(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


def test_however_many_guess_the_rightful_person_gets_his_attempt_at_once(
    throttle: Throttle,
) -> None:
    for number in range(1000):
        throttle.failed("lin", f"10.0.{number // 250}.{number % 250}")

    throttle.check("lin", HOME, Step.PASSWORD)
    throttle.check("lin", HOME, Step.CODE)

    assert throttle.is_pressed("lin")
    assert not throttle.is_pressed("chen")


def test_under_pressure_a_network_waits_between_attempts_and_twice_as_long_each_time(
    throttle: Throttle, time: Ticking
) -> None:
    waits = []
    for _ in range(10):
        press(throttle)
        throttle.check("lin", HOME, Step.CODE)
        with pytest.raises(TooManyAttempts) as refused:
            throttle.check("lin", HOME, Step.CODE)
        wait = int(refused.value.params["retry_after"]) - 1
        waits.append(wait)
        time.seconds += wait

    assert waits[:4] == [SHORTEST_SLOT, 60, 120, 240]
    assert waits[-1] == LONGEST_SLOT


def test_a_completed_sign_in_ends_the_wait_of_its_network(throttle: Throttle) -> None:
    press(throttle)
    throttle.check("lin", HOME, Step.CODE)

    throttle.succeeded("lin", HOME)

    throttle.check("lin", HOME, Step.CODE)


def test_pressure_passes(throttle: Throttle, time: Ticking) -> None:
    press(throttle)

    time.seconds += PRESSURE_SECONDS

    assert not throttle.is_pressed("lin")


def test_names_are_not_kept(throttle: Throttle, capsys: pytest.CaptureFixture[str]) -> None:
    press(throttle, "林星河")

    assert "林星河" not in repr(vars(throttle._failures))
    assert "林星河" not in "".join(capsys.readouterr())


def test_the_operator_is_told_of_pressure_once(
    throttle: Throttle, capsys: pytest.CaptureFixture[str]
) -> None:
    press(throttle)
    press(throttle)

    assert "".join(capsys.readouterr()).count("sign-in.pressure") == 1


def test_what_is_remembered_is_bounded(throttle: Throttle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talentseal.accounts.throttle.REMEMBERED_KEYS", 50)

    for number in range(200):
        throttle.failed(f"name {number}", HOME)

    remembered: Any = throttle._failures._times
    assert len(remembered) == 50


def test_a_network_asks_for_so_many_challenges_a_minute(throttle: Throttle, time: Ticking) -> None:
    for _ in range(CHALLENGES):
        throttle.admit_challenge(HOME)

    with pytest.raises(TooManyAttempts):
        throttle.admit_challenge(HOME)
    throttle.admit_challenge("198.51.100.8")
    time.seconds += 61
    throttle.admit_challenge(HOME)


def test_wrong_invitations_are_counted_and_other_errors_are_not(throttle: Throttle) -> None:
    for error in [KeyError] * 20 + [ValueError] * (FREE_FAILURES + 1):
        try:
            with throttle.guarding_network(HOME, ValueError):
                raise error
        except (KeyError, ValueError):
            pass
        except TooManyAttempts:
            break

    with pytest.raises(TooManyAttempts), throttle.guarding_network(HOME, ValueError):
        pass
