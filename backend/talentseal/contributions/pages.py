"""Pages of contribution value: ranking, ledger, formulas and ratings; rewards."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.contributions import reading, rewards, service
from talentseal.contributions.models import RewardKind
from talentseal.contributions.refusals import RewardNotFound
from talentseal.contributions.schemas import (
    ClosePeriod,
    DecideReward,
    EnterFormula,
    FormulaText,
    ProposeReward,
    Rate,
)
from talentseal.errors import TalentSealError
from talentseal.sanctions.desk import AtDesk, Desk
from talentseal.web.forms import WHOLE, Form, Typed, command_of, fen_of, nested, texts, whole_of
from talentseal.web.pages import see_other

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}\Z")
_WEIGHTS: Final = ("government_bp", "financial_bp", "consumption_bp", "unrated_bp")

pages = APIRouter(include_in_schema=False)


async def _reward(reward: str) -> str:
    if not _IDENTIFIER.match(reward):
        raise RewardNotFound
    return reward


RewardId = Annotated[str, Depends(_reward)]


@pages.get("/contributions")
def show_ranking(desk: AtDesk) -> Response:
    """What is open, how closed quarters came out, the formula."""
    return _ranking(desk)


@pages.get("/contributions/ledger")
def show_ledger(desk: AtDesk, after: str = "") -> Response:
    """The ledger, the newest line first."""
    place = after if _IDENTIFIER.match(after) else ""
    found = desk.database.read(lambda session: reading.entries(session, desk.actor, after=place))
    return desk.show("contributions/ledger.html", found=found)


@pages.post("/contributions/periods")
def close_period(desk: AtDesk, form: Form) -> Response:
    """Close a quarter."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        service.close(session, desk.actor, command_of(ClosePeriod, dict(typed)), now=desk.now)

    return _act(desk, work, "contribution-closed", typed)


@pages.post("/contributions/formulas")
def enter_formula(desk: AtDesk, form: Form) -> Response:
    """Enter a formula that was approved; without a measure only say what its hash is."""
    typed = nested(texts(form))
    if not typed["measure"]:
        return _digest(desk, typed)

    def work(session: Session) -> None:
        command = command_of(EnterFormula, {"measure": typed["measure"], "formula": _formula(typed)})
        service.enter_formula(session, desk.actor, command, now=desk.now)

    return _act(desk, work, "contribution-formula-entered", typed)


@pages.post("/contributions/ratings")
def rate(desk: AtDesk, form: Form) -> Response:
    """Say how a third party served in a quarter."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        stars = int(typed["stars"]) if WHOLE.match(typed["stars"]) else 0
        service.rate(session, desk.actor, command_of(Rate, {**typed, "stars": stars}), now=desk.now)

    return _act(desk, work, "contribution-rated", typed)


@pages.get("/rewards")
def show_rewards(desk: AtDesk) -> Response:
    """Rewards proposed and decided."""
    return _rewards(desk)


@pages.post("/rewards")
def propose(desk: AtDesk, form: Form) -> Response:
    """Propose a reward."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        command = command_of(ProposeReward, _proposal(typed))
        rewards.propose(session, desk.actor, command, now=desk.now)

    return desk.act(
        work, lambda _done: ("/rewards", "reward-proposed"), lambda refusal: _rewards(desk, refusal, typed)
    )


@pages.post("/rewards/{reward}/decision")
def decide(desk: AtDesk, reward: RewardId, form: Form) -> Response:
    """Grant or decline it."""
    typed = nested(texts(form))

    def work(session: Session) -> None:
        command = command_of(DecideReward, {"grant": typed["grant"] == "yes", "reason": typed["reason"]})
        rewards.decide(session, desk.actor, reward, command, now=desk.now)

    return desk.act(
        work,
        lambda _done: ("/rewards", "reward-decided"),
        lambda refusal: _rewards(desk, refusal, refused=reward),
    )


@pages.get("/rewards/{_act:path}")
def back_to_rewards(_act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other("/rewards")


def _act(desk: Desk, work: Any, notice: str, typed: Typed) -> Response:
    return desk.act(
        work, lambda _done: ("/contributions", notice), lambda refusal: _ranking(desk, refusal, typed)
    )


def _ranking(
    desk: Desk, refusal: TalentSealError | None = None, typed: Typed | None = None, digest: str = ""
) -> Response:
    def read(session: Session) -> dict[str, Any]:
        return {
            "ranking": reading.ranking(session, desk.actor, now=desk.now),
            "formulas": reading.formulas(session, desk.actor),
            "ratings": reading.ratings(session, desk.actor),
            "third_parties": reading.third_parties(session),
        }

    return desk.show(
        "contributions/ranking.html",
        refusal,
        typed=typed or Typed(),
        digest=digest,
        **desk.database.read(read),
    )


def _digest(desk: Desk, typed: Typed) -> Response:
    try:
        digest = command_of(FormulaText, _formula(typed)).sha256()
    except TalentSealError as refusal:
        return _ranking(desk, refusal, typed)
    return _ranking(desk, None, typed, digest)


def _rewards(
    desk: Desk, refusal: TalentSealError | None = None, typed: Typed | None = None, refused: str = ""
) -> Response:
    def read(session: Session) -> dict[str, Any]:
        return {
            "rewards": reading.rewards(session, desk.actor),
            "ranking": reading.ranking(session, desk.actor, now=desk.now),
        }

    return desk.show(
        "contributions/rewards.html",
        refusal,
        typed=typed or Typed(),
        refused=refused,
        kinds=[each.value for each in RewardKind],
        **desk.database.read(read),
    )


def _formula(typed: Typed) -> dict[str, Any]:
    """Weights and factors as whole basis points; what is no number stays to be refused."""
    factors = [whole_of(typed[f"stars_{stars}"]) for stars in range(1, 6)]
    return {**{name: whole_of(typed[name]) for name in _WEIGHTS}, "ratings_bp": tuple(factors)}


def _proposal(typed: Typed) -> dict[str, Any]:
    """What the form says; `standing` is the third party and its quarter between a space."""
    organisation, _, period = str(typed["standing"]).partition(" ")
    values = {name: typed[name] for name in ("kind", "title", "reason")}
    said = typed["amount_fen"]
    amount = fen_of(said, digits=9) if said else None
    return {**values, "organisation": organisation, "period": period, "amount_fen": amount}
