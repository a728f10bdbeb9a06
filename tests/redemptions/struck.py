"""The service killed at any moment under load, and started again, on one database through all of it.

A fork server of one thread: it imports once, prepares one market, and works on a copy of it for each order.
It forks a process of patrons, and one life of the service after another, each of which it kills. The socket
is its own, so that whoever calls while no service lives waits to be answered by the next. On PostgreSQL the
server can be killed too, while the service goes on.

Serves orders from standard input (`test_struck`), or repeats a run by hand:

    python -m tests.redemptions.struck sqlite --kills 100 --seed 42
"""

import argparse
import ctypes
import json
import logging
import os
import pickle
import signal
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from multiprocessing.sharedctypes import RawValue
from pathlib import Path
from random import Random
from typing import Any, Final

import structlog

from talentseal.evidence.sealing import Outcome, Sealer
from tests.crash.faults import NO_FAULT
from tests.crash.forks import fork, in_child
from tests.postgres import die_with_parent
from tests.redemptions import patrons
from tests.redemptions.judging import Judge, counts, sample
from tests.redemptions.patrons import Told
from tests.redemptions.slips import SLIPS, no_slip
from tests.redemptions.stage import QUOTA, Stage

BETWEEN: Final = (1, 1, 11)
"""Seconds between the beginnings of two lives. After the longest the lease of a sealer has run out."""

SHIFT: Final = 50
"""Lives in a row; then half a day passes, the budget is set anew and people come back."""

LEFT: Final = (200, 60, 20)
"""Units that may be left in the budget at the beginning of a shift."""

LONGEST: Final = 0.05
"""Seconds from the first answer of a life to its end at most."""

STILLBORN: Final = 0.1
"""Which part of the lives ends before the first answer."""

SILENCE: Final = 30.0
"""Seconds after which a service that answers nobody hangs."""

SAMPLE: Final = 40
"""Acknowledged requests that are sent again at the end."""


@dataclass(frozen=True, slots=True)
class Order:
    """kills: of the service. restarts: of the PostgreSQL server. slip: a planted fault."""

    kills: int
    seed: int = 1
    restarts: int = 0
    slip: str = ""


@dataclass(slots=True)
class Account:
    """What came of an order. repeated: acts that were sent more than once. met: refusals by their codes."""

    kills: int = 0
    restarts: int = 0
    seconds: float = 0.0
    judged_in: float = 0.0
    acknowledged: int = 0
    repeated: int = 0
    notes: int = 0
    met: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


class Hung(Exception):
    """The service answers nobody."""


class Run:
    """One order on a copy of the market."""

    def __init__(self, stage: Stage, url: str, order: Order) -> None:
        self._stage, self._url, self._order = stage, url, order
        self._rng = Random(order.seed)
        self._slip = SLIPS[order.slip] if order.slip else no_slip
        self._over = RawValue(ctypes.c_int64, 0)
        self._lives = 0
        self.account = Account()

    def play(self) -> None:
        """All of it, and the judgement."""
        began = time.monotonic()
        told = self._stage.folder / "told"
        crowd = fork(lambda: self._crowd(told))
        try:
            self._strike()
        except Hung:
            self.account.violations.append("HANG: the service answers nobody")
        self._over.value = 1
        last = self._begin()
        _, status = os.waitpid(crowd, 0)
        self._end(last)
        self.account.seconds = time.monotonic() - began
        if status:
            self.account.violations.append("BROKEN: the patrons' process failed")
            return
        self._judge(told)

    def _strike(self) -> None:
        """Every kill and restart. Raises Hung."""
        for _ in range(self._order.kills):
            self._kill()
        if self._order.restarts:
            life = self._begin()
            try:
                for _ in range(self._order.restarts):
                    self._restart()
            finally:
                self._end(life)

    def _crowd(self, told: Path) -> None:
        die_with_parent()
        place, phones = self._stage.place, self._stage.phones
        met = patrons.crowd(place, phones, self._order.seed, lambda: bool(self._over.value))
        told.write_bytes(pickle.dumps(met))

    def _begin(self) -> int:
        """The next life's process."""
        self._lives += 1
        number = self._lives
        if number % SHIFT == 1:
            self._stage.clock.advance(hours=12)
            left = self._rng.choice(LEFT) if number > 1 else LEFT[0]
            in_child(lambda: self._stage.come_back(self._url, left))
        self._stage.clock.advance(seconds=self._rng.choice(BETWEEN))

        def live() -> None:
            die_with_parent()
            self._slip()
            self._stage.live(self._url, f"life-{number}")

        return fork(live)

    def _kill(self) -> None:
        """A life and its end."""
        life = self._begin()
        try:
            if self._rng.random() >= STILLBORN:
                self._await_answer()
            time.sleep(self._rng.uniform(0, LONGEST))
        finally:
            self._end(life)
        self.account.kills += 1

    def _end(self, life: int) -> None:
        os.kill(life, signal.SIGKILL)
        _, status = os.waitpid(life, 0)
        if not os.WIFSIGNALED(status):
            self.account.violations.append(f"BROKEN: the service ended by itself, status {status}")

    def _restart(self) -> None:
        """Kill the PostgreSQL server and start it again. Raises Hung."""
        self._await_answer()
        time.sleep(self._rng.uniform(0, LONGEST))
        server = self._stage.server
        assert server is not None
        server.kill()
        server.start()
        self._stage.clock.advance(seconds=max(BETWEEN))
        self.account.restarts += 1

    def _await_answer(self) -> None:
        """Raises Hung."""
        answered = self._stage.app.answered
        before, ends = answered.value, time.monotonic() + SILENCE
        while answered.value == before:
            if time.monotonic() > ends:
                raise Hung
            time.sleep(0.001)

    def _judge(self, told: Path) -> None:
        began = time.monotonic()
        verdict = told.with_name("verdict")
        status = in_child(lambda: _write(verdict, self._verdict(pickle.loads(told.read_bytes()))))
        if status:
            self.account.violations.append("BROKEN: no verdict was come to")
            return
        for name, value in json.loads(verdict.read_text()).items():
            kept = getattr(self.account, name)
            setattr(self.account, name, kept + value if isinstance(value, list) else value)
        self.account.judged_in = time.monotonic() - began

    def _verdict(self, told: Told) -> dict[str, Any]:
        """In a child: work off what is left, look at everything, ask again."""
        stage = self._stage
        world = stage.market.world
        stage.database.at(self._url, NO_FAULT)
        stage.clock.advance(seconds=max(BETWEEN))
        sealer = Sealer(stage.database, world.head_store, world.signer, stage.clock, "judge")
        while (outcome := sealer.tick()).outcome is Outcome.SEALED:
            pass
        found = [] if outcome.outcome is Outcome.IDLE else [f"R6: sealing came to no end: {outcome}"]
        head = world.head_store.read()
        found += stage.database.snapshot(
            lambda session: list(Judge(session, told, head, world.signer, QUOTA).findings())
        )
        done = [act for act in told.acts if act.is_done]
        refused = Counter(act.receipt["code"] for act in told.acts if not act.is_done)
        return {
            "acknowledged": len(done),
            "repeated": sum(act.sent > 1 for act in told.acts),
            "notes": len(told.notes),
            "met": dict(refused),
            "violations": [*told.faults, *found, *self._asked_again(told)],
        }

    def _asked_again(self, told: Told) -> list[str]:
        stage, found = self._stage, []
        before = stage.database.snapshot(counts)
        for act in sample(told.acts, SAMPLE):
            headers = {"Authorization": f"Bearer {stage.place.key}", "Idempotency-Key": act.key}
            met = stage.api.http.post(act.path, json=act.body, headers=headers)
            if (met.status_code, met.text) != (act.status, act.answer):
                found.append(f"R8: {act.route} {act.key} was answered anew: {met.status_code}")
        if stage.database.snapshot(counts) != before:
            found.append("R8: requests sent again changed something")
        return found


def _write(file: Path, verdict: dict[str, Any]) -> None:
    file.write_text(json.dumps(verdict), "utf-8")


def carry_out(order: Order, stage: Stage) -> Account:
    """Every violation is told with what repeats it."""
    with stage.copy() as url:
        run = Run(stage, url, order)
        run.play()
    run.account.violations = [f"{what} [{order}]" for what in run.account.violations]
    return run.account


def main() -> int:
    """Without a number of kills: serve orders, a line each as JSON. With one: carry it out and say so."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("sqlite", "postgresql"))
    parser.add_argument("--kills", type=int)
    parser.add_argument("--restarts", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slip", default="", choices=("", *SLIPS))
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    stage = Stage(asked.kind)
    try:
        if asked.kills is not None:
            account = carry_out(Order(asked.kills, asked.seed, asked.restarts, asked.slip), stage)
            print(json.dumps(asdict(account), indent=1, ensure_ascii=False))
            return 1 if account.violations else 0
        for line in sys.stdin:
            print(json.dumps(asdict(carry_out(Order(**json.loads(line)), stage))), flush=True)
    finally:
        stage.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
