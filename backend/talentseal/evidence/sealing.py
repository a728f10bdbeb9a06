"""Sealing: pending records get an index, the tree grows, its head is checked and signed.

One round of `Sealer.tick`, with what a crash at each point leaves behind:

1. *Number.* Pending records get the next indices and the tiles their leaf hashes, in one transaction.
   A crash before the commit leaves them pending; after it, an unsigned tail that the next round signs.
2. *Re-read and check.* The tail's entries are read back and hashed anew; the root is computed from the
   compact range kept in the head store and, by a second path, from the tiles; both must agree, and the tiles
   must yield a consistency proof from the last signed head. One flipped bit anywhere stops the sealer here.
3. *Sign*, in memory only. A crash loses the signature; Ed25519 makes the same one again.
4. *Swap* the head store (compare-and-swap, synced). A crash after it leaves a head that only its owner has
   seen.
5. *Publish*: insert the checkpoint. The next round does it if a crash came between.

Recovery is the same code: every round begins by comparing the database with the head store. A database that
is behind is REWOUND, one that differs is FORKED, one whose entries do not match their hashes is CORRUPT; in
each case nothing is signed until an operator has acted, and nothing is ever repaired here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from sealproof import checkpoint, merkle, tiles
from sealproof.errors import ProofError
from talentseal.clock import Clock
from talentseal.db import Database, connection_of, is_sqlite, only_row, rows
from talentseal.errors import Conflict
from talentseal.evidence import leases, tree
from talentseal.evidence.headstore import EMPTY_HEAD, Head, HeadMoved, HeadStore
from talentseal.evidence.leases import Held
from talentseal.evidence.models import CheckpointRow, EvidenceRecord, LogProgress, SealerCondition
from talentseal.evidence.signing import LogSigner
from talentseal.failpoints import reach

BATCH = 4096
"""Records numbered in one transaction: bounds its length and the memory of the re-read."""

CLOCK_TOLERANCE = timedelta(seconds=5)
"""How far the clock may stand behind the last signature before signing stops."""

LEASE = "sealer"

_PUBLISHED: Final = select(CheckpointRow.size).where(CheckpointRow.size == bindparam("size"))
_LAST_PUBLISHED: Final = select(func.max(CheckpointRow.size))
_LAST_NUMBERED: Final = select(func.max(EvidenceRecord.log_index))
_ANY_PENDING: Final = select(EvidenceRecord.id).where(EvidenceRecord.log_index.is_(None)).limit(1)
_PENDING: Final = (
    select(EvidenceRecord.id, EvidenceRecord.leaf_hash)
    .where(EvidenceRecord.log_index.is_(None))
    # Of records written in one transaction, those that refer to another come after it.
    .order_by(EvidenceRecord.recorded_at, EvidenceRecord.refers_to.is_not(None), EvidenceRecord.id)
    .limit(BATCH)
)
_ENTRIES: Final = (
    select(EvidenceRecord.log_index, EvidenceRecord.entry, EvidenceRecord.leaf_hash)
    .where(EvidenceRecord.log_index >= bindparam("first"), EvidenceRecord.log_index < bindparam("last"))
    .order_by(EvidenceRecord.log_index)
)
_CONDITION: Final = select(LogProgress.sealer, LogProgress.sealer_reason).where(LogProgress.id == 1)

# On the connection: a session's own update by primary key costs as much again as the database's work.
_NUMBER: Final = (
    update(EvidenceRecord)
    .where(EvidenceRecord.id == bindparam("record"))
    .values(log_index=bindparam("index"))
)
log = structlog.get_logger(__name__)


class SealingRefused(Conflict):
    """The stored history is not the one that was signed. `condition` says in which way."""

    code = "sealing-refused"
    zh = "日志封存已停止（{condition}）：{why}。请运行 talentseal fsck 并联系运营机构，切勿自行修复。"
    en = (
        "Sealing has stopped ({condition}): {why}. Run talentseal fsck and call the operator; repair nothing."
    )

    def __init__(self, condition: SealerCondition, why: str) -> None:
        self.condition = condition
        self.why = why
        super().__init__(condition=condition.value, why=why)


class Outcome(StrEnum):
    SEALED = "SEALED"
    IDLE = "IDLE"
    WAITING = "WAITING"
    """Another process holds the lease or moved the head first."""
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. size: entries under the newest signed head."""

    outcome: Outcome
    size: int
    sealed: int = 0
    reason: str = ""


class Sealer:
    """Numbers, checks and signs. Any number may run; a lease lets one work and the head store lets one
    win.
    """

    def __init__(
        self, database: Database, head_store: HeadStore, signer: LogSigner, clock: Clock, holder: str
    ) -> None:
        self._database = database
        self._head_store = head_store
        self._signer = signer
        self._clock = clock
        self._holder = holder

    def tick(self) -> Round:
        """Seal what is pending, up to BATCH records. Never raises for a refused history: it reports
        STOPPED.
        """
        head = self._head_store.read()
        now = self._clock.now()
        try:
            if self._database.read(lambda session: leases.is_anothers(session, LEASE, self._holder, now=now)):
                return Round(Outcome.WAITING, head.size)
            if self._database.read(lambda session: _nothing_to_do(session, head)):
                self._note_condition(SealerCondition.RUNNING, "", now)
                return Round(Outcome.IDLE, head.size)
            held = self._database.write(lambda session: leases.take(session, LEASE, self._holder, now=now))
            return self._seal(head, held, now) if held else Round(Outcome.WAITING, head.size)
        except SealingRefused as refusal:
            return self._stop(refusal, head, now)
        except (HeadMoved, leases.LeaseLost) as lost:
            return Round(Outcome.WAITING, head.size, reason=lost.sentence_en)

    def _stop(self, refusal: SealingRefused, head: Head, now: datetime) -> Round:
        self._note_condition(refusal.condition, refusal.why, now)
        log.error("sealer.stopped", condition=refusal.condition.value, why=refusal.why)
        return Round(Outcome.STOPPED, head.size, reason=refusal.sentence_en)

    def _seal(self, head: Head, held: Held, now: datetime) -> Round:
        self._publish(head)
        size = self._database.write(lambda session: _number(session, held))
        reach("seal.numbered")
        if size == head.size:
            return Round(Outcome.IDLE, size)
        following = self._sign(head, size, now)
        reach("seal.signed")
        self._head_store.swap(head, following)
        reach("seal.swapped")
        self._publish(following)
        reach("seal.published")
        self._note_condition(SealerCondition.RUNNING, "", now)
        log.info("checkpoint.sealed", size=size, root=following.root.hex(), sealed=size - head.size)
        return Round(Outcome.SEALED, size, sealed=size - head.size)

    def _sign(self, head: Head, size: int, now: datetime) -> Head:
        """The head of `size` entries, signed, after everything under it was read again. Raises
        SealingRefused.
        """
        if head.signed_at is not None and now < head.signed_at - CLOCK_TOLERANCE:
            raise SealingRefused(
                SealerCondition.CLOCK_BEHIND, f"the clock shows {now}, the last head {head.signed_at}"
            )
        tree_range = merkle.CompactRange(head.size, head.nodes)
        for first in range(head.size, size, BATCH):
            tree_range.extend(_reread(self._database, first, min(first + BATCH, size)))
        root = tree_range.root()
        self._database.read(lambda session: check_second_path(session, head, size, root))
        reach("seal.checked")
        signed_at = max(now, head.signed_at or now).replace(microsecond=0)
        note = self._signer.sign_checkpoint(size, root, signed_at)
        return Head(size, head.size, root, tree_range.nodes, note, signed_at)

    def _publish(self, head: Head) -> None:
        """Make a signed head visible. Publishing it again changes nothing."""
        if self._database.read(lambda session: _is_published(session, head)):
            return
        self._database.write(lambda session: _insert_checkpoint(session, head))

    def _note_condition(self, condition: SealerCondition, why: str, now: datetime) -> None:
        known = self._database.read(lambda session: only_row(session, _CONDITION))
        if known is not None and (known.sealer, known.sealer_reason) == (condition, why):
            return
        self._database.write(
            lambda session: session.execute(
                update(LogProgress).values(sealer=condition, sealer_reason=why, sealer_since=now)
            )
        )


def _nothing_to_do(session: Session, head: Head) -> bool:
    """True when the database holds exactly what `head` covers, published. Raises SealingRefused as
    check_extends.
    """
    size = check_extends(session, head)
    return size == head.size and not rows(session, _ANY_PENDING) and _is_published(session, head)


def _is_published(session: Session, head: Head) -> bool:
    """The empty head, which nobody signed, needs not be."""
    return head.signed_at is None or only_row(session, _PUBLISHED, size=head.size) is not None


def numbered_size(session: Session) -> int:
    """How many records have an index: one more than the largest."""
    largest = rows(session, _LAST_NUMBERED)[0][0]
    return 0 if largest is None else largest + 1


def check_extends(session: Session, head: Head) -> int:
    """How many records have an index, in a database that contains exactly the history under `head`.

    Raises SealingRefused for any other.
    """
    published = rows(session, _LAST_PUBLISHED)[0][0] or 0
    if published > head.size:
        why = f"the head store is lost or old: it knows {head.size} entries, {published} were published"
        raise SealingRefused(SealerCondition.REWOUND, why)
    size = numbered_size(session)
    if size < head.size:
        raise SealingRefused(
            SealerCondition.REWOUND, f"{head.size} entries were signed, {size} are in the database"
        )
    try:
        root = tiles.root_from_tiles(tree.read_tile(session), head.size)
    except (tree.TileMissing, ProofError) as error:
        raise SealingRefused(SealerCondition.CORRUPT, str(error)) from error
    if root != head.root:
        why = f"the tree of {head.size} entries has root {root.hex()}, signed was {head.root.hex()}"
        raise SealingRefused(SealerCondition.FORKED, why)
    return size


def adopt(database: Database, head_store: HeadStore, signer: LogSigner) -> Head:
    """Rebuild a lost head store from the newest published checkpoint, after reading every entry under it
    again.

    For an operator who knows that this database is the newest state: nothing else vouches for it any more.
    Raises SealingRefused when the entries do not add up to the checkpoint, HeadMoved when a head is there.
    """
    row = database.read(
        lambda session: session.scalars(
            select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1)
        ).first()
    )
    if row is None:
        raise SealingRefused(SealerCondition.REWOUND, "no checkpoint was ever published")
    whole = merkle.CompactRange.empty()
    for first in range(0, row.size, BATCH):
        whole.extend(_reread(database, first, min(first + BATCH, row.size)))
    signed = checkpoint.open_checkpoint(row.note, [signer.verifier_key])
    if (signed.size, signed.root) != (row.size, whole.root()):
        raise SealingRefused(
            SealerCondition.FORKED, f"the checkpoint of {row.size} is not that of the entries"
        )
    head = Head(row.size, row.previous_size, signed.root, whole.nodes, row.note, row.signed_at)
    head_store.swap(EMPTY_HEAD, head)
    return head


def _reread(database: Database, first: int, last: int) -> list[bytes]:
    return database.read(lambda session: reread(session, first, last))


def reread(session: Session, first: int, last: int) -> list[bytes]:
    """Leaf hashes of the entries with indices first ≤ i < last, computed from the entries as stored now.

    Raises SealingRefused when an index is missing or an entry does not match its stored leaf hash.
    """
    entries = rows(session, _ENTRIES, first=first, last=last)
    if len(entries) != last - first:
        why = f"entries {first} to {last - 1}: {len(entries)} are there"
        raise SealingRefused(SealerCondition.CORRUPT, why)
    hashes = merkle.leaf_hashes_of(entry for _, entry, _ in entries)
    for computed, (index, _, stored) in zip(hashes, entries, strict=True):
        if computed != stored:
            raise SealingRefused(SealerCondition.CORRUPT, f"entry {index} does not match its leaf hash")
    return hashes


def check_second_path(session: Session, head: Head, size: int, root: bytes) -> None:
    """Refuse unless the stored tiles give the same root, and prove that it extends `head`. Raises
    SealingRefused.
    """
    reader = tree.read_tile(session)
    try:
        second = tiles.root_from_tiles(reader, size)
        if second != root:
            why = f"the tiles of {size} entries give root {second.hex()}, the entries {root.hex()}"
            raise SealingRefused(SealerCondition.CORRUPT, why)
        if head.size:
            path = tiles.consistency_path_from_tiles(reader, head.size, size)
            merkle.check_consistency(head.size, head.root, size, root, path)
    except (ProofError, tree.TileMissing) as error:
        raise SealingRefused(SealerCondition.CORRUPT, str(error)) from error


def _number(session: Session, held: Held) -> int:
    """Give the oldest pending records the next indices and extend the tiles; the size afterwards."""
    leases.guard(session, held)
    size = numbered_size(session)
    pending = rows(session, _PENDING)
    if not pending:
        return size
    positions = [
        {"record": record_id, "index": size + offset} for offset, (record_id, _) in enumerate(pending)
    ]
    connection_of(session).execute(_NUMBER, positions)
    tree.append(session, size, [leaf for _, leaf in pending])
    return size + len(pending)


def _insert_checkpoint(session: Session, head: Head) -> None:
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    session.execute(
        insert(CheckpointRow)
        .values(
            size=head.size,
            previous_size=head.previous_size,
            root=head.root,
            note=head.note,
            signed_at=head.signed_at,
        )
        .on_conflict_do_nothing(index_elements=["size"])
    )
