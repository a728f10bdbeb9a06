"""Is it alive, is it ready, how far behind is it: for load balancers, operators and Prometheus."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from talentseal.accounts.access import Db, Now
from talentseal.anchoring import conditions
from talentseal.anchoring.models import Condition, Scope
from talentseal.clock import Clock
from talentseal.db import Database, ping
from talentseal.evidence import status
from talentseal.evidence.models import ActState, RegistryAct, SealerCondition

LONGEST_SEALER_LAG: Final = timedelta(seconds=30)
"""A record may wait this long for its seal before the service calls itself not ready."""

health = APIRouter(tags=["operation"])


class Alive(BaseModel):
    """The process answers."""

    status: str


class Readiness(BaseModel):
    """What the service stands on. A chain that is away does not make it unready: anchoring catches up."""

    ready: bool
    database: bool
    sealer: SealerCondition
    sealer_lag_seconds: float
    chain: dict[Scope, Condition]


@dataclass(frozen=True, slots=True)
class Standing:
    """The log and the chain at one moment. Lags: age of the oldest record that has not come that far."""

    log: status.LogStatus
    chain: dict[Scope, Condition]
    acts: dict[ActState, int]
    sealed_lag: timedelta
    anchored_lag: timedelta


def standing(session: Session, *, now: datetime) -> Standing:
    """Read where log, chain and acts stand."""
    log = status.log_status(session)
    counted = session.execute(select(RegistryAct.state, func.count()).group_by(RegistryAct.state)).all()
    return Standing(
        log=log,
        chain={scope: each.condition for scope, each in conditions.all_standings(session).items()},
        acts={ActState(row[0]): int(row[1]) for row in counted},
        sealed_lag=_age(log.oldest_pending, now),
        anchored_lag=_age(log.oldest_unanchored or log.oldest_pending, now),
    )


def _age(since: datetime | None, now: datetime) -> timedelta:
    return timedelta(0) if since is None else max(timedelta(0), now - since)


@health.get("/healthz")
def healthz() -> Alive:
    """Does the process answer?"""
    return Alive(status="ok")


@health.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
def readyz(database: Db, now: Now) -> Response:
    """Can it take requests: database there, sealer running and not behind?"""

    def work(session: Session) -> Standing:
        ping(session)
        return standing(session, now=now)

    met = database.read(work)
    running = met.log.sealer is SealerCondition.RUNNING
    ready = running and met.sealed_lag <= LONGEST_SEALER_LAG
    body = Readiness(
        ready=ready,
        database=True,
        sealer=met.log.sealer,
        sealer_lag_seconds=met.sealed_lag.total_seconds(),
        chain=met.chain,
    )
    return JSONResponse(body.model_dump(mode="json"), 200 if ready else 503)


class LogCollector(Collector):
    """Reads the database at each scrape: the numbers are those of the tables, not of this process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time: registering must not read the database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """One family for each figure."""
        now = self._clock.now()
        met = self._database.read(lambda session: standing(session, now=now))
        yield _gauge("pending_records", "Records without an index.", met.log.pending)
        sealed, anchored = met.sealed_lag.total_seconds(), met.anchored_lag.total_seconds()
        yield _gauge("sealed_lag_seconds", "Age of the oldest unsealed record.", sealed)
        yield _gauge("anchored_lag_seconds", "Age of the oldest unanchored record.", anchored)
        yield _gauge("head_size", "Entries under the newest signed checkpoint.", met.log.signed_size)
        yield _gauge("anchored_size", "Entries under the newest anchored checkpoint.", met.log.anchored_size)
        yield _gauge("final_size", "Entries under the newest final anchor.", met.log.final_size)
        yield _states("sealer_state", "1 for the sealer's condition.", met.log.sealer, SealerCondition)
        for scope, condition in met.chain.items():
            yield _states(
                f"{scope.value.lower()}_state", f"1 for the condition of {scope}.", condition, Condition
            )
        acts = GaugeMetricFamily(
            "talentseal_registry_acts", "Acts for the contract by state.", labels=["state"]
        )
        for state in ActState:
            acts.add_metric([state.value], met.acts.get(state, 0))
        yield acts


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"talentseal_{name}", text, value=value)


def _states(name: str, text: str, current: Any, states: Iterable[Any]) -> Metric:
    family = GaugeMetricFamily(f"talentseal_{name}", text, labels=["state"])
    for state in states:
        family.add_metric([state.value], 1.0 if state is current else 0.0)
    return family


def metrics_router(database: Database, clock: Clock) -> APIRouter:
    """`/metrics` in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(LogCollector(database, clock))
    router = APIRouter(tags=["operation"])

    @router.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router
