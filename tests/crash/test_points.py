"""Whatever strikes at a named point, nothing acknowledged is lost, nothing doubled, no history forks."""

import re

import pytest

from tests.crash.conftest import SEED, TRIALS, Crashes
from tests.crash.fork_server import ROOT
from tests.crash.orders import Account, Order
from tests.crash.plan import POINTS, SERVICE_POINTS

SHOWN = 5
"""Violations of a point that are shown; each names the trial to repeat."""


def assert_nothing_was_violated(account: Account, trials: int) -> None:
    shown = "\n".join(account.violations[:SHOWN])
    assert not account.violations, (
        f"{len(account.violations)} violations; repeat one with python -m tests.crash.server …\n{shown}"
    )
    assert account.struck >= trials, f"the fault struck in {account.struck} of {account.trials} trials only"


def test_every_point_that_the_service_names_is_tried() -> None:
    """Lane steps are written `self.reach("sent")` and stand for one point of each lane."""
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "backend/talentseal").rglob("*.py"))
    plain = set(re.findall(r'(?<!self\.)\breach\("([^"]+)"\)', source))
    steps = set(re.findall(r'self\.reach\("([^"]+)"\)', source))
    steps |= set(re.findall(r'reach\(f"\{POINTS\[[^"]+\]\}\.(\w+)"\)', source))

    # Tried with the webhooks, where a receiver is: tests/events.
    plain.remove("events.sent")
    assert set(SERVICE_POINTS) == plain | {f"{lane}.{step}" for lane in ("anchor", "act") for step in steps}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("point", POINTS)
def test_a_fault_at_the_point_does_no_harm(point: str, sqlite_server: Crashes) -> None:
    account = sqlite_server.carry_out(Order(point, TRIALS, SEED))

    assert_nothing_was_violated(account, TRIALS)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("point", POINTS)
def test_a_fault_at_the_point_does_no_harm_on_postgresql(point: str, postgresql_server: Crashes) -> None:
    account = postgresql_server.carry_out(Order(point, TRIALS, SEED))

    assert_nothing_was_violated(account, TRIALS)


@pytest.mark.parametrize(
    "point", ["write.before-commit", "write.committed", "seal.numbered", "anchor.signed"]
)
def test_a_few_faults_do_no_harm_on_postgresql_either(point: str, postgresql_server: Crashes) -> None:
    account = postgresql_server.carry_out(Order(point, 6, SEED))

    assert_nothing_was_violated(account, 6)


@pytest.mark.parametrize("misfortune", ["restored", "bit-flipped"])
def test_what_does_not_extend_the_signed_history_is_not_signed(
    misfortune: str, sqlite_server: Crashes
) -> None:
    account = sqlite_server.carry_out(Order(misfortune, TRIALS // 2, SEED, "kill"))

    assert_nothing_was_violated(account, TRIALS // 2)
