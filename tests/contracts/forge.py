"""Runs forge on the contract tests and reads its report."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chainkit.node import platform_binary
from chainkit.pins import HOME


@dataclass(frozen=True, slots=True)
class Verdict:
    """Names (suite:function) of the tests that passed and failed; what forge wrote if it could not run."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    trouble: str


def forge_test(
    *arguments: str, project: Path = HOME, shipped: bool = True, env: Mapping[str, str] | None = None
) -> Verdict:
    """Run `forge test` in a project.

    `shipped` tests the bytecode of the artifact, else what forge compiles. `env` adds to the environment.
    """
    done = subprocess.run(
        [platform_binary("forge"), "test", "--json", *arguments],
        cwd=project,
        env={**os.environ, **(env or {}), "TALENTSEAL_SHIPPED": str(shipped).lower()},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        suites = json.loads(done.stdout)
    except ValueError:
        return Verdict((), (), done.stdout + done.stderr)
    results = {
        f"{suite.rpartition(':')[2]}:{name}": result["status"]
        for suite, tests in suites.items()
        for name, result in tests["test_results"].items()
    }
    passed = tuple(name for name, status in results.items() if status == "Success")
    return Verdict(passed, tuple(name for name in results if name not in passed), "")
