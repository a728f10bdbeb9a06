"""The sealer signs what extends the signed history, and nothing else."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from sealproof import checkpoint, cosignature, merkle, tiles
from sealproof.entry import Relation
from talentseal import evidence
from talentseal.db import Database
from talentseal.evidence import leases, tree
from talentseal.evidence.headstore import EMPTY_HEAD, HeadMoved, HeadStore, HeadStoreUnreadable
from talentseal.evidence.models import CheckpointRow, EvidenceRecord, LogProgress, SealerCondition
from talentseal.evidence.sealing import BATCH, Outcome, Sealer, SealingRefused, adopt
from talentseal.evidence.status import RecordState, log_status, state_of
from tests.evidence.conftest import Log, Observed


def disarm(session: Session) -> None:
    """Take the triggers away, as someone with the database's password could."""
    if session.get_bind().dialect.name == "sqlite":
        names = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
        for name in names:
            session.execute(text(f"DROP TRIGGER {name}"))
    else:
        session.execute(text("SET LOCAL session_replication_role = replica"))


def alter(log: Log, statement: str, **values: object) -> None:
    def change(session: Session) -> None:
        disarm(session)
        session.execute(text(statement), values)

    log.database.write(change)


def newest(log: Log) -> CheckpointRow:
    query = select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1)
    return log.database.read(lambda session: session.scalars(query).one())


def test_pending_records_are_sealed_under_a_signed_checkpoint(log: Log) -> None:
    recorded = log.record(5)

    done = log.seal()

    signed = checkpoint.open_checkpoint(newest(log).note, [log.signer.verifier_key])
    assert (done.outcome, done.sealed, signed.size) == (Outcome.SEALED, 5, 5)
    leaves = log.database.read(
        lambda session: session.scalars(
            select(EvidenceRecord.leaf_hash).order_by(EvidenceRecord.log_index)
        ).all()
    )
    assert signed.root == merkle.root_of(leaves)
    assert set(leaves) == {item.leaf_hash for item in recorded}


def test_the_time_of_signing_is_signed(log: Log) -> None:
    log.grow(1)

    row = newest(log)

    assert cosignature.read(row.note, log.signer.verifier_key) == row.signed_at


def test_an_empty_round_signs_nothing(log: Log) -> None:
    log.grow(2)

    assert log.seal().outcome is Outcome.IDLE
    assert newest(log).size == 2


def test_more_than_a_batch_takes_several_rounds_and_leaves_no_gap(log: Log) -> None:
    log.record(BATCH + 3)

    sizes = [log.seal().size, log.seal().size]

    assert sizes == [BATCH, BATCH + 3]
    indices = log.database.read(
        lambda session: session.scalars(
            select(EvidenceRecord.log_index).order_by(EvidenceRecord.log_index)
        ).all()
    )
    assert list(indices) == list(range(BATCH + 3))


def test_stored_tiles_prove_every_entry_and_every_earlier_head(log: Log) -> None:
    log.grow(1, 2, 254, 3, 300)
    size = newest(log).size

    def prove(session: Session) -> None:
        read = tree.read_tile(session)
        rows = session.scalars(select(EvidenceRecord).order_by(EvidenceRecord.log_index)).all()
        root = tiles.root_from_tiles(read, size)
        for row in rows:
            path = tiles.inclusion_path_from_tiles(read, row.log_index or 0, size)
            merkle.check_inclusion(row.leaf_hash, row.log_index or 0, size, path, root)
        for earlier in session.scalars(select(CheckpointRow)):
            path = tiles.consistency_path_from_tiles(read, earlier.size, size)
            merkle.check_consistency(earlier.size, earlier.root, size, root, path)

    log.database.read(prove)


def test_records_of_one_transaction_stand_behind_what_they_refer_to(log: Log) -> None:
    now = log.clock.now()

    def act(session: Session) -> tuple[str, list[str]]:
        first = evidence.record(session, Observed("协议", 1), now=now)
        followers = [
            evidence.record(
                session, Observed("约定", number), now=now, relation=Relation.DECLARES, refers_to=first.id
            ).id
            for number in range(8)
        ]
        return first.id, followers

    parent, followers = log.database.write(act)
    log.seal()

    index = log.database.read(
        lambda session: {row.id: row.log_index or 0 for row in session.scalars(select(EvidenceRecord))}
    )
    assert all(index[parent] < index[follower] for follower in followers)


def test_a_record_is_shown_in_one_state_after_another(log: Log) -> None:
    [recorded] = log.record()

    def state() -> RecordState:
        return log.database.read(
            lambda session: state_of(session, session.get_one(EvidenceRecord, recorded.id))
        )

    def move(**sizes: int) -> None:
        log.database.write(lambda session: session.execute(update(LogProgress).values(sizes)))

    seen = [state()]
    log.seal()
    seen.append(state())
    move(anchored_size=1)
    seen.append(state())
    move(final_size=1)
    seen.append(state())

    assert seen == [RecordState.RECORDED, RecordState.SEALED, RecordState.ANCHORED, RecordState.FINAL]


@pytest.mark.parametrize(
    ("statement", "condition"),
    [
        ("UPDATE evidence_record SET entry = :junk WHERE log_index = 5", None),
        ("UPDATE evidence_record SET leaf_hash = :junk WHERE log_index IS NULL", SealerCondition.CORRUPT),
        ("UPDATE tile SET hashes = :junk WHERE level = 0", SealerCondition.CORRUPT),
        ("DELETE FROM tile", SealerCondition.CORRUPT),
    ],
    ids=["signed entry: fsck's to find", "pending leaf hash", "tile", "tiles gone"],
)
def test_altered_storage_is_not_signed(log: Log, statement: str, condition: SealerCondition | None) -> None:
    log.grow(7)
    log.record(2)

    alter(log, statement, **({"junk": b"\x07" * 32} if ":junk" in statement else {}))
    done = log.seal()

    assert done.outcome is (Outcome.STOPPED if condition else Outcome.SEALED)
    shown = log.database.read(log_status).sealer
    assert shown is (condition or SealerCondition.RUNNING)


def test_one_flipped_bit_in_a_stored_tile_is_never_signed(log: Log) -> None:
    log.grow(9)
    before = newest(log).size

    for bit in range(0, 9 * 256, 61):
        hashes = bytearray(log.database.read(lambda session: session.scalar(text("SELECT hashes FROM tile"))))
        hashes[bit // 8] ^= 1 << bit % 8
        alter(log, "UPDATE tile SET hashes = :flipped", flipped=bytes(hashes))
        log.record(1)
        assert log.seal().outcome is Outcome.STOPPED
        hashes[bit // 8] ^= 1 << bit % 8
        alter(log, "UPDATE tile SET hashes = :whole", whole=bytes(hashes))

    assert newest(log).size == before
    assert log.seal().outcome is Outcome.SEALED


def test_a_database_behind_the_signed_head_is_rewound(log: Log) -> None:
    log.grow(4, 4)

    alter(log, "DELETE FROM evidence_disclosure")
    alter(log, "DELETE FROM evidence_record WHERE log_index >= 4")
    log.record(9)
    done = log.seal()

    assert done.outcome is Outcome.STOPPED
    assert log.database.read(log_status).sealer is SealerCondition.REWOUND


def test_a_rebuilt_tree_of_the_same_size_is_forked(log: Log) -> None:
    log.grow(4)
    other = [merkle.leaf_hash(bytes([number])) for number in range(4)]

    alter(log, "UPDATE tile SET hashes = :other", other=b"".join(other))
    done = log.seal()

    assert done.outcome is Outcome.STOPPED
    assert log.database.read(log_status).sealer is SealerCondition.FORKED


def test_a_clock_behind_the_last_head_signs_nothing_until_it_has_caught_up(log: Log) -> None:
    log.grow(1)
    log.record()

    log.clock.moment -= timedelta(seconds=30)
    stopped = log.seal()
    log.clock.advance(seconds=30)

    assert stopped.outcome is Outcome.STOPPED
    assert log.seal().outcome is Outcome.SEALED


def test_two_sealers_never_sign_two_histories(log: Log, open_database: Callable[[], Database]) -> None:
    other = Sealer(open_database(), log.head_store, log.signer, log.clock, "second")
    log.record(3)

    first = log.seal()
    log.record(2)
    while_held = other.tick()
    log.clock.advance(seconds=11)
    after = other.tick()

    assert (first.outcome, while_held.outcome, after.outcome) == (
        Outcome.SEALED,
        Outcome.WAITING,
        Outcome.SEALED,
    )
    assert newest(log).size == 5


def test_a_holder_that_lost_its_lease_writes_nothing(log: Log) -> None:
    held = log.database.write(lambda session: leases.take(session, "sealer", "slow", now=log.clock.now()))
    assert held is not None
    later = log.clock.advance(seconds=11)
    log.database.write(lambda session: leases.take(session, "sealer", "quick", now=later))

    with pytest.raises(leases.LeaseLost):
        log.database.write(lambda session: leases.guard(session, held))


def test_the_head_store_swaps_only_what_was_expected(log: Log) -> None:
    log.grow(2)
    head = log.head_store.read()

    with pytest.raises(HeadMoved):
        log.head_store.swap(EMPTY_HEAD, head)

    assert log.head_store.read() == head


@pytest.mark.parametrize(
    "damage",
    [
        lambda _raw: b"",
        lambda raw: raw[:40],
        lambda raw: raw + b"x",
        lambda raw: json.dumps(json.loads(raw) | {"size": 3}).encode(),
        lambda raw: json.dumps(json.loads(raw) | {"root": "AAAA"}).encode(),
        lambda raw: json.dumps(json.loads(raw) | {"nodes": []}).encode(),
        lambda raw: json.dumps(
            {key: value for key, value in json.loads(raw).items() if key != "note"}
        ).encode(),
    ],
    ids=["empty", "cut off", "trailing", "size", "root", "nodes", "no note"],
)
def test_a_damaged_head_store_is_refused_and_not_replaced(log: Log, damage: Callable[[bytes], bytes]) -> None:
    log.grow(2)
    log.head_store.path.write_bytes(damage(log.head_store.path.read_bytes()))

    with pytest.raises(HeadStoreUnreadable):
        log.seal()


def test_a_lost_head_store_does_not_start_a_second_history(log: Log) -> None:
    log.grow(2)
    log.head_store.path.unlink()
    log.record()

    assert log.seal().outcome is Outcome.STOPPED


def test_an_unwritable_head_store_publishes_nothing(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_store: HeadStore, _raw: bytes) -> None:
        raise OSError(28, "No space left on device")

    log.record()
    monkeypatch.setattr(HeadStore, "_replace", full)
    with pytest.raises(OSError, match="No space"):
        log.seal()
    monkeypatch.undo()

    assert log.database.read(lambda session: session.scalar(select(func.count(CheckpointRow.size)))) == 0
    assert log.seal().outcome is Outcome.SEALED


def test_a_lost_head_store_can_be_adopted_from_the_published_checkpoint(log: Log) -> None:
    log.grow(2, 300)
    before = log.head_store.read()
    log.head_store.path.unlink()

    adopted = adopt(log.database, log.head_store, log.signer)

    assert adopted == before
    log.record()
    assert log.seal().outcome is Outcome.SEALED


def test_altered_entries_are_not_adopted(log: Log) -> None:
    log.grow(3)
    log.head_store.path.unlink()
    alter(
        log,
        "UPDATE evidence_record SET entry = :junk, leaf_hash = :hash WHERE log_index = 1",
        junk=b"{}",
        hash=merkle.leaf_hash(b"{}"),
    )

    with pytest.raises(SealingRefused, match="FORKED"):
        adopt(log.database, log.head_store, log.signer)

    assert log.head_store.read() == EMPTY_HEAD
