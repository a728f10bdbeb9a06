"""Where the pages of rules, cases and terminations are served: one request, and all that answers it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import Db, Now, WebActor
from talentseal.accounts.roles import Actor
from talentseal.db import Database
from talentseal.errors import TalentSealError
from talentseal.vault import Vault
from talentseal.web.forms import SHOWN_ELSEWHERE, Typed, errors_of, said
from talentseal.web.pages import Pages, see_other

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """One request of somebody who is signed in."""

    request: Request
    database: Database
    vault: Vault = field(repr=False)
    actor: Actor
    now: datetime

    def show(self, template: str, refusal: TalentSealError | None = None, **values: Any) -> Response:
        """A page; after a refusal with its sentence, its status and what is wrong with each field."""
        site: Pages = self.request.app.state.pages
        given = {"typed": Typed(), **values}
        return site.render(
            self.request,
            template,
            status=refusal.status if refusal else 200,
            refusal=said(refusal, self.request) if refusal else "",
            errors=errors_of(refusal, self.request),
            now=self.now,
            **given,
        )

    def act(
        self,
        work: Callable[[Session], T],
        then: Callable[[T], tuple[str, str]],
        again: Callable[[TalentSealError], Response],
    ) -> Response:
        """One act in a transaction of its own, and on to an address with a notice; or the form again."""
        try:
            result = self.database.write(work)
        except TalentSealError as refusal:
            if refusal.status in SHOWN_ELSEWHERE:
                raise
            return again(refusal)
        return see_other(*then(result))


async def _desk(request: Request, database: Db, actor: WebActor, now: Now) -> Desk:
    return Desk(request, database, request.app.state.vault, actor, now)


AtDesk = Annotated[Desk, Depends(_desk)]
