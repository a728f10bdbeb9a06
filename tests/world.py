"""A small scheme for tests: organisations with keys, a log, a chain in memory, and hands that submit and
sign.
"""

import ctypes
import io
import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from multiprocessing.sharedctypes import RawValue
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account as EthereumAccount
from sqlalchemy.orm import Session

from sealproof.eip712 import Domain
from talentseal.accounts import credit_code
from talentseal.accounts import service as accounts
from talentseal.accounts.models import Account, OrganisationKind
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.accounts.schemas import AddAccount, AddOrganisation
from talentseal.agreements import documents, reading, signing, submission
from talentseal.agreements.documents import Digests, DocumentCipher
from talentseal.agreements.models import AgreementVersion, Category
from talentseal.agreements.schemas import (
    PartyInput,
    Period,
    StipulationInput,
    Submission,
)
from talentseal.agreements.states import AgreementState
from talentseal.agreements.submission import Intake, Submitted
from talentseal.anchoring import epochs
from talentseal.anchoring.models import Lane
from talentseal.anchoring.policy import LANE_FUNCTIONS
from talentseal.anchoring.service import Anchorer, Outcome
from talentseal.chain.contract import registry_abi
from talentseal.chain.keys import LocalSender, SigningPolicy
from talentseal.chain.memory_chain import MemoryChain
from talentseal.db import Database
from talentseal.evidence.headstore import HeadStore
from talentseal.evidence.sealing import Sealer
from talentseal.evidence.signing import LogSigner
from talentseal.partners import service as partners
from talentseal.partners.schemas import RequestKey
from talentseal.policy.tiers import Tier
from talentseal.talents import people

ORIGIN = "log.test.example/1"
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"


class SetClock:
    """A clock that stands until the test moves it."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def advance(self, **delta: float) -> datetime:
        self.moment += timedelta(**delta)
        return self.moment


class SharedClock(SetClock):
    """A clock that shows all processes the same."""

    def __init__(self) -> None:
        self._seconds = RawValue(ctypes.c_double, 0.0)
        super().__init__()

    def now(self) -> datetime:
        return START + timedelta(seconds=self._seconds.value)

    def advance(self, **delta: float) -> datetime:
        self._seconds.value += timedelta(**delta).total_seconds()
        return self.now()

    def set(self, to: datetime) -> None:
        """Put it there."""
        self._seconds.value = (to - START).total_seconds()


@dataclass(slots=True)
class Member:
    """An organisation of the test: who acts for it, and the key by which it signs."""

    actor: Actor
    key: Any
    name: str

    @property
    def id(self) -> str:
        return self.actor.organisation_id

    @property
    def address(self) -> str:
        return str(self.key.address)

    def sign(self, digest: str) -> str:
        """0x and 65 bytes over a 0x digest."""
        return "0x" + bytes(self.key.unsafe_sign_hash(bytes.fromhex(digest[2:])).signature).hex()


@dataclass(slots=True)
class World:
    """Everything a test of the scheme needs, on one database."""

    database: Database
    clock: SetClock
    signer: LogSigner
    head_store: HeadStore
    chain: MemoryChain
    lane_keys: dict[Lane, Any]
    cipher: DocumentCipher = field(default_factory=lambda: DocumentCipher(bytes(range(32))))
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    @property
    def domain(self) -> Domain:
        return self.database.read(lambda session: epochs.domain_of(epochs.current(session)))

    def member(
        self, name: str, *, role: Role = Role.PARTNER, kind: OrganisationKind = OrganisationKind.FINANCIAL
    ) -> Member:
        """A new organisation with one account and one registered key; auditors and talents have no key."""
        member = self.joined(name, role=role, kind=kind)
        if role not in {Role.AUDITOR, Role.TALENT}:
            self.register(member)
        return member

    def joined(
        self, name: str, *, role: Role = Role.PARTNER, kind: OrganisationKind = OrganisationKind.FINANCIAL
    ) -> Member:
        """A new organisation with one account, whose key nobody knows yet."""
        if role is Role.TALENT:
            return Member(self.talent(name), EthereumAccount.create(), name)
        body = f"91410100MA{next(self.numbers):07d}"
        command = AddOrganisation(name=name, credit_code=body + credit_code.check_character(body), kind=kind)
        now = self.clock.now()

        def write(session: Session) -> Actor:
            console = Actor.console()
            owner = accounts.add_organisation(session, console, command, now=now)
            joining = AddAccount(organisation=owner.id, name=f"{name} account", role=role)
            account = accounts.add_account(session, console, joining, now=now)
            return Actor(account.id, owner.id, role, PERMISSIONS[role])

        return Member(self.database.write(write), EthereumAccount.create(), name)

    def talent(self, name: str = "虚构昵称") -> Actor:
        """Somebody with a fresh account of his own."""
        now, role = self.clock.now(), Role.TALENT
        account = Account(
            id=secrets.token_hex(16), organisation_id=None, name=name, role=role, created_at=now
        )

        def write(session: Session) -> Actor:
            session.add(account)
            session.flush()
            people.register(session, account, now=now)
            return Actor(account.id, "", role, PERMISSIONS[role])

        return self.database.write(write)

    def register(self, member: Member) -> None:
        """Take the member's key through request, proof and approval."""
        now = self.clock.now()

        def write(session: Session) -> None:
            command = RequestKey(address=member.address)
            asked = partners.request_key(session, member.actor, command, now=now, refused=())
            digest = "0x" + partners.personal_digest(asked.challenge).hex()
            partners.prove_key(session, member.actor, member.address, member.sign(digest), now=now)
            partners.approve_key(session, Actor.console(), member.id, member.address, now=now)

        self.database.write(write)
        self.clock.advance(seconds=1)

    def submit(self, by: Member, intake: Intake) -> Submitted:
        now, domain = self.clock.now(), self.domain
        return self.database.write(
            lambda session: submission.submit(session, by.actor, intake, now=now, domain=domain)
        )

    def sign(self, by: Member, version: AgreementVersion, signature: str | None = None) -> AgreementVersion:
        now, domain = self.clock.now(), self.domain
        given = signature or by.sign(version.digest)
        return self.database.write(
            lambda session: signing.sign(
                session, by.actor, version.agreement_id, version.version, given, now=now, domain=domain
            )
        )

    def signed(self, *members: Member, **changes: Any) -> AgreementVersion:
        """An agreement that all the members have signed."""
        version = self.submit(members[0], intake(*members, **changes)).version
        for member in members:
            version = self.sign(member, version)
        return version

    def state(self, version: AgreementVersion) -> AgreementState:
        now = self.clock.now()
        return self.database.read(
            lambda session: reading.state_at(session, session.get_one(AgreementVersion, version.id), now=now)
        )

    def senders(self) -> dict[Lane, LocalSender]:
        """The lanes' keys, bound to the chain and the registry of now."""
        abi = registry_abi()
        return {
            lane: LocalSender.of_key(
                bytes(key.key),
                SigningPolicy(
                    self.chain.chain_id,
                    self.chain.contract,
                    frozenset(abi.selector(function) for function in LANE_FUNCTIONS[lane]),
                ),
            )
            for lane, key in self.lane_keys.items()
        }

    def open_another_epoch(self) -> None:
        """Another chain answers, on which a registry at another address names the former one."""
        former = self.database.read(epochs.current)
        self.chain.wipe(seed="another")
        self.chain.former_identity = epochs.identity_hash(epochs.identity_of(former))
        now, identity = self.clock.now(), self.chain.identity()
        epochs.open_epoch(self.database, self.chain, identity, 1, "test", now=now)
        self.settle()

    def settle(self) -> None:
        """Seal what is pending and carry everything to the chain until all is final."""
        sealer = Sealer(self.database, self.head_store, self.signer, self.clock, "test")
        anchorer = Anchorer(self.database, self.chain, self.senders(), self.clock)
        for _ in range(40):
            self.clock.advance(seconds=2)
            sealer.tick()
            if anchorer.tick().outcome is Outcome.IDLE:
                return
        raise AssertionError("the chain in memory did not come to rest")


def stipulation(duty_holder: str, **changes: Any) -> StipulationInput:
    fields: dict[str, Any] = {
        "clause": "第三条",
        "duty_holder": duty_holder,
        "beneficiary_tiers": (Tier.HIGH_A, Tier.YOUTH),
        "measure": "受理后四十八小时内答复",
        "period": Period.EVENT,
        "threshold": "48 h",
        "remedy": "书面说明并补办",
    }
    return StipulationInput(**{**fields, **changes})


def terms_of(*members: Member, **changes: Any) -> Submission:
    fields: dict[str, Any] = {
        "number": "ZD-2026-001",
        "title": "人才专属贷款合作协议",
        "category": Category.FINANCIAL_BENEFIT,
        "effective_from": date(2026, 12, 1),
        "valid_through": date(2027, 11, 30),
        "parties": tuple(
            PartyInput(organisation=member.id, role=f"{place}方")
            for member, place in zip(members, "甲乙丙丁戊己庚辛", strict=False)
        ),
        "stipulations": (stipulation(members[-1].id), stipulation(members[0].id, clause="第四条")),
    }
    return Submission(**{**fields, **changes})


def examined(plain: bytes) -> Digests:
    return documents.examine(io.BytesIO(plain))


def intake(*members: Member, plain: bytes = PDF, **changes: Any) -> Intake:
    """A submission by digests."""
    return Intake(terms_of(*members, **changes), examined(plain), secrets.token_hex(16), None)


def docx(main: str = documents.MediaType.DOCX.value + ".main+xml", part: str = "word/document.xml") -> bytes:
    """A Word file as small as one can be, or with `main` and `part` something that only looks like one."""
    types = (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>'
    )
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr(part, "<w:document/>")
    return raw.getvalue()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def world(database_url: str, clock: SetClock, tmp_path: Path) -> Iterator[World]:
    """A scheme with an open epoch on a chain in memory; the test runs on both kinds of database."""
    yield from make_world(database_url, clock, tmp_path)


@pytest.fixture
def sqlite_world(sqlite_url: str, clock: SetClock, tmp_path: Path) -> Iterator[World]:
    """The same on SQLite alone, for what does not depend on the database."""
    yield from make_world(sqlite_url, clock, tmp_path)


def make_world(url: str, clock: SetClock, folder: Path) -> Iterator[World]:
    database = Database(url)
    yield world_on(database, clock, folder)
    database.close()


def world_on(database: Database, clock: SetClock, folder: Path) -> World:
    """A scheme on an open database with all tables."""
    keys = {lane: EthereumAccount.create() for lane in Lane}
    chain = MemoryChain(clock, {lane.value: [key.address] for lane, key in keys.items()})
    epochs.open_epoch(database, chain, chain.identity(), 1, "test", now=clock.now())
    signer = LogSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    return World(database, clock, signer, HeadStore(folder / "head" / "head.json"), chain, keys)
