"""fsck finds every alteration of stored evidence, and nothing where there is none."""

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from sealproof.entry import Relation
from talentseal.errors import TalentSealError
from talentseal.evidence import records
from talentseal.evidence.fsck import Finding, check_log
from talentseal.evidence.models import CheckpointRow, EvidenceDisclosure, EvidenceRecord, LogProgress, Tile
from talentseal.evidence.records import ErasureReason
from tests.evidence.conftest import Log
from tests.evidence.tampering import Change, mutations
from tests.evidence.test_sealing import disarm

TABLES = ("evidence_record", "evidence_disclosure", "tile", "checkpoint")


class Undo(Exception):
    """Ends a write so that the database rolls the tampering back."""


def findings_after(log: Log, change: Change) -> list[Finding] | str:
    """What fsck finds after the change, which is then undone; the refusal when the database itself refuses
    it.
    """
    found: list[Finding] = []

    def tamper(session: Session) -> None:
        disarm(session)
        change(session)
        session.flush()
        session.expire_all()
        found.extend(check_log(session, log.head_store.read(), log.signer.verifier_key))
        raise Undo

    try:
        log.database.write(tamper)
    except Undo:
        return found
    except (DBAPIError, ValueError, LookupError) as refusal:
        return f"refused: {refusal}"
    return []


@pytest.fixture
def grown(log: Log) -> Log:
    """A log with several checkpoints, two levels of tiles, relations, an erasure and a pending record."""
    log.grow(3, 250, 20)
    [target] = log.record()
    log.record(1, relation=Relation.CORRECTS, refers_to=target.id)
    log.database.write(
        lambda session: records.erase(
            session, target.id, ErasureReason.RETENTION_ENDED, now=log.clock.advance(seconds=1)
        )
    )
    log.grow(4, 2)
    log.record(1)
    log.database.write(
        lambda session: session.execute(update(LogProgress).values(anchored_size=282, final_size=273))
    )
    return log


def nothing(_session: Session) -> None:
    """No change at all."""


def test_an_untouched_log_has_no_findings(grown: Log) -> None:
    assert findings_after(grown, nothing) == []


def test_no_alteration_of_any_column_or_row_goes_unnoticed(grown: Log) -> None:
    planned = grown.database.read(
        lambda session: [mutation for table in TABLES for mutation in mutations(session, table, rows=6)]
    )

    unnoticed = [mutation.what for mutation in planned if not findings_after(grown, mutation.change)]

    assert unnoticed == []
    assert len(planned) >= 300
    print(f"{len(planned)} mutations, all noticed")


def roll_back_last_batch(session: Session) -> None:
    session.execute(delete(EvidenceDisclosure))
    session.execute(
        delete(EvidenceRecord).where(EvidenceRecord.log_index.is_(None) | (EvidenceRecord.log_index >= 280))
    )
    session.execute(delete(CheckpointRow).where(CheckpointRow.size > 280))


@pytest.mark.parametrize(
    "change",
    [
        roll_back_last_batch,
        lambda session: session.execute(delete(EvidenceDisclosure)),
        lambda session: session.execute(delete(Tile)),
        lambda session: session.execute(delete(CheckpointRow)),
        lambda session: session.execute(update(EvidenceDisclosure).values(disclosures=None)),
        lambda session: session.execute(update(EvidenceDisclosure).values(disclosures="[]")),
        lambda session: session.execute(update(EvidenceDisclosure).values(disclosures="not json")),
        lambda session: session.execute(update(LogProgress).values(anchored_size=100)),
        lambda session: session.execute(update(LogProgress).values(final_size=282, anchored_size=273)),
        lambda session: session.execute(delete(LogProgress)),
    ],
    ids=[
        "rolled back",
        "no disclosures",
        "no tiles",
        "no checkpoints",
        "content gone",
        "content empty",
        "content junk",
        "anchored between heads",
        "final beyond anchored",
        "no progress",
    ],
)
def test_wholesale_alterations_are_found(grown: Log, change: Change) -> None:
    assert findings_after(grown, change)


def test_fsck_itself_does_not_fail_on_what_it_finds(grown: Log) -> None:
    outcome = findings_after(
        grown, lambda session: session.execute(update(EvidenceRecord).values(entry=b"\xff\x00"))
    )

    assert not isinstance(outcome, str | TalentSealError)
    assert len(outcome) >= 282
