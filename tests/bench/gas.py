"""Gas of every write, in real transactions on Anvil, next to what peers' contracts were measured to cost
there.

The writes are those of the gas snapshot; added here are heads over a million entries from many earlier sizes,
since the cost depends on how the two sizes' bits lie to one another and not on how many entries came between.
"""

import secrets

from chainkit.node import Anvil
from sealproof.merkle import consistency_ranges
from tests.bench.figures import Budget, Figure, Reference, say
from tests.bench.places import workplace
from tests.contracts.gas import AGREEMENT_BUDGET, HEAD_BUDGET, ZERO, Meter, SyntheticLog

MILLION = 1_000_000
HEAD = Budget("value", "<=", HEAD_BUDGET)
AGREEMENT = Budget("value", "<=", AGREEMENT_BUDGET)
EMPTY_CALL = Reference("call of an empty function", 21_206)
STORED_HASH = Reference("one stored hash a record", 43_959)
EAS_TIMESTAMP = Reference("EAS timestamp", 45_869)
EAS_ATTEST = Reference("EAS attest, one signer", 180_120)
OPEN_ATTESTATION = Reference("OpenAttestation issue", 47_886)
TRUST_DB = Reference("TrustDB publish, no proof", 154_604)
FISCO = Reference("FISCO evidenceSample, signatures unchecked", 1_394_035)

PEERS = {
    "first head": EAS_TIMESTAMP,
    "agreement of 2": FISCO,
    "agreement of 2, above its signatures' calldata": EAS_ATTEST,
    "amendment of 2": EAS_ATTEST,
    "termination of 2": EAS_ATTEST,
    "key set": None,
    "breach recorded": OPEN_ATTESTATION,
    "breach resolved": None,
}
"""Figures of the snapshot that are shown here, and the peer's nearest act."""


def measure(tiny: bool) -> list[Figure]:
    """Heads, agreements, keys, breaches."""
    with workplace() as folder, Anvil(folder) as node:
        meter = Meter(node.url)
        heads = _heads(node, meter, _earlier_sizes(tiny))
        meter.heads()
        meter.keys()
        meter.agreements()
        return [*heads, *(_snapshot_figure(name, meter.measured[name], peer) for name, peer in PEERS.items())]


def _snapshot_figure(name: str, gas: int, peer: Reference | None) -> Figure:
    budget = AGREEMENT if name.endswith("above its signatures' calldata") else None
    return Figure(name, gas, "gas", EMPTY_CALL, peer, _ratio(gas), budget=budget)


def _ratio(gas: int) -> float:
    return round(gas / EMPTY_CALL.value, 2)


def _heads(node: Anvil, meter: Meter, earlier: list[int]) -> list[Figure]:
    met = {}
    for number, old in enumerate(earlier, start=1):
        met[old, MILLION] = _head(node, meter, old, MILLION)
        if number % 25 == 0:
            say(f"  {number} of {len(earlier)} heads")
    worst = max(met, key=lambda sizes: met[sizes])
    met[2**20 - 1, 2**20] = _head(node, meter, 2**20 - 1, 2**20)
    shown = dict.fromkeys([(1, MILLION), (524_288, MILLION), (999_999, MILLION), worst, (2**20 - 1, 2**20)])
    figures = []
    for old, new in shown:
        name = f"head {old} to {new}, {len(consistency_ranges(old, new))} hashes"
        name += f", the most of {len(earlier)} earlier sizes" if (old, new) == worst else ""
        gas = met[old, new]
        figures.append(Figure(name, gas, "gas", EMPTY_CALL, TRUST_DB, _ratio(gas), budget=HEAD))
    share = met[worst] / 1000
    return [
        *figures,
        Figure("a record's share when a head covers 1,000", round(share, 2), "gas", peer=STORED_HASH),
    ]


def _head(node: Anvil, meter: Meter, old: int, new: int) -> int:
    """Anchor both heads, the second with its proof; the second's gas. The chain is put back."""
    before = node.call("evm_snapshot")
    log = SyntheticLog(old, new)
    meter.send("", "anchor", 0, ZERO, old, log.root(old), [])
    gas = meter.send("", "anchor", old, log.root(old), new, log.root(new), log.proof())
    node.call("evm_revert", before)
    return gas


def _earlier_sizes(tiny: bool) -> list[int]:
    """Both sides of each power of two, the last ones, and some at random."""
    named = {1, 524_288, 999_999}
    if tiny:
        return sorted(named)
    edges = {2**power + side for power in range(1, 20) for side in (-1, 0, 1)}
    random = {1 + secrets.randbelow(MILLION - 1) for _ in range(60)}
    return sorted(named | edges | random | {786_431, 999_423, 999_998})
