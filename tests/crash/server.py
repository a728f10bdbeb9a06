"""The fork server: imports once, then forks a child for each life of each trial.

It has one thread and no open database, so that a fork copies nothing but loaded modules. Started by
`conftest.ForkServer`, or by hand to repeat a trial that failed:

    python -m tests.crash.server --point seal.swapped --mode kill --seed 42
"""

import argparse
import gc
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TextIO

import structlog

from talentseal import failpoints
from talentseal.anchoring import epochs
from talentseal.db import Database
from tests.crash import oracles
from tests.crash.bugs import BUGS, no_bug
from tests.crash.faults import DoorDatabase
from tests.crash.forks import in_child, live
from tests.crash.life import BEGINNING, DEPTH, Life, Place, Trial
from tests.crash.line import DirectLine, Found, Line
from tests.crash.misfortunes import MISFORTUNES
from tests.crash.orders import Account, Order
from tests.crash.plan import Mode, Plan, Round, Strike, Weather, modes_of, plan_of
from tests.crash.witness import Witness, new_chain
from tests.postgres import Copies, Server

DRAIN_ROUNDS = 30
"""Rounds of two simulated seconds each: a backlog not worked off in a minute is a violation."""

MEMORY_DISK = Path("/dev/shm")
"""A SIGKILL keeps the page cache, so nothing is lost by keeping the trials' files off the disk."""


class Stage:
    """Databases for trials: a template, and a copy of it for each."""

    def __init__(self, postgresql: str | None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="talentseal-crash-", dir=_fast_disk()))
        self._made = 0
        self._copies = _copies(Server(postgresql)) if postgresql else None
        if not postgresql:
            in_child(lambda: _prepare(self._file("template")))
        self._database = DoorDatabase(postgresql or self._file("template"))
        self._warm_up()

    def _warm_up(self) -> None:
        """Live through one calm trial in this process: its children find imports and statements ready."""
        with self.place() as place:
            witness = Witness(place.chain)
            line = DirectLine(witness.note, witness.answer)
            trial = Trial(place, 0, no_bug)
            life = Life(trial, line, 0)
            life.play((Round(2, False, Weather.CALM), Round(1, False, Weather.SLOW)))
            _recover(trial, 1, witness, line)
            failpoints.arm(None)
            self._database.close()
        gc.freeze()

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A fresh database and folder."""
        self._made += 1
        folder = self.folder / f"trial{self._made}"
        folder.mkdir()
        with self._copies.one() if self._copies else self._copied_file(folder.name) as url:
            yield Place(self._database, url, folder, new_chain())
        shutil.rmtree(folder)

    @contextmanager
    def _copied_file(self, name: str) -> Iterator[str]:
        shutil.copyfile(self.folder / "template.sqlite", self.folder / f"{name}.sqlite")
        yield self._file(name)
        for file in self.folder.glob(f"{name}.sqlite*"):
            file.unlink()

    def _file(self, name: str) -> str:
        return f"sqlite:///{self.folder / name}.sqlite"

    def close(self) -> None:
        shutil.rmtree(self.folder)


def _copies(server: Server) -> Copies:
    server.execute("DROP DATABASE IF EXISTS crash_template")
    server.execute("CREATE DATABASE crash_template")
    in_child(lambda: _prepare(server.url("crash_template")))
    return Copies(server, "crash_template")


def _fast_disk() -> Path | None:
    return MEMORY_DISK if os.access(MEMORY_DISK, os.W_OK) else None


def _prepare(url: str) -> None:
    database, chain = Database(url), new_chain()
    database.upgrade()
    epochs.open_epoch(database, chain, chain.identity(), 1, "operator", now=BEGINNING)
    database.close()


def run_trial(trial: Trial, plan: Plan) -> Witness:
    """All lives of one trial, the last of which recovers, drains and judges."""
    witness = Witness(trial.place.chain)
    for number, (strike, rounds) in enumerate(plan.lives):
        live(witness, partial(_play, trial, number, strike, rounds))
    live(witness, partial(_recover, trial, len(plan.lives), witness))
    if not witness.has_verdict and not witness.violations:
        witness.violations.append("BROKEN: recovery came to no verdict")
    return witness


def _play(trial: Trial, number: int, strike: Strike, rounds: tuple[Round, ...], line: Line) -> None:
    Life(trial, line, number, strike).play(rounds)


def _recover(trial: Trial, number: int, before: Witness, line: Line) -> None:
    """The last life: clients repeat what was not answered, the backlog is worked off, the oracles judge."""
    life = Life(trial, line, number)
    answered = {answer.key for answer in before.acknowledged}
    for key in dict.fromkeys(key for key in before.tried if key not in answered):
        life.request(key)
    for _ in range(DRAIN_ROUNDS):
        life.seal()
        life.anchor()
        life.clock.advance(seconds=1)
        life.line.ask("mine", DEPTH)
        if life.database.read(oracles.is_drained):
            break
    witness = life.line.ask("testimony")
    found = oracles.violations(life.database, life.head_store.read(), life.signer, witness)
    life.line.tell(Found(tuple(found)))


def carry_out(order: Order, stage: Stage) -> Account:
    """Run the trials of an order; every violation is told with what repeats it."""
    account, began = Account(), time.monotonic()
    modes = [Mode(order.mode)] if order.mode else list(modes_of(order.point))
    plant = BUGS[order.bug] if order.bug else no_bug
    while account.struck < order.trials and account.trials < 2 * order.trials + 5:
        seed = order.seed + account.trials
        mode = modes[account.trials % len(modes)]
        with stage.place() as place:
            trial = Trial(place, seed, plant)
            if order.point in MISFORTUNES:
                witness = MISFORTUNES[order.point](trial)
            else:
                witness = run_trial(trial, plan_of(order.point, mode, seed))
        account.trials += 1
        account.struck += order.point in witness.struck
        again = f"--point {order.point} --mode {mode} --seed {seed}"
        account.violations += [f"{what} [{again}]" for what in witness.violations]
        if order.stops_at_first and account.violations:
            break
    account.seconds = time.monotonic() - began
    return account


def serve(orders: TextIO, accounts: TextIO, postgresql: str | None) -> None:
    """An order a line, as JSON; an account a line in answer."""
    stage = Stage(postgresql)
    for line in orders:
        account = carry_out(Order(**json.loads(line)), stage)
        print(json.dumps(asdict(account)), file=accounts, flush=True)
    stage.close()


def main() -> int:
    """Without a point: serve orders from standard input. With one: carry it out and say what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--point")
    parser.add_argument("--mode")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trials", type=int, default=1)
    parser.add_argument("--bug")
    parser.add_argument("--postgresql", help="address of a server's database postgres; SQLite without it")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if asked.point is None:
        serve(sys.stdin, sys.stdout, asked.postgresql)
        return 0
    stage = Stage(asked.postgresql)
    account = carry_out(Order(asked.point, asked.trials, asked.seed, asked.mode, asked.bug), stage)
    stage.close()
    print(json.dumps(asdict(account), indent=1, ensure_ascii=False))
    return 1 if account.violations else 0


if __name__ == "__main__":
    sys.exit(main())
