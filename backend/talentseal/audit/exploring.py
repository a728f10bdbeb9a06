"""The log explorer: checkpoints and growth for everyone, entries for auditors; pages and their JSON."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from sealproof.encoding import MAX_SIZE
from talentseal.accounts.access import ApiActor, Db, MaybeActor, Now, WebActor
from talentseal.accounts.roles import Permission
from talentseal.audit import entries, history
from talentseal.audit.api import Desk
from talentseal.audit.charting import chart_of
from talentseal.audit.entries import EntryDetail, EntryPage
from talentseal.audit.history import CheckpointDetail, CheckpointPage, Growth, Newest
from talentseal.audit.log import IMMUTABLE
from talentseal.web.pages import Pages

PAGE: Final = 50
"""Rows of a list."""

RECENT: Final = 5
"""Checkpoints on the first page."""

OFFERED: Final = 30
"""Sizes that a field proposes."""

api = APIRouter(tags=["log"])
pages = APIRouter(prefix="/explorer", include_in_schema=False)

Size = Annotated[int, Path(ge=1, le=MAX_SIZE, description="Entries under the checkpoint")]
Index = Annotated[int, Path(ge=0, lt=MAX_SIZE, description="Place in the log, from 0")]
Before = Annotated[int | None, Query(ge=1, le=MAX_SIZE, description="Only what stands before this")]
Limit = Annotated[int, Query(ge=1, le=200)]
Kind = Annotated[int | None, Query(ge=0, le=32_767, description="Only entries of this kind")]
From = Annotated[int | None, Query(alias="from", ge=1, le=MAX_SIZE)]
To = Annotated[int | None, Query(ge=1, le=MAX_SIZE)]


def _site(request: Request) -> Pages:
    site: Pages = request.app.state.pages
    return site


# ------------------------------------------------------------------------------------------------ checkpoints


@api.get("/checkpoints")
def list_checkpoints(database: Db, before: Before = None, limit: Limit = PAGE) -> CheckpointPage:
    """The log's signed heads, newest first, with their anchors."""
    return database.read(lambda session: history.page(session, before=before, limit=limit))


@api.get("/checkpoints/{size}")
def get_checkpoint(size: Size, database: Db, desk: Desk) -> CheckpointDetail:
    """One signed head: its note, who signed it, its anchor in every epoch."""
    return database.read(lambda session: history.checkpoint(session, size, desk.notary.key))


@pages.get("")
def overview(request: Request, database: Db, now: Now) -> Response:
    """Where the log stands, and how it has grown."""

    def work(session: Session) -> tuple[Newest, Growth]:
        met = history.newest(session, RECENT)
        return met, history.growth(session, met.began, now=now)

    newest, growth = database.read(work)
    return _site(request).render(
        request,
        "explorer/overview.html",
        recent=newest.checkpoints,
        anchor=newest.anchor,
        growth=growth,
        chart=chart_of(growth),
    )


@pages.get("/checkpoints")
def checkpoints(request: Request, database: Db, before: Before = None) -> Response:
    """All checkpoints, a page at a time."""
    found = database.read(lambda session: history.page(session, before=before, limit=PAGE))
    return _site(request).render(request, "explorer/checkpoints.html", found=found, first=before is None)


@pages.get("/checkpoints/{size}.note")
def note(size: Size, database: Db) -> Response:
    """The signed note of a checkpoint of any age, as it was published."""
    text = database.read(lambda session: history.note_of(session, size))
    return Response(text, media_type="text/plain", headers={"Cache-Control": IMMUTABLE})


@pages.get("/checkpoints/{size}")
def checkpoint(request: Request, size: Size, database: Db, desk: Desk) -> Response:
    """One checkpoint."""
    found = database.read(lambda session: history.checkpoint(session, size, desk.notary.key))
    return _site(request).render(request, "explorer/checkpoint.html", found=found)


@pages.get("/consistency")
def consistency(request: Request, database: Db, older: From = None, to: To = None) -> Response:
    """Any two checkpoints, held against each other by the visitor's own browser."""

    def work(session: Session) -> tuple[list[int], int | None, int | None]:
        sizes = history.newest_sizes(session, OFFERED)
        if not sizes:
            return [], None, None
        later = history.nearest_size(session, to) if to else sizes[0]
        first = history.nearest_size(session, older) if older else sizes[-1]
        return sizes, first, later

    sizes, first, later = database.read(work)
    swapped = first is not None and later is not None and first > later
    return _site(request).render(
        request,
        "explorer/consistency.html",
        sizes=sizes,
        older=later if swapped else first,
        later=first if swapped else later,
        replaced=[size for size, met in ((older, first), (to, later)) if size not in {None, met}],
    )


# --------------------------------------------------------------------------------------- entries for auditors


@api.get("/entries")
def list_entries(
    actor: ApiActor, database: Db, before: Before = None, kind: Kind = None, limit: Limit = PAGE
) -> EntryPage:
    """The log's entries without their bytes, newest first (auditors)."""
    return database.read(lambda session: entries.page(session, actor, before=before, kind=kind, limit=limit))


@api.get("/entries/{index}")
def get_entry(index: Index, actor: ApiActor, database: Db) -> EntryDetail:
    """An entry's exact bytes and its inclusion under the newest checkpoint (auditors)."""
    return database.read(lambda session: entries.entry(session, actor, index))


@pages.get("/entries")
def entry_list(
    request: Request, actor: MaybeActor, database: Db, before: Before = None, kind: str = ""
) -> Response:
    """The entries for auditors; for everyone else, who may see them."""
    site = _site(request)
    if actor is None or not actor.may(Permission.LOG_ENTRIES_READ):
        return site.render(request, "explorer/entries-closed.html")
    chosen = int(kind) if kind.isascii() and kind.isdigit() and len(kind) <= 5 else None
    found = database.read(
        lambda session: entries.page(session, actor, before=before, kind=chosen, limit=PAGE)
    )
    return site.render(request, "explorer/entries.html", found=found, kind=chosen, first=before is None)


@pages.get("/entries/{index}")
def entry(request: Request, index: Index, actor: WebActor, database: Db) -> Response:
    """One entry, and its inclusion checked by the auditor's own browser."""
    found = database.read(lambda session: entries.entry(session, actor, index))
    return _site(request).render(request, "explorer/entry.html", found=found)
