"""Telling a person everything that is held of him (PIPL Art. 45), and who has looked at it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account, Organisation
from talentseal.accounts.roles import Actor, Role
from talentseal.errors import NotFound
from talentseal.evidence import records
from talentseal.talents import people
from talentseal.talents.holdings import Holding
from talentseal.talents.models import AccessPurpose, FieldGroup, NoticeAcceptance, Talent, TalentAccess
from talentseal.talents.privacy_schemas import AccessPage, AccessView
from talentseal.vault import Vault

PAGE: Final = 50


EVIDENCE: Final = "evidence"
"""The part that holds the log's records."""


class PartNotFound(NotFound):
    code: ClassVar[str] = "part-not-found"
    zh: ClassVar[str] = "没有这一部分信息。"
    en: ClassVar[str] = "There is no such part of your data."


class AccountTold(BaseModel):
    """account: his sign-in name and when it was opened. notices: versions of the notice he accepted."""

    person: str
    account: dict[str, str]
    notices: list[dict[str, str]]


class Export(AccountTold):
    """Everything that the service holds of one person. Times are RFC 3339 in UTC, dates those of Shanghai.

    holdings: by name, each a list of objects: fields (group, values, source, verification), codes with their
    steps and tier changes, applications with content, documents and steps, recognitions, reviews, consents,
    corrections, erasures, and whatever later parts of the service hold. recipients: who opened what, when and
    for what. evidence: the log's records about him, with their disclosures (RFC 9901), by which he can prove
    them; empty disclosures were erased.
    """

    format: Literal["talentseal-export/1"] = "talentseal-export/1"
    made_at: datetime
    holdings: dict[str, list[dict[str, Any]]]
    recipients: list[AccessView]
    evidence: list[dict[str, Any]]


def own_export(
    session: Session, actor: Actor, vault: Vault, holdings: Sequence[Holding], *, now: datetime
) -> Export:
    """Everything about oneself. Raises NotPermitted."""
    talent = people.of_account(session, actor)
    return Export(
        **_account(session, talent).model_dump(),
        made_at=now,
        holdings={each.name: each.tell(session, vault, talent.id) for each in holdings},
        recipients=_openings(session, talent.id),
        evidence=_evidence(session, talent.id, holdings),
    )


def own_account(session: Session, actor: Actor) -> AccountTold:
    """What the account itself holds of oneself. Raises NotPermitted."""
    return _account(session, people.of_account(session, actor))


def own_part(
    session: Session, actor: Actor, vault: Vault, holdings: Sequence[Holding], name: str
) -> list[dict[str, Any]]:
    """One part of it: a holding by its name, or `EVIDENCE`. Raises NotPermitted, PartNotFound."""
    talent = people.of_account(session, actor)
    if name == EVIDENCE:
        return _evidence(session, talent.id, holdings)
    for each in holdings:
        if each.name == name:
            return each.tell(session, vault, talent.id)
    raise PartNotFound


def own_openings(session: Session, actor: Actor, *, after: str = "") -> AccessPage:
    """Who opened one's data, the newest first. after: `next` of the page before. Raises NotPermitted."""
    talent = people.of_account(session, actor)
    place = int(after) if after.isdecimal() else 0
    found = _openings(session, talent.id, offset=place, limit=PAGE + 1)
    return AccessPage(items=found[:PAGE], next=str(place + PAGE) if len(found) > PAGE else None)


def _openings(
    session: Session, talent_id: str, *, offset: int = 0, limit: int | None = None
) -> list[AccessView]:
    query = (
        select(TalentAccess, Organisation.name)
        .outerjoin(Organisation, Organisation.id == TalentAccess.organisation_id)
        .where(TalentAccess.talent_id == talent_id)
        .order_by(TalentAccess.at.desc(), TalentAccess.id)
        .offset(offset)
        .limit(limit)
    )
    return [
        AccessView(
            at=row.at,
            who=name or "",
            role=Role(row.role),
            purpose=AccessPurpose(row.purpose),
            groups=[FieldGroup(each) for each in row.groups.split()],
            document=row.document_id is not None,
            granted=row.grant_id is not None,
        )
        for row, name in session.execute(query)
    ]


def _account(session: Session, talent: Talent) -> AccountTold:
    account = session.get_one(Account, talent.account_id)
    accepted = select(NoticeAcceptance).where(NoticeAcceptance.talent_id == talent.id)
    return AccountTold(
        person=talent.id,
        account={"name": account.name, "opened_at": _text(account.created_at)},
        notices=[
            {"version": row.version, "accepted_at": _text(row.accepted_at)}
            for row in session.scalars(accepted)
        ],
    )


def _evidence(session: Session, talent_id: str, holdings: Sequence[Holding]) -> list[dict[str, Any]]:
    return [_record(session, number) for each in holdings for number in each.records(session, talent_id)]


def _record(session: Session, number: str) -> dict[str, Any]:
    row = records.find(session, number)
    return {
        "record": row.id,
        "kind": row.kind,
        "recorded_at": _text(row.recorded_at),
        "disclosures": records.disclosures_of(session, number),
    }


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
