"""Reading the catalogue: whose benefits are shown to whom, and the views.

A provider sees his own; the operator those of partners too, the talent office everybody's.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import BindParameter, Select, bindparam, or_, select, tuple_
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation, OrganisationKind
from talentseal.accounts.roles import Actor, Permission, Role
from talentseal.benefits.models import (
    Benefit,
    BenefitOutlet,
    BenefitState,
    BenefitStep,
    BenefitTier,
    BenefitVersion,
    Showing,
)
from talentseal.benefits.refusals import BenefitNotFound
from talentseal.benefits.schemas import (
    BenefitStepView,
    BenefitSummary,
    TierLineView,
    VersionView,
    Wanted,
    summary_fields,
)
from talentseal.db import rows
from talentseal.errors import NotPermitted

Line = tuple[BenefitVersion, Benefit, str]
"""A version, its benefit, the provider's name."""

_NOT_THE_OPERATORS: Final = (OrganisationKind.GOVERNMENT, OrganisationKind.OPERATOR)


def page_of(session: Session, actor: Actor, wanted: Wanted) -> tuple[list[BenefitSummary], str | None]:
    """The versions wanted that the actor may see, newest first; and the id behind which the following page
    begins, None on the last.

    Raises NotPermitted, BenefitNotFound.
    """
    query = _visible(*_sight(actor))
    if wanted.awaits_review:
        actor.require(Permission.BENEFIT_REVIEW)
        query = _reviewable(query, actor).where(BenefitVersion.state == BenefitState.REVIEW)
    if wanted.state is not None:
        query = query.where(BenefitVersion.state == wanted.state)
    order = (BenefitVersion.proposed_at, BenefitVersion.id)
    if wanted.after:
        last = session.get(BenefitVersion, wanted.after)
        if last is None:
            raise BenefitNotFound
        query = query.where(tuple_(*order) < tuple_(last.proposed_at, last.id))
    query = query.order_by(*(each.desc() for each in order)).limit(wanted.limit + 1)
    found = session.execute(query, {"organisation": actor.organisation_id}).all()
    following = found[wanted.limit - 1][0].id if len(found) > wanted.limit else None
    return [_summary(*each) for each in found[: wanted.limit]], following


def version_view(session: Session, actor: Actor, benefit_id: str, number: int) -> VersionView:
    """One version in full. Raises NotPermitted, BenefitNotFound."""
    given = {"organisation": actor.organisation_id, "benefit": benefit_id, "number": number}
    found = session.execute(_visible_version(*_sight(actor)), given).one_or_none()
    if found is None:
        raise BenefitNotFound
    return _view(session, *found)


def history(
    session: Session, actor: Actor, benefit_id: str, number: int
) -> tuple[VersionView, list[BenefitSummary]]:
    """One version in full, and all of the benefit, newest first. Raises NotPermitted, BenefitNotFound."""
    given = {"organisation": actor.organisation_id, "benefit": benefit_id}
    lines = session.execute(_visible_of_benefit(*_sight(actor)), given).all()
    line = next((each for each in lines if each[0].number == number), None)
    if line is None:
        raise BenefitNotFound
    return _view(session, *line), [_summary(*each) for each in lines]


def newest_own(session: Session, actor: Actor) -> list[tuple[BenefitVersion, Benefit]]:
    """The newest version of each benefit of the actor's organisation, by number. Raises NotPermitted."""
    actor.require(Permission.BENEFIT_OWN)
    query = (
        select(BenefitVersion, Benefit)
        .join(Benefit, Benefit.id == BenefitVersion.benefit_id)
        .where(Benefit.organisation_id == actor.organisation_id)
        .order_by(Benefit.number, BenefitVersion.number)
    )
    return list({benefit.id: (version, benefit) for version, benefit in session.execute(query)}.values())


_WANTED: Final[BindParameter[Any]] = bindparam("versions", expanding=True)
_MATRIX: Final = (
    select(
        BenefitTier.version_id,
        BenefitTier.tier,
        BenefitTier.starts_on,
        BenefitTier.ends_on,
        BenefitTier.quota,
    )
    .where(BenefitTier.version_id.in_(_WANTED))
    .order_by(BenefitTier.tier, BenefitTier.starts_on)
)
_OUTLETS: Final = (
    select(BenefitOutlet.version_id, BenefitOutlet.outlet_id)
    .where(BenefitOutlet.version_id.in_(_WANTED))
    .order_by(BenefitOutlet.outlet_id)
)
_STEPS: Final = (
    select(BenefitStep.state, BenefitStep.at, BenefitStep.reason)
    .where(BenefitStep.version_id == bindparam("version"))
    .order_by(BenefitStep.number)
)


def matrix_of(session: Session, versions: Sequence[str]) -> dict[str, list[TierLineView]]:
    """The lines of each of these versions, in the order of tiers and days."""
    found: dict[str, list[TierLineView]] = {each: [] for each in versions}
    for version, tier, starts_on, ends_on, quota in rows(session, _MATRIX, versions=versions):
        found[version].append(TierLineView(tier=tier, starts_on=starts_on, ends_on=ends_on, quota=quota))
    return found


def outlets_of(session: Session, versions: Sequence[str]) -> dict[str, list[str]]:
    """The outlets of each of these versions, in order."""
    found: dict[str, list[str]] = {each: [] for each in versions}
    for row in rows(session, _OUTLETS, versions=versions):
        found[row.version_id].append(row.outlet_id)
    return found


def _sight(actor: Actor) -> tuple[bool, bool]:
    """Whether he sees others' versions, and whether as the operator. Raises NotPermitted."""
    reviews = actor.may(Permission.BENEFIT_REVIEW)
    if not (reviews or actor.may(Permission.BENEFIT_OWN)):
        raise NotPermitted(permission=Permission.BENEFIT_OWN.value)
    return reviews, actor.role is Role.OPERATOR


@cache
def _visible(reviews: bool, is_operator: bool) -> Select[BenefitVersion, Benefit, str]:
    """Versions that somebody of that sight sees. Parameter: `organisation`, his own."""
    query = (
        select(BenefitVersion, Benefit, Organisation.name)
        .join(Benefit, Benefit.id == BenefitVersion.benefit_id)
        .join(Organisation, Organisation.id == Benefit.organisation_id)
    )
    mine = Benefit.organisation_id == bindparam("organisation")
    if not reviews:
        return query.where(mine)
    # Drafts are their provider's alone.
    shown = BenefitVersion.state != BenefitState.DRAFT
    if is_operator:
        shown &= Organisation.kind.not_in(_NOT_THE_OPERATORS)
    return query.where(or_(mine, shown))


@cache
def _visible_of_benefit(reviews: bool, is_operator: bool) -> Select[BenefitVersion, Benefit, str]:
    of_benefit = _visible(reviews, is_operator).where(Benefit.id == bindparam("benefit"))
    return of_benefit.order_by(BenefitVersion.number.desc())


@cache
def _visible_version(reviews: bool, is_operator: bool) -> Select[BenefitVersion, Benefit, str]:
    return _visible_of_benefit(reviews, is_operator).where(BenefitVersion.number == bindparam("number"))


def _reviewable(
    query: Select[BenefitVersion, Benefit, str], actor: Actor
) -> Select[BenefitVersion, Benefit, str]:
    if actor.role is Role.OPERATOR:
        return query.where(Organisation.kind.not_in(_NOT_THE_OPERATORS))
    return query.where(Organisation.kind.in_(_NOT_THE_OPERATORS))


def _summary(version: BenefitVersion, benefit: Benefit, name: str) -> BenefitSummary:
    return BenefitSummary(**summary_fields(version, benefit, name))


def _view(session: Session, version: BenefitVersion, benefit: Benefit, name: str) -> VersionView:
    return VersionView(
        **summary_fields(version, benefit, name),
        id=version.id,
        text=version.text,
        showings=[Showing(each) for each in version.showings.split()],
        quota_period=version.quota_period,
        value_fen=version.value_fen,
        value_limit_fen=version.value_limit_fen,
        subsidy_bp=version.subsidy_bp,
        low_risk=version.low_risk,
        regulated=version.regulated,
        proactive=version.proactive,
        exclusion_group=version.exclusion_group,
        agreement=version.agreement_id,
        stipulation=version.stipulation_position,
        measure=version.measure_id,
        reversal_minutes=version.reversal_minutes,
        published_at=version.published_at,
        ended_at=version.ended_at,
        tiers=matrix_of(session, [version.id])[version.id],
        outlets=outlets_of(session, [version.id])[version.id],
        steps=[
            BenefitStepView(state=state, at=at, reason=reason)
            for state, at, reason in rows(session, _STEPS, version=version.id)
        ],
    )
