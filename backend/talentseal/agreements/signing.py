"""Taking signatures; with the last one, evidence and the contract's act, in the same transaction.

A signature is checked on receipt by the verifier's own code: it must recover exactly the address that the
statement names for the party, and that key must be registered and valid now.
"""

import json
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from sealproof import secp256k1
from sealproof.eip712 import Domain
from sealproof.entry import Relation
from sealproof.errors import ProofError
from talentseal import evidence
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import reading
from talentseal.agreements.events import AgreementAmended, AgreementEvidenced, StipulationDeclared
from talentseal.agreements.models import AgreementVersion, StatementKind, StatementSignature
from talentseal.agreements.states import AgreementState
from talentseal.agreements.submission import AgreementStateRefused, EpochChanged, VersionEnding
from talentseal.errors import Invalid, NotPermitted
from talentseal.evidence import acts
from talentseal.evidence.models import ActKind
from talentseal.partners import service as partners


class SignatureFalse(Invalid):
    code: ClassVar[str] = "signature-false"
    zh: ClassVar[str] = (
        "签名与声明不符：它不是由密钥 {signer} 对该版本作出的。请用该密钥对类型化数据重新签名。"
    )
    en: ClassVar[str] = (
        "The signature is not by key {signer} over this statement; sign the typed data with that key."
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
    """Take the actor's organisation's signature over a version; with the last one the agreement is evidenced.

    signature: 0x and 65 bytes. Sending it again changes nothing. Raises NotPermitted, AgreementNotFound,
    AgreementStateRefused, EpochChanged, VersionEnding, SignatureFalse, SigningKeyInvalid.
    """
    actor.require(Permission.AGREEMENT_SIGN)
    version = reading.version_of(session, actor, agreement_id, number, lock=True)
    given = reading.signatures_of(session, version.digest)
    if repeated(given, actor, signature):
        return version
    state = reading.state_at(session, version, now=now)
    if state not in {AgreementState.SUBMITTED, AgreementState.SIGNING}:
        raise AgreementStateRefused(state=state.value)
    if reading.domain_of(version) != domain:
        raise EpochChanged
    if version.previous_id is not None:
        # Held like the termination's own signing holds it: of two last signatures one has to see the other.
        current = session.get_one(AgreementVersion, version.previous_id, with_for_update=True)
        if reading.is_terminated(session, current):
            raise VersionEnding
    signers = {party.organisation_id: party.signer for party in reading.parties_of(session, version)}
    given |= take(
        session, actor, version.digest, StatementKind.AGREEMENT, signers=signers, signature=signature, now=now
    )
    if len(given) == len(signers):
        _conclude(session, version, [given[organisation].signature for organisation in signers], now=now)
    return version


def repeated(given: dict[str, StatementSignature], actor: Actor, signature: str) -> bool:
    """Whether the actor's organisation has already given exactly this signature."""
    earlier = given.get(actor.organisation_id)
    return earlier is not None and earlier.signature == signature.lower()


def take(
    session: Session,
    actor: Actor,
    digest: str,
    kind: StatementKind,
    *,
    signers: dict[str, str],
    signature: str,
    now: datetime,
) -> dict[str, StatementSignature]:
    """Check and keep one signature over `digest`. signers: address by organisation, as the statement names
    them.

    Raises NotPermitted for an organisation that is no party, SignatureFalse, SigningKeyInvalid.
    """
    signer = signers.get(actor.organisation_id)
    if signer is None:
        raise NotPermitted(permission=Permission.AGREEMENT_SIGN.value)
    try:
        recovered = secp256k1.recover(bytes.fromhex(digest[2:]), bytes.fromhex(signature[2:]))
    except ProofError:
        raise SignatureFalse(signer=signer) from None
    if recovered != signer:
        raise SignatureFalse(signer=signer)
    partners.valid_key(session, actor.organisation_id, signer, now=now)
    row = StatementSignature(
        digest=digest,
        organisation_id=actor.organisation_id,
        kind=kind,
        signer=signer,
        signature=signature.lower(),
        received_by=actor.account_id,
        received_at=now,
    )
    session.add(row)
    session.flush()
    return {actor.organisation_id: row}


def _conclude(session: Session, version: AgreementVersion, signatures: list[str], *, now: datetime) -> None:
    """All have signed: record the agreement and each stipulation, and ask the contract to conclude it.

    signatures: in the order of the statement's parties.
    """
    current = session.get_one(AgreementVersion, version.previous_id) if version.previous_id else None
    event = AgreementEvidenced if current is None else AgreementAmended
    recorded = evidence.record(
        session,
        event(version.agreement_id, version.version, reading.commitment_of(version), version.digest),
        now=now,
        relation=Relation.AMENDS if current else None,
        refers_to=current.record_id if current else None,
    )
    version.signed_at, version.record_id = now, recorded.id
    _declare_stipulations(session, version, recorded.id, now=now)
    payload: dict[str, Any] = {"statement": json.loads(version.statement), "signatures": signatures}
    if current is not None:
        payload = {
            "current": json.loads(current.statement),
            "next": json.loads(version.statement),
            "signatures": signatures,
        }
    kind = ActKind.CONCLUDE if current is None else ActKind.AMEND
    acts.enqueue(session, kind, digest=version.digest, payload=payload, now=now, record_id=recorded.id)
    session.flush()


def _declare_stipulations(
    session: Session, version: AgreementVersion, record_id: str, *, now: datetime
) -> None:
    for stipulation in reading.stipulations_of(session, version):
        declared = StipulationDeclared(
            version.agreement_id, version.version, stipulation.position, "0x" + stipulation.leaf_hash
        )
        recorded = evidence.record(
            session, declared, now=now, relation=Relation.DECLARES, refers_to=record_id
        )
        stipulation.record_id = recorded.id
