"""Pages of instruments, for everyone: the law is public."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from talentseal.accounts.access import Db, Now
from talentseal.policy import reading
from talentseal.policy.schemas import InstrumentId, Number
from talentseal.web.pages import Pages

pages = APIRouter(prefix="/policy", include_in_schema=False)


@pages.get("")
def overview(request: Request, database: Db, now: Now) -> Response:
    """What may be done today under which article, and every version there is."""
    site: Pages = request.app.state.pages
    met = database.read(lambda session: reading.overview(session, now=now))
    return site.render(request, "policy/overview.html", met=met)


@pages.get("/{instrument}/{number}")
def version(
    request: Request,
    instrument: Annotated[InstrumentId, Path()],
    number: Annotated[Number, Path()],
    database: Db,
    now: Now,
) -> Response:
    """One version, article by article."""
    site: Pages = request.app.state.pages
    met = database.read(lambda session: reading.version(session, instrument, number, now=now))
    return site.render(request, "policy/version.html", met=met)
