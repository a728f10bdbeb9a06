"""Who sees which record: the parties of what it is about see its content, auditors its proof alone."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import proofs
from talentseal.audit.models import RecordClosure
from talentseal.contributions import reading as contributions
from talentseal.evidence import records
from talentseal.evidence.models import EvidenceRecord
from talentseal.partners.models import KeyChange
from talentseal.policy import service as policy
from talentseal.redemptions import confirming
from talentseal.redemptions import reading as redemptions
from talentseal.sanctions.models import RuleSignature, SuspensionRule

_LONGEST_CHAIN: Final = 1000
"""References followed from a record at most; real chains have a handful."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A record, and whether the actor may see the content behind its digests."""

    row: EvidenceRecord
    content: bool


def see(session: Session, actor: Actor, record_id: str) -> Sight:
    """The record, if the actor may see it. Raises NotPermitted, and RecordNotFound for foreign ones as for
    none.
    """
    actor.require(Permission.EVIDENCE_READ)
    row = records.find(session, record_id)
    content = _is_concerned(session, actor, row)
    if not content and not actor.may(Permission.EVIDENCE_READ_ALL):
        raise records.RecordNotFound(record=record_id)
    return Sight(row, content)


def subject_of(session: Session, row: EvidenceRecord) -> EvidenceRecord:
    """The record at the end of the references: what a correction, retraction or erasure is in the end
    about.
    """
    for _ in range(_LONGEST_CHAIN):
        if row.refers_to is None:
            return row
        row = records.find(session, row.refers_to)
    return row


def _is_concerned(session: Session, actor: Actor, row: EvidenceRecord) -> bool:
    """Whether the record is about the actor's organisation or what it gave, an agreement that he may read, a
    rule that it signed, or the law.
    """
    version = proofs.version_of_record(session, row.id) or proofs.version_of_record(
        session, subject_of(session, row).id
    )
    if version is not None:
        return actor.may(Permission.AGREEMENT_READ_ALL) or proofs.has_party(
            session, version, actor.organisation_id
        )
    return (
        _is_own_key(session, actor, row)
        or _is_own_closure(session, actor, row)
        or _is_signed_rule(session, actor, row)
        or policy.is_public_record(session, row.id)
        or confirming.is_party(session, actor, row.id)
        or redemptions.is_of_organisation(session, actor, row.id)
        or contributions.is_concerned(session, actor, row.id)
    )


def _is_own_key(session: Session, actor: Actor, row: EvidenceRecord) -> bool:
    change = session.get(KeyChange, row.id)
    if change is None:
        return False
    return actor.may(Permission.SIGNING_KEY_DECIDE) or change.organisation_id == actor.organisation_id


def _is_signed_rule(session: Session, actor: Actor, row: EvidenceRecord) -> bool:
    """Whether it is about a rule of suspension that the actor's organisation signed."""
    mine = (
        select(SuspensionRule.id)
        .join(RuleSignature, RuleSignature.rule_version_id == SuspensionRule.id)
        .where(SuspensionRule.record_id == row.id, RuleSignature.organisation_id == actor.organisation_id)
    )
    return session.scalar(mine) is not None


def _is_own_closure(session: Session, actor: Actor, row: EvidenceRecord) -> bool:
    account = session.scalar(select(RecordClosure.account_id).where(RecordClosure.record_id == row.id))
    return account is not None and account == actor.account_id
