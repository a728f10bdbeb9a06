"""Two misfortunes that no failure point has: a database put back to an older copy, and a bit that flips."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from talentseal.db import Database
from talentseal.evidence.models import EvidenceRecord, SealerCondition
from talentseal.evidence.status import log_status
from tests.crash import oracles
from tests.crash.forks import live
from tests.crash.life import Life, Trial
from tests.crash.line import Found, Line, Struck
from tests.crash.plan import Round, Weather
from tests.crash.witness import Witness


def restored(trial: Trial) -> Witness:
    """An older copy of the database comes back, and more is recorded on it than was lost: REWOUND."""
    witness, rng, folder = Witness(trial.place.chain), Random(trial.seed), trial.place.folder
    file, old, true = (folder / name for name in ("now", "old", "true"))
    copy_database(Path(trial.place.url.removeprefix("sqlite:///")), file)
    trial = replace(trial, place=replace(trial.place, url=f"sqlite:///{file}"))
    rounds = tuple(Round(rng.randint(1, 3), False, Weather.CALM) for _ in range(2))
    live(witness, partial(_work, trial, 0, rounds))
    copy_database(file, old)
    live(witness, partial(_work, trial, 1, rounds))
    copy_database(file, true)
    copy_database(old, file)
    live(witness, partial(_go_on, trial, true))
    return witness


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite file that nobody has open, with its log."""
    for suffix in ("-wal", "-shm", ""):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
        if suffix != "-shm" and Path(f"{source}{suffix}").exists():
            shutil.copyfile(f"{source}{suffix}", f"{target}{suffix}")


def _work(trial: Trial, number: int, rounds: tuple[Round, ...], line: Line) -> None:
    Life(trial, line, number).play(rounds)


def _go_on(trial: Trial, true: Path, line: Line) -> None:
    """Work on the restored database, then hold what was signed against the true one."""
    life = Life(trial, line, 2)
    line.tell(Struck("restored"))
    for number in range(20):
        life.request(f"2-{number}-1")
    for _ in range(3):
        life.seal()
    found = _condition_is(life, SealerCondition.REWOUND)
    truth = Database(f"sqlite:///{true}")
    notes = line.ask("testimony").notes
    found += truth.read(
        lambda session: list(oracles.one_history(session, oracles.History.of(session), life.signer, notes))
    )
    line.tell(Found(tuple(found)))


def bit_flipped(trial: Trial) -> Witness:
    """One bit of a stored leaf hash flips between recording and sealing: CORRUPT, and no signature."""
    witness = Witness(trial.place.chain)
    live(witness, partial(_flip_and_seal, trial))
    return witness


def _flip_and_seal(trial: Trial, line: Line) -> None:
    life = Life(trial, line, 0)
    life.play((Round(3, False, Weather.CALM),))
    for number in range(4):
        life.request(f"0-9-{number + 1}")
    life.database.write(partial(_flip, rng=Random(trial.seed)))
    line.tell(Struck("bit-flipped"))
    for _ in range(3):
        life.seal()
    found = _condition_is(life, SealerCondition.CORRUPT)
    notes = line.ask("testimony").notes
    found += life.database.read(
        lambda session: [
            f"I3: a checkpoint of {head.size} entries was signed that is not of the entries"
            for head in oracles.opened(notes, life.signer)
            if oracles.History.of(session).root(head.size) != head.root
        ]
    )
    line.tell(Found(tuple(found)))


def _flip(session: Session, rng: Random) -> None:
    for name in session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        session.execute(text(f"DROP TRIGGER {name}"))
    pending = EvidenceRecord.log_index.is_(None)
    record = rng.choice(
        session.scalars(select(EvidenceRecord).where(pending).order_by(EvidenceRecord.id)).all()
    )
    flipped = bytearray(record.leaf_hash)
    flipped[rng.randrange(32)] ^= 1 << rng.randrange(8)
    record.leaf_hash = bytes(flipped)


def _condition_is(life: Life, expected: SealerCondition) -> list[str]:
    met = life.database.read(log_status).sealer
    return [] if met is expected else [f"I3: the sealer is {met}, it should say {expected}"]


MISFORTUNES = {"restored": restored, "bit-flipped": bit_flipped}
