"""Opening what the settings name, for the commands that run on the server itself."""

import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from talentseal.anchoring import epochs
from talentseal.anchoring.models import Lane
from talentseal.anchoring.policy import LANE_FUNCTIONS, Policy
from talentseal.app import Service, build
from talentseal.chain.port import Chain, ChainIdentity, Sender
from talentseal.clock import Clock, SystemClock
from talentseal.commands.console import fail
from talentseal.config import LogFormat, Settings
from talentseal.db import Database
from talentseal.worker import Loop, Worker, anchoring, sealing, tidying, watching_keys

log = structlog.get_logger(__name__)


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[tuple[Database, Clock]]:
    """The database of the settings, closed afterwards."""
    database = Database((settings or Settings()).database)
    try:
        yield database, SystemClock()
    finally:
        database.close()


@contextmanager
def serving() -> Iterator[Service]:
    """The whole service of the settings without its loops, closed afterwards."""
    service = build(Settings())
    try:
        yield service
    finally:
        service.close()


def set_up_logs(settings: Settings) -> None:
    """One line for each event, in the chosen form. Events carry identifiers and sizes, never content."""
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ]
    )


def deployed(settings: Settings) -> tuple[ChainIdentity, int]:
    """The deployment record's identity and block. Exits when the file is missing or malformed."""
    try:
        record = json.loads(settings.deployment.read_text("utf-8"))
        block = int(record["deployment_block_number"])
        return ChainIdentity(**{name: record[name] for name in _IDENTITY}), block
    except (OSError, ValueError, KeyError, TypeError) as error:
        fail(
            f"部署记录 {settings.deployment} 不可用（{type(error).__name__}）。请先部署合约。",
            f"Deployment record {settings.deployment} is unusable ({type(error).__name__}); deploy first.",
        )


_IDENTITY = ("chain_id", "genesis_hash", "contract", "code_hash", "deployment_id", "deployment_block_hash")


def connected(settings: Settings, contract: str, deployment_block: int) -> Chain:
    """The chain of the settings; web3 is loaded here and not before."""
    from talentseal.chain.web3_chain import Web3Chain

    return Web3Chain(settings.chain_url, contract, deployment_block)


def worker_of(service: Service) -> Worker:
    """The loops of one process: sealing and tidying always, anchoring once an epoch is open."""
    holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    loops = [
        sealing(service.database, service.head_store, service.signer, service.clock, holder=holder),
        tidying(service.database, service.clock),
        *_chain_loops(service),
    ]
    return Worker(loops)


def _chain_loops(service: Service) -> list[Loop]:
    from talentseal.anchoring.service import Anchorer

    settings = service.settings
    epoch = service.database.read(epochs.newest)
    if epoch is None:
        log.warning("worker.no-chain-epoch", what="anchoring waits for talentseal chain open-epoch")
        return []
    chain = connected(settings, epoch.contract, epoch.deployment_block_number)
    senders = senders_of(settings, epoch.chain_id, epoch.contract)
    policy = Policy(finality=settings.finality, depth=settings.finality_depth)
    anchorer = Anchorer(service.database, chain, senders, service.clock, policy)
    return [
        anchoring(anchorer, interval=settings.anchor_interval),
        watching_keys(service.database, chain),
    ]


def senders_of(settings: Settings, chain_id: int, contract: str) -> dict[Lane, Sender]:
    """Each lane's sender whose keystore the settings name.

    Raises PublicKeyRefused for a key that everybody knows outside a demonstration, KeystoreRefused.
    """
    from talentseal.chain.contract import registry_abi
    from talentseal.chain.keys import SigningPolicy, load_sender

    files = {
        Lane.ANCHOR: (settings.anchor_keystore_file, settings.anchor_passphrase_file),
        Lane.REGISTRAR: (settings.registrar_keystore_file, settings.registrar_passphrase_file),
    }
    abi = registry_abi()
    senders: dict[Lane, Sender] = {}
    for lane, (keystore, passphrase) in files.items():
        if keystore is None or passphrase is None:
            log.warning("worker.no-sender", lane=lane.value)
            continue
        selectors = frozenset(abi.selector(function) for function in LANE_FUNCTIONS[lane])
        policy = SigningPolicy(chain_id, contract, selectors)
        senders[lane] = load_sender(keystore, passphrase, policy, demonstration=settings.demonstration)
    return senders
