"""What cards organisations offer to issue, and the number that each issuer has on its cards."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Actor, Permission
from talentseal.credentials.card_models import CardOffer
from talentseal.credentials.card_numbers import LAST_ISSUER, LAST_SERIAL, CardNumber
from talentseal.credentials.card_schemas import OfferView, SetOffer
from talentseal.errors import Conflict, NotFound


class OfferNotFound(NotFound):
    code = "card-offer-not-found"
    zh = "该单位目前不受理人才卡申请。请选择其他单位。"
    en = "This organisation takes no requests for a card now; choose another."


class OfferMissing(Conflict):
    code = "card-offer-missing"
    zh = "贵单位尚未设置人才卡。请先在“人才卡设置”中填写。"
    en = "Your organisation offers no card yet; fill in the card offer first."


class OfferAtOnce(Conflict):
    code = "card-offer-at-once"
    zh = "贵单位另有人刚保存了人才卡设置。请刷新核对后再保存。"
    en = "Someone else of your organisation has just saved the card offer; reload, look, and save again."


class NumbersSpent(Conflict):
    code = "card-numbers-spent"
    zh = "人才卡号码已用尽，不能再发。请联系运营机构。"
    en = "No card numbers are left to be given; call the operator."


def set_offer(session: Session, actor: Actor, command: SetOffer, *, now: datetime) -> CardOffer:
    """Say what card the actor's organisation offers. The first time gives it its issuer number.

    Raises NotPermitted, OfferAtOnce, NumbersSpent.
    """
    actor.require(Permission.CARD_ISSUE)
    row = _of(session, actor.organisation_id, held=True)
    if row is None:
        row = CardOffer(organisation_id=actor.organisation_id, serials=0)
    row.name, row.description = command.name, command.description
    row.form, row.proof, row.is_open = command.form, command.proof, command.is_open
    row.changed_at, row.changed_by = now, actor.account_id
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise OfferAtOnce from None
    if row.number > LAST_ISSUER:
        raise NumbersSpent
    return row


def own_offer(session: Session, actor: Actor) -> OfferView | None:
    """What the actor's organisation offers; None before it said so. Raises NotPermitted."""
    actor.require(Permission.CARD_ISSUE)
    row = _of(session, actor.organisation_id)
    return None if row is None else _view(row, session.get_one(Organisation, row.organisation_id).name)


def open_offers(session: Session, actor: Actor) -> list[OfferView]:
    """The cards that talents can ask for now, by the issuer's name. Raises NotPermitted."""
    actor.require(Permission.CARD_OWN)
    query = (
        select(CardOffer, Organisation.name)
        .join(Organisation, Organisation.id == CardOffer.organisation_id)
        .where(CardOffer.is_open)
        .order_by(Organisation.name, CardOffer.number)
    )
    return [_view(*found) for found in session.execute(query)]


def require_open(session: Session, organisation_id: str) -> None:
    """Raises OfferNotFound unless the organisation takes requests now."""
    row = _of(session, organisation_id)
    if row is None or not row.is_open:
        raise OfferNotFound


def of_issuer(session: Session, organisation_id: str) -> CardOffer:
    """What an issuer offers. Raises OfferMissing."""
    row = _of(session, organisation_id)
    if row is None:
        raise OfferMissing
    return row


def next_number(session: Session, offer: CardOffer) -> CardNumber:
    """A number that no card has or had. The issuer's row is held until the commit; what is undone may be
    given again, for nobody has seen it.

    Raises NumbersSpent.
    """
    raised = (
        update(CardOffer)
        .where(CardOffer.number == offer.number, CardOffer.serials < LAST_SERIAL)
        .values(serials=CardOffer.serials + 1)
        .returning(CardOffer.serials)
        .execution_options(synchronize_session=False)
    )
    serial = session.scalar(raised)
    if serial is None:
        raise NumbersSpent
    return CardNumber(offer.number, serial)


def _of(session: Session, organisation_id: str, *, held: bool = False) -> CardOffer | None:
    query = select(CardOffer).where(CardOffer.organisation_id == organisation_id)
    return session.scalars(query.with_for_update() if held else query).one_or_none()


def _view(row: CardOffer, issuer_name: str) -> OfferView:
    return OfferView(
        issuer=row.organisation_id,
        issuer_name=issuer_name,
        name=row.name,
        description=row.description,
        form=row.form,
        proof=row.proof,
        is_open=row.is_open,
    )
