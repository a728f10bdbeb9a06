"""Submitting an agreement, or its next version: composed once, kept once, however often it is sent.

The unique submission key decides, not a look before the insert: of fifty that arrive together one is inserted
and the others answer with it.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sealproof import canonical
from sealproof.eip712 import AgreementStatement, Domain
from talentseal.accounts import service as accounts
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import reading, terms
from talentseal.agreements.documents import Digests, Sealed
from talentseal.agreements.models import AgreementParty, AgreementVersion, Document, Stipulation
from talentseal.agreements.schemas import PartyInput, Submission
from talentseal.agreements.states import AgreementState, state_of
from talentseal.agreements.terms import PartyTerms, Terms
from talentseal.errors import Conflict, Invalid, NotPermitted
from talentseal.partners import service as partners

SIGNING_TERM: Final = timedelta(days=30)
"""Default time to gather all signatures."""

LONGEST_SIGNING_TERM: Final = timedelta(days=366)

AMENDABLE: Final = frozenset(
    {AgreementState.SIGNED, AgreementState.ANCHORING, AgreementState.EVIDENCED, AgreementState.IN_FORCE}
)


class AgreementExists(Conflict):
    code: ClassVar[str] = "agreement-exists"
    zh: ClassVar[str] = (
        "同一文件、同一各方已提交为协议 {agreement} 第 {version} 版，但其他内容不同。请先退回该版本。"
    )
    en: ClassVar[str] = (
        "The same document with the same parties is agreement {agreement} version {version}, "
        "with other content; have that one returned first."
    )


class NotAParty(Invalid):
    code: ClassVar[str] = "not-a-party"
    zh: ClassVar[str] = "提交方必须是协议的一方。"
    en: ClassVar[str] = "The submitting organisation must be one of the parties."


class AgreementStateRefused(Conflict):
    code: ClassVar[str] = "agreement-state"
    zh: ClassVar[str] = "协议版本当前状态为 {state}，不能执行此操作。"
    en: ClassVar[str] = "The version is {state}, which does not allow this."


class PartiesChanged(Invalid):
    code: ClassVar[str] = "parties-changed"
    zh: ClassVar[str] = "变更协议时各方机构必须与原版本相同。更换当事方请另行签订新协议。"
    en: ClassVar[str] = "An amendment keeps the same organisations; with others, make a new agreement."


class AmendmentPending(Conflict):
    code: ClassVar[str] = "amendment-pending"
    zh: ClassVar[str] = "该协议已有下一版本在办理中。请先完成或退回该版本。"
    en: ClassVar[str] = "The next version is already under way; complete or return it first."


class VersionEnding(Conflict):
    code: ClassVar[str] = "version-ending"
    zh: ClassVar[str] = "各方已签署该版本的变更或终止，合约只接受其一，不能再签另一项。"
    en: ClassVar[str] = (
        "All parties have signed this version's amendment or end; the contract takes one, not another."
    )


class DeadlineRefused(Invalid):
    code: ClassVar[str] = "deadline-refused"
    zh: ClassVar[str] = "签署截止时间须晚于现在，且不超过 366 天。"
    en: ClassVar[str] = "The signing deadline must lie after now and within 366 days."


class EpochChanged(Conflict):
    code: ClassVar[str] = "epoch-changed"
    zh: ClassVar[str] = "该版本绑定的链上合约已不再使用，其签名无法上链。请重新提交。"
    en: ClassVar[str] = "The version is bound to a contract no longer in use; submit it anew."


@dataclass(frozen=True, slots=True)
class Intake:
    """A submission made ready outside the transaction: document examined and, if kept, encrypted."""

    submission: Submission
    digests: Digests
    document_id: str
    sealed: Sealed | None

    @property
    def fingerprint(self) -> str:
        """SHA-256 hex over all that was submitted."""
        content = self.submission.model_dump(mode="json", exclude={"draft", "keep_document", "document"})
        if not self.submission.survives_instrument:
            del content["survives_instrument"]  # As it was before anybody could say it.
        return _sha256({"submission": content, "sha256": self.digests.sha256, "sm3": self.digests.sm3})


@dataclass(frozen=True, slots=True)
class Submitted:
    """The version, and whether this call made it."""

    version: AgreementVersion
    created: bool


def submit(session: Session, actor: Actor, intake: Intake, *, now: datetime, domain: Domain) -> Submitted:
    """Take in version 1 of an agreement; the same again returns the version there is.

    domain: the open chain epoch's. Raises NotPermitted, NotAParty, AgreementExists, DeadlineRefused,
    StatementRefused, OrganisationNotFound and what `partners.valid_key` raises.
    """
    actor.require(Permission.AGREEMENT_SUBMIT)
    return _take_in(session, actor, intake, None, now=now, domain=domain)


def amend(
    session: Session,
    actor: Actor,
    agreement_id: str,
    number: int,
    intake: Intake,
    *,
    now: datetime,
    domain: Domain,
) -> Submitted:
    """Take in the version that amends version `number`, between the same organisations.

    Raises as `submit`, and AgreementNotFound, AgreementStateRefused, PartiesChanged, AmendmentPending,
    VersionEnding, EpochChanged.
    """
    actor.require(Permission.AGREEMENT_SUBMIT)
    current = reading.version_of(session, actor, agreement_id, number, lock=True)
    state = reading.state_at(session, current, now=now)
    if state not in AMENDABLE:
        raise AgreementStateRefused(state=state.value)
    if reading.domain_of(current) != domain:
        raise EpochChanged
    named = {party.organisation for party in intake.submission.parties}
    if named != {party.organisation_id for party in reading.parties_of(session, current)}:
        raise PartiesChanged
    return _take_in(session, actor, intake, current, now=now, domain=domain)


def _take_in(
    session: Session,
    actor: Actor,
    intake: Intake,
    current: AgreementVersion | None,
    *,
    now: datetime,
    domain: Domain,
) -> Submitted:
    if actor.organisation_id not in {party.organisation for party in intake.submission.parties}:
        raise NotAParty
    key = _submission_key(actor, intake, current, domain)
    existing = _by_key(session, key)
    if existing is not None and not _release_if_dead(session, existing, now):
        return _repeated(existing, intake)
    if current is not None and reading.is_terminated(session, current):
        raise VersionEnding
    version, parts = _compose(session, actor, intake, current, key, now=now, domain=domain)
    try:
        with session.begin_nested():
            session.add(parts[0])
            session.flush()
            session.add(version)
            session.flush()
            session.add_all(parts[1:])
    except IntegrityError:
        rival = _by_key(session, key)
        if rival is None:
            raise AmendmentPending from None
        return _repeated(rival, intake)
    return Submitted(version, created=True)


def _by_key(session: Session, key: str) -> AgreementVersion | None:
    return session.scalars(
        select(AgreementVersion).where(AgreementVersion.submission_key == key)
    ).one_or_none()


def _repeated(existing: AgreementVersion, intake: Intake) -> Submitted:
    if existing.fingerprint != intake.fingerprint:
        raise AgreementExists(agreement=existing.agreement_id, version=existing.version)
    return Submitted(existing, created=False)


def _release_if_dead(session: Session, existing: AgreementVersion, now: datetime) -> bool:
    """Whether `existing` lapsed or was refused by the contract; it is then closed and its key set free."""
    if state_of(reading.facts_of(session, existing), now=now) is not AgreementState.RETURNED:
        return False
    close(session, existing, "lapsed or refused; submitted anew", now=now)
    return True


def close(session: Session, version: AgreementVersion, reason: str, *, now: datetime) -> None:
    """Mark a version returned and set its number and submission key free for another one."""
    version.returned_at, version.return_reason = now, reason
    version.submission_key = _sha256({"returned": version.id, "key": version.submission_key})
    session.flush()


def _submission_key(actor: Actor, intake: Intake, current: AgreementVersion | None, domain: Domain) -> str:
    return _sha256(
        {
            "submitter": actor.organisation_id,
            "document": intake.digests.sha256,
            "parties": sorted(party.organisation for party in intake.submission.parties),
            "previous": current.digest if current else "",
            "chain": domain.chain_id,
            "contract": domain.contract,
        }
    )


def _sha256(meaning: canonical.Json) -> str:
    return hashlib.sha256(canonical.encode(meaning)).hexdigest()


def party_terms(session: Session, party: PartyInput, *, now: datetime) -> PartyTerms:
    """A party with its name and its valid key.

    Raises OrganisationNotFound and what `partners.valid_key` raises.
    """
    organisation = accounts.organisation(session, party.organisation)
    key = partners.valid_key(session, organisation.id, party.signer, now=now)
    return PartyTerms(
        organisation=organisation.id,
        name=organisation.name,
        credit_code=organisation.credit_code,
        role=party.role,
        signer=key.address,
        nonce=key.nonce,
    )


def checked_deadline(deadline: datetime | None, *, now: datetime) -> datetime:
    """The deadline in whole seconds, SIGNING_TERM from now when left out. Raises DeadlineRefused."""
    chosen = (deadline or now + SIGNING_TERM).replace(microsecond=0)
    if not now < chosen <= now + LONGEST_SIGNING_TERM:
        raise DeadlineRefused
    return chosen


def _compose(
    session: Session,
    actor: Actor,
    intake: Intake,
    current: AgreementVersion | None,
    key: str,
    *,
    now: datetime,
    domain: Domain,
) -> tuple[AgreementVersion, list[Document | AgreementParty | Stipulation]]:
    """The rows of a new version, with fresh salts: the document first, then parties and stipulations."""
    submission, previous = intake.submission, current.digest if current else None
    agreement_id = current.agreement_id if current else "0x" + secrets.token_hex(32)
    number = current.version + 1 if current else 1
    ordered = sorted(submission.parties, key=lambda party: party.organisation)
    parties = [party_terms(session, party, now=now) for party in ordered]
    deadline = checked_deadline(submission.deadline, now=now)
    text = terms.agreement_terms(
        agreement_id, number, submission, digests=intake.digests, parties=parties, previous=previous
    )
    stipulations = [terms.stipulation_disclosure(item) for item in submission.stipulations]
    leaves = [terms.leaf_hash(item) for item in stipulations]
    statement = terms.agreement_statement(
        agreement_id,
        number,
        submission,
        terms=text,
        leaves=leaves,
        parties=parties,
        previous=previous,
        deadline=deadline,
    )
    version = _version(actor, intake, current, key, statement=statement, text=text, now=now, domain=domain)
    rows: list[Document | AgreementParty | Stipulation] = [_document(intake, now)]
    rows += _party_rows(version.id, parties)
    rows += _stipulation_rows(version.id, stipulations, leaves)
    return version, rows


def _version(
    actor: Actor,
    intake: Intake,
    current: AgreementVersion | None,
    key: str,
    *,
    statement: AgreementStatement,
    text: Terms,
    now: datetime,
    domain: Domain,
) -> AgreementVersion:
    submission = intake.submission
    return AgreementVersion(
        id=secrets.token_hex(16),
        agreement_id="0x" + statement.agreement_id.hex(),
        version=statement.version,
        previous_id=current.id if current else None,
        submission_key=key,
        fingerprint=intake.fingerprint,
        submitter_id=actor.organisation_id,
        submitted_by=actor.account_id,
        number=submission.number,
        title=submission.title,
        category=submission.category,
        effective_from=submission.effective_from,
        valid_through=submission.valid_through,
        survives_instrument=submission.survives_instrument,
        document_id=intake.document_id,
        terms=text.text,
        terms_disclosures=json.dumps(text.disclosures),
        statement=json.dumps(statement.to_json()),
        digest="0x" + statement.digest(domain).hex(),
        chain_id=domain.chain_id,
        contract=domain.contract,
        deadline=datetime.fromtimestamp(statement.deadline, UTC),
        created_at=now,
        submitted_at=None if submission.draft else now,
    )


def _document(intake: Intake, now: datetime) -> Document:
    return Document(
        id=intake.document_id,
        sha256=intake.digests.sha256,
        sm3=intake.digests.sm3,
        size=intake.digests.size,
        media_type=intake.digests.media_type.value,
        nonce=intake.sealed.nonce if intake.sealed else None,
        ciphertext=intake.sealed.ciphertext if intake.sealed else None,
        created_at=now,
    )


def _party_rows(version_id: str, parties: list[PartyTerms]) -> list[AgreementParty]:
    return [
        AgreementParty(
            version_id=version_id,
            organisation_id=party.organisation,
            position=position,
            signatory_role=party.role,
            signer=party.signer,
            nonce=party.nonce,
        )
        for position, party in enumerate(parties)
    ]


def _stipulation_rows(version_id: str, disclosures: list[str], leaves: list[bytes]) -> list[Stipulation]:
    return [
        Stipulation(
            id=secrets.token_hex(16),
            version_id=version_id,
            position=position,
            disclosure=item,
            leaf_hash=leaf.hex(),
        )
        for position, (item, leaf) in enumerate(zip(disclosures, leaves, strict=True))
    ]


def submit_draft(
    session: Session, actor: Actor, agreement_id: str, number: int, *, now: datetime
) -> AgreementVersion:
    """Open a draft to its parties for signing. Raises AgreementNotFound, AgreementStateRefused."""
    actor.require(Permission.AGREEMENT_SUBMIT)
    version = _own(session, actor, agreement_id, number)
    if version.submitted_at is None:
        version.submitted_at = now
        session.flush()
    return version


def discard_draft(session: Session, actor: Actor, agreement_id: str, number: int, *, now: datetime) -> None:
    """Delete a draft as if it had never been. Raises AgreementNotFound, AgreementStateRefused."""
    actor.require(Permission.AGREEMENT_SUBMIT)
    version = _own(session, actor, agreement_id, number)
    state = reading.state_at(session, version, now=now)
    if version.submitted_at is not None:
        raise AgreementStateRefused(state=state.value)
    for rows in (AgreementParty, Stipulation):
        session.execute(delete(rows).where(rows.version_id == version.id))
    document_id = version.document_id
    session.delete(version)
    session.flush()
    session.execute(delete(Document).where(Document.id == document_id))


def _own(session: Session, actor: Actor, agreement_id: str, number: int) -> AgreementVersion:
    version = reading.version_of(session, actor, agreement_id, number, lock=True)
    if version.submitter_id != actor.organisation_id:
        raise NotPermitted(permission="submitter")
    return version


def return_version(
    session: Session, actor: Actor, agreement_id: str, number: int, reason: str, *, now: datetime
) -> AgreementVersion:
    """Send a version back before all have signed: its parties by declining, the operator or talent office by
    return.

    Raises NotPermitted, AgreementNotFound, AgreementStateRefused.
    """
    version = reading.version_of(session, actor, agreement_id, number, lock=True)
    parties = {party.organisation_id for party in reading.parties_of(session, version)}
    actor.require(
        Permission.AGREEMENT_SIGN if actor.organisation_id in parties else Permission.AGREEMENT_RETURN
    )
    state = reading.state_at(session, version, now=now)
    if state not in {AgreementState.SUBMITTED, AgreementState.SIGNING}:
        raise AgreementStateRefused(state=state.value)
    close(session, version, reason, now=now)
    return version
