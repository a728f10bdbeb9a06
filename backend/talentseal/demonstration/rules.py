"""The demonstration's rule of suspension, in force by three signatures, and an open case under it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from eth_account import Account as EthereumAccount
from eth_account.signers.local import LocalAccount
from eth_typing import Hash32
from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.models import Account
from talentseal.accounts.roles import PERMISSIONS, Actor
from talentseal.clock import legal_date
from talentseal.db import Database
from talentseal.demonstration.scheme import Body, Cast
from talentseal.demonstration.talents import HOLDER
from talentseal.partners.service import personal_digest
from talentseal.sanctions import clockwork, facts, rules
from talentseal.sanctions.models import SuspensionRule
from talentseal.sanctions.schemas import GiveSignature, RuleText
from talentseal.sanctions.triggers import Trigger
from talentseal.talents.models import Talent, TalentCode


def is_set(database: Database) -> bool:
    """Whether a rule has come into force in this folder before."""
    query = select(SuspensionRule.id).where(SuspensionRule.in_force_from.is_not(None)).limit(1)
    return database.read(lambda session: session.scalar(query)) is not None


def key_of(body: Body) -> LocalAccount:
    """A body's signing key, out of its keystore."""
    passphrase = body.passphrase_file.read_text("utf-8").strip()
    key: LocalAccount = EthereumAccount.from_key(
        EthereumAccount.decrypt(body.keystore.read_text("ascii"), passphrase)
    )
    return key


def signed(key: LocalAccount, text: str) -> str:
    """The key's signature over a text (EIP-191)."""
    return "0x" + bytes(key.unsafe_sign_hash(Hash32(personal_digest(text))).signature).hex()


def set_rule(
    database: Database, cast: Cast, keys: Sequence[LocalAccount], *, now: Callable[[], datetime]
) -> None:
    """Draft the rule by the second person of the office, let each side sign, open the case.

    keys: of `cast.sides`, registered.
    """

    def write(session: Session) -> None:
        drafter, command = _actors(session, cast.talent_office)[1], _text(cast, now())
        row = rules.draft(session, drafter, command, now=now())
        for body, key in zip(cast.sides, keys, strict=True):
            given = GiveSignature(signature=signed(key, rules.statement(row, body.organisation)))
            first = _actors(session, body)[0]
            rules.sign(session, first, row.rule, row.number, given, now=now())

    database.write(write)
    _open_case(database, cast, now=now())


def _text(cast: Cast, now: datetime) -> RuleText:
    return RuleText(
        title="人才码转借他人（虚构规则）",
        wording="人才码经合作单位核实由他人使用的，暂停全部服务三十日；本人可以先作陈述。",
        trigger=Trigger.CREDENTIAL_SHARED,
        threshold=1,
        window_minutes=24 * 60,
        duration_days=30,
        partner_set=(cast.bank.organisation,),
        effective_from=legal_date(now),
    )


def _open_case(database: Database, cast: Cast, *, now: datetime) -> None:
    """Note that the holder's code was used by somebody else, which opens a case he can be heard in.

    Nothing happens where he has left since, as in a folder that somebody played with.
    """
    of_holder = (
        select(TalentCode.id)
        .join(Talent, Talent.id == TalentCode.talent_id)
        .join(Account, Account.id == Talent.account_id)
        .where(Account.sign_in_name == HOLDER.sign_in_name, TalentCode.ended_at.is_(None))
    )

    def write(session: Session) -> None:
        code, bank = session.scalar(of_holder), cast.bank.organisation
        if code is not None:
            seen = facts.Sighting(Trigger.CREDENTIAL_SHARED, code, now, "demonstration", bank)
            facts.note(session, [seen], now=now)
            clockwork.tick(session, now)

    database.write(write)


def _actors(session: Session, body: Body) -> list[Actor]:
    accounts = select(Account).where(Account.organisation_id == body.organisation)
    ordered = accounts.order_by(Account.created_at, Account.id)
    return [
        Actor(row.id, body.organisation, row.role, PERMISSIONS[row.role]) for row in session.scalars(ordered)
    ]
