"""A permissioned network: geth nodes that know one another and seal under Clique (EIP-225), on loopback.

1.13.15 is geth's last release that seals Clique. No package registry of ours has it, so it is built from its
Go module.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from chainkit.pins import HOME
from tests.anchoring.registry import ADMIN
from tests.networks.client import Client, free_port, wait

MODULE = "github.com/ethereum/go-ethereum/cmd/geth@v1.13.15"
TOOLS = HOME.parent / ".tools" / "geth-1.13.15"
CHAIN_ID = 20_235
PERIOD = 1
"""Seconds from block to block."""

FORKS = ["homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul"]
FORKS += ["berlin"]


def geth() -> Path:
    """The program; built when it is not there yet."""
    made = TOOLS / "geth"
    if not made.exists():
        if shutil.which("go") is None:
            pytest.fail("This network is made of geth, built from its Go module: install Go 1.23 or later.")
        # It reaches into Go's runtime in a way that linkers refuse since Go 1.23.
        build = ["go", "install", "-ldflags=-checklinkname=0", MODULE]
        done = subprocess.run(build, env=os.environ | {"GOBIN": str(TOOLS)}, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
    return made


def genesis(sealers: Iterable[str], *, zero_fee: bool) -> dict[str, Any]:
    """Only Anvil's first account owns anything. The base fee came with London: without it gas can be free."""
    names = FORKS if zero_fee else [*FORKS, "london"]
    forks = dict.fromkeys([f"{name}Block" for name in names], 0)
    # Clique's own encoding: 32 bytes of vanity, the sealers in order, room for a signature.
    signers = "".join(sorted(sealer.removeprefix("0x").lower() for sealer in sealers))
    return {
        "config": forks | {"chainId": CHAIN_ID, "clique": {"period": PERIOD, "epoch": 30_000}},
        "extraData": "0x" + "00" * 32 + signers + "00" * 65,
        "difficulty": "0x1",
        "gasLimit": hex(30_000_000),
        "alloc": {ADMIN.address: {"balance": hex(10**24)}},
    }


class Sealer(Client):
    """A node that seals. Its key is its name on the network too."""

    def __init__(self, folder: Path, number: int, *, zero_fee: bool) -> None:
        super().__init__(folder)
        self._zero_fee = zero_fee
        self.account: LocalAccount = Account.from_key(bytes([50 + number]) * 32)
        self.address = str(self.account.address)
        self._peer_port = free_port()
        public = self.account._key_obj.public_key.to_bytes().hex()
        self.enode = f"enode://{public}@127.0.0.1:{self._peer_port}?discport=0"

    def prepare(self, genesis_file: Path, peers: list[str]) -> None:
        """Lay out its folder: genesis, keys, whom it talks to."""
        self.folder.mkdir(parents=True)
        key = bytes(self.account.key)
        (self.folder / "nodekey").write_text(key.hex(), "ascii")
        (self.folder / "password").write_text("sealer", "ascii")
        keystore = self.folder / "keystore"
        keystore.mkdir()
        locked = Account.encrypt(key, "sealer", kdf="pbkdf2", iterations=2)
        (keystore / "sealer.json").write_text(json.dumps(locked), "ascii")
        ways = f'[Node.P2P]\nListenAddr = "127.0.0.1:{self._peer_port}"\nStaticNodes = {json.dumps(peers)}\n'
        (self.folder / "peers.toml").write_text(ways, "ascii")
        made = [str(geth()), "--datadir", str(self.folder), "init", str(genesis_file)]
        subprocess.run(made, check=True, capture_output=True)

    def command(self) -> list[str]:
        options: dict[str, Any] = {
            "config": self.folder / "peers.toml",
            "datadir": self.folder,
            "networkid": CHAIN_ID,
            "nodekey": self.folder / "nodekey",
            "http.addr": "127.0.0.1",
            "http.port": self.port,
            "http.api": "eth,net,clique",
            "authrpc.port": free_port(),
            "unlock": self.address,
            "password": self.folder / "password",
            "miner.etherbase": self.address,
            "syncmode": "full",
            "cache": 64,
        }
        if self._zero_fee:
            options["miner.gasprice"] = 0
        switches = ["http", "mine", "nodiscover", "ipcdisable", "allow-insecure-unlock"]
        said = [f"--{name}={value}" for name, value in options.items()]
        return [str(geth()), *(f"--{name}" for name in switches), *said]

    def fund(self, address: str, wei: int) -> None:
        """Send it from the one account that has any."""
        # A transfer whose block lost to a rival is in the pool again.
        nonce = int(self.call("eth_getTransactionCount", ADMIN.address, "pending"), 16)
        price = 2 * int(self.call("eth_gasPrice"), 16)
        wanted = {"to": address, "value": wei, "gas": 21_000, "gasPrice": price, "nonce": nonce}
        signed = Account.sign_transaction(wanted | {"chainId": CHAIN_ID}, ADMIN.key)
        sent = self.call("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())
        wait(lambda: self.call("eth_getTransactionReceipt", sent) is not None, "a transfer")

    @property
    def height(self) -> int:
        return int(self.call("eth_blockNumber"), 16)

    def reach(self, height: int) -> None:
        """Wait until it has that block."""
        wait(lambda: self.height >= height, f"block {height}")

    def sealer_of(self, number: int) -> str:
        """Who signed the block, as this node recovered it."""
        return str(self.call("clique_getSigner", hex(number))).lower()


class Network:
    """Three sealers, each of which knows the others."""

    def __init__(self, folder: Path, *, zero_fee: bool) -> None:
        self.sealers = [Sealer(folder / f"sealer-{one}", one, zero_fee=zero_fee) for one in range(3)]
        file = folder / "genesis.json"
        folder.mkdir(parents=True)
        wanted = genesis((sealer.address for sealer in self.sealers), zero_fee=zero_fee)
        file.write_text(json.dumps(wanted), "ascii")
        for sealer in self.sealers:
            sealer.prepare(file, [other.enode for other in self.sealers if other is not sealer])

    def __enter__(self) -> list[Sealer]:
        for sealer in self.sealers:
            sealer.start()
        for sealer in self.sealers:
            # Until they have met, each seals a first block of its own.
            sealer.reach(2)
        return self.sealers

    def __exit__(self, *_: object) -> None:
        for sealer in self.sealers:
            sealer.stop()
