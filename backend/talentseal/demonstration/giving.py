"""The demonstration's redemptions: the invented holder shows his code at bank and bookshop."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts import sessions
from talentseal.accounts.models import Account, SignInMethod, WebSession
from talentseal.accounts.roles import PERMISSIONS, Actor
from talentseal.app import Service
from talentseal.audit import proofs
from talentseal.benefits.models import Benefit, Category
from talentseal.credentials import devices, minting
from talentseal.credentials.minting import Minted
from talentseal.credentials.models import DEVICES
from talentseal.credentials.presenting import Credentials, Sent
from talentseal.db import Database
from talentseal.demonstration import benefits
from talentseal.demonstration.talents import HOLDER
from talentseal.evidence.status import RecordState
from talentseal.partners import outlets
from talentseal.partners.counter import AtBrowser
from talentseal.redemptions import reading, reversing, service
from talentseal.redemptions.reading import OwnReceipt
from talentseal.redemptions.reversing import Part
from talentseal.redemptions.schemas import Order
from talentseal.redemptions.service import NotRedeemed, Redeemed, Visit
from talentseal.talents import codes, consents, people
from talentseal.talents.models import CodeState, Talent
from talentseal.talents.privacy_models import ConsentScope
from talentseal.talents.privacy_schemas import GiveConsent

SHOWN: Final = frozenset({"at", "partner", "benefit"})
"""What the holder discloses of his receipt."""

_BROWSER: Final = "Mozilla/5.0 (Android 15; Mobile) Firefox/140.0"


@dataclass(frozen=True, slots=True)
class Given:
    """What the holder used. receipts: as they stood right afterwards; of the first a unit came back."""

    holder: Actor
    receipts: tuple[OwnReceipt, ...]


@dataclass(frozen=True, slots=True)
class _Counter:
    """Whose it is and who serves there. order: what is asked for there."""

    clerk: Actor
    place: AtBrowser
    order: Order


def give(running: Service, agreement: str) -> Given | None:
    """Publish the partners' benefits under the agreement and let the holder use one of each.

    None when he has no code that can be shown. Raises whatever refuses him.
    """
    database, now = running.database, running.clock.now()
    published = database.write(partial(benefits.publish, agreement=agreement, now=now))
    holder = database.read(_holder)
    if holder is None:
        return None
    orders = (
        Order(benefit=published[Category.CONSUMPTION], quantity=3, value_fen=2_400, list_value_fen=24_000),
        Order(benefit=published[Category.FINANCIAL]),
    )
    used = []
    with _phone(database, holder, now) as (token, signed_in):
        for order in orders:
            counter = database.write(partial(_counter, holder=holder, order=order, now=now))
            mint = partial(minting.mint, device_token=token, session_id=signed_in, now=now)
            minted = database.write(partial(mint, actor=holder, keys=running.master_keys))
            used.append(_use(running, counter, minted, now))
    back = Part(1, "退回一册（虚构）")
    first = database.write(partial(_counter, holder=holder, order=orders[0], now=now))
    database.write(
        lambda session: reversing.reverse(session, first.clerk, first.place, used[0], back, now=now).row.id
    )
    return Given(holder, tuple(database.read(lambda session: _receipts(session, holder, used))))


def are_final(running: Service, given: Given) -> bool:
    """Whether everything that was used or came back is final on the chain."""

    def work(session: Session) -> bool:
        met = [reading.own_one(session, given.holder, each.id) for each in given.receipts]
        states = {receipt.evidence for receipt, _ in met} | {
            each.evidence for _, undone in met for each in undone
        }
        return states == {RecordState.FINAL}

    return running.database.read(work)


def proof(running: Service, given: Given) -> bytes:
    """The bundle of the first receipt, showing SHOWN of its fields alone."""
    record = given.receipts[0].record or ""
    return running.database.read(
        lambda session: proofs.own_proof(session, record, running.notary, names=SHOWN).raw
    )


def _holder(session: Session) -> Actor | None:
    """The invented holder, where his code can be shown."""
    query = (
        select(Account)
        .join(Talent, Talent.account_id == Account.id)
        .where(Account.sign_in_name == HOLDER.sign_in_name)
    )
    account = session.scalars(query).one_or_none()
    if account is None:
        return None
    actor = Actor(account.id, "", account.role, PERMISSIONS[account.role])
    try:
        code = codes.live_of(session, people.of_account(session, actor).id)
    except codes.CodeNotFound:
        return None
    return actor if code.state is CodeState.ACTIVE else None


@contextmanager
def _phone(database: Database, holder: Actor, now: datetime) -> Iterator[tuple[str, str]]:
    """The token of a phone in which the holder is signed in, and the session's id; given up afterwards."""
    token, signed_in = sessions.new_token(), sessions.new_token()

    def begin(session: Session) -> tuple[str, str]:
        bound = devices.devices_of(session, holder)
        if len(bound) == DEVICES:
            devices.revoke(session, holder, bound[0].id, now=now)
        device = devices.bind(session, holder, token=token, browser=_BROWSER, now=now)
        way = SignInMethod.DEMONSTRATION
        sessions.start(
            session, holder.account_id, way, token=signed_in, browser=_BROWSER, replaces="", now=now
        )
        session.flush()
        return device.id, session.get_one(WebSession, sessions.token_hash(signed_in)).id

    device, name = database.write(begin)
    try:
        yield token, name
    finally:
        database.write(lambda session: devices.revoke(session, holder, device, now=now).id)
        database.write(lambda session: sessions.end(session, sessions.token_hash(signed_in)))


def _counter(session: Session, holder: Actor, order: Order, now: datetime) -> _Counter:
    """Where the benefit is given; the holder consents to being served there."""
    provider = session.get_one(Benefit, order.benefit).organisation_id
    staff = select(Account).where(Account.organisation_id == provider).order_by(Account.created_at)
    account = session.scalars(staff.limit(1)).one()
    clerk = Actor(account.id, provider, account.role, PERMISSIONS[account.role])
    agreed = GiveConsent(
        organisation=provider, scope=ConsentScope.SERVICE, notice_version=consents.NOTICE_VERSION
    )
    consents.give(session, holder, agreed, now=now)
    return _Counter(clerk, AtBrowser(outlets.outlets_of(session, clerk, limit=1)[0].id), order)


def _use(running: Service, counter: _Counter, minted: Minted, now: datetime) -> str:
    """The redemption's id. Raises what it was refused with."""
    credentials = Credentials(running.master_keys, running.vault)
    visit = Visit(credentials, counter.place, sent=Sent(minted.text, secrets.token_hex(32)))
    met: Redeemed | NotRedeemed = service.until_decided(
        lambda: running.database.write(
            lambda session: service.redeem(session, counter.clerk, visit, counter.order, now=now)
        )
    )
    if isinstance(met, NotRedeemed):
        raise met.error
    return met.row.id


def _receipts(session: Session, holder: Actor, redemptions: list[str]) -> list[OwnReceipt]:
    return [reading.own_one(session, holder, each)[0] for each in redemptions]
