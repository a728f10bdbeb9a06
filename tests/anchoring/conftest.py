"""A log, a chain in memory and the hands that work on both; a restart builds everything anew."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import Hash32
from sqlalchemy import select

from sealproof.eip712 import AgreementStatement, Domain, Party, TerminationStatement
from talentseal import failpoints
from talentseal.anchoring import conditions, epochs, ledger
from talentseal.anchoring.models import ChainTransaction, Condition, Lane, Scope
from talentseal.anchoring.policy import LANE_FUNCTIONS, AlarmKind, Policy
from talentseal.anchoring.service import Anchorer, Tick
from talentseal.chain.contract import registry_abi
from talentseal.chain.keys import LocalSender, SigningPolicy
from talentseal.chain.memory_chain import MemoryChain
from talentseal.chain.port import Chain
from talentseal.db import Database
from talentseal.evidence import acts
from talentseal.evidence.headstore import HeadStore
from talentseal.evidence.models import ActKind, RegistryAct
from talentseal.evidence.signing import LogSigner
from tests.evidence.conftest import ORIGIN, Log, SetClock

ANCHOR_KEY = bytes([1]) * 32
REGISTRAR_KEY = bytes([2]) * 32
ARBITER_KEY = bytes([3]) * 32
KEYS = {Lane.ANCHOR: ANCHOR_KEY, Lane.REGISTRAR: REGISTRAR_KEY, Lane.ARBITER: ARBITER_KEY}
FOR_EVER = 2**64 - 1


class Killed(BaseException):
    """The process ends here: no handler of the service may catch it."""


class Failed(Exception):
    """A step fails here with an ordinary error."""


def sender_for(lane: Lane, chain_id: int, contract: str) -> LocalSender:
    selectors = frozenset(registry_abi().selector(name) for name in LANE_FUNCTIONS[lane])
    return LocalSender.of_key(KEYS[lane], SigningPolicy(chain_id, contract, selectors))


def address_of(key: bytes) -> str:
    return str(Account.from_key(key).address)


@dataclass(slots=True)
class Signer:
    """A party: organisation and key."""

    organisation: bytes
    account: LocalAccount

    @classmethod
    def numbered(cls, number: int) -> "Signer":
        return cls(bytes([number]) * 32, Account.from_key(bytes([100 + number]) * 32))

    @property
    def party(self) -> Party:
        return Party(self.organisation, str(self.account.address), 0)

    def sign(self, digest: bytes) -> str:
        return "0x" + bytes(self.account.unsafe_sign_hash(Hash32(digest)).signature).hex()


PARTIES = (Signer.numbered(1), Signer.numbered(2))


@dataclass(slots=True)
class Service:
    """The service around one database and one chain."""

    url: str
    folder: Path
    clock: SetClock
    chain: Any
    policy: Policy = field(default_factory=Policy)
    opened: list[Database] = field(default_factory=list)
    log: Log = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    @property
    def database(self) -> Database:
        return self.opened[-1]

    @property
    def port(self) -> Chain:
        port: Chain = self.chain
        return port

    def restart(self) -> None:
        """Nothing in memory survives."""
        self.opened.append(Database(self.url))
        signer = LogSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
        self.log = Log(self.database, HeadStore(self.folder / "head" / "head.json"), signer, self.clock)

    def open(self, actor: str = "operator") -> int:
        identity = self.port.identity()
        return epochs.open_epoch(self.database, self.port, identity, 1, actor, now=self.clock.now())

    def anchorer(self) -> Anchorer:
        identity = self.port.identity()
        return self.anchorer_for(identity.chain_id, identity.contract)

    def anchorer_for(self, chain_id: int, contract: str, lanes: Iterable[Lane] = Lane) -> Anchorer:
        senders = {lane: sender_for(lane, chain_id, contract) for lane in lanes}
        return Anchorer(self.database, self.port, senders, self.clock, self.policy)

    def tick(self, rounds: int = 1, *, seconds: float = 0) -> Tick:
        anchorer = self.anchorer()
        last = anchorer.tick()
        for _ in range(rounds - 1):
            self.clock.advance(seconds=seconds)
            last = anchorer.tick()
        return last

    def grow(self, *batches: int) -> int:
        """Seal that many records, batch after batch; the log's size."""
        self.log.grow(*batches)
        return self.log.seal().size

    def rows(self, lane: Lane | None = None) -> list[ChainTransaction]:
        query = select(ChainTransaction).order_by(
            ChainTransaction.epoch_id, ChainTransaction.lane, ChainTransaction.nonce, ChainTransaction.attempt
        )
        found = self.database.read(lambda session: list(session.scalars(query)))
        return [row for row in found if lane is None or row.lane is lane]

    def marks(self) -> tuple[int, int]:
        return self.database.read(ledger.marks)

    def condition(self, scope: Scope = Scope.CHAIN) -> Condition:
        return self.database.read(lambda session: conditions.standing(session, scope)).condition

    def lose_the_chain(self) -> None:
        """As if a round had found the chain reset."""
        now = self.clock.now()
        self.database.write(
            lambda session: conditions.note(session, Scope.CHAIN, Condition.CHAIN_RESET, "test", now=now)
        )

    # -------------------------------------------------------------------------------------------------- acts

    def ask(self, kind: ActKind, payload: dict[str, Any], digest: bytes | None = None) -> str:
        """Queue an act; its id."""
        text = "0x" + (digest or secrets.token_bytes(32)).hex()
        now = self.clock.advance(milliseconds=1)
        return self.database.write(
            lambda session: acts.enqueue(session, kind, digest=text, payload=payload, now=now).id
        )

    def act(self, act_id: str) -> RegistryAct:
        return self.database.read(lambda session: session.get_one(RegistryAct, act_id))

    def ask_keys(self) -> list[str]:
        return [
            self.ask(
                ActKind.SET_KEY,
                {
                    "organisation": "0x" + signer.organisation.hex(),
                    "signer": str(signer.account.address),
                    "valid_from": 0,
                    "valid_until": FOR_EVER,
                },
            )
            for signer in PARTIES
        ]

    def statement(self, **changes: Any) -> AgreementStatement:
        values: dict[str, Any] = {
            "agreement_id": b"\x07" * 32,
            "version": 1,
            "previous": bytes(32),
            "commitment": b"\x08" * 32,
            "stipulations_root": b"\x09" * 32,
            "stipulation_count": 3,
            "effective_from": 0,
            "valid_through": 4_000_000_000,
            "deadline": int((self.clock.now() + timedelta(days=7)).timestamp()),
            "parties": tuple(signer.party for signer in PARTIES),
        }
        return AgreementStatement(**(values | changes))

    def domain(self) -> Domain:
        identity = self.port.identity()
        return Domain(identity.chain_id, identity.contract)

    def ask_conclude(self, statement: AgreementStatement) -> str:
        digest = statement.digest(self.domain())
        signatures = [signer.sign(digest) for signer in PARTIES]
        return self.ask(
            ActKind.CONCLUDE, {"statement": statement.to_json(), "signatures": signatures}, digest
        )

    def ask_amend(self, current: AgreementStatement, following: AgreementStatement) -> str:
        digest = following.digest(self.domain())
        payload = {
            "current": current.to_json(),
            "next": following.to_json(),
            "signatures": [signer.sign(digest) for signer in PARTIES],
        }
        return self.ask(ActKind.AMEND, payload, digest)

    def ask_terminate(self, current: AgreementStatement, end: TerminationStatement) -> str:
        digest = end.digest(self.domain())
        payload = {
            "current": current.to_json(),
            "termination": end.to_json(),
            "signatures": [signer.sign(digest) for signer in PARTIES],
        }
        return self.ask(ActKind.TERMINATE, payload, digest)


def memory_chain(clock: SetClock, **changes: Any) -> MemoryChain:
    roles = {lane.value: [address_of(key)] for lane, key in KEYS.items()}
    return MemoryChain(clock, roles, **changes)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))


@pytest.fixture
def chain(clock: SetClock) -> MemoryChain:
    return memory_chain(clock)


@pytest.fixture
def serve(tmp_path: Path, clock: SetClock) -> Iterator[Callable[..., Service]]:
    """Builds services on a database address; closes what they opened."""
    made: list[Service] = []

    def make(url: str, chain: Any, **options: Any) -> Service:
        made.append(Service(url, tmp_path, clock, chain, **options))
        return made[-1]

    yield make
    failpoints.arm(None)
    for service in made:
        for database in service.opened:
            database.close()


@pytest.fixture
def service(serve: Callable[..., Service], sqlite_url: str, chain: MemoryChain) -> Service:
    """On SQLite, with the first epoch open."""
    made = serve(sqlite_url, chain)
    made.open()
    return made


def arm_once(point: str, error: type[BaseException]) -> None:
    """Raise `error` the first time that `point` is reached."""

    def action(name: str) -> None:
        if name == point:
            failpoints.arm(None)
            raise error(point)

    failpoints.arm(action)


def kinds(tick: Tick) -> set[AlarmKind]:
    return {alarm.kind for alarm in tick.alarms}
