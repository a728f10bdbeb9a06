"""fsck of the evidence core: every stored value is read again and held against the log, not hash against
hash.

Reads in one pass, in index order, with memory that does not grow with the log. It reports and repairs
nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sealproof import canonical, checkpoint, cosignature, disclosure, merkle
from sealproof import entry as log_entry
from sealproof.encoding import HASH_LENGTH
from sealproof.entry import Relation
from sealproof.errors import ProofError
from sealproof.note import VerifierKey
from sealproof.tiles import TILE_WIDTH
from talentseal.evidence.headstore import Head
from talentseal.evidence.models import CheckpointRow, EvidenceDisclosure, EvidenceRecord, LogProgress, Tile
from talentseal.evidence.records import MERGE_DELAY

PAGE = 4096
DISCLOSURE_LIMIT = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was recorded. table, key: where; what: expected and met."""

    table: str
    key: str
    what: str


def check_log(session: Session, head: Head, key: VerifierKey) -> Iterator[Finding]:
    """Every finding in records, disclosures, tiles, checkpoints and progress, against the signed `head`.

    key: the log's public key. Yields nothing when all is as it was signed.
    """
    walk = _Walk(session)
    checkpoints = _Checkpoints(session, key)
    for page in _pages(session):
        hashes: list[bytes] = []
        for row in page:
            yield from check_record(row, walk.size + len(hashes))
            hashes.append(merkle.leaf_hash(row.entry))
        yield from checkpoints.advance(walk.tree, hashes)
        yield from walk.extend(hashes)
        session.expunge_all()
    yield from walk.finish()
    yield from checkpoints.finish(walk.size)
    yield from _check_head(session, head, walk)
    yield from _check_pending(session)
    yield from _check_disclosures(session)
    yield from _check_progress(session)


def check_record(row: EvidenceRecord, index: int | None) -> Iterator[Finding]:
    """Hold one record's columns against its entry. index: where it must stand, None while pending."""
    if row.log_index != index:
        yield Finding("evidence_record", row.id, f"expected index {index}, met {row.log_index}")
    if merkle.leaf_hash(row.entry) != row.leaf_hash:
        yield Finding("evidence_record", row.id, "leaf_hash is not the hash of the entry")
    try:
        entry = log_entry.decode(bytes(row.entry))
    except ProofError as error:
        yield Finding("evidence_record", row.id, f"entry cannot be read: {error}")
        return
    expected = {
        "id": entry.id,
        "kind": entry.kind,
        "recorded_at": entry.recorded_at,
        "relation": entry.relation,
        "refers_to": entry.refers_to,
        "deadline": entry.recorded_at + MERGE_DELAY,
    }
    for column, value in expected.items():
        if getattr(row, column) != value:
            yield Finding(
                "evidence_record",
                row.id,
                f"{column}: the entry says {value}, the column {getattr(row, column)}",
            )


def _pages(session: Session) -> Iterator[list[EvidenceRecord]]:
    last = -1
    while True:
        page = list(
            session.scalars(
                select(EvidenceRecord)
                .where(EvidenceRecord.log_index > last)
                .order_by(EvidenceRecord.log_index)
                .limit(PAGE)
            )
        )
        if not page:
            return
        last = page[-1].log_index or 0
        yield page


@dataclass(slots=True)
class _Walk:
    """Rebuilds the tiles level by level from the entries and compares each with the stored one."""

    session: Session
    tree: merkle.CompactRange = field(default_factory=merkle.CompactRange.empty)
    size: int = 0
    edges: list[list[bytes]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def extend(self, hashes: list[bytes]) -> Iterator[Finding]:
        self.size += len(hashes)
        level = 0
        while hashes:
            if level == len(self.edges):
                self.edges.append([])
                self.numbers.append(0)
            edge = self.edges[level]
            edge.extend(hashes)
            hashes = []
            while len(edge) >= TILE_WIDTH:
                full, edge[:] = edge[:TILE_WIDTH], edge[TILE_WIDTH:]
                yield from self._compare(level, self.numbers[level], full)
                hashes.append(merkle.root_of(full))
                self.numbers[level] += 1
            level += 1

    def finish(self) -> Iterator[Finding]:
        expected = 0
        for level, edge in enumerate(self.edges):
            if edge:
                yield from self._compare(level, self.numbers[level], edge)
            expected += self.numbers[level] + (1 if edge else 0)
        met = self.session.scalar(select(func.count()).select_from(Tile))
        if met != expected:
            yield Finding("tile", "*", f"expected {expected} tiles over {self.size} entries, met {met}")

    def _compare(self, level: int, number: int, hashes: list[bytes]) -> Iterator[Finding]:
        stored = self.session.scalar(select(Tile.hashes).where(Tile.level == level, Tile.number == number))
        if stored is None or bytes(stored) != b"".join(hashes):
            met = "none" if stored is None else f"{len(stored) // HASH_LENGTH} hashes"
            yield Finding(
                "tile", f"{level}/{number}", f"expected {len(hashes)} hashes made from the entries, met {met}"
            )


@dataclass(slots=True)
class _Checkpoints:
    """Holds the checkpoints, in ascending size, against the tree as it grows."""

    session: Session
    key: VerifierKey
    previous: int = 0

    def advance(self, tree: merkle.CompactRange, hashes: list[bytes]) -> Iterator[Finding]:
        """Add the leaf hashes to the tree, stopping at each checkpoint on the way to compare its root."""
        start = tree.size
        rows = self.session.scalars(
            select(CheckpointRow)
            .where(CheckpointRow.size > start, CheckpointRow.size <= start + len(hashes))
            .order_by(CheckpointRow.size)
        ).all()
        for row in rows:
            tree.extend(hashes[tree.size - start : row.size - start])
            yield from self._check(row, tree.root())
        tree.extend(hashes[tree.size - start :])

    def finish(self, size: int) -> Iterator[Finding]:
        for row in self.session.scalars(
            select(CheckpointRow).where((CheckpointRow.size > size) | (CheckpointRow.size <= 0))
        ):
            yield Finding("checkpoint", str(row.size), f"covers more or fewer entries than the {size} stored")

    def _check(self, row: CheckpointRow, root: bytes) -> Iterator[Finding]:
        if row.previous_size != self.previous:
            what = f"says it follows {row.previous_size}; the checkpoint before it has {self.previous}"
            yield Finding("checkpoint", str(row.size), what)
        self.previous = row.size
        if bytes(row.root) != root:
            yield Finding("checkpoint", str(row.size), "root is not that of the stored entries")
        try:
            signed = checkpoint.open_checkpoint(row.note, [self.key])
            signed_at = cosignature.read(row.note, self.key)
        except ProofError as error:
            yield Finding("checkpoint", str(row.size), f"note does not verify: {error}")
            return
        if (signed.size, signed.root, signed.origin) != (row.size, bytes(row.root), self.key.name):
            yield Finding("checkpoint", str(row.size), "note speaks of another head than its row")
        if signed_at != row.signed_at:
            yield Finding(
                "checkpoint", str(row.size), f"signed_at: signed was {signed_at}, stored is {row.signed_at}"
            )


def _check_head(session: Session, head: Head, walk: _Walk) -> Iterator[Finding]:
    if walk.size < head.size:
        yield Finding(
            "head store", str(head.size), f"REWOUND: {head.size} entries were signed, {walk.size} are stored"
        )
        return
    newest = session.scalars(select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1)).one_or_none()
    published = (newest.size, bytes(newest.root), newest.note) if newest else (0, merkle.EMPTY_ROOT, "")
    if published[0] > head.size or (
        published[0] == head.size and published != (head.size, head.root, head.note)
    ):
        yield Finding(
            "head store",
            str(head.size),
            f"the newest checkpoint published has {published[0]} entries or differs",
        )
    elif published[0] not in (head.size, head.previous_size):
        yield Finding("checkpoint", str(head.size), f"checkpoints after {published[0]} are missing")


def _check_pending(session: Session) -> Iterator[Finding]:
    for row in session.scalars(select(EvidenceRecord).where(EvidenceRecord.log_index.is_(None))):
        yield from check_record(row, None)


def _check_disclosures(session: Session) -> Iterator[Finding]:
    rows = session.execute(
        select(
            EvidenceRecord.id,
            EvidenceRecord.entry,
            EvidenceDisclosure.disclosures,
            EvidenceDisclosure.erased_at,
        )
        .outerjoin(EvidenceDisclosure, EvidenceDisclosure.record_id == EvidenceRecord.id)
        .execution_options(yield_per=PAGE)
    )
    for record_id, raw, stored, erased_at in rows:
        problem = (
            _kept_problem(bytes(raw), stored)
            if erased_at is None
            else _erasure_problem(session, record_id, stored, erased_at)
        )
        if problem:
            yield Finding("evidence_disclosure", record_id, problem)
    strangers = select(EvidenceDisclosure.record_id).where(
        EvidenceDisclosure.record_id.not_in(select(EvidenceRecord.id))
    )
    for record_id in session.scalars(strangers):
        yield Finding("evidence_disclosure", record_id, "belongs to no record")


def _kept_problem(raw: bytes, stored: str | None) -> str | None:
    if stored is None:
        return "content is missing and no erasure says so"
    try:
        kept = canonical.parse(stored.encode(), limit=DISCLOSURE_LIMIT)
        digests = tuple(disclosure.digest(str(item)) for item in kept) if isinstance(kept, list) else ()
        expected = log_entry.decode(raw).digests
    except (ProofError, UnicodeEncodeError) as error:
        return f"cannot be read: {error}"
    if digests != expected:
        return "the disclosures are not those that the entry commits to"
    return (
        None
        if stored == json.dumps(kept, separators=(",", ":"))
        else "is not in the form in which it was written"
    )


def _erasure_problem(session: Session, record_id: str, stored: str | None, erased_at: object) -> str | None:
    if stored is not None:
        return "marked as erased, yet content is there"
    erasure = session.scalar(
        select(EvidenceRecord.recorded_at).where(
            EvidenceRecord.refers_to == record_id, EvidenceRecord.relation == Relation.ERASES
        )
    )
    return (
        None if erasure == erased_at else f"erased_at says {erased_at}, the log has an erasure at {erasure}"
    )


def _check_progress(session: Session) -> Iterator[Finding]:
    progress = session.get(LogProgress, 1)
    if progress is None:
        yield Finding("log_progress", "1", "the row is missing")
        return
    if not 0 <= progress.final_size <= progress.anchored_size:
        yield Finding(
            "log_progress", "1", f"final {progress.final_size} lies beyond anchored {progress.anchored_size}"
        )
    for column in ("anchored_size", "final_size"):
        size = getattr(progress, column)
        if size and session.get(CheckpointRow, size) is None:
            yield Finding("log_progress", "1", f"{column} {size} is no checkpoint's size")
