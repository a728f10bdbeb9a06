"""Closing settlements: everything of a partner up to the end of a period that lies in none, exactly once.

What came back after a closing lies in the next settlement, whatever its redemption lies in. Set-based
statements take the acts in, each by its own mark, so that of two closings at once each act has one; the
database refuses to move it again.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, case, exists, func, select, union_all, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sealproof import canonical
from talentseal.accounts import service as accounts
from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.benefits.models import BenefitVersion
from talentseal.db import is_sqlite, table_of
from talentseal.nightly import Part
from talentseal.redemptions import ledger
from talentseal.redemptions.ledger import Heading, Sums
from talentseal.redemptions.models import Redemption, RedemptionState, Reversal
from talentseal.redemptions.settlement_models import (
    Cycle,
    Settlement,
    SettlementLine,
    SettlementState,
    SettlementStatement,
    SettlementStep,
    SettlementTerm,
)
from talentseal.redemptions.settlement_refusals import (
    NothingToSettle,
    OwnSettlement,
    PeriodClosed,
    PeriodRunning,
)
from talentseal.redemptions.settlement_schemas import CloseSettlement, SetCycle
from talentseal.redemptions.settlement_states import SETTLEMENT, Period
from talentseal.redemptions.states import MOVES

_S = SettlementState

CLOCK_DAYS: Final = 3
"""Days after a period's end until the clock closes what nobody has closed [R]: time for late uploads."""


def close(session: Session, actor: Actor, command: CloseSettlement, *, now: datetime) -> Settlement:
    """Close a period of a partner, with everything before its end that lies in no settlement.

    Raises NotPermitted, OrganisationNotFound, OwnSettlement, PeriodUnknown, PeriodRunning, PeriodClosed,
    NothingToSettle.
    """
    actor.require(Permission.SETTLEMENT_CLOSE)
    if actor.organisation_id == command.organisation:
        raise OwnSettlement
    owner = accounts.organisation(session, command.organisation)
    period = Period.named(command.period)
    if now < period.end:
        raise PeriodRunning(period=period.key)
    return _close(session, owner, period, actor.account_id, now)


def set_cycle(
    session: Session, actor: Actor, organisation: str, command: SetCycle, *, now: datetime
) -> Cycle:
    """Say how often a partner is settled with from now on. Raises NotPermitted, OrganisationNotFound."""
    actor.require(Permission.SETTLEMENT_CLOSE)
    accounts.organisation(session, organisation)
    said = {"cycle": command.cycle, "set_by": actor.account_id, "set_at": now}
    insert = (insert_sqlite if is_sqlite(session) else insert_postgresql)(table_of(SettlementTerm))
    insert = insert.values(organisation_id=organisation, **said)
    session.execute(insert.on_conflict_do_update(index_elements=["organisation_id"], set_=said))
    return command.cycle


def cycle_of(session: Session, organisation: str) -> Cycle:
    """How often a partner is settled with."""
    row = session.get(SettlementTerm, organisation)
    return row.cycle if row else Cycle.MONTH


def apply_day(session: Session, day: date, now: datetime, place: str) -> Part:
    """Close what is over since CLOCK_DAYS, one partner a part. Safe to repeat.

    place: the partner that was looked at last.
    """
    organisation = session.scalar(_with_acts(place))
    if organisation is None:
        return Part(0, None)
    period = Period.before(cycle_of(session, organisation), day - timedelta(days=CLOCK_DAYS))
    try:
        with session.begin_nested():
            _close(session, accounts.organisation(session, organisation), period, None, now)
    except (PeriodClosed, NothingToSettle):
        return Part(0, organisation)
    return Part(1, organisation)


def statement_sha256(text: str) -> str:
    """64 hex digits over a statement's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def net_of(lines: Sequence[SettlementLine]) -> int:
    """What the partner is paid for these lines, in fen; what he pays when negative."""
    return sum(each.net_fen for each in lines)


def sums_of(lines: Sequence[SettlementLine]) -> Sums:
    """What was used and came back by these lines; adjustments are none of it."""
    return ledger.total(
        Sums(
            each.units,
            each.value_fen,
            each.subsidy_fen,
            each.reversed_units,
            each.reversed_value_fen,
            each.reversed_subsidy_fen,
        )
        for each in lines
    )


def lines_of(session: Session, settlement: str) -> list[SettlementLine]:
    """All lines in their order."""
    query = select(SettlementLine).where(SettlementLine.settlement_id == settlement)
    return list(session.scalars(query.order_by(SettlementLine.number)))


def fits_the_ledger(session: Session, settlement: str) -> bool:
    """Whether each of its lines, adjustments aside, is what the acts in it come to, to the fen."""
    said = {
        Heading(each.benefit_id or "", each.payer_id or ""): sums_of([each])
        for each in lines_of(session, settlement)
        if each.reason is None
    }
    return said == ledger.of_settlement(session, settlement)


def state_text(
    session: Session, row: Settlement, lines: Sequence[SettlementLine], by: str | None, *, now: datetime
) -> SettlementStatement:
    """Make the statement that is signed, from all lines there are."""
    text = canonical.encode(_content(session, row, lines)).decode()
    made = SettlementStatement(
        settlement_id=row.id,
        number=row.statement,
        text=text,
        sha256=statement_sha256(text),
        net_fen=net_of(lines),
        made_by=by,
        made_at=now,
    )
    session.add(made)
    session.flush()
    return made


def note(
    session: Session,
    row: Settlement,
    by: str | None,
    *,
    now: datetime,
    reason: str | None = None,
    lines: Sequence[int] = (),
) -> None:
    """Keep the move that was just made. The settlement is held, so that each has its number."""
    count = select(func.count()).select_from(SettlementStep).where(SettlementStep.settlement_id == row.id)
    session.add(
        SettlementStep(
            settlement_id=row.id,
            number=(session.scalar(count) or 0) + 1,
            state=row.state,
            by=by,
            at=now,
            reason=reason,
            lines=" ".join(str(each) for each in lines) or None,
        )
    )
    session.flush()


def _close(
    session: Session, owner: Organisation, period: Period, by: str | None, now: datetime
) -> Settlement:
    SETTLEMENT.require(_S.OPEN, _S.CLOSED)
    row = _begin(session, owner.id, period, by, now)
    _take_in(session, row, period.end)
    found = ledger.of_settlement(session, row.id)
    if not found:
        raise NothingToSettle(period=period.key)
    titles = _titles(session, {heading.benefit for heading in found})
    lines = [
        _line(row, number, heading, found[heading], titles) for number, heading in enumerate(sorted(found), 1)
    ]
    session.add_all(lines)
    session.flush()
    state_text(session, row, lines, by, now=now)
    note(session, row, by, now=now)
    return row


def _begin(session: Session, organisation: str, period: Period, by: str | None, now: datetime) -> Settlement:
    """The new row, which only one of two closings at once gets."""
    later = exists().where(Settlement.organisation_id == organisation, Settlement.ends_on >= period.last)
    if session.scalar(select(later)):
        raise PeriodClosed(period=period.key)
    row = Settlement(
        id=secrets.token_hex(16),
        organisation_id=organisation,
        period=period.key,
        starts_on=period.first,
        ends_on=period.last,
        state=_S.CLOSED,
        statement=1,
        closed_by=by,
        closed_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise PeriodClosed(period=period.key) from None
    return row


_SETTLES: Final = tuple(state for state in RedemptionState if MOVES.allows(state, RedemptionState.SETTLED))
"""What comes to rest by being settled; what was undone in full stays so."""


def _take_in(session: Session, row: Settlement, end: datetime) -> None:
    """Mark every act before `end` that has no mark. A reversal never comes before its redemption."""
    settled = case((Redemption.state.in_(_SETTLES), RedemptionState.SETTLED.value), else_=Redemption.state)
    session.execute(
        update(Redemption)
        .where(Redemption.organisation_id == row.organisation_id, *ledger.RIPE, Redemption.completed_at < end)
        .values(settlement_id=row.id, state=settled),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        update(Reversal)
        .where(
            Reversal.organisation_id == row.organisation_id,
            Reversal.settlement_id.is_(None),
            Reversal.at < end,
            exists().where(Redemption.id == Reversal.redemption_id, Redemption.settlement_id.is_not(None)),
        )
        .values(settlement_id=row.id),
        execution_options={"synchronize_session": False},
    )


def _titles(session: Session, benefits: set[str]) -> dict[str, str]:
    """What benefits are called now: by their newest version."""
    query = select(BenefitVersion.benefit_id, BenefitVersion.title).where(
        BenefitVersion.benefit_id.in_(benefits)
    )
    return dict(session.execute(query.order_by(BenefitVersion.number)).all())


def _line(
    row: Settlement, number: int, heading: Heading, sums: Sums, titles: Mapping[str, str]
) -> SettlementLine:
    owes = heading.payer not in {"", row.organisation_id}
    return SettlementLine(
        settlement_id=row.id,
        number=number,
        statement=row.statement,
        benefit_id=heading.benefit,
        title=titles[heading.benefit],
        payer_id=heading.payer or None,
        units=sums.units,
        value_fen=sums.value_fen,
        subsidy_fen=sums.subsidy_fen,
        reversed_units=sums.reversed_units,
        reversed_value_fen=sums.reversed_value_fen,
        reversed_subsidy_fen=sums.reversed_subsidy_fen,
        net_fen=sums.subsidy_due_fen if owes else 0,
    )


def _content(session: Session, row: Settlement, lines: Sequence[SettlementLine]) -> dict[str, canonical.Json]:
    """What a statement says. Amounts are decimal strings of whole fen."""
    sums = sums_of(lines)
    return {
        "v": 1,
        "settlement": row.id,
        "statement": row.statement,
        "organisation": row.organisation_id,
        "period": row.period,
        "from": row.starts_on.isoformat(),
        "through": row.ends_on.isoformat(),
        "acts_sha256": _acts_sha256(session, row.id),
        "lines": [_line_content(each) for each in lines],
        "totals": {**_sums_content(sums), "net_fen": str(net_of(lines))},
    }


def _line_content(line: SettlementLine) -> dict[str, canonical.Json]:
    said: dict[str, canonical.Json] = {
        "number": line.number,
        "benefit": line.benefit_id,
        "title": line.title,
        "payer": line.payer_id,
        "net_fen": str(line.net_fen),
    }
    if line.reason is not None:
        return {**said, "corrects": line.corrects, "reason": line.reason}
    return {**said, **_sums_content(sums_of([line]))}


def _sums_content(sums: Sums) -> dict[str, canonical.Json]:
    return {
        "units": str(sums.units),
        "value_fen": str(sums.value_fen),
        "partner_fen": str(sums.value_fen - sums.subsidy_fen),
        "subsidy_fen": str(sums.subsidy_fen),
        "reversed_units": str(sums.reversed_units),
        "reversed_value_fen": str(sums.reversed_value_fen),
        "reversed_partner_fen": str(sums.reversed_value_fen - sums.reversed_subsidy_fen),
        "reversed_subsidy_fen": str(sums.reversed_subsidy_fen),
    }


def _acts_sha256(session: Session, settlement: str) -> str:
    """64 hex digits over the evidence numbers of all acts in it, one a line in their order: which they are is
    signed with the sums.
    """
    used = select(Redemption.record_id.label("record")).where(Redemption.settlement_id == settlement)
    back = select(Reversal.record_id).where(Reversal.settlement_id == settlement)
    both = union_all(used, back).subquery()
    digest = hashlib.sha256()
    for record in session.scalars(
        select(both.c.record).order_by(both.c.record).execution_options(yield_per=1000)
    ):
        digest.update(f"{record}\n".encode())
    return digest.hexdigest()


def _with_acts(after: str) -> Select[Any]:
    """The next organisation that has acts in no settlement."""
    used = select(Redemption.organisation_id).where(*ledger.RIPE, Redemption.organisation_id > after)
    back = select(Reversal.organisation_id).where(
        Reversal.settlement_id.is_(None), Reversal.organisation_id > after
    )
    both = union_all(used, back).subquery()
    return select(func.min(both.c.organisation_id))
