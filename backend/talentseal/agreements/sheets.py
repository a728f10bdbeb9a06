"""A version as its page shows it to one visitor: names instead of identifiers, and what he has to do next."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from sealproof import disclosure
from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.agreements import reading
from talentseal.agreements.comparing import Content, Difference, Head, compare
from talentseal.agreements.documents import Digests, MediaType
from talentseal.agreements.models import (
    AgreementParty,
    AgreementTermination,
    AgreementVersion,
    Document,
    StatementSignature,
    Stipulation,
)
from talentseal.agreements.reading import AgreementNotFound, Standing
from talentseal.agreements.schemas import StipulationInput
from talentseal.agreements.states import AgreementState
from talentseal.agreements.submission import AMENDABLE
from talentseal.db import only_row, rows
from talentseal.evidence.models import ActState, RegistryAct
from talentseal.evidence.status import RecordState
from talentseal.partners import service as partners


class Next(StrEnum):
    """What is to be done next about a version, seen from one organisation."""

    SUBMIT_DRAFT = "SUBMIT_DRAFT"
    REGISTER_KEY = "REGISTER_KEY"
    SIGN = "SIGN"
    AWAIT_SIGNATURES = "AWAIT_SIGNATURES"
    AWAIT_CHAIN = "AWAIT_CHAIN"
    AWAIT_FINAL = "AWAIT_FINAL"
    SIGN_TERMINATION = "SIGN_TERMINATION"
    AWAIT_TERMINATION_SIGNATURES = "AWAIT_TERMINATION_SIGNATURES"
    AWAIT_TERMINATION_CHAIN = "AWAIT_TERMINATION_CHAIN"
    KEEP_PROOF = "KEEP_PROOF"
    SUBMIT_AGAIN = "SUBMIT_AGAIN"
    NOTHING = "NOTHING"


MOVING: Final = frozenset({Next.AWAIT_CHAIN, Next.AWAIT_FINAL, Next.AWAIT_TERMINATION_CHAIN})
"""What goes on by itself within seconds."""

WAITING: Final = frozenset({Next.SIGN, Next.AWAIT_SIGNATURES, Next.AWAIT_TERMINATION_SIGNATURES})
"""What goes on when other people act."""

STAGES: Final = ("SUBMITTED", "SIGNED", "ON_CHAIN", "FINAL")


@dataclass(frozen=True, slots=True)
class PartyLine:
    """One party. signed_at: when its signature came. mine: whether it is the visitor's organisation."""

    organisation: str
    name: str
    role: str
    signer: str
    signed_at: datetime | None
    mine: bool


class Act(NamedTuple):
    """What has become of a statement on the contract. reason: why it was refused, else empty."""

    state: ActState
    reason: str
    transaction_hash: str | None


@dataclass(frozen=True, slots=True)
class Ending:
    """A version's termination. open: whether signatures are still taken. act: None until all have signed.

    statement: JSON, as in bundles.
    """

    reason: str | None
    notice: str | None
    effective_at: datetime
    deadline: datetime
    digest: str
    statement: str
    parties: tuple[PartyLine, ...]
    record: str | None
    act: ActState | None
    act_reason: str
    lapsed: bool

    @property
    def is_open(self) -> bool:
        """Whether signatures are taken."""
        return self.record is None and not self.lapsed


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything on the page of a version. stipulations: None where erased. record: its id and state."""

    row: AgreementVersion
    state: AgreementState
    submitter: str
    parties: tuple[PartyLine, ...]
    digests: Digests
    document_kept: bool
    stipulations: tuple[StipulationInput | None, ...]
    record: str | None
    record_state: RecordState | None
    act: Act | None
    ending: Ending | None
    versions: tuple[Standing, ...]
    difference: Difference | None
    next: Next
    may_return: bool
    may_submit: bool
    names: Mapping[str, str]

    @property
    def address(self) -> str:
        """Path of the version's page."""
        return f"/agreements/{self.row.agreement_id}/{self.row.version}"

    @property
    def mine(self) -> PartyLine | None:
        """The visitor's own line, None for who is no party."""
        return next((line for line in self.parties if line.mine), None)

    @property
    def content(self) -> Content | None:
        """What the version says, for comparison; None after erasure."""
        parties = tuple((line.organisation, line.role) for line in self.parties)
        return _content(self.row, parties, self.digests.sha256, self.stipulations)

    @property
    def may_amend(self) -> bool:
        """Whether the version can be amended or terminated by the visitor."""
        return self.may_submit and self.mine is not None and self.state in AMENDABLE and not self._is_ending

    @property
    def _is_ending(self) -> bool:
        return (
            self.ending is not None
            and self.ending.record is not None
            and self.ending.act is not ActState.REFUSED
        )

    @property
    def polls_every(self) -> int | None:
        """Seconds after which the page looks again; None when there is nothing to wait for."""
        if self.next in MOVING:
            return 1
        return 10 if self.next in WAITING else None

    @property
    def stages(self) -> tuple[tuple[str, str], ...]:
        """Each stage with one of done, current, ahead."""
        reached = self._reached()
        return tuple(
            (stage, "done" if place < reached else "current" if place == reached else "ahead")
            for place, stage in enumerate(STAGES)
        )

    def _reached(self) -> int:
        if self.row.submitted_at is None:
            return 0
        if self.record is None:
            return 1
        on_chain = self.act is not None and self.act.state in {ActState.MINED, ActState.FINAL}
        if not on_chain:
            return 2
        return 4 if self.is_final else 3

    @property
    def is_final(self) -> bool:
        """Whether both the contract and the log have it for good."""
        concluded = self.act is not None and self.act.state is ActState.FINAL
        return concluded and self.record_state is RecordState.FINAL

    @property
    def mark(self) -> str:
        """Changes whenever the page has something new to show."""
        signed = sum(line.signed_at is not None for line in self.parties)
        ended = (
            ""
            if self.ending is None
            else str(sum(each.signed_at is not None for each in self.ending.parties))
        )
        act = "" if self.act is None else self.act.state.value
        record = self.record_state.value if self.record_state else ""
        ending = f"{self.ending.act}" if self.ending else ""
        return "-".join((self.state.value, str(signed), act, record, ended, ending, self.next.value))


def sheet(session: Session, actor: Actor, agreement_id: str, number: int, *, now: datetime) -> Sheet:
    """The version of that number as `actor` may see it. Raises NotPermitted, AgreementNotFound."""
    actor.require(Permission.AGREEMENT_READ)
    visible = reading.visible_versions(session, actor, agreement_id)
    versions = tuple(reading.standings(session, visible, now=now))
    standing = next((each for each in reversed(versions) if each.version.version == number), None)
    if standing is None:
        raise AgreementNotFound
    row = standing.version
    sight = _Sight(session, actor, row, now, _names(session, row))
    parties, ending = sight.lines(row.digest), sight.ending()
    digests, kept = document_of(session, row)
    return Sheet(
        row=row,
        state=standing.state,
        submitter=sight.names[row.submitter_id],
        parties=parties,
        digests=digests,
        document_kept=kept,
        stipulations=stipulations_of(session, row),
        record=row.record_id,
        record_state=standing.facts.record,
        act=_act(session, row.digest),
        ending=ending,
        versions=versions,
        difference=_difference(session, row),
        next=sight.next(standing, parties, ending),
        may_return=sight.may_return(standing.state, parties),
        may_submit=actor.may(Permission.AGREEMENT_SUBMIT),
        names=sight.names,
    )


_NAMES: Final = select(Organisation.id, Organisation.name).where(
    Organisation.id.in_(bindparam("organisations", expanding=True))
)


def _names(session: Session, row: AgreementVersion) -> dict[str, str]:
    ids = {party["organisation"] for party in json.loads(row.statement)["parties"]} | {row.submitter_id}
    return {each.id: each.name for each in rows(session, _NAMES, organisations=list(ids))}


_ACT: Final = select(RegistryAct.state, RegistryAct.reason, RegistryAct.transaction_hash).where(
    RegistryAct.digest == bindparam("digest")
)


def _act(session: Session, digest: str) -> Act | None:
    """The registry act of a statement; None while there is none."""
    found = only_row(session, _ACT, digest=digest)
    return None if found is None else Act(*found)


_LINES: Final = (
    select(
        AgreementParty.organisation_id,
        AgreementParty.signatory_role,
        AgreementParty.signer,
        StatementSignature.received_at,
    )
    .outerjoin(
        StatementSignature,
        (StatementSignature.organisation_id == AgreementParty.organisation_id)
        & (StatementSignature.digest == bindparam("digest")),
    )
    .where(AgreementParty.version_id == bindparam("version"))
    .order_by(AgreementParty.position)
)

_TERMINATION: Final = select(
    AgreementTermination.terms_disclosures,
    AgreementTermination.statement,
    AgreementTermination.digest,
    AgreementTermination.effective_at,
    AgreementTermination.deadline,
    AgreementTermination.record_id,
).where(AgreementTermination.version_id == bindparam("version"))


@dataclass(frozen=True, slots=True)
class _Sight:
    """One visitor before one version."""

    session: Session
    actor: Actor
    row: AgreementVersion
    now: datetime
    names: Mapping[str, str]

    def lines(self, digest: str, signers: Mapping[str, str] | None = None) -> tuple[PartyLine, ...]:
        """The parties and their signatures over `digest`. signers: by organisation, if others than agreed."""
        return tuple(
            PartyLine(
                organisation=organisation,
                name=self.names[organisation],
                role=role,
                signer=(signers or {}).get(organisation, signer),
                signed_at=signed_at,
                mine=organisation == self.actor.organisation_id,
            )
            for organisation, role, signer, signed_at in rows(
                self.session, _LINES, version=self.row.id, digest=digest
            )
        )

    def ending(self) -> Ending | None:
        met = only_row(self.session, _TERMINATION, version=self.row.id)
        if met is None:
            return None
        named = json.loads(met.statement)["parties"]
        said = _disclosed(met.terms_disclosures)
        act = _act(self.session, met.digest)
        return Ending(
            reason=said.get("reason"),
            notice=said.get("notice"),
            effective_at=met.effective_at,
            deadline=met.deadline,
            digest=met.digest,
            statement=met.statement,
            parties=self.lines(met.digest, {each["organisation"]: each["signer"] for each in named}),
            record=met.record_id,
            act=act.state if act else None,
            act_reason=act.reason if act else "",
            lapsed=met.record_id is None and self.now > met.deadline,
        )

    def next(self, standing: Standing, parties: Sequence[PartyLine], ending: Ending | None) -> Next:
        """The one thing to do, or to wait for."""
        match standing.state:
            case AgreementState.DRAFT:
                return Next.SUBMIT_DRAFT if self.actor.may(Permission.AGREEMENT_SUBMIT) else Next.NOTHING
            case AgreementState.SUBMITTED | AgreementState.SIGNING:
                return self._to_sign(parties, Next.SIGN, Next.AWAIT_SIGNATURES)
            case AgreementState.SIGNED | AgreementState.ANCHORING:
                on_chain = standing.facts.act in {ActState.MINED, ActState.FINAL}
                return Next.AWAIT_FINAL if on_chain else Next.AWAIT_CHAIN
            case AgreementState.RETURNED:
                mine = self.row.submitter_id == self.actor.organisation_id
                may = mine and self.actor.may(Permission.AGREEMENT_SUBMIT)
                return Next.SUBMIT_AGAIN if may else Next.NOTHING
        if ending is not None and ending.is_open:
            return self._to_sign(ending.parties, Next.SIGN_TERMINATION, Next.AWAIT_TERMINATION_SIGNATURES)
        if ending is not None and ending.act in {ActState.QUEUED, ActState.SUBMITTED, ActState.MINED}:
            return Next.AWAIT_TERMINATION_CHAIN
        return Next.KEEP_PROOF

    def _to_sign(self, parties: Sequence[PartyLine], sign: Next, wait: Next) -> Next:
        """Whether the visitor's organisation signs now, registers its key first, or waits for the others."""
        line = next((each for each in parties if each.mine), None)
        if line is None or line.signed_at is not None or not self.actor.may(Permission.AGREEMENT_SIGN):
            return wait
        usable = partners.is_valid(self.session, line.organisation, line.signer, now=self.now)
        return sign if usable else Next.REGISTER_KEY

    def may_return(self, state: AgreementState, parties: Sequence[PartyLine]) -> bool:
        """Whether the visitor can decline the version, or return it."""
        if state not in {AgreementState.SUBMITTED, AgreementState.SIGNING}:
            return False
        is_party = any(line.mine for line in parties)
        return self.actor.may(Permission.AGREEMENT_SIGN if is_party else Permission.AGREEMENT_RETURN)


def _disclosed(stored: str | None) -> dict[str, Any]:
    """What disclosures say, by name; nothing after erasure."""
    shown = [disclosure.read(str(item)) for item in json.loads(stored or "[]")]
    return {each.name: each.value for each in shown}


_DOCUMENT: Final = select(
    Document.sha256, Document.sm3, Document.size, Document.media_type, Document.ciphertext.is_not(None)
).where(Document.id == bindparam("document"))


def document_of(session: Session, row: AgreementVersion) -> tuple[Digests, bool]:
    """What identifies the version's document, and whether it is kept, without reading it."""
    ((sha256, sm3, size, media_type, kept),) = rows(session, _DOCUMENT, document=row.document_id)
    return Digests(sha256, sm3, size, MediaType(media_type)), bool(kept)


_STIPULATIONS: Final = (
    select(Stipulation.disclosure)
    .where(Stipulation.version_id == bindparam("version"))
    .order_by(Stipulation.position)
)


def stipulations_of(session: Session, row: AgreementVersion) -> tuple[StipulationInput | None, ...]:
    """The version's stipulations in clause order, None where erased."""
    return tuple(
        None if stored is None else _stipulation(stored)
        for (stored,) in rows(session, _STIPULATIONS, version=row.id)
    )


def _stipulation(stored: str) -> StipulationInput:
    return StipulationInput.model_validate_json(json.dumps(disclosure.read(stored).value))


def content_of(session: Session, row: AgreementVersion) -> Content | None:
    """What the version says, for comparison; None after erasure."""
    parties = tuple(
        (organisation, role)
        for organisation, role, *_ in rows(session, _LINES, version=row.id, digest=row.digest)
    )
    return _content(row, parties, document_of(session, row)[0].sha256, stipulations_of(session, row))


def _content(
    row: AgreementVersion,
    parties: tuple[tuple[str, str], ...],
    document: str,
    stipulations: Sequence[StipulationInput | None],
) -> Content | None:
    if row.number is None or row.title is None:
        return None
    head = Head(
        row.number,
        row.title,
        row.category,
        row.effective_from,
        row.valid_through,
        row.survives_instrument,
        parties,
        document,
    )
    return Content(head, tuple(each for each in stipulations if each is not None))


def _difference(session: Session, row: AgreementVersion) -> Difference | None:
    """What the version changes in the one that it amends; None for a first one, or after erasure."""
    previous = session.get(AgreementVersion, row.previous_id) if row.previous_id else None
    if previous is None:
        return None
    before, after = content_of(session, previous), content_of(session, row)
    return compare(before, after) if before and after else None
