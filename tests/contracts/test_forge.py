"""The contract's own tests, run by forge, as one of ours."""

import os
import re
import subprocess
import tomllib

import pytest

from chainkit.node import platform_binary
from chainkit.pins import HOME, pins
from tests.contracts.forge import forge_test

SUITES = {
    "AgreementBookTest",
    "AttacksTest",
    "BreachesTest",
    "CheckpointLogTest",
    "EvidenceRegistryTest",
    "InvariantsTest",
    "KeysTest",
    "Rfc9162Test",
}


def test_every_contract_test_passes_on_the_bytecode_that_ships() -> None:
    """All suites ran, none empty, none failed."""
    verdict = forge_test()

    assert verdict.trouble == ""
    assert verdict.failed == ()
    assert {name.partition(":")[0] for name in verdict.passed} == SUITES
    assert len(verdict.passed) >= 120


def test_forge_compiles_for_the_pinned_target() -> None:
    """But for the IR pipeline, which would cost a minute and which the shipped bytecode brings along."""
    profile = tomllib.loads((HOME / "foundry.toml").read_text(encoding="utf-8"))["profile"]["default"]
    pinned = pins().compiler

    assert (profile["evm_version"], profile["optimizer_runs"]) == (pinned.evm_version, pinned.optimizer_runs)
    assert profile["optimizer"]
    assert (profile["bytecode_hash"], profile["cbor_metadata"]) == ("none", False)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_branch_of_the_contract_is_taken() -> None:
    """Lines, statements, branches and functions of contracts/ are covered to the last one."""
    done = subprocess.run(
        [platform_binary("forge"), "coverage", "--report", "summary"],
        cwd=HOME,
        env=os.environ | {"FOUNDRY_FUZZ_RUNS": "64"},
        capture_output=True,
        text=True,
        check=True,
    )

    rows = dict(re.findall(r"\| \S*?/contracts/(\w+\.sol) +\|(.*)\|", done.stdout))
    ours = {path.name for path in (HOME.parent / "contracts").glob("*.sol")} - {"IEvidenceRegistry.sol"}
    shares = {name: re.findall(r"([\d.]+)%", rows[name]) for name in ours}
    assert shares == dict.fromkeys(ours, ["100.00"] * 4)
