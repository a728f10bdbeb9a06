"""Where the pages of signing in are served: one request, and all that is needed to answer it."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from talentseal.accounts.arrival import Arrival, Arriving
from talentseal.accounts.signing_in import Door
from talentseal.errors import TalentSealError
from talentseal.web.pages import Pages


@dataclass(frozen=True, slots=True)
class Counter:
    """One visit to it."""

    request: Request
    arrival: Arrival
    site: Pages
    door: Door

    def show(self, template: str, **values: Any) -> Response:
        """A page whose form has met no refusal yet."""
        return self.site.render(self.request, template, problems=[], **values)

    def refuse(self, template: str, error: TalentSealError, **values: Any) -> Response:
        """The page again, with the reason why its form was not taken."""
        return self.site.refuse(self.request, template, error, **values)


async def _counter(request: Request, arriving: Arriving) -> Counter:
    return Counter(request, arriving, request.app.state.pages, request.app.state.door)


AtCounter = Annotated[Counter, Depends(_counter)]
