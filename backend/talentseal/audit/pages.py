"""Pages on the log for everyone."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from talentseal.accounts import demonstration
from talentseal.accounts.access import Db
from talentseal.evidence import status
from talentseal.web.pages import Pages

pages = APIRouter(include_in_schema=False)


@pages.get("/")
def home(request: Request, database: Db) -> Response:
    """What this is, how far the log has come, how anyone can verify a proof, and whom one can play."""
    site: Pages = request.app.state.pages
    log, people = database.read(lambda session: (status.log_sizes(session), demonstration.people(session)))
    return site.render(request, "home.html", log=log, people=people)
