"""Certificates on paper: one page for a record, the history for an agreement, the proofs attached inside.

A certificate is made of nothing but proofs that were verified a moment ago and of what the service knows of
their state. It bears no date of its own: the same evidence in the same state gives the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from sealproof.agreement import read_terms
from talentseal.accounts import service as accounts
from talentseal.accounts.roles import Actor
from talentseal.agreements import proofs as agreement_proofs
from talentseal.agreements import reading
from talentseal.agreements.models import AgreementVersion
from talentseal.agreements.states import AgreementState, state_of
from talentseal.audit import corrections, particulars, proofs, visibility
from talentseal.audit.particulars import Exhibit, Values
from talentseal.audit.proofs import Notary
from talentseal.config import ChainType
from talentseal.db import Database
from talentseal.evidence import status
from talentseal.web.language import Language
from talentseal.web.names import chinese
from talentseal.web.typesetting import Attachment, typeset

SOURCE: Final = Path(__file__).parent / "certificate.typ"


@dataclass(frozen=True, slots=True)
class Issuer:
    """What a certificate says of the service that made it. address: its public URL, without a slash at the
    end.
    """

    notary: Notary
    address: str
    chain: ChainType
    chain_label: Mapping[Language, str]
    demonstration: bool

    @property
    def verify_url(self) -> str:
        return f"{self.address}/verify"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A PDF/A-3b and what to call it."""

    file_name: str
    pdf: bytes


@dataclass(frozen=True, slots=True)
class _Draft:
    """All that goes into a certificate. at: the newest of its checkpoints' times, and the PDF's date."""

    file_name: str
    values: Values
    at: datetime
    attachments: list[Attachment]

    def typeset(self) -> Certificate:
        pdf = typeset(SOURCE, self.values, at=self.at, attachments=self.attachments)
        return Certificate(self.file_name, pdf)


def of_record(database: Database, actor: Actor, record_id: str, issuer: Issuer) -> Certificate:
    """One page on one record, with what the actor may see of its content.

    Raises NotPermitted, RecordNotFound, NotSealedYet, BundleNotVerifiable, GlyphMissing.
    """
    return database.read(lambda session: _of_record(session, actor, record_id, issuer)).typeset()


def of_agreement(database: Database, actor: Actor, agreement_id: str, issuer: Issuer) -> Certificate:
    """The history of an agreement: every version that all have signed and that the actor may see, every end.

    Raises NotPermitted, AgreementNotFound, NotEvidencedYet, NotSealedYet, BundleNotVerifiable, GlyphMissing.
    """
    return database.read(lambda session: _of_agreement(session, actor, agreement_id, issuer)).typeset()


def _of_record(session: Session, actor: Actor, record_id: str, issuer: Issuer) -> _Draft:
    exhibit = _exhibit(session, actor, record_id, issuer)
    key = issuer.notary.key
    at = exhibit.sealed_at(key)
    values = {
        **_frame(session, issuer, at),
        "form": "record",
        "evidence": particulars.evidence(exhibit, key, issuer.verify_url),
        "fields": particulars.fields(exhibit),
        "agreement": particulars.agreement(exhibit),
    }
    return _Draft(f"{record_id}.certificate.pdf", values, at, [exhibit.attachment()])


def _exhibit(session: Session, actor: Actor, record_id: str, issuer: Issuer) -> Exhibit:
    proof = proofs.proof_of(session, actor, record_id, issuer.notary)
    row = visibility.see(session, actor, record_id).row
    closures = sorted(
        (closure.relation, closure.record_id) for closure in corrections.effective(session, row.id)
    )
    return Exhibit(
        proof, status.state_of(session, row), tuple(closures), _received(session, proof, record_id)
    )


def _received(session: Session, proof: proofs.Proof, record_id: str) -> dict[str, datetime]:
    """When the signatures came in, by organisation; nothing for what is no agreement or shows none."""
    version = agreement_proofs.version_of_record(session, record_id)
    if version is None or proof.bundle.agreement is None:
        return {}
    ended = reading.termination_of(session, version)
    digest = version.digest if ended is None or ended.record_id != record_id else ended.digest
    signatures = reading.signatures_of(session, digest)
    return {organisation: row.received_at for organisation, row in signatures.items()}


def _frame(session: Session, issuer: Issuer, at: datetime) -> Values:
    """What stands on every certificate."""
    return {
        "demonstration": issuer.demonstration,
        "chain": issuer.chain,
        "chain_zh": issuer.chain_label[Language.ZH],
        "chain_en": issuer.chain_label[Language.EN],
        "operators": [organisation.name for organisation in accounts.operators(session)],
        "origin": issuer.notary.key.name,
        "key": str(issuer.notary.key),
        "verify": issuer.verify_url,
        "day": particulars.day(int(at.timestamp())),
    }


def _of_agreement(session: Session, actor: Actor, agreement_id: str, issuer: Issuer) -> _Draft:
    key = issuer.notary.key
    versions = reading.history(session, actor, agreement_id)
    chapters = [
        (version, _exhibit(session, actor, record_id, issuer))
        for version in versions
        for record_id in _records(session, version)
    ]
    at = max(exhibit.sealed_at(key) for _, exhibit in chapters)
    log = status.log_sizes(session)
    states = {version.id: state_of(reading.facts_of(session, version, log), now=at) for version in versions}
    values = {
        **_frame(session, issuer, at),
        "form": "agreement",
        "agreement": agreement_id,
        "chapters": [
            {
                "state": chinese().states[states[version.id]],
                "evidence": particulars.evidence(exhibit, key, issuer.verify_url),
                "agreement": particulars.agreement(exhibit, _known(chapters, version)),
            }
            for version, exhibit in chapters
        ],
        "stipulations": _stipulations(chapters, states),
    }
    name = f"agreement-{agreement_id[2:18]}.certificate.pdf"
    return _Draft(name, values, at, [exhibit.attachment() for _, exhibit in chapters])


def _known(chapters: list[tuple[AgreementVersion, Exhibit]], ending: AgreementVersion) -> dict[str, Values]:
    """The parties as the version's own proof names them: the terms of its end do not."""
    known: dict[str, Values] = {}
    for version, exhibit in chapters:
        shown = exhibit.proof.bundle.agreement
        if version is ending and shown is not None:
            known |= particulars.named_parties(read_terms(shown).shown)
    return known


def _records(session: Session, version: AgreementVersion) -> list[str]:
    """The version's record, and that of its end."""
    ended = reading.termination_of(session, version)
    return [record for record in (version.record_id, ended.record_id if ended else None) if record]


def _stipulations(
    chapters: list[tuple[AgreementVersion, Exhibit]], states: Mapping[str, AgreementState]
) -> Values:
    """What the parties owe each other under the version in force, or without one under the newest."""
    concluded = {
        version.version: (version, exhibit) for version, exhibit in chapters if _concludes(version, exhibit)
    }
    current = [
        number for number, (version, _) in concluded.items() if states[version.id] is AgreementState.IN_FORCE
    ]
    number = max(current or concluded)
    shown = concluded[number][1].proof.bundle.agreement
    return {
        "version": number,
        "in_force": bool(current),
        "items": [] if shown is None else particulars.stipulations(shown),
    }


def _concludes(version: AgreementVersion, exhibit: Exhibit) -> bool:
    return version.record_id == exhibit.entry.id
