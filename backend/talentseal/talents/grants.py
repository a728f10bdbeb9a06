"""Auditors' grants: the office lets an auditor read some of a person's fields, for a time and a reason.

Every reading under a grant is kept for the person, in the transaction that reads.
"""

import json
import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account
from talentseal.accounts.roles import Actor, Permission, Role
from talentseal.errors import Conflict, NotFound
from talentseal.talents import attempts, people
from talentseal.talents.models import (
    AccessPurpose,
    Application,
    ApplicationState,
    FieldGroup,
    TalentAccess,
    TalentCode,
    TierChange,
    place_of,
)
from talentseal.talents.privacy_models import AccessGrant
from talentseal.talents.privacy_schemas import GiveGrant, GrantedSight, GrantList, GrantView
from talentseal.vault import Vault

SHOWN: Final = 200
"""Grants on one page: the newest."""


class GrantNotFound(NotFound):
    code = "grant-not-found"
    zh = "没有找到该查阅授权，或您无权查看。请核对编号。"
    en = "There is no such grant, or it is not yours to see; check the number."


class GrantOver(Conflict):
    code = "grant-over"
    zh = "该查阅授权已到期或已被收回。确需继续查阅的，请向人才办重新申请。"
    en = "The grant has run out or was revoked; ask the talent office for another if you need it."


class AuditorUnknown(NotFound):
    code = "auditor-unknown"
    zh = "没有找到该审计人员。请从列表中选择。"
    en = "There is no such auditor; choose one of the list."


class PersonNotFound(NotFound):
    code = "grant-person-not-found"
    zh = "没有编号对应的申请或层次变更记录。请核对编号。"
    en = "No application and no tier change has this number; check it."


def give(session: Session, actor: Actor, vault: Vault, command: GiveGrant, *, now: datetime) -> AccessGrant:
    """Give an auditor a grant. Raises NotPermitted, AuditorUnknown, PersonNotFound."""
    actor.require(Permission.GRANT_GIVE)
    auditor = session.get(Account, command.auditor)
    if auditor is None or auditor.role is not Role.AUDITOR or auditor.disabled_at is not None:
        raise AuditorUnknown
    identifier = secrets.token_hex(16)
    said = json.dumps({"reason": command.reason}, ensure_ascii=False)
    row = AccessGrant(
        id=identifier,
        talent_id=_person(session, command.about),
        auditor_id=auditor.id,
        groups=" ".join(sorted(command.groups)),
        sealed=vault.seal(place_of("access_grant", identifier), said.encode()),
        given_by=actor.account_id,
        given_at=now,
        until=now + timedelta(days=command.days),
    )
    session.add(row)
    session.flush()
    return row


def revoke(session: Session, actor: Actor, grant_id: str, *, now: datetime) -> AccessGrant:
    """End a grant at once; to end it twice changes nothing. Raises NotPermitted, GrantNotFound."""
    actor.require(Permission.GRANT_GIVE)
    row = session.get(AccessGrant, grant_id, with_for_update=True)
    if row is None:
        raise GrantNotFound
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = now, actor.account_id
    session.flush()
    return row


def every(session: Session, actor: Actor, vault: Vault, *, now: datetime) -> GrantList:
    """The newest grants; of an auditor his own. Raises NotPermitted."""
    office = actor.may(Permission.GRANT_GIVE)
    if not office:
        actor.require(Permission.GRANT_USE)
    query = (
        select(AccessGrant, Account.name)
        .join(Account, Account.id == AccessGrant.auditor_id)
        .order_by(AccessGrant.given_at.desc(), AccessGrant.id)
        .limit(SHOWN)
    )
    if not office:
        query = query.where(AccessGrant.auditor_id == actor.account_id)
    found = session.execute(query).all()
    counting = select(TalentAccess.grant_id, func.count()).group_by(TalentAccess.grant_id)
    counted = counting.where(TalentAccess.grant_id.in_([row.id for row, _ in found]))
    reads = dict(session.execute(counted).all())
    choice = select(Account.id, Account.name).where(
        Account.role == Role.AUDITOR, Account.disabled_at.is_(None)
    )
    return GrantList(
        items=[_view(vault, row, name, reads.get(row.id, 0), now) for row, name in found],
        auditors=dict(session.execute(choice.order_by(Account.name)).all()) if office else {},
    )


def use(session: Session, actor: Actor, vault: Vault, grant_id: str, *, now: datetime) -> GrantedSight:
    """Read what one's grant opens, with the trace of that for the person.

    Raises NotPermitted, GrantNotFound, GrantOver.
    """
    actor.require(Permission.GRANT_USE)
    row = session.get(AccessGrant, grant_id)
    if row is None or row.auditor_id != actor.account_id:
        attempts.note(actor, "grant", grant_id)
        raise GrantNotFound
    if not _is_live(row, now):
        raise GrantOver
    groups = [FieldGroup(name) for name in row.groups.split()]
    people.note_access(session, actor, row.talent_id, AccessPurpose.AUDIT, groups, grant_id=row.id, now=now)
    count = select(func.count()).select_from(TalentAccess).where(TalentAccess.grant_id == row.id)
    auditor = session.get_one(Account, row.auditor_id)
    return GrantedSight(
        grant=_view(vault, row, auditor.name, session.scalar(count) or 0, now),
        fields={group: people.fields_of(session, vault, row.talent_id, group) for group in groups},
    )


def _is_live(row: AccessGrant, now: datetime) -> bool:
    return row.revoked_at is None and now < row.until


def _view(vault: Vault, row: AccessGrant, auditor: str, reads: int, now: datetime) -> GrantView:
    said = json.loads(vault.open(place_of("access_grant", row.id), row.sealed))
    return GrantView(
        id=row.id,
        auditor=auditor,
        groups=[FieldGroup(name) for name in row.groups.split()],
        reason=said.get("reason", ""),
        given_at=row.given_at,
        until=row.until,
        revoked_at=row.revoked_at,
        live=_is_live(row, now),
        reads=reads,
    )


def _person(session: Session, about: str) -> str:
    """Whose application or tier change that is. Raises PersonNotFound."""
    application = session.get(Application, about)
    if application is not None and application.state is not ApplicationState.DRAFT:
        return application.talent_id
    query = (
        select(TalentCode.talent_id)
        .join(TierChange, TierChange.code_id == TalentCode.id)
        .where(TierChange.record_id == about)
    )
    talent_id = session.scalar(query)
    if talent_id is None:
        raise PersonNotFound
    return talent_id
