"""Reading instruments: versions with their states, and what may be done now under which article."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Row,
    ScalarSelect,
    Select,
    bindparam,
    exists,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from talentseal.accounts.roles import Role
from talentseal.clock import legal_date
from talentseal.db import only_row, rows
from talentseal.errors import Conflict, NotFound
from talentseal.policy.effects import Deed, Verdict, verdict_on
from talentseal.policy.models import (
    InstrumentAct,
    InstrumentArticle,
    InstrumentBasis,
    InstrumentVersion,
    Interpretation,
)
from talentseal.policy.schemas import (
    ActView,
    ArticleView,
    InstrumentList,
    InterpretationView,
    Standing,
    VersionSummary,
    VersionView,
)
from talentseal.policy.states import Facts, InstrumentState, Step, end_of, state_of


class VersionNotFound(NotFound):
    code = "instrument-version-not-found"
    zh = "没有文件 {instrument} 的第 {number} 版。请核对编号。"
    en = "There is no version {number} of the instrument {instrument}; check the number."


class InstrumentExpired(Conflict):
    code = "instrument-expired"
    zh = "现行办法均未规定此事项，或已过有效期，暂不能办理（{deed}）。新版办法生效后即可办理。"
    en = "No version in force provides for this ({deed}); it can be done once a new version is in force."


@dataclass(frozen=True, slots=True)
class Basis:
    """What a decision stands on: a version in force and its article."""

    version_id: str
    instrument: str
    number: int
    article: int


class Version(NamedTuple):
    """An InstrumentVersion as it is read."""

    id: str
    instrument: str
    number: int
    title: str
    issuer: str
    effective_from: date
    valid_through: date
    legal_basis: str
    text_sha256: str
    drafted_by: str


class Act(NamedTuple):
    """An InstrumentAct as it is read."""

    version_id: str
    step: Step
    on: date
    reference: str | None
    reason: str | None
    account_id: str | None
    role: Role | None
    at: datetime
    record_id: str


@dataclass(frozen=True, slots=True)
class Known:
    """A version, the steps taken on it, and the articles that deeds stand on."""

    row: Version
    acts: dict[Step, Act]
    bases: dict[Deed, int]
    facts: Facts

    @property
    def issue(self) -> Act | None:
        """The act by which it was issued; None before."""
        return self.acts.get(Step.ISSUED) or self.acts.get(Step.ENTERED)

    def state(self, day: date) -> InstrumentState:
        return state_of(self.facts, day)


_VERSIONS: Final[Select[*tuple[Any, ...]]] = select(
    *(getattr(InstrumentVersion, name) for name in Version._fields)
).order_by(InstrumentVersion.instrument, InstrumentVersion.number.desc())
_OF_INSTRUMENT: Final = _VERSIONS.where(InstrumentVersion.instrument == bindparam("instrument"))
_AMONG: Final[BindParameter[str]] = bindparam("versions", expanding=True)
_ACTS: Final[Select[*tuple[Any, ...]]] = select(
    *(getattr(InstrumentAct, name) for name in Act._fields)
).where(InstrumentAct.version_id.in_(_AMONG))
_BASES: Final = select(InstrumentBasis.version_id, InstrumentBasis.deed, InstrumentBasis.article).where(
    InstrumentBasis.version_id.in_(_AMONG)
)


def book(session: Session, instrument: str | None = None) -> list[Known]:
    """Every version (of one instrument when named), newest first within its instrument."""
    found = (
        rows(session, _VERSIONS)
        if instrument is None
        else rows(session, _OF_INSTRUMENT, instrument=instrument)
    )
    versions = [Version._make(each) for each in found]
    ids = [row.id for row in versions]
    acts: dict[str, dict[Step, Act]] = {each: {} for each in ids}
    bases: dict[str, dict[Deed, int]] = {each: {} for each in ids}
    for act in map(Act._make, rows(session, _ACTS, versions=ids)):
        acts[act.version_id][act.step] = act
    for version_id, deed, article in rows(session, _BASES, versions=ids):
        bases[version_id][deed] = article
    return [Known(row, acts[row.id], bases[row.id], _facts(row, acts, versions)) for row in versions]


def _facts(row: Version, acts: dict[str, dict[Step, Act]], versions: Sequence[Version]) -> Facts:
    taken = acts[row.id]
    later = [
        other.effective_from
        for other in versions
        if other.instrument == row.instrument
        and other.effective_from > row.effective_from
        and acts[other.id].keys() & {Step.ISSUED, Step.ENTERED}
    ]
    repeal = taken.get(Step.REPEALED)
    return Facts(
        passed=Step.PASSED in taken,
        approved=Step.APPROVED in taken,
        issued=bool(taken.keys() & {Step.ISSUED, Step.ENTERED}),
        effective_from=row.effective_from,
        valid_through=row.valid_through,
        repealed_from=repeal.on if repeal else None,
        successor_from=min(later, default=None),
    )


def known(session: Session, instrument: str, number: int) -> Known:
    """One version. Raises VersionNotFound."""
    for each in book(session, instrument):
        if each.row.number == number:
            return each
    raise VersionNotFound(instrument=instrument, number=number)


def _standing(
    versions: Sequence[Known], summaries: dict[str, VersionSummary], deed: Deed, day: date
) -> Standing:
    """Whether `deed` may be done on `day`, going by every version there is and its summary of that day."""
    providing = [each for each in versions if deed in each.bases and each.facts.issued]
    started = [each for each in providing if each.row.effective_from <= day]
    newest = max(started or providing, key=lambda each: each.row.effective_from, default=None)
    in_force = [each for each in providing if summaries[each.row.id].state is InstrumentState.IN_FORCE]
    basis = max(in_force, key=lambda each: each.row.effective_from, default=newest)
    verdict = verdict_on(deed, in_force=bool(in_force))
    if basis is None or verdict is Verdict.ALWAYS:
        return Standing(deed=deed, verdict=verdict, version=None, article=None)
    version = summaries[basis.row.id]
    return Standing(deed=deed, verdict=verdict, version=version, article=basis.bases[deed])


def _issued(version: Any) -> ColumnElement[bool]:
    # Not by IN, which would be written anew for each query.
    issued = or_(InstrumentAct.step == Step.ISSUED, InstrumentAct.step == Step.ENTERED)
    return exists().where(InstrumentAct.version_id == version.id, issued)


def providing_version(deed: ColumnElement[Any]) -> ScalarSelect[str]:
    """The id of the newest version in force that provides for `deed`, for a query of somebody else's that
    binds `day`.

    As `state_of` has it: issued, begun, and ended neither by its term nor a repeal nor a successor.
    """
    day, basis = bindparam("day", type_=Date()), aliased(InstrumentBasis)
    version, later = aliased(InstrumentVersion), aliased(InstrumentVersion)
    repealed = exists().where(
        InstrumentAct.version_id == version.id,
        InstrumentAct.step == Step.REPEALED,
        InstrumentAct.on <= day,
    )
    superseded = exists().where(
        later.instrument == version.instrument,
        later.effective_from > version.effective_from,
        later.effective_from <= day,
        _issued(later),
    )
    return (
        select(version.id)
        .join(basis, basis.version_id == version.id)
        .where(
            basis.deed == deed,
            version.effective_from <= day,
            version.valid_through >= day,
            _issued(version),
            ~repealed,
            ~superseded,
        )
        .order_by(version.effective_from.desc())
        .limit(1)
        .correlate_except(version, basis)
        .scalar_subquery()
    )


_DEED: Final = bindparam("deed", type_=InstrumentBasis.deed.type)
_PROVIDING: Final = (
    select(
        InstrumentVersion.id,
        InstrumentVersion.instrument,
        InstrumentVersion.number,
        InstrumentBasis.article,
    )
    .join(InstrumentBasis, InstrumentBasis.version_id == InstrumentVersion.id)
    .where(InstrumentVersion.id == providing_version(_DEED), InstrumentBasis.deed == _DEED)
)


def providing(session: Session, deed: Deed, day: date) -> Basis | None:
    """The newest version in force on that day that provides for `deed`; None when there is none."""
    found = only_row(session, _PROVIDING, deed=deed, day=day)
    return None if found is None else Basis(*found)


def basis_of(session: Session, deed: Deed, *, now: datetime) -> Basis:
    """What may be done on the legal date of `now` stands on this.

    Raises InstrumentExpired (domain specification §1.3, "Effect of expiry").
    """
    found = providing(session, deed, legal_date(now))
    if found is None:
        raise InstrumentExpired(deed=deed.value)
    return found


def overview(session: Session, *, now: datetime) -> InstrumentList:
    """Every version, and what may be done on the legal date of `now`."""
    day, versions = legal_date(now), book(session)
    summaries = {each.row.id: _summary(each, day) for each in versions}
    return InstrumentList(
        day=day,
        versions=list(summaries.values()),
        standings=[_standing(versions, summaries, deed, day) for deed in Deed],
    )


_ARTICLES: Final = (
    select(
        InstrumentArticle.number, InstrumentArticle.chapter, InstrumentArticle.text, InstrumentArticle.gloss
    )
    .where(InstrumentArticle.version_id == bindparam("version"))
    .order_by(InstrumentArticle.number)
)
_MEANT: Final = (
    select(
        Interpretation.id,
        Interpretation.article,
        Interpretation.question,
        Interpretation.answer,
        Interpretation.gloss,
        Interpretation.valid_from,
        Interpretation.issued_at,
        Interpretation.record_id,
    )
    .where(Interpretation.version_id == bindparam("version"))
    .order_by(Interpretation.article, Interpretation.proposed_at)
)


def version(session: Session, instrument: str, number: int, *, now: datetime) -> VersionView:
    """One version with its articles, interpretations and acts. Raises VersionNotFound."""
    found = known(session, instrument, number)
    deeds: dict[int, list[Deed]] = {}
    for deed in sorted(found.bases):
        deeds.setdefault(found.bases[deed], []).append(deed)
    return VersionView(
        **_summary_fields(found, legal_date(now)),
        legal_basis=json.loads(found.row.legal_basis),
        articles=[_article(row, deeds) for row in rows(session, _ARTICLES, version=found.row.id)],
        interpretations=[interpretation_view(row) for row in rows(session, _MEANT, version=found.row.id)],
        acts=[_act(found.acts[step]) for step in Step if step in found.acts],
    )


def _summary(found: Known, day: date) -> VersionSummary:
    return VersionSummary(**_summary_fields(found, day))


def _summary_fields(found: Known, day: date) -> dict[str, Any]:
    row, issue = found.row, found.issue
    return {
        "instrument": row.instrument,
        "number": row.number,
        "title": row.title,
        "issuer": row.issuer,
        "state": found.state(day),
        "document_number": issue.reference if issue else None,
        "issued_on": issue.on if issue else None,
        "effective_from": row.effective_from,
        "valid_through": row.valid_through,
        "ends_on": end_of(found.facts).on,
        "entered": Step.ENTERED in found.acts,
        "text_sha256": row.text_sha256,
    }


def _article(row: Row[int, str, str, str], deeds: dict[int, list[Deed]]) -> ArticleView:
    """deeds: by the number of the article that they stand on."""
    number, chapter, text, gloss = row
    return ArticleView(number=number, chapter=chapter, text=text, gloss=gloss, deeds=deeds.get(number, []))


def interpretation_view(row: Interpretation | Row[*tuple[Any, ...]]) -> InterpretationView:
    """The read model of an interpretation."""
    return InterpretationView(
        id=row.id,
        article=row.article,
        question=row.question,
        answer=row.answer,
        gloss=row.gloss,
        valid_from=row.valid_from,
        issued_at=row.issued_at,
        record=row.record_id,
    )


def _act(act: Act) -> ActView:
    return ActView(
        step=act.step,
        on=act.on,
        reference=act.reference,
        reason=act.reason,
        role=act.role,
        recorded_at=act.at,
        record=act.record_id,
    )
