"""JSON API of presentations, for terminals. Codes are minted for pages alone: talents have no API keys."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request
from sqlalchemy.orm import Session

from talentseal.accounts.access import ApiActor, Db, Now
from talentseal.accounts.roles import Actor
from talentseal.credentials.presenting import Credentials, Refused, Sent, present
from talentseal.credentials.schemas import Present, PresentationView
from talentseal.db import Database
from talentseal.partners.counter import AtDevice
from talentseal.web.idempotency import IdempotencyKey

T = TypeVar("T")

api = APIRouter(tags=["presentations"])


async def credentials_of(request: Request) -> Credentials:
    """Set by the composition root."""
    credentials: Credentials = request.app.state.credentials
    return credentials


WithCredentials = Annotated[Credentials, Depends(credentials_of)]


def named_request(key: str) -> str:
    """A terminal's name for its request as it is kept: SHA-256 hex, whatever the terminal put into it."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Terminal:
    """One request of a terminal, under its own name for it."""

    actor: Actor
    database: Database
    credentials: Credentials
    now: datetime
    request: str

    def present(self, command: Present) -> PresentationView:
        """Raises the refusal once it is durable."""
        place, sent = AtDevice(command.staff), Sent(command.sent, self.request)
        return PresentationView.of(
            self.durably(
                lambda session: present(session, self.actor, self.credentials, place, sent, now=self.now)
            )
        )

    def durably(self, work: Callable[[Session], T | Refused]) -> T:
        """What `work` did in a transaction of its own; raises its refusal once that is durable."""
        met = self.database.write(work)
        if isinstance(met, Refused):
            raise met.error
        return met


async def _terminal(
    actor: ApiActor, database: Db, credentials: WithCredentials, now: Now, key: IdempotencyKey
) -> Terminal:
    return Terminal(actor, database, credentials, now, named_request(key))


AtTerminal = Annotated[Terminal, Depends(_terminal)]


@api.post("/presentations", status_code=201)
def create_presentation(command: Present, terminal: AtTerminal) -> PresentationView:
    """Establish whoever shows a code here; a refusal's code says why, its text what to tell the customer.

    The request sent again under the same Idempotency-Key is answered as before, for as long as the token
    would have lived: so it is safe to repeat when no answer came.
    """
    return terminal.present(command)
