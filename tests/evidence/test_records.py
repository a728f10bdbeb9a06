"""Recording beside an act: atomic, durable, free of anything personal, erasable."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from sealproof import disclosure, merkle
from sealproof import entry as log_entry
from sealproof.entry import Relation
from sealproof.promise import open_promise
from talentseal import evidence
from talentseal.evidence import Event, records
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.promises import promise
from talentseal.evidence.records import ErasureReason, RecordNotFound
from tests.evidence.conftest import Log, Observed


def test_a_record_is_the_entry_that_its_leaf_commits_to(log: Log) -> None:
    [recorded] = log.record()

    row = log.database.read(lambda session: records.find(session, recorded.id))

    entry = log_entry.decode(row.entry)
    assert (entry.id, entry.kind, entry.recorded_at) == (recorded.id, Observed.kind, log.clock.now())
    assert merkle.leaf_hash(row.entry) == row.leaf_hash == recorded.leaf_hash


def test_the_entry_holds_digests_only_and_never_a_field(log: Log) -> None:
    [recorded] = log.record()

    row = log.database.read(lambda session: records.find(session, recorded.id))

    assert "服务时限" not in row.entry.decode()
    assert {disclosure.read(item).name for item in recorded.disclosures} == {"measure", "value"}


def test_equal_events_have_unequal_entries(log: Log) -> None:
    first, second = log.record()[0], log.record()[0]

    assert first.leaf_hash != second.leaf_hash
    assert set(first.disclosures).isdisjoint(second.disclosures)


def test_an_act_that_fails_after_recording_leaves_no_record(log: Log) -> None:
    def act(session: Session) -> None:
        evidence.record(session, Observed("撤回", 1), now=log.clock.now())
        raise RuntimeError("the act failed")

    with pytest.raises(RuntimeError):
        log.database.write(act)

    assert log.database.read(lambda session: session.scalar(select(func.count(EvidenceRecord.id)))) == 0


def test_a_new_kind_needs_nothing_but_its_dataclass(log: Log) -> None:
    @dataclass(frozen=True, slots=True)
    class MeasureApproved(Event):
        kind: ClassVar[int] = 51
        approved_at: datetime
        bodies: tuple[str, ...]
        note: str | None

    event = MeasureApproved(datetime(2026, 5, 1, tzinfo=UTC), ("talent_office", "leading_group"), None)
    recorded = log.database.write(lambda session: evidence.record(session, event, now=log.clock.now()))

    shown = {disclosure.read(item).name: disclosure.read(item).value for item in recorded.disclosures}
    assert shown == {
        "approved_at": "2026-05-01T00:00:00.000000Z",
        "bodies": ["talent_office", "leading_group"],
    }


@pytest.mark.parametrize("value", [1.5, object(), b"bytes"], ids=["float", "object", "bytes"])
def test_a_field_without_one_canonical_form_is_refused(log: Log, value: object) -> None:
    with pytest.raises(TypeError, match="expected text, integer"):
        log.database.write(
            lambda session: evidence.record(session, Observed("measure", value), now=log.clock.now())  # type: ignore[arg-type]
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evidence_record SET entry = leaf_hash",
        "UPDATE evidence_record SET log_index = 7 WHERE log_index IS NOT NULL",
        "UPDATE evidence_record SET log_index = NULL",
        "DELETE FROM evidence_record",
        "UPDATE checkpoint SET size = 9",
        "DELETE FROM checkpoint",
    ],
)
def test_the_database_itself_refuses_to_change_evidence(log: Log, statement: str) -> None:
    log.grow(3)

    with pytest.raises(DBAPIError, match="append-only"):
        log.database.write(lambda session: session.execute(text(statement)))


def test_a_promise_names_the_leaf_and_the_deadline(log: Log) -> None:
    [recorded] = log.record()

    opened = open_promise(promise(log.signer, recorded), [log.signer.verifier_key])

    assert (opened.leaf_hash, opened.kind) == (recorded.leaf_hash, recorded.kind)
    assert opened.deadline == recorded.recorded_at + records.MERGE_DELAY


@pytest.mark.scenario(68)
def test_erasure_destroys_content_and_salts_and_says_so_in_the_log(log: Log) -> None:
    [recorded] = log.record()

    erasure = log.database.write(
        lambda session: records.erase(
            session, recorded.id, ErasureReason.DATA_SUBJECT_REQUEST, now=log.clock.advance(seconds=1)
        )
    )

    assert log.database.read(lambda session: records.disclosures_of(session, recorded.id)) == []
    assert erasure is not None
    row = log.database.read(lambda session: records.find(session, erasure.id))
    assert (row.relation, row.refers_to) == (Relation.ERASES, recorded.id)


def test_erasing_twice_records_once(log: Log) -> None:
    [recorded] = log.record()
    reason = ErasureReason.RETENTION_ENDED

    first = log.database.write(
        lambda session: records.erase(session, recorded.id, reason, now=log.clock.now())
    )
    second = log.database.write(
        lambda session: records.erase(session, recorded.id, reason, now=log.clock.now())
    )

    assert first is not None
    assert second is None


def test_erasing_what_does_not_exist_is_refused(log: Log) -> None:
    with pytest.raises(RecordNotFound) as refusal:
        log.database.write(
            lambda session: records.erase(
                session, "0" * 32, ErasureReason.RETENTION_ENDED, now=log.clock.now()
            )
        )

    assert refusal.value.code == "record-not-found"
    assert "0" * 32 in refusal.value.sentence_zh


def test_chosen_fields_only_are_disclosed(log: Log) -> None:
    [recorded] = log.record()

    shown = log.database.read(lambda session: records.disclose(session, recorded.id, ["value"]))

    assert [json.loads(json.dumps(disclosure.read(item).value)) for item in shown] == [0]
