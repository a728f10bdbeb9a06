"""The operator's page: the numbers of /metrics, what is wrong, and what to do about it."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, Now, WebActor
from talentseal.accounts.roles import Actor, Permission
from talentseal.anchoring.models import Condition, Scope
from talentseal.audit import health, history
from talentseal.audit.charting import chart_of
from talentseal.audit.health import AlarmKind, Standing
from talentseal.audit.history import Growth
from talentseal.db import Database
from talentseal.evidence.models import ActState, SealerCondition
from talentseal.web.pages import Pages

api = APIRouter(tags=["operation"])
pages = APIRouter(prefix="/operations", include_in_schema=False)


class ConditionView(BaseModel):
    """How the chain or a lane is, why, and since when (null while it has always been OK)."""

    condition: Condition
    reason: str
    since: datetime | None


class Operations(BaseModel):
    """Where the service stands; the numbers are those of /metrics. Lags in seconds, sizes in entries."""

    at: datetime
    ready: bool
    alarms: list[AlarmKind]
    pending_records: int
    oldest_pending: datetime | None
    sealed_lag_seconds: float
    anchored_lag_seconds: float
    head_size: int
    signed_at: datetime | None
    anchored_size: int
    final_size: int
    database: str = Field(description="sqlite or postgresql; it answered, or there would be no answer")
    sealer: SealerCondition
    sealer_reason: str
    epoch: int | None = Field(description="Null before the first")
    chain: dict[Scope, ConditionView]
    transactions_in_flight: int
    oldest_in_flight_seconds: float
    acts: dict[ActState, int]

    @classmethod
    def of(cls, met: Standing, *, at: datetime, database: str) -> "Operations":
        conditions = {
            scope: ConditionView(condition=each.condition, reason=each.reason, since=each.since)
            for scope, each in met.chain.items()
        }
        return cls(
            at=at,
            ready=met.is_ready,
            alarms=[kind for kind in AlarmKind if kind in met.alarms],
            pending_records=met.log.pending,
            oldest_pending=met.log.oldest_pending,
            sealed_lag_seconds=met.sealed_lag.total_seconds(),
            anchored_lag_seconds=met.anchored_lag.total_seconds(),
            head_size=met.log.signed_size,
            signed_at=met.log.signed_at,
            anchored_size=met.log.anchored_size,
            final_size=met.log.final_size,
            database=database,
            sealer=met.log.sealer,
            sealer_reason=met.log.sealer_reason,
            epoch=met.epoch,
            chain=conditions,
            transactions_in_flight=met.in_flight,
            oldest_in_flight_seconds=met.flying.total_seconds(),
            acts={state: met.acts.get(state, 0) for state in ActState},
        )


def operations(session: Session, actor: Actor, *, now: datetime, database: str) -> Operations:
    """Where the service stands. Raises NotPermitted."""
    actor.require(Permission.OPERATION_READ)
    return Operations.of(health.standing(session, now=now), at=now, database=database)


@api.get("/operations")
def get_operations(actor: ApiActor, database: Db, now: Now) -> Operations:
    """Backlog, lags, conditions and alarms: the numbers of /metrics."""
    kind = database.dialect
    return database.read(lambda session: operations(session, actor, now=now, database=kind))


@pages.get("")
def page(request: Request, actor: WebActor, database: Db, now: Now) -> Response:
    """The operator's page."""
    site: Pages = request.app.state.pages
    return site.render(request, "operations/page.html", **_shown(actor, database, now))


@pages.get("/now")
def fragment(request: Request, actor: WebActor, database: Db, now: Now) -> Response:
    """What the open page exchanges for newer figures."""
    site: Pages = request.app.state.pages
    return site.fragment(request, "operations/page.html", "now", **_shown(actor, database, now))


def _shown(actor: Actor, database: Database, now: datetime) -> dict[str, Any]:
    def work(session: Session) -> tuple[Operations, Growth]:
        met = operations(session, actor, now=now, database=database.dialect)
        return met, history.by_hour(session, now=now)

    met, growth = database.read(work)
    return {"met": met, "growth": growth, "chart": chart_of(growth)}
