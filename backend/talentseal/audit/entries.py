"""The log's entries for auditors: exact bytes and places; what they hold is digests alone."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from sealproof import tiles
from sealproof.entry import Relation
from talentseal.accounts.roles import Actor, Permission
from talentseal.errors import NotFound
from talentseal.evidence import tree
from talentseal.evidence.models import CheckpointRow, EvidenceRecord


class EntryNotFound(NotFound):
    code: ClassVar[str] = "entry-not-found"
    zh: ClassVar[str] = "日志中没有序号为 {index} 的条目，或它尚未封存。"
    en: ClassVar[str] = "The log has no entry {index}, or it is not sealed yet."


class EntryView(BaseModel):
    """One entry's place and what it says openly."""

    index: int
    record: str
    kind: int
    recorded_at: datetime
    relation: Relation | None
    refers_to: str | None
    leaf_hash: str = Field(description="64 hex digits")


class EntryPage(BaseModel):
    """Entries, newest first."""

    items: list[EntryView]
    before: int | None = Field(description="Ask for the next page with this; null at the end")


class EntryDetail(EntryView):
    """An entry with its exact bytes and its place under the newest checkpoint."""

    entry: str = Field(description="The canonical JSON that the leaf hash is made of")
    size: int = Field(description="Entries under the checkpoint")
    root: str = Field(description="64 hex digits")
    path: list[str] = Field(description="Audit path, lowest sibling first")
    refers_to_index: int | None


def page(session: Session, actor: Actor, *, before: int | None, kind: int | None, limit: int) -> EntryPage:
    """Up to `limit` sealed entries below the index `before`, newest first. Raises NotPermitted."""
    actor.require(Permission.LOG_ENTRIES_READ)
    size = _newest(session)[0]
    query = select(EvidenceRecord).where(
        EvidenceRecord.log_index < (size if before is None else min(before, size))
    )
    if kind is not None:
        query = query.where(EvidenceRecord.kind == kind)
    rows = list(session.scalars(query.order_by(EvidenceRecord.log_index.desc()).limit(limit + 1)))
    items = [_view(row) for row in rows[:limit]]
    return EntryPage(items=items, before=items[-1].index if len(rows) > limit else None)


def entry(session: Session, actor: Actor, index: int) -> EntryDetail:
    """The sealed entry of that index. Raises NotPermitted, EntryNotFound, TileMissing."""
    actor.require(Permission.LOG_ENTRIES_READ)
    size, root = _newest(session)
    row = session.scalars(select(EvidenceRecord).where(EvidenceRecord.log_index == index)).one_or_none()
    if row is None or index >= size:
        raise EntryNotFound(index=index)
    path = tiles.inclusion_path_from_tiles(tree.read_tile(session), index, size)
    return EntryDetail(
        **_view(row).model_dump(),
        entry=bytes(row.entry).decode("utf-8"),
        size=size,
        root=root.hex(),
        path=[each.hex() for each in path],
        refers_to_index=session.scalar(
            select(EvidenceRecord.log_index).where(EvidenceRecord.id == row.refers_to)
        ),
    )


def _newest(session: Session) -> tuple[int, bytes]:
    """Size and root of the newest checkpoint; (0, nothing) before the first."""
    query = select(CheckpointRow.size, CheckpointRow.root).order_by(CheckpointRow.size.desc()).limit(1)
    row = session.execute(query).one_or_none()
    return (row.size, bytes(row.root)) if row else (0, b"")


def _view(row: EvidenceRecord) -> EntryView:
    return EntryView(
        index=row.log_index or 0,
        record=row.id,
        kind=row.kind,
        recorded_at=row.recorded_at,
        relation=None if row.relation is None else Relation(row.relation),
        refers_to=row.refers_to,
        leaf_hash=bytes(row.leaf_hash).hex(),
    )
