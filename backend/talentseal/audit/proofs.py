"""Bundles as they are handed out: composed, then verified with the auditor's own code, or not handed out at
all.
"""

from dataclasses import dataclass
from typing import ClassVar

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from sealproof.bundle import AgreementEvidence, Anchor, Bundle
from sealproof.errors import ProofError
from sealproof.note import VerifierKey
from sealproof.report import Verdict
from sealproof.trust import ChainIdentity, Finality, Trust
from sealproof.verify import verify
from talentseal.accounts.roles import Actor
from talentseal.agreements import proofs as agreements
from talentseal.agreements import reading
from talentseal.anchoring import epochs
from talentseal.anchoring.models import ChainEpoch, ChainTransaction, Lane, TransactionState
from talentseal.audit import visibility
from talentseal.errors import Conflict
from talentseal.evidence import bundles, records
from talentseal.evidence.models import CheckpointRow, EvidenceRecord

log = structlog.get_logger(__name__)


class BundleNotVerifiable(Conflict):
    code: ClassVar[str] = "bundle-not-verifiable"
    zh: ClassVar[str] = "该证明未通过本系统自身的核验（步骤 {steps}），未予提供。已报警，请联系运营机构。"
    en: ClassVar[str] = (
        "The proof failed our own verification (steps {steps}) and is withheld; the operator was told."
    )


@dataclass(frozen=True, slots=True)
class Notary:
    """What verification trusts here: the log's key, the network's finality, and what the trust file is
    called.
    """

    key: VerifierKey
    finality: Finality
    label: str

    def trust(self, epoch: ChainEpoch | None) -> Trust:
        """The trust file's content for an epoch; without a chain before the first."""
        return Trust(self.key, identity(epoch) if epoch else None, self.finality, self.label)


def identity(epoch: ChainEpoch) -> ChainIdentity:
    """An epoch's identity as trust files and bundles write it."""
    return ChainIdentity(
        epoch.chain_id,
        epoch.genesis_hash,
        epoch.contract,
        epoch.code_hash,
        epoch.deployment_id,
        epoch.deployment_block_hash,
    )


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified bundle and its file."""

    bundle: Bundle
    raw: bytes


def proof_of(
    session: Session, actor: Actor, record_id: str, notary: Notary, *, names: frozenset[str] | None = None
) -> Proof:
    """The record's bundle, verified. names: the fields to disclose; all that the actor may see when None.

    Under an anchored checkpoint when there is one, else under the newest. An agreement is shown in the epoch
    whose contract its parties signed for, closed or not: no other can hold it. All else is shown in the last.
    Raises NotPermitted, RecordNotFound, NotSealedYet, BundleNotVerifiable.
    """
    sight = visibility.see(session, actor, record_id)
    shown = _disclosures(session, record_id, names) if sight.content else []
    with_agreement = sight.content and names is None
    agreement = agreements.agreement_evidence(session, record_id) if with_agreement else None
    return _proof(session, sight.row, notary, shown, agreement)


def own_proof(session: Session, record_id: str, notary: Notary, *, names: frozenset[str] | None) -> Proof:
    """The bundle of a record that is about whoever asks, as the caller has made sure. names: as `proof_of`.

    Raises RecordNotFound, NotSealedYet, BundleNotVerifiable.
    """
    shown = _disclosures(session, record_id, names)
    return _proof(session, records.find(session, record_id), notary, shown, None)


def public_proof(session: Session, record_id: str, notary: Notary) -> Proof:
    """What the log itself says of a record, for anyone: its entry and its place, and no content.

    An entry holds digests only, and its id is 128 random bits: whoever names it has seen a proof. Raises
    RecordNotFound, NotSealedYet, BundleNotVerifiable.
    """
    return _proof(session, records.find(session, record_id), notary, [], None)


def _proof(
    session: Session,
    row: EvidenceRecord,
    notary: Notary,
    shown: list[str],
    agreement: AgreementEvidence | None,
) -> Proof:
    epoch = _epoch_of(session, row.id) if agreement else epochs.newest(session)
    checkpoint, anchor = _checkpoint(session, row, epoch)
    try:
        bundle = bundles.compose(
            session, row, checkpoint, disclosures=shown, anchor=anchor, agreement=agreement
        )
        raw = bundle.dump()
    except (ProofError, UnicodeDecodeError, KeyError, ValueError) as error:
        log.error("bundle.not-composable", record=row.id, error=type(error).__name__)  # noqa: TRY400 - values
        raise BundleNotVerifiable(steps="1") from None
    _check(row.id, raw, notary.trust(epoch))
    return Proof(bundle, raw)


def _disclosures(session: Session, record_id: str, names: frozenset[str] | None) -> list[str]:
    if names is None:
        return records.disclosures_of(session, record_id)
    return records.disclose(session, record_id, sorted(names))


def _epoch_of(session: Session, record_id: str) -> ChainEpoch | None:
    """The epoch for whose contract the parties of an agreement's record signed."""
    version = agreements.version_of_record(session, record_id)
    return epochs.of_domain(session, reading.domain_of(version)) if version else None


def _checkpoint(
    session: Session, row: EvidenceRecord, epoch: ChainEpoch | None
) -> tuple[CheckpointRow, Anchor | None]:
    """The smallest checkpoint over the record that the epoch anchored, and its place on that chain; else the
    newest checkpoint.
    """
    if epoch is None or row.log_index is None:
        return bundles.checkpoint_for(session, row), None
    anchored = session.scalars(
        select(ChainTransaction)
        .where(
            ChainTransaction.epoch_id == epoch.id,
            ChainTransaction.lane == Lane.ANCHOR,
            ChainTransaction.state.in_((TransactionState.MINED, TransactionState.FINAL)),
            ChainTransaction.size > row.log_index,
        )
        .order_by(ChainTransaction.size)
        .limit(1)
    ).one_or_none()
    if anchored is None or anchored.block_number is None or anchored.block_hash is None:
        return bundles.checkpoint_for(session, row), None
    place = Anchor.of(identity(epoch), anchored.block_number, anchored.block_hash, anchored.hash)
    return bundles.checkpoint_for(session, row, anchored.size), place


def _check(record_id: str, raw: bytes, trust: Trust) -> None:
    """Verify as an auditor would, without the chain. Raises BundleNotVerifiable and leaves an alarm in the
    log.
    """
    report = verify(raw, trust=trust, document=None, chain=None)
    failed = [str(step.number) for step in report.steps if step.verdict is Verdict.FAILED]
    if failed or report.exit_code not in {0, 3}:
        log.error("bundle.not-verifiable", record=record_id, steps=failed, exit_code=report.exit_code)
        raise BundleNotVerifiable(steps=", ".join(failed) or "1")
