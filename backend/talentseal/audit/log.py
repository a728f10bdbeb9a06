"""The log as files (C2SP tlog-tiles): checkpoint and hash tiles for everyone, entry bundles for auditors.

Tiles never change once served, so any cache may keep them for ever; nothing beyond the newest signed
checkpoint is served. Hash tiles and checkpoints show neither kind, place nor person.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from sealproof import tiles
from sealproof.errors import ProofError
from sealproof.tiles import Tile
from talentseal.accounts.access import ApiActor, Db
from talentseal.accounts.roles import Permission
from talentseal.audit.api import TEXT_ANSWER, AuditDesk
from talentseal.errors import NotFound
from talentseal.evidence import tree
from talentseal.evidence.models import CheckpointRow, EvidenceRecord

IMMUTABLE: Final = "public, max-age=31536000, immutable"
PRIVATE_IMMUTABLE: Final = "private, max-age=31536000, immutable"
SHORT: Final = "public, max-age=1"

log_files = APIRouter(tags=["log"], prefix="/log")

_OCTETS: Final = "application/octet-stream"
_BINARY: dict[int | str, dict[str, Any]] = {
    200: {"content": {_OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
}
_TEXT = TEXT_ANSWER
TilePath = Annotated[str, Path(max_length=100)]


async def _desk(request: Request) -> AuditDesk:
    desk: AuditDesk = request.app.state.audit
    return desk


def _newest(session: Session) -> CheckpointRow:
    """The newest signed checkpoint. Raises NotFound before the first."""
    query = select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


@log_files.get("/checkpoint", response_class=Response, responses=_TEXT)
def checkpoint(database: Db) -> Response:
    """The newest signed checkpoint (C2SP signed note)."""
    note = database.read(_newest).note
    return Response(note, media_type="text/plain", headers={"Cache-Control": SHORT})


@log_files.get("/key", response_class=Response, responses=_TEXT)
def key(desk: Annotated[AuditDesk, Depends(_desk)]) -> Response:
    """The log's verifier key (C2SP). Compare it with the one that you were given by another way."""
    return Response(f"{desk.notary.key}\n", media_type="text/plain", headers={"Cache-Control": SHORT})


@log_files.get("/tile/entries/{place:path}", response_class=Response, responses=_BINARY)
def entries(place: TilePath, actor: ApiActor, database: Db) -> Response:
    """An entry bundle (auditors)."""
    actor.require(Permission.LOG_ENTRIES_READ)
    number, width = _parsed_entries(place)

    def work(session: Session) -> bytes:
        first = number * tiles.TILE_WIDTH
        if first + width > _newest(session).size:
            raise NotFound
        rows = session.scalars(
            select(EvidenceRecord.entry)
            .where(EvidenceRecord.log_index >= first, EvidenceRecord.log_index < first + width)
            .order_by(EvidenceRecord.log_index)
        ).all()
        return tiles.encode_entries([bytes(row) for row in rows])

    return Response(database.read(work), media_type=_OCTETS, headers={"Cache-Control": PRIVATE_IMMUTABLE})


@log_files.get("/tile/{place:path}", response_class=Response, responses=_BINARY)
def tile(place: TilePath, database: Db) -> Response:
    """A hash tile."""
    wanted = _parsed_tile(place)

    def work(session: Session) -> bytes:
        complete = _newest(session).size >> (tiles.HEIGHT * wanted.level)
        if wanted.number * tiles.TILE_WIDTH + wanted.width > complete:
            raise NotFound
        return tree.read_tile(session)(wanted.level, wanted.number, wanted.width)

    return Response(database.read(work), media_type=_OCTETS, headers={"Cache-Control": IMMUTABLE})


def _parsed_tile(place: str) -> Tile:
    try:
        return tiles.parse_path(f"tile/{place}")
    except ProofError:
        raise NotFound from None


def _parsed_entries(place: str) -> tuple[int, int]:
    try:
        return tiles.parse_entries_path(f"tile/entries/{place}")
    except ProofError:
        raise NotFound from None
