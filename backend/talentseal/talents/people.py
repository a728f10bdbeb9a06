"""Talents and what is known of them: who they are to the service, and their sealed groups of fields."""

import json
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account
from talentseal.accounts.roles import Actor, Permission
from talentseal.db import connection_of, rows, table_of
from talentseal.errors import NotFound
from talentseal.statements import carry_out
from talentseal.talents.models import (
    AccessPurpose,
    FieldGroup,
    NoticeAcceptance,
    Source,
    Talent,
    TalentAccess,
    TalentCode,
    TalentFields,
    place_of,
)
from talentseal.talents.schemas import Basic, Content, Education, Work
from talentseal.vault import Vault


class TalentNotFound(NotFound):
    code = "talent-not-found"
    zh = "没有找到该人才，或您无权查看。请核对编号。"
    en = "There is no such talent, or he is not yours to see; check the number."


NOTICE_VERSION: Final = "2026-11"
"""Of the privacy notice that is shown now; whoever changes its text gives it another."""


def register(session: Session, account: Account, *, now: datetime) -> Talent:
    """Enter the talent behind a fresh account of his."""
    row = Talent(id=secrets.token_hex(16), account_id=account.id, registered_at=now)
    session.add(row)
    session.flush()
    return row


def accept_notice(session: Session, talent: Talent, *, now: datetime) -> None:
    """Keep that the talent accepted the privacy notice of today."""
    session.add(NoticeAcceptance(talent_id=talent.id, version=NOTICE_VERSION, accepted_at=now))
    session.flush()


_OF_ACCOUNT: Final = select(Talent).where(Talent.account_id == bindparam("account"))


def of_account(session: Session, actor: Actor) -> Talent:
    """The talent who acts. Raises NotPermitted for whoever is none, TalentNotFound for one who is unknown."""
    actor.require(Permission.TALENT_OWN)
    row = session.scalars(_OF_ACCOUNT, {"account": actor.account_id}).one_or_none()
    if row is None:
        raise TalentNotFound
    return row


def find(session: Session, talent_id: str) -> Talent:
    """The talent of that id. Raises TalentNotFound."""
    row = session.get(Talent, talent_id)
    if row is None:
        raise TalentNotFound
    return row


def has_live_code(session: Session, *, talent_id: str = "", identity_digest: str = "") -> bool:
    """Whether the talent, or the person under another account, has a code that has not ended."""
    same = (TalentCode.talent_id == talent_id) | (TalentCode.identity_digest == identity_digest)
    query = select(TalentCode.id).where(same, TalentCode.ended_at.is_(None)).limit(1)
    return session.scalar(query) is not None


def enter(
    session: Session,
    vault: Vault,
    talent_id: str,
    entered: Content,
    *,
    shared: Collection[FieldGroup] = (),
    by: str,
    now: datetime,
) -> None:
    """Take what an approved application says into the talent's fields.

    shared: groups that another office's register bears out. by: account that verified it.
    """
    for group, fields in _groups(entered).items():
        sealed = vault.seal(place_of("talent_fields", talent_id, group.value), _json(fields))
        row = TalentFields(
            talent_id=talent_id,
            group=group,
            sealed=sealed,
            source=Source.SHARED if group in shared else Source.SUBMITTED,
            entered_at=now,
            verified_by=by,
            verified_at=now,
        )
        session.merge(row)
    session.flush()


def fields_of(session: Session, vault: Vault, talent_id: str, group: FieldGroup) -> dict[str, Any]:
    """One group of a talent's fields; empty when nothing is known."""
    row = session.get(TalentFields, (talent_id, group))
    if row is None:
        return {}
    return _opened(vault, talent_id, group, row.sealed)


_FIELDS: Final = select(TalentFields.group, TalentFields.sealed).where(
    TalentFields.talent_id == bindparam("talent")
)


def groups_of(session: Session, vault: Vault, talent_id: str) -> dict[FieldGroup, dict[str, Any]]:
    """All of a talent's fields by group; groups of which nothing is known are left out."""
    sealed = dict(rows(session, _FIELDS, talent=talent_id))
    opened = {
        group: _opened(vault, talent_id, group, sealed[group]) for group in FieldGroup if group in sealed
    }
    return {group: values for group, values in opened.items() if values}


def masked_name(vault: Vault, talent_id: str, sealed: bytes | None) -> str:
    """The masked surname in a talent's sealed BASIC group; empty when nothing is known."""
    fields = _opened(vault, talent_id, FieldGroup.BASIC, sealed) if sealed else {}
    return masked(str(fields["full_name"])) if fields else ""


def _opened(vault: Vault, talent_id: str, group: FieldGroup, sealed: bytes) -> dict[str, Any]:
    opened: dict[str, Any] = json.loads(vault.open(place_of("talent_fields", talent_id, group.value), sealed))
    return opened


def known_of(session: Session, vault: Vault, talent_id: str) -> Content:
    """What is known already and need not be entered again: who he is, his work, his education."""
    basic = fields_of(session, vault, talent_id, FieldGroup.BASIC)
    education = fields_of(session, vault, talent_id, FieldGroup.ACADEMIC)
    if not basic:
        return Content()
    return Content(
        basic=Basic.model_validate({name: basic[name] for name in Basic.model_fields}),
        work=Work.model_validate({name: basic[name] for name in Work.model_fields}),
        education=Education.model_validate(education) if education else None,
    )


def note_access(
    session: Session,
    actor: Actor,
    talent_id: str,
    purpose: AccessPurpose,
    groups: Collection[FieldGroup],
    *,
    application_id: str | None = None,
    document_id: str | None = None,
    grant_id: str | None = None,
    now: datetime,
) -> None:
    """Keep that somebody opened a person's data, in the transaction that opens it; the person sees it.

    groups: what was opened. A person's own openings are not kept.
    """
    row = {
        "id": secrets.token_hex(16),
        "talent_id": talent_id,
        "opened_at": now,
        "account_id": actor.account_id,
        "organisation_id": actor.organisation_id,
        "role": actor.role,
        "purpose": purpose,
        "field_groups": " ".join(sorted(groups)),
        "application_id": application_id,
        "document_id": document_id,
        "grant_id": grant_id,
    }
    session.flush()
    carry_out(connection_of(session), _NOTE, row)


_NOTE: Final = insert(table_of(TalentAccess))


def groups_in(entered: Content) -> frozenset[FieldGroup]:
    """Which groups of fields an application speaks of."""
    return frozenset(_groups(entered))


def _groups(entered: Content) -> Mapping[FieldGroup, dict[str, Any]]:
    """The fields by group, those without content left out."""
    parts = entered.model_dump(mode="json")
    groups = {
        FieldGroup.BASIC: {**(parts["basic"] or {}), **(parts["work"] or {})},
        FieldGroup.ACADEMIC: parts["education"] or {},
        FieldGroup.RESEARCH: {"summary": parts["research"]} if parts["research"] else {},
        FieldGroup.HONOUR: {"summary": parts["honours"]} if parts["honours"] else {},
    }
    return {group: fields for group, fields in groups.items() if fields}


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()


_SURNAMES: Final = frozenset(
    {"欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒", "令狐"}
)


def masked(full_name: str) -> str:
    """The surname, and a star for each further character: 张**; 欧阳**; in Latin letters the first name part
    with its first letter only.
    """
    name = full_name.strip()
    if name.isascii():
        return f"{name[:1]}***"
    surname = name[:2] if name[:2] in _SURNAMES and len(name) > 2 else name[:1]
    return surname + "*" * max(1, len(name) - len(surname))
