"""What a verifier waits for: `sealproof verify` of one bundle as a process, and its cryptography in plain
Python.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from coincurve import PrivateKey, PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_utils.crypto import keccak
from sqlalchemy import select
from sqlalchemy.orm import Session

from sealproof import ed25519, secp256k1
from sealproof.keccak import keccak256
from sealproof.trust import Finality, FinalityPolicy, Trust
from talentseal.clock import SystemClock
from talentseal.db import Database
from talentseal.evidence import bundles
from talentseal.evidence.headstore import HeadStore
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.records import disclosures_of
from talentseal.evidence.sealing import Sealer
from tests.bench.figures import Figure, against, interleaved, say, seconds
from tests.bench.places import databases, fill, signer

PASSED_BUT_NOT_ANCHORED = 3
MESSAGE = b"TalentSeal" * 13


def measure(tiny: bool) -> list[Figure]:
    """For information: no budget hangs on these."""
    rounds, each = (1, 1) if tiny else (15, 20)
    return [_process(rounds), *(operation.measure(rounds, each) for operation in _operations())]


def _process(rounds: int) -> Figure:
    """A whole run of the command line against a start of the interpreter that does nothing."""
    with databases("sqlite") as place:
        database = Database(place.make())
        bundle, trust = sealed_bundle(database, place.folder)
        database.close()
        say(f"  {rounds} runs of sealproof verify")
        verify = [sys.executable, "-m", "sealproof", "verify", str(bundle), "--trust", str(trust)]
        empty = [sys.executable, "-c", "pass"]
        met = interleaved(
            rounds,
            own=lambda: seconds(lambda: _run(verify, PASSED_BUT_NOT_ANCHORED)),
            bare=lambda: seconds(lambda: _run(empty, 0)),
        )
    return against("sealproof verify of one bundle", "s", met["own"], "empty Python start", met["bare"], None)


def _run(command: list[str], expected: int) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != expected:
        raise RuntimeError(f"{command[1:4]} ended with {ended.returncode}: {ended.stdout}{ended.stderr}")


def sealed_bundle(database: Database, folder: Path) -> tuple[Path, Path]:
    """The files of a sealed record's bundle, out of a log of 1,000 entries, and of the trust in that log."""
    fill(database, 1000)
    key = signer()
    Sealer(database, HeadStore(folder / "head" / "head.json"), key, SystemClock(), "bench").tick()

    def compose(session: Session) -> bytes:
        row = session.scalars(select(EvidenceRecord).where(EvidenceRecord.log_index == 617)).one()
        head = bundles.checkpoint_for(session, row)
        return bundles.compose(session, row, head, disclosures=disclosures_of(session, row.id)).dump()

    bundle, trust = folder / "bundle.seal.json", folder / "trust.json"
    bundle.write_bytes(database.read(compose))
    trust.write_bytes(Trust(key.verifier_key, None, Finality(FinalityPolicy.INSTANT), "bench").dump())
    return bundle, trust


@dataclass(frozen=True, slots=True)
class Operation:
    """One piece of cryptography in plain Python, and the same in the usual compiled package."""

    name: str
    own: Callable[[], object]
    package: str
    compiled: Callable[[], object]

    def measure(self, rounds: int, each: int) -> Figure:
        """Microseconds an operation; the package's stand as the floor."""
        met = interleaved(
            rounds, own=partial(_micros, self.own, each), bare=partial(_micros, self.compiled, each)
        )
        bare: Mapping[int, float] = met["bare"]
        return against(self.name, "us", met["own"], self.package, bare, None)


def _micros(work: Callable[[], object], each: int) -> float:
    return seconds(lambda: [work() for _ in range(each)]) / each * 1e6


def _operations() -> list[Operation]:
    key = Ed25519PrivateKey.generate()
    public, signature = key.public_key(), key.sign(MESSAGE)
    raw = public.public_bytes_raw()
    digest = keccak(MESSAGE)
    recoverable = PrivateKey().sign_recoverable(digest, hasher=None)
    ethereum = recoverable[:64] + bytes([27 + recoverable[64]])
    return [
        Operation("Keccak-256 of 130 bytes", lambda: keccak256(MESSAGE), "eth-hash", lambda: keccak(MESSAGE)),
        Operation(
            "secp256k1 recovery of a signer",
            lambda: secp256k1.recover(digest, ethereum),
            "coincurve",
            lambda: PublicKey.from_signature_and_message(recoverable, digest, hasher=None),
        ),
        Operation(
            "Ed25519 verification in Python",
            lambda: ed25519.verify_in_python(raw, MESSAGE, signature),
            "cryptography",
            lambda: public.verify(signature, MESSAGE),
        ),
    ]
