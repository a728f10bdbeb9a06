"""The browser's verifier in Node: jobs in, answers out, many in one process."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import talentseal

MODULES = Path(talentseal.__path__[0]) / "web" / "static" / "sealproof"
RUNNER = Path(__file__).parent / "run.mjs"

Job = tuple[str, dict[str, Any]]
"""A topic of run.mjs and what it is given."""


def answers(jobs: Iterable[Job], *switches: str, modules: Path = MODULES) -> list[dict[str, Any]]:
    """One answer a job: `found`, or `refused` (the class's name), `why` and `code`."""
    lines = "".join(json.dumps({"topic": topic, "given": given}) + "\n" for topic, given in jobs)
    with tempfile.TemporaryDirectory() as folder:
        # A browser is told that these are modules by the page; Node is told by a file beside them.
        Path(folder, "package.json").write_text('{"type": "module"}')
        copy = shutil.copytree if modules.is_dir() else shutil.copy
        place = copy(modules, Path(folder, modules.name))
        command = ["node", RUNNER, place, *switches]
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.split("\n") if line]
