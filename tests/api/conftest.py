"""The application under test: real database, log and keys; only argon2's cost, the clock and the chain are
the tests' own.
"""

import secrets
from datetime import date
from pathlib import Path
from typing import Any

import argon2
import pytest

from sealproof.trust import Trust
from talentseal.accounts import api_keys, service, sessions
from talentseal.accounts.api_keys import Authenticator
from talentseal.accounts.models import SignInMethod
from talentseal.accounts.passwords import Passwords
from talentseal.accounts.roles import Actor
from talentseal.accounts.second_factor import SecretBox
from talentseal.anchoring import epochs
from talentseal.app import Application, Service, create_app, session_rules_of
from talentseal.config import Settings
from talentseal.credentials.master_keys import MasterKey, MasterKeys
from talentseal.vault import Vault
from tests.api.in_process import client_of
from tests.world import Member, World, clock, sqlite_world, terms_of, world

__all__ = ["clock", "sqlite_world", "world"]

BOX = SecretBox(bytes(range(32)))
VAULT = Vault({1: bytes(range(32))}, bytes(range(1, 33)))
MASTER_KEYS = MasterKeys((MasterKey(1, date(2026, 11, 1), bytes(range(2, 34))),))
FAST = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Api:
    """The HTTP face of a world."""

    def __init__(self, world: World, folder: Path, **changes: Any) -> None:
        self.world = world
        settings = Settings(data_dir=folder, origin=world.signer.origin, **changes)
        self.service = Service(
            settings,
            world.database,
            world.clock,
            world.signer,
            world.head_store,
            world.cipher,
            BOX,
            VAULT,
            MASTER_KEYS,
        )
        door = Authenticator(world.database, world.clock.now, hasher=FAST)
        self.app: Application = create_app(
            self.service, authenticator=door, chain=lambda: world.chain, passwords=Passwords(FAST)
        )
        self.http = client_of(self.app, raises=False)
        self._keys: dict[str, str] = {}

    @property
    def trust(self) -> Trust:
        """The trust file's content now."""
        return self.service.notary.trust(self.world.database.read(epochs.newest))

    def key_of(self, member: Member) -> str:
        """An API key of the member's account, made on first use."""
        account = member.actor.account_id
        if account not in self._keys:
            minted, now = api_keys.mint(FAST), self.world.clock.now()
            self.world.database.write(
                lambda session: (
                    service.add_api_key(session, Actor.console(), account, minted, None, now=now).id
                )
            )
            self._keys[account] = minted.text
        return self._keys[account]

    def sign_in(self, member: Member) -> str:
        """Let the HTTP client carry a session of the member's account from now on; the session's token."""
        return self.sign_in_as(member.actor.account_id)

    def sign_in_as(self, account: str) -> str:
        """The same of any account, a talent's too."""
        name, token = self.session_of(account)
        self.http.cookies.set(name, token)
        return token

    def session_of(self, account: str) -> tuple[str, str]:
        """A fresh session of an account: name and value of its cookie."""
        token, now = sessions.new_token(), self.world.clock.now()
        self.world.database.write(
            lambda session: sessions.start(
                session, account, SignInMethod.PASSWORD, token=token, browser="test", replaces="", now=now
            )
        )
        return session_rules_of(self.service.settings).cookie.name, token

    def call(self, member: Member | None, method: str, path: str, **options: Any) -> Any:
        """One request as the member; unsafe ones with a fresh Idempotency-Key unless one is given."""
        headers = dict(options.pop("headers", {}))
        if member is not None:
            headers["Authorization"] = f"Bearer {self.key_of(member)}"
        if method != "GET":
            headers.setdefault("Idempotency-Key", secrets.token_hex(8))
        prefix = "" if path.startswith(("/log", "/healthz", "/readyz", "/metrics", "/version")) else "/api/v1"
        return self.http.request(method, prefix + path, headers=headers, **options)

    def body(self, *members: Member, **changes: Any) -> dict[str, Any]:
        """The JSON of a submission by digests."""
        from tests.world import PDF, examined

        digests = examined(changes.pop("plain", PDF))
        terms = terms_of(*members, **changes).model_dump(mode="json")
        return {
            **terms,
            "document": {
                "sha256": digests.sha256,
                "sm3": digests.sm3,
                "size": digests.size,
                "media_type": digests.media_type.value,
            },
        }

    def submit(self, by: Member, *members: Member, **changes: Any) -> dict[str, Any]:
        answer = self.call(by, "POST", "/agreements", json=self.body(*members, **changes))
        assert answer.status_code == 201, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    def sign(self, member: Member, receipt: dict[str, Any]) -> Any:
        path = f"/agreements/{receipt['agreement']}/versions/{receipt['version']}"
        digest = self.call(member, "GET", f"{path}/typed-data").json()["digest"]
        return self.call(member, "POST", f"{path}/signatures", json={"signature": member.sign(digest)})

    def signed(self, *members: Member, **changes: Any) -> dict[str, Any]:
        receipt = self.submit(members[0], *members, **changes)
        for member in members:
            answer = self.sign(member, receipt)
            assert answer.status_code == 200, answer.text
            receipt = answer.json()
        return receipt


@pytest.fixture
def api(world: World, tmp_path: Path) -> Api:
    return Api(world, tmp_path)


@pytest.fixture
def bank(world: World) -> Member:
    return world.member("郑东银行")


@pytest.fixture
def office(world: World) -> Member:
    return world.member("人才集团")
