"""Undoing redemptions, in part or in full: by the counter within its window, later by whoever manages it.

Each reversal is an act of its own with its own evidence, which REVERSES the redemption's. The sum of what
comes back never exceeds the original, whoever reverses at once: the redemption is held. A redemption whose
settlement is closed is corrected: what comes back counts in the next one. One that its holder denies is
denied until all of it came back or his complaint is over.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from sealproof.entry import Relation
from talentseal import evidence
from talentseal.accounts.roles import Actor, Permission
from talentseal.benefits import counting
from talentseal.errors import Conflict
from talentseal.evidence.records import Recorded
from talentseal.partners.counter import Place
from talentseal.redemptions.events import RedemptionReversed
from talentseal.redemptions.models import Redemption, RedemptionState, Reversal
from talentseal.redemptions.service import Terms, held, own, terms_of, undraw
from talentseal.redemptions.states import MOVES


class OverOriginal(Conflict):
    code = "reversal-over-original"
    zh = "最多还可撤销 {left} 份，本次申请 {asked} 份。请减少数量。"
    en = "At most {left} more units can be reversed and {asked} were asked for; ask for fewer."


class WindowClosed(Conflict):
    code = "reversal-window-closed"
    zh = "柜台可撤销的时间（{minutes} 分钟）已过。请由贵单位管理人员办理更正。"
    en = "The {minutes} minutes in which the counter may reverse are over; whoever manages it may correct."


class AlreadySettled(Conflict):
    code = "redemption-settled"
    zh = "该笔已列入已关账的结算，柜台不能撤销。请由贵单位管理人员办理更正，计入下一期。"
    en = "Its settlement is closed, so the counter cannot reverse it; a correction counts in the next one."


@dataclass(frozen=True, slots=True)
class Reversed:
    """A reversal, the redemption as it stands now, and the evidence."""

    reversal: Reversal
    row: Redemption
    terms: Terms
    recorded: Recorded


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be undone. reason: says nothing of the person."""

    units: int
    reason: str


def reverse(
    session: Session, actor: Actor, place: Place, redemption_id: str, part: Part, *, now: datetime
) -> Reversed:
    """Undo units at the counter, within the benefit's window and before the settlement.

    Raises NotPermitted, TerminalUnknown, RedemptionNotFound, TransitionRefused, AlreadySettled, WindowClosed,
    OverOriginal.
    """
    row = held(session, actor, place, redemption_id)
    terms = terms_of(session, row)
    if row.settlement_id is not None:
        raise AlreadySettled
    minutes = int(terms.row.reversal_minutes)
    if row.completed_at is not None and now > row.completed_at + timedelta(minutes=minutes):
        raise WindowClosed(minutes=minutes)
    return undo(session, row, terms, part, by=actor.account_id, now=now)


def correct(session: Session, actor: Actor, redemption_id: str, part: Part, *, now: datetime) -> Reversed:
    """Undo units whenever it was, by whoever manages the organisation's outlets.

    Raises NotPermitted, RedemptionNotFound, TransitionRefused, OverOriginal.
    """
    actor.require(Permission.OUTLET_MANAGE)
    row = own(session, actor, actor.organisation_id, redemption_id)
    return undo(session, row, terms_of(session, row), part, by=actor.account_id, now=now)


def undo(session: Session, row: Redemption, terms: Terms, part: Part, *, by: str, now: datetime) -> Reversed:
    """Undo units of a redemption that the caller holds. by: account of whoever does.

    Raises TransitionRefused, OverOriginal.
    """
    reversed_units = row.reversed_units + part.units
    whole = reversed_units >= row.quantity
    after = RedemptionState.REVERSED if whole else RedemptionState.PARTIALLY_REVERSED
    if row.state is RedemptionState.DISPUTED and not whole:
        after = RedemptionState.DISPUTED
    elif row.state is not RedemptionState.REVERSED:
        MOVES.require(row.state, after)
    if reversed_units > row.quantity:
        raise OverOriginal(left=row.quantity - row.reversed_units, asked=part.units)
    value = _share(row.value_fen, row, reversed_units)
    subsidy = _share(row.subsidy_fen, row, reversed_units)
    reversal = Reversal(
        id=secrets.token_hex(16),
        redemption_id=row.id,
        organisation_id=row.organisation_id,
        quantity=part.units,
        value_fen=value,
        subsidy_fen=subsidy,
        reason=part.reason,
        by=by,
        at=now,
    )
    recorded = _record(session, row, reversal, now)
    session.add(reversal)
    row.reversed_units, row.reversed_fen, row.state = reversed_units, row.reversed_fen + value, after
    counting.give_back(session, terms.part(row, part.units, value))
    undraw(session, row, value)
    session.flush()
    return Reversed(reversal, row, terms, recorded)


def _share(amount: int, row: Redemption, units: int) -> int:
    """What of an amount comes back now, so that all parts together are the whole to the fen."""
    return amount * units // row.quantity - amount * row.reversed_units // row.quantity


def _record(session: Session, row: Redemption, reversal: Reversal, now: datetime) -> Recorded:
    event = RedemptionReversed(
        redemption=row.id,
        reversal=reversal.id,
        at=now,
        quantity=reversal.quantity,
        value_fen=str(reversal.value_fen),
        subsidy_fen=str(reversal.subsidy_fen),
        reason=reversal.reason,
    )
    recorded = evidence.record(session, event, now=now, relation=Relation.REVERSES, refers_to=row.record_id)
    reversal.record_id = recorded.id
    return recorded
