"""The log's entries for auditors: exact bytes and places; what they hold is digests alone."""

from datetime import datetime
from typing import Any, ClassVar, Final

from pydantic import BaseModel, Field
from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from sealproof import tiles
from sealproof.entry import Relation
from talentseal.accounts.roles import Actor, Permission
from talentseal.db import only_row, rows
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


_VIEW: Final = (
    EvidenceRecord.log_index,
    EvidenceRecord.id,
    EvidenceRecord.kind,
    EvidenceRecord.recorded_at,
    EvidenceRecord.relation,
    EvidenceRecord.refers_to,
    EvidenceRecord.leaf_hash,
)
"""What an EntryView is made of."""
_BELOW: Final = (
    select(*_VIEW)
    .where(EvidenceRecord.log_index < bindparam("below"))
    .order_by(EvidenceRecord.log_index.desc())
    .limit(bindparam("limit"))
)
_OF_KIND: Final = _BELOW.where(EvidenceRecord.kind == bindparam("kind"))
_AT: Final = select(*_VIEW, EvidenceRecord.entry).where(EvidenceRecord.log_index == bindparam("index"))
_NEWEST: Final = select(CheckpointRow.size, CheckpointRow.root).order_by(CheckpointRow.size.desc()).limit(1)
_INDEX: Final = select(EvidenceRecord.log_index).where(EvidenceRecord.id == bindparam("record"))


def page(session: Session, actor: Actor, *, before: int | None, kind: int | None, limit: int) -> EntryPage:
    """Up to `limit` sealed entries below the index `before`, newest first. Raises NotPermitted."""
    actor.require(Permission.LOG_ENTRIES_READ)
    size = _newest(session)[0]
    given = {"below": size if before is None else min(before, size), "limit": limit + 1}
    found = rows(session, _BELOW, **given) if kind is None else rows(session, _OF_KIND, kind=kind, **given)
    items = [_view(each) for each in found[:limit]]
    return EntryPage(items=items, before=items[-1].index if len(found) > limit else None)


def entry(session: Session, actor: Actor, index: int) -> EntryDetail:
    """The sealed entry of that index. Raises NotPermitted, EntryNotFound, TileMissing."""
    actor.require(Permission.LOG_ENTRIES_READ)
    size, root = _newest(session)
    found = only_row(session, _AT, index=index)
    if found is None or index >= size:
        raise EntryNotFound(index=index)
    referred = only_row(session, _INDEX, record=found.refers_to)
    path = tiles.inclusion_path_from_tiles(tree.read_tile(session), index, size)
    return EntryDetail(
        **_view(found).model_dump(),
        entry=bytes(found.entry).decode("utf-8"),
        size=size,
        root=root.hex(),
        path=[each.hex() for each in path],
        refers_to_index=referred.log_index if referred else None,
    )


def _newest(session: Session) -> tuple[int, bytes]:
    """Size and root of the newest checkpoint; (0, nothing) before the first."""
    newest = only_row(session, _NEWEST)
    return (newest.size, bytes(newest.root)) if newest else (0, b"")


def _view(found: Row[*tuple[Any, ...]]) -> EntryView:
    return EntryView(
        index=found.log_index or 0,
        record=found.id,
        kind=found.kind,
        recorded_at=found.recorded_at,
        relation=None if found.relation is None else Relation(found.relation),
        refers_to=found.refers_to,
        leaf_hash=bytes(found.leaf_hash).hex(),
    )
