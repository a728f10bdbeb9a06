"""Talents with phones and a bank's two outlets, for the tests of what happens at the counter."""

from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talentseal.accounts import sessions
from talentseal.accounts.models import SignInMethod, WebSession
from talentseal.accounts.roles import Actor
from talentseal.credentials import devices, inspecting, minting, presenting
from talentseal.credentials.inspecting import Seen
from talentseal.credentials.master_keys import MasterKey, MasterKeys
from talentseal.credentials.minting import Minted, Stock
from talentseal.credentials.models import Presentation, PresentationRefusal, TokenBurn
from talentseal.credentials.presenting import Credentials, Established, Refused, Sent
from talentseal.credentials.refusals import Refusal
from talentseal.partners.counter import AtDevice, Place
from talentseal.talents import codes
from talentseal.talents.models import CodeState
from tests.credentials.reference import FIRST_DAY
from tests.partners.counters import Device, Manager
from tests.talents.conftest import VAULT, People
from tests.world import World

KEYS = MasterKeys((MasterKey(1, FIRST_DAY, bytes(range(2, 34))),))
CREDENTIALS = Credentials(KEYS, VAULT)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1"


@dataclass(slots=True)
class Phone:
    """A browser in which a talent is signed in. token: its device's, once that is bound."""

    world: World
    talent: Actor
    session: str = ""
    token: str = ""
    keys: MasterKeys = field(default=KEYS)

    def sign_in(self) -> "Phone":
        now, token = self.world.clock.now(), sessions.new_token()
        account = self.talent.account_id

        def write(session: Session) -> str:
            sessions.start(
                session, account, SignInMethod.PASSWORD, token=token, browser=PHONE, replaces="", now=now
            )
            row = session.get_one(WebSession, sessions.token_hash(token))
            return row.id

        self.session = self.world.database.write(write)
        return self

    def sign_out(self) -> None:
        self.world.database.write(
            lambda session: sessions.end_by_id(session, self.talent.account_id, self.session)
        )

    def bind(self) -> str:
        """The device's id."""
        now, self.token = self.world.clock.now(), sessions.new_token()
        return self.world.database.write(
            lambda session: devices.bind(session, self.talent, token=self.token, browser=PHONE, now=now).id
        )

    def revoke(self, device: str) -> None:
        now = self.world.clock.now()
        self.world.database.write(lambda session: devices.revoke(session, self.talent, device, now=now).id)

    def mint(self) -> Minted:
        now = self.world.clock.now()
        return self.world.database.write(
            lambda session: minting.mint(
                session, self.talent, self.keys, device_token=self.token, session_id=self.session, now=now
            )
        )

    def stock(self) -> Stock:
        """What the phone fetches for a time without a network."""
        now = self.world.clock.now()
        return self.world.database.write(
            lambda session: minting.mint_offline(
                session, self.talent, KEYS, device_token=self.token, session_id=self.session, now=now
            )
        )


@dataclass(frozen=True, slots=True)
class Till:
    """A device at an outlet with the clerk who works at it."""

    world: World
    device: Device
    clerk: Actor
    credentials: Credentials = field(default=CREDENTIALS)

    @property
    def place(self) -> Place:
        return AtDevice(self.clerk.account_id)

    def scan(self, text: str, request: str = "") -> Established | Refused:
        now, sent = self.world.clock.now(), Sent(text, request)
        return self.world.database.write(
            lambda session: presenting.present(
                session, self.device.actor, self.credentials, self.place, sent, now=now
            )
        )

    def look(self, text: str) -> Seen | Refused:
        """At an offline proof."""
        now = self.world.clock.now()
        return self.world.database.write(
            lambda session: inspecting.inspect(
                session, self.device.actor, self.credentials, self.place, text, now=now
            )
        )


def verdict(met: Established | Seen | Refused) -> Refusal | None:
    """Why somebody was refused; None when he was established."""
    return met.refusal if isinstance(met, Refused) else None


class Street:
    """A bank with two outlets, and talents who walk in."""

    def __init__(self, crowd: People) -> None:
        self.crowd = crowd
        self.world = crowd.world
        self.bank = Manager(self.world, self.world.joined("郑东银行（虚构）"))
        self.tills = [self._till(name) for name in ("东区支行", "西区支行")]

    def _till(self, name: str) -> Till:
        outlet, clerk = self.bank.open(name), self.bank.person(f"{name}柜员")
        self.bank.bind(outlet, clerk)
        return Till(self.world, self.bank.device(outlet), clerk)

    def phone(self) -> Phone:
        """A holder's, bound."""
        phone = Phone(self.world, self.crowd.holder()).sign_in()
        phone.bind()
        return phone

    def move(self, phone: Phone, *states: CodeState) -> None:
        code, now = self.crowd.code(phone.talent).id, self.world.clock.now()
        for state in states:
            move = partial(codes.move, code_id=code, after=state, by=None, cause=None, now=now)
            self.world.database.write(move)

    def presentations(self) -> list[Presentation]:
        return self.world.database.read(lambda session: list(session.scalars(select(Presentation))))

    def refusals(self) -> list[PresentationRefusal]:
        query = select(PresentationRefusal).order_by(PresentationRefusal.refused_at)
        return self.world.database.read(lambda session: list(session.scalars(query)))

    def burns(self) -> int:
        query = select(func.count()).select_from(TokenBurn)
        return self.world.database.read(lambda session: session.scalar(query)) or 0
