"""Consents of holders (PIPL Arts. 15, 23): one for each organisation and purpose, ended as given."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation, OrganisationKind
from talentseal.accounts.roles import Actor
from talentseal.errors import Conflict, NotFound
from talentseal.talents import attempts, people
from talentseal.talents.models import FieldGroup, TalentFields
from talentseal.talents.privacy_models import ConsentScope, TalentConsent
from talentseal.talents.privacy_schemas import (
    ORGANISATION_GROUPS,
    Consents,
    ConsentView,
    GiveConsent,
    PartnerSight,
)

NOTICE_VERSION: Final = "2026-11"
"""Of the text that a consent is given to; whoever changes it gives it another."""

ASKED_FOR: Final = frozenset(OrganisationKind) - {
    OrganisationKind.GOVERNMENT,
    OrganisationKind.OPERATOR,
    OrganisationKind.AUDITOR,
}
"""Kinds of organisations that need a consent: the others act within their powers, or see nothing."""

_GROUPS: Final = {
    scope: FieldGroup(scope.value) for scope in ConsentScope if scope.value in FieldGroup.__members__
}
"""Which group of fields a scope shows; BASIC is shown to no organisation."""


class ConsentMissing(Conflict):
    code = "consent-missing"
    zh = "本人尚未同意贵单位办理此事，或已撤回同意。请本人在“授权管理”中同意后再办理。"
    en = "The holder has not consented to this, or no longer does; he can consent under his consents."


class ConsentNotFound(NotFound):
    code = "consent-not-found"
    zh = "没有找到该授权，或您无权查看。请核对编号。"
    en = "There is no such consent, or it is not yours to see; check the number."


class PartnerUnknown(NotFound):
    code = "consent-partner-unknown"
    zh = "没有找到该单位，或它无须授权。请从列表中选择。"
    en = "There is no such organisation, or it needs no consent; choose one of the list."


class NoticeChanged(Conflict):
    code = "consent-notice-changed"
    zh = "授权说明已更新，请重新阅读后再同意。"
    en = "What is consented to has a new wording; read it again before you consent."


def give(session: Session, actor: Actor, command: GiveConsent, *, now: datetime) -> TalentConsent:
    """Consent; the one that stands when there is one. Raises NotPermitted, PartnerUnknown, NoticeChanged."""
    talent = people.of_account(session, actor)
    if command.notice_version != NOTICE_VERSION:
        raise NoticeChanged
    partner = session.get(Organisation, command.organisation)
    if partner is None or partner.kind not in ASKED_FOR:
        raise PartnerUnknown
    row = TalentConsent(
        id=secrets.token_hex(16),
        talent_id=talent.id,
        organisation_id=partner.id,
        scope=command.scope,
        notice_version=command.notice_version,
        given_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        same = (TalentConsent.organisation_id == partner.id) & (TalentConsent.scope == command.scope)
        return session.scalars(_standing(talent.id).where(same)).one()
    return row


def withdraw(session: Session, actor: Actor, consent_id: str, *, now: datetime) -> TalentConsent:
    """End a consent from now on; to end it twice changes nothing. Raises NotPermitted, ConsentNotFound."""
    talent = people.of_account(session, actor)
    row = session.get(TalentConsent, consent_id, with_for_update=True)
    if row is None or row.talent_id != talent.id:
        attempts.note(actor, "consent", consent_id)
        raise ConsentNotFound
    row.withdrawn_at = row.withdrawn_at or now
    session.flush()
    return row


def withdraw_all(session: Session, talent_id: str, *, now: datetime) -> None:
    """End every consent of somebody who leaves."""
    standing = (TalentConsent.talent_id == talent_id) & TalentConsent.withdrawn_at.is_(None)
    session.execute(update(TalentConsent).where(standing).values(withdrawn_at=now))


def holds(talent: Any, organisation: Any, scope: Any) -> ColumnElement[bool]:
    """Whether the holder consents now, as a condition: of values, columns or parameters."""
    return exists().where(
        TalentConsent.talent_id == talent,
        TalentConsent.organisation_id == organisation,
        TalentConsent.scope == scope,
        TalentConsent.withdrawn_at.is_(None),
    )


def given(session: Session, talent_id: str, organisation_id: str, scope: ConsentScope) -> bool:
    """Whether the holder consents now. Ask it in the transaction in which it matters."""
    return bool(session.scalar(select(holds(talent_id, organisation_id, scope))))


def require(session: Session, talent_id: str, organisation_id: str, scope: ConsentScope) -> None:
    """Raises ConsentMissing unless the holder consents now."""
    if not given(session, talent_id, organisation_id, scope):
        raise ConsentMissing


def groups_shown(session: Session, talent_id: str, organisation_id: str) -> frozenset[FieldGroup]:
    """Which groups of a holder's fields an organisation may see now (scenario 27).

    Each needs the holder's consent; ORG_… moreover the permission of the organisation whose project it is.
    """
    mine = TalentConsent.organisation_id == organisation_id
    scopes = session.scalars(_standing(talent_id).where(mine))
    return _shown((row.scope for row in scopes), _allowed(session, talent_id))


def own(session: Session, actor: Actor) -> Consents:
    """A holder's consents, and what each organisation may see by them. Raises NotPermitted."""
    talent = people.of_account(session, actor)
    query = (
        select(TalentConsent, Organisation.name)
        .join(Organisation, Organisation.id == TalentConsent.organisation_id)
        .where(TalentConsent.talent_id == talent.id)
        .order_by(TalentConsent.given_at.desc(), TalentConsent.id)
    )
    views = [_view(row, name) for row, name in session.execute(query)]
    allowed = _allowed(session, talent.id)
    standing: dict[str, list[ConsentView]] = {}
    for each in views:
        if each.withdrawn_at is None:
            standing.setdefault(each.organisation, []).append(each)
    return Consents(
        notice_version=NOTICE_VERSION,
        standing=[_sight(rows, allowed) for rows in standing.values()],
        withdrawn=[each for each in views if each.withdrawn_at is not None],
    )


def partners_of(session: Session, actor: Actor) -> list[Organisation]:
    """The organisations that somebody can consent to, by name. Raises NotPermitted."""
    people.of_account(session, actor)
    query = select(Organisation).where(Organisation.kind.in_(ASKED_FOR))
    return list(session.scalars(query.order_by(Organisation.name, Organisation.id)))


def _standing(talent_id: str) -> Select[TalentConsent]:
    return select(TalentConsent).where(
        TalentConsent.talent_id == talent_id, TalentConsent.withdrawn_at.is_(None)
    )


def _allowed(session: Session, talent_id: str) -> frozenset[FieldGroup]:
    """Groups that are there, and whose organisation allows their use where they are an organisation's."""
    query = select(TalentFields.group, TalentFields.organisation_agreed_at).where(
        TalentFields.talent_id == talent_id
    )
    return frozenset(
        group
        for group, agreed in session.execute(query)
        if group not in ORGANISATION_GROUPS or agreed is not None
    )


def _shown(scopes: Iterable[ConsentScope], allowed: frozenset[FieldGroup]) -> frozenset[FieldGroup]:
    return frozenset(_GROUPS[scope] for scope in scopes if scope in _GROUPS) & allowed


def _sight(rows: list[ConsentView], allowed: frozenset[FieldGroup]) -> PartnerSight:
    shown = _shown((each.scope for each in rows), allowed)
    return PartnerSight(
        organisation=rows[0].organisation,
        organisation_name=rows[0].organisation_name,
        consents=rows,
        groups=sorted(shown),
        waiting=sorted(each.scope for each in rows if _GROUPS.get(each.scope) in ORGANISATION_GROUPS - shown),
    )


def _view(row: TalentConsent, name: str) -> ConsentView:
    return ConsentView(
        id=row.id,
        organisation=row.organisation_id,
        organisation_name=name,
        scope=row.scope,
        notice_version=row.notice_version,
        given_at=row.given_at,
        withdrawn_at=row.withdrawn_at,
    )
