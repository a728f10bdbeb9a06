"""JSON API of contribution value (Article 17)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, Now
from talentseal.accounts.calls import Call
from talentseal.contributions import reading, rewards, service
from talentseal.contributions.models import RewardDecision, RewardState
from talentseal.contributions.schemas import (
    ClosePeriod,
    DecideReward,
    EnterFormula,
    EntryPage,
    FormulaDigest,
    FormulaText,
    FormulaView,
    ProposeReward,
    RankingView,
    Rate,
    RatingView,
    RewardView,
)
from talentseal.partners.schemas import Identifier

api = APIRouter(tags=["contributions"])

RewardPath = Annotated[Identifier, Path()]
After = Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")]


class FormulaReceipt(BaseModel):
    """Which version of the formula was entered."""

    id: str
    number: int
    sha256: str


class RatingReceipt(BaseModel):
    """Which quarter of which third party was rated."""

    organisation: str
    period: str
    stars: int


class PeriodReceipt(BaseModel):
    """Which quarter was closed, and its evidence."""

    period: str
    sha256: str
    record: str


class RewardReceipt(BaseModel):
    """Which reward was proposed or decided."""

    id: str
    state: RewardState
    record: str | None


def _reward(row: RewardDecision) -> RewardReceipt:
    return RewardReceipt(id=row.id, state=row.state, record=row.record_id)


@api.get("/contributions")
def list_contributions(actor: ApiActor, database: Db, after: After = "") -> EntryPage:
    """The ledger of contribution value, the newest line first."""
    return database.read(lambda session: reading.entries(session, actor, after=after))


@api.get("/contributions/ranking")
def get_contribution_ranking(actor: ApiActor, database: Db, now: Now) -> RankingView:
    """What is open, and how closed quarters came out."""
    return database.read(lambda session: reading.ranking(session, actor, now=now))


@api.post("/contributions/periods", status_code=201, response_model=PeriodReceipt)
def close_contribution_period(command: ClosePeriod, call: Call) -> Response:
    """Close a quarter that is over (operator, talent office)."""

    def work(session: Session) -> PeriodReceipt:
        row = service.close(session, call.actor, command, now=call.now)
        return PeriodReceipt(period=row.period, sha256=row.sha256, record=row.record_id)

    return call.perform("POST contribution period", command.model_dump(mode="json"), work, status=201)


@api.get("/contributions/formulas")
def list_contribution_formulas(actor: ApiActor, database: Db) -> list[FormulaView]:
    """Every version of the formula, the newest first."""
    return database.read(lambda session: reading.formulas(session, actor))


@api.post("/contributions/formulas/digest")
def digest_contribution_formula(command: FormulaText, _actor: ApiActor) -> FormulaDigest:
    """The hash that a measure's text has to name to carry this formula; nothing is kept."""
    return FormulaDigest(text=command.canonical_text(), sha256=command.sha256())


@api.post("/contributions/formulas", status_code=201, response_model=FormulaReceipt)
def enter_contribution_formula(command: EnterFormula, call: Call) -> Response:
    """Enter a formula whose measure was approved (talent office)."""

    def work(session: Session) -> FormulaReceipt:
        row = service.enter_formula(session, call.actor, command, now=call.now)
        return FormulaReceipt(id=row.id, number=row.number, sha256=row.sha256)

    return call.perform("POST contribution formula", command.model_dump(mode="json"), work, status=201)


@api.get("/contributions/ratings")
def list_contribution_ratings(actor: ApiActor, database: Db) -> list[RatingView]:
    """How third parties served, quarter by quarter."""
    return database.read(lambda session: reading.ratings(session, actor))


@api.post("/contributions/ratings", status_code=201, response_model=RatingReceipt)
def rate_third_party(command: Rate, call: Call) -> Response:
    """Say how a third party served in a quarter that is over (talent office)."""

    def work(session: Session) -> RatingReceipt:
        row = service.rate(session, call.actor, command, now=call.now)
        return RatingReceipt(organisation=row.organisation_id, period=row.period, stars=row.stars)

    return call.perform("POST contribution rating", command.model_dump(mode="json"), work, status=201)


@api.get("/rewards")
def list_rewards(actor: ApiActor, database: Db) -> list[RewardView]:
    """Rewards of third parties, the newest first."""
    return database.read(lambda session: reading.rewards(session, actor))


@api.post("/rewards", status_code=201, response_model=RewardReceipt)
def propose_reward(command: ProposeReward, call: Call) -> Response:
    """Propose a reward with a reason (talent office)."""

    def work(session: Session) -> RewardReceipt:
        return _reward(rewards.propose(session, call.actor, command, now=call.now))

    return call.perform("POST reward", command.model_dump(mode="json"), work, status=201)


@api.post("/rewards/{reward_id}/decision", response_model=RewardReceipt)
def decide_reward(reward_id: RewardPath, command: DecideReward, call: Call) -> Response:
    """Grant or decline it (talent office, not whoever proposed it)."""

    def work(session: Session) -> RewardReceipt:
        return _reward(rewards.decide(session, call.actor, reward_id, command, now=call.now))

    meaning = {"reward": reward_id, **command.model_dump(mode="json")}
    return call.perform("POST reward decision", meaning, work)
