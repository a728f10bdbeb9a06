"""What follows a closed settlement: the partner confirms or objects, objections are reconciled, both sign.

Both sign one text by its SHA-256; with the second signature the evidence is recorded. Whoever closed or
reconciled does not confirm. Money moves outside this service: whoever receives it says that it came.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from sealproof import secp256k1
from sealproof.errors import ProofError
from talentseal import evidence
from talentseal.accounts.roles import Actor, Permission, Role
from talentseal.clock import legal_date
from talentseal.partners import service as partners
from talentseal.redemptions.events import SettlementClosed
from talentseal.redemptions.settlement_models import (
    Settlement,
    SettlementLine,
    SettlementSignature,
    SettlementState,
    SettlementStatement,
    Side,
)
from talentseal.redemptions.settlement_refusals import (
    AdjustmentEmpty,
    LineUnknown,
    NotSignedByBoth,
    OwnClosing,
    OwnSettlement,
    PaymentAhead,
    SettlementNotFound,
    SideSigned,
    StatementOutdated,
    StatementSignatureFalse,
)
from talentseal.redemptions.settlement_schemas import (
    Adjustment,
    ConfirmPayment,
    Object,
    Reconcile,
    SignStatement,
    signed_text,
)
from talentseal.redemptions.settlement_states import SETTLEMENT, SIGNABLE
from talentseal.redemptions.settling import lines_of, note, state_text
from talentseal.states import TransitionRefused

_S = SettlementState

OVERSEERS: Final = frozenset({Role.OPERATOR, Role.TALENT_OFFICE})
"""Who has a part in every settlement; a body that bears a subsidy has one in those."""


def statement_text(row: SettlementStatement, organisation: str) -> str:
    """What an organisation signs (EIP-191): which statement, the hash of its text, and for whom."""
    return signed_text(row.settlement_id, row.number, row.sha256, organisation)


def find(session: Session, actor: Actor, settlement: str, *, lock: bool = False) -> Settlement:
    """A settlement that the actor has a part in. lock: hold it until the commit.

    Raises NotPermitted, SettlementNotFound.
    """
    actor.require(Permission.SETTLEMENT_SIGN)
    row = session.get(Settlement, settlement, with_for_update=lock or None, populate_existing=lock)
    if row is None or side_of(session, actor, row) is None:
        raise SettlementNotFound
    return row


def side_of(session: Session, actor: Actor, row: Settlement) -> Side | None:
    """For which side the actor acts; None when it is not his to see."""
    if actor.organisation_id == row.organisation_id:
        return Side.PARTNER
    if not actor.may(Permission.SETTLEMENT_RECONCILE):
        return None
    if actor.role in OVERSEERS:
        return Side.PAYER
    bears = exists().where(
        SettlementLine.settlement_id == row.id, SettlementLine.payer_id == actor.organisation_id
    )
    return Side.PAYER if session.scalar(select(bears)) else None


def current(session: Session, row: Settlement) -> SettlementStatement:
    """The newest statement."""
    return session.get_one(SettlementStatement, (row.id, row.statement))


def signatures_of(session: Session, row: Settlement) -> dict[Side, SettlementSignature]:
    """Who has signed the newest statement."""
    query = select(SettlementSignature).where(
        SettlementSignature.settlement_id == row.id, SettlementSignature.statement == row.statement
    )
    return {each.side: each for each in session.scalars(query)}


def sign(
    session: Session, actor: Actor, settlement: str, command: SignStatement, *, now: datetime
) -> Settlement:
    """Take the signature of the actor's side; the partner's confirms. Sending the same again changes nothing.

    Raises NotPermitted, SettlementNotFound, StatementOutdated, SideSigned, TransitionRefused, OwnClosing,
    StatementSignatureFalse.
    """
    row = find(session, actor, settlement, lock=True)
    side, given = _own_side(session, actor, row), signatures_of(session, row)
    if command.statement != row.statement:
        raise StatementOutdated(number=row.statement)
    if side in given:
        if given[side].signature == command.signature.lower():
            return row
        raise SideSigned
    _check_signable(row, side)
    statement = current(session, row)
    _check_other_hands(actor, row, statement)
    signer = _signer(statement_text(statement, actor.organisation_id), command.signature)
    if not partners.is_valid(session, actor.organisation_id, signer, now=now):
        raise StatementSignatureFalse
    given[side] = SettlementSignature(
        settlement_id=row.id,
        statement=row.statement,
        side=side,
        organisation_id=actor.organisation_id,
        signer=signer,
        signature=command.signature.lower(),
        received_by=actor.account_id,
        received_at=now,
    )
    session.add(given[side])
    if side is Side.PARTNER:
        row.state = _S.CONFIRMED
        note(session, row, actor.account_id, now=now)
    if set(given) == set(Side):
        _record(session, row, statement, [given[each] for each in Side], now)
    session.flush()
    return row


def object_to(
    session: Session, actor: Actor, settlement: str, command: Object, *, now: datetime
) -> Settlement:
    """The partner does not confirm the newest statement, and says why.

    Raises NotPermitted, SettlementNotFound, TransitionRefused, LineUnknown.
    """
    row = find(session, actor, settlement, lock=True)
    if actor.organisation_id != row.organisation_id:
        raise SettlementNotFound
    SETTLEMENT.require(row.state, _S.OBJECTED)
    known = {each.number for each in lines_of(session, row.id)}
    for number in command.lines:
        if number not in known:
            raise LineUnknown(line=number)
    row.state = _S.OBJECTED
    lines = sorted(set(command.lines))
    note(session, row, actor.account_id, now=now, reason=command.reason, lines=lines)
    return row


def reconcile(
    session: Session, actor: Actor, settlement: str, command: Reconcile, *, now: datetime
) -> Settlement:
    """Answer an objection by another statement: all lines as they were, and the adjustments as lines of their
    own.

    Raises NotPermitted, SettlementNotFound, OwnSettlement, TransitionRefused, LineUnknown, AdjustmentEmpty.
    """
    actor.require(Permission.SETTLEMENT_RECONCILE)
    row = find(session, actor, settlement, lock=True)
    if actor.organisation_id == row.organisation_id:
        raise OwnSettlement
    SETTLEMENT.require(row.state, _S.RECONCILED)
    lines = lines_of(session, row.id)
    row.state, row.statement = _S.RECONCILED, row.statement + 1
    added = [
        _adjustment(actor, row, lines, len(lines) + place, each)
        for place, each in enumerate(command.adjustments, 1)
    ]
    session.add_all(added)
    session.flush()
    state_text(session, row, [*lines, *added], actor.account_id, now=now)
    note(session, row, actor.account_id, now=now, reason=command.reason)
    return row


def confirm_payment(
    session: Session, actor: Actor, settlement: str, command: ConfirmPayment, *, now: datetime
) -> Settlement:
    """Whoever is owed says that the money came: the partner, or the payer's side when more came back than was
    used.

    Raises NotPermitted, SettlementNotFound, TransitionRefused, NotSignedByBoth, OwnClosing, PaymentAhead.
    """
    row = find(session, actor, settlement, lock=True)
    SETTLEMENT.require(row.state, _S.PAID_CONFIRMED)
    if row.record_id is None:
        raise NotSignedByBoth
    statement = current(session, row)
    if _own_side(session, actor, row) is not receiver_of(statement):
        raise SettlementNotFound
    _check_other_hands(actor, row, statement)
    if not legal_date(row.closed_at) <= command.paid_on <= legal_date(now):
        raise PaymentAhead(day=command.paid_on.isoformat())
    row.state, row.paid_on, row.payment = _S.PAID_CONFIRMED, command.paid_on, command.reference
    note(session, row, actor.account_id, now=now)
    return row


def receiver_of(statement: SettlementStatement) -> Side:
    """Which side is paid."""
    return Side.PARTNER if statement.net_fen >= 0 else Side.PAYER


def is_party(session: Session, actor: Actor, record: str) -> bool:
    """Whether a record is of a settlement that the actor has a part in."""
    row = session.scalars(select(Settlement).where(Settlement.record_id == record)).one_or_none()
    return row is not None and side_of(session, actor, row) is not None


def _own_side(session: Session, actor: Actor, row: Settlement) -> Side:
    side = side_of(session, actor, row)
    if side is None:
        raise SettlementNotFound
    return side


def _check_signable(row: Settlement, side: Side) -> None:
    if side is Side.PARTNER:
        SETTLEMENT.require(row.state, _S.CONFIRMED)
    elif row.state not in SIGNABLE:
        raise TransitionRefused(before=row.state.value, after=_S.CONFIRMED.value)


def _check_other_hands(actor: Actor, row: Settlement, statement: SettlementStatement) -> None:
    if actor.account_id in {row.closed_by, statement.made_by}:
        raise OwnClosing


def _signer(text: str, signature: str) -> str:
    try:
        return secp256k1.recover(partners.personal_digest(text), bytes.fromhex(signature[2:]))
    except ProofError:
        raise StatementSignatureFalse from None


def _adjustment(
    actor: Actor, row: Settlement, lines: list[SettlementLine], number: int, adjustment: Adjustment
) -> SettlementLine:
    if adjustment.amount_fen == 0:
        raise AdjustmentEmpty
    about = next((each for each in lines if each.number == adjustment.line), None)
    if adjustment.line is not None and about is None:
        raise LineUnknown(line=adjustment.line)
    return SettlementLine(
        settlement_id=row.id,
        number=number,
        statement=row.statement,
        benefit_id=about.benefit_id if about else None,
        title=about.title if about else "",
        payer_id=(about.payer_id if about else None) or actor.organisation_id,
        net_fen=adjustment.amount_fen,
        corrects=adjustment.line,
        reason=adjustment.reason,
    )


def _record(
    session: Session,
    row: Settlement,
    statement: SettlementStatement,
    given: list[SettlementSignature],
    now: datetime,
) -> None:
    told = SettlementClosed(
        settlement=row.id,
        organisation=row.organisation_id,
        period=row.period,
        statement=statement.number,
        statement_sha256=statement.sha256,
        net_fen=str(statement.net_fen),
        signatures=tuple(f"{each.organisation_id} {each.signer} {each.signature}" for each in given),
    )
    row.record_id = evidence.record(session, told, now=now).id
