"""A browser at the door: what a sign-in needs to know of it, and the session that it leaves with."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts import sessions
from talentseal.accounts.access import Db, Now, Rules
from talentseal.accounts.models import SignInMethod
from talentseal.accounts.sessions import SessionRules
from talentseal.db import Database
from talentseal.web.pages import see_other


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that signs in. address: its network address. brought: the session token it came with."""

    database: Database
    rules: SessionRules
    now: datetime
    address: str
    browser: str
    brought: str = field(repr=False)

    def admit(self, account_id: str, method: SignInMethod, destination: str) -> Response:
        """Start a session and go on to `destination`."""
        token = self.database.write(lambda session: self.start(session, account_id, method))
        return self.leave_with(token, see_other(destination, "signed-in"))

    def start(self, session: Session, account_id: str, method: SignInMethod) -> str:
        """Start a session in a transaction that is under way; its token."""
        token = sessions.new_token()
        sessions.start(
            session,
            account_id,
            method,
            token=token,
            browser=self.browser,
            replaces=self.brought,
            now=self.now,
        )
        return token

    def leave_with(self, token: str, response: Response) -> Response:
        """`response`, with the session's token for the browser."""
        self.rules.cookie.give(response, token)
        return response


async def _arrival(request: Request, database: Db, rules: Rules, now: Now) -> Arrival:
    return Arrival(
        database=database,
        rules=rules,
        now=now,
        address=request.client.host if request.client else "",
        browser=request.headers.get("user-agent", ""),
        brought=rules.cookie.read(request),
    )


Arriving = Annotated[Arrival, Depends(_arrival)]
