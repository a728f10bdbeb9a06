"""What the contract's writes cost: within the budgets, and exactly as last written down."""

import json

import pytest

from tests.contracts import gas


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    """Gas of every write of the shipped registry."""
    return gas.measure()


@pytest.mark.parametrize("head", gas.HEADS)
def test_a_head_over_a_million_entries_stays_within_its_budget(measured: dict[str, int], head: str) -> None:
    """Whatever the batch, the longest proofs included."""
    assert measured[head] <= gas.HEAD_BUDGET


def test_an_agreement_of_two_stays_within_its_budget(measured: dict[str, int]) -> None:
    """All but what its signatures' calldata costs."""
    assert measured["agreement of 2, above its signatures' calldata"] <= gas.AGREEMENT_BUDGET


def test_a_head_costs_less_than_the_peers_that_prove_less(measured: dict[str, int]) -> None:
    """A head with its proof is below TrustDB's without one; both signatures are below EAS's single one."""
    assert measured["head over 1,048,577 after 1,048,575 (longest proof there is)"] < 154_604
    assert measured["agreement of 2"] < 180_120


def test_every_write_costs_what_the_snapshot_says(measured: dict[str, int]) -> None:
    """A change is written down by `python -m tests.contracts.gas --write` and committed."""
    assert measured == json.loads(gas.SNAPSHOT.read_text(encoding="utf-8"))
