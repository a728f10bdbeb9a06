"""Facts that rules count: noted once each, from the service's records or by whoever serves talents."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.credentials.models import Presentation
from talentseal.db import is_sqlite
from talentseal.errors import Invalid, NotFound
from talentseal.sanctions.models import Fact, FactSource
from talentseal.sanctions.schemas import Report
from talentseal.sanctions.triggers import Trigger
from talentseal.talents.codes import CodeNotFound
from talentseal.talents.models import TalentCode, place_of
from talentseal.vault import Vault


class FactAhead(Invalid):
    code = "fact-ahead"
    zh = "所报时间晚于现在。请核对发生时间。"
    en = "It is said to have happened later than now; check the time."


class PresentationUnknown(NotFound):
    code = "presentation-unknown"
    zh = "没有该次身份核验，或不是在贵单位网点进行的。请核对核验编号。"
    en = "There is no such identity check, or it was not at your outlets; check its number."


@dataclass(frozen=True, slots=True)
class Sighting:
    """A fact as it was found. reference: what it was read from, by which it is noted once.

    organisation: at whose counter; None for none. noted_by: account of a reporter; None for the service.
    """

    trigger: Trigger
    code_id: str
    occurred_at: datetime
    reference: str
    organisation: str | None = None
    noted_by: str | None = None


def report(session: Session, actor: Actor, vault: Vault, command: Report, *, now: datetime) -> Fact:
    """Note what somebody who serves talents reports. The same once more is the same fact.

    Raises NotPermitted, PresentationUnknown, FactAhead.
    """
    actor.require(Permission.COUNTER_SERVE)
    if command.occurred_at > now:
        raise FactAhead
    query = select(Presentation.code_id).where(
        Presentation.id == command.presentation, Presentation.organisation_id == actor.organisation_id
    )
    code_id = session.scalar(query)
    if code_id is None:
        raise PresentationUnknown
    seen = Sighting(
        command.trigger,
        code_id,
        command.occurred_at,
        f"{actor.organisation_id}/{command.reference}",
        actor.organisation_id,
        actor.account_id,
    )
    is_new = note(session, [seen], now=now)
    row = session.scalars(
        select(Fact).where(Fact.trigger == seen.trigger, Fact.reference == seen.reference)
    ).one()
    if is_new and command.note is not None:
        row.sealed = vault.seal(place_of("sanction_fact", row.id), command.note.encode())
        session.flush()
    return row


def code_of(session: Session, code_ref: str) -> TalentCode:
    """The live code that tokens name so. code_ref: 16 hex digits. Raises CodeNotFound."""
    query = select(TalentCode).where(
        TalentCode.code_ref == bytes.fromhex(code_ref), TalentCode.ended_at.is_(None)
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        raise CodeNotFound
    return row


def note(session: Session, sightings: Iterable[Sighting], *, now: datetime) -> int:
    """Note what is not there yet; how many were new."""
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    noted = 0
    for each in sightings:
        row = insert(Fact).values(
            id=secrets.token_hex(16),
            trigger=each.trigger,
            code_id=each.code_id,
            organisation_id=each.organisation,
            occurred_at=each.occurred_at,
            noted_at=now,
            source=FactSource.RECORDS if each.noted_by is None else FactSource.REPORT,
            reference=each.reference,
            noted_by=each.noted_by,
        )
        once = row.on_conflict_do_nothing(index_elements=["trigger_kind", "reference"]).returning(Fact.id)
        noted += session.execute(once).first() is not None
    return noted


def note_of(vault: Vault, fact: Fact) -> str | None:
    """What the reporter wrote; None when he wrote nothing."""
    if fact.sealed is None:
        return None
    return vault.open(place_of("sanction_fact", fact.id), fact.sealed).decode()
