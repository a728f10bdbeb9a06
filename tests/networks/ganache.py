"""Ganache as a process of its own, on loopback."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from chainkit import rpc
from chainkit.anvil_accounts import DEMO_ACCOUNTS
from chainkit.pins import HOME

CHAIN_ID = 1337
GANACHE = HOME / "networks" / "node_modules" / "ganache" / "dist" / "node" / "cli.js"
STARTS_WITHIN = 60.0
STOPS_WITHIN = 20.0


class Ganache:
    """One node; what it mined lies in `folder`. zero_fee: its gas costs nothing."""

    def __init__(self, folder: Path, *, zero_fee: bool = False) -> None:
        self._folder = folder
        self._port = _free_port()
        self._zero_fee = zero_fee
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> Self:
        """Start it, and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "ganache.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, env=os.environ | {"NODE_NO_WARNINGS": "1"}
            )
        ends = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < ends:
            try:
                rpc.call(self.url, "eth_chainId")
            except OSError:
                assert self._process.poll() is None, (self._folder / "ganache.log").read_text("utf-8")
                time.sleep(0.2)
            else:
                return self
        raise AssertionError("Ganache did not answer")

    def stop(self) -> None:
        """Let it save what it has, and end."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def forget(self) -> None:
        """Remove all that a stopped node had."""
        shutil.rmtree(self._folder / "chain")

    def fund(self, address: str, wei: int) -> None:
        """Set an account's balance."""
        rpc.call(self.url, "evm_setAccountBalance", address, hex(wei))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _command(self) -> list[str]:
        options = {
            "server.host": "127.0.0.1",
            "server.port": self._port,
            "chain.chainId": CHAIN_ID,
            "chain.networkId": CHAIN_ID,
            "chain.hardfork": "berlin" if self._zero_fee else "london",
            "database.dbPath": self._folder / "chain",
            "wallet.accounts": f"{DEMO_ACCOUNTS[0].key},{hex(10**24)}",
        }
        if self._zero_fee:
            options["miner.defaultGasPrice"] = 0
        return ["node", str(GANACHE), *(f"--{name}={value}" for name, value in options.items())]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
