"""A service that runs: `talentseal serve` with its loops, on SQLite and an Anvil, for a whole session.

It is a process of its own, as in production. Its loops never rest, and in the tests' process they would meet
the failure points, clocks and captured output of other tests.
"""

import io
import json
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import httpx2
import pytest
from eth_account import Account as EthereumAccount
from sqlalchemy import select

from talentseal.accounts import demonstration
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.agreements import documents
from talentseal.agreements.schemas import DocumentDigests, HashOnlySubmission, TerminationInput
from talentseal.agreements.states import AgreementState
from talentseal.app import Service, build
from talentseal.audit import history
from talentseal.client import Client, Version
from talentseal.clock import SystemClock, legal_date
from talentseal.config import Settings
from talentseal.demonstration import scheme
from talentseal.demonstration import stage as demonstration_stage
from talentseal.demonstration.scheme import Body, Cast
from talentseal.demonstration.stage import Stage, open_stage
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.status import RecordState
from talentseal.partners.models import Outlet
from talentseal.partners.service import personal_digest
from tests.benefits.shown import shown
from tests.browser.addresses import Person
from tests.complaints.shown import complained
from tests.credentials.issued import issued
from tests.events.shown import pushed
from tests.postgres import die_with_parent
from tests.redemptions.settled import settled
from tests.redemptions.shown import drafted, given
from tests.sanctions.held import court_beside, held
from tests.talents.conftest import People
from tests.talents.filed import filed
from tests.talents.righted import reviewed, righted
from tests.world import PDF, World, stipulation

T = TypeVar("T")

ANCHOR_EVERY = 0.25
"""Seconds between two looks at the chain: a journey to FINAL takes about two."""

PATIENCE = 60.0
LOOK_EVERY = 0.05


@dataclass(slots=True)
class Running:
    """The service, and hands that prepare what a page is to show. Every test makes agreements of its own.

    cast: the demonstration's operator, bank and merchant; both partners' keys are registered.
    """

    stage: Stage
    process: "subprocess.Popen[bytes]"
    _clients: dict[str, Client] = field(default_factory=dict)
    _keys: dict[str, Any] = field(default_factory=dict)
    _sample: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where pages are."""
        return self.stage.url

    @property
    def rpc(self) -> str:
        """The chain's JSON-RPC address."""
        return self.stage.chain.url

    @property
    def chain_id(self) -> int:
        """What a wallet has to be on."""
        return self.stage.deployment.chain_id

    @property
    def cast(self) -> Cast:
        return self.stage.cast

    def client(self, body: Body) -> Client:
        """The JSON API as this organisation."""
        if body.organisation not in self._clients:
            self._clients[body.organisation] = Client(self.url, body.api_key_file.read_text("utf-8").strip())
        return self._clients[body.organisation]

    def key(self, body: Body) -> Any:
        """The organisation's signing key (LocalAccount): for `Visit.use_wallet`."""
        if body.organisation not in self._keys:
            passphrase = body.passphrase_file.read_text("utf-8").strip()
            key = EthereumAccount.decrypt(body.keystore.read_text("ascii"), passphrase)
            self._keys[body.organisation] = EthereumAccount.from_key(key)
        return self._keys[body.organisation]

    def account(self, who: Body | Role | Person | str) -> str:
        """The id of one of the invented people, by organisation, role or name: for `Visit.sign_in`."""
        if isinstance(who, Person):
            return self.sample()[who.value]
        with self.service() as service:
            people = service.database.read(demonstration.people)
        return next(
            person.account
            for person in people
            if (
                person.organisation == who.name
                if isinstance(who, Body)
                else who in {person.role, person.name}
            )
        )

    def sample(self) -> dict[str, str]:
        """What `addresses.py` fills its names with, made on first use."""
        if not self._sample:
            version, record = self.final()
            with self.service() as service:
                leaf, size = service.database.read(
                    lambda session: (
                        session.get_one(EvidenceRecord, record).leaf_hash,
                        history.newest_sizes(session, 1)[0],
                    )
                )
            self._sample = {
                "agreement": version.agreement,
                "version": str(version.number),
                "record": record,
                "leaf": leaf.hex(),
                "size": str(size),
                "index": "0",
                "waiting": self.submit().agreement,
                "ending": self.ending().agreement,
                "instrument": "talent-code-and-card",
                "edition": "1",
                "part": "applications",
                "outlet": self.outlet(),
                **self.people(filed),
                **self.people(self._issued),
                **self.people(self._held),
                **self.people(self._righted),
                **self.people(self._shown),
                **self.people(partial(self._complained, version=version)),
                **self.people(self._pushed),
                **self.given(version.agreement),
                **self.people(self._settled),
            }
        return self._sample

    def _issued(self, crowd: People) -> dict[str, str]:
        body = self.cast.bank
        bank = Actor(self.account(body), body.organisation, Role.PARTNER, PERMISSIONS[Role.PARTNER])
        return issued(crowd, bank, self._holder())

    def _holder(self) -> Actor:
        """The invented talent who has a code."""
        return Actor(self.account(Role.TALENT), "", Role.TALENT, PERMISSIONS[Role.TALENT])

    def _held(self, crowd: People) -> dict[str, str]:
        """What pages of rules and cases show: the bank's turn to sign, and cases of the invented holder."""
        return held(court_beside(crowd), self.cast.bank.organisation, self._holder())

    def _righted(self, crowd: People) -> dict[str, str]:
        return righted(crowd, self._holder(), self.account(Role.AUDITOR))

    def _shown(self, crowd: People) -> dict[str, str]:
        body = self.cast.bank
        bank = Actor(self.account(body), body.organisation, Role.PARTNER, PERMISSIONS[Role.PARTNER])
        return shown(crowd, bank)

    def _settled(self, crowd: People) -> dict[str, str]:
        """Last month of the bank, closed and to be signed."""
        row = settled(crowd.world.database, self.cast.bank.organisation, now=crowd.world.clock.now())
        return {"settlement": row.id}

    def _pushed(self, crowd: People) -> dict[str, str]:
        body = self.cast.bank
        bank = Actor(self.account(body), body.organisation, Role.PARTNER, PERMISSIONS[Role.PARTNER])
        return pushed(crowd, bank)

    def _complained(self, crowd: People, version: Version) -> dict[str, str]:
        bank, merchant = (
            Actor(self.account(body), body.organisation, Role.PARTNER, PERMISSIONS[Role.PARTNER])
            for body in self.cast.partners
        )
        return complained(
            crowd, bank, merchant, self._holder(), agreement=version.agreement, version=version.number
        )

    def given(self, agreement: str) -> dict[str, str]:
        """A benefit of the bank's under that agreement, used once by the invented holder."""
        body, outlet = self.cast.bank, self.outlet()
        bank = Actor(self.account(body), body.organisation, Role.PARTNER, PERMISSIONS[Role.PARTNER])
        with self.service() as service:
            keys = service.master_keys
        holder = self._holder()
        return self.people(lambda crowd: given(crowd, bank, outlet, holder, keys, agreement=agreement))

    def draft_benefit(self) -> str:
        """The id of a draft of the bank's, under an agreement of its own that is FINAL."""
        version, _record = self.final()
        body = self.cast.bank
        bank = Actor(self.account(body), body.organisation, Role.PARTNER, PERMISSIONS[Role.PARTNER])
        return self.people(lambda crowd: drafted(crowd, bank, version.agreement))

    def another_review(self) -> dict[str, str]:
        """Somebody who holds a code, of whom a review is due: his account, and the review."""
        return self.people(reviewed)

    def people(self, work: Callable[[People], T]) -> T:
        """Talents and hands of the office in the service's own database."""
        with self.service() as service:
            world: Any = SimpleNamespace(database=service.database, clock=service.clock)
            world.talent = partial(World.talent, world)
            return work(People(world, service.vault))

    def outlet(self) -> str:
        """The first outlet of the bank, at which its invented person serves."""
        oldest = select(Outlet.id).where(Outlet.organisation_id == self.cast.bank.organisation)
        with self.service() as service:
            return service.database.read(
                lambda session: session.scalars(oldest.order_by(Outlet.opened_at).limit(1)).one()
            )

    def submit(self, **changes: Any) -> Version:
        """A fresh agreement of bank and merchant, submitted by the bank with the document's digests alone.

        changes: to what `submission` makes.
        """
        receipt = self.client(self.cast.bank).submit(self.submission(**changes))
        return Version(receipt.agreement, receipt.version)

    def submission(self, plain: bytes | None = None, **changes: Any) -> HashOnlySubmission:
        """Terms under a number of their own, in force from today for a year. plain: the document."""
        bank, merchant = self.cast.partners
        today = legal_date(SystemClock().now())
        fields: dict[str, Any] = {
            "number": f"TEST-{secrets.token_hex(6).upper()}",
            "title": "人才购书优惠合作协议（虚构）",
            "category": "CONSUMPTION_BENEFIT",
            "effective_from": today,
            "valid_through": today + timedelta(days=365),
            "parties": [
                {"organisation": bank.organisation, "role": "甲方"},
                {"organisation": merchant.organisation, "role": "乙方"},
            ],
            "stipulations": [
                stipulation(merchant.organisation).model_dump(),
                stipulation(bank.organisation, clause="第四条").model_dump(),
            ],
            "document": _digests(plain or new_document()),
        }
        return HashOnlySubmission.model_validate({**fields, **changes})

    def sign(self, body: Body, version: Version, *, termination: bool = False) -> None:
        """Sign through the API."""
        client = self.client(body)
        digest = client.typed_data(version, termination=termination).digest
        signature = self.key(body).unsafe_sign_hash(bytes.fromhex(digest[2:])).signature
        client.sign(version, "0x" + bytes(signature).hex(), termination=termination)

    def signed(self, **changes: Any) -> Version:
        """A fresh agreement that both have signed."""
        version = self.submit(**changes)
        for body in self.cast.partners:
            self.sign(body, version)
        return version

    def final(self, **changes: Any) -> tuple[Version, str]:
        """A fresh agreement in force whose record is FINAL; with the record's id."""
        version, client = self.signed(**changes), self.client(self.cast.bank)
        settled = {AgreementState.EVIDENCED, AgreementState.IN_FORCE}
        self.wait("the contract", lambda: client.agreement(version).state in settled)
        record = client.agreement(version).record or ""
        self.wait("the anchor", lambda: client.record(record).state is RecordState.FINAL)
        return version, record

    def ending(self) -> Version:
        """A fresh agreement that both have signed, and whose termination waits for them."""
        version, now = self.signed(), SystemClock().now()
        drawn_up = TerminationInput(
            reason="双方合意（虚构）", notice="书面通知", effective_at=now + timedelta(days=9)
        )
        self.client(self.cast.bank).terminate(version, drawn_up)
        return version

    def wait(self, what: str, holds: Callable[[], bool]) -> None:
        """Until it holds. Raises AssertionError after PATIENCE seconds."""
        ends = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < ends, f"waited {PATIENCE:.0f} s for {what}\n{self.said()}"
            time.sleep(LOOK_EVERY)

    @contextmanager
    def service(self) -> Iterator[Service]:
        """The service's own database, keys and log, opened in this process beside it."""
        opened = build(self.settings)
        try:
            yield opened
        finally:
            opened.close()

    @property
    def settings(self) -> Settings:
        """As the process has them, but for the keystores."""
        stage = self.stage
        return Settings(data_dir=stage.folder, chain_url=stage.chain.url, demonstration=True, port=stage.port)

    def said(self, lines: int = 30) -> str:
        """The last lines of the service's log."""
        return "\n".join(_log(self.stage).read_text("utf-8", "replace").splitlines()[-lines:])

    def register_keys(self) -> None:
        """Both partners' keys through request, proof and approval."""
        operator = self.client(self.cast.operator)
        for body in self.cast.partners:
            client, key = self.client(body), self.key(body)
            challenge = client.request_key(body.organisation, key.address).challenge
            signature = key.unsafe_sign_hash(personal_digest(challenge)).signature
            client.prove_key(body.organisation, key.address, "0x" + bytes(signature).hex())
            operator.approve_key(body.organisation, key.address)

    def close(self) -> None:
        """End the service."""
        for client in self._clients.values():
            client.__exit__(None, None, None)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


@contextmanager
def run(folder: Path) -> Iterator[Running]:
    """The demonstration's stage in `folder`, its service running and its partners ready to sign."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (scheme, demonstration_stage):
            patch.setattr(module, "create_keystore", _quick_keystore)
        stage = open_stage(folder, 0, lambda _zh, _en: None)
    try:
        running = Running(stage, _start(stage))
        try:
            running.wait("the service", lambda: _is_ready(running))
            running.register_keys()
            yield running
        finally:
            running.close()
    finally:
        stage.close()


def _quick_keystore(path: Path, passphrase: str, key: bytes | None = None) -> str:
    """As `create_keystore`, and opened in no time: eight keystores cost the tests of a session seconds."""
    account = EthereumAccount.create() if key is None else EthereumAccount.from_key(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(json.dumps(account.encrypt(passphrase, kdf="pbkdf2", iterations=2)), "ascii")
    return str(account.address)


def _start(stage: Stage) -> "subprocess.Popen[bytes]":
    environment = stage.environment | {"TALENTSEAL_ANCHOR_INTERVAL": str(ANCHOR_EVERY)}
    with _log(stage).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "talentseal", "serve"],
            env=environment,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - fixtures start it from the main thread
        )


def new_document() -> bytes:
    """A PDF like no other: documents and parties are what an agreement is known by."""
    return PDF + f"%{secrets.token_hex(16)}\n".encode()


def _is_ready(running: Running) -> bool:
    assert running.process.poll() is None, f"the service ended\n{running.said()}"
    try:
        return httpx2.get(f"{running.url}/healthz", timeout=2.0).is_success
    except httpx2.HTTPError:
        return False


def _log(stage: Stage) -> Path:
    return stage.folder / "service.log"


def _digests(plain: bytes) -> DocumentDigests:
    found = documents.examine(io.BytesIO(plain))
    return DocumentDigests(sha256=found.sha256, sm3=found.sm3, size=found.size, media_type=found.media_type)
