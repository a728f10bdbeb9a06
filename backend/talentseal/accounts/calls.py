"""Unsafe requests of programs: who asks, under which Idempotency-Key, and the one way to answer once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, ApiCaller, access_of
from talentseal.accounts.roles import Actor
from talentseal.db import Ahead, Writes
from talentseal.web.idempotency import Answer, Declined, IdempotencyKey, Once, fingerprint, perform


@dataclass(frozen=True, slots=True)
class UnsafeCall:
    """One unsafe request, made ready to be performed once."""

    database: Writes
    actor: Actor
    key: str
    now: datetime

    def perform(
        self,
        route: str,
        meaning: Any,
        work: Callable[[Session], BaseModel | Declined],
        *,
        status: int = 200,
        ahead: Sequence[Ahead] = (),
    ) -> Response:
        """The answer of `work` in one transaction, or what it answered to the same request before.

        ahead: what `work` asks before all else, as in `Database.write`.

        Raises whatever it raises or declined with.
        """
        once = Once(self.actor.account_id, route, self.key, fingerprint(route, meaning))

        def effect(session: Session) -> Answer | Declined:
            met = work(session)
            return met if isinstance(met, Declined) else Answer(status, met)

        return perform(self.database, once, effect, now=self.now, ahead=ahead)


async def _call(request: Request, actor: ApiActor, key: IdempotencyKey) -> UnsafeCall:
    # Not by dependencies of its own, each of which takes longer than a short query.
    access = access_of(request)
    return UnsafeCall(access.database, actor, key, access.clock.now())


async def _prompt_call(request: Request, caller: ApiCaller, key: IdempotencyKey) -> UnsafeCall:
    return UnsafeCall(caller.database, caller.actor, key, access_of(request).clock.now())


Call = Annotated[UnsafeCall, Depends(_call)]
PromptCall = Annotated[UnsafeCall, Depends(_prompt_call)]
"""The same for acts that go through the call alone, whose key is read in their transaction."""
