"""The invented people and organisations of the demonstration, set up once and kept in the data folder.

Every name says that it is fictional, and the credit codes lie in an area (999999) that does not exist.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts import api_keys, credit_code, service
from talentseal.accounts import demonstration as people
from talentseal.accounts.models import Account, OrganisationKind
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.accounts.schemas import AddAccount, AddOrganisation
from talentseal.chain.keys import create_keystore
from talentseal.db import Database
from talentseal.partners import outlets
from talentseal.partners.schemas import BindStaff, OpenOutlet
from talentseal.policy import calendar, loading
from talentseal.policy import service as policy

SUCCESSOR: Final = Path(__file__).with_name("successor.toml")


@dataclass(frozen=True, slots=True)
class Body:
    """One invented organisation and where its secrets lie. organisation: its id."""

    name: str
    role: Role
    organisation: str
    folder: Path

    @property
    def api_key_file(self) -> Path:
        return self.folder / "api.key"

    @property
    def keystore(self) -> Path:
        return self.folder / "signing.json"

    @property
    def passphrase_file(self) -> Path:
        return self.folder / "passphrase"


@dataclass(frozen=True, slots=True)
class Cast:
    """Everyone in the demonstration."""

    operator: Body
    bank: Body
    merchant: Body
    talent_office: Body
    big_data_bureau: Body

    @property
    def partners(self) -> tuple[Body, Body]:
        return self.bank, self.merchant

    @property
    def parties(self) -> tuple[Body, Body, Body]:
        """Who signs the agreement."""
        return *self.partners, self.operator

    @property
    def sides(self) -> tuple[Body, Body, Body]:
        """Who signs the demonstration's rule of suspension."""
        return self.talent_office, self.big_data_bureau, self.bank

    @property
    def signers(self) -> tuple[Body, ...]:
        """Who has a signing key."""
        return *self.parties, self.talent_office, self.big_data_bureau


@dataclass(frozen=True, slots=True)
class _Part:
    """One invented person and his organisation. code: its credit code but for the last character."""

    person: str
    organisation: str
    code: str
    kind: OrganisationKind
    role: Role


_INVENTED = {
    "operator": _Part(
        "周一诺（虚构人物）",
        "虚构人才码运营有限公司（演示）",
        "91999999MA0000001",
        OrganisationKind.OPERATOR,
        Role.OPERATOR,
    ),
    "bank": _Part(
        "林星河（虚构人物）",
        "虚构星河银行（演示）",
        "91999999MA0000002",
        OrganisationKind.FINANCIAL,
        Role.PARTNER,
    ),
    "merchant": _Part(
        "陈云书（虚构人物）",
        "虚构云上书店（演示）",
        "91999999MA0000003",
        OrganisationKind.MERCHANT,
        Role.PARTNER,
    ),
    "auditor": _Part(
        "沈明鉴（虚构人物）",
        "虚构明镜审计事务所（演示）",
        "91999999MA0000004",
        OrganisationKind.AUDITOR,
        Role.AUDITOR,
    ),
    "talent_office": _Part(
        "顾惜才（虚构人物）",
        "虚构市人才工作办公室（演示）",
        "11999999MA0000005",
        OrganisationKind.GOVERNMENT,
        Role.TALENT_OFFICE,
    ),
    "big_data_bureau": _Part(
        "秦知数（虚构人物）",
        "虚构市大数据管理局（演示）",
        "11999999MA0000006",
        OrganisationKind.GOVERNMENT,
        Role.BIG_DATA_BUREAU,
    ),
    "financial_affairs_bureau": _Part(
        "程金衡（虚构人物）",
        "虚构市金融工作局（演示）",
        "11999999MA0000007",
        OrganisationKind.GOVERNMENT,
        Role.FINANCIAL_AFFAIRS_BUREAU,
    ),
    "leading_group": _Part(
        "方领衔（虚构人物）",
        "虚构市人才工作领导小组（演示）",
        "11999999MA0000008",
        OrganisationKind.GOVERNMENT,
        Role.LEADING_GROUP,
    ),
}

_OUTLETS: Final = {
    "bank": OpenOutlet(name="星河银行龙子湖支行（虚构）", address="虚构市云书区星河路 1 号（虚构地址）"),
    "merchant": OpenOutlet(name="云上书店如意湖店（虚构）", address="虚构市云书区书香街 8 号（虚构地址）"),
}
"""Where the invented people serve talents, by name of their organisation's part."""


def enter(database: Database, folder: Path, *, now: datetime) -> Cast:
    """Enter the cast into the scheme as far as it is missing; its secrets are kept in `folder`."""
    known = folder / "cast.json"
    ids = json.loads(known.read_text("utf-8")) if known.exists() else {}
    for name, part in _INVENTED.items():
        if name not in ids:
            ids[name] = _enter_one(database, part, folder / name, now=now)
    known.write_text(json.dumps(ids, indent=1) + "\n", "utf-8")
    database.write(lambda session: _cast(session, ids))
    database.write(lambda session: _open_outlets(session, ids, now=now))
    bodies = {
        name: Body(part.organisation, part.role, ids[name], folder / name) for name, part in _INVENTED.items()
    }
    names = ("operator", "bank", "merchant", "talent_office", "big_data_bureau")
    cast = Cast(*(bodies[name] for name in names))
    for body in cast.signers:
        # In folders of older versions too, in which fewer had a key.
        if not body.keystore.exists():
            body.folder.mkdir(parents=True, exist_ok=True)
            if not body.passphrase_file.exists():
                write_secret(body.passphrase_file, secrets.token_urlsafe(24))
            create_keystore(body.keystore, body.passphrase_file.read_text("utf-8").strip())
    return cast


def load_instruments(database: Database, *, now: datetime) -> None:
    """The measures of 2023 as they were, which have expired, and an invented successor in force."""
    for file in (loading.MEASURES_2023, SUCCESSOR):
        database.write(partial(policy.enter, actor=Actor.console(), command=loading.read(file), now=now))


def load_calendar(database: Database, *, now: datetime) -> None:
    """The holiday notices that come with the release."""
    for file in calendar.SHIPPED:
        notice = calendar.read_notice(file.read_bytes())
        database.write(partial(calendar.import_notice, actor=Actor.console(), command=notice, now=now))


def _cast(session: Session, ids: dict[str, str]) -> None:
    """Let the first account of each organisation be its invented person, in folders of older versions too."""
    for position, (name, part) in enumerate(_INVENTED.items()):
        people.cast_as(session, _first_account(session, ids[name]).id, position, part.person)


def _first_account(session: Session, organisation: str) -> Account:
    accounts = select(Account).where(Account.organisation_id == organisation)
    return session.scalars(accounts.order_by(Account.created_at).limit(1)).one()


def _open_outlets(session: Session, ids: dict[str, str], *, now: datetime) -> None:
    """Give an organisation that has no outlet one at which its invented person serves."""
    for name, command in _OUTLETS.items():
        person = _first_account(session, ids[name])
        actor = Actor(person.id, ids[name], person.role, PERMISSIONS[person.role])
        if not outlets.outlets_of(session, actor, limit=1):
            opened = outlets.open_outlet(session, actor, command, now=now)
            outlets.bind_staff(session, actor, opened.id, BindStaff(account=person.id), now=now)


def _enter_one(database: Database, part: _Part, folder: Path, *, now: datetime) -> str:
    code = part.code + credit_code.check_character(part.code)
    console, minted = Actor.console(), api_keys.mint()
    joining = AddOrganisation(name=part.organisation, credit_code=code, kind=part.kind)

    def write(session: Session) -> str:
        entered = service.add_organisation(session, console, joining, now=now)
        account = AddAccount(organisation=entered.id, name=part.person, role=part.role)
        holder = service.add_account(session, console, account, now=now)
        service.add_api_key(session, console, holder.id, minted, None, now=now)
        return entered.id

    folder.mkdir(parents=True, exist_ok=True)
    write_secret(folder / "api.key", minted.text)
    write_secret(folder / "passphrase", secrets.token_urlsafe(24))
    return database.write(write)


def write_secret(path: Path, text: str) -> None:
    """Write one line that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(text + "\n", "utf-8")
