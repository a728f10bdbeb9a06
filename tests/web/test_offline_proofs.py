"""The counter's page looks at offline proofs as the service does, with what it fetched beforehand."""

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from talentseal.credentials import tc2
from talentseal.credentials.proofs import NUMBERS
from talentseal.policy.tiers import Tier
from tests.credentials.reference import CODE_REF, KEYS, NOON
from tests.web.node import MODULES

RUN = """
import { verifyProof } from "./offline-proofs.js";
const jobs = JSON.parse(await new Response(process.stdin).text());
console.log(JSON.stringify(jobs.map(([trust, text, now]) => verifyProof(trust, text, now))));
"""


def trust(**changes: Any) -> dict[str, Any]:
    keys = [
        {"version": key.version, "first_day": "2026-01-01", "jwk": key.to_jwk()}
        for key in tc2.proof_keys(KEYS)
    ]
    tiers = {str(number): tier.value for tier, number in NUMBERS.items()}
    return {
        "keys": keys,
        "tiers": tiers,
        "lifetime_seconds": 600,
        "skew_seconds": 5,
        "revoked": [],
        **changes,
    }


def looked(folder: Path, jobs: list[tuple[dict[str, Any], str, int]]) -> list[Any]:
    shutil.copytree(MODULES, folder / MODULES.name)
    shutil.copy(MODULES.parent / "offline-proofs.js", folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "run.js").write_text(RUN)
    done = subprocess.run(
        ["node", folder / "run.js"], input=json.dumps(jobs), capture_output=True, text=True, check=True
    )
    found: list[Any] = json.loads(done.stdout)
    return found


def milliseconds(seconds: int = 0) -> int:
    return int((NOON + timedelta(seconds=seconds)).timestamp() * 1000)


@pytest.mark.scenario(36)
def test_the_page_takes_what_the_service_takes(tmp_path: Path) -> None:
    proof = tc2.sign(KEYS, CODE_REF, NUMBERS[Tier.YOUTH], now=NOON)
    others = [
        proof[:place] + ("A" if proof[place] != "A" else "B") + proof[place + 1 :] for place in range(181)
    ]
    refused = [
        (trust(), proof, milliseconds(606)),
        (trust(), proof, milliseconds(-6)),
        (trust(revoked=[CODE_REF.hex()]), proof, milliseconds()),
        (trust(keys=[]), proof, milliseconds()),
        (trust(tiers={}), proof, milliseconds()),
        (trust(), "", milliseconds()),
        *((trust(), text, milliseconds()) for text in others),
    ]
    taken = [(trust(), proof, milliseconds(age)) for age in (-5, 0, 605)]

    found = looked(tmp_path, [*taken, *refused])

    assert [each["tier"] for each in found[:3]] == ["YOUTH"] * 3
    assert found[0]["issuedAt"] == milliseconds()
    assert found[0]["keyVersion"] == 2
    assert found[3:] == [None] * len(refused)
