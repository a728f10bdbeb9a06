"""The registry contract's ABI: calls into bytes, answers and errors out of bytes. Reads the shipped
artifact only.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from eth_abi import abi as codec
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from talentseal.chain.port import UNKNOWN_ERROR, AbiValue, Call, ContractError, NotTheRegistry

ARTIFACT = "EvidenceRegistry.json"
SELECTOR_BYTES = 4
SHOWN_BYTES = 64
"""How much of an undecodable revert is quoted in a reason."""

_STANDARD_ERRORS = (
    {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
)


@dataclass(frozen=True, slots=True)
class _Item:
    """One function or error of the ABI: argument names, canonical types in and out."""

    name: str
    selector: bytes
    names: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContractAbi:
    """Encodes and decodes by name. Function names are unique in the registry: it overloads nothing."""

    functions: Mapping[str, _Item]
    errors: Mapping[bytes, _Item]

    @classmethod
    def of(cls, abi: Sequence[Mapping[str, Any]]) -> "ContractAbi":
        functions = [_item(entry) for entry in abi if entry.get("type") == "function"]
        errors = [_item(entry) for entry in (*abi, *_STANDARD_ERRORS) if entry.get("type") == "error"]
        return cls({item.name: item for item in functions}, {item.selector: item for item in errors})

    def selector(self, function: str) -> bytes:
        return self.functions[function].selector

    def encode(self, call: Call) -> bytes:
        """Calldata. Raises ValueError when the arguments do not fit the ABI."""
        item = self.functions[call.function]
        try:
            return item.selector + codec.encode(item.inputs, call.arguments)
        except (EncodingError, TypeError) as error:
            raise ValueError(f"arguments of {call.function} do not fit the ABI: {error}") from None

    def decode_call(self, payload: bytes) -> Call:
        """The call behind calldata. Raises ValueError for another contract's function."""
        for item in self.functions.values():
            if item.selector == payload[:SELECTOR_BYTES]:
                return Call(item.name, tuple(codec.decode(item.inputs, payload[SELECTOR_BYTES:])))
        raise ValueError(f"no function 0x{payload[:SELECTOR_BYTES].hex()} in the contract")

    def decode_answer(self, function: str, answer: bytes) -> tuple[Any, ...]:
        """Values returned by a view.

        Raises NotTheRegistry when the bytes cannot be that function's answer.
        """
        try:
            return tuple(codec.decode(self.functions[function].outputs, answer))
        except DecodingError:
            raise NotTheRegistry(f"{len(answer)} bytes are no answer of {function}()") from None

    def decode_error(self, revert: bytes) -> ContractError:
        """Name and values of a revert; `Unknown` with the first bytes when no error of the ABI fits."""
        unknown = ContractError(UNKNOWN_ERROR, (("data", "0x" + revert[:SHOWN_BYTES].hex()),))
        item = self.errors.get(revert[:SELECTOR_BYTES])
        if item is None:
            return unknown
        try:
            values = codec.decode(item.inputs, revert[SELECTOR_BYTES:])
        except DecodingError:
            return unknown
        shown = zip(item.names, item.inputs, values, strict=True)
        return ContractError(item.name, tuple((name, _text(kind, value)) for name, kind, value in shown))

    def encode_error(self, name: str, *values: AbiValue) -> bytes:
        """Revert bytes of the named error: what the in-memory chain answers with."""
        item = next(item for item in self.errors.values() if item.name == name)
        return item.selector + codec.encode(item.inputs, values)


@cache
def registry_abi() -> ContractAbi:
    """ABI of the shipped contract."""
    return ContractAbi.of(artifact()["abi"])


@cache
def artifact() -> dict[str, Any]:
    """The shipped artifact: ABI, bytecode and how it was compiled."""
    text = resources.files("talentseal.chain").joinpath(ARTIFACT).read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _item(entry: Mapping[str, Any]) -> _Item:
    inputs = tuple(collapse_if_tuple(value) for value in entry["inputs"])
    outputs = tuple(collapse_if_tuple(value) for value in entry.get("outputs", ()))
    selector = keccak(text=f"{entry['name']}({','.join(inputs)})")[:SELECTOR_BYTES]
    names = tuple(value["name"] or f"value{place}" for place, value in enumerate(entry["inputs"]))
    return _Item(entry["name"], selector, names, inputs, outputs)


def _text(kind: str, value: object) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if kind == "address":
        return str(to_checksum_address(str(value)))
    return str(value)
