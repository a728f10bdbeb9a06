"""`python -m tests.parts list | run [PART...]`: the long programmes of parts.toml."""

import os
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from chainkit.node import platform_binary

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Part:
    """One table of parts.toml; `needs` is a glob pattern."""

    about: str
    needs: str
    command: list[str]
    setup: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    folder: str = "."

    def run(self) -> int:
        """Set up what it needs, run it, and return its exit code."""
        if self.setup:
            subprocess.run([ROOT / "scripts/setup", "--dev", *self.setup], check=True)
        places = {"forge": str(platform_binary("forge")), "python": sys.executable}
        command = [word.format_map(places) for word in self.command]
        where, env = ROOT / self.folder, os.environ | self.env
        return subprocess.run(command, cwd=where, env=env, check=False).returncode


def parts() -> dict[str, Part]:
    """Those whose tests exist, in the file's order."""
    tables = tomllib.loads((ROOT / "tests/parts.toml").read_text(encoding="utf-8"))
    every = {name: Part(**table) for name, table in tables.items()}
    return {name: part for name, part in every.items() if any(ROOT.glob(part.needs))}


def main(arguments: list[str]) -> int:
    """List, or run the named parts (all when none is named); 1 when one failed, 2 when a name is unknown."""
    offered = parts()
    if arguments[:1] == ["list"]:
        print("\n".join(f"{name:<15} {part.about}" for name, part in offered.items()))
        return 0
    wanted = arguments[1:] or list(offered)
    if unknown := [name for name in wanted if name not in offered]:
        print(f"There is no part {', '.join(unknown)}; there are: {', '.join(offered)}", file=sys.stderr)
        return 2
    codes = {}
    for name in wanted:
        print(f"== {name}: {offered[name].about}", flush=True)
        began = time.monotonic()
        codes[name] = offered[name].run()
        verdict = "failed" if codes[name] else "passed"
        print(f"== {name}: {verdict} after {time.monotonic() - began:.0f} s", flush=True)
    return 1 if any(codes.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
