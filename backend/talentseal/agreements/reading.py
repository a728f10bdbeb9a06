"""Reading agreements: who may see which version, the facts behind its state, and the views.

What belongs to others and what does not exist are refused alike: an identifier tells a stranger nothing.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, ClassVar, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Row,
    Select,
    String,
    and_,
    bindparam,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from sealproof.eip712 import AgreementStatement, Domain, TerminationStatement
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements.documents import DocumentCipher, MediaType, Sealed
from talentseal.agreements.models import (
    AgreementParty,
    AgreementTermination,
    AgreementVersion,
    Document,
    StatementSignature,
    Stipulation,
)
from talentseal.agreements.schemas import (
    AgreementReceipt,
    AgreementSummary,
    AgreementView,
    DocumentDigests,
    PartyView,
    TerminationView,
    TypedData,
)
from talentseal.agreements.states import AgreementState, Facts, state_of
from talentseal.clock import legal_date
from talentseal.db import Instant, rows
from talentseal.errors import NotFound
from talentseal.evidence import acts, status
from talentseal.evidence.models import ActState, EvidenceRecord, RegistryAct
from talentseal.evidence.status import LogSizes

Promise = Callable[[EvidenceRecord], str]
"""Signs the promise of a record (`evidence.promises`)."""


class AgreementNotFound(NotFound):
    code: ClassVar[str] = "agreement-not-found"
    zh: ClassVar[str] = "没有找到该协议或版本，或您无权查看。请核对编号。"
    en: ClassVar[str] = (
        "This agreement or version does not exist or is not yours to see; check the identifiers."
    )


class NotEvidencedYet(NotFound):
    code: ClassVar[str] = "not-evidenced-yet"
    zh: ClassVar[str] = "该版本尚未由各方全部签署，没有存证记录。"
    en: ClassVar[str] = "Not all parties have signed this version: it has no evidence record yet."


class DocumentNotKept(NotFound):
    code: ClassVar[str] = "document-not-kept"
    zh: ClassVar[str] = "该协议只保存了摘要，原件由提交方保管。请向提交方索取。"
    en: ClassVar[str] = "Only digests are kept for this agreement; ask the submitting party for the document."


class TerminationNotFound(NotFound):
    code: ClassVar[str] = "termination-not-found"
    zh: ClassVar[str] = "该版本没有终止申请。"
    en: ClassVar[str] = "No termination has been proposed for this version."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which versions a list is to show. text: part of number or title. awaits_actor: his signature is due."""

    state: AgreementState | None = None
    text: str = ""
    awaits_actor: bool = False

    def admits(self, state: AgreementState) -> bool:
        """Whether a version in this state is to be shown."""
        return self.awaits_actor or self.state in {None, state}


EVERYTHING: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Standing:
    """A version with its state, and what that follows from."""

    version: AgreementVersion
    facts: Facts
    state: AgreementState


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a list. next: internal id after which the following page begins; None on the last."""

    standings: tuple[Standing, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A decrypted document. media_type, sha256: as submitted."""

    plain: bytes
    media_type: MediaType
    sha256: str


def version_of(
    session: Session, actor: Actor, agreement_id: str, number: int, *, lock: bool = False
) -> AgreementVersion:
    """The version of that number that `actor` may see: the live one, else the last returned. Raises
    AgreementNotFound.

    lock: hold the row until the transaction ends, so that signing, returning and amending queue up.
    """
    actor.require(Permission.AGREEMENT_READ)
    query = (
        _visible(everything=actor.may(Permission.AGREEMENT_READ_ALL))
        .where(AgreementVersion.agreement_id == agreement_id, AgreementVersion.version == number)
        .order_by(AgreementVersion.returned_at.is_not(None), AgreementVersion.created_at.desc())
        .limit(1)
        .params(organisation=actor.organisation_id)
    )
    version = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if version is None:
        raise AgreementNotFound
    return version


_OWN: Final = bindparam("organisation", type_=String)
"""The organisation of whoever asks."""
_NOW: Final = bindparam("now", type_=Instant)
_TODAY: Final[BindParameter[date]] = bindparam("today", type_=Date())
_OF_OWN: Final = AgreementVersion.id.in_(
    select(AgreementParty.version_id).where(AgreementParty.organisation_id == _OWN)
)


@cache
def _visible(*, everything: bool) -> Select[AgreementVersion]:
    """Versions that an actor may see: drafts are their submitter's alone, the rest their parties'.

    everything: whether he may read agreements of others. Parameter: `organisation`, his own.
    """
    shared = and_(AgreementVersion.submitted_at.is_not(None), true() if everything else _OF_OWN)
    return select(AgreementVersion).where(or_(shared, AgreementVersion.submitter_id == _OWN))


def page_of(
    session: Session,
    actor: Actor,
    *,
    after: str | None,
    limit: int,
    now: datetime,
    wanted: Wanted = EVERYTHING,
) -> Found:
    """Up to `limit` visible versions, newest first, following the version with the internal id `after`.

    A state is derived, so rows that may be in it are read in portions until enough of them are.
    """
    actor.require(Permission.AGREEMENT_READ)
    everything = actor.may(Permission.AGREEMENT_READ_ALL)
    query = _matching(_possible(everything, wanted.state, wanted.awaits_actor), wanted.text)
    given = {"organisation": actor.organisation_id, "now": now, "today": legal_date(now)}
    log = status.log_sizes(session)
    found: list[Standing] = []
    last = session.get(AgreementVersion, after) if after else None
    while True:
        portion = list(
            session.scalars((query if last is None else query.where(_older(last))).limit(limit + 1), given)
        )
        for standing in standings(session, portion, now=now, log=log):
            if wanted.admits(standing.state):
                found.append(standing)
            if len(found) > limit:
                return Found(tuple(found[:limit]), found[limit - 1].version.id)
        if len(portion) <= limit:
            return Found(tuple(found), None)
        last = portion[-1]


def _older(last: AgreementVersion) -> ColumnElement[bool]:
    same = (AgreementVersion.created_at == last.created_at) & (AgreementVersion.id < last.id)
    return or_(AgreementVersion.created_at < last.created_at, same)


def _matching(query: Select[AgreementVersion], text: str) -> Select[AgreementVersion]:
    """Those whose number or title contains `text`."""
    text = text.replace("\0", "")  # which no text in a database can hold
    if not text:
        return query
    return query.where(
        or_(
            AgreementVersion.number.icontains(text, autoescape=True),
            AgreementVersion.title.icontains(text, autoescape=True),
        )
    )


@cache
def _possible(everything: bool, state: AgreementState | None, awaits_actor: bool) -> Select[AgreementVersion]:
    """The visible versions, newest first, without those that cannot be in the wanted state, whatever the
    contract and the log say of them.

    Parameters: `organisation`, `now`, and its `today`.
    """
    order = (AgreementVersion.created_at.desc(), AgreementVersion.id.desc())
    query = _visible(everything=everything).order_by(*order)
    unsigned = AgreementVersion.signed_at.is_(None)
    if awaits_actor:
        return query.where(_AWAITS)
    match state:
        case None:
            return query
        case AgreementState.RETURNED:
            return query.where(AgreementVersion.returned_at.is_not(None) | unsigned | _was_refused())
        case AgreementState.DRAFT | AgreementState.SUBMITTED | AgreementState.SIGNING:
            return query.where(unsigned, AgreementVersion.returned_at.is_(None))
        case AgreementState.EXPIRED:
            return query.where(~unsigned, AgreementVersion.valid_through < _TODAY)
        case AgreementState.IN_FORCE:
            return query.where(~unsigned, *of_its_days(_TODAY))
    return query.where(~unsigned)


def of_its_days(today: date | BindParameter[date]) -> tuple[ColumnElement[bool], ...]:
    """Without the versions that cannot be in force on that legal date, not yet or no more."""
    return AgreementVersion.effective_from <= today, AgreementVersion.valid_through >= today


def _was_refused() -> ColumnElement[bool]:
    refused = select(RegistryAct.digest).where(RegistryAct.state == ActState.REFUSED)
    return AgreementVersion.digest.in_(refused)


def _unsigned_by_own(digest: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether the organisation has not signed the statement of that digest."""
    given = select(StatementSignature.digest).where(
        StatementSignature.digest == digest, StatementSignature.organisation_id == _OWN
    )
    return ~given.exists()


_SIGNABLE: Final = and_(
    AgreementVersion.submitted_at.is_not(None),
    AgreementVersion.returned_at.is_(None),
    AgreementVersion.signed_at.is_(None),
    AgreementVersion.deadline >= _NOW,
    _unsigned_by_own(AgreementVersion.digest),
)
_ENDING: Final = select(AgreementTermination.version_id).where(
    AgreementTermination.version_id == AgreementVersion.id,
    AgreementTermination.signed_at.is_(None),
    AgreementTermination.deadline >= _NOW,
    _unsigned_by_own(AgreementTermination.digest),
)
_AWAITS: Final = and_(_OF_OWN, or_(_SIGNABLE, _ENDING.exists()))
"""Versions that the organisation has to sign, or whose termination it has to."""

_AWAITING: Final = select(AgreementVersion.id).where(
    AgreementVersion.id.in_(bindparam("versions", expanding=True)), _AWAITS
)


def awaiting(
    session: Session, actor: Actor, versions: Sequence[AgreementVersion], *, now: datetime
) -> frozenset[str]:
    """The internal ids of those that wait for a signature of the actor's organisation."""
    if not actor.may(Permission.AGREEMENT_SIGN):
        return frozenset()
    ids = [each.id for each in versions]
    met = rows(session, _AWAITING, versions=ids, organisation=actor.organisation_id, now=now)
    return frozenset(found for (found,) in met)


def standings(
    session: Session, versions: Sequence[AgreementVersion], *, now: datetime, log: LogSizes | None = None
) -> list[Standing]:
    """The versions with what their states follow from: a handful of queries, however many they are."""
    facts = facts_of_all(session, versions, log)
    return [Standing(each, facts[each.id], state_of(facts[each.id], now=now)) for each in versions]


def history(session: Session, actor: Actor, agreement_id: str) -> list[AgreementVersion]:
    """The versions that all parties have signed and that `actor` may see, in their order.

    Raises AgreementNotFound when he may see none, NotEvidencedYet when none is signed by all.
    """
    actor.require(Permission.AGREEMENT_READ)
    visible = visible_versions(session, actor, agreement_id)
    if not visible:
        raise AgreementNotFound
    signed = [version for version in visible if version.record_id is not None]
    if not signed:
        raise NotEvidencedYet
    return signed


def visible_versions(session: Session, actor: Actor, agreement_id: str) -> list[AgreementVersion]:
    """All versions of an agreement that `actor` may see, returned ones among them, the oldest first.

    Of those of one number the last is the live one, else the last returned.
    """
    query = _visible_of_agreement(everything=actor.may(Permission.AGREEMENT_READ_ALL))
    given = {"organisation": actor.organisation_id, "agreement": agreement_id}
    return list(session.scalars(query, given))


@cache
def _visible_of_agreement(*, everything: bool) -> Select[AgreementVersion]:
    of_agreement = _visible(everything=everything).where(
        AgreementVersion.agreement_id == bindparam("agreement")
    )
    order = (AgreementVersion.version, AgreementVersion.returned_at.is_(None), AgreementVersion.created_at)
    return of_agreement.order_by(*order)


def parties_of(session: Session, version: AgreementVersion) -> list[AgreementParty]:
    """The parties in the order of the statement."""
    query = select(AgreementParty).where(AgreementParty.version_id == version.id)
    return list(session.scalars(query.order_by(AgreementParty.position)))


def stipulations_of(session: Session, version: AgreementVersion) -> list[Stipulation]:
    """The stipulations in the order of their leaves."""
    query = select(Stipulation).where(Stipulation.version_id == version.id)
    return list(session.scalars(query.order_by(Stipulation.position)))


_DISCLOSURES: Final = (
    select(Stipulation.version_id, Stipulation.position, Stipulation.disclosure)
    .where(Stipulation.version_id.in_(bindparam("versions", expanding=True)))
    .order_by(Stipulation.position)
)


def disclosures_of(
    session: Session, versions: Sequence[AgreementVersion]
) -> dict[str, list[tuple[int, str | None]]]:
    """The position of each stipulation and what discloses it, None once erased; by the versions' ids."""
    found: dict[str, list[tuple[int, str | None]]] = {each.id: [] for each in versions}
    for version, position, stored in rows(session, _DISCLOSURES, versions=list(found)) if found else ():
        found[version].append((position, stored))
    return found


def signatures_of(session: Session, digest: str) -> dict[str, StatementSignature]:
    """The signatures over a statement, by organisation."""
    query = select(StatementSignature).where(StatementSignature.digest == digest)
    return {row.organisation_id: row for row in session.scalars(query)}


def termination_of(
    session: Session, version: AgreementVersion, *, lock: bool = False
) -> AgreementTermination | None:
    """The version's termination, proposed or signed; None when there is none."""
    return session.get(AgreementTermination, version.id, with_for_update=lock or None)


def statement_of(version: AgreementVersion) -> AgreementStatement:
    """The typed statement as stored."""
    return AgreementStatement.from_json(json.loads(version.statement))


def domain_of(version: AgreementVersion) -> Domain:
    """Where the version's signatures hold."""
    return Domain(version.chain_id, version.contract)


def facts_of(session: Session, version: AgreementVersion, log: LogSizes | None = None) -> Facts:
    """Everything that the version's state follows from. log: where the log stands, read when left out."""
    return facts_of_all(session, [version], log)[version.id]


def facts_of_all(
    session: Session, versions: Sequence[AgreementVersion], log: LogSizes | None = None
) -> dict[str, Facts]:
    """The facts of many versions, by their internal ids."""
    if not versions:
        return {}
    log = log or status.log_sizes(session)
    met = {row.id: row for row in rows(session, _FACTS, versions=[each.id for each in versions])}
    return {each.id: _facts(each, met[each.id], log) for each in versions}


def _facts(version: AgreementVersion, met: Row[Any], log: LogSizes) -> Facts:
    return Facts(
        submitted=version.submitted_at is not None,
        returned=version.returned_at is not None,
        signed=met.signed,
        parties=met.parties,
        deadline=version.deadline,
        effective_from=version.effective_from,
        valid_through=version.valid_through,
        act=met.act,
        record=log.state_at(met.log_index) if version.record_id else None,
        superseded_from=met.superseded_from,
        terminated_at=met.terminated_at,
    )


def _concluded(digest: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether the contract has what the statement of that digest says, for good."""
    return (
        select(RegistryAct.id)
        .where(RegistryAct.digest == digest, RegistryAct.state == ActState.FINAL)
        .exists()
    )


_SUCCESSOR: Final = aliased(AgreementVersion)
_STORED_ELSEWHERE: Final = {
    "act": select(RegistryAct.state).where(RegistryAct.digest == AgreementVersion.digest),
    "signed": select(func.count()).where(StatementSignature.digest == AgreementVersion.digest),
    "parties": select(func.count()).where(AgreementParty.version_id == AgreementVersion.id),
    "log_index": select(EvidenceRecord.log_index).where(EvidenceRecord.id == AgreementVersion.record_id),
    "superseded_from": select(func.min(_SUCCESSOR.effective_from)).where(
        # By this a few are found by index, and among them the successor, for which there is none.
        _SUCCESSOR.agreement_id == AgreementVersion.agreement_id,
        _SUCCESSOR.previous_id == AgreementVersion.id,
        _concluded(_SUCCESSOR.digest),
    ),
    "terminated_at": select(AgreementTermination.effective_at).where(
        AgreementTermination.version_id == AgreementVersion.id, _concluded(AgreementTermination.digest)
    ),
}
"""What the facts of a version follow from besides its own row."""

_FACTS: Final = select(
    AgreementVersion.id,
    *(
        each.correlate(AgreementVersion).scalar_subquery().label(name)
        for name, each in _STORED_ELSEWHERE.items()
    ),
).where(AgreementVersion.id.in_(bindparam("versions", expanding=True)))


def is_amended(session: Session, version: AgreementVersion) -> bool:
    """Whether all parties have signed a version that amends this one, unless the contract refused it."""
    return _has_act(
        session,
        select(AgreementVersion.digest).where(AgreementVersion.previous_id == version.id),
    )


def is_terminated(session: Session, version: AgreementVersion) -> bool:
    """Whether all parties have signed this version's end, unless the contract refused it."""
    return _has_act(
        session,
        select(AgreementTermination.digest).where(AgreementTermination.version_id == version.id),
    )


def _has_act(session: Session, digests: Select[str]) -> bool:
    carried = select(RegistryAct.id).where(
        RegistryAct.digest.in_(digests), RegistryAct.state != ActState.REFUSED
    )
    return session.scalars(carried.limit(1)).one_or_none() is not None


def state_at(session: Session, version: AgreementVersion, *, now: datetime) -> AgreementState:
    """The one state in which the version is shown at `now`."""
    return state_of(facts_of(session, version), now=now)


def in_force(session: Session, agreement_id: str, *, now: datetime) -> AgreementVersion | None:
    """The version that is EVIDENCED and IN_FORCE now, for features that act under an agreement; None if none
    is.
    """
    query = select(AgreementVersion).where(
        AgreementVersion.agreement_id == agreement_id, AgreementVersion.signed_at.is_not(None)
    )
    for version in session.scalars(query.order_by(AgreementVersion.version.desc())):
        if state_at(session, version, now=now) is AgreementState.IN_FORCE:
            return version
    return None


def receipt(
    session: Session, version: AgreementVersion, promise: Promise, *, now: datetime
) -> AgreementReceipt:
    """What every unsafe request about a version is answered with."""
    facts = facts_of(session, version)
    record = session.get(EvidenceRecord, version.record_id) if version.record_id else None
    return AgreementReceipt(
        agreement=version.agreement_id,
        version=version.version,
        state=state_of(facts, now=now),
        digest=version.digest,
        commitment=commitment_of(version),
        signed=facts.signed,
        parties=facts.parties,
        record=version.record_id,
        promise=promise(record) if record else None,
    )


def commitment_of(version: AgreementVersion) -> str:
    """0x and 64 hex digits: SHA-256 of the terms text."""
    return "0x" + statement_of(version).commitment.hex()


def summary(standing: Standing) -> AgreementSummary:
    """One line of a list."""
    version = standing.version
    return AgreementSummary(
        agreement=version.agreement_id,
        version=version.version,
        state=standing.state,
        number=version.number,
        title=version.title,
        category=version.category,
        effective_from=version.effective_from,
        valid_through=version.valid_through,
        survives_instrument=version.survives_instrument,
        created_at=version.created_at,
    )


def view(session: Session, version: AgreementVersion, *, now: datetime) -> AgreementView:
    """One version in full, as its parties see it."""
    signed = signatures_of(session, version.digest)
    document = session.get_one(Document, version.document_id)
    act = acts.act_of(session, version.digest)
    (standing,) = standings(session, [version], now=now)
    facts = standing.facts
    return AgreementView(
        **summary(standing).model_dump(),
        submitter=version.submitter_id,
        digest=version.digest,
        commitment=commitment_of(version),
        chain_id=version.chain_id,
        contract=version.contract,
        deadline=version.deadline,
        document=DocumentDigests(
            sha256=document.sha256,
            sm3=document.sm3,
            size=document.size,
            media_type=MediaType(document.media_type),
        ),
        document_kept=document.ciphertext is not None,
        parties=[
            PartyView(
                organisation=party.organisation_id,
                role=party.signatory_role,
                signer=party.signer,
                signed=party.organisation_id in signed,
            )
            for party in parties_of(session, version)
        ],
        terms=version.terms,
        terms_disclosures=_disclosures(version.terms_disclosures),
        stipulations=[row.disclosure for row in stipulations_of(session, version)],
        statement=json.loads(version.statement),
        return_reason=_why_returned(version, facts, act),
        record=version.record_id,
        record_state=facts.record,
        act_transaction=act.transaction_hash if act else None,
        termination=_termination_view(session, version),
    )


def _why_returned(version: AgreementVersion, facts: Facts, act: RegistryAct | None) -> str | None:
    if version.return_reason is not None:
        return version.return_reason
    if facts.act is ActState.REFUSED and act is not None:
        return f"the contract refused: {act.reason}"
    return None


def _disclosures(stored: str | None) -> list[str] | None:
    return None if stored is None else [str(item) for item in json.loads(stored)]


def _termination_view(session: Session, version: AgreementVersion) -> TerminationView | None:
    termination = termination_of(session, version)
    if termination is None:
        return None
    return TerminationView(
        digest=termination.digest,
        terms=termination.terms,
        terms_disclosures=_disclosures(termination.terms_disclosures),
        statement=json.loads(termination.statement),
        effective_at=termination.effective_at,
        deadline=termination.deadline,
        signed=session.scalar(select(func.count()).where(StatementSignature.digest == termination.digest))
        or 0,
        record=termination.record_id,
    )


def typed_data(version: AgreementVersion) -> TypedData:
    """What the parties' wallets sign to conclude the version."""
    return TypedData(digest=version.digest, typed_data=statement_of(version).typed_data(domain_of(version)))


def termination_typed_data(session: Session, version: AgreementVersion) -> TypedData:
    """What the parties' wallets sign to terminate the version. Raises TerminationNotFound."""
    termination = termination_of(session, version)
    if termination is None:
        raise TerminationNotFound
    return ending_typed_data(version, termination.digest, termination.statement)


def ending_typed_data(version: AgreementVersion, digest: str, statement: str) -> TypedData:
    """The same for a termination whose digest and statement are known."""
    ending = TerminationStatement.from_json(json.loads(statement))
    return TypedData(digest=digest, typed_data=ending.typed_data(domain_of(version)))


def document_of(
    session: Session, actor: Actor, version: AgreementVersion, cipher: DocumentCipher
) -> KeptDocument:
    """The kept document, for parties of the version only.

    Raises AgreementNotFound for others, DocumentNotKept, DocumentUnreadable.
    """
    if actor.organisation_id not in {party.organisation_id for party in parties_of(session, version)}:
        raise AgreementNotFound
    row = session.get_one(Document, version.document_id)
    if row.ciphertext is None or row.nonce is None:
        raise DocumentNotKept
    plain = cipher.open(row.id, row.sha256, Sealed(bytes(row.nonce), bytes(row.ciphertext)))
    return KeptDocument(plain, MediaType(row.media_type), row.sha256)
