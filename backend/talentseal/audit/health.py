"""Is it alive, is it ready, how far behind is it: for load balancers, operators and Prometheus."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from talentseal.accounts.access import Db, Now
from talentseal.anchoring import conditions
from talentseal.anchoring.models import ChainEpoch, ChainTransaction, Condition, Scope, TransactionState
from talentseal.clock import Clock
from talentseal.db import Database, ping, rows
from talentseal.evidence import status
from talentseal.evidence.models import ActState, RegistryAct, SealerCondition
from talentseal.policy import calendar

LONGEST_SEALER_LAG: Final = timedelta(seconds=30)
"""A record may wait this long for its seal before the service calls itself not ready."""

LONGEST_ANCHOR_LAG: Final = timedelta(minutes=5)
"""A record may wait this long for its block before an operator is called."""

LONGEST_IN_FLIGHT: Final = timedelta(minutes=2)
"""A transaction may be on its way this long before an operator is called."""

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


class AlarmKind(StrEnum):
    """What an operator is called for now; each ends by itself once its cause is gone."""

    SEALER_STOPPED = "sealer-stopped"
    SEALING_BEHIND = "sealing-behind"
    NO_EPOCH = "no-epoch"
    CHAIN_TROUBLE = "chain-trouble"
    ANCHORING_BEHIND = "anchoring-behind"
    TRANSACTION_STUCK = "transaction-stuck"
    HOLIDAYS_MISSING = "holidays-missing"


@dataclass(frozen=True, slots=True)
class Standing:
    """The log and the chain at one moment. Lags: age of the oldest record that has not come that far.

    epoch: None before the first. in_flight: transactions in no block yet; flying: age of the oldest.
    years_missing: those without a holiday notice that should have one.
    """

    log: status.LogStatus
    chain: dict[Scope, conditions.Standing]
    acts: dict[ActState, int]
    epoch: int | None
    in_flight: int
    flying: timedelta
    sealed_lag: timedelta
    anchored_lag: timedelta
    years_missing: list[int]

    @property
    def is_ready(self) -> bool:
        """Whether requests can be taken. A chain that is away does not matter: anchoring catches up."""
        return not self.alarms & {AlarmKind.SEALER_STOPPED, AlarmKind.SEALING_BEHIND}

    @property
    def alarms(self) -> frozenset[AlarmKind]:
        """What an operator has to look at."""
        holds = {
            AlarmKind.SEALER_STOPPED: self.log.sealer is not SealerCondition.RUNNING,
            AlarmKind.SEALING_BEHIND: self.sealed_lag > LONGEST_SEALER_LAG,
            AlarmKind.NO_EPOCH: self.epoch is None,
            AlarmKind.CHAIN_TROUBLE: any(met.condition is not Condition.OK for met in self.chain.values()),
            AlarmKind.ANCHORING_BEHIND: self.anchored_lag > LONGEST_ANCHOR_LAG,
            AlarmKind.TRANSACTION_STUCK: self.flying > LONGEST_IN_FLIGHT,
            AlarmKind.HOLIDAYS_MISSING: bool(self.years_missing),
        }
        return frozenset(kind for kind, met in holds.items() if met)


_EPOCH: Final = select(func.max(ChainEpoch.id))
_ACTS: Final = select(RegistryAct.state, func.count()).group_by(RegistryAct.state)
_IN_FLIGHT: Final = select(func.count(), func.min(ChainTransaction.signed_at)).where(
    ChainTransaction.epoch_id == bindparam("epoch"), ChainTransaction.state == TransactionState.SIGNED
)


def standing(session: Session, *, now: datetime) -> Standing:
    """Read where log, chain and acts stand."""
    log = status.log_status(session)
    ((epoch,),) = rows(session, _EPOCH)
    ((in_flight, oldest),) = rows(session, _IN_FLIGHT, epoch=epoch or 0)
    return Standing(
        log=log,
        chain=conditions.all_standings(session),
        acts=dict(rows(session, _ACTS)),
        epoch=epoch,
        in_flight=in_flight,
        flying=_age(oldest, now),
        sealed_lag=_age(log.oldest_pending, now),
        anchored_lag=_age(log.oldest_unanchored or log.oldest_pending, now),
        years_missing=calendar.years_missing(session, now=now),
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
    body = Readiness(
        ready=met.is_ready,
        database=True,
        sealer=met.log.sealer,
        sealer_lag_seconds=met.sealed_lag.total_seconds(),
        chain={scope: each.condition for scope, each in met.chain.items()},
    )
    return JSONResponse(body.model_dump(mode="json"), 200 if met.is_ready else 503)


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
        for scope, each in met.chain.items():
            name = f"{scope.value.lower()}_state"
            yield _states(name, f"1 for the condition of {scope}.", each.condition, Condition)
        yield _gauge("transactions_in_flight", "Transactions signed and in no block yet.", met.in_flight)
        yield _gauge("oldest_in_flight_seconds", "Age of the oldest of them.", met.flying.total_seconds())
        yield _raised(met.alarms)
        acts = GaugeMetricFamily(
            "talentseal_registry_acts", "Acts for the contract by state.", labels=["state"]
        )
        for state in ActState:
            acts.add_metric([state.value], met.acts.get(state, 0))
        yield acts


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"talentseal_{name}", text, value=value)


def _raised(alarms: frozenset[AlarmKind]) -> Metric:
    family = GaugeMetricFamily("talentseal_alarm", "1 for each alarm that is raised.", labels=["alarm"])
    for kind in AlarmKind:
        family.add_metric([kind.value], float(kind in alarms))
    return family


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
