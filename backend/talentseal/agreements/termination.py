"""Ending a version before its last day: all parties sign a termination, which is evidenced and carried
likewise.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sealproof import canonical
from sealproof.eip712 import Domain
from sealproof.entry import Relation
from talentseal import evidence
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import reading, signing, submission, terms
from talentseal.agreements.events import AgreementTerminated
from talentseal.agreements.models import AgreementTermination, AgreementVersion, StatementKind
from talentseal.agreements.schemas import PartyInput, TerminationInput
from talentseal.agreements.submission import AMENDABLE, AgreementStateRefused, EpochChanged, VersionEnding
from talentseal.errors import Conflict, Invalid
from talentseal.evidence import acts
from talentseal.evidence.models import ActKind


class TerminationExists(Conflict):
    code: ClassVar[str] = "termination-exists"
    zh: ClassVar[str] = "该版本已有终止申请，且内容不同。请先完成该申请或待其截止。"
    en: ClassVar[str] = "Another termination of this version is under way; complete it or let it lapse first."


class TerminationTimeRefused(Invalid):
    code: ClassVar[str] = "termination-time-refused"
    zh: ClassVar[str] = "终止时间须晚于现在，且不晚于协议的最后一日。"
    en: ClassVar[str] = "The termination must take effect after now and not after the agreement's last day."


def propose(
    session: Session,
    actor: Actor,
    agreement_id: str,
    number: int,
    command: TerminationInput,
    *,
    now: datetime,
    domain: Domain,
) -> AgreementVersion:
    """Draw up the termination of a version for all its parties to sign; the same again changes nothing.

    Raises NotPermitted, NotAParty, AgreementNotFound, AgreementStateRefused, EpochChanged, TerminationExists,
    TerminationTimeRefused, VersionEnding, DeadlineRefused, StatementRefused and what `partners.valid_key`
    raises.
    """
    actor.require(Permission.AGREEMENT_SUBMIT)
    version = reading.version_of(session, actor, agreement_id, number, lock=True)
    _check_open(session, actor, version, command, now=now, domain=domain)
    fingerprint = hashlib.sha256(canonical.encode(command.model_dump(mode="json"))).hexdigest()
    existing = reading.termination_of(session, version, lock=True)
    if existing is not None and existing.fingerprint == fingerprint and now <= existing.deadline:
        return version
    if existing is not None:
        if existing.signed_at is not None or now <= existing.deadline:
            raise TerminationExists
        session.delete(existing)  # it lapsed: the contract would no longer take its signatures
        session.flush()
    if reading.is_amended(session, version):
        raise VersionEnding
    termination = _compose(session, actor, version, command, fingerprint, now=now, domain=domain)
    try:
        with session.begin_nested():
            session.add(termination)
    except IntegrityError:
        raise TerminationExists from None
    return version


def _check_open(
    session: Session,
    actor: Actor,
    version: AgreementVersion,
    command: TerminationInput,
    *,
    now: datetime,
    domain: Domain,
) -> None:
    if actor.organisation_id not in {party.organisation_id for party in reading.parties_of(session, version)}:
        raise submission.NotAParty
    state = reading.state_at(session, version, now=now)
    if state not in AMENDABLE:
        raise AgreementStateRefused(state=state.value)
    if reading.domain_of(version) != domain:
        raise EpochChanged
    last = terms.last_second(version.valid_through)
    if not now < command.effective_at or int(command.effective_at.timestamp()) > last:
        raise TerminationTimeRefused


def _compose(
    session: Session,
    actor: Actor,
    version: AgreementVersion,
    command: TerminationInput,
    fingerprint: str,
    *,
    now: datetime,
    domain: Domain,
) -> AgreementTermination:
    parties = [
        submission.party_terms(
            session, PartyInput(organisation=row.organisation_id, role=row.signatory_role), now=now
        )
        for row in reading.parties_of(session, version)
    ]
    text = terms.termination_terms(version.agreement_id, version.version, command)
    effective_at = command.effective_at.astimezone(UTC).replace(microsecond=0)
    deadline = submission.checked_deadline(command.deadline, now=now)
    statement = terms.termination_statement(version.digest, text, effective_at, deadline, parties)
    return AgreementTermination(
        version_id=version.id,
        fingerprint=fingerprint,
        terms=text.text,
        terms_disclosures=json.dumps(text.disclosures),
        statement=json.dumps(statement.to_json()),
        digest="0x" + statement.digest(domain).hex(),
        effective_at=effective_at,
        deadline=deadline,
        proposed_by=actor.account_id,
        created_at=now,
    )


def sign(
    session: Session,
    actor: Actor,
    agreement_id: str,
    number: int,
    signature: str,
    *,
    now: datetime,
    domain: Domain,
) -> AgreementVersion:
    """Take a signature over a version's termination; with the last one it is evidenced and goes to the
    contract.

    Raises NotPermitted, AgreementNotFound, TerminationNotFound, AgreementStateRefused, EpochChanged,
    VersionEnding, SignatureFalse, SigningKeyInvalid.
    """
    actor.require(Permission.AGREEMENT_SIGN)
    version = reading.version_of(session, actor, agreement_id, number, lock=True)
    termination = reading.termination_of(session, version, lock=True)
    if termination is None:
        raise reading.TerminationNotFound
    given = reading.signatures_of(session, termination.digest)
    if signing.repeated(given, actor, signature):
        return version
    if termination.signed_at is not None or now > termination.deadline:
        raise AgreementStateRefused(state="TERMINATION_CLOSED")
    if reading.domain_of(version) != domain:
        raise EpochChanged
    if reading.is_amended(session, version):
        raise VersionEnding
    statement = json.loads(termination.statement)
    signers = {party["organisation"]: party["signer"] for party in statement["parties"]}
    given |= signing.take(
        session,
        actor,
        termination.digest,
        StatementKind.TERMINATION,
        signers=signers,
        signature=signature,
        now=now,
    )
    if len(given) == len(signers):
        _terminate(session, version, termination, [given[each].signature for each in signers], now=now)
    return version


def _terminate(
    session: Session,
    version: AgreementVersion,
    termination: AgreementTermination,
    signatures: list[str],
    *,
    now: datetime,
) -> None:
    statement = json.loads(termination.statement)
    recorded = evidence.record(
        session,
        AgreementTerminated(
            version.agreement_id, version.version, statement["commitment"], termination.digest
        ),
        now=now,
        relation=Relation.SUPERSEDES,
        refers_to=version.record_id,
    )
    termination.signed_at, termination.record_id = now, recorded.id
    payload = {
        "current": json.loads(version.statement),
        "termination": statement,
        "signatures": signatures,
    }
    acts.enqueue(
        session,
        ActKind.TERMINATE,
        digest=termination.digest,
        payload=payload,
        now=now,
        record_id=recorded.id,
    )
    session.flush()
