"""Rules of suspension (Article 13): drafted, signed by every side over one text, in force from a moment on.

A version needs one signature of the talent office, one of the big-data bureau and one of each partner of its
partner side. Nobody's silence counts, and another text is another version with no signatures.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sealproof import secp256k1
from sealproof.errors import ProofError
from talentseal import evidence
from talentseal.accounts.models import Organisation, OrganisationKind
from talentseal.accounts.roles import Actor, Permission, Role
from talentseal.errors import Conflict, Invalid, NotFound
from talentseal.partners import service as partners
from talentseal.policy import reading
from talentseal.policy.effects import Deed
from talentseal.policy.service import OwnProposal
from talentseal.sanctions import deadlines
from talentseal.sanctions.events import SuspensionRuleApproved
from talentseal.sanctions.models import RuleSignature, SuspensionRule
from talentseal.sanctions.schemas import GiveSignature, Refuse, RuleText, statement_of
from talentseal.sanctions.states import RULE, RuleState
from talentseal.sanctions.triggers import Trigger

OFFICES: Final = (Role.TALENT_OFFICE, Role.BIG_DATA_BUREAU)
"""Whose one signature each every rule needs, beside the partner side's."""

PARTNER_KINDS: Final = frozenset(OrganisationKind) - {
    OrganisationKind.THIRD_PARTY,
    OrganisationKind.OPERATOR,
    OrganisationKind.GOVERNMENT,
    OrganisationKind.AUDITOR,
}
"""Kinds of organisations that may stand on a rule's partner side."""


class RuleNotFound(NotFound):
    code = "suspension-rule-not-found"
    zh = "没有找到该暂停规则，或贵单位无权查看。请核对编号。"
    en = "There is no such rule of suspension, or it is not yours to see; check the number."


class PartnerUnknown(Invalid):
    code = "rule-partner-unknown"
    zh = "规则所列单位 {organisation} 不是在册的合作单位。请核对后重新起草。"
    en = "{organisation}, which the rule names, is no partner on the books; check it and draft again."


class RuleOutdated(Conflict):
    code = "rule-version-outdated"
    zh = "该规则已有更新的第 {number} 版，此版不能再签署。请签署新版。"
    en = "The rule has a newer version, {number}, so this one is signed no more; sign that."


class RuleSideForeign(Conflict):
    code = "rule-side-foreign"
    zh = "贵单位不是该规则的签署方，签名不计入。请由规则所列各方签署。"
    en = "Your organisation is no side of this rule, so its signature does not count; its sides have to sign."


class RuleSideSigned(Conflict):
    code = "rule-side-signed"
    zh = "该方已经签署，每方只签一次。请刷新查看。"
    en = "This side has signed already, and each signs once; reload and look."


class RuleSignatureFalse(Invalid):
    code = "rule-signature-false"
    zh = "签名不是由贵单位现行有效的密钥对该版签署文本作出的。请用已登记的密钥对该文本重新签名（EIP-191）。"
    en = (
        "The signature is not by a valid key of your organisation over this version's statement; sign that "
        "text with a registered key (EIP-191)."
    )


class RuleAtOnce(Conflict):
    code = "rule-at-once"
    zh = "另有人刚起草了该规则的新版本。请刷新后再办。"
    en = "Someone else has just drafted a version of this rule; reload and decide again."


def draft(
    session: Session, actor: Actor, command: RuleText, *, rule: str | None = None, now: datetime
) -> SuspensionRule:
    """Enter a rule, or with `rule` its next version, without any signature.

    Raises NotPermitted, InstrumentExpired, RuleNotFound, PartnerUnknown, RuleAtOnce.
    """
    actor.require(Permission.RULE_DRAFT)
    reading.basis_of(session, Deed.NEW_SUSPENSION_RULE, now=now)
    _check_partners(session, command)
    number = _newest(session, rule) + 1 if rule else 1
    row = SuspensionRule(
        id=secrets.token_hex(16),
        rule=rule or secrets.token_hex(16),
        number=number,
        trigger=command.trigger,
        text=command.canonical_text(),
        sha256=command.sha256(),
        drafted_by=actor.account_id,
        drafted_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise RuleAtOnce from None
    return row


def statement(row: SuspensionRule, organisation_id: str) -> str:
    """What an organisation signs for this version."""
    return statement_of(row.rule, row.number, row.sha256, organisation_id)


def sign(
    session: Session, actor: Actor, rule: str, number: int, command: GiveSignature, *, now: datetime
) -> SuspensionRule:
    """Take the signature of the actor's side; with the last one the version is approved, with evidence.

    Sending the same again changes nothing. Raises NotPermitted, RuleNotFound, RuleSideForeign,
    RuleSideSigned, RuleOutdated, TransitionRefused, OwnProposal, RuleSignatureFalse, InstrumentExpired.
    """
    actor.require(Permission.RULE_SIGN)
    row = find(session, rule, number, lock=True)
    side, given = side_of(row, actor), signatures_of(session, row)
    if side in given:
        if given[side].signature == command.signature.lower():
            return row
        raise RuleSideSigned
    _check_open(session, row, RuleState.PARTLY_APPROVED, now)
    if row.drafted_by == actor.account_id:
        raise OwnProposal
    signer = _signer(statement(row, actor.organisation_id), command.signature)
    if not partners.is_valid(session, actor.organisation_id, signer, now=now):
        raise RuleSignatureFalse
    given[side] = RuleSignature(
        rule_version_id=row.id,
        side=side,
        organisation_id=actor.organisation_id,
        signer=signer,
        signature=command.signature.lower(),
        received_by=actor.account_id,
        received_at=now,
    )
    session.add(given[side])
    session.flush()
    if set(sides_of(row)) == set(given):
        RULE.require(RuleState.PARTLY_APPROVED, RuleState.APPROVED)
        _approve(session, row, [given[each] for each in sides_of(row)], now)
    return row


def refuse(
    session: Session, actor: Actor, rule: str, number: int, command: Refuse, *, now: datetime
) -> SuspensionRule:
    """Refuse a version on behalf of one of its sides: it can come into force no more.

    Raises NotPermitted, RuleNotFound, RuleSideForeign, RuleOutdated, TransitionRefused.
    """
    actor.require(Permission.RULE_SIGN)
    row = find(session, rule, number, lock=True)
    side_of(row, actor)
    _check_open(session, row, RuleState.REFUSED, now)
    row.refused_by, row.refused_at, row.refusal = actor.organisation_id, now, command.reason
    session.flush()
    return row


_ONE: Final = select(SuspensionRule).where(
    SuspensionRule.rule == bindparam("rule"), SuspensionRule.number == bindparam("number")
)


def find(session: Session, rule: str, number: int, *, lock: bool = False) -> SuspensionRule:
    """One version. lock: hold it until the commit. Raises RuleNotFound."""
    given = {"rule": rule, "number": number}
    row = session.scalars(_ONE.with_for_update() if lock else _ONE, given).one_or_none()
    if row is None:
        raise RuleNotFound
    return row


def text_of(row: SuspensionRule) -> RuleText:
    """The text as it was drafted."""
    return RuleText.model_validate_json(row.text)


def sides_of(row: SuspensionRule) -> list[str]:
    """Whose signatures it needs: the two offices by role, the partners by id."""
    return sides_in(text_of(row))


def sides_in(text: RuleText) -> list[str]:
    """The same of a text that was read."""
    return [*(role.name for role in OFFICES), *text.partner_set]


def side_of(row: SuspensionRule, actor: Actor) -> str:
    """For which side the actor signs. Raises RuleSideForeign."""
    side = actor.role.name if actor.role in OFFICES else actor.organisation_id
    if side not in sides_of(row):
        raise RuleSideForeign
    return side


def signatures_of(session: Session, row: SuspensionRule) -> dict[str, RuleSignature]:
    """The signatures given so far, by side."""
    return signatures_of_all(session, [row])[row.id]


_SIGNATURES: Final = select(RuleSignature).where(
    RuleSignature.rule_version_id.in_(bindparam("versions", expanding=True))
)


def signatures_of_all(
    session: Session, versions: Sequence[SuspensionRule]
) -> dict[str, dict[str, RuleSignature]]:
    """The same of many versions, by their ids."""
    found: dict[str, dict[str, RuleSignature]] = {row.id: {} for row in versions}
    for each in session.scalars(_SIGNATURES, {"versions": list(found)}) if found else ():
        found[each.rule_version_id][each.side] = each
    return found


def state_at(row: SuspensionRule, signed: int, now: datetime) -> RuleState:
    """Where a version stands. signed: how many sides have."""
    if row.refused_at is not None:
        return RuleState.REFUSED
    if row.in_force_from is None:
        return RuleState.PARTLY_APPROVED if signed else RuleState.DRAFT
    if row.superseded_from is not None and row.superseded_from <= now:
        return RuleState.SUPERSEDED
    return RuleState.IN_FORCE if row.in_force_from <= now else RuleState.APPROVED


def in_force_at(session: Session, trigger: Trigger, at: datetime) -> Sequence[SuspensionRule]:
    """The rules by which a fact of that moment is judged, whatever has become of the instrument since."""
    return session.scalars(
        select(SuspensionRule)
        .where(
            SuspensionRule.trigger == trigger,
            SuspensionRule.in_force_from <= at,
            or_(SuspensionRule.superseded_from.is_(None), SuspensionRule.superseded_from > at),
        )
        .order_by(SuspensionRule.in_force_from, SuspensionRule.id)
    ).all()


def _newest(session: Session, rule: str) -> int:
    number = session.scalar(select(func.max(SuspensionRule.number)).where(SuspensionRule.rule == rule))
    if number is None:
        raise RuleNotFound
    return number


def _check_partners(session: Session, command: RuleText) -> None:
    query = select(Organisation.id).where(
        Organisation.id.in_(command.partner_set), Organisation.kind.in_(PARTNER_KINDS)
    )
    known = set(session.scalars(query))
    for organisation in command.partner_set:
        if organisation not in known:
            raise PartnerUnknown(organisation=organisation)


def _check_open(session: Session, row: SuspensionRule, after: RuleState, now: datetime) -> None:
    RULE.require(state_at(row, len(signatures_of(session, row)), now), after)
    newest = _newest(session, row.rule)
    if newest != row.number:
        raise RuleOutdated(number=newest)


def _signer(text: str, signature: str) -> str:
    try:
        return secp256k1.recover(partners.personal_digest(text), bytes.fromhex(signature[2:]))
    except ProofError:
        raise RuleSignatureFalse from None


def _approve(session: Session, row: SuspensionRule, given: list[RuleSignature], now: datetime) -> None:
    """All sides have signed: it comes into force on its day, though never before now nor its forerunner."""
    basis = reading.basis_of(session, Deed.NEW_SUSPENSION_RULE, now=now)
    earlier = select(SuspensionRule).where(
        SuspensionRule.rule == row.rule,
        SuspensionRule.in_force_from.is_not(None),
        SuspensionRule.superseded_from.is_(None),
    )
    former = session.scalars(earlier.with_for_update()).one_or_none()
    starts = [now, deadlines.start_of(text_of(row).effective_from)]
    if former is not None and former.in_force_from is not None:
        starts.append(former.in_force_from)
    row.approved_at, row.in_force_from = now, max(starts)
    if former is not None:
        former.superseded_from = row.in_force_from
    told = SuspensionRuleApproved(
        rule=row.rule,
        version=row.number,
        text_sha256=row.sha256,
        in_force_from=row.in_force_from,
        signatures=tuple(f"{each.organisation_id} {each.signer} {each.signature}" for each in given),
        instrument=basis.instrument,
        instrument_version=basis.number,
        article=basis.article,
    )
    row.version_id, row.article = basis.version_id, basis.article
    row.record_id = evidence.record(session, told, now=now).id
    session.flush()
