"""Composing a record's proof: its entry, the chosen disclosures, its place in the tree and a signed
checkpoint.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from sealproof import tiles, tlogproof
from sealproof.bundle import AgreementEvidence, Anchor, Bundle
from talentseal.errors import Conflict
from talentseal.evidence import tree
from talentseal.evidence.models import CheckpointRow, EvidenceRecord


class NotSealedYet(Conflict):
    code = "not-sealed-yet"
    zh = "记录 {record} 尚未封存，请在承诺期限之后再取（通常 1 秒内）。"
    en = "Record {record} is not sealed yet; fetch it again shortly, at the latest after the deadline."


def checkpoint_for(session: Session, row: EvidenceRecord, size: int | None = None) -> CheckpointRow:
    """The checkpoint of exactly `size`, or without one the newest, if it covers the record. Raises
    NotSealedYet.
    """
    query = select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1)
    found = session.scalars(query if size is None else query.where(CheckpointRow.size == size)).one_or_none()
    if found is None or row.log_index is None or row.log_index >= found.size:
        raise NotSealedYet(record=row.id)
    return found


def compose(
    session: Session,
    row: EvidenceRecord,
    checkpoint: CheckpointRow,
    *,
    disclosures: Sequence[str],
    anchor: Anchor | None = None,
    agreement: AgreementEvidence | None = None,
) -> Bundle:
    """The bundle of a sealed record under `checkpoint`. It is not verified here: whoever hands it out does
    that.

    disclosures: those of the record's fields that the receiver may see. anchor: where that very checkpoint
    stands on the chain. Raises NotSealedYet, TileMissing.
    """
    if row.log_index is None or row.log_index >= checkpoint.size:
        raise NotSealedYet(record=row.id)
    path = tiles.inclusion_path_from_tiles(tree.read_tile(session), row.log_index, checkpoint.size)
    return Bundle(
        entry=bytes(row.entry).decode("utf-8"),
        disclosures=tuple(disclosures),
        index=row.log_index,
        size=checkpoint.size,
        path=tuple(path),
        checkpoint=checkpoint.note,
        anchor=anchor,
        agreement=agreement,
    )


def tlog_proof(bundle: Bundle) -> str:
    """The same inclusion as a C2SP `.tlog-proof`, for other people's tools."""
    return tlogproof.encode(bundle.index, bundle.path, bundle.checkpoint)
