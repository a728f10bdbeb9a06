"""fsck of the agreements: every stored value is held against what the parties signed and what the log commits
to.

Statements and signatures are the fixed points: the digest follows from the statement, the parties' keys from
the signatures, everything else from the commitment and the root inside the statement. It reports and repairs
nothing.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sealproof import disclosure, merkle, secp256k1
from sealproof.canonical import Json
from sealproof.eip712 import AgreementStatement, Party, TerminationStatement
from sealproof.errors import ProofError
from talentseal.agreements import reading, terms
from talentseal.agreements.models import (
    AgreementParty,
    AgreementTermination,
    AgreementVersion,
    Document,
    Stipulation,
)
from talentseal.evidence import records
from talentseal.evidence.fsck import Finding

PAGE = 200


def check_agreements(session: Session) -> Iterator[Finding]:
    """Every finding in versions, parties, stipulations, documents, signatures and terminations."""
    query = select(AgreementVersion).order_by(AgreementVersion.id).execution_options(yield_per=PAGE)
    for version in session.scalars(query):
        yield from _findings("agreement_version", version.id, _check_version(session, version))
        termination = reading.termination_of(session, version)
        if termination is not None:
            checks = _check_termination(session, version, termination)
            yield from _findings("agreement_termination", version.id, checks)


def _findings(table: str, key: str, checks: Iterator[str]) -> Iterator[Finding]:
    """Run the checks of one row; what cannot even be read is a finding too."""
    try:
        for what in checks:
            yield Finding(table, key, what)
    except (ProofError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield Finding(table, key, f"cannot be read: {type(error).__name__}: {error}")


def _check_version(session: Session, version: AgreementVersion) -> Iterator[str]:
    statement = reading.statement_of(version)
    if "0x" + statement.digest(reading.domain_of(version)).hex() != version.digest:
        yield "digest is not that of the statement"
    expected: dict[str, object] = {
        "agreement_id": "0x" + statement.agreement_id.hex(),
        "version": statement.version,
        "deadline": datetime.fromtimestamp(statement.deadline, UTC),
    }
    yield from _differing(version, expected)
    if (terms.first_second(version.effective_from), terms.last_second(version.valid_through)) != (
        statement.effective_from,
        statement.valid_through,
    ):
        yield "effective_from or valid_through is not what was signed"
    if version.signed_at is not None and version.returned_at is not None:
        yield "returned_at is set although all have signed"
    yield from _check_previous(session, version, statement)
    yield from _check_terms(session, version, statement)
    yield from _check_parties(session, version, statement)
    yield from _check_stipulations(session, version, statement)
    yield from _check_signatures(session, version.digest, statement.parties, version.signed_at)
    if version.record_id is not None:
        yield from _check_record(
            session, version.record_id, version, "0x" + statement.commitment.hex(), version.digest
        )


def _differing(row: object, expected: dict[str, object]) -> Iterator[str]:
    for column, value in expected.items():
        met = getattr(row, column)
        if met != value:
            yield f"{column}: signed was {value}, stored is {met}"


def _check_previous(
    session: Session, version: AgreementVersion, statement: AgreementStatement
) -> Iterator[str]:
    previous = session.get(AgreementVersion, version.previous_id) if version.previous_id else None
    met = bytes.fromhex(previous.digest[2:]) if previous else bytes(32)
    if met != statement.previous:
        yield "previous_id is not the version that the statement amends"


def _check_terms(session: Session, version: AgreementVersion, statement: AgreementStatement) -> Iterator[str]:
    if terms.Terms(version.terms, ()).commitment != statement.commitment:
        yield "terms is not the text committed to"
    if version.erased_at is not None:
        if (version.number, version.title, version.terms_disclosures) != (None, None, None):
            yield "marked as erased, yet content is there"
        return
    shown = json.loads(version.terms_disclosures or "null")
    if shown is None:
        yield "terms_disclosures is missing and no erasure says so"
        return
    if terms.terms_text("agreement-terms", version.agreement_id, version.version, shown) != version.terms:
        yield "terms_disclosures are not those behind the terms"
        return
    content: dict[str, Any] = {item.name: item.value for item in map(disclosure.read, shown)}
    expected = {name: content[name] for name in ("number", "title", "category")}
    expected["survives_instrument"] = content.get("survives_instrument", False)
    yield from _differing(version, dict(expected))
    roles = [party["role"] for party in content["parties"]]
    if roles != [row.signatory_role for row in reading.parties_of(session, version)]:
        yield f"{AgreementParty.__tablename__}: signatory_role is not that of the terms"
    document = session.get_one(Document, version.document_id)
    met: Json = {
        "sha256": document.sha256,
        "sm3": document.sm3,
        "size": document.size,
        "media_type": document.media_type,
    }
    if met != content["document"]:
        yield "the document's digests are not those in the terms"


def _check_parties(
    session: Session, version: AgreementVersion, statement: AgreementStatement
) -> Iterator[str]:
    rows = reading.parties_of(session, version)
    met = [(row.position, row.organisation_id, row.signer, row.nonce) for row in rows]
    signed = [
        (position, "0x" + party.organisation.hex(), party.signer, party.nonce)
        for position, party in enumerate(statement.parties)
    ]
    if met != signed:
        yield f"{AgreementParty.__tablename__} differs from the statement's parties"


def _check_stipulations(
    session: Session, version: AgreementVersion, statement: AgreementStatement
) -> Iterator[str]:
    rows = reading.stipulations_of(session, version)
    table = Stipulation.__tablename__
    if [row.position for row in rows] != list(range(statement.stipulation_count)):
        yield f"{table}: expected positions 0 to {statement.stipulation_count - 1}"
    if merkle.root_of([bytes.fromhex(row.leaf_hash) for row in rows]) != statement.stipulations_root:
        yield f"{table}: the leaf hashes do not give the signed root"
    for row in rows:
        if row.disclosure is not None and terms.leaf_hash(row.disclosure).hex() != row.leaf_hash:
            yield f"{table} {row.position}: the disclosure is not the one behind its leaf"
        if (row.disclosure is None) != (version.erased_at is not None):
            yield f"{table} {row.position}: content and erasure disagree"
        if (row.record_id is None) != (version.signed_at is None):
            yield f"{table} {row.position}: record and signing disagree"


def _check_signatures(
    session: Session, digest: str, parties: tuple[Party, ...], signed_at: datetime | None
) -> Iterator[str]:
    given = reading.signatures_of(session, digest)
    signers = {"0x" + party.organisation.hex(): party.signer for party in parties}
    if (signed_at is not None) != (set(given) == set(signers)):
        yield f"signed_at says {signed_at}, {len(given)} of {len(signers)} signatures are there"
    for organisation, row in given.items():
        recovered = secp256k1.recover(bytes.fromhex(digest[2:]), bytes.fromhex(row.signature[2:]))
        if not recovered == row.signer == signers.get(organisation):
            yield f"the signature of {organisation} is not by the signer that the statement names"


def _check_record(
    session: Session, record_id: str, version: AgreementVersion, commitment: str, digest: str
) -> Iterator[str]:
    shown = records.disclosures_of(session, record_id)
    if not shown and version.erased_at is None:
        yield "the record's disclosures are gone and no erasure says so"
        return
    content = {item.name: item.value for item in map(disclosure.read, shown)}
    expected: dict[str, Json] = {
        "agreement": version.agreement_id,
        "version": version.version,
        "commitment": commitment,
        "digest": digest,
    }
    if shown and content != expected:
        yield "record_id names a record of something else"


def _check_termination(
    session: Session, version: AgreementVersion, termination: AgreementTermination
) -> Iterator[str]:
    statement = TerminationStatement.from_json(json.loads(termination.statement))
    if "0x" + statement.digest(reading.domain_of(version)).hex() != termination.digest:
        yield "digest is not that of the statement"
    expected: dict[str, object] = {
        "effective_at": datetime.fromtimestamp(statement.effective_at, UTC),
        "deadline": datetime.fromtimestamp(statement.deadline, UTC),
    }
    yield from _differing(termination, expected)
    if "0x" + statement.agreement.hex() != version.digest:
        yield "the statement ends another version"
    if terms.Terms(termination.terms, ()).commitment != statement.commitment:
        yield "terms is not the text committed to"
    shown = json.loads(termination.terms_disclosures or "null")
    text = shown and terms.terms_text("termination-terms", version.agreement_id, version.version, shown)
    if shown is not None and text != termination.terms:
        yield "terms_disclosures are not those behind the terms"
    if (shown is None) != (version.erased_at is not None):
        yield "content and erasure disagree"
    yield from _check_signatures(session, termination.digest, statement.parties, termination.signed_at)
    if termination.record_id is not None:
        commitment = "0x" + statement.commitment.hex()
        yield from _check_record(session, termination.record_id, version, commitment, termination.digest)
