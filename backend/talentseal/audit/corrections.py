"""Correcting and retracting earlier records: never by changing them, only by a later record that says so.

The rules are those of the domain specification §2.4: the target exists, is of an allowed kind and not already
closed by the same relation; references run backwards without a cycle; whoever closes a record is of at least
the signer class that made it.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from types import MappingProxyType
from typing import ClassVar, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sealproof.entry import Relation
from talentseal import evidence
from talentseal.accounts.roles import Actor, Permission, Role
from talentseal.audit import visibility
from talentseal.audit.events import Correction, CorrectionReason, Retraction
from talentseal.audit.models import RecordClosure
from talentseal.errors import Conflict, NotPermitted
from talentseal.evidence import records
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.records import Recorded


class SignerClass(IntEnum):
    """Who stands behind a record; a higher class may correct what a lower or equal one made, never the
    reverse.
    """

    PLATFORM = 10
    PARTY = 20
    OPERATOR = 30
    ALL_PARTIES = 40
    DECIDING_BODY = 50
    LEADING_GROUP = 60
    MANAGEMENT_COMMITTEE = 70


CLASS_OF_ROLE: Final[Mapping[Role, SignerClass]] = MappingProxyType(
    {
        Role.AUDITOR: SignerClass.PLATFORM,
        Role.TALENT: SignerClass.PLATFORM,
        Role.PARTNER: SignerClass.PARTY,
        Role.THIRD_PARTY: SignerClass.PARTY,
        Role.OPERATOR: SignerClass.OPERATOR,
        Role.BUREAU: SignerClass.DECIDING_BODY,
        Role.BIG_DATA_BUREAU: SignerClass.DECIDING_BODY,
        Role.FINANCIAL_AFFAIRS_BUREAU: SignerClass.DECIDING_BODY,
        Role.TALENT_OFFICE: SignerClass.DECIDING_BODY,
        Role.LEADING_GROUP: SignerClass.LEADING_GROUP,
        Role.MANAGEMENT_COMMITTEE: SignerClass.MANAGEMENT_COMMITTEE,
    }
)

CLASS_OF_KIND: Final[Mapping[int, SignerClass]] = MappingProxyType(
    {
        **dict.fromkeys((10, 11, 12, 13, 20), SignerClass.ALL_PARTIES),
        14: SignerClass.DECIDING_BODY,
        21: SignerClass.PARTY,
        22: SignerClass.PARTY,
        **dict.fromkeys((23, 24, 25), SignerClass.DECIDING_BODY),
        **dict.fromkeys((30, 31, 32), SignerClass.PARTY),
        **dict.fromkeys((40, 41, 42, 43, 44), SignerClass.DECIDING_BODY),
        50: SignerClass.MANAGEMENT_COMMITTEE,
        51: SignerClass.LEADING_GROUP,
        52: SignerClass.MANAGEMENT_COMMITTEE,
        60: SignerClass.OPERATOR,
        61: SignerClass.DECIDING_BODY,
        62: SignerClass.PARTY,
        70: SignerClass.PARTY,
        71: SignerClass.PARTY,
    }
)
"""Kinds that may be corrected or retracted, and who signs them. The rest (80 and above, but for corrections
themselves, whose class is stored) is the machinery's own and is closed by nothing."""


class AlreadyClosed(Conflict):
    code: ClassVar[str] = "record-already-closed"
    zh: ClassVar[str] = "该记录已被同类关系（{relation}）处理过，不能重复。"
    en: ClassVar[str] = "The record has already been closed by {relation}; it cannot be twice."


class KindNotClosable(Conflict):
    code: ClassVar[str] = "record-kind-not-closable"
    zh: ClassVar[str] = "种类 {kind} 的记录不能更正或撤回。"
    en: ClassVar[str] = "A record of kind {kind} cannot be corrected or retracted."


class SignerClassTooLow(NotPermitted):
    code: ClassVar[str] = "signer-class-too-low"
    zh: ClassVar[str] = (
        "您的签署级别（{given}）低于该记录的级别（{needed}），不能更正或撤回，请由相应机构办理。"
    )
    en: ClassVar[str] = "Your signer class ({given}) is below the record's ({needed}); such a body must act."


class ReferenceCycle(Conflict):
    code: ClassVar[str] = "reference-cycle"
    zh: ClassVar[str] = "记录之间的引用形成循环，已拒绝。请联系运营机构。"
    en: ClassVar[str] = "The references between the records run in a circle; refused. Contact the operator."


def correct(
    session: Session,
    actor: Actor,
    record_id: str,
    reason: CorrectionReason,
    explanation: str,
    *,
    now: datetime,
) -> Recorded:
    """Record that an earlier record was wrong from the start. Raises as `_close`."""
    event = Correction(reason, explanation, actor.role.value)
    return _close(session, actor, record_id, event, Relation.CORRECTS, now=now)


def retract(
    session: Session,
    actor: Actor,
    record_id: str,
    reason: CorrectionReason,
    explanation: str,
    *,
    now: datetime,
) -> Recorded:
    """Record that an earlier record should never have been made. Raises as `_close`."""
    event = Retraction(reason, explanation, actor.role.value)
    return _close(session, actor, record_id, event, Relation.RETRACTS, now=now)


def _close(
    session: Session,
    actor: Actor,
    record_id: str,
    event: Correction | Retraction,
    relation: Relation,
    *,
    now: datetime,
) -> Recorded:
    """Raises NotPermitted, RecordNotFound, KindNotClosable, SignerClassTooLow, AlreadyClosed,
    ReferenceCycle.
    """
    actor.require(Permission.EVIDENCE_CORRECT)
    target = visibility.see(session, actor, record_id).row
    needed, given = class_of(session, target), CLASS_OF_ROLE[actor.role]
    if given < needed:
        raise SignerClassTooLow(given=given.name, needed=needed.name)
    _check_no_cycle(session, target)
    recorded = evidence.record(session, event, now=now, relation=relation, refers_to=target.id)
    closure = RecordClosure(
        target_id=target.id,
        relation=relation,
        record_id=recorded.id,
        signer_class=int(given),
        account_id=actor.account_id,
    )
    try:
        with session.begin_nested():
            session.add(closure)
    except IntegrityError:
        raise AlreadyClosed(relation=relation.value) from None
    return recorded


def class_of(session: Session, row: EvidenceRecord) -> SignerClass:
    """The signer class behind a record. Raises KindNotClosable for kinds that nothing closes."""
    closure = session.scalars(select(RecordClosure).where(RecordClosure.record_id == row.id)).one_or_none()
    if closure is not None and closure.relation is Relation.CORRECTS:
        return SignerClass(closure.signer_class)
    if row.kind not in CLASS_OF_KIND:
        raise KindNotClosable(kind=row.kind)
    return CLASS_OF_KIND[row.kind]


def _check_no_cycle(session: Session, target: EvidenceRecord) -> None:
    """References run backwards in time by construction; a stored circle is tampering and stops here."""
    seen, row = {target.id}, target
    while row.refers_to is not None:
        if row.refers_to in seen:
            raise ReferenceCycle
        seen.add(row.refers_to)
        row = records.find(session, row.refers_to)


def effective(session: Session, record_id: str) -> list[RecordClosure]:
    """Whatever closes a record, to be shown with it: at most one of each relation."""
    return list(session.scalars(select(RecordClosure).where(RecordClosure.target_id == record_id)))
