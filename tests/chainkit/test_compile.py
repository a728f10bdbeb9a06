"""The shipped artifact is what the sources compile to, with either compiler."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from chainkit import compile as compiling
from chainkit.compile import (
    SHIPPED,
    Artifact,
    CompileError,
    compile_contracts,
    find_compiler,
    native_compiler,
    wrapper,
)
from chainkit.pins import HOME, NODE_MODULES, ToolchainError, pins

SIZE_LIMIT = 24_576
"""EIP-170, bytes of deployed code."""


@pytest.fixture(scope="module")
def compiled() -> Artifact:
    return compile_contracts(wrapper())


def test_the_shipped_artifact_is_what_the_sources_compile_to(compiled: Artifact) -> None:
    shipped = Artifact.load()
    assert shipped.bytecode == compiled.bytecode, "the contracts changed: run `python -m chainkit artifact`"
    assert shipped == compiled
    assert SHIPPED.read_text(encoding="utf-8") == compiled.to_json()


@pytest.mark.skipif(native_compiler() is None, reason="no native solc of the pinned version on the PATH")
def test_the_native_compiler_gives_the_same_bytecode(compiled: Artifact) -> None:
    native = native_compiler()
    assert native is not None
    assert compile_contracts(native) == compiled


def test_the_code_fits_and_carries_no_metadata(compiled: Artifact) -> None:
    code = bytes.fromhex(compiled.deployed_bytecode[2:])
    assert len(code) <= SIZE_LIMIT
    assert b"ipfs" not in code
    assert b"solc" not in code


def test_the_artifact_names_no_machine_and_stays_small() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert str(HOME.parent) not in text
    assert len(text) < 300_000


def test_foundry_compiles_with_the_same_settings() -> None:
    """But for the IR pipeline, which the tests may do without: they can also deploy the shipped bytecode."""
    import tomllib

    profile = tomllib.loads((HOME / "foundry.toml").read_text(encoding="utf-8"))["profile"]["default"]
    chosen = pins().compiler
    assert profile["evm_version"] == chosen.evm_version
    assert profile["optimizer"] is True
    assert profile["optimizer_runs"] == chosen.optimizer_runs
    assert (profile["bytecode_hash"], profile["cbor_metadata"]) == ("none", False)


def test_the_pins_are_those_of_the_npm_package() -> None:
    wanted = json.loads((HOME / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert wanted["solc"] == pins().compiler.version
    assert wanted["@foundry-rs/anvil"] == pins().node.anvil


def test_code_is_recognised_but_for_what_the_constructor_fills_in(compiled: Artifact) -> None:
    code = bytearray.fromhex(compiled.deployed_bytecode[2:])
    for start, length in compiled.immutables:
        code[start : start + length] = os.urandom(length)
    assert compiled.runtime_matches(bytes(code))

    code[0] ^= 1
    assert not compiled.runtime_matches(bytes(code))
    assert not compiled.runtime_matches(b"")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"abi": 1}', "\ufffd"])
def test_a_file_that_is_no_artifact_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    with pytest.raises(ToolchainError, match="no contract artifact"):
        Artifact.load(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("contract {", "Expected identifier"),
        ("contract EvidenceRegistry { function f() public { uint unused; } }", "Unused local variable"),
        ("contract Other {}", "does not define EvidenceRegistry"),
    ],
)
def test_errors_and_own_warnings_stop_the_compilation(tmp_path: Path, source: str, said: str) -> None:
    text = f"// SPDX-License-Identifier: Apache-2.0\npragma solidity {pins().compiler.version};\n{source}\n"
    (tmp_path / "EvidenceRegistry.sol").write_text(text, encoding="utf-8")
    with pytest.raises(CompileError, match=said):
        compile_contracts(wrapper(), tmp_path)


def fake_compiler(folder: Path, version: str) -> None:
    made = folder / "solc"
    made.write_text(f"#!/bin/sh\necho 'Version: {version}'\n", encoding="ascii")
    made.chmod(0o755)


def test_a_native_compiler_of_the_pinned_version_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_compiler(tmp_path, f"{pins().compiler.version}+commit.00000000.Linux.g++")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_compiler() == tmp_path / "solc"


@pytest.mark.parametrize("version", ["0.8.36+commit.00000000.Linux.g++", "nonsense"])
def test_any_other_native_compiler_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    fake_compiler(tmp_path, version)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_compiler() == wrapper()


def test_a_missing_compiler_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "NODE_MODULES", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="scripts/setup"):
        find_compiler()


# The wrapper's own command line.


def solc(*arguments: str, given: str = "", folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HOME / "solc.js", *arguments], input=given, capture_output=True, text=True, cwd=folder, check=False
    )


def request(**sources: object) -> str:
    return json.dumps(
        {"language": "Solidity", "sources": sources, "settings": {"outputSelection": {"*": {"*": ["abi"]}}}}
    )


HEAD = "// SPDX-License-Identifier: Apache-2.0\npragma solidity ^0.8.0;\n"


def test_the_version_line_is_one_that_tools_read() -> None:
    said = solc("--version")
    assert said.returncode == 0
    assert said.stdout.splitlines()[1].startswith(f"Version: {pins().compiler.version}+commit.")


def test_standard_json_answers_json_alone() -> None:
    said = solc("--standard-json", given=request(A={"content": HEAD + "contract A {}"}))
    assert json.loads(said.stdout)["contracts"]["A"]["A"] == {"abi": []}


def test_imports_come_from_base_and_include_paths(tmp_path: Path) -> None:
    (tmp_path / "B.sol").write_text(HEAD + "contract B {}", encoding="utf-8")
    given = request(
        A={
            "content": HEAD
            + 'import "B.sol"; import "@openzeppelin/contracts/interfaces/IERC1271.sol"; contract A is B {}'
        }
    )
    said = solc(
        "--standard-json", "--base-path", str(tmp_path), f"--include-path={NODE_MODULES}", given=given
    )
    assert "errors" not in json.loads(said.stdout)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("/etc/hostname", "outside of allowed directories"),
        ("../secret.sol", "outside of allowed directories"),
        ("inside.sol", "outside of allowed directories"),
        ("absent.sol", "File not found"),
    ],
)
def test_nothing_outside_the_allowed_folders_is_read(tmp_path: Path, wanted: str, said: str) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (tmp_path / "secret.sol").write_text(HEAD, encoding="utf-8")
    (base / "inside.sol").symlink_to(tmp_path / "secret.sol")
    given = request(A={"urls": [wanted]})
    assert said in solc("--standard-json", "--base-path", str(base), given=given).stdout
    if wanted == "../secret.sol":
        allowed = solc(
            "--standard-json", "--base-path", str(base), "--allow-paths", str(tmp_path), given=given
        )
        assert "outside" not in allowed.stdout


def test_the_same_import_in_two_places_is_ambiguous(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "B.sol").write_text(HEAD, encoding="utf-8")
    paths = ("--base-path", str(tmp_path / "one"), "--include-path", str(tmp_path / "two"))
    assert (
        "Ambiguous import"
        in solc("--standard-json", *paths, given=request(A={"content": HEAD + 'import "B.sol";'})).stdout
    )


def test_combined_json_has_the_form_that_analysers_read(tmp_path: Path) -> None:
    (tmp_path / "A.sol").write_text(HEAD + "contract A { function f() external {} }", encoding="utf-8")
    kinds = "abi,ast,bin,bin-runtime,srcmap,srcmap-runtime,userdoc,devdoc,hashes"
    said = solc("--combined-json", kinds, "--optimize", "A.sol", folder=tmp_path)
    answer = json.loads(said.stdout)
    assert answer["sourceList"] == ["A.sol"]
    assert answer["sources"]["A.sol"]["AST"]["nodeType"] == "SourceUnit"
    assert answer["contracts"]["A.sol:A"]["hashes"] == {"f()": "26121ff0"}
    assert set(answer["contracts"]["A.sol:A"]) == set(kinds.split(",")) - {"ast"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--nonsense",), "unrecognised option '--nonsense'"),
        (("--base-path",), "required argument"),
        ((), "--standard-json"),
        (("--combined-json", "nonsense", "A.sol"), "Invalid option to --combined-json"),
        (("--combined-json", "abi", "Broken.sol"), "Expected"),
    ],
)
def test_misuse_ends_with_a_sentence_and_a_code(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "A.sol").write_text(HEAD, encoding="utf-8")
    (tmp_path / "Broken.sol").write_text(HEAD + "contract", encoding="utf-8")
    ended = solc(*arguments, folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert said in ended.stderr
