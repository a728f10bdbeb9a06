"""Bugs planted in the contract, one at a time: the tests catch every one, the invariants theirs alone."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from chainkit.pins import HOME, NODE_MODULES
from tests.contracts.forge import forge_test

ROOT = HOME.parent
QUICK = {"FOUNDRY_FUZZ_RUNS": "64", "FOUNDRY_INVARIANT_RUNS": "64", "FOUNDRY_INVARIANT_DEPTH": "100"}


@dataclass(frozen=True, slots=True)
class Bug:
    """What is planted: `old` occurs once in `source` and becomes `new`."""

    what: str
    source: str
    old: str
    new: str

    def plant(self, project: Path) -> None:
        """Write the altered source into a copy of the project."""
        file = project.parent / "contracts" / self.source
        text = file.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, f"{self.what}: the line to alter is not there once"
        file.write_text(text.replace(self.old, self.new), encoding="utf-8")


FOR_THE_INVARIANTS = [
    Bug(
        "the consistency proof is not looked at",
        "CheckpointLog.sol",
        "if (!_continues(headSize, headRoot, size, root, proof)) {",
        "if (proof.length > 64) {",
    ),
    Bug(
        "a log can be begun anew",
        "CheckpointLog.sol",
        "if (prevSize != headSize || prevRoot != headRoot) {",
        "if (prevSize == 0) (headSize, headRoot) = (0, 0);\n        "
        "if (prevSize != headSize || prevRoot != headRoot) {",
    ),
    Bug(
        "a root can be written over",
        "CheckpointLog.sol",
        "        if (root == 0) revert",
        "        if (prevSize == headSize) _roots[headSize] = root;\n        if (root == 0) revert",
    ),
    Bug(
        "one party's signature is enough",
        "AgreementBook.sol",
        "_requireSignature(digest, organisation, signer, signatures[i]);",
        "if (i == 0) _requireSignature(digest, organisation, signer, signatures[i]);",
    ),
    Bug(
        "what was ended can be ended again",
        "AgreementBook.sol",
        "if (version.state != AgreementState.CONCLUDED)",
        "if (version.state == AgreementState.NONE)",
    ),
    Bug(
        "a resolution can be changed",
        "AgreementBook.sol",
        "if (state != BreachState.CONFIRMED) {",
        "if (state == closed) {",
    ),
]

FOR_ANY_TEST = [
    Bug(
        "a second conclusion re-dates the first",
        "AgreementBook.sol",
        "if (version.state == AgreementState.NONE) _record(",
        "_record(",
    ),
    Bug(
        "a key works after its last second",
        "AgreementBook.sol",
        "if (block.timestamp >= key.validUntil) {",
        "if (block.timestamp > key.validUntil) {",
    ),
    Bug(
        "a key works before its first second",
        "AgreementBook.sol",
        "if (block.timestamp < key.validFrom)",
        "if (block.timestamp + 1 < key.validFrom)",
    ),
    Bug(
        "the nonce is not looked at",
        "AgreementBook.sol",
        "if (nonce != key.nonce)",
        "if (nonce > key.nonce + 9)",
    ),
    Bug(
        "the deadline is a second late",
        "AgreementBook.sol",
        "if (block.timestamp > deadline)",
        "if (block.timestamp > deadline + 1)",
    ),
    Bug(
        "an organisation may be twice a party",
        "AgreementBook.sol",
        "if (organisation <= last)",
        "if (organisation < last)",
    ),
    Bug("a key may sign for two", "AgreementBook.sol", "if (parties[j].signer == signer)", "if (j > 9)"),
    Bug("nine parties", "AgreementBook.sol", "MOST_PARTIES = 8", "MOST_PARTIES = 9"),
    Bug("one party", "AgreementBook.sol", "FEWEST_PARTIES = 2", "FEWEST_PARTIES = 1"),
    Bug(
        "an amendment by other organisations",
        "AgreementBook.sol",
        "_requireSameOrganisations(former, current.parties, next.parties);",
        "",
    ),
    Bug(
        "a termination by other organisations",
        "AgreementBook.sol",
        "_requireSameOrganisations(former, current.parties, termination.parties);",
        "",
    ),
    Bug(
        "a termination without signatures",
        "AgreementBook.sol",
        "_requireSigned(digest, termination.deadline, termination.parties, signatures);",
        "",
    ),
    Bug(
        "an amendment may skip a number",
        "AgreementBook.sol",
        "next.version != uint256(current.version) + 1",
        "next.version <= current.version",
    ),
    Bug(
        "the deadline is not signed",
        "AgreementBook.sol",
        "agreement.deadline,\n                        _hashOf",
        "uint64(0),\n                        _hashOf",
    ),
    Bug(
        "a revoked key's signatures come back with it",
        "AgreementBook.sol",
        "uint64 nonce = ++key.nonce;\n        emit KeyRevoked",
        "uint64 nonce = key.nonce;\n        emit KeyRevoked",
    ),
    Bug(
        "a failed proof meets a root of zero",
        "AgreementBook.sol",
        "if (root == 0 || root != ",
        "if (root != ",
    ),
    Bug("a stipulation from outside the tree", "Rfc9162.sol", "if (index >= size) return 0;", ""),
    Bug("a path too short", "Rfc9162.sol", "if (last != 0) return 0;", ""),
    Bug("a consistency proof too short", "Rfc9162.sol", "return last == 0 && old", "return old"),
    Bug("the old root is not compared", "Rfc9162.sol", "&& old == oldRoot ", ""),
    Bug("the new root is not compared", "Rfc9162.sol", " && grown == newRoot;", ";"),
    Bug("leaves and nodes are hashed alike", "Rfc9162.sol", "mstore8(input, 1)", "mstore8(input, 0)"),
    Bug(
        "an absent precompile is not noticed",
        "Rfc9162.sol",
        "mul(mload(0), and(done, eq(returndatasize(), 32)))",
        "mload(0)",
    ),
    Bug(
        "a pause can be prolonged",
        "EvidenceRegistry.sol",
        "if (time < nextFrom)",
        "if (time + 1 < _pause.until)",
    ),
    Bug("a pause without end", "EvidenceRegistry.sol", "|| duration > LONGEST_PAUSE", ""),
    Bug(
        "a successor at once",
        "EvidenceRegistry.sol",
        "if (block.timestamp < announced.confirmableFrom)",
        "if (block.timestamp == 0)",
    ),
    Bug("anyone anchors", "EvidenceRegistry.sol", "onlyRole(ANCHOR) ", ""),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the contracts, their tests and the project file, with the same node_modules."""
    home = tmp_path / "hardhat-free"
    home.mkdir()
    (home / "node_modules").symlink_to(NODE_MODULES)
    for name in ("foundry.toml", "solc.js"):
        shutil.copy(HOME / name, home)
    (tmp_path / "backend" / "talentseal" / "chain").mkdir(parents=True)
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    shutil.copytree(ROOT / "tests" / "contracts", tmp_path / "tests" / "contracts")
    return home


@pytest.mark.long
@pytest.mark.parametrize("bug", FOR_THE_INVARIANTS, ids=lambda bug: bug.what)
def test_the_invariants_catch(project: Path, bug: Bug) -> None:
    """Random calls of honest and dishonest people run into it."""
    bug.plant(project)

    verdict = forge_test("--match-contract", "InvariantsTest", project=project, shipped=False, env=QUICK)

    assert verdict.trouble == ""
    assert verdict.failed != ()


@pytest.mark.long
@pytest.mark.parametrize("bug", FOR_ANY_TEST, ids=lambda bug: bug.what)
def test_the_tests_catch(project: Path, bug: Bug) -> None:
    """Some unit, attack or fuzzed test fails."""
    bug.plant(project)

    verdict = forge_test("--no-match-contract", "InvariantsTest", project=project, shipped=False, env=QUICK)

    assert verdict.trouble == ""
    assert verdict.failed != ()
