"""What must hold after every trial, whatever struck. Each finding begins with the oracle's name.

I1  every acknowledged record is there once, as acknowledged, under a checkpoint
I3  all checkpoints ever signed are of one history
I4  the chain holds strictly growing heads of that history
I5  no nonce with two payloads, none left out, nothing sent that was not stored first
I6  what is final is on the chain
I7  one request has one record, however often it was made
I8  fsck and the database's own check find nothing
I10 nothing is left to do
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from sealproof import checkpoint, disclosure, merkle, tiles
from sealproof.errors import ProofError
from talentseal.anchoring.models import ChainTransaction, Lane, TransactionState
from talentseal.chain.memory_chain import read_transaction
from talentseal.db import Database, is_sqlite
from talentseal.evidence import records, tree
from talentseal.evidence.fsck import check_log
from talentseal.evidence.headstore import Head
from talentseal.evidence.models import ActState, EvidenceRecord, RegistryAct
from talentseal.evidence.signing import LogSigner
from talentseal.evidence.status import log_status
from tests.anchoring.conftest import sender_for
from tests.crash.life import Requested
from tests.crash.witness import Witness


@dataclass(frozen=True, slots=True)
class History:
    """The log as it stands after recovery: entries by index, hashed anew."""

    indices: dict[str, int]
    leaves: list[bytes]

    @classmethod
    def of(cls, session: Session) -> "History":
        rows = session.execute(
            select(EvidenceRecord.id, EvidenceRecord.entry)
            .where(EvidenceRecord.log_index.is_not(None))
            .order_by(EvidenceRecord.log_index)
        ).all()
        leaves = [merkle.leaf_hash(bytes(entry)) for _, entry in rows]
        return cls({row[0]: index for index, row in enumerate(rows)}, leaves)

    def root(self, size: int) -> bytes | None:
        """The root of the first `size` entries; None when there are fewer."""
        return merkle.root_of(self.leaves[:size]) if size <= len(self.leaves) else None


def violations(database: Database, head: Head, signer: LogSigner, witness: Witness) -> list[str]:
    """Everything that does not hold, in words. Empty when all is well."""

    def judge(session: Session) -> list[str]:
        history = History.of(session)
        return [
            *_kept(session, history, witness),
            *one_history(session, history, signer, witness.notes),
            *_on_chain(history, witness),
            *_nonces(session, witness),
            *_final(session, history, witness),
            *_sound(session, head, signer),
            *_drained(session),
        ]

    return database.snapshot(judge)


def _kept(session: Session, history: History, witness: Witness) -> Iterator[str]:
    signed = log_status(session).signed_size
    for answer in witness.acknowledged:
        index = history.indices.get(answer.record_id)
        if index is None or index >= signed:
            yield f"I1: the acknowledged request {answer.key} is under no checkpoint (index {index})"
        elif history.leaves[index] != answer.leaf_hash:
            yield f"I1: the record of request {answer.key} is not what was acknowledged"
    kept = Counter(_requests(session))
    for key in set(witness.tried):
        if kept[key] != 1:
            yield f"I7: the request {key} has {kept[key]} records"


def _requests(session: Session) -> Iterator[str]:
    ids = session.scalars(select(EvidenceRecord.id).where(EvidenceRecord.kind == Requested.kind)).all()
    for record_id in ids:
        for item in records.disclosures_of(session, record_id):
            yield str(disclosure.read(item).value)


def opened(notes: Sequence[str], signer: LogSigner) -> list[checkpoint.Checkpoint]:
    """The checkpoints in the notes, their signatures verified."""
    return [checkpoint.open_checkpoint(note, [signer.verifier_key]) for note in notes]


def one_history(session: Session, history: History, signer: LogSigner, notes: Sequence[str]) -> Iterator[str]:
    """I3, by the entries and, for each neighbour, by a proof out of the tiles."""
    heads = opened(notes, signer)
    for head in heads:
        if history.root(head.size) != head.root:
            yield f"I3: a checkpoint of {head.size} entries was signed that is not of this history"
    ordered = sorted({(head.size, head.root) for head in heads})
    for (old_size, old_root), (new_size, new_root) in pairwise(ordered):
        try:
            path = tiles.consistency_path_from_tiles(tree.read_tile(session), old_size, new_size)
            merkle.check_consistency(old_size, old_root, new_size, new_root, path)
        except (ProofError, tree.TileMissing) as error:
            yield f"I3: the checkpoints of {old_size} and {new_size} entries are not consistent: {error}"


def _on_chain(history: History, witness: Witness) -> Iterator[str]:
    blocks = witness.chain._blocks
    sizes = [block.state.head_size for block in blocks]
    if sizes != sorted(sizes):
        yield f"I4: the heads on the chain shrink: {sizes}"
    for size, root in blocks[-1].state.roots.items():
        if size and history.root(size) != root:
            yield f"I4: the chain holds a head of {size} entries that is not of this history"


def _nonces(session: Session, witness: Witness) -> Iterator[str]:
    stored = {bytes(row.raw): row for row in session.scalars(select(ChainTransaction))}
    payloads: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    for raw in witness.chain.sent:
        if raw not in stored:
            yield "I5: a transaction was sent that was never stored"
        sent = read_transaction(raw)
        payloads[sent.sender, sent.nonce].add(sent.payload)
    for (sender, nonce), different in payloads.items():
        if len(different) > 1:
            yield f"I5: nonce {nonce} of {sender} was given to {len(different)} payloads"
    for lane in Lane:
        yield from _gapless(lane, list(stored.values()), witness)


def _gapless(lane: Lane, rows: list[ChainTransaction], witness: Witness) -> Iterator[str]:
    sender = sender_for(lane, witness.chain.chain_id, witness.chain.contract).address
    used = witness.chain._blocks[-1].nonces.get(sender, 0)
    in_blocks = sorted(row.nonce for row in rows if row.lane is lane and row.block_number is not None)
    if in_blocks != list(range(used)):
        yield f"I5: the chain counts {used} transactions of {lane}, the ledger has {in_blocks}"


def _final(session: Session, history: History, witness: Witness) -> Iterator[str]:
    state = witness.chain._blocks[-1].state
    blocks = {block.hash for block in witness.chain._blocks}
    final = ChainTransaction.state == TransactionState.FINAL
    for row in session.scalars(select(ChainTransaction).where(final)):
        if row.block_hash not in blocks:
            yield f"I6: {row.hash} is called final, its block is not on the chain"
        if row.size is not None and state.roots.get(row.size) != history.root(row.size):
            yield f"I6: the head of {row.size} entries is called final, the contract has another"
    keys = {organisation for organisation, _signer in state.keys}
    for act in session.scalars(select(RegistryAct).where(RegistryAct.state == ActState.FINAL)):
        if bytes.fromhex(act.digest[2:]) not in keys:
            yield f"I6: act {act.digest} is called final, the contract knows nothing of it"


def _sound(session: Session, head: Head, signer: LogSigner) -> Iterator[str]:
    for finding in check_log(session, head, signer.verifier_key):
        yield f"I8: {finding.table} {finding.key}: {finding.what}"
    if is_sqlite(session):
        verdict = session.scalar(text("PRAGMA integrity_check"))
        if verdict != "ok":
            yield f"I8: the file is damaged: {verdict}"


def is_drained(session: Session) -> bool:
    """Whether nothing is left to do."""
    return not list(_drained(session))


def _drained(session: Session) -> Iterator[str]:
    status = log_status(session)
    if status.pending or not status.signed_size == status.anchored_size == status.final_size:
        yield f"I10: work is left or was refused: {status}"
    open_acts = session.scalars(select(RegistryAct.id).where(RegistryAct.state != ActState.FINAL)).all()
    if open_acts:
        yield f"I10: {len(open_acts)} acts are not final"
