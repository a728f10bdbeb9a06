"""Compiles contracts/ with py-solc-x and writes the artifact that ships with the service.

The compiler is a native `solc` of the pinned version when one is on the PATH, else npm's through solc.js.
Both give the same bytecode: the metadata hash, which would carry paths, is off.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import solcx
from solcx.exceptions import SolcError
from solcx.wrapper import get_version_str_from_solc_binary

from chainkit.pins import CONTRACTS, HOME, NODE_MODULES, ToolchainError, pins

SHIPPED = HOME.parent / "backend" / "talentseal" / "chain" / "EvidenceRegistry.json"
"""Where the artifact lies that ships with the service."""

OUTPUTS = [
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
]


class CompileError(ToolchainError):
    """The sources do not compile, or give a warning in a source of our own."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract. Bytecodes are 0x hex; `source_digest` is SHA-256 (hex) of sources and settings.

    `immutables` are the [start, length] byte ranges of `deployed_bytecode` that the constructor fills in.
    """

    contract_name: str
    abi: list[dict[str, Any]]
    bytecode: str
    deployed_bytecode: str
    immutables: list[list[int]]
    solc: str
    evm_version: str
    optimizer_runs: int
    via_ir: bool
    source_digest: str

    def to_json(self) -> str:
        """The file's text: sorted keys, indent 1, so that equal artifacts are equal files."""
        fields = {
            "abi": self.abi,
            "bytecode": self.bytecode,
            "contractName": self.contract_name,
            "deployedBytecode": self.deployed_bytecode,
            "evmVersion": self.evm_version,
            "immutables": self.immutables,
            "optimizerRuns": self.optimizer_runs,
            "solc": self.solc,
            "sourceDigest": self.source_digest,
            "viaIR": self.via_ir,
        }
        return json.dumps(fields, sort_keys=True, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, path: Path = SHIPPED) -> "Artifact":
        """Read an artifact file; raises ToolchainError when it is missing or not one of ours."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                contract_name=fields["contractName"],
                abi=fields["abi"],
                bytecode=fields["bytecode"],
                deployed_bytecode=fields["deployedBytecode"],
                immutables=fields["immutables"],
                solc=fields["solc"],
                evm_version=fields["evmVersion"],
                optimizer_runs=fields["optimizerRuns"],
                via_ir=fields["viaIR"],
                source_digest=fields["sourceDigest"],
            )
        except (OSError, ValueError, KeyError, TypeError) as broken:
            raise ToolchainError(
                f"{path} is no contract artifact ({broken!r}): run chainkit artifact"
            ) from broken

    def runtime_matches(self, code: bytes) -> bool:
        """Is this deployed code ours, but for what the constructor filled in?"""
        expected, given = bytearray.fromhex(self.deployed_bytecode[2:]), bytearray(code)
        if len(expected) != len(given):
            return False
        for start, length in self.immutables:
            given[start : start + length] = bytes(length)
        return expected == given


def wrapper() -> Path:
    """npm's compiler as a command; raises ToolchainError when it is not installed."""
    if not (NODE_MODULES / "solc" / "soljson.js").is_file() or shutil.which("node") is None:
        raise ToolchainError("npm's solc is not installed, or node is not on the PATH: run scripts/setup")
    return HOME / "solc.js"


def native_compiler() -> Path | None:
    """A `solc` on the PATH, if it is of exactly the pinned version."""
    found = shutil.which("solc")
    if found is None:
        return None
    try:
        version = get_version_str_from_solc_binary(found).partition("+")[0]
    except (SolcError, OSError):
        return None
    return Path(found) if version == pins().compiler.version else None


def find_compiler() -> Path:
    """The native compiler of the pinned version if there is one, else npm's."""
    return native_compiler() or wrapper()


def compile_contracts(compiler: Path | None = None, contracts: Path = CONTRACTS) -> Artifact:
    """Compile every source in `contracts` and return the deployed contract's artifact.

    Raises CompileError with the compiler's own text; a warning in one of our own sources is an error as well.
    """
    compiler = compiler or find_compiler()
    sources = {
        f"contracts/{file.name}": file.read_text(encoding="utf-8") for file in sorted(contracts.glob("*.sol"))
    }
    try:
        answer = solcx.compile_standard(
            _request(sources), base_path=NODE_MODULES, allow_paths=[NODE_MODULES], solc_binary=compiler
        )
    except SolcError as refused:
        raise CompileError(str(refused.message)) from refused
    _refuse_own_warnings(answer)
    return _artifact(answer, sources, get_version_str_from_solc_binary(compiler))


def _settings() -> dict[str, Any]:
    chosen = pins().compiler
    return {
        "evmVersion": chosen.evm_version,
        "optimizer": {"enabled": True, "runs": chosen.optimizer_runs},
        "viaIR": chosen.via_ir,
        "metadata": {"bytecodeHash": "none", "appendCBOR": False},
        "outputSelection": {"*": {"*": OUTPUTS}},
    }


def _request(sources: dict[str, str]) -> dict[str, Any]:
    contents = {name: {"content": text} for name, text in sources.items()}
    return {"language": "Solidity", "sources": contents, "settings": _settings()}


def _refuse_own_warnings(answer: dict[str, Any]) -> None:
    own = [
        problem["formattedMessage"]
        for problem in answer.get("errors", ())
        if problem.get("sourceLocation", {}).get("file", "contracts/").startswith("contracts/")
    ]
    if own:
        raise CompileError("\n".join(own))


def _artifact(answer: dict[str, Any], sources: dict[str, str], solc: str) -> Artifact:
    chosen = pins().compiler
    name = f"contracts/{chosen.root}.sol"
    try:
        contract = answer["contracts"][name][chosen.root]
    except KeyError:
        raise CompileError(f"{name} does not define {chosen.root}") from None
    deployed = contract["evm"]["deployedBytecode"]
    ranges = [
        [at["start"], at["length"]] for places in deployed["immutableReferences"].values() for at in places
    ]
    return Artifact(
        contract_name=chosen.root,
        abi=contract["abi"],
        bytecode="0x" + contract["evm"]["bytecode"]["object"],
        deployed_bytecode="0x" + deployed["object"],
        immutables=sorted(ranges),
        solc=solc,
        evm_version=chosen.evm_version,
        optimizer_runs=chosen.optimizer_runs,
        via_ir=chosen.via_ir,
        source_digest=_digest(answer, sources),
    )


def _digest(answer: dict[str, Any], sources: dict[str, str]) -> str:
    """SHA-256 over every compiled source, imported ones too, and the settings."""
    texts = {
        name: sources.get(name) or (NODE_MODULES / name).read_text(encoding="utf-8")
        for name in answer["sources"]
    }
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    whole = json.dumps({"settings": _settings(), "sources": digests}, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
