"""What the README promises of its commands, run as a newcomer would run them."""

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from sealproof import disclosure
from talentseal.clock import SystemClock
from talentseal.db import Database
from talentseal.redemptions.models import Redemption, RedemptionState, Reversal
from talentseal.sanctions import rules
from talentseal.sanctions.models import SuspensionCase
from talentseal.sanctions.states import UNDECIDED
from talentseal.sanctions.triggers import Trigger

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = {
    "agreement.certificate.pdf",
    "agreement.pdf",
    "agreement.seal.json",
    "agreement.tlog-proof",
    "checkpoint",
    "log.vkey",
    "trust.json",
    "deployment.json",
    "receipt.seal.json",
}


def run_once(state: Path, out: Path) -> "subprocess.CompletedProcess[str]":
    command = [
        str(ROOT / "scripts" / "run"),
        "--once",
        "--state",
        str(state),
        "--out",
        str(out),
        "--port",
        "0",
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def readme_commands() -> list[str]:
    """Every command in the README's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demonstration was walked once: state in `state`, artefacts in `proofs`."""
    folder = tmp_path_factory.mktemp("demonstration")
    done = run_once(folder / "state", folder / "proofs")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_rule_of_suspension_is_in_force_with_an_open_case(walked: Path) -> None:
    database = Database(f"sqlite:///{walked / 'state' / 'talentseal.db'}")
    now = SystemClock().now()
    try:
        (rule,) = database.read(lambda session: rules.in_force_at(session, Trigger.CREDENTIAL_SHARED, now))
        signed = database.read(lambda session: rules.signatures_of(session, rule))
        cases = database.read(lambda session: session.scalars(select(SuspensionCase)).all())
    finally:
        database.close()

    assert len(signed) == 3
    assert [case.rule_version_id for case in cases] == [rule.id]
    assert cases[0].state in UNDECIDED


def test_one_of_each_benefit_was_used_with_each_walk_and_a_part_came_back(walked: Path) -> None:
    database = Database(f"sqlite:///{walked / 'state' / 'talentseal.db'}")
    try:
        used = database.read(lambda session: session.scalars(select(Redemption)).all())
        undone = database.read(lambda session: session.scalars(select(Reversal)).all())
    finally:
        database.close()

    states = {RedemptionState.COMPLETED: 1, RedemptionState.PARTIALLY_REVERSED: 3}
    assert {each.state: each.quantity for each in used} == states
    assert {(each.quantity, each.value_fen) for each in undone} == {(1, 800)}


def test_the_receipt_shows_date_partner_and_benefit_and_nothing_else(walked: Path) -> None:
    shown = json.loads((walked / "proofs" / "receipt.seal.json").read_text("utf-8"))["disclosures"]

    assert {disclosure.read(each).name for each in shown} == {"at", "partner", "benefit"}


def test_the_walk_leaves_every_artefact(walked: Path) -> None:
    left = {file.name for file in (walked / "proofs").iterdir()}

    assert left >= ARTEFACTS


def test_the_walk_leaves_no_process_behind(walked: Path) -> None:
    assert str(walked / "state") not in processes()


def test_told_to_end_it_takes_the_service_and_the_chain_along(walked: Path) -> None:
    state = walked / "state"
    command = [sys.executable, "-m", "talentseal", "run", "--state", str(state), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        said = (re.search(r"http://127\.0\.0\.1:(\d+)", line) for line in running.stdout)
        port = next(int(met[1]) for met in said if met)
        running.terminate()

    assert running.returncode == 128 + signal.SIGTERM
    assert str(state) not in processes()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def processes() -> str:
    """The command lines of everything that runs."""
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


def test_a_second_walk_goes_on_from_the_first(walked: Path) -> None:
    first = (walked / "proofs" / "deployment.json").read_text("utf-8")

    done = run_once(walked / "state", walked / "again")

    assert done.returncode == 0, done.stdout + done.stderr
    assert (walked / "again" / "deployment.json").read_text("utf-8") == first
    assert size_of(walked / "again") > size_of(walked / "proofs")


def size_of(artefacts: Path) -> int:
    """Entries under the checkpoint that was left."""
    return int((artefacts / "checkpoint").read_text("utf-8").splitlines()[1])


def test_the_commands_of_the_readme_do_what_it_says(walked: Path) -> None:
    scripts, verify = readme_commands()[:-1], readme_commands()[-1]
    program, *arguments = shlex.split(verify)

    done = subprocess.run(
        [ROOT / program, *arguments], cwd=walked, capture_output=True, text=True, timeout=60, check=False
    )

    assert scripts == ["scripts/run", "scripts/test"]
    assert all((ROOT / script).stat().st_mode & 0o100 for script in scripts)
    assert done.returncode == 3, done.stdout + done.stderr


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [
            sys.executable,
            "-m",
            "talentseal",
            "run",
            "--once",
            "--state",
            str(tmp_path),
            "--port",
            port,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
