"""A harness that catches nothing proves nothing: each kind of bug, planted, is reported by its oracle."""

import pytest

from tests.crash.bugs import BUGS
from tests.crash.conftest import SEED, Crashes
from tests.crash.orders import Order

CAUGHT = {
    "acknowledge-before-commit": ("write.before-commit", "kill", "I1"),
    "forget-idempotency": ("request.reply", "kill", "I7"),
    "overwrite-the-head": ("seal.checked", "takeover", "I10"),
    "publish-before-the-swap": ("seal.signed", "kill", "I8"),
    "sign-without-rereading": ("bit-flipped", "kill", "I3"),
    "sign-without-the-previous-head": ("restored", "kill", "I3"),
    "sign-again-with-a-new-nonce": ("anchor.persisted", "kill", "I5"),
    "send-before-storing": ("anchor.signed", "kill", "I5"),
    "believe-the-first-block": ("seal.published", "before", "I6"),
}
"""Bug → where which fault shows it, and the oracle that names it."""

MOST_TRIALS = 40


def test_every_planted_bug_is_looked_for() -> None:
    assert set(CAUGHT) == set(BUGS)


@pytest.mark.parametrize("bug", sorted(CAUGHT))
def test_a_planted_bug_is_caught(bug: str, sqlite_server: Crashes) -> None:
    point, mode, oracle = CAUGHT[bug]

    account = sqlite_server.carry_out(Order(point, MOST_TRIALS, SEED, mode, bug, stops_at_first=True))

    assert oracle in {violation.partition(":")[0] for violation in account.violations}
