"""Who may provide what (domain specification §1.5), and what a version stands on when it is published."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts import service as accounts
from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Actor, Role
from talentseal.agreements import reading as agreements
from talentseal.benefits.models import Benefit, BenefitVersion, Budget, Category
from talentseal.benefits.refusals import (
    AccessMissing,
    AgreementMissing,
    BudgetMissing,
    CategoryRefused,
    MeasureMissing,
    NotReviewer,
    RegulatedRefused,
    TermOver,
)
from talentseal.clock import legal_date
from talentseal.partners import access, mandates
from talentseal.partners.modules import Module
from talentseal.policy import measures
from talentseal.policy import reading as policy
from talentseal.policy.effects import Deed

_BODIES: Final = frozenset({Role.BUREAU, Role.FINANCIAL_AFFAIRS_BUREAU, Role.TALENT_OFFICE})
PROVIDERS: Final[Mapping[Category, frozenset[Role]]] = {
    Category.GOVERNMENT: _BODIES,
    Category.FINANCIAL: frozenset({Role.PARTNER, Role.OPERATOR}),
    Category.CONSUMPTION: frozenset({Role.PARTNER, Role.OPERATOR, Role.THIRD_PARTY}),
}

_REVIEWED_BY_OPERATOR: Final = frozenset(OrganisationKind) - {
    OrganisationKind.GOVERNMENT,
    OrganisationKind.OPERATOR,
}


def check_provider(actor: Actor, category: Category) -> None:
    """Raises CategoryRefused unless the actor's role provides benefits of that category."""
    if actor.role not in PROVIDERS[category]:
        raise CategoryRefused(role=actor.role.value, category=category.value)


def reviewer_of(kind: OrganisationKind) -> Role:
    """Whose people review the benefits of an organisation of that kind."""
    return Role.OPERATOR if kind in _REVIEWED_BY_OPERATOR else Role.TALENT_OFFICE


def reviews(session: Session, actor: Actor, benefit: Benefit) -> bool:
    """Whether the benefit is the actor's to review."""
    return actor.role is reviewer_of(accounts.organisation(session, benefit.organisation_id).kind)


def check_reviewer(session: Session, actor: Actor, benefit: Benefit) -> None:
    """Raises NotReviewer unless the benefit is the actor's to review."""
    if not reviews(session, actor, benefit):
        raise NotReviewer


def check_publication(session: Session, benefit: Benefit, version: BenefitVersion, *, now: datetime) -> None:
    """Whether everything is there on which a version has to stand.

    Raises TermOver, InstrumentExpired, MeasureMissing, BudgetMissing, AccessMissing, RegulatedRefused,
    AgreementMissing, MandateNotLive.
    """
    if version.ends_on < legal_date(now):
        raise TermOver(ends_on=version.ends_on.isoformat())
    _GUARDS[benefit.category](session, benefit, version, now)
    if benefit.category is Category.GOVERNMENT or version.subsidy_bp > 0:
        _check_budget(session, version)


def _check_government(session: Session, benefit: Benefit, version: BenefitVersion, now: datetime) -> None:
    policy.basis_of(session, Deed.GOVERNMENT_BENEFIT, now=now)
    if version.measure_id is None:
        raise MeasureMissing(state="-")
    measure = measures.find(session, version.measure_id)
    if measure.state not in measures.CARRIES or measure.organisation_id != benefit.organisation_id:
        raise MeasureMissing(state=measure.state.value)


def _check_financial(session: Session, benefit: Benefit, version: BenefitVersion, now: datetime) -> None:
    parties = _parties(session, benefit, version, now)
    if _is_operator(session, benefit.organisation_id):
        mandates.live(session, benefit.organisation_id, now=now)
        if version.regulated:
            raise RegulatedRefused
    elif not access.is_admitted(session, benefit.organisation_id, Module.FINANCE):
        raise AccessMissing(module=Module.FINANCE.value)
    if not parties:
        raise AgreementMissing


def _check_consumption(session: Session, benefit: Benefit, version: BenefitVersion, now: datetime) -> None:
    parties = _parties(session, benefit, version, now)
    kind = accounts.organisation(session, benefit.organisation_id).kind
    if kind is OrganisationKind.OPERATOR:
        mandates.live(session, benefit.organisation_id, now=now)
    elif kind is OrganisationKind.THIRD_PARTY:
        # It comes in under a partner or the operator: one of them is a party to the same agreement.
        if not any(_brings_in(session, each, now) for each in parties):
            raise AccessMissing(module=Module.CONSUMPTION.value)
    elif not access.is_admitted(session, benefit.organisation_id, Module.CONSUMPTION):
        raise AccessMissing(module=Module.CONSUMPTION.value)
    if not parties:
        raise AgreementMissing


_GUARDS: Final[Mapping[Category, Callable[[Session, Benefit, BenefitVersion, datetime], None]]] = {
    Category.GOVERNMENT: _check_government,
    Category.FINANCIAL: _check_financial,
    Category.CONSUMPTION: _check_consumption,
}


def _parties(session: Session, benefit: Benefit, version: BenefitVersion, now: datetime) -> frozenset[str]:
    """The parties of the agreement in force that the version stands on; none without such an agreement, with
    the provider among its parties and the stipulation named.
    """
    if version.agreement_id is None or version.stipulation_position is None:
        return frozenset()
    found = agreements.in_force(session, version.agreement_id, now=now)
    if found is None or version.stipulation_position >= len(agreements.stipulations_of(session, found)):
        return frozenset()
    parties = frozenset(party.organisation_id for party in agreements.parties_of(session, found))
    return parties if benefit.organisation_id in parties else frozenset()


def _is_operator(session: Session, organisation_id: str) -> bool:
    return accounts.organisation(session, organisation_id).kind is OrganisationKind.OPERATOR


def _brings_in(session: Session, organisation_id: str, now: datetime) -> bool:
    """Whether third parties may come in under that organisation."""
    if _is_operator(session, organisation_id):
        mandates.live(session, organisation_id, now=now)
        return True
    return access.is_admitted(session, organisation_id, Module.CONSUMPTION)


def _check_budget(session: Session, version: BenefitVersion) -> None:
    query = select(Budget.id).where(
        Budget.benefit_id == version.benefit_id,
        Budget.starts_on <= version.starts_on,
        Budget.ends_on >= version.starts_on,
    )
    if session.scalar(query.limit(1)) is None:
        raise BudgetMissing
