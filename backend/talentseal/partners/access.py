"""Admission to the modules (Article 18): financial enterprises apply, the operator negotiates with others.

FINANCE: APPLIED → EXAMINED → ADMITTED | REFUSED; CONSUMPTION: NEGOTIATION_OPENED → TERMS_AGREED → SIGNED →
FILED → ADMITTED. Whoever took an earlier step never admits. Which agreement was signed is checked by
`agreements.admission`.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal import evidence
from talentseal.accounts import service as accounts
from talentseal.accounts.models import Organisation, OrganisationKind
from talentseal.accounts.roles import Actor, Permission
from talentseal.errors import Conflict, Invalid, NotFound, NotPermitted
from talentseal.partners import mandates
from talentseal.partners.access_models import AccessState, AccessStep, ModuleAccess
from talentseal.partners.access_schemas import AccessView, ApplyForFinance, OpenNegotiation
from talentseal.partners.events import ModuleAdmitted
from talentseal.partners.modules import Module
from talentseal.policy.service import OwnProposal
from talentseal.states import TransitionRefused, Transitions

_S = AccessState
_NEVER: Final[Mapping[AccessState, frozenset[AccessState]]] = dict.fromkeys(AccessState, frozenset())
_WITHIN: Final[Mapping[AccessState, frozenset[AccessState]]] = {
    _S.ADMITTED: frozenset({_S.PAUSED, _S.WITHDRAWN}),
    _S.PAUSED: frozenset({_S.ADMITTED, _S.WITHDRAWN}),
}
FINANCE: Final = Transitions(
    {
        **_NEVER,
        **_WITHIN,
        _S.APPLIED: frozenset({_S.RETURNED, _S.EXAMINED, _S.WITHDRAWN}),
        _S.RETURNED: frozenset({_S.APPLIED, _S.WITHDRAWN}),
        _S.EXAMINED: frozenset({_S.ADMITTED, _S.REFUSED, _S.WITHDRAWN}),
    }
)
CONSUMPTION: Final = Transitions(
    {
        **_NEVER,
        **_WITHIN,
        _S.NEGOTIATION_OPENED: frozenset({_S.TERMS_AGREED, _S.ABANDONED}),
        _S.TERMS_AGREED: frozenset({_S.SIGNED, _S.ABANDONED}),
        _S.SIGNED: frozenset({_S.FILED, _S.ABANDONED}),
        _S.FILED: frozenset({_S.ADMITTED, _S.ABANDONED}),
    }
)
_TABLES: Final[Mapping[Module, Transitions[AccessState]]] = {
    Module.FINANCE: FINANCE,
    Module.CONSUMPTION: CONSUMPTION,
}

NEGOTIATED: Final = frozenset(
    {
        OrganisationKind.UTILITY,
        OrganisationKind.STATE_OWNED,
        OrganisationKind.STRATEGIC,
        OrganisationKind.MERCHANT,
        OrganisationKind.FINANCIAL,
    }
)
"""Kinds of partners that may come into the consumption module."""

NO_LICENCE: Final = "缺少金融业务许可证的种类或编号"
"""Why an application came back, as its step says."""


class AccessNotFound(NotFound):
    code = "module-access-not-found"
    zh = "没有找到该接入事项，或您无权查看。请核对编号。"
    en = "There is no such admission, or it is not yours to see; check the identifier."


class AccessExists(Conflict):
    code = "module-access-exists"
    zh = "该单位在此模块已有办理中或已接入的事项。请在原事项上办理。"
    en = "The organisation has an open admission to this module already; go on with that one."


class OwnApplicationNeeded(NotPermitted):
    code = "own-application-needed"
    zh = "金融模块由金融企业自行申请，他人不能代为申请。请由该企业的账户提交。"
    en = "A financial enterprise applies for the finance module itself; an account of its own has to."


class NoFinancialEnterprise(Invalid):
    code = "no-financial-enterprise"
    zh = "金融模块只接受金融企业申请。其他单位请由运营机构洽谈接入消费模块。"
    en = "The finance module takes financial enterprises alone; the operator negotiates with others."


class NotNegotiated(Invalid):
    code = "kind-not-negotiated"
    zh = "该类别的机构（{kind}）不接入消费模块。请核对机构。"
    en = "Organisations of kind {kind} do not come into the consumption module; check which one is meant."


def apply(session: Session, actor: Actor, command: ApplyForFinance, *, now: datetime) -> ModuleAccess:
    """Apply for the finance module, or again after a return. Without a licence it comes back at once.

    Raises OwnApplicationNeeded, NotPermitted, NoFinancialEnterprise, AccessExists.
    """
    if actor.organisation_id != command.organisation:
        raise OwnApplicationNeeded
    actor.require(Permission.ACCESS_OWN)
    if accounts.organisation(session, command.organisation).kind is not OrganisationKind.FINANCIAL:
        raise NoFinancialEnterprise
    row = _returned(session, command.organisation)
    if row is None:
        row = _open(session, actor, Module.FINANCE, _S.APPLIED, command.organisation, now=now)
    else:
        _move(session, row, _S.APPLIED, actor, now=now)
    row.licence_type, row.licence_number = command.licence_type, command.licence_number
    if command.licence_type is None or command.licence_number is None:
        _move(session, row, _S.RETURNED, None, NO_LICENCE, now=now)
    return row


def examine(session: Session, actor: Actor, access_id: str, finding: str, *, now: datetime) -> ModuleAccess:
    """Say what the examination of an application has found.

    Raises NotPermitted, AccessNotFound, TransitionRefused.
    """
    actor.require(Permission.ACCESS_EXAMINE)
    return _move(session, find(session, access_id), _S.EXAMINED, actor, finding, now=now)


def open_negotiation(
    session: Session, actor: Actor, command: OpenNegotiation, *, now: datetime
) -> ModuleAccess:
    """Open a negotiation under the actor's mandate.

    Raises NotPermitted, OrganisationNotFound, NotNegotiated, MandateNotLive, OutsideMandate, AccessExists.
    """
    actor.require(Permission.ACCESS_NEGOTIATE)
    kind = accounts.organisation(session, command.organisation).kind
    if kind not in NEGOTIATED:
        raise NotNegotiated(kind=kind.value)
    mandate_id = mandates.require_scope(session, actor.organisation_id, kind, now=now)
    opened = _S.NEGOTIATION_OPENED
    row = _open(session, actor, Module.CONSUMPTION, opened, command.organisation, now=now)
    row.mandate_id = mandate_id
    session.flush()
    return row


def agree_terms(session: Session, actor: Actor, access_id: str, *, now: datetime) -> ModuleAccess:
    """Note that the terms are agreed. Raises NotPermitted, AccessNotFound, TransitionRefused."""
    actor.require(Permission.ACCESS_NEGOTIATE)
    return _move(session, find(session, access_id), _S.TERMS_AGREED, actor, now=now)


def note_signed(
    session: Session, actor: Actor, access_id: str, agreement_id: str, *, now: datetime
) -> ModuleAccess:
    """Note what was signed, after `agreements.admission` has looked at it.

    Raises NotPermitted, AccessNotFound, TransitionRefused.
    """
    actor.require(Permission.ACCESS_NEGOTIATE)
    row = _move(session, find(session, access_id), _S.SIGNED, actor, now=now)
    row.agreement_id = agreement_id
    session.flush()
    return row


def file(session: Session, actor: Actor, access_id: str, *, now: datetime) -> ModuleAccess:
    """Lay a signed admission before the talent office. Raises NotPermitted, AccessNotFound,
    TransitionRefused.
    """
    actor.require(Permission.ACCESS_NEGOTIATE)
    return _move(session, find(session, access_id), _S.FILED, actor, now=now)


def abandon(session: Session, actor: Actor, access_id: str, reason: str, *, now: datetime) -> ModuleAccess:
    """Give a negotiation up. Raises NotPermitted, AccessNotFound, TransitionRefused."""
    actor.require(Permission.ACCESS_NEGOTIATE)
    return _move(session, find(session, access_id), _S.ABANDONED, actor, reason, now=now)


def admit(session: Session, actor: Actor, access_id: str, *, now: datetime) -> ModuleAccess:
    """Admit what was examined or filed, with its evidence; again after a pause, without.

    Raises NotPermitted, AccessNotFound, TransitionRefused, OwnProposal, MandateNotLive, OutsideMandate.
    """
    actor.require(Permission.ACCESS_DECIDE)
    row = find(session, access_id)
    is_first = row.state is not _S.PAUSED
    _TABLES[row.module].require(row.state, _S.ADMITTED)
    if is_first and actor.account_id in {step.by for step in steps_of(session, row)}:
        raise OwnProposal
    if is_first and row.module is Module.CONSUMPTION:
        _check_mandate(session, row, now)
    _move(session, row, _S.ADMITTED, actor, now=now)
    if is_first:
        admitted = ModuleAdmitted(
            row.id, row.module, row.organisation_id, row.licence_type, row.licence_number, row.agreement_id
        )
        row.record_id = evidence.record(session, admitted, now=now).id
        session.flush()
    return row


def refuse(session: Session, actor: Actor, access_id: str, reason: str, *, now: datetime) -> ModuleAccess:
    """Refuse an examined application. Raises NotPermitted, AccessNotFound, TransitionRefused."""
    actor.require(Permission.ACCESS_DECIDE)
    return _move(session, find(session, access_id), _S.REFUSED, actor, reason, now=now)


def pause(session: Session, actor: Actor, access_id: str, reason: str, *, now: datetime) -> ModuleAccess:
    """Let nothing new be published or redeemed under an admission. Raises NotPermitted, AccessNotFound,
    TransitionRefused.
    """
    actor.require(Permission.ACCESS_DECIDE)
    return _move(session, find(session, access_id), _S.PAUSED, actor, reason, now=now)


def keep(session: Session, actor: Actor, access_id: str, reason: str, *, now: datetime) -> ModuleAccess:
    """Decide against pausing an admission: what spoke for that until now counts no more.

    Raises NotPermitted, AccessNotFound, TransitionRefused.
    """
    actor.require(Permission.ACCESS_DECIDE)
    row = find(session, access_id)
    if row.state is not _S.ADMITTED:
        raise TransitionRefused(before=row.state.value, after=_S.ADMITTED.value)
    _note(session, row, actor.account_id, reason, now)
    return row


def withdraw(session: Session, actor: Actor, access_id: str, *, now: datetime) -> ModuleAccess:
    """Leave a module, or take an application back. Raises NotPermitted, AccessNotFound, TransitionRefused."""
    actor.require(Permission.ACCESS_OWN)
    row = find(session, access_id)
    if row.organisation_id != actor.organisation_id:
        raise AccessNotFound
    return _move(session, row, _S.WITHDRAWN, actor, now=now)


def is_admitted(session: Session, organisation_id: str, module: Module) -> bool:
    """Whether an organisation is admitted to a module now, and not paused."""
    query = select(ModuleAccess.id).where(
        ModuleAccess.organisation_id == organisation_id,
        ModuleAccess.module == module,
        ModuleAccess.state == _S.ADMITTED,
    )
    return session.scalar(query) is not None


def find(session: Session, access_id: str) -> ModuleAccess:
    """One admission, held until the commit. Raises AccessNotFound."""
    row = session.get(ModuleAccess, access_id, with_for_update=True)
    if row is None:
        raise AccessNotFound
    return row


def view(session: Session, actor: Actor, access_id: str) -> AccessView:
    """One admission that the actor may see. Raises AccessNotFound."""
    for row, name in listed(session, actor):
        if row.id == access_id:
            return AccessView.with_steps(row, name, steps_of(session, row))
    raise AccessNotFound


def listed(session: Session, actor: Actor) -> list[tuple[ModuleAccess, str]]:
    """Every admission with its organisation's name, newest first, for those who have a part in admissions;
    their own for others.
    """
    query = select(ModuleAccess, Organisation.name).join(
        Organisation, Organisation.id == ModuleAccess.organisation_id
    )
    sees_all = (Permission.ACCESS_EXAMINE, Permission.ACCESS_NEGOTIATE, Permission.ACCESS_DECIDE)
    if not any(actor.may(each) for each in sees_all):
        query = query.where(ModuleAccess.organisation_id == actor.organisation_id)
    found = session.execute(query.order_by(ModuleAccess.opened_at.desc(), ModuleAccess.id))
    return [(row, name) for row, name in found]


def steps_of(session: Session, row: ModuleAccess) -> list[AccessStep]:
    """The moves of an admission in their order."""
    query = select(AccessStep).where(AccessStep.access_id == row.id).order_by(AccessStep.number)
    return list(session.scalars(query))


def _returned(session: Session, organisation_id: str) -> ModuleAccess | None:
    """The organisation's application that came back, held; None without one."""
    query = select(ModuleAccess).where(
        ModuleAccess.organisation_id == organisation_id,
        ModuleAccess.module == Module.FINANCE,
        ModuleAccess.state == _S.RETURNED,
    )
    return session.scalars(query.with_for_update()).one_or_none()


def _check_mandate(session: Session, row: ModuleAccess, now: datetime) -> None:
    """Refuse to admit what lies outside the mandate as it is now."""
    kind = accounts.organisation(session, row.organisation_id).kind
    mandate = mandates.find(session, row.mandate_id or "")
    mandates.require_scope(session, mandate.operator_id, kind, now=now)


def _open(
    session: Session,
    actor: Actor,
    module: Module,
    state: AccessState,
    organisation_id: str,
    *,
    now: datetime,
) -> ModuleAccess:
    row = ModuleAccess(
        id=secrets.token_hex(16),
        module=module,
        organisation_id=organisation_id,
        state=state,
        opened_by=actor.account_id,
        opened_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise AccessExists from None
    _note(session, row, actor.account_id, None, now)
    return row


def _move(
    session: Session,
    row: ModuleAccess,
    after: AccessState,
    actor: Actor | None,
    reason: str | None = None,
    *,
    now: datetime,
) -> ModuleAccess:
    """Raises TransitionRefused."""
    _TABLES[row.module].require(row.state, after)
    row.state = after
    _note(session, row, actor.account_id if actor else None, reason, now)
    return row


def _note(session: Session, row: ModuleAccess, by: str | None, reason: str | None, now: datetime) -> None:
    count = select(func.count()).select_from(AccessStep).where(AccessStep.access_id == row.id)
    number = (session.scalar(count) or 0) + 1
    session.add(AccessStep(access_id=row.id, number=number, state=row.state, by=by, at=now, reason=reason))
    session.flush()
