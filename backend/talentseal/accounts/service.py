"""Organisations, accounts and API keys: adding, listing, disabling, revoking."""

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import ClassVar, Final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.api_keys import MintedKey, all_scopes
from talentseal.accounts.models import Account, ApiKey, Organisation
from talentseal.accounts.roles import Actor, Permission, Role
from talentseal.accounts.schemas import AddAccount, AddOrganisation
from talentseal.errors import Conflict, Invalid, NotFound


class OrganisationExists(Conflict):
    code: ClassVar[str] = "organisation-exists"
    zh: ClassVar[str] = "该统一社会信用代码已登记。请使用已有的机构编号。"
    en: ClassVar[str] = "This credit code is already registered; use the organisation's existing identifier."


class OrganisationNotFound(NotFound):
    code: ClassVar[str] = "organisation-not-found"
    zh: ClassVar[str] = "没有编号为 {organisation} 的机构。请核对编号。"
    en: ClassVar[str] = "There is no organisation {organisation}; check the identifier."


class AccountNotFound(NotFound):
    code: ClassVar[str] = "account-not-found"
    zh: ClassVar[str] = "没有编号为 {account} 的账户。请核对编号。"
    en: ClassVar[str] = "There is no account {account}; check the identifier."


class ApiKeyNotFound(NotFound):
    code: ClassVar[str] = "api-key-not-found"
    zh: ClassVar[str] = "没有编号为 {key} 的 API 密钥。请核对编号。"
    en: ClassVar[str] = "There is no API key {key}; check the identifier."


class ScopeBeyondRole(Invalid):
    code: ClassVar[str] = "scope-beyond-role"
    zh: ClassVar[str] = "角色 {role} 不具备权限 {scope}，不能授予该密钥。"
    en: ClassVar[str] = "The role {role} does not hold {scope}, so its key cannot either."


def add_organisation(
    session: Session, actor: Actor, command: AddOrganisation, *, now: datetime
) -> Organisation:
    """Enter an organisation under a fresh random id. Raises NotPermitted, OrganisationExists."""
    actor.require(Permission.ORGANISATION_ADD)
    organisation = Organisation(
        id="0x" + secrets.token_hex(32),
        name=command.name,
        credit_code=command.credit_code,
        kind=command.kind,
        bureau_code=command.bureau_code,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(organisation)
    except IntegrityError:
        raise OrganisationExists from None
    return organisation


def organisation(session: Session, organisation_id: str) -> Organisation:
    """The organisation of that id. Raises OrganisationNotFound."""
    row = session.get(Organisation, organisation_id)
    if row is None:
        raise OrganisationNotFound(organisation=organisation_id)
    return row


def organisations(session: Session, actor: Actor, *, after: str, limit: int) -> list[Organisation]:
    """Up to `limit` organisations in order of id, from the first whose id is greater than `after`."""
    actor.require(Permission.ORGANISATION_READ)
    query = select(Organisation).where(Organisation.id > after).order_by(Organisation.id).limit(limit)
    return list(session.scalars(query))


def operators(session: Session) -> list[Organisation]:
    """The organisations that run the service: those with an account in the operator's role, oldest first."""
    running = select(Account.organisation_id).where(Account.role == Role.OPERATOR)
    query = select(Organisation).where(Organisation.id.in_(running))
    return list(session.scalars(query.order_by(Organisation.created_at, Organisation.id)))


_EVERYONE: Final = select(Organisation).order_by(Organisation.name, Organisation.id)


def everyone(session: Session, actor: Actor) -> list[Organisation]:
    """All organisations by name, the actor's own first: whom an agreement can be made with."""
    actor.require(Permission.ORGANISATION_READ)
    return sorted(session.scalars(_EVERYONE), key=lambda row: row.id != actor.organisation_id)


def add_account(session: Session, actor: Actor, command: AddAccount, *, now: datetime) -> Account:
    """Enter an account of an organisation. Raises NotPermitted, OrganisationNotFound."""
    actor.require(Permission.ACCOUNT_ADD)
    owner = organisation(session, command.organisation)
    return enter_account(session, owner.id, command.name, command.role, now=now)


def enter_account(session: Session, organisation_id: str, name: str, role: Role, *, now: datetime) -> Account:
    """Enter an account of an organisation that is known, for somebody who was allowed to."""
    account = Account(
        id=secrets.token_hex(16),
        organisation_id=organisation_id,
        name=name,
        role=role,
        created_at=now,
    )
    session.add(account)
    session.flush()
    return account


def account(session: Session, account_id: str) -> Account:
    """The account of that id. Raises AccountNotFound."""
    row = session.get(Account, account_id)
    if row is None:
        raise AccountNotFound(account=account_id)
    return row


def disable_account(session: Session, actor: Actor, account_id: str, *, now: datetime) -> None:
    """Shut an account out from its next request on. Raises NotPermitted, AccountNotFound."""
    actor.require(Permission.ACCOUNT_ADD)
    row = account(session, account_id)
    row.disabled_at = row.disabled_at or now


def shut_out(session: Session, account_ids: Collection[str], *, now: datetime) -> None:
    """Disable machines' accounts and revoke all their keys, for somebody who was allowed to."""
    accounts = update(Account).where(Account.id.in_(account_ids), Account.disabled_at.is_(None))
    session.execute(accounts.values(disabled_at=now))
    keys = update(ApiKey).where(ApiKey.account_id.in_(account_ids), ApiKey.revoked_at.is_(None))
    session.execute(keys.values(revoked_at=now))


def add_api_key(
    session: Session,
    actor: Actor,
    account_id: str,
    minted: MintedKey,
    scopes: Iterable[Permission] | None,
    *,
    now: datetime,
) -> ApiKey:
    """Give an account a key. scopes: None stands for all that its role may do.

    Raises NotPermitted, AccountNotFound, ScopeBeyondRole.
    """
    actor.require(Permission.ACCOUNT_ADD)
    role = account(session, account_id).role
    return enter_api_key(session, account_id, minted, _checked_scopes(role, scopes), now=now)


def enter_api_key(
    session: Session, account_id: str, minted: MintedKey, granted: frozenset[Permission], *, now: datetime
) -> ApiKey:
    """Enter a key whose scopes were checked."""
    key = ApiKey(
        id=minted.id,
        account_id=account_id,
        secret_hash=minted.secret_hash,
        scopes=" ".join(sorted(granted)),
        created_at=now,
    )
    session.add(key)
    session.flush()
    return key


def _checked_scopes(role: Role, scopes: Iterable[Permission] | None) -> frozenset[Permission]:
    wanted = all_scopes(role) if scopes is None else frozenset(scopes)
    for scope in sorted(wanted - all_scopes(role)):
        raise ScopeBeyondRole(role=role.value, scope=scope.value)
    return wanted


def revoke_api_key(session: Session, actor: Actor, key_id: str, *, now: datetime) -> None:
    """Make a key open nothing from the next request on. Raises NotPermitted, ApiKeyNotFound."""
    actor.require(Permission.ACCOUNT_ADD)
    key = session.get(ApiKey, key_id)
    if key is None:
        raise ApiKeyNotFound(key=key_id)
    key.revoked_at = key.revoked_at or now
