"""The ledger of contribution value (Article 17): what third parties bear of what talents use.

Lines are only added: one for each use of a third party's benefit, a negative one for each reversal, by the
formula and the rating that counted for the use. A closed quarter has every line before its end that lay in
none. A value pays nothing by itself: rewards are decided by people (`rewards`).
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from sealproof import canonical
from talentseal import evidence
from talentseal.accounts import service as accounts
from talentseal.accounts.models import Organisation, OrganisationKind
from talentseal.accounts.roles import Actor, Permission
from talentseal.benefits.models import Benefit, BenefitVersion
from talentseal.clock import legal_date
from talentseal.contributions.events import ContributionPeriodClosed
from talentseal.contributions.models import (
    ContributionEntry,
    ContributionFormula,
    ContributionPeriod,
    ContributionRating,
    ContributionStanding,
)
from talentseal.contributions.refusals import (
    FormulaEntered,
    FormulaNotInMeasure,
    MeasureNotApproved,
    NothingToClose,
    NotThirdParty,
    QuarterClosed,
    QuarterRunning,
    RatedAlready,
)
from talentseal.contributions.schemas import ClosePeriod, EnterFormula, FormulaText, Rate
from talentseal.db import is_sqlite, table_of
from talentseal.nightly import Part
from talentseal.policy import measures
from talentseal.redemptions.models import Redemption, Reversal
from talentseal.redemptions.settlement_models import Cycle
from talentseal.redemptions.settlement_states import Period
from talentseal.sanctions.deadlines import start_of

PART: Final = 200
"""Lines that are posted in one transaction."""

WHOLE_BP: Final = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What lines come to. place: from 1; equal sums share one."""

    organisation: str
    entries: int
    concession_fen: int
    contribution: int
    place: int = 0


def enter_formula(
    session: Session, actor: Actor, command: EnterFormula, *, now: datetime
) -> ContributionFormula:
    """Enter the next version of the formula. It counts from the day on which its measure is in force.

    Raises NotPermitted, MeasureNotFound, MeasureNotApproved, FormulaNotInMeasure, FormulaEntered.
    """
    actor.require(Permission.CONTRIBUTION_FORMULA)
    measure = measures.find(session, command.measure)
    if measure.state not in measures.CARRIES or measure.decided_at is None:
        raise MeasureNotApproved(state=measure.state.value)
    digest = command.formula.sha256()
    if digest not in measure.text:
        raise FormulaNotInMeasure(sha256=digest)
    newest = session.scalar(select(func.max(ContributionFormula.number)))
    row = ContributionFormula(
        id=secrets.token_hex(16),
        number=(newest or 0) + 1,
        measure_id=measure.id,
        effective_from=max(measure.effective_from, legal_date(measure.decided_at)),
        text=command.formula.canonical_text(),
        sha256=digest,
        entered_by=actor.account_id,
        entered_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise FormulaEntered from None
    return row


def text_of(row: ContributionFormula) -> FormulaText:
    """The formula as it was entered."""
    return FormulaText.model_validate_json(row.text)


def rate(session: Session, actor: Actor, command: Rate, *, now: datetime) -> ContributionRating:
    """Say how a third party served in a quarter that is over; said once.

    Raises NotPermitted, OrganisationNotFound, NotThirdParty, QuarterRunning, RatedAlready.
    """
    actor.require(Permission.CONTRIBUTION_FORMULA)
    _third_party(session, command.organisation)
    if now < Period.named(command.period).end:
        raise QuarterRunning(period=command.period)
    row = ContributionRating(
        organisation_id=command.organisation,
        period=command.period,
        stars=command.stars,
        reason=command.reason,
        rated_by=actor.account_id,
        rated_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise RatedAlready(period=command.period) from None
    return row


def apply_day(session: Session, _day: date, now: datetime, _place: str) -> Part:
    """Post what is to be posted, some lines a part. Safe to repeat."""
    done = post(session, now=now)
    return Part(done, "more" if done else None)


def post(session: Session, *, now: datetime, limit: int = PART) -> int:
    """Add the lines that are missing, uses before reversals, up to `limit` of each; how many.

    A use for whose day there is no formula waits for one.
    """
    formulas = _formulas(session)
    if not formulas:
        return 0
    used = session.execute(_UNPOSTED.where(Redemption.completed_at >= _start(formulas)).limit(limit)).all()
    added = sum(_post_use(session, formulas, row, now) for row in used)
    undone = session.execute(_UNDONE.limit(limit)).all()
    return added + sum(_post_reversal(session, row, now) for row in undone)


def close(session: Session, actor: Actor, command: ClosePeriod, *, now: datetime) -> ContributionPeriod:
    """Close a quarter that is over, with every line before its end that lies in none; evidence of kind 60.

    Raises NotPermitted, QuarterRunning, QuarterClosed, NothingToClose.
    """
    actor.require(Permission.CONTRIBUTION_CLOSE)
    period = Period.named(command.period)
    if now < period.end:
        raise QuarterRunning(period=period.key)
    while post(session, now=now):
        pass
    later = exists().where(ContributionPeriod.ends_on >= period.last)
    if session.scalar(select(later)):
        raise QuarterClosed(period=period.key)
    # Marked first and summed by the mark: what is posted meanwhile counts in the next quarter.
    is_open = and_(ContributionEntry.period.is_(None), ContributionEntry.at < period.end)
    session.execute(
        update(ContributionEntry).where(is_open).values(period=period.key),
        execution_options={"synchronize_session": False},
    )
    found = standings(session, ContributionEntry.period == period.key)
    if not found:
        raise NothingToClose(period=period.key)
    return _closed(session, actor, period, found, now)


def standings(session: Session, *conditions: ColumnElement[bool]) -> list[Standing]:
    """What the ledger's lines come to by third party, the greatest contribution first."""
    total = func.sum(ContributionEntry.contribution)
    query = (
        select(
            ContributionEntry.organisation_id,
            func.count(),
            func.sum(ContributionEntry.concession_fen),
            total,
        )
        .where(*conditions)
        .group_by(ContributionEntry.organisation_id)
        .order_by(total.desc(), ContributionEntry.organisation_id)
    )
    found = [
        Standing(who, int(count), int(fen), int(sum_)) for who, count, fen, sum_ in session.execute(query)
    ]
    return [
        Standing(
            each.organisation,
            each.entries,
            each.concession_fen,
            each.contribution,
            1 + sum(other.contribution > each.contribution for other in found),
        )
        for each in found
    ]


def fits_the_ledger(session: Session, period: str) -> bool:
    """Whether a closed quarter says what its lines come to, and these what was used and came back."""
    said = {
        each.organisation_id: (each.entries, each.concession_fen, each.contribution)
        for each in session.scalars(select(ContributionStanding).where(ContributionStanding.period == period))
    }
    lines = {
        each.organisation: (each.entries, each.concession_fen, each.contribution)
        for each in standings(session, ContributionEntry.period == period)
    }
    borne = {
        organisation: int(fen)
        for organisation, fen in session.execute(_BORNE.where(ContributionEntry.period == period))
    }
    return said == lines and borne == {who: fen for who, (_, fen, _) in lines.items()}


def _formulas(session: Session) -> Sequence[ContributionFormula]:
    """Every version, the one that counts for a day being the first that has begun."""
    order = (ContributionFormula.effective_from.desc(), ContributionFormula.number.desc())
    return session.scalars(select(ContributionFormula).order_by(*order)).all()


def _start(formulas: Sequence[ContributionFormula]) -> datetime:
    """When the oldest formula begins to count."""
    return start_of(formulas[-1].effective_from)


_UNPOSTED: Final = (
    select(
        Redemption.id,
        Redemption.completed_at,
        (Redemption.value_fen - Redemption.subsidy_fen).label("borne"),
        Benefit.organisation_id,
        Benefit.category,
    )
    .join(BenefitVersion, BenefitVersion.id == Redemption.version_id)
    .join(Benefit, Benefit.id == BenefitVersion.benefit_id)
    .join(Organisation, Organisation.id == Redemption.organisation_id)
    .outerjoin(
        ContributionEntry,
        and_(ContributionEntry.redemption_id == Redemption.id, ContributionEntry.reversal_id.is_(None)),
    )
    .where(
        Organisation.kind == OrganisationKind.THIRD_PARTY,
        # A counter gives the benefits of its own organisation alone.
        Benefit.organisation_id == Organisation.id,
        Redemption.completed_at.is_not(None),
        ContributionEntry.id.is_(None),
    )
    .order_by(Redemption.completed_at, Redemption.id)
)
"""Uses of third parties' benefits that have no line yet."""

_POSTED: Final = aliased(ContributionEntry)
_UNDONE: Final = (
    select(
        Reversal.id,
        Reversal.at,
        (Reversal.value_fen - Reversal.subsidy_fen).label("borne"),
        ContributionEntry.redemption_id,
        ContributionEntry.organisation_id,
        ContributionEntry.formula_id,
        ContributionEntry.category,
        ContributionEntry.weight_bp,
        ContributionEntry.rating_bp,
    )
    .join(
        ContributionEntry,
        and_(
            ContributionEntry.redemption_id == Reversal.redemption_id, ContributionEntry.reversal_id.is_(None)
        ),
    )
    .where(~exists().where(_POSTED.reversal_id == Reversal.id))
    .order_by(Reversal.at, Reversal.id)
)
"""Reversals without a line, of uses that have one."""

_BORNE: Final = (
    select(
        ContributionEntry.organisation_id,
        func.sum(
            case(
                (Reversal.id.is_not(None), Reversal.subsidy_fen - Reversal.value_fen),
                else_=Redemption.value_fen - Redemption.subsidy_fen,
            )
        ),
    )
    .join(Redemption, Redemption.id == ContributionEntry.redemption_id)
    .outerjoin(Reversal, Reversal.id == ContributionEntry.reversal_id)
    .group_by(ContributionEntry.organisation_id)
)
"""What third parties bore by the redemptions and reversals themselves."""


def _post_use(session: Session, formulas: Sequence[ContributionFormula], row: Any, now: datetime) -> int:
    day = legal_date(row.completed_at)
    formula = next((each for each in formulas if each.effective_from <= day), None)
    if formula is None:
        return 0
    text = text_of(formula)
    weight = text.weight_bp(row.category)
    rating = text.rating_bp(_stars(session, row.organisation_id, day))
    line = {
        "organisation_id": row.organisation_id,
        "redemption_id": row.id,
        "reversal_id": None,
        "formula_id": formula.id,
        "category": row.category,
        "concession_fen": int(row.borne),
        "weight_bp": weight,
        "rating_bp": rating,
        "contribution": contribution_of(int(row.borne), weight, rating),
        "at": row.completed_at,
    }
    return _add(session, line, now)


def _post_reversal(session: Session, row: Any, now: datetime) -> int:
    """The line of a reversal: all lines of a use together are what its rest is worth, to the point."""
    lines = select(func.sum(ContributionEntry.concession_fen)).where(
        ContributionEntry.redemption_id == row.redemption_id
    )
    before = int(session.scalar(lines) or 0)
    after = before - int(row.borne)
    line = {
        "organisation_id": row.organisation_id,
        "redemption_id": row.redemption_id,
        "reversal_id": row.id,
        "formula_id": row.formula_id,
        "category": row.category,
        "concession_fen": -int(row.borne),
        "weight_bp": row.weight_bp,
        "rating_bp": row.rating_bp,
        "contribution": contribution_of(after, row.weight_bp, row.rating_bp)
        - contribution_of(before, row.weight_bp, row.rating_bp),
        "at": row.at,
    }
    return _add(session, line, now)


def contribution_of(concession_fen: int, weight_bp: int, rating_bp: int) -> int:
    """Whole points for a concession, rounded down."""
    return concession_fen * weight_bp * rating_bp // WHOLE_BP**2


def _add(session: Session, line: dict[str, Any], now: datetime) -> int:
    """Add a line unless another worker has; how many."""
    insert = (insert_sqlite if is_sqlite(session) else insert_postgresql)(table_of(ContributionEntry))
    insert = insert.values(id=secrets.token_hex(16), posted_at=now, period=None, **line)
    made = session.execute(insert.on_conflict_do_nothing().returning(ContributionEntry.id))
    return int(made.first() is not None)


def _stars(session: Session, organisation: str, day: date) -> int | None:
    """How it served in the quarter before."""
    row = session.get(ContributionRating, (organisation, Period.before(Cycle.QUARTER, day).key))
    return row.stars if row else None


def _third_party(session: Session, organisation: str) -> Organisation:
    row = accounts.organisation(session, organisation)
    if row.kind is not OrganisationKind.THIRD_PARTY:
        raise NotThirdParty
    return row


def _closed(
    session: Session, actor: Actor, period: Period, found: Sequence[Standing], now: datetime
) -> ContributionPeriod:
    text = canonical.encode(_content(period, found)).decode()
    digest = hashlib.sha256(text.encode()).hexdigest()
    told = ContributionPeriodClosed(
        period=period.key,
        text_sha256=digest,
        organisations=len(found),
        entries=sum(each.entries for each in found),
        concession_fen=str(sum(each.concession_fen for each in found)),
        contribution=str(sum(each.contribution for each in found)),
    )
    row = ContributionPeriod(
        period=period.key,
        ends_on=period.last,
        text=text,
        sha256=digest,
        closed_by=actor.account_id,
        closed_at=now,
        record_id=evidence.record(session, told, now=now).id,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise QuarterClosed(period=period.key) from None
    session.add_all(
        ContributionStanding(
            period=period.key,
            organisation_id=each.organisation,
            place=each.place,
            entries=each.entries,
            concession_fen=each.concession_fen,
            contribution=each.contribution,
        )
        for each in found
    )
    session.flush()
    return row


def _content(period: Period, found: Sequence[Standing]) -> dict[str, canonical.Json]:
    return {
        "v": 1,
        "period": period.key,
        "through": period.last.isoformat(),
        "standings": [
            {
                "place": each.place,
                "organisation": each.organisation,
                "entries": str(each.entries),
                "concession_fen": str(each.concession_fen),
                "contribution": str(each.contribution),
            }
            for each in found
        ],
    }
