"""JSON API of presentations, for terminals. Codes are minted for pages alone: talents have no API keys."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, ApiCaller, Db, Now
from talentseal.accounts.roles import Actor
from talentseal.credentials import inspecting, presenting, proofs, showing
from talentseal.credentials.presenting import Credentials, Refused, Sent, present
from talentseal.credentials.proofs import ProofTrust
from talentseal.credentials.schemas import LookAtProof, Present, PresentationView, ProofView, ShownFields
from talentseal.db import Ahead, Database, Writes
from talentseal.partners.counter import AtDevice
from talentseal.talents.desk import Identifier, photo_answer
from talentseal.vault import Vault
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
    database: Writes
    credentials: Credentials
    now: datetime
    request: str

    def present(self, command: Present) -> PresentationView:
        """Raises the refusal once it is durable."""
        place, sent = AtDevice(command.staff), Sent(command.sent, self.request)
        sent = presenting.verified(self.credentials, sent, now=self.now)
        return PresentationView.of(
            self.durably(
                lambda session: present(session, self.actor, self.credentials, place, sent, now=self.now),
                presenting.ahead(self.actor, place, sent),
            )
        )

    def durably(self, work: Callable[[Session], T | Refused], ahead: Sequence[Ahead] = ()) -> T:
        """What `work` did in a transaction of its own; raises its refusal once that is durable."""
        met = self.database.write(work, ahead)
        if isinstance(met, Refused):
            raise met.error
        return met


async def _terminal(
    caller: ApiCaller, credentials: WithCredentials, now: Now, key: IdempotencyKey
) -> Terminal:
    return Terminal(caller.actor, caller.database, credentials, now, named_request(key))


AtTerminal = Annotated[Terminal, Depends(_terminal)]


@dataclass(frozen=True, slots=True)
class Looking:
    """One request of a terminal that reads what is somebody's, in the transaction that keeps that it did."""

    actor: Actor
    database: Database
    credentials: Credentials
    now: datetime

    @property
    def vault(self) -> Vault:
        return self.credentials.vault


async def _looking(actor: ApiActor, database: Db, credentials: WithCredentials, now: Now) -> Looking:
    return Looking(actor, database, credentials, now)


LookingAt = Annotated[Looking, Depends(_looking)]
Serving = Annotated[
    str, Query(pattern=r"^[0-9a-f]{32}$", description="Account of the person who serves; see GET /counter")
]


@api.post("/presentations", status_code=201)
def create_presentation(command: Present, terminal: AtTerminal) -> PresentationView:
    """Establish whoever shows a code here; a refusal's code says why, its text what to tell the customer.

    The request sent again under the same Idempotency-Key is answered as before, for as long as the token
    would have lived: so it is safe to repeat when no answer came.
    """
    return terminal.present(command)


@api.get("/presentations/{presentation}/photo")
def get_photo(presentation: Identifier, staff: Serving, look: LookingAt) -> Response:
    """The photo of whoever was established here, if he lets your organisation see it; he sees that you did.

    For ten minutes, at the outlet of the presentation.
    """
    place = AtDevice(staff)
    return photo_answer(
        look.database.write(
            lambda session: showing.picture(
                session, look.actor, look.vault, place, presentation, now=look.now
            )
        )
    )


@api.get("/presentations/{presentation}/fields")
def get_fields(presentation: Identifier, staff: Serving, look: LookingAt) -> ShownFields:
    """What whoever was established here lets your organisation read; he sees that you did.

    For ten minutes, at the outlet of the presentation.
    """
    place = AtDevice(staff)
    return ShownFields(
        groups=look.database.write(
            lambda session: showing.fields(session, look.actor, look.vault, place, presentation, now=look.now)
        )
    )


@api.post("/offline-proofs")
def look_at_proof(command: LookAtProof, terminal: AtTerminal) -> ProofView:
    """What an offline proof shows, for the eye alone: it makes no presentation."""
    place = AtDevice(command.staff)
    return ProofView.of(
        terminal.durably(
            lambda session: inspecting.inspect(
                session, terminal.actor, terminal.credentials, place, command.sent, now=terminal.now
            )
        )
    )


@api.get("/offline-proofs/trust")
def get_proof_trust(look: LookingAt) -> ProofTrust:
    """The keys and the list of revoked codes by which a terminal looks at offline proofs without a network.

    Fetch it daily at least; show its age beside what it was used for.
    """
    return look.database.read(
        lambda session: proofs.trust(session, look.actor, look.credentials.keys, now=look.now)
    )
