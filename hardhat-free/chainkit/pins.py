"""The pinned versions and switches of hardhat-free/toolchain.toml, read once and typed."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
"""The hardhat-free/ folder: toolchain.toml, solc.js and node_modules lie here."""

NODE_MODULES = HOME / "node_modules"
CONTRACTS = HOME.parent / "contracts"


class ToolchainError(Exception):
    """The toolchain cannot do what was asked; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class CompilerPins:
    """What decides the bytecode."""

    version: str
    evm_version: str
    optimizer_runs: int
    via_ir: bool
    root: str


@dataclass(frozen=True, slots=True)
class NodePins:
    """What decides how the local chain behaves; `state_interval` is in whole seconds."""

    anvil: str
    hardfork: str
    chain_id: int
    state_interval: int


@dataclass(frozen=True, slots=True)
class Pins:
    """The whole of toolchain.toml."""

    compiler: CompilerPins
    node: NodePins


@cache
def pins() -> Pins:
    """Read toolchain.toml; an unknown or missing key is an error of the file and raises ToolchainError."""
    tables = tomllib.loads((HOME / "toolchain.toml").read_text(encoding="utf-8"))
    try:
        return Pins(CompilerPins(**tables["compiler"]), NodePins(**tables["node"]))
    except (KeyError, TypeError) as broken:
        raise ToolchainError(f"toolchain.toml does not hold the keys that are read: {broken}") from broken
