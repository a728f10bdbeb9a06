"""The demonstration's benefits and what they stand on, as far as it can be there before anything is signed.

One of government is published at once. Those of bank and merchant are drafts until the walk has an agreement
evidenced on the running chain, on which it has them published.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts import service as accounts
from talentseal.accounts.models import Account, OrganisationKind
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.agreements import admission
from talentseal.agreements import reading as agreements
from talentseal.benefits import budgeting, service
from talentseal.benefits.models import Benefit, BenefitState, BenefitVersion, Category
from talentseal.benefits.schemas import BudgetInput, DraftBenefit, TierLine, VersionInput
from talentseal.clock import legal_date
from talentseal.db import Database
from talentseal.partners import access, mandates
from talentseal.partners.access_models import AccessState
from talentseal.partners.access_schemas import ApplyForFinance, DraftMandate, OpenNegotiation
from talentseal.partners.modules import Module
from talentseal.policy import measures
from talentseal.policy.measure_models import MeasureState
from talentseal.policy.measure_schemas import DraftMeasure, MeasureMove
from talentseal.policy.tiers import Tier

_YEAR = timedelta(days=365)
_SECOND = "许复核（虚构人物）"
_STEPS = (
    (MeasureState.ON_AGENDA, Role.TALENT_OFFICE),
    (MeasureState.PASSED_BY_JOINT_MEETING, Role.TALENT_OFFICE),
    (MeasureState.SUBMITTED, Role.TALENT_OFFICE),
    (MeasureState.APPROVED, Role.LEADING_GROUP),
)


def enter(database: Database, *, now: datetime) -> None:
    """Enter them unless they are there."""
    database.write(partial(_enter, now=now))


def _enter(session: Session, now: datetime) -> None:
    bodies = {role: _actor(session, role) for role in (Role.OPERATOR, Role.TALENT_OFFICE)}
    office, operator = bodies[Role.TALENT_OFFICE], bodies[Role.OPERATOR]
    if mandates.views(session, office):
        return
    second = _second(session, office, now)
    bank = _actor(session, Role.PARTNER, OrganisationKind.FINANCIAL)
    merchant = _actor(session, Role.PARTNER, OrganisationKind.MERCHANT)
    today = legal_date(now)
    mandate = DraftMandate(
        operator=operator.organisation_id,
        reference="XH-DEMO-WT-01",
        starts_on=today,
        ends_on=today + 2 * _YEAR,
        scope=tuple(access.NEGOTIATED),
    )
    drafted = mandates.draft(session, office, mandate, now=now)
    mandates.activate(session, second, drafted.id, now=now)
    _admit(session, bank, second, now)
    opened = OpenNegotiation(organisation=merchant.organisation_id)
    negotiation = access.open_negotiation(session, operator, opened, now=now)
    access.agree_terms(session, operator, negotiation.id, now=now)
    _publish(session, office, second, _measure(session, office, second, now), now)
    for provider, category in ((bank, Category.FINANCIAL), (merchant, Category.CONSUMPTION)):
        _draft(session, provider, category, _content(now, **_OF_PARTNERS[category]), now=now)


def publish(session: Session, agreement: str, *, now: datetime) -> dict[Category, str]:
    """Let the benefits of bank and merchant be given under that agreement; their ids.

    agreement: evidenced and in force, of both with the operator; its stipulation 0 is the merchant's, 1 the
    bank's.
    """
    operator = _actor(session, Role.OPERATOR)
    bank = _actor(session, Role.PARTNER, OrganisationKind.FINANCIAL)
    merchant = _actor(session, Role.PARTNER, OrganisationKind.MERCHANT)
    _admit_merchant(session, merchant, operator, agreement, now)
    published = {}
    for provider, category, position in ((bank, Category.FINANCIAL, 1), (merchant, Category.CONSUMPTION, 0)):
        stands_on: dict[str, Any] = {"agreement": agreement, "stipulation": position}
        content = _content(now, **_OF_PARTNERS[category], **stands_on)
        draft = DraftBenefit(number=_number(category), category=category, version=content)
        published[category] = _published(session, provider, operator, draft, now)
    return published


def _admit_merchant(
    session: Session, merchant: Actor, operator: Actor, agreement: str, now: datetime
) -> None:
    """Bring the negotiation to its end, unless somebody did."""
    agreed = [
        row
        for row, _name in access.listed(session, merchant)
        if row.module is Module.CONSUMPTION and row.state is AccessState.TERMS_AGREED
    ]
    office = _actor(session, Role.TALENT_OFFICE)
    for row in agreed:
        admission.sign_access(session, operator, row.id, agreement, now=now)
        access.file(session, operator, row.id, now=now)
        access.admit(session, office, row.id, now=now)


def _published(
    session: Session, provider: Actor, operator: Actor, command: DraftBenefit, now: datetime
) -> str:
    """The benefit's id; its newest version is left as it is while it is published and its agreement holds."""
    query = (
        select(BenefitVersion)
        .join(Benefit, Benefit.id == BenefitVersion.benefit_id)
        .where(Benefit.organisation_id == provider.organisation_id, Benefit.number == command.number)
        .order_by(BenefitVersion.number.desc())
    )
    newest = session.scalars(query.limit(1)).one()
    holds = newest.agreement_id is not None and agreements.in_force(session, newest.agreement_id, now=now)
    if newest.state is BenefitState.PUBLISHED and holds:
        return newest.benefit_id
    if newest.state is BenefitState.REVIEW:
        service.give_back(session, operator, newest.benefit_id, newest.number, "改依新协议（虚构）", now=now)
    version = service.revise(session, provider, newest.benefit_id, command.version, now=now)
    service.send_to_review(session, provider, version.benefit_id, version.number, now=now)
    service.publish(session, operator, version.benefit_id, version.number, now=now)
    return version.benefit_id


def _admit(session: Session, bank: Actor, office: Actor, now: datetime) -> None:
    command = ApplyForFinance(
        organisation=bank.organisation_id, licence_type="金融许可证（虚构）", licence_number="XH-B0001"
    )
    row = access.apply(session, bank, command, now=now)
    examiner = _actor(session, Role.FINANCIAL_AFFAIRS_BUREAU)
    access.examine(session, examiner, row.id, "证照齐全，业务相符（虚构）", now=now)
    access.admit(session, office, row.id, now=now)


def _measure(session: Session, office: Actor, second: Actor, now: datetime) -> str:
    command = DraftMeasure(
        organisation=office.organisation_id,
        title="青年人才体检补贴措施（虚构）",
        text="对青年人才每年补贴一次体检，每次三百元。",
        effective_from=legal_date(now),
    )
    row = measures.draft(session, office, command, now=now)
    by = {Role.TALENT_OFFICE: second, Role.LEADING_GROUP: _actor(session, Role.LEADING_GROUP)}
    for state, role in _STEPS:
        reference = MeasureMove(to=state, reference="XH-DEMO-JY-01")
        measures.move(session, by[role], row.id, reference, now=now)
    return row.id


def _publish(session: Session, office: Actor, second: Actor, measure: str, now: datetime) -> None:
    content = _content(
        now, "青年人才体检补贴（虚构）", 30_000, quota=1, measure=measure, subsidy_bp=10_000, proactive=True
    )
    version = _draft(session, office, Category.GOVERNMENT, content, now=now)
    budget = BudgetInput(starts_on=version.starts_on, ends_on=version.ends_on, limit_units=500)
    budgeting.set_budget(session, office, version.benefit_id, budget, now=now)
    service.send_to_review(session, office, version.benefit_id, 1, now=now)
    service.publish(session, second, version.benefit_id, 1, now=now)


def _draft(
    session: Session, provider: Actor, category: Category, content: VersionInput, *, now: datetime
) -> BenefitVersion:
    command = DraftBenefit(number=_number(category), category=category, version=content)
    return service.draft(session, provider, command, now=now)


def _number(category: Category) -> str:
    return f"XH-DEMO-{category.value[:3]}-1"


_OF_PARTNERS: Final[Mapping[Category, dict[str, Any]]] = {
    Category.FINANCIAL: {"title": "人才专属金融咨询（虚构）", "value_fen": 20_000},
    Category.CONSUMPTION: {"title": "人才购书九折（虚构）", "value_fen": None},
}
"""Without a quota, so that a walk can be walked again."""


def _content(
    now: datetime, title: str, value_fen: int | None, *, quota: int | None = None, **more: Any
) -> VersionInput:
    today: date = legal_date(now)
    return VersionInput(
        title=title,
        text="凭人才码或人才卡办理（虚构）。",
        starts_on=today,
        ends_on=today + _YEAR,
        tiers=tuple(TierLine(tier=tier, quota=quota) for tier in (Tier.HIGH_E, Tier.YOUTH, Tier.RESERVE)),
        value_fen=value_fen,
        **more,
    )


def _second(session: Session, office: Actor, now: datetime) -> Actor:
    """A second person of the talent office: nobody approves what he proposed."""
    row = accounts.enter_account(session, office.organisation_id, _SECOND, office.role, now=now)
    return Actor(row.id, office.organisation_id, office.role, office.scopes)


def _actor(session: Session, role: Role, kind: OrganisationKind | None = None) -> Actor:
    """The invented person of that role, at an organisation of that kind."""
    query = select(Account).where(Account.role == role).order_by(Account.created_at)
    for account in session.scalars(query):
        owner = account.organisation_id or ""
        if kind is None or accounts.organisation(session, owner).kind is kind:
            return Actor(account.id, owner, role, PERMISSIONS[role])
    raise LookupError(f"expected somebody in the role {role}, met nobody")
