"""What each may read of rules, cases and terminations.

Rules are read by the bodies that set them, a partner those of its own side. Cases are read by those who
decide and by the holder, whose reasons and statements nobody else is ever shown; whoever proposed a
termination sees how it stands and no more.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.db import rows
from talentseal.errors import NotPermitted
from talentseal.partners import service as partners
from talentseal.sanctions import cases, facts, rules, terminations
from talentseal.sanctions.cases import CaseNotFound
from talentseal.sanctions.models import RuleSignature, SuspensionCase, SuspensionRule, TerminationCase
from talentseal.sanctions.rules import OFFICES, RuleNotFound
from talentseal.sanctions.schemas import (
    CaseLine,
    CaseList,
    CaseView,
    FactView,
    RuleList,
    RuleText,
    RuleView,
    SideView,
    StatementView,
    StepView,
    TerminationLine,
    TerminationList,
    TerminationView,
)
from talentseal.sanctions.states import CaseState, RuleState, TerminationState
from talentseal.sanctions.terminations import TerminationNotFound
from talentseal.sanctions.triggers import Reach
from talentseal.talents import people
from talentseal.talents.models import AccessPurpose, FieldGroup, TalentCode
from talentseal.talents.review_models import ReviewState, ReviewTask
from talentseal.talents.reviews import ReviewNotFound
from talentseal.vault import Vault

_RULES: Final = select(SuspensionRule).order_by(SuspensionRule.drafted_at.desc())
_VERSIONS: Final = (
    select(SuspensionRule)
    .where(SuspensionRule.rule == bindparam("rule"))
    .order_by(SuspensionRule.number.desc())
)
_NEWEST: Final = select(func.max(SuspensionRule.number)).where(SuspensionRule.rule == bindparam("rule"))


def rule_list(session: Session, actor: Actor, *, now: datetime) -> RuleList:
    """The newest version of each rule the actor may read, and the one in force where that is another.

    Raises NotPermitted.
    """
    _require_rules(actor)
    found = session.scalars(_RULES).all()
    newest: dict[str, int] = {}
    for row in found:
        newest[row.rule] = max(row.number, newest.get(row.rule, 0))
    views = _rules(session, actor, found, newest, now)
    return RuleList(
        items=[each for each in views if each.version == each.newest or each.state is RuleState.IN_FORCE]
    )


def rule_versions(session: Session, actor: Actor, rule: str, *, now: datetime) -> list[RuleView]:
    """Every version of a rule, the newest first. Raises NotPermitted, RuleNotFound."""
    _require_rules(actor)
    found = session.scalars(_VERSIONS, {"rule": rule}).all()
    views = _rules(session, actor, found, {rule: found[0].number} if found else {}, now)
    if not views:
        raise RuleNotFound
    return views


def rule_view(session: Session, actor: Actor, rule: str, number: int, *, now: datetime) -> RuleView:
    """One version. Raises NotPermitted, RuleNotFound."""
    row = readable(session, actor, rule, number)
    ((newest,),) = rows(session, _NEWEST, rule=rule)
    return _rules(session, actor, [row], {rule: newest}, now)[0]


def readable(session: Session, actor: Actor, rule: str, number: int) -> SuspensionRule:
    """One version that the actor may read. Raises NotPermitted, RuleNotFound."""
    _require_rules(actor)
    row = rules.find(session, rule, number)
    if not _may_read(actor, row):
        raise RuleNotFound
    return row


def statement(session: Session, actor: Actor, rule: str, number: int, *, now: datetime) -> StatementView:
    """What the actor's organisation is to sign. Raises NotPermitted, RuleNotFound, RuleSideForeign."""
    actor.require(Permission.RULE_SIGN)
    row = readable(session, actor, rule, number)
    rules.side_of(row, actor)
    return StatementView(
        rule=row.rule,
        version=row.number,
        text=rules.text_of(row),
        text_sha256=row.sha256,
        organisation=actor.organisation_id,
        statement=rules.statement(row, actor.organisation_id),
        signers=partners.valid_addresses(session, now=now).get(actor.organisation_id, []),
    )


def _require_rules(actor: Actor) -> None:
    if not (actor.may(Permission.RULE_SIGN) or actor.may(Permission.RULE_DRAFT)):
        raise NotPermitted(permission=Permission.RULE_SIGN.value)


def _may_read(actor: Actor, row: SuspensionRule) -> bool:
    return _is_open_to(actor, rules.text_of(row))


def _is_open_to(actor: Actor, text: RuleText) -> bool:
    return actor.role in OFFICES or actor.organisation_id in text.partner_set


def _rules(
    session: Session,
    actor: Actor,
    versions: Sequence[SuspensionRule],
    newest: Mapping[str, int],
    now: datetime,
) -> list[RuleView]:
    """Those of the versions that the actor may read. newest: the number of each rule's newest version."""
    read = [(row, rules.text_of(row)) for row in versions]
    shown = [(row, text) for row, text in read if _is_open_to(actor, text)]
    given = rules.signatures_of_all(session, [row for row, _ in shown])
    named = {partner for _, text in shown for partner in text.partner_set}
    names = names_of(session, named | {row.refused_by for row, _ in shown if row.refused_by})
    return [
        _rule(actor, row, text, given[row.id], names, newest=newest[row.rule], now=now) for row, text in shown
    ]


def _rule(
    actor: Actor,
    row: SuspensionRule,
    text: RuleText,
    given: Mapping[str, RuleSignature],
    names: Mapping[str, str],
    *,
    newest: int,
    now: datetime,
) -> RuleView:
    offices = {role.name for role in OFFICES}
    own = actor.role.name if actor.role in OFFICES else actor.organisation_id
    return RuleView(
        rule=row.rule,
        version=row.number,
        newest=newest,
        state=rules.state_at(row, len(given), now),
        text=text,
        text_sha256=row.sha256,
        drafted_at=row.drafted_at,
        sides=[
            SideView(
                side=side,
                name=None if side in offices else names.get(side, side),
                signer=given[side].signer if side in given else None,
                signed_at=given[side].received_at if side in given else None,
                mine=side == own,
            )
            for side in rules.sides_in(text)
        ],
        refused_by=names.get(row.refused_by, row.refused_by) if row.refused_by else None,
        refusal=row.refusal,
        in_force_from=row.in_force_from,
        superseded_from=row.superseded_from,
        record=row.record_id,
    )


_NAMES: Final = select(Organisation.id, Organisation.name).where(
    Organisation.id.in_(bindparam("organisations", expanding=True))
)


def names_of(session: Session, organisations: Collection[str]) -> dict[str, str]:
    """What organisations are called, by id."""
    return dict(rows(session, _NAMES, organisations=list(organisations))) if organisations else {}


def case_list(
    session: Session, actor: Actor, *, state: CaseState | None = None, after: str = "", limit: int
) -> CaseList:
    """Every case, the newest first, behind the one of id `after`. Raises NotPermitted."""
    actor.require(Permission.CASE_DECIDE)
    query = select(SuspensionCase)
    if state is not None:
        query = query.where(SuspensionCase.state == state)
    if last := session.get(SuspensionCase, after) if after else None:
        place = tuple_(SuspensionCase.opened_at, SuspensionCase.id)
        query = query.where(place < (last.opened_at, last.id))
    ordered = query.order_by(SuspensionCase.opened_at.desc(), SuspensionCase.id.desc())
    found = session.scalars(ordered.limit(limit + 1)).all()
    return CaseList(
        items=[_line(session, row) for row in found[:limit]],
        next=found[limit - 1].id if len(found) > limit else None,
    )


def case_view(session: Session, actor: Actor, vault: Vault, case_id: str, *, now: datetime) -> CaseView:
    """One case as those who decide open it, with the trace of that for the holder.

    Raises NotPermitted, CaseNotFound.
    """
    actor.require(Permission.CASE_DECIDE)
    row = session.get(SuspensionCase, case_id)
    if row is None:
        raise CaseNotFound
    talent = _opened(session, actor, row.code_id, now)
    return _case(session, vault, row, actor, talent)


def own_case(session: Session, actor: Actor, vault: Vault, case_id: str) -> CaseView:
    """One case against the actor's own code. Raises NotPermitted, CaseNotFound."""
    row = session.get(SuspensionCase, case_id)
    if row is None or row.code_id not in _own_codes(session, actor):
        raise CaseNotFound
    return _case(session, vault, row, None, "")


def own_cases(session: Session, actor: Actor) -> list[CaseLine]:
    """Every case against the actor's own codes, the newest first. Raises NotPermitted."""
    query = select(SuspensionCase).where(SuspensionCase.code_id.in_(_own_codes(session, actor)))
    found = session.scalars(query.order_by(SuspensionCase.opened_at.desc(), SuspensionCase.id))
    return [_line(session, row) for row in found]


_CODES: Final = select(TalentCode.id).where(TalentCode.talent_id == bindparam("talent"))


def _own_codes(session: Session, actor: Actor) -> list[str]:
    actor.require(Permission.SANCTION_OWN)
    talent = people.of_account(session, actor)
    return [code for (code,) in rows(session, _CODES, talent=talent.id)]


def _line(session: Session, row: SuspensionCase) -> CaseLine:
    return CaseLine(**_line_fields(row, rules.text_of(cases.rule_of(session, row))))


def _line_fields(row: SuspensionCase, text: RuleText) -> dict[str, Any]:
    """What a line and a full view have in common."""
    return {
        "id": row.id,
        "state": row.state,
        "title": text.title,
        "trigger": text.trigger,
        "opened_at": row.opened_at,
        "statement_through": row.statement_through,
        "provisional_until": row.provisional_until,
        "suspended_through": row.suspended_through,
        "appeal_through": row.appeal_through,
    }


_REFERRAL: Final = select(TerminationCase.id).where(TerminationCase.case_id == bindparam("case"))


def _case(session: Session, vault: Vault, row: SuspensionCase, judge: Actor | None, talent: str) -> CaseView:
    """judge: who decides; None for the holder, who is shown neither his own name nor who reported.

    talent: id of the holder, for whoever decides.
    """
    rule = cases.rule_of(session, row)
    text = rules.text_of(rule)
    found = cases.facts_of(session, row.id)
    named = [text.scope.value] if text.scope.reach is Reach.PARTNER and text.scope.value else []
    names = names_of(session, [*named, *(each.organisation_id for each in found if each.organisation_id)])
    return CaseView(
        **_line_fields(row, text),
        rule=rule.rule,
        version=rule.number,
        wording=text.wording,
        scope=text.scope,
        partner=names.get(named[0]) if named else None,
        statement_from=row.statement_from,
        stated=row.stated_at is not None,
        decided_by_me=judge is not None and row.decided_by == judge.account_id,
        referral=next((found for (found,) in rows(session, _REFERRAL, case=row.id)), None),
        holder=_holder(session, vault, talent) if judge else None,
        facts=[
            FactView(
                id=each.id,
                trigger=each.trigger,
                occurred_at=each.occurred_at,
                cured_at=each.cured_at,
                where=names.get(each.organisation_id) if each.organisation_id else None,
                note=facts.note_of(vault, each) if judge else None,
            )
            for each in found
        ],
        steps=[
            StepView(act=each.act.value, at=each.at, role=each.role, said=cases.said_in(vault, each))
            for each in cases.steps_of(session, row.id)
        ],
        record=row.record_id,
        lifting_record=row.lifting_record_id,
    )


_HOLDER: Final = select(TalentCode.talent_id).where(TalentCode.id == bindparam("code"))


def _opened(session: Session, actor: Actor, code_id: str, now: datetime) -> str:
    """The id of the code's holder, with the trace for him that his case was opened."""
    ((talent,),) = rows(session, _HOLDER, code=code_id)
    people.note_access(session, actor, talent, AccessPurpose.CASE, {FieldGroup.BASIC}, now=now)
    return talent


def _holder(session: Session, vault: Vault, talent: str) -> str:
    """The holder's surname, masked."""
    name = people.fields_of(session, vault, talent, FieldGroup.BASIC).get("full_name", "")
    return people.masked(name) if name else ""


def termination_list(
    session: Session,
    actor: Actor,
    *,
    state: TerminationState | None = None,
    after: str = "",
    limit: int,
) -> TerminationList:
    """Terminations, the newest first, behind the one of id `after`: all of them for those who decide or
    confirm, those it proposed for another body. Raises NotPermitted.
    """
    query = _visible(actor)
    if state is not None:
        query = query.where(TerminationCase.state == state)
    if last := session.get(TerminationCase, after) if after else None:
        place = tuple_(TerminationCase.proposed_at, TerminationCase.id)
        query = query.where(place < (last.proposed_at, last.id))
    ordered = query.order_by(TerminationCase.proposed_at.desc(), TerminationCase.id.desc())
    found = session.scalars(ordered.limit(limit + 1)).all()
    return TerminationList(
        items=[_termination_line(row) for row in found[:limit]],
        next=found[limit - 1].id if len(found) > limit else None,
    )


def termination_view(
    session: Session, actor: Actor, vault: Vault, termination_id: str, *, now: datetime
) -> TerminationView:
    """One termination as it is opened, with the trace of that for the holder. Whoever only proposed it is
    shown how it stands, without what was said.

    Raises NotPermitted, TerminationNotFound.
    """
    query = _visible(actor).where(TerminationCase.id == termination_id)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise TerminationNotFound
    judges = actor.may(Permission.TERMINATION_DECIDE) or actor.may(Permission.TERMINATION_CONFIRM)
    talent = _opened(session, actor, row.code_id, now) if judges else ""
    return _termination(session, vault, row, actor, talent, told=judges)


def own_termination(session: Session, actor: Actor, vault: Vault, termination_id: str) -> TerminationView:
    """One termination of the actor's own code, once he was notified. Raises NotPermitted,
    TerminationNotFound.
    """
    row = session.get(TerminationCase, termination_id)
    if row is None or row.code_id not in _own_codes(session, actor) or row.statement_from is None:
        raise TerminationNotFound
    return _termination(session, vault, row, actor, "", told=True)


def own_terminations(session: Session, actor: Actor) -> list[TerminationLine]:
    """Every termination of the actor's own codes that he was notified of. Raises NotPermitted."""
    query = select(TerminationCase).where(
        TerminationCase.code_id.in_(_own_codes(session, actor)), TerminationCase.statement_from.is_not(None)
    )
    found = session.scalars(query.order_by(TerminationCase.proposed_at.desc(), TerminationCase.id))
    return [_termination_line(row) for row in found]


def finding(
    session: Session, actor: Actor, vault: Vault, termination_id: str, finding_id: str, *, now: datetime
) -> bytes:
    """The PDF of a finding for those who decide or confirm, with the trace of that for the holder, and for
    himself once he was notified. Raises NotPermitted, TerminationNotFound, FindingNotFound.
    """
    if actor.may(Permission.SANCTION_OWN):
        own_termination(session, actor, vault, termination_id)
        return terminations.plain_of(session, vault, termination_id, finding_id)
    if not actor.may(Permission.TERMINATION_CONFIRM):
        actor.require(Permission.TERMINATION_DECIDE)
    row = session.get(TerminationCase, termination_id)
    if row is None:
        raise TerminationNotFound
    plain = terminations.plain_of(session, vault, termination_id, finding_id)
    talent = session.get_one(TalentCode, row.code_id).talent_id
    groups = {FieldGroup.BASIC}
    people.note_access(session, actor, talent, AccessPurpose.CASE, groups, document_id=finding_id, now=now)
    return plain


def proposed_for(session: Session, actor: Actor, review_id: str) -> tuple[ReviewState, str | None]:
    """Where a review stands, and the termination that was proposed for it. Raises NotPermitted,
    ReviewNotFound.
    """
    actor.require(Permission.TERMINATION_DECIDE)
    review = session.get(ReviewTask, review_id)
    if review is None:
        raise ReviewNotFound
    query = select(TerminationCase.id).where(TerminationCase.review_id == review_id)
    return review.state, session.scalar(query)


def _visible(actor: Actor) -> Select[TerminationCase]:
    query = select(TerminationCase)
    if actor.may(Permission.TERMINATION_DECIDE) or actor.may(Permission.TERMINATION_CONFIRM):
        return query
    actor.require(Permission.TERMINATION_PROPOSE)
    return query.where(TerminationCase.proposed_for == actor.organisation_id)


def _termination_line(row: TerminationCase) -> TerminationLine:
    return TerminationLine(
        id=row.id,
        state=row.state,
        ground=row.ground,
        proposed_at=row.proposed_at,
        statement_through=row.statement_through,
        effective_on=row.effective_on,
        appeal_through=row.appeal_through,
    )


def _termination(
    session: Session, vault: Vault, row: TerminationCase, actor: Actor, talent: str, *, told: bool
) -> TerminationView:
    """talent: id of the holder, for those who decide."""
    deciders = terminations.deciders_of(session, row)
    steps = terminations.steps_of(session, row.id) if told else []
    return TerminationView(
        **_termination_line(row).model_dump(),
        article=row.ground.article,
        case=row.case_id if told else None,
        review=row.review_id if told else None,
        holder=_holder(session, vault, talent) if talent else None,
        resolution=row.resolution,
        confirmation=row.confirmation,
        findings=terminations.findings_of(session, vault, row.id) if told else [],
        decisions=len(deciders),
        proposed_by_me=row.proposed_by == actor.account_id,
        decided_by_me=actor.account_id in deciders,
        stated=row.stated_at is not None,
        statement_from=row.statement_from,
        ended=row.ended_at is not None,
        steps=[
            StepView(act=each.act.value, at=each.at, role=each.role, said=terminations.said_in(vault, each))
            for each in steps
        ],
        record=row.record_id,
        annulment_record=row.annulment_record_id,
    )
