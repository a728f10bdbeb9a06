"""Idempotency-Key: the same request sent again gets the same answer and has no second effect.

The answer is stored in the transaction of the effect itself, so there is no moment at which one exists
without the other. A second request with the same key waits for the first at the table's primary key and then
replays its answer; refusals roll back and are therefore decided anew. Scope: account, route, key.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

from fastapi import Header
from pydantic import BaseModel, StringConstraints
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session
from starlette.responses import Response

from sealproof import canonical
from talentseal.db import Ahead, Writes, at_end, connection_of, rows, table_of
from talentseal.errors import TalentSealError
from talentseal.statements import carry_out
from talentseal.web.models import IdempotentAnswer

KEPT: Final = timedelta(days=30)
"""How long an answer can be replayed; afterwards the business constraints alone stand against repetition."""

IdempotencyKey = Annotated[
    str,
    Header(alias="Idempotency-Key", description="1 to 255 visible ASCII characters, new for each act"),
    StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$"),
]


class KeyReused(TalentSealError):
    code: ClassVar[str] = "idempotency-key-reused"
    status: ClassVar[int] = 422
    zh: ClassVar[str] = "该 Idempotency-Key 已用于内容不同的请求。请为新的操作使用新的键。"
    en: ClassVar[str] = "This Idempotency-Key came with another request body; use a new key for a new act."


@dataclass(frozen=True, slots=True)
class Once:
    """Which request this is. fingerprint: SHA-256 hex over path and meaning of the request."""

    account_id: str
    route: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the effect answers with.

    The body holds identifiers and states, never content: it is kept KEPT long.
    """

    status: int
    body: BaseModel


@dataclass(frozen=True, slots=True)
class Declined:
    """A refusal that has effects of its own, which are kept; the same request is decided anew next time."""

    error: TalentSealError


def fingerprint(path: str, meaning: Any) -> str:
    """SHA-256 hex over the path and the canonical JSON of what was asked."""
    return hashlib.sha256(canonical.encode({"path": path, "request": meaning})).hexdigest()


def perform(
    database: Writes,
    once: Once,
    effect: Callable[[Session], Answer | Declined],
    *,
    now: datetime,
    ahead: Sequence[Ahead] = (),
) -> Response:
    """Run `effect` in one transaction, or replay its stored answer. Returns after the commit is durable.

    ahead: what `effect` asks before all else, as in `Database.write`. Raises KeyReused when the key came with
    another request before, whatever `effect` raises, and what it declined with.
    """
    claim = _claim(database, once, now)

    def work(session: Session) -> Response | Declined:
        # PostgreSQL waits for a rival's commit or rollback.
        if not rows(session, claim.statement, **claim.values):
            return _replay(session, once)
        answer = effect(session)
        if isinstance(answer, Declined):
            carry_out(connection_of(session), _FORGET, _named(once))
            return answer
        body = answer.body.model_dump_json()
        at_end(session, _KEEP, {**_named(once), "answered": answer.status, "content": body})
        return Response(body, answer.status, media_type="application/json")

    met = database.write(work, [claim, *ahead])
    if isinstance(met, Declined):
        raise met.error
    return met


_ANSWERS: Final = table_of(IdempotentAnswer)
_SAME: Final = (
    _ANSWERS.c.account_id == bindparam("account"),
    _ANSWERS.c.route == bindparam("of_route"),
    _ANSWERS.c.key == bindparam("named"),
)
_KEEP: Final = update(_ANSWERS).where(*_SAME).values(status=bindparam("answered"), body=bindparam("content"))
_STORED: Final = select(_ANSWERS.c.fingerprint, _ANSWERS.c.status, _ANSWERS.c.body).where(*_SAME)
_FORGET: Final = delete(_ANSWERS).where(*_SAME)
_CLAIM_SQLITE: Final = insert_sqlite(_ANSWERS).on_conflict_do_nothing().returning(_ANSWERS.c.key)
_CLAIM_POSTGRESQL: Final = insert_postgresql(_ANSWERS).on_conflict_do_nothing().returning(_ANSWERS.c.key)


def _named(once: Once) -> dict[str, str]:
    return {"account": once.account_id, "of_route": once.route, "named": once.key}


def _claim(database: Writes, once: Once, now: datetime) -> Ahead:
    """What finds a row if this request is the first with its key."""
    row = {
        "account_id": once.account_id,
        "route": once.route,
        "key": once.key,
        "fingerprint": once.fingerprint,
        "status": 0,
        "body": "",
        "created_at": now,
    }
    return Ahead(_CLAIM_SQLITE if database.dialect == "sqlite" else _CLAIM_POSTGRESQL, row)


def _replay(session: Session, once: Once) -> Response:
    (stored,) = rows(session, _STORED, **_named(once))
    if stored.fingerprint != once.fingerprint:
        raise KeyReused
    headers = {"Idempotency-Replayed": "true"}
    return Response(stored.body, stored.status, media_type="application/json", headers=headers)


def prune(session: Session, *, now: datetime) -> None:
    """Forget the answers older than KEPT."""
    session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_at < now - KEPT))
