"""The invented people and organisations of the demonstration, set up once and kept in the data folder.

Every name says that it is fictional, and the credit codes lie in an area (999999) that does not exist.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from talentseal.accounts import api_keys, credit_code, service
from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Actor, Role
from talentseal.accounts.schemas import AddAccount, AddOrganisation
from talentseal.chain.keys import create_keystore
from talentseal.db import Database

CODE_BODIES = {"operator": "91999999MA0000001", "bank": "91999999MA0000002", "merchant": "91999999MA0000003"}


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

    @property
    def partners(self) -> tuple[Body, Body]:
        return self.bank, self.merchant


_INVENTED = {
    "operator": ("虚构人才码运营有限公司（演示）", OrganisationKind.OPERATOR, Role.OPERATOR),
    "bank": ("虚构星河银行（演示）", OrganisationKind.FINANCIAL, Role.PARTNER),
    "merchant": ("虚构云上书店（演示）", OrganisationKind.MERCHANT, Role.PARTNER),
}


def enter(database: Database, folder: Path, *, now: datetime) -> Cast:
    """Enter the cast into an empty scheme, or read it back from `folder`, where its secrets were kept."""
    known = folder / "cast.json"
    ids = json.loads(known.read_text("utf-8")) if known.exists() else {}
    for part in _INVENTED:
        if part not in ids:
            ids[part] = _enter_one(database, part, folder / part, now=now)
    known.write_text(json.dumps(ids, indent=1) + "\n", "utf-8")
    bodies = {
        part: Body(name, role, ids[part], folder / part) for part, (name, _kind, role) in _INVENTED.items()
    }
    return Cast(bodies["operator"], bodies["bank"], bodies["merchant"])


def _enter_one(database: Database, part: str, folder: Path, *, now: datetime) -> str:
    name, kind, role = _INVENTED[part]
    code = CODE_BODIES[part] + credit_code.check_character(CODE_BODIES[part])
    console, minted = Actor.console(), api_keys.mint()

    def write(session: Session) -> str:
        entered = service.add_organisation(
            session, console, AddOrganisation(name=name, credit_code=code, kind=kind), now=now
        )
        account = AddAccount(organisation=entered.id, name=f"{name}经办", role=role)
        holder = service.add_account(session, console, account, now=now)
        service.add_api_key(session, console, holder.id, minted, None, now=now)
        return entered.id

    folder.mkdir(parents=True, exist_ok=True)
    write_secret(folder / "api.key", minted.text)
    write_secret(folder / "passphrase", secrets.token_urlsafe(24))
    if role is Role.PARTNER:
        create_keystore(folder / "signing.json", (folder / "passphrase").read_text("utf-8").strip())
    return database.write(write)


def write_secret(path: Path, text: str) -> None:
    """Write one line that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(text + "\n", "utf-8")
