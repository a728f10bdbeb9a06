"""Ganache, a development node that is not ours."""

import shutil
from pathlib import Path

from chainkit.anvil_accounts import DEMO_ACCOUNTS
from chainkit.pins import HOME
from tests.networks.client import Client

CHAIN_ID = 1337
GANACHE = HOME / "networks" / "node_modules" / "ganache" / "dist" / "node" / "cli.js"


class Ganache(Client):
    """zero_fee: its gas costs nothing."""

    def __init__(self, folder: Path, *, zero_fee: bool = False) -> None:
        super().__init__(folder)
        self._zero_fee = zero_fee

    def forget(self) -> None:
        """Remove all that a stopped node had."""
        shutil.rmtree(self.folder / "chain")

    def fund(self, address: str, wei: int) -> None:
        """Set an account's balance."""
        self.call("evm_setAccountBalance", address, hex(wei))

    def command(self) -> list[str]:
        options = {
            "server.host": "127.0.0.1",
            "server.port": self.port,
            "chain.chainId": CHAIN_ID,
            "chain.networkId": CHAIN_ID,
            "chain.hardfork": "berlin" if self._zero_fee else "london",
            "database.dbPath": self.folder / "chain",
            "wallet.accounts": f"{DEMO_ACCOUNTS[0].key},{hex(10**24)}",
        }
        if self._zero_fee:
            options["miner.defaultGasPrice"] = 0
        return ["node", str(GANACHE), *(f"--{name}={value}" for name, value in options.items())]
