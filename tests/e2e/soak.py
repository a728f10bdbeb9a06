"""The service as an operator runs it, partners and an auditor who never give up, and a plan of kills."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx2
from eth_account import Account

from chainkit.node import Anvil
from sealproof import checkpoint, merkle, tiles
from sealproof.checkpoint import Checkpoint
from sealproof.note import VerifierKey
from sealproof.report import Verdict
from sealproof.tiles import Tile
from sealproof.trust import Trust
from sealproof.verify import verify
from talentseal.accounts.roles import Actor
from talentseal.agreements.schemas import DocumentDigests, HashOnlySubmission, UploadedSubmission
from talentseal.anchoring.models import Condition, Scope
from talentseal.client import Client, ServiceRefused, ServiceUnreachable, Version
from talentseal.demonstration.scheme import Body
from talentseal.demonstration.stage import Stage
from talentseal.evidence.status import RecordState
from tests.processes import resident
from tests.world import PDF, Member, examined, terms_of

PATIENCE = 120.0
"""Seconds for which a client asks again: longer than any planned outage."""

LOOK_EVERY = 1.0
LONGEST_OUTAGE = 8.0
BETWEEN_KILLS = (5.0, 40.0)


@dataclass(slots=True)
class Process:
    """One of the service's processes: `talentseal` with these arguments."""

    stage: Stage
    arguments: tuple[str, ...]
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    _running: subprocess.Popen[bytes] | None = field(default=None)
    _killed_at: datetime | None = field(default=None)

    def start(self) -> None:
        """Start it, and wait until it works."""
        begun = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            command = [sys.executable, "-m", "talentseal", *self.arguments]
            self._running = subprocess.Popen(
                command, env=self.stage.environment, stdout=output, stderr=output
            )
        ends = time.monotonic() + PATIENCE
        while not self._works(begun):
            assert time.monotonic() < ends, f"{self.arguments[0]} did not start"
            time.sleep(0.1)
        if self._killed_at is not None:
            self.outages.append((self._killed_at, datetime.now(UTC)))

    def kill(self) -> None:
        if self._running is None:
            return
        assert self._running.poll() is None, f"{self.arguments[0]} ended by itself"
        self._killed_at = datetime.now(UTC)
        self._running.kill()
        self._running.wait()
        self._running = None

    def _works(self, begun: int) -> bool:
        """Whether it has said so; the worker says it in its log, from `begun` on."""
        if self.arguments[0] == "worker":
            return b"worker.started" in self.log.read_bytes()[begun:]
        try:
            return httpx2.get(f"{self.stage.url}/healthz", timeout=5).is_success
        except httpx2.HTTPError:
            return False

    @property
    def log(self) -> Path:
        return self.stage.folder / f"{self.arguments[0]}.log"

    @property
    def resident(self) -> float:
        """MiB of memory in use."""
        assert self._running is not None
        return resident(self._running.pid)


class Persistent(Client):
    """Asks again, the same request under the same Idempotency-Key, until it has been answered."""

    def __init__(self, url: str, body: Body, met: Counter[str]) -> None:
        super().__init__(url, body.api_key_file.read_text("utf-8").strip())
        self._met = met

    def _request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                return super()._request(method, path, **options)
            except (ServiceUnreachable, ServiceRefused) as met:
                busy = isinstance(met, ServiceRefused) and met.status == httpx2.codes.SERVICE_UNAVAILABLE
                if time.monotonic() > ends or not (busy or isinstance(met, ServiceUnreachable)):
                    raise
                self._met[str(met)] += 1
            time.sleep(0.2)


@dataclass(frozen=True, slots=True)
class Act:
    """An agreement whose last signature was acknowledged, with a promise."""

    number: str
    record: str
    promise: str
    document: bytes


@dataclass(slots=True)
class Partners:
    """One thread of the load: two members conclude agreements, and look at what became of them."""

    name: str
    members: tuple[Member, Member]
    clients: tuple[Client, Client]
    trust: Trust
    rng: Random
    folder: Path
    acts: list[Act] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)

    def go(self) -> None:
        """One agreement, and a look at an earlier one."""
        number = f"SOAK-{self.name}-{len(self.acts) + len(self.returned)}"
        document = PDF + number.encode()
        version = self._submit(number, document)
        if self.rng.random() < 0.1:
            self.clients[1].return_version(version, "须修改第三条")
            self.returned.append(number)
            return
        signed = [
            client.sign(version, member.sign(client.typed_data(version).digest))
            for member, client in zip(self.members, self.clients, strict=True)
        ]
        receipt = signed[-1]
        assert receipt.record is not None
        assert receipt.promise is not None
        self.acts.append(Act(number, receipt.record, receipt.promise, document))
        self._look_at(self.rng.choice(self.acts))
        time.sleep(self.rng.uniform(0, 1))

    def _submit(self, number: str, document: bytes) -> Version:
        term = {"effective_from": date(2026, 1, 1), "valid_through": date(2100, 1, 1)}
        terms = terms_of(*self.members, number=number, **term).model_dump()
        if self.rng.random() < 0.3:
            file = self.folder / f"{self.name}.pdf"
            file.write_bytes(document)
            receipt = self.clients[0].upload(UploadedSubmission(**terms), file)
        else:
            found = examined(document)
            digests = DocumentDigests(
                sha256=found.sha256, sm3=found.sm3, size=found.size, media_type=found.media_type
            )
            receipt = self.clients[0].submit(HashOnlySubmission(**terms, document=digests))
        return Version(receipt.agreement, receipt.version)

    def _look_at(self, act: Act) -> None:
        """Its state, and once it is sealed its bundle, verified without the chain, which may be away."""
        if self.clients[0].record(act.record).state is not RecordState.RECORDED:
            report = verify(self.clients[0].bundle(act.record), trust=self.trust, document=act.document)
            wrong = [step for step in report.steps if step.verdict is Verdict.FAILED]
            assert not wrong, f"{act.number}: {wrong}"


@dataclass(slots=True)
class Auditor:
    """Reads checkpoints and tiles, as anyone may, and proves each checkpoint to extend the last one."""

    url: str
    key: VerifierKey
    notes: list[str] = field(default_factory=list)
    _last: Checkpoint | None = field(default=None)

    def go(self) -> None:
        note = self._get("checkpoint").decode("utf-8")
        head = checkpoint.open_checkpoint(note, [self.key])
        if self._last is not None:
            path = tiles.consistency_path_from_tiles(self._tile, self._last.size, head.size)
            merkle.check_consistency(self._last.size, self._last.root, head.size, head.root, path)
        self._last = head
        self.notes.append(note)
        time.sleep(0.2)

    def _tile(self, level: int, number: int, width: int) -> bytes:
        return self._get(Tile(level, number, width).path())

    def _get(self, path: str) -> bytes:
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                reply = httpx2.get(f"{self.url}/log/{path}", timeout=10)
            except httpx2.HTTPError:
                assert time.monotonic() < ends, f"{path}: no answer in {PATIENCE:.0f} s"
                time.sleep(0.2)
                continue
            reply.raise_for_status()
            return reply.content


@dataclass(slots=True)
class Site:
    """Everything that runs, and what was done to it."""

    stage: Stage
    rng: Random
    kills: Counter[str] = field(default_factory=Counter)
    epochs: int = field(default=1)
    service: Process = field(init=False)
    worker: Process = field(init=False)

    def __post_init__(self) -> None:
        self.service = Process(self.stage, ("serve", "--no-embedded"))
        self.worker = Process(self.stage, ("worker",))

    def strike(self) -> None:
        """Kill one or two of the three, and start them again a while later."""
        places: dict[str, Process | Anvil] = {
            "service": self.service,
            "worker": self.worker,
            "chain": self.stage.chain,
        }
        victims = self.rng.sample(sorted(places), self.rng.choice((1, 1, 2)))
        for name in victims:
            places[name].kill()
        self.kills.update(victims)
        time.sleep(self.rng.uniform(0, LONGEST_OUTAGE))
        for name in victims:
            places[name].start()
        if "chain" in victims:
            self._heal()

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A `talentseal` command, as the operator types it."""
        command = [sys.executable, "-m", "talentseal", *arguments, "--json"]
        return subprocess.run(
            command, env=self.stage.environment, capture_output=True, text=True, check=False
        )

    def _heal(self) -> None:
        """What an operator does for a development chain that a kill robbed of its last blocks.

        The worker looks at the chain every two seconds, or when it has started.
        """
        time.sleep(LONGEST_OUTAGE)
        conditions = json.loads(self.command("chain", "status").stdout)["conditions"]
        if conditions[Scope.CHAIN.value]["condition"] == Condition.CHAIN_RESET:
            opened = self.command("chain", "open-epoch")
            assert opened.returncode == 0, opened.stderr
            self.epochs += 1


@dataclass(slots=True)
class Load:
    """Partners and an auditor at work, each in a thread."""

    goes: list[Callable[[], None]]
    _ended: threading.Event = field(default_factory=threading.Event)

    def during(self, work: Callable[[Callable[[], None]], None]) -> None:
        """Do `work` under the load. What it is given raises what a thread of the load failed with."""
        with ThreadPoolExecutor(len(self.goes)) as pool:
            running = [pool.submit(self._go_on, go) for go in self.goes]

            def check() -> None:
                for one in running:
                    if one.done():
                        one.result()

            try:
                work(check)
            finally:
                self._ended.set()
        for one in running:
            one.result()

    def _go_on(self, go: Callable[[], None]) -> None:
        while not self._ended.is_set():
            go()


def member_of(body: Body) -> Member:
    """A body of the demonstration, with its key opened once."""
    kept = json.loads(body.keystore.read_text("utf-8"))
    key = Account.from_key(Account.decrypt(kept, body.passphrase_file.read_text("utf-8").strip()))
    return Member(Actor("", body.organisation, body.role, frozenset()), key, body.name)
