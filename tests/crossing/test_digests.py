"""Python, Solidity and WebCrypto agree on every digest, for thousands of random cases."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
import solcx
from eth_utils import to_checksum_address
from web3 import Web3
from web3.contract import Contract

from chainkit.compile import find_compiler
from chainkit.pins import CONTRACTS, HOME, NODE_MODULES, pins
from sealproof import merkle
from sealproof.eip712 import Domain
from tests.sealproof.test_eip712 import random_agreement, random_termination

HERE = Path(__file__).parent
SEED = 20261123


def in_javascript(cases: list[dict[str, Any]]) -> list[bytes]:
    done = subprocess.run(
        ["node", HERE / "digests.mjs", HOME],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    return [bytes.fromhex(digest) for digest in json.loads(done.stdout)]


@pytest.fixture
def solidity(chain_url: str) -> Contract:
    """The registry's hashing functions, deployed for this test."""
    sources = {"Digests.sol": HERE / "Digests.sol", "contracts/Rfc9162.sol": CONTRACTS / "Rfc9162.sol"}
    answer = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": file.read_text()} for name, file in sources.items()},
            "settings": {
                "evmVersion": pins().compiler.evm_version,
                "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
            },
        },
        base_path=NODE_MODULES,
        solc_binary=find_compiler(),
    )
    compiled = answer["contracts"]["Digests.sol"]["Digests"]
    web3 = Web3(Web3.HTTPProvider(chain_url))
    factory = web3.eth.contract(abi=compiled["abi"], bytecode=compiled["evm"]["bytecode"]["object"])
    sent = factory.constructor().transact({"from": web3.eth.accounts[0]})
    address = web3.eth.wait_for_transaction_receipt(sent)["contractAddress"]
    return web3.eth.contract(address=to_checksum_address(str(address)), abi=compiled["abi"])


def test_leaf_hashes_agree(solidity: Contract) -> None:
    source = random.Random(SEED)
    entries = [source.randbytes(source.choice((0, 1, 55, 56, 63, 64, 65, 200, 700))) for _ in range(2000)]

    ours = [merkle.leaf_hash(entry) for entry in entries]

    assert in_javascript([{"leaf": entry.hex()} for entry in entries]) == ours
    assert solidity.functions.leaves(entries).call() == ours


def test_node_hashes_agree(solidity: Contract) -> None:
    source = random.Random(SEED)
    pairs = [[source.randbytes(32), source.randbytes(32)] for _ in range(2000)]

    ours = [merkle.node_hash(left, right) for left, right in pairs]

    assert in_javascript([{"left": left.hex(), "right": right.hex()} for left, right in pairs]) == ours
    assert solidity.functions.nodes(pairs).call() == ours


def test_digests_of_typed_data_agree_with_javascript() -> None:
    source = random.Random(SEED)
    domain = Domain(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3")
    made = [make(source) for make in (random_agreement, random_termination) for _ in range(500)]

    ours = [statement.digest(domain) for statement in made]

    assert in_javascript([{"typed": statement.typed_data(domain)} for statement in made]) == ours
