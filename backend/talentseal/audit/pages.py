"""Pages on the log for everyone."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from talentseal.accounts.access import Db
from talentseal.evidence import status
from talentseal.web.pages import Pages

pages = APIRouter(include_in_schema=False)


@pages.get("/")
def home(request: Request, database: Db) -> Response:
    """What this is, how far the log has come, and how anyone can verify a proof."""
    site: Pages = request.app.state.pages
    return site.render(request, "home.html", log=database.read(status.log_status))
