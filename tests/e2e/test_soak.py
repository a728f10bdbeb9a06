"""An hour of mixed load on real processes that are killed at random, or TALENTSEAL_SOAK_SECONDS of it."""

import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sealproof.promise import open_promise
from sealproof.rpc import JsonRpcChain
from sealproof.verify import verify
from talentseal.anchoring import epochs
from talentseal.app import Service, build
from talentseal.client import Client
from talentseal.config import Settings
from talentseal.demonstration.stage import open_stage
from talentseal.demonstration.walk import Artefacts, Walk
from talentseal.evidence.leases import LEASE_TERM
from talentseal.evidence.models import CheckpointRow, EvidenceRecord
from talentseal.evidence.status import log_status
from tests.crash.oracles import History, is_drained, one_history
from tests.e2e.soak import (
    BETWEEN_KILLS,
    LOOK_EVERY,
    Act,
    Auditor,
    Load,
    Partners,
    Persistent,
    Site,
    member_of,
)

pytestmark = [pytest.mark.long, pytest.mark.timeout(7200)]

SECONDS = float(os.environ.get("TALENTSEAL_SOAK_SECONDS", "3600"))
SEED = int(os.environ.get("TALENTSEAL_SOAK_SEED", "1"))
THREADS = 3
DRAINS_WITHIN = 120.0 + SECONDS / 4
"""The contract takes agreements one by one, and again those that a killed chain has lost."""

VERIFIED = 300
"""How many bundles are verified with the chain at the end."""

GROWTH = 1.15
"""By how much a process may grow from the first to the last third of the calm."""

TAKES_OVER = LEASE_TERM + timedelta(seconds=10)
"""After a kill of the sealing process: its lease has run out, its successor has started and sealed."""


@dataclass
class Soak:
    """The site under load, and all that its clients remember."""

    site: Site
    inside: Service
    partners: list[Partners]
    auditor: Auditor
    met: Counter[str]
    resident: dict[str, list[float]]
    drained_in: float = 0.0

    @property
    def acts(self) -> list[Act]:
        return [act for one in self.partners for act in one.acts]

    def run(self, check: Callable[[], None]) -> None:
        """Kills for two thirds of the time, of each process at least one, then calm, to watch memory."""
        ends = time.monotonic() + SECONDS * 2 / 3
        while time.monotonic() < ends or len(self.site.kills) < 3:
            time.sleep(self.site.rng.uniform(*BETWEEN_KILLS))
            self.site.strike()
            check()
        ends = time.monotonic() + SECONDS / 3
        while time.monotonic() < ends:
            self.resident["service"].append(self.site.service.resident)
            self.resident["worker"].append(self.site.worker.resident)
            check()
            time.sleep(LOOK_EVERY)

    def drain(self) -> None:
        begun, ends = time.monotonic(), time.monotonic() + DRAINS_WITHIN
        while not self.inside.database.read(is_drained):
            assert time.monotonic() < ends, self.inside.database.read(log_status)
            time.sleep(LOOK_EVERY)
        self.drained_in = time.monotonic() - begun


@pytest.fixture
def soak(tmp_path: Path) -> Iterator[Soak]:
    stage = open_stage(tmp_path / "state", 0, lambda _zh, _en: None)
    site, met = Site(stage, Random(SEED)), Counter[str]()
    settings = Settings(data_dir=stage.folder, chain_url=stage.chain.url, demonstration=True)
    inside = build(settings)
    try:
        stage.start_service()
        Walk(stage, Artefacts(tmp_path), lambda _zh, _en: None).register_keys()
        stage.stop_service()
        site.service.start()
        site.worker.start()
        trust = inside.notary.trust(inside.database.read(epochs.newest))
        members = member_of(stage.cast.bank), member_of(stage.cast.merchant)
        with (
            Persistent(stage.url, stage.cast.bank, met) as bank,
            Persistent(stage.url, stage.cast.merchant, met) as merchant,
        ):
            partners = [
                Partners(str(one), members, (bank, merchant), trust, Random(f"{SEED} {one}"), tmp_path)
                for one in range(THREADS)
            ]
            auditor = Auditor(stage.url, inside.signer.verifier_key)
            yield Soak(site, inside, partners, auditor, met, {"service": [], "worker": []})
    finally:
        site.service.kill()
        site.worker.kill()
        inside.close()
        stage.close()


def test_an_hour_of_kills_loses_nothing_doubles_nothing_and_leaks_nothing(
    soak: Soak, capsys: pytest.CaptureFixture[str]
) -> None:
    Load([*(one.go for one in soak.partners), soak.auditor.go]).during(soak.run)
    soak.drain()

    with capsys.disabled():
        print(figures(soak))
    assert soak.acts
    found = soak.inside.database.snapshot(lambda session: [*kept(session, soak), *one_log(session, soak)])
    assert not found
    assert numbers_listed(soak.partners[0].clients[0]) == Counter(
        [act.number for act in soak.acts] + [number for one in soak.partners for number in one.returned]
    )
    check = soak.site.command("fsck")
    assert check.returncode == 0, check.stdout
    for name, sizes in soak.resident.items():
        third = len(sizes) // 3
        assert statistics.median(sizes[-third:]) < GROWTH * statistics.median(sizes[:third]), name
    for act in soak.site.rng.sample(soak.acts, min(VERIFIED, len(soak.acts))):
        verify_with_chain(soak, act)


def kept(session: Session, soak: Soak) -> Iterator[str]:
    """Each acknowledged record is there once, as promised and in time."""
    history = History.of(session)
    promises = [open_promise(act.promise, [soak.auditor.key]) for act in soak.acts]
    heads = session.execute(
        select(CheckpointRow.size, CheckpointRow.signed_at).order_by(CheckpointRow.size)
    ).all()
    for act, promised in zip(soak.acts, promises, strict=True):
        index = history.indices.get(act.record)
        if index is None or history.leaves[index] != promised.leaf_hash:
            yield f"{act.number}: its record is not in the log as it was promised"
            continue
        signed_at = next(at for size, at in heads if size > index)
        if signed_at > promised.deadline and not is_excused(soak, promised.deadline, signed_at):
            yield f"{act.number}: promised by {promised.deadline}, sealed at {signed_at}"
    kinds = {promised.kind for promised in promises}
    made = session.scalars(select(EvidenceRecord.id).where(EvidenceRecord.kind.in_(kinds))).all()
    if Counter(made) != Counter(act.record for act in soak.acts):
        yield f"{len(soak.acts)} agreements were acknowledged, {len(made)} are recorded"


def is_excused(soak: Soak, deadline: datetime, signed_at: datetime) -> bool:
    """Whether the process that seals was away at the deadline, or had not taken over yet."""
    return any(
        began <= deadline and signed_at <= ended + TAKES_OVER for began, ended in soak.site.worker.outages
    )


def one_log(session: Session, soak: Soak) -> Iterator[str]:
    """All checkpoints ever served are of one history, and the contract holds the newest head of it."""
    history, notes = History.of(session), soak.auditor.notes
    yield from one_history(session, history, soak.inside.signer, notes)
    size = log_status(session).final_size
    contract = JsonRpcChain(soak.site.stage.chain.url)
    if contract.head_at(soak.site.stage.deployment.contract, size) != history.root(size):
        yield f"the contract's head of {size} entries is not this log's"


def numbers_listed(client: Client) -> Counter[str]:
    """How often each agreement is there, as a partner sees it."""
    page = client.agreements()
    met = Counter(item.number or "" for item in page.items)
    while page.next is not None:
        page = client.agreements(after=page.next)
        met.update(item.number or "" for item in page.items)
    return met


def verify_with_chain(soak: Soak, act: Act) -> None:
    """Every step, the chain's too, passes for an auditor."""
    one = soak.partners[0]
    chain = JsonRpcChain(soak.site.stage.chain.url)
    report = verify(one.clients[0].bundle(act.record), trust=one.trust, document=act.document, chain=chain)
    assert report.exit_code == 0, (
        f"{act.number}: {[step for step in report.steps if step.verdict != 'passed']}"
    )


def figures(soak: Soak) -> str:
    resident = {name: f"{min(sizes):.0f} to {max(sizes):.0f} MiB" for name, sizes in soak.resident.items()}
    late = [(ended - began).total_seconds() for began, ended in soak.site.worker.outages]
    return (
        f"\n{SECONDS:.0f} s, seed {SEED}: {len(soak.acts)} agreements, "
        f"{sum(len(one.returned) for one in soak.partners)} returned; killed {dict(soak.site.kills)}; "
        f"{soak.site.epochs} epochs; "
        f"{len(soak.auditor.notes)} checkpoints read; asked again {dict(soak.met)}; "
        f"resident {resident}; worker away {sum(late):.0f} s in all; "
        f"all final {soak.drained_in:.0f} s after the load"
    )
