"""The text that an agreement's parties commit to, its stipulations root, and the statement that they sign.

Service and signer compose them with this same code: the service from what was submitted, the signer from what
he has before him, and he signs only when both come out equal.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Final

from sealproof import canonical, disclosure, merkle
from sealproof.canonical import Json
from sealproof.eip712 import ZERO_HASH, AgreementStatement, Party, TerminationStatement
from sealproof.errors import ProofError
from talentseal.agreements.documents import Digests
from talentseal.agreements.schemas import StipulationInput, Submission, TerminationInput
from talentseal.clock import SHANGHAI
from talentseal.errors import Invalid

SALT_BYTES: Final = 16
STIPULATION: Final = "stipulation"
_TERMS_LIMIT: Final = 64 * 1024


class StatementRefused(Invalid):
    code: ClassVar[str] = "statement-refused"
    zh: ClassVar[str] = "无法形成可签署的声明：{why}。请更正后重试。"
    en: ClassVar[str] = "No statement can be made to sign: {why}; correct the input."


@dataclass(frozen=True, slots=True)
class PartyTerms:
    """A party as the terms name it and as the statement binds it."""

    organisation: str
    name: str
    credit_code: str
    role: str
    signer: str
    nonce: int


@dataclass(frozen=True, slots=True)
class Terms:
    """A terms text and the disclosures behind its digests; commitment: 32 bytes."""

    text: str
    disclosures: tuple[str, ...]

    @property
    def commitment(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()


def agreement_terms(
    agreement_id: str,
    version: int,
    submission: Submission,
    *,
    digests: Digests,
    parties: Sequence[PartyTerms],
    previous: str | None,
) -> Terms:
    """The terms of one version with fresh salts. previous: digest of the version it amends, or None."""
    content: dict[str, Json] = {
        "number": submission.number,
        "title": submission.title,
        "category": submission.category.value,
        "parties": [
            {
                "organisation": party.organisation,
                "credit_code": party.credit_code,
                "name": party.name,
                "role": party.role,
            }
            for party in parties
        ],
        "document": {
            "sha256": digests.sha256,
            "sm3": digests.sm3,
            "size": digests.size,
            "media_type": digests.media_type.value,
        },
        "effective_from": submission.effective_from.isoformat(),
        "valid_through": submission.valid_through.isoformat(),
    }
    # Only where it is said, so that the terms of all others stay what they were.
    if submission.survives_instrument:
        content["survives_instrument"] = True
    if previous is not None:
        content["previous"] = previous
    return _terms("agreement-terms", agreement_id, version, content)


def termination_terms(agreement_id: str, version: int, command: TerminationInput) -> Terms:
    """The terms of a termination with fresh salts."""
    content: dict[str, Json] = {
        "reason": command.reason,
        "notice": command.notice,
        "effective_at": command.effective_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return _terms("termination-terms", agreement_id, version, content)


def _terms(kind: str, agreement_id: str, version: int, content: dict[str, Json]) -> Terms:
    made = [disclosure.make(name, value, secrets.token_bytes(SALT_BYTES)) for name, value in content.items()]
    return Terms(terms_text(kind, agreement_id, version, made), tuple(made))


def terms_text(kind: str, agreement_id: str, version: int, disclosures: Sequence[str]) -> str:
    """The one text over these disclosures: only their digests stand in it."""
    document: dict[str, Json] = {
        "_sd": sorted(disclosure.digest(item) for item in disclosures),
        "_sd_alg": disclosure.ALGORITHM,
        "agreement": agreement_id,
        "kind": kind,
        "v": 1,
        "version": version,
    }
    return canonical.encode(document).decode()


def stipulation_disclosure(stipulation: StipulationInput) -> str:
    """One stipulation as an RFC 9901 disclosure with a fresh salt."""
    return disclosure.make(STIPULATION, stipulation_content(stipulation), secrets.token_bytes(SALT_BYTES))


def stipulation_content(stipulation: StipulationInput) -> Json:
    """The value inside a stipulation's disclosure."""
    return {
        "clause": stipulation.clause,
        "duty_holder": stipulation.duty_holder,
        "beneficiary_tiers": [tier.value for tier in stipulation.beneficiary_tiers],
        "measure": stipulation.measure,
        "period": stipulation.period.value,
        "threshold": stipulation.threshold,
        "remedy": stipulation.remedy,
    }


def leaf_hash(stipulation: str) -> bytes:
    """Leaf of the stipulations tree: 32 bytes from the disclosure's text."""
    return merkle.leaf_hash(stipulation.encode("ascii"))


def first_second(day: date) -> int:
    """The first second of a legal day (Asia/Shanghai) since 1970."""
    return int(datetime.combine(day, time(), SHANGHAI).timestamp())


def last_second(day: date) -> int:
    """The last second of a legal day (Asia/Shanghai) since 1970."""
    return first_second(day + timedelta(days=1)) - 1


def agreement_statement(
    agreement_id: str,
    version: int,
    submission: Submission,
    *,
    terms: Terms,
    leaves: Sequence[bytes],
    parties: Sequence[PartyTerms],
    previous: str | None,
    deadline: datetime,
) -> AgreementStatement:
    """What every party signs. parties: in ascending order of organisation. Raises StatementRefused."""
    try:
        return AgreementStatement(
            agreement_id=bytes.fromhex(agreement_id[2:]),
            version=version,
            previous=ZERO_HASH if previous is None else bytes.fromhex(previous[2:]),
            commitment=terms.commitment,
            stipulations_root=merkle.root_of(leaves),
            stipulation_count=len(leaves),
            effective_from=first_second(submission.effective_from),
            valid_through=last_second(submission.valid_through),
            deadline=int(deadline.timestamp()),
            parties=_signing(parties),
        )
    except ProofError as error:
        raise StatementRefused(why=str(error)) from None


def termination_statement(
    digest: str, terms: Terms, effective_at: datetime, deadline: datetime, parties: Sequence[PartyTerms]
) -> TerminationStatement:
    """What every party signs to end the version with that digest. Raises StatementRefused."""
    try:
        return TerminationStatement(
            agreement=bytes.fromhex(digest[2:]),
            commitment=terms.commitment,
            effective_at=int(effective_at.timestamp()),
            deadline=int(deadline.timestamp()),
            parties=_signing(parties),
        )
    except ProofError as error:
        raise StatementRefused(why=str(error)) from None


def _signing(parties: Sequence[PartyTerms]) -> tuple[Party, ...]:
    return tuple(Party(bytes.fromhex(party.organisation[2:]), party.signer, party.nonce) for party in parties)
