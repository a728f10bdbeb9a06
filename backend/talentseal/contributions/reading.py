"""What each may read of contribution value: a third party its own lines, those who keep the ledger all."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation, OrganisationKind
from talentseal.accounts.roles import Actor, Permission
from talentseal.benefits.models import BenefitVersion
from talentseal.clock import legal_date
from talentseal.contributions import service
from talentseal.contributions.models import (
    ContributionEntry,
    ContributionFormula,
    ContributionPeriod,
    ContributionRating,
    ContributionStanding,
    RewardDecision,
    RewardState,
)
from talentseal.contributions.schemas import (
    EntryPage,
    EntryView,
    FormulaView,
    PeriodView,
    RankingView,
    RatingView,
    RewardView,
    StandingView,
)
from talentseal.contributions.service import Standing
from talentseal.redemptions.models import Redemption
from talentseal.redemptions.settlement_models import Cycle
from talentseal.redemptions.settlement_states import Period

PAGE: Final = 50
PERIODS: Final = 12
"""Closed quarters that are told at once."""


def entries(session: Session, actor: Actor, *, after: str = "") -> EntryPage:
    """The ledger, the newest first. Raises NotPermitted."""
    actor.require(Permission.CONTRIBUTION_READ)
    query = (
        select(
            *ContributionEntry.__table__.c,
            Organisation.name,
            BenefitVersion.title,
            ContributionFormula.number,
        )
        .join(Organisation, Organisation.id == ContributionEntry.organisation_id)
        .join(Redemption, Redemption.id == ContributionEntry.redemption_id)
        .join(BenefitVersion, BenefitVersion.id == Redemption.version_id)
        .join(ContributionFormula, ContributionFormula.id == ContributionEntry.formula_id)
        .where(_own(actor, ContributionEntry.organisation_id))
    )
    if after and (row := session.get(ContributionEntry, after)) is not None:
        at, key = ContributionEntry.at, ContributionEntry.id
        query = query.where(or_(at < row.at, and_(at == row.at, key < row.id)))
    query = query.order_by(ContributionEntry.at.desc(), ContributionEntry.id.desc()).limit(PAGE + 1)
    found = session.execute(query).all()
    items = [_entry(row) for row in found[:PAGE]]
    return EntryPage(items=items, next=items[-1].id if len(found) > PAGE else None)


def ranking(session: Session, actor: Actor, *, now: datetime) -> RankingView:
    """What is open, and how closed quarters came out; to a third party its own place. Raises NotPermitted."""
    actor.require(Permission.CONTRIBUTION_READ)
    is_open = ContributionEntry.period.is_(None)
    found = service.standings(session, is_open)
    names = _names(session)
    periods = _periods(session, actor, names)
    newest = Period.before(Cycle.QUARTER, legal_date(now)).key
    return RankingView(
        open=[_standing(each, names) for each in found if _may_see(actor, each.organisation)],
        periods=periods,
        closable=None if not found or any(each.period >= newest for each in periods) else newest,
    )


def formulas(session: Session, actor: Actor) -> list[FormulaView]:
    """Every version, the newest first. Raises NotPermitted."""
    actor.require(Permission.CONTRIBUTION_READ)
    rows = session.scalars(select(ContributionFormula).order_by(ContributionFormula.number.desc()))
    return [
        FormulaView(
            id=row.id,
            number=row.number,
            measure=row.measure_id,
            effective_from=row.effective_from,
            formula=service.text_of(row),
            sha256=row.sha256,
            entered_at=row.entered_at,
        )
        for row in rows
    ]


def ratings(session: Session, actor: Actor) -> list[RatingView]:
    """Every rating that the actor may see, the newest first. Raises NotPermitted."""
    actor.require(Permission.CONTRIBUTION_READ)
    query = select(ContributionRating).where(_own(actor, ContributionRating.organisation_id))
    return [
        RatingView(
            organisation=row.organisation_id,
            period=row.period,
            stars=row.stars,
            reason=row.reason,
            rated_at=row.rated_at,
        )
        for row in session.scalars(query.order_by(ContributionRating.rated_at.desc()))
    ]


def rewards(session: Session, actor: Actor) -> list[RewardView]:
    """Rewards, the newest first: to a third party its own that were granted. Raises NotPermitted."""
    actor.require(Permission.CONTRIBUTION_READ)
    query = (
        select(*RewardDecision.__table__.c, Organisation.name)
        .join(Organisation, Organisation.id == RewardDecision.organisation_id)
        .where(_own(actor, RewardDecision.organisation_id))
        .order_by(RewardDecision.proposed_at.desc(), RewardDecision.id)
    )
    if not actor.may(Permission.CONTRIBUTION_CLOSE):
        query = query.where(RewardDecision.state == RewardState.GRANTED)
    return [reward_view(actor, row) for row in session.execute(query)]


def reward_view(actor: Actor, row: Any) -> RewardView:
    """One reward, of its columns and the name of its third party. mine: proposed by the reader."""
    return RewardView(
        id=row.id,
        organisation=row.organisation_id,
        name=row.name,
        period=row.period,
        kind=row.kind,
        title=row.title,
        amount_fen=row.amount_fen,
        reason=row.reason,
        state=row.state,
        proposed_at=row.proposed_at,
        decided_at=row.decided_at,
        decision=row.decision,
        record=row.record_id,
        mine=row.proposed_by == actor.account_id,
    )


def is_concerned(session: Session, actor: Actor, record: str) -> bool:
    """Whether a record is of a closed quarter in which the actor's organisation stands or of a reward of its
    own, or of either for those who keep the ledger.
    """
    if not actor.may(Permission.CONTRIBUTION_READ):
        return False
    stands = select(ContributionStanding.period).join(
        ContributionPeriod, ContributionPeriod.period == ContributionStanding.period
    )
    quarter = stands.where(
        ContributionPeriod.record_id == record, _own(actor, ContributionStanding.organisation_id)
    )
    reward = select(RewardDecision.id).where(
        RewardDecision.record_id == record, _own(actor, RewardDecision.organisation_id)
    )
    return session.scalar(quarter.limit(1)) is not None or session.scalar(reward) is not None


def third_parties(session: Session) -> list[tuple[str, str]]:
    """Every third party: its id and its name."""
    return sorted(_names(session).items(), key=lambda pair: pair[1])


_NAMES: Final = select(Organisation.id, Organisation.name).where(
    Organisation.kind == OrganisationKind.THIRD_PARTY
)


def _names(session: Session) -> dict[str, str]:
    return dict(session.execute(_NAMES).all())


def _may_see(actor: Actor, organisation: str) -> bool:
    return actor.may(Permission.CONTRIBUTION_CLOSE) or actor.organisation_id == organisation


def _own(actor: Actor, organisation: Any) -> ColumnElement[bool]:
    whose: ColumnElement[bool] = organisation == actor.organisation_id
    return true() if actor.may(Permission.CONTRIBUTION_CLOSE) else whose


def _periods(session: Session, actor: Actor, names: dict[str, str]) -> list[PeriodView]:
    rows = session.scalars(
        select(ContributionPeriod).order_by(ContributionPeriod.ends_on.desc()).limit(PERIODS)
    ).all()
    query = select(ContributionStanding).where(
        ContributionStanding.period.in_([row.period for row in rows]),
        _own(actor, ContributionStanding.organisation_id),
    )
    order = (ContributionStanding.place, ContributionStanding.organisation_id)
    found = session.scalars(query.order_by(*order)).all()
    return [
        PeriodView(
            period=row.period,
            closed_at=row.closed_at,
            sha256=row.sha256,
            record=row.record_id,
            standings=[
                StandingView(
                    place=each.place,
                    organisation=each.organisation_id,
                    name=names.get(each.organisation_id, ""),
                    entries=each.entries,
                    concession_fen=each.concession_fen,
                    contribution=each.contribution,
                )
                for each in found
                if each.period == row.period
            ],
        )
        for row in rows
    ]


def _standing(each: Standing, names: dict[str, str]) -> StandingView:
    return StandingView(
        place=each.place,
        organisation=each.organisation,
        name=names.get(each.organisation, ""),
        entries=each.entries,
        concession_fen=each.concession_fen,
        contribution=each.contribution,
    )


def _entry(row: Any) -> EntryView:
    return EntryView(
        id=row.id,
        organisation=row.organisation_id,
        name=row.name,
        redemption=row.redemption_id,
        reversal=row.reversal_id,
        benefit_title=row.title,
        formula=row.number,
        concession_fen=row.concession_fen,
        weight_bp=row.weight_bp,
        rating_bp=row.rating_bp,
        contribution=row.contribution,
        at=row.at,
        period=row.period,
    )
