"""What the parties of an agreement and the talent office read of breaches.

What was said is for those parties and the office alone. How often an organisation broke its word counts what
was confirmed and still stands: neither allegations, nor what was dismissed, cured or waived (scenario 66).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Select, bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import duties
from talentseal.agreements.duties import BreachNotFound
from talentseal.agreements.duty_models import Breach
from talentseal.agreements.duty_schemas import (
    BreachLine,
    BreachList,
    BreachStepView,
    BreachView,
    OnContract,
)
from talentseal.agreements.duty_states import BreachState
from talentseal.agreements.models import AgreementParty, AgreementVersion, Stipulation
from talentseal.db import rows
from talentseal.errors import NotPermitted
from talentseal.evidence import acts
from talentseal.vault import Vault


def breach_list(
    session: Session, actor: Actor, *, state: BreachState | None = None, after: str = "", limit: int
) -> BreachList:
    """Allegations that the actor may see, the newest first, behind the one of id `after`. Raises
    NotPermitted.
    """
    query = _visible(actor)
    if state is not None:
        query = query.where(Breach.state == state)
    if last := session.get(Breach, after) if after else None:
        query = query.where(tuple_(Breach.alleged_at, Breach.id) < (last.alleged_at, last.id))
    ordered = query.order_by(Breach.alleged_at.desc(), Breach.id.desc())
    found = session.scalars(ordered.limit(limit + 1)).all()
    return BreachList(
        items=lines_of(session, found[:limit]), next=found[limit - 1].id if len(found) > limit else None
    )


_NAME: Final = select(Organisation.name).where(Organisation.id == bindparam("organisation"))


def breach_view(session: Session, actor: Actor, vault: Vault, breach_id: str) -> BreachView:
    """One allegation in full. Raises NotPermitted, BreachNotFound."""
    breach = session.scalars(_visible(actor).where(Breach.id == breach_id)).one_or_none()
    if breach is None:
        raise BreachNotFound
    stipulation = session.get_one(Stipulation, breach.stipulation_id)
    version = session.get_one(AgreementVersion, stipulation.version_id)
    content = duties.content_of(stipulation)
    ((name,),) = rows(session, _NAME, organisation=breach.organisation_id)
    line = _line(breach, stipulation, version.number, name)
    mine = breach.organisation_id == actor.organisation_id
    return BreachView(
        **line.model_dump(),
        agreement=version.agreement_id,
        version=version.version,
        position=stipulation.position,
        measure=content.get("measure"),
        threshold=content.get("threshold"),
        remedy=content.get("remedy"),
        reference=breach.reference.partition("/")[2],
        mine=mine,
        receiving=not mine and duties.is_party(session, breach, actor.organisation_id),
        alleged_by_me=breach.alleged_by == actor.account_id,
        acknowledged_by_me=breach.cure_acknowledged_by == actor.account_id,
        cure_offered=breach.cure_offered_at is not None,
        cure_acknowledged=breach.cure_acknowledged_by is not None,
        record=breach.record_id,
        decision_record=breach.decision_record_id,
        closing_record=breach.closing_record_id,
        finding=_on_contract(session, breach.finding),
        ending=_on_contract(session, breach.ending),
        steps=_steps(session, vault, breach),
    )


_STANDING: Final = (
    select(Breach.organisation_id, func.count())
    .where(
        Breach.organisation_id.in_(bindparam("organisations", expanding=True)),
        Breach.state == BreachState.BREACH_CONFIRMED,
        Breach.decided_at >= bindparam("since"),
        Breach.decided_at < bindparam("before"),
    )
    .group_by(Breach.organisation_id)
)


def standing(
    session: Session, organisations: Sequence[str], since: datetime, before: datetime
) -> dict[str, int]:
    """How many breaches of each were confirmed from `since` on and before `before`, and stand; none, no line.

    What was cured or waived since counts no more.
    """
    return dict(rows(session, _STANDING, organisations=organisations, since=since, before=before))


def lines_of(session: Session, breaches: Sequence[Breach]) -> list[BreachLine]:
    """Allegations as lines of a list."""
    query = (
        select(Breach.id, Stipulation, AgreementVersion.number, Organisation.name)
        .join(Stipulation, Stipulation.id == Breach.stipulation_id)
        .join(AgreementVersion, AgreementVersion.id == Stipulation.version_id)
        .join(Organisation, Organisation.id == Breach.organisation_id)
        .where(Breach.id.in_([row.id for row in breaches]))
    )
    about = {met[0]: met[1:] for met in session.execute(query)} if breaches else {}
    return [_line(row, *about[row.id]) for row in breaches]


def _line(row: Breach, stipulation: Stipulation, number: str | None, organisation: str) -> BreachLine:
    return BreachLine(
        id=row.id,
        state=row.state,
        source=row.source,
        organisation=organisation,
        number=number,
        clause=duties.content_of(stipulation).get("clause"),
        alleged_at=row.alleged_at,
        decided_at=row.decided_at,
    )


def _visible(actor: Actor) -> Select[Breach]:
    if actor.may(Permission.BREACH_DECIDE):
        return select(Breach)
    if not actor.may(Permission.BREACH_TAKE_PART):
        raise NotPermitted(permission=Permission.BREACH_TAKE_PART.value)
    of_own = (
        select(Stipulation.id)
        .join(AgreementParty, AgreementParty.version_id == Stipulation.version_id)
        .where(AgreementParty.organisation_id == actor.organisation_id)
    )
    return select(Breach).where(Breach.stipulation_id.in_(of_own))


def _steps(session: Session, vault: Vault, breach: Breach) -> list[BreachStepView]:
    steps = duties.steps_of(session, breach.id)
    named = {step.organisation_id for step in steps if step.organisation_id}
    query = select(Organisation.id, Organisation.name).where(Organisation.id.in_(named))
    names = dict(session.execute(query).all())
    return [
        BreachStepView(
            act=step.act,
            at=step.at,
            role=step.role,
            organisation=names.get(step.organisation_id or ""),
            said=duties.said_in(vault, step),
        )
        for step in steps
    ]


def _on_contract(session: Session, digest: str | None) -> OnContract | None:
    act = acts.act_of(session, digest) if digest else None
    if act is None:
        return None
    return OnContract(state=act.state, transaction=act.transaction_hash, reason=act.reason)
