"""What the demonstration stands on: local chain, contract, database, keys, the service as a process."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from chainkit.anvil_accounts import DEMO_ACCOUNTS
from chainkit.compile import Artifact
from chainkit.deploy import Deployment, deploy_once
from chainkit.node import Anvil
from talentseal.anchoring import epochs
from talentseal.app import create_keys, vault_of
from talentseal.chain.keys import create_keystore
from talentseal.chain.port import ChainIdentity
from talentseal.chain.web3_chain import Web3Chain
from talentseal.clock import SystemClock
from talentseal.config import Settings
from talentseal.db import Database
from talentseal.demonstration import benefits, cards, complaints, scheme, talents
from talentseal.demonstration.scheme import Cast
from talentseal.errors import TalentSealError, Unavailable

ADMIN, ANCHOR, REGISTRAR, ARBITER = DEMO_ACCOUNTS[:4]
ADMIN_DELAY = 172_800
"""Seconds before a new admin of the contract can take over: two days."""

START_SECONDS = 60
STOP_SECONDS = 30


class ServiceDidNotStart(Unavailable):
    code = "service-did-not-start"
    zh = "服务未能在 {seconds} 秒内启动，详见 {path}。"
    en = "The service did not start within {seconds} s; see {path}."


class PortTaken(TalentSealError):
    code = "port-taken"
    status = 409
    zh = "端口 {port} 已被占用。请用 --port 另选一个。"
    en = "Port {port} is taken; choose another with --port."


@dataclass(slots=True)
class Stage:
    """The running demonstration. `close` ends the service and the chain; the state stays in `folder`."""

    folder: Path
    port: int
    chain: Anvil
    deployment: Deployment
    cast: Cast
    _service: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings of every command and of the service, as an operator would export them."""
        keys = self.folder / "keys"
        return {
            **os.environ,
            "TALENTSEAL_DATA_DIR": str(self.folder),
            "TALENTSEAL_DEMONSTRATION": "true",
            "TALENTSEAL_LOG_FORMAT": "json",
            "TALENTSEAL_PORT": str(self.port),
            "TALENTSEAL_URL": self.url,
            "TALENTSEAL_CHAIN_URL": self.chain.url,
            "TALENTSEAL_PUBLIC_CHAIN_URL": self.chain.url,
            "TALENTSEAL_ANCHOR_KEYSTORE_FILE": str(keys / "anchor.json"),
            "TALENTSEAL_ANCHOR_PASSPHRASE_FILE": str(keys / "anchor.passphrase"),
            "TALENTSEAL_REGISTRAR_KEYSTORE_FILE": str(keys / "registrar.json"),
            "TALENTSEAL_REGISTRAR_PASSPHRASE_FILE": str(keys / "registrar.passphrase"),
            "TALENTSEAL_ARBITER_KEYSTORE_FILE": str(keys / "arbiter.json"),
            "TALENTSEAL_ARBITER_PASSPHRASE_FILE": str(keys / "arbiter.passphrase"),
        }

    def start_service(self) -> None:
        """Start `talentseal serve` and wait until it is ready. Raises ServiceDidNotStart, PortTaken."""
        if _answers(self.port):
            raise PortTaken(port=self.port)
        log = self.folder / "service.log"
        with log.open("ab") as output:
            command = [sys.executable, "-m", "talentseal", "serve"]
            self._service = subprocess.Popen(
                command, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends and self._service.poll() is None:
            if self._is_ready():
                return
            time.sleep(0.1)
        self.stop_service()
        raise ServiceDidNotStart(seconds=START_SECONDS, path=str(log))

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/healthz", timeout=2.0).is_success
        except httpx2.HTTPError:
            return False

    def stop_service(self) -> None:
        """End the service in good order."""
        if self._service is None:
            return
        self._service.send_signal(signal.SIGTERM)
        try:
            self._service.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._service.kill()
            self._service.wait()
        self._service = None

    def wait(self) -> None:
        """Go on serving until the service ends."""
        if self._service is not None:
            self._service.wait()

    def close(self) -> None:
        self.stop_service()
        self.chain.stop()


def open_stage(folder: Path, port: int, tell: Callable[[str, str], None]) -> Stage:
    """Make or take up the demonstration in `folder`. tell: (Chinese, English) line for each step."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = port or _free_port()
    create_keys(Settings(data_dir=folder), now=SystemClock().now())
    tell("启动本地链（单个开发节点，密钥公开，仅供演示）", "Starting the local chain: one development node")
    chain = Anvil(folder / "chain", page_origin=f"http://127.0.0.1:{chosen}")
    chain.start()
    try:
        deployment = _deployed(folder, chain)
        tell(f"登记合约 {deployment.contract}", f"Registry contract {deployment.contract}")
        _senders(folder / "keys")
        cast = _database(folder, chain, deployment)
    except BaseException:
        chain.stop()
        raise
    return Stage(folder, chosen, chain, deployment, cast)


def _deployed(folder: Path, chain: Anvil) -> Deployment:
    return deploy_once(
        chain.url,
        folder / "deployment.json",
        Artifact.load(),
        sender_key=ADMIN.key,
        admin=ADMIN.address,
        admin_delay=ADMIN_DELAY,
        deployment_id="0x" + secrets.token_hex(32),
        predecessor="0x" + "00" * 32,
        roles={"ANCHOR": ANCHOR.address, "REGISTRAR": REGISTRAR.address, "ARBITER": ARBITER.address},
    )


def _senders(keys: Path) -> None:
    """The keystores of all lanes, holding public keys of the development chain."""
    for name, account in (("anchor", ANCHOR), ("registrar", REGISTRAR), ("arbiter", ARBITER)):
        if not (keys / f"{name}.json").exists():
            passphrase = secrets.token_urlsafe(24)
            scheme.write_secret(keys / f"{name}.passphrase", passphrase)
            create_keystore(keys / f"{name}.json", passphrase, bytes.fromhex(account.key[2:]))


def _database(folder: Path, chain: Anvil, deployment: Deployment) -> Cast:
    """Migrate, open the first epoch, load the instruments, enter the cast."""
    database, now = Database(f"sqlite:///{folder / 'talentseal.db'}"), SystemClock().now()
    try:
        database.upgrade()
        if database.read(epochs.newest) is None:
            adapter = Web3Chain(chain.url, deployment.contract, deployment.deployment_block_number)
            block = deployment.deployment_block_number
            epochs.open_epoch(database, adapter, _identity(deployment), block, "console", now=now)
        scheme.load_instruments(database, now=now)
        scheme.load_calendar(database, now=now)
        cast = scheme.enter(database, folder / "cast", now=now)
        vault = vault_of(Settings(data_dir=folder))
        talents.enter(database, vault, cast, now=now)
        cards.enter(database, vault, cast, now=now)
        benefits.enter(database, now=now)
        complaints.enter(database, vault, cast, now=now)
        return cast
    finally:
        database.close()


def _identity(deployment: Deployment) -> ChainIdentity:
    return ChainIdentity(
        deployment.chain_id,
        deployment.genesis_hash,
        deployment.contract,
        deployment.code_hash,
        deployment.deployment_id,
        deployment.deployment_block_hash,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
