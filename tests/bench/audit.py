"""A full audit of 1,000,000 entries, against hashing the same leaves and nodes with hashlib; and its peak
memory.

Each runs in a process of its own, started on the files of one log, so that the memory is the audit's alone.
"""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from sealproof import merkle, tiles
from sealproof.trust import Finality, FinalityPolicy, Trust
from tests.bench.figures import Budget, Figure, Reference, against, interleaved, say
from tests.bench.places import signer, workplace

RATIO = Budget("ratio", "<=", 2.0)
MEMORY = Budget("value", "<=", 300.0)
ENTRY = 300
"""Bytes of an entry: about what a redemption's has."""

BARE = """
import hashlib, sys
from pathlib import Path
hashes = []
for file in sorted(Path(sys.argv[1], "tile", "entries").rglob("*")):
    if file.is_file():
        raw, at = file.read_bytes(), 0
        while at < len(raw):
            end = at + 2 + int.from_bytes(raw[at:at + 2], "big")
            hashes.append(hashlib.sha256(b"\\0" + raw[at + 2:end]).digest())
            at = end
while len(hashes) > 1:
    odd = hashes[len(hashes) // 2 * 2:]
    pairs = zip(hashes[::2], hashes[1::2])
    hashes = [hashlib.sha256(b"\\1" + left + right).digest() for left, right in pairs] + odd
"""

LAUNCHER = """
import json, os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
spent = usage.ru_utime + usage.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), spent, usage.ru_maxrss / 1024]))
"""
"""Small, for a process that starts another leaves it the peak of its own memory: here it has made the log."""


def measure(tiny: bool) -> list[Figure]:
    """Processor seconds of both, and the audit's peak resident memory."""
    size, rounds = (1000, 2) if tiny else (1_000_000, 3)
    with workplace() as folder:
        say(f"  a log of {size} entries")
        trust = write_log(folder, size)
        audit = [sys.executable, "-m", "sealproof", "log", str(folder), "--trust", str(trust)]
        bare = [sys.executable, "-c", BARE, str(folder)]
        met = interleaved(rounds, own=lambda: _spent(audit)[0], bare=lambda: _spent(bare)[0])
        memory = _spent(audit)[1]
    return [
        against(
            f"audit of {size} entries", "CPU s", met["own"], "leaves and nodes by hashlib", met["bare"], RATIO
        ),
        Figure("peak memory of that audit", memory, "MB", floor=Reference("budget", 300.0), budget=MEMORY),
    ]


def _spent(command: list[str]) -> tuple[float, float]:
    """Processor seconds and peak MB of a process that must end well (3: something was not checked)."""
    told = subprocess.run([sys.executable, "-c", LAUNCHER, *command], check=True, capture_output=True)
    ended, spent, peak = json.loads(told.stdout)
    if ended not in {0, 3}:
        raise RuntimeError(f"{command[:4]} ended with {ended}")
    return spent, peak


def write_log(folder: Path, size: int) -> Path:
    """A log as files: entry bundles, hash tiles, checkpoint; and the trust file for it."""
    leaves: list[bytes] = []
    for number, first in enumerate(range(0, size, tiles.TILE_WIDTH)):
        width = min(tiles.TILE_WIDTH, size - first)
        entries = [hashlib.sha256(str(first + at).encode()).digest() * (ENTRY // 32) for at in range(width)]
        leaves += merkle.leaf_hashes_of(entries)
        _put(folder / tiles.entries_path(number, width), tiles.encode_entries(entries))
    level, hashes = 0, leaves
    while hashes:
        full = [hashes[at : at + tiles.TILE_WIDTH] for at in range(0, len(hashes), tiles.TILE_WIDTH)]
        for number, tile in enumerate(full):
            _put(folder / tiles.Tile(level, number, len(tile)).path(), b"".join(tile))
        level, hashes = level + 1, [merkle.root_of(tile) for tile in full if len(tile) == tiles.TILE_WIDTH]
    key = signer()
    note = key.sign_checkpoint(size, merkle.root_of(leaves), datetime(2026, 1, 1, tzinfo=UTC))
    _put(folder / "checkpoint", note.encode())
    trust = folder / "trust.json"
    _put(trust, Trust(key.verifier_key, None, Finality(FinalityPolicy.INSTANT), "bench").dump())
    return trust


def _put(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
