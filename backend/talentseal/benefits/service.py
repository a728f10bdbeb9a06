"""The catalogue: versions of benefits drafted by their providers, reviewed and published by others.

DRAFT → REVIEW → PUBLISHED ↔ PAUSED, and to WITHDRAWN, EXPIRED or EXHAUSTED. A published version is never
changed: another replaces it on its own first day. Every move holds the benefit's row, so that two that meet
queue up.
"""

import secrets
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from talentseal.accounts.roles import Actor, Permission
from talentseal.benefits import guards
from talentseal.benefits.models import (
    Benefit,
    BenefitOutlet,
    BenefitState,
    BenefitStep,
    BenefitTier,
    BenefitVersion,
    Budget,
)
from talentseal.benefits.refusals import (
    BenefitExists,
    BenefitNotFound,
    OutletForeign,
    OwnBenefit,
    VersionUnderway,
)
from talentseal.benefits.schemas import DraftBenefit, VersionInput
from talentseal.benefits.states import OUT, VERSION
from talentseal.clock import legal_date
from talentseal.partners.models import Outlet

_B = BenefitState


def draft(session: Session, actor: Actor, command: DraftBenefit, *, now: datetime) -> BenefitVersion:
    """Draft a new benefit of the actor's organisation. Raises NotPermitted, CategoryRefused, OutletForeign,
    BenefitExists.
    """
    actor.require(Permission.BENEFIT_OWN)
    guards.check_provider(actor, command.category)
    benefit = Benefit(
        id=secrets.token_hex(16),
        organisation_id=actor.organisation_id,
        number=command.number,
        category=command.category,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(benefit)
    except IntegrityError:
        raise BenefitExists(number=command.number) from None
    return _enter(session, actor, benefit, 1, command.version, now=now)


def revise(
    session: Session, actor: Actor, benefit_id: str, command: VersionInput, *, now: datetime
) -> BenefitVersion:
    """Draft the next version of a benefit, or write its draft anew.

    Raises NotPermitted, BenefitNotFound, CategoryRefused, OutletForeign, VersionUnderway.
    """
    benefit = _own(session, actor, benefit_id)
    guards.check_provider(actor, benefit.category)
    last = _newest(session, benefit)
    if last.state is _B.DRAFT:
        return _rewrite(session, actor, last, command, now=now)
    if last.state is _B.REVIEW:
        raise VersionUnderway(number=last.number, state=last.state.value)
    return _enter(session, actor, benefit, last.number + 1, command, now=now)


def send_to_review(
    session: Session, actor: Actor, benefit_id: str, number: int, *, now: datetime
) -> BenefitVersion:
    """Let a draft be reviewed. Raises NotPermitted, BenefitNotFound, TransitionRefused."""
    version = _version(session, _own(session, actor, benefit_id), number)
    version = _move(session, version, _B.REVIEW, actor, now=now)
    version.proposed_by, version.proposed_at = actor.account_id, now
    session.flush()
    return version


def give_back(
    session: Session, actor: Actor, benefit_id: str, number: int, reason: str, *, now: datetime
) -> BenefitVersion:
    """Send a version back to its provider. Raises as `publish`, but for the guards."""
    _benefit, version = _reviewed(session, actor, benefit_id, number)
    return _move(session, version, _B.DRAFT, actor, reason, now=now)


def publish(session: Session, actor: Actor, benefit_id: str, number: int, *, now: datetime) -> BenefitVersion:
    """Publish a version under review: from its first day on it replaces the former one.

    Raises NotPermitted, BenefitNotFound, NotReviewer, OwnBenefit, TransitionRefused and what
    `guards.check_publication` raises.
    """
    benefit, version = _reviewed(session, actor, benefit_id, number)
    VERSION.require(version.state, _B.PUBLISHED)
    guards.check_publication(session, benefit, version, now=now)
    version.decided_by, version.published_at = actor.account_id, now
    _move(session, version, _B.PUBLISHED, actor, now=now)
    if version.starts_on <= legal_date(now):
        _replace(session, version, now)
    return version


def pause(
    session: Session, actor: Actor, benefit_id: str, number: int, reason: str, *, now: datetime
) -> BenefitVersion:
    """Let nothing be redeemed under a version for now: its provider, or whoever reviews it.

    Raises NotPermitted, BenefitNotFound, TransitionRefused.
    """
    version = _version(session, _either(session, actor, benefit_id), number)
    return _move(session, version, _B.PAUSED, actor, reason, now=now)


def resume(session: Session, actor: Actor, benefit_id: str, number: int, *, now: datetime) -> BenefitVersion:
    """Let a paused version be redeemed again: whoever reviews it, who is not the one that proposed it.

    Raises as `publish`.
    """
    benefit, version = _reviewed(session, actor, benefit_id, number)
    if version.state is not _B.PAUSED:
        VERSION.require(version.state, _B.PAUSED)
    guards.check_publication(session, benefit, version, now=now)
    return _move(session, version, _B.PUBLISHED, actor, now=now)


def withdraw(
    session: Session, actor: Actor, benefit_id: str, number: int, reason: str, *, now: datetime
) -> BenefitVersion:
    """End a version for good: its provider. Raises NotPermitted, BenefitNotFound, TransitionRefused."""
    version = _version(session, _own(session, actor, benefit_id), number)
    return _end(session, version, _B.WITHDRAWN, actor, reason, now=now)


def apply_day(session: Session, day: date, now: datetime) -> int:
    """End versions whose term is over or whose successor's first day has come; answers how many.

    Safe to repeat, for any day that has come.
    """
    due = select(BenefitVersion).where(BenefitVersion.state.in_(OUT), BenefitVersion.ends_on < day)
    found = list(session.scalars(due.with_for_update(key_share=True)))
    for version in found:
        _end(session, version, _B.EXPIRED, None, None, now=now)
    former = aliased(BenefitVersion)
    replaced = select(former.id).where(
        former.benefit_id == BenefitVersion.benefit_id,
        former.number < BenefitVersion.number,
        former.state.in_(OUT),
    )
    started = select(BenefitVersion).where(
        BenefitVersion.state.in_(OUT), BenefitVersion.starts_on <= day, replaced.exists()
    )
    return len(found) + sum(_replace(session, version, now) for version in list(session.scalars(started)))


def apply_budgets(session: Session, day: date, now: datetime) -> int:
    """Let versions be EXHAUSTED whose budget of `day` is used up, and PUBLISHED again whose budget is not.

    Answers how many moved; safe to repeat.
    """
    out = select(BenefitVersion).where(BenefitVersion.state.in_({_B.PUBLISHED, _B.EXHAUSTED}))
    budgeted = select(Budget.id).where(Budget.benefit_id == BenefitVersion.benefit_id).exists()
    return sum(
        _follow_budget(session, version, day, now)
        for version in session.scalars(out.where(budgeted).with_for_update(key_share=True))
    )


def follow_budget(session: Session, benefit_id: str, *, now: datetime) -> None:
    """Let a benefit's versions follow a budget that was just changed; the caller holds the benefit."""
    out = select(BenefitVersion).where(
        BenefitVersion.benefit_id == benefit_id, BenefitVersion.state.in_({_B.PUBLISHED, _B.EXHAUSTED})
    )
    for version in session.scalars(out.with_for_update(key_share=True)):
        _follow_budget(session, version, legal_date(now), now)


def columns_of(command: VersionInput) -> dict[str, Any]:
    """What a version says, by the columns of its table; its matrix and outlets have tables of their own."""
    apart = {"tiers", "outlets", "showings", "agreement", "stipulation", "measure"}
    return {
        **command.model_dump(exclude=apart),
        "showings": " ".join(command.showings),
        "agreement_id": command.agreement,
        "stipulation_position": command.stipulation,
        "measure_id": command.measure,
    }


def held(session: Session, benefit_id: str) -> Benefit:
    """A benefit, held until the commit. Raises BenefitNotFound."""
    benefit = session.get(Benefit, benefit_id, with_for_update={"key_share": True})
    if benefit is None:
        raise BenefitNotFound
    return benefit


def found(session: Session, benefit_id: str) -> Benefit:
    """A benefit, to be read. Raises BenefitNotFound."""
    benefit = session.get(Benefit, benefit_id)
    if benefit is None:
        raise BenefitNotFound
    return benefit


def proposers(session: Session, version: BenefitVersion) -> frozenset[str | None]:
    """Who may not review a version: whoever drafted it or sent it to review."""
    first = select(BenefitStep.by).where(BenefitStep.version_id == version.id, BenefitStep.number == 1)
    return frozenset({version.proposed_by, session.scalar(first)})


def _follow_budget(session: Session, version: BenefitVersion, day: date, now: datetime) -> bool:
    used_up = select(Budget.id).where(
        Budget.benefit_id == version.benefit_id,
        Budget.starts_on <= day,
        Budget.ends_on >= day,
        or_(Budget.used_units >= Budget.limit_units, Budget.used_fen >= Budget.limit_fen),
    )
    is_used_up = session.scalar(used_up.limit(1)) is not None
    if is_used_up is (version.state is _B.EXHAUSTED):
        return False
    _move(session, version, _B.EXHAUSTED if is_used_up else _B.PUBLISHED, None, now=now)
    return True


def _replace(session: Session, version: BenefitVersion, now: datetime) -> int:
    """End the versions that `version` replaces; how many."""
    former = select(BenefitVersion).where(
        BenefitVersion.benefit_id == version.benefit_id,
        BenefitVersion.number < version.number,
        BenefitVersion.state.in_(OUT),
    )
    ended = list(session.scalars(former.with_for_update(key_share=True)))
    for each in ended:
        _end(session, each, _B.EXPIRED, None, f"由第 {version.number} 版接替", now=now)
    return len(ended)


def _own(session: Session, actor: Actor, benefit_id: str) -> Benefit:
    """The actor's own benefit, held. Raises NotPermitted, BenefitNotFound."""
    actor.require(Permission.BENEFIT_OWN)
    benefit = held(session, benefit_id)
    if benefit.organisation_id != actor.organisation_id:
        raise BenefitNotFound
    return benefit


def _either(session: Session, actor: Actor, benefit_id: str) -> Benefit:
    """The actor's own benefit or one that is his to review, held."""
    benefit = held(session, benefit_id)
    if benefit.organisation_id == actor.organisation_id:
        actor.require(Permission.BENEFIT_OWN)
    else:
        actor.require(Permission.BENEFIT_REVIEW)
        guards.check_reviewer(session, actor, benefit)
    return benefit


def _reviewed(session: Session, actor: Actor, benefit_id: str, number: int) -> tuple[Benefit, BenefitVersion]:
    """Raises NotPermitted, BenefitNotFound, NotReviewer, OwnBenefit."""
    actor.require(Permission.BENEFIT_REVIEW)
    benefit = held(session, benefit_id)
    guards.check_reviewer(session, actor, benefit)
    version = _version(session, benefit, number)
    if actor.account_id in proposers(session, version):
        raise OwnBenefit
    return benefit, version


def _newest(session: Session, benefit: Benefit) -> BenefitVersion:
    query = select(BenefitVersion).where(BenefitVersion.benefit_id == benefit.id)
    return session.scalars(query.order_by(BenefitVersion.number.desc()).limit(1)).one()


def _version(session: Session, benefit: Benefit, number: int) -> BenefitVersion:
    query = select(BenefitVersion).where(
        BenefitVersion.benefit_id == benefit.id, BenefitVersion.number == number
    )
    version = session.scalars(query.with_for_update(key_share=True)).one_or_none()
    if version is None:
        raise BenefitNotFound
    return version


def _enter(
    session: Session, actor: Actor, benefit: Benefit, number: int, command: VersionInput, *, now: datetime
) -> BenefitVersion:
    version = BenefitVersion(id=secrets.token_hex(16), benefit_id=benefit.id, number=number, state=_B.DRAFT)
    _write(session, actor, version, command, now=now)
    _note(session, version, actor.account_id, None, now)
    return version


def _rewrite(
    session: Session, actor: Actor, version: BenefitVersion, command: VersionInput, *, now: datetime
) -> BenefitVersion:
    for table in (BenefitTier, BenefitOutlet):
        session.execute(delete(table).where(table.version_id == version.id))
    _write(session, actor, version, command, now=now)
    return version


def _write(
    session: Session, actor: Actor, version: BenefitVersion, command: VersionInput, *, now: datetime
) -> None:
    """Let a draft say what `command` says. Raises OutletForeign."""
    _check_outlets(session, actor, command.outlets)
    for name, value in columns_of(command).items():
        setattr(version, name, value)
    version.proposed_by, version.proposed_at = actor.account_id, now
    session.add(version)
    session.flush()
    session.add_all(
        BenefitTier(version_id=version.id, tier=tier, starts_on=first, ends_on=last, quota=quota or None)
        for tier, first, last, quota in command.lines()
    )
    session.add_all(BenefitOutlet(version_id=version.id, outlet_id=each) for each in command.outlets)
    session.flush()


def _check_outlets(session: Session, actor: Actor, outlets: Iterable[str]) -> None:
    named = set(outlets)
    query = select(Outlet.id).where(
        Outlet.id.in_(named), Outlet.organisation_id == actor.organisation_id, Outlet.closed_at.is_(None)
    )
    if named - set(session.scalars(query)):
        raise OutletForeign


def _end(
    session: Session,
    version: BenefitVersion,
    after: BenefitState,
    actor: Actor | None,
    reason: str | None,
    *,
    now: datetime,
) -> BenefitVersion:
    version.ended_at = now
    return _move(session, version, after, actor, reason, now=now)


def _move(
    session: Session,
    version: BenefitVersion,
    after: BenefitState,
    actor: Actor | None,
    reason: str | None = None,
    *,
    now: datetime,
) -> BenefitVersion:
    """Raises TransitionRefused."""
    VERSION.require(version.state, after)
    version.state = after
    _note(session, version, actor.account_id if actor else None, reason, now)
    return version


def _note(
    session: Session, version: BenefitVersion, by: str | None, reason: str | None, now: datetime
) -> None:
    count = select(func.count()).select_from(BenefitStep).where(BenefitStep.version_id == version.id)
    number = (session.scalar(count) or 0) + 1
    session.add(
        BenefitStep(version_id=version.id, number=number, state=version.state, by=by, at=now, reason=reason)
    )
    session.flush()
