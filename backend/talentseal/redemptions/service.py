"""Using a benefit at the counter: reserve and complete, or both in one step; cancel, lapse.

One transaction holds the redemption, the burn of the token (when it is shown with it), the counts of quota
and budget, the evidence, and the answer kept for the caller's Idempotency-Key. A refusal is an answer too:
the burn stays, and the holder can ask why. So `NotRedeemed` is returned, committed, and then told.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from talentseal import evidence
from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor
from talentseal.agreements.models import AgreementVersion
from talentseal.benefits import counting
from talentseal.benefits.counting import Use
from talentseal.benefits.models import BenefitVersion
from talentseal.clock import legal_date
from talentseal.credentials import cards, presenting
from talentseal.credentials.models import Channel, Presentation
from talentseal.credentials.presentations import PresentationRequired
from talentseal.credentials.presenting import Credentials, Refused, Sent
from talentseal.credentials.tc1 import OnlineToken
from talentseal.db import Ahead, at_end, connection_of, is_sqlite, rows, table_of
from talentseal.errors import Conflict, Invalid, NotFound, TalentSealError
from talentseal.evidence.records import Recorded
from talentseal.partners.counter import AtDevice, Counter, Place, counter_at, counter_of
from talentseal.redemptions import checks, facts
from talentseal.redemptions.checks import Wish
from talentseal.redemptions.events import RedemptionCompleted
from talentseal.redemptions.facts import Bearer, Facts, Offer
from talentseal.redemptions.models import (
    Redemption,
    RedemptionRefusal,
    RedemptionState,
    Release,
    StaticUse,
)
from talentseal.redemptions.refusals import Refusal
from talentseal.redemptions.refusing import TOLD
from talentseal.redemptions.schemas import Order
from talentseal.redemptions.states import MOVES
from talentseal.talents import attempts
from talentseal.talents.models import CodeState, TalentCode

T = TypeVar("T")

RESERVED: Final = timedelta(minutes=10)
"""How long a reservation holds [R]."""


ENTERED_WITHIN: Final = timedelta(hours=48)
"""How long afterwards what was given without a network can be entered: as long as its keys are known [R]."""


class OccurredWhen(Invalid):
    code = "occurred-when"
    zh = "发生时间须在此前 {hours} 小时以内，且不晚于现在。请核对终端时钟与 occurred_at。"
    en = "occurred_at has to lie within the last {hours} hours and not in the future; check the clock."


class RedemptionNotFound(NotFound):
    code = "redemption-not-found"
    zh = "没有找到该笔核销，或您无权查看。请核对编号。"
    en = "There is no such redemption, or it is not yours to see; check the number."


class ReservationLapsed(Conflict):
    code = "reservation-lapsed"
    zh = "预留已过时限，额度已退回。请重新办理。"
    en = "The reservation ran out and its quota was given back; begin anew."


class ValueNeeded(Invalid):
    code = "redemption-value-needed"
    zh = "该权益须填写本次金额（value_fen，整数，单位为分）。"
    en = "This benefit needs the amount of the use (value_fen, a whole number of fen)."


class ValueFixed(Invalid):
    code = "redemption-value-fixed"
    zh = "该权益每次的金额是固定的（{value} 分），请勿另填。"
    en = "This benefit has a fixed value ({value} fen for this many units); leave the amount out."


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A redemption as it stands after the act, and its evidence when it was completed by it."""

    row: Redemption
    terms: "Terms"
    recorded: Recorded | None


@dataclass(frozen=True, slots=True)
class NotRedeemed:
    """The refusal that has been noted. error: to be raised after the commit."""

    error: TalentSealError
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A customer at a counter, established before (presentation) or by what he shows now (sent)."""

    credentials: Credentials
    place: Place
    presentation: str = ""
    sent: Sent | None = field(default=None, repr=False)

    def ahead(self, actor: Actor, order: Order, *, now: datetime) -> list[Ahead]:
        """What `redeem` asks first, for a write that begins with it."""
        offer = self.offer(actor, order, now=now)
        return [*presenting.ahead(actor, self.place, self.sent), *([offer] if offer else ())]

    def offer(self, actor: Actor, order: Order, *, now: datetime) -> Ahead | None:
        """What is asked of the benefit when all that names him is a token that was verified."""
        token = self.sent.token if self.sent else None
        if not isinstance(token, OnlineToken) or not isinstance(self.place, AtDevice):
            return None
        return facts.ahead(actor, token, order.benefit, now=now)


@dataclass(frozen=True, slots=True)
class OwnPage:
    """Where a holder takes what is proposed to him: nobody serves there. organisation: the provider."""

    organisation: str
    outlet: None = None
    terminal: None = None
    staff: None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One wish at a counter or on the holder's page, with all that is known of it."""

    counter: Counter | OwnPage
    known: Facts
    wish: Wish


def redeem(
    session: Session, actor: Actor, visit: Visit, order: Order, *, reserve: bool = False, now: datetime
) -> Redeemed | NotRedeemed:
    """Reserve or complete a use. Only within a write, which is to be committed in either case.

    Raises NotPermitted, TerminalUnknown, PresentationRequired, ValueNeeded, ValueFixed, with nothing noted
    and nothing burnt; Outrun when the write has to be done anew.
    """
    asked = _asked(session, actor, visit, order, now)
    if isinstance(asked, NotRedeemed):
        return asked
    return _decided(session, visit.credentials, asked, order, reserve=reserve, now=now)


@dataclass(frozen=True, slots=True)
class Past:
    """A use that was given without a network and is entered afterwards.

    terminal: a device's id. staff: account of whoever served. text: what was scanned, as good as the code
    itself then.
    """

    terminal: str
    staff: str
    occurred_at: datetime
    text: str = field(repr=False)


def redeem_late(
    session: Session, actor: Actor, credentials: Credentials, past: Past, order: Order, *, now: datetime
) -> Redeemed | NotRedeemed:
    """Complete a use that was given at `past.occurred_at`: everything is looked at as it was then, counted in
    the period of then, and recorded now. Only within a write, which is to be committed in either case.

    Raises NotPermitted, OccurredWhen, TerminalUnknown, ValueNeeded, ValueFixed, with nothing noted and
    nothing burnt; Outrun when the write has to be done anew.
    """
    at = past.occurred_at
    counter = counter_at(session, actor, past.terminal, past.staff, at=at)
    if not now - ENTERED_WITHIN <= at <= now:
        raise OccurredWhen(hours=ENTERED_WITHIN // timedelta(hours=1))
    met = presenting.present_late(session, counter, credentials, past.text, occurred_at=at, now=now)
    if isinstance(met, Refused):
        return NotRedeemed(met.error)
    # As he was then: what happened to his code since takes nothing back.
    then = facts.just_shown(met)
    if then is None:
        raise AssertionError("no request was answered before that has no name")  # pragma: no cover
    here = facts.Place(counter.organisation, counter.outlet)
    known = facts.facts_of(session, then, here, order.benefit, now=at)
    asked = Asked(counter, known, _wish(session, known, order, at))
    return _decided(session, credentials, asked, order, occurred_at=at, now=now)


def _decided(
    session: Session,
    credentials: Credentials,
    asked: Asked,
    order: Order,
    *,
    reserve: bool = False,
    occurred_at: datetime | None = None,
    now: datetime,
) -> Redeemed | NotRedeemed:
    refusal = checks.refusal_of(asked.known, asked.wish)
    if refusal is not None:
        return _refuse(session, asked, order, refusal, now)
    return _make(session, credentials, asked, order, reserve=reserve, occurred_at=occurred_at, now=now)


def take(session: Session, credentials: Credentials, known: Facts, *, now: datetime) -> Redeemed | Refusal:
    """Complete one unit of what is proposed to a holder who confirms it on his own page: no counter, nothing
    shown. Only within a write. Raises Outrun when the write has to be done anew.
    """
    order = Order(benefit=known.offer.row.benefit_id if known.offer else "0" * 32)
    wish = _wish(session, known, order, now)
    refusal = checks.refusal_of(known, wish)
    if refusal is not None:
        return refusal
    asked = Asked(OwnPage(known.place.organisation), known, wish)
    return _make(session, credentials, asked, order, reserve=False, occurred_at=None, now=now)


TRIES: Final = 20
"""How often a lost race is decided anew. Each loss is somebody else's success on the same counter."""


def until_decided(attempt: Callable[[], T]) -> T:
    """What `attempt`, a whole transaction, came to; done anew when it was outrun. Raises Outrun at last."""
    for _ in range(TRIES):
        with suppress(counting.Outrun):
            return attempt()
    return attempt()


def try_out(
    session: Session, actor: Actor, visit: Visit, order: Order, *, now: datetime
) -> tuple[Facts, Refusal | None] | NotRedeemed:
    """What `redeem` would answer, with nothing counted. What is shown with it is burnt all the same.

    Raises as `redeem`.
    """
    asked = _asked(session, actor, visit, order, now)
    if isinstance(asked, NotRedeemed):
        return asked
    return asked.known, checks.refusal_of(asked.known, asked.wish)


def _asked(session: Session, actor: Actor, visit: Visit, order: Order, now: datetime) -> Asked | NotRedeemed:
    counter = counter_of(session, actor, visit.place)
    presentation, bearer, offer = visit.presentation, None, None
    if visit.sent is not None:
        met = presenting.present_at(session, counter, visit.credentials, visit.sent, now=now)
        if isinstance(met, Refused):
            return NotRedeemed(met.error)
        presentation, bearer = met.answer.presentation, facts.just_shown(met)
        offer = visit.offer(actor, order, now=now)
    bearer = bearer or facts.bearer_of(session, counter, presentation, now=now)
    if bearer is None:
        raise PresentationRequired
    here = facts.Place(counter.organisation, counter.outlet)
    known = facts.facts_of(session, bearer, here, order.benefit, now=now, asked=offer)
    return Asked(counter, known, _wish(session, known, order, now))


def _wish(session: Session, known: Facts, order: Order, now: datetime) -> Wish:
    if known.offer is None:
        return Wish(order.quantity)
    value = value_of(known.offer, order)
    return Wish(order.quantity, value, _drawn(session, known.bearer, now))


def value_of(offer: Offer, order: Order) -> int:
    """What the units are worth together, in fen. Raises ValueNeeded, ValueFixed."""
    if offer.row.value_fen is None:
        if order.value_fen is None:
            raise ValueNeeded
        return order.value_fen
    fixed = int(offer.row.value_fen) * order.quantity
    if order.value_fen not in {None, fixed}:
        raise ValueFixed(value=fixed)
    return fixed


def _drawn(session: Session, bearer: Bearer, now: datetime) -> int:
    if not bearer.static:
        return 0
    row = session.get(StaticUse, (bearer.talent, legal_date(now)))
    return row.used_fen if row else 0


def _refuse(session: Session, asked: Asked, order: Order, refusal: Refusal, now: datetime) -> NotRedeemed:
    known = asked.known
    row = {
        "id": secrets.token_hex(16),
        "talent_id": known.bearer.talent,
        "benefit_id": order.benefit,
        "version_id": known.offer.version if known.offer else None,
        "organisation_id": asked.counter.organisation,
        "outlet_id": asked.counter.outlet,
        "refusal": refusal,
        "at": now,
    }
    connection_of(session).execute(insert(table_of(RedemptionRefusal)), row)
    return NotRedeemed(TOLD[refusal](), refusal)


def _make(
    session: Session,
    credentials: Credentials,
    asked: Asked,
    order: Order,
    *,
    reserve: bool,
    occurred_at: datetime | None,
    now: datetime,
) -> Redeemed:
    known = asked.known
    offer = known.offer
    if offer is None:
        raise AssertionError("checks pass no benefit that is not there")  # pragma: no cover
    use = _use_of(asked, offer)
    counting.take(session, use, now=now)
    if known.bearer.static:
        _draw(session, known.bearer.talent, use.value_fen, now)
    value = use.value_fen
    terms = Terms(offer.row, known.bearer.token)
    row = Redemption(
        id=secrets.token_hex(16),
        version_id=offer.version,
        talent_id=known.bearer.talent,
        talent_ref=talent_ref(credentials, asked.counter.organisation, known.bearer.talent),
        code_id=known.bearer.code,
        presentation_id=known.bearer.presentation,
        organisation_id=asked.counter.organisation,
        outlet_id=asked.counter.outlet,
        terminal_id=asked.counter.terminal,
        staff_id=asked.counter.staff,
        channel=known.bearer.channel,
        tier=known.bearer.tier,
        quantity=order.quantity,
        list_value_fen=order.list_value_fen,
        value_fen=value,
        subsidy_fen=value * int(offer.row.subsidy_bp) // 10_000,
        period=offer.period,
        budget_id=offer.row.budget,
        agreement_version_id=offer.row.agreement,
        instrument_version_id=known.basis.version_id if known.basis else None,
        state=RedemptionState.RESERVED,
        made_at=now,
        occurred_at=occurred_at,
        reserved_until=now + RESERVED if reserve else None,
        reversed_units=0,
        reversed_fen=0,
    )
    recorded = None if reserve else _complete(session, row, terms, now, last=True)
    # Its table, not the session: no object that is only handed out has to be followed.
    at_end(session, _KEEP, {name: getattr(row, name) for name in _COLUMNS})
    return Redeemed(row, terms, recorded)


_KEEP: Final = insert(table_of(Redemption))
_COLUMNS: Final = tuple(column.key for column in table_of(Redemption).c)


def _use_of(asked: Asked, offer: Offer) -> Use:
    return Use(
        talent=asked.known.bearer.talent,
        benefit=str(offer.row.benefit_id),
        period=offer.period,
        quota=offer.row.quota,
        exclusion_group=offer.row.exclusion_group,
        budget=offer.row.budget,
        units=asked.wish.units,
        value_fen=asked.wish.value_fen or 0,
    )


def _draw(session: Session, talent: str, value: int, now: datetime) -> None:
    """Count what is drawn on a static card, within the day's cap. Raises Outrun."""
    table = table_of(StaticUse)
    made = (insert_sqlite if is_sqlite(session) else insert_postgresql)(table)
    made = made.values(talent_id=talent, day=legal_date(now), used_fen=value)
    counted = made.on_conflict_do_update(
        index_elements=[table.c.talent_id, table.c.day],
        set_={"used_fen": table.c.used_fen + value},
        where=table.c.used_fen + value <= cards.STATIC_CAP,
    ).returning(table.c.used_fen)
    if session.execute(counted).first() is None:
        raise counting.Outrun


def talent_ref(credentials: Credentials, organisation: str, talent: str) -> str:
    """How a partner knows a person: 32 hex digits, others with each partner (scenario 85)."""
    return credentials.vault.digest(f"partner {organisation}", talent)[:32]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a redemption was made under. token: digest of the one that was burnt for it, None for a card."""

    row: Any
    token: bytes | None

    def use(self, redemption: Redemption) -> Use:
        """What it counts, to be given back."""
        return self.part(redemption, redemption.quantity, redemption.value_fen)

    def part(self, redemption: Redemption, units: int, value_fen: int) -> Use:
        """A part of what it counts."""
        return Use(
            talent=redemption.talent_id,
            benefit=str(self.row.benefit_id),
            period=redemption.period,
            quota=None,
            exclusion_group=self.row.exclusion_group,
            budget=redemption.budget_id,
            units=units,
            value_fen=value_fen,
        )


_TERMS: Final = (
    select(
        BenefitVersion.benefit_id,
        BenefitVersion.number,
        BenefitVersion.title,
        BenefitVersion.stipulation_position,
        BenefitVersion.exclusion_group,
        BenefitVersion.reversal_minutes,
        Organisation.name.label("partner"),
        AgreementVersion.record_id.label("agreement_record"),
        Presentation.token_digest,
    )
    .select_from(BenefitVersion)
    .join(Organisation, Organisation.id == bindparam("organisation"))
    .outerjoin(AgreementVersion, AgreementVersion.id == bindparam("agreement_version"))
    .outerjoin(Presentation, Presentation.id == bindparam("presentation"))
    .where(BenefitVersion.id == bindparam("version"))
)


def terms_of(session: Session, row: Redemption) -> Terms:
    """Under which version, agreement and token it was made."""
    names = {
        "version": row.version_id,
        "organisation": row.organisation_id,
        "agreement_version": row.agreement_version_id,
        "presentation": row.presentation_id,
    }
    (found,) = rows(session, _TERMS, **names)
    return Terms(found, found.token_digest)


def _complete(
    session: Session, row: Redemption, terms: Terms, now: datetime, *, last: bool = False
) -> Recorded:
    MOVES.require(row.state, RedemptionState.COMPLETED)
    row.state, row.completed_at = RedemptionState.COMPLETED, now
    made = terms.row
    event = RedemptionCompleted(
        redemption=row.id,
        at=now,
        partner=made.partner,
        outlet=row.outlet_id,
        terminal=row.terminal_id,
        benefit=made.title,
        benefit_version=made.number,
        channel=row.channel,
        talent_ref=row.talent_ref,
        tier=row.tier,
        quantity=row.quantity,
        list_value_fen=None if row.list_value_fen is None else str(row.list_value_fen),
        value_fen=str(row.value_fen),
        partner_fen=str(row.value_fen - row.subsidy_fen),
        subsidy_fen=str(row.subsidy_fen),
        period=row.period,
        agreement=made.agreement_record,
        stipulation=made.stipulation_position,
        instrument=row.instrument_version_id,
        token=terms.token.hex() if terms.token else None,
        occurred_at=row.occurred_at,
    )
    recorded = evidence.record(session, event, now=now, last=last)
    row.record_id = recorded.id
    return recorded


def complete(
    session: Session, actor: Actor, place: Place, redemption_id: str, *, now: datetime
) -> Redeemed | NotRedeemed:
    """Complete a reservation, at the tier at which it was made (Article 12). Only within a write, which is
    to be committed in either case: a reservation that holds no more is released.

    Raises NotPermitted, TerminalUnknown, RedemptionNotFound, TransitionRefused.
    """
    row = held(session, actor, place, redemption_id)
    MOVES.require(row.state, RedemptionState.COMPLETED)
    terms = terms_of(session, row)
    if row.reserved_until is None or now > row.reserved_until:
        _release(session, row, terms, Release.LAPSED, now)
        return NotRedeemed(ReservationLapsed())
    code = session.get_one(TalentCode, row.code_id, with_for_update={"read": True}, populate_existing=True)
    if code.state is not CodeState.ACTIVE:
        _release(session, row, terms, Release.CODE_ENDED, now)
        refusal = _ENDED[code.state]
        return NotRedeemed(TOLD[refusal](), refusal)
    recorded = _complete(session, row, terms, now)
    session.flush()
    return Redeemed(row, terms, recorded)


_ENDED: Final = {
    CodeState.SUSPENDED: Refusal.CODE_SUSPENDED,
    CodeState.REVIEW_OVERDUE: Refusal.REVIEW_OVERDUE,
    CodeState.TERMINATED: Refusal.CODE_TERMINATED,
    CodeState.CANCELLED: Refusal.CODE_TERMINATED,
}


def cancel(session: Session, actor: Actor, place: Place, redemption_id: str, *, now: datetime) -> Redeemed:
    """Give a reservation up; its counts come back.

    Raises NotPermitted, TerminalUnknown, RedemptionNotFound, TransitionRefused.
    """
    row = held(session, actor, place, redemption_id)
    terms = terms_of(session, row)
    _release(session, row, terms, Release.CANCELLED, now)
    session.flush()
    return Redeemed(row, terms, None)


def held(session: Session, actor: Actor, place: Place, redemption_id: str) -> Redemption:
    """A redemption of the counter's own organisation, held until the commit.

    Raises NotPermitted, TerminalUnknown, RedemptionNotFound.
    """
    counter = counter_of(session, actor, place)
    return own(session, actor, counter.organisation, redemption_id)


def own(session: Session, actor: Actor, organisation: str, redemption_id: str) -> Redemption:
    """A redemption of the organisation's counters, held until the commit. Raises RedemptionNotFound."""
    row = session.get(Redemption, redemption_id, with_for_update=True, populate_existing=True)
    if row is None or row.organisation_id != organisation:
        attempts.note(actor, "redemption", redemption_id)
        raise RedemptionNotFound
    return row


def _release(session: Session, row: Redemption, terms: Terms, cause: Release, now: datetime) -> None:
    MOVES.require(row.state, RedemptionState.RELEASED)
    row.state, row.release, row.released_at = RedemptionState.RELEASED, cause, now
    counting.give_back(session, terms.use(row))
    if row.channel is Channel.SWIPE:
        undraw(session, row, row.value_fen)


def undraw(session: Session, row: Redemption, value_fen: int) -> None:
    """Give back what was drawn on a static card that day, if it was one."""
    static = select(Presentation.second_factor_required).where(Presentation.id == row.presentation_id)
    if session.scalar(static):
        drawn = (StaticUse.talent_id == row.talent_id) & (StaticUse.day == legal_date(row.made_at))
        session.execute(update(StaticUse).where(drawn).values(used_fen=StaticUse.used_fen - value_fen))


def release_due(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Release reservations that ran out or whose code came to rest; how many. May be repeated at any time.

    Each is held while it is released, and one that somebody else holds is left to him.
    """
    reserved = (
        select(Redemption, TalentCode.state)
        .join(TalentCode, TalentCode.id == Redemption.code_id)
        .where(
            Redemption.state == RedemptionState.RESERVED,
            or_(Redemption.reserved_until < now, TalentCode.state != CodeState.ACTIVE),
        )
        .limit(limit)
        .with_for_update(of=Redemption, skip_locked=True)
    )
    found = session.execute(reserved).all()
    for row, state in found:
        cause = Release.LAPSED if state is CodeState.ACTIVE else Release.CODE_ENDED
        _release(session, row, terms_of(session, row), cause, now)
    return len(found)
