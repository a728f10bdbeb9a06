"""What an agreement adds to a record's bundle: the text signed, the stipulations, the statement, the
signatures.
"""

import json
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from sealproof.bundle import AgreementEvidence, WithheldStipulation
from sealproof.bundle import Stipulation as ShownStipulation
from sealproof.eip712 import TerminationStatement
from talentseal.agreements import reading
from talentseal.agreements.models import (
    AgreementParty,
    AgreementTermination,
    AgreementVersion,
    Document,
    Stipulation,
)
from talentseal.evidence import acts, records
from talentseal.evidence.records import ErasureReason


def version_of_record(session: Session, record_id: str) -> AgreementVersion | None:
    """The version that a record of kind 10, 11, 13 or 20 is about; None for any other record."""
    ended = select(AgreementTermination.version_id).where(AgreementTermination.record_id == record_id)
    declared = select(Stipulation.version_id).where(Stipulation.record_id == record_id)
    return session.scalars(
        select(AgreementVersion).where(
            or_(
                AgreementVersion.record_id == record_id,
                AgreementVersion.id.in_(ended),
                AgreementVersion.id.in_(declared),
            )
        )
    ).one_or_none()


def has_party(session: Session, version: AgreementVersion, organisation_id: str) -> bool:
    """Whether an organisation is a party of the version."""
    return session.get(AgreementParty, (version.id, organisation_id)) is not None


def agreement_evidence(session: Session, record_id: str) -> AgreementEvidence | None:
    """The bundle's agreement section for a record of kind 10, 11 or 13; None for any other record."""
    version = version_of_record(session, record_id)
    if version is None:
        return None
    if version.record_id == record_id:
        return _concluded(session, version)
    termination = reading.termination_of(session, version)
    if termination is not None and termination.record_id == record_id:
        return _terminated(session, version, termination)
    return None


def _concluded(session: Session, version: AgreementVersion) -> AgreementEvidence:
    statement = reading.statement_of(version)
    organisations = [party.to_json()["organisation"] for party in statement.parties]
    return AgreementEvidence(
        terms=version.terms,
        disclosures=_shown(version.terms_disclosures),
        stipulations=tuple(_stipulation(row) for row in reading.stipulations_of(session, version)),
        statement=statement,
        termination=None,
        signatures=_signatures(session, version.digest, [str(each) for each in organisations]),
        transaction_hash=_transaction(session, version.digest),
    )


def _terminated(
    session: Session, version: AgreementVersion, termination: AgreementTermination
) -> AgreementEvidence:
    ended = TerminationStatement.from_json(json.loads(termination.statement))
    organisations = [party.to_json()["organisation"] for party in ended.parties]
    return AgreementEvidence(
        terms=termination.terms,
        disclosures=_shown(termination.terms_disclosures),
        stipulations=(),
        statement=reading.statement_of(version),
        termination=ended,
        signatures=_signatures(session, termination.digest, [str(each) for each in organisations]),
        transaction_hash=_transaction(session, termination.digest),
    )


def _shown(stored: str | None) -> tuple[str, ...]:
    return () if stored is None else tuple(str(item) for item in json.loads(stored))


def _stipulation(row: Stipulation) -> ShownStipulation:
    return WithheldStipulation(bytes.fromhex(row.leaf_hash)) if row.disclosure is None else row.disclosure


def _signatures(session: Session, digest: str, organisations: list[str]) -> tuple[bytes, ...]:
    given = reading.signatures_of(session, digest)
    return tuple(bytes.fromhex(given[each].signature[2:]) for each in organisations)


def _transaction(session: Session, digest: str) -> str | None:
    act = acts.act_of(session, digest)
    return act.transaction_hash if act else None


def erase(session: Session, version: AgreementVersion, reason: ErasureReason, *, now: datetime) -> None:
    """Destroy what a version says: number, title, terms, stipulations, document, and its records'
    disclosures.

    Digests, statement and signatures stay, so every proof in the parties' hands still verifies. Repeating it
    changes nothing.
    """
    if version.erased_at is not None:
        return
    stipulations = reading.stipulations_of(session, version)
    termination = reading.termination_of(session, version, lock=True)
    recorded = [version.record_id, *(row.record_id for row in stipulations)]
    version.number = version.title = version.terms_disclosures = None
    version.erased_at = now
    for row in stipulations:
        row.disclosure = None
    if termination is not None:
        termination.terms_disclosures = None
        recorded.append(termination.record_id)
    session.execute(
        update(Document).where(Document.id == version.document_id).values(nonce=None, ciphertext=None)
    )
    for record_id in filter(None, recorded):
        records.erase(session, record_id, reason, now=now)
    session.flush()
