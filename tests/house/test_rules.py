"""Rules of the house that no linter knows: locks, scripts, lengths of functions, words of the repository."""

import ast
import json
import re
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON_LOCKS = sorted(ROOT.glob("requirements*.lock"))
NPM_LOCKS = [
    ROOT / folder / "package-lock.json"
    for folder in ("hardhat-free", "hardhat-free/networks", "backend/talentseal/web")
]
SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file())
SOURCES = sorted(path for top in ("backend", "hardhat-free/chainkit") for path in (ROOT / top).rglob("*.py"))

# Written in two parts, so that this file may hold what it forbids.
HOSTS = re.compile(r"https?://|pypi\.|npmjs|registry\.|mirror|" + "files.python" + "hosted")
LONGEST_FUNCTION = 60
LONGEST_SCRIPT = 60


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def requirements(lock: Path) -> list[str]:
    """One string for each pinned package, with its hashes."""
    return [entry for entry in re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip()) if entry]


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=name)
def test_a_python_lock_pins_and_hashes_everything_and_names_no_host(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert not HOSTS.search(text)
    for entry in requirements(lock):
        assert re.match(r"[a-z0-9.\-_]+(\[[a-z,]+\])?==\S+", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_service_runs_on_what_the_tests_ran_on() -> None:
    pinned = [
        {entry.split()[0] for entry in requirements(ROOT / lock)}
        for lock in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pinned[0] <= pinned[1]


def test_each_dependency_is_in_the_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[\[><=~;\s]", line)[0] for line in project["dependencies"]}
    locked = {re.split(r"[\[=]", entry)[0] for entry in requirements(ROOT / "requirements.lock")}
    assert wanted <= locked


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=name)
def test_an_npm_lock_hashes_what_it_installs_and_names_no_host(lock: Path) -> None:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    assert not HOSTS.search(json.dumps(packages))
    for path, package in packages.items():
        assert "resolved" not in package, path
        bundled = package.get("inBundle", False)
        assert path == "" or bundled or "integrity" in package or is_stub(package), path


def is_stub(package: dict[str, object]) -> bool:
    """A platform's package that only npm on that platform would take, where an index may lack it."""
    return set(package) <= {"version", "cpu", "os", "optional", "dev"} and package.get("optional") is True


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=name)
def test_an_npm_lock_knows_every_optional_package_of_the_chain_tools(lock: Path) -> None:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    for package in packages.values():
        for dependency in package.get("optionalDependencies", {}):
            if dependency.startswith("@foundry-rs/"):
                assert f"node_modules/{dependency}" in packages


@pytest.mark.parametrize("folder", [lock.parent for lock in NPM_LOCKS], ids=name)
def test_npm_is_told_to_run_nothing_and_to_note_no_host(folder: Path) -> None:
    settings = (folder / ".npmrc").read_text(encoding="utf-8").split()
    assert {"ignore-scripts=true", "omit-lockfile-registry-resolved=true"} <= set(settings)


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_a_script_is_short_and_runs(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST_SCRIPT
    assert lines[0].startswith("#!")
    assert script.stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("source", [path for path in SOURCES if path.parent.name != "versions"], ids=name)
def test_a_function_fits_a_screen(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, f"{node.name} is too long"


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_the_product_decides_nothing_by_assert(source: Path) -> None:
    """An assert is gone under `python -O`."""
    nodes = ast.walk(ast.parse(source.read_text(encoding="utf-8")))
    assert not [node.lineno for node in nodes if isinstance(node, ast.Assert)]


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_a_silenced_rule_has_its_reason(source: Path) -> None:
    """Behind it on the line, or in a comment on the line above."""
    before = ""
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        if found := re.search(r"# (?:noqa|type: ignore)(.*)", line):
            behind = re.match(r"(: [A-Z0-9, ]+|\[[a-z, -]+\])\s+(-|#) \S", found[1])
            assert behind or before.strip().startswith("#"), f"{source}:{number}"
        before = line


def test_the_repository_holds_no_path_of_a_machine() -> None:
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    machine = re.compile("/" + r"(work|home|Users)/\w|/root" + "/")
    for file in files:
        path = ROOT / file
        if path.suffix in {".py", ".md", ".toml", ".sol", ".json", ".js", ".txt", ""} and path.is_file():
            assert not machine.search(path.read_text(encoding="utf-8", errors="replace")), file
