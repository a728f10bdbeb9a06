"""Opening what the settings name, for the commands that run on the server itself."""

import gc
import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from talentseal.anchoring import epochs
from talentseal.anchoring.models import ChainEpoch, Lane
from talentseal.anchoring.policy import LANE_FUNCTIONS, Policy
from talentseal.app import Service, build, session_rules_of
from talentseal.chain.port import Chain, ChainIdentity, Sender
from talentseal.clock import Clock, SystemClock
from talentseal.commands.console import fail
from talentseal.config import LogFormat, Settings
from talentseal.db import Database
from talentseal.events.sending import Courier
from talentseal.worker import (
    Worker,
    anchoring,
    gathering_events,
    releasing,
    sealing,
    sending_webhooks,
    telling_issuers,
    tidying,
    turning,
    watching_cases,
    watching_complaints,
    watching_keys,
)

if TYPE_CHECKING:
    from talentseal.anchoring.service import Anchorer

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


def settle() -> None:
    """Let the collector of garbage look no more at what has been made by now, which stays for good.

    An application is half a million objects: each look at them stopped all of its threads for 0.3 s.
    """
    gc.collect()
    gc.freeze()


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


def chain_of(service: Service) -> Chain | None:
    """The newest epoch's chain, for reading; None before the first."""
    epoch = service.database.read(epochs.newest)
    if epoch is None:
        return None
    return connected(service.settings, epoch.contract, epoch.deployment_block_number)


def worker_of(service: Service) -> Worker:
    """The loops of one process; anchoring has nothing to do until an epoch is open."""
    holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    followed = EpochFollower(service)
    loops = [
        sealing(service.database, service.head_store, service.signer, service.clock, holder=holder),
        tidying(service.database, service.clock, session_rules_of(service.settings)),
        turning(service.database, service.clock),
        telling_issuers(service.database, service.clock),
        watching_cases(service.database, service.clock),
        releasing(service.database, service.clock),
        watching_complaints(service.database, service.clock),
        gathering_events(service.database, service.clock),
        sending_webhooks(Courier(service.database, service.clock, service.vault, service.reach)),
        anchoring(followed.anchorer, interval=service.settings.anchor_interval),
        watching_keys(service.database, followed.chain),
    ]
    return Worker(loops)


class EpochFollower:
    """The newest epoch's chain and its anchorer, made anew once an operator has opened another epoch.

    What cannot be made for an epoch that is open already raises at once, as `senders_of` does, so that a
    process with a wrong keystore does not start.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._opening = threading.Lock()
        self._epoch = 0
        self._made: tuple[Chain, Anchorer] | None = None
        if self._follow() is None:
            log.warning("worker.no-chain-epoch", what="anchoring waits for talentseal chain open-epoch")

    def chain(self) -> Chain | None:
        """The chain of the newest epoch; None before the first."""
        made = self._follow()
        return made[0] if made else None

    def anchorer(self) -> "Anchorer | None":
        """The anchorer of the newest epoch; None before the first."""
        made = self._follow()
        return made[1] if made else None

    def _follow(self) -> "tuple[Chain, Anchorer] | None":
        with self._opening:
            epoch = self._service.database.read(epochs.newest)
            if epoch is not None and epoch.id != self._epoch:
                self._made = self._make(epoch)
                self._epoch = epoch.id
                log.info("worker.epoch-followed", epoch=epoch.id, contract=epoch.contract)
            return self._made

    def _make(self, epoch: ChainEpoch) -> "tuple[Chain, Anchorer]":
        from talentseal.anchoring.service import Anchorer

        service, settings = self._service, self._service.settings
        chain = connected(settings, epoch.contract, epoch.deployment_block_number)
        senders = senders_of(settings, epoch.chain_id, epoch.contract)
        policy = Policy(finality=settings.finality, depth=settings.finality_depth)
        return chain, Anchorer(service.database, chain, senders, service.clock, policy)


def senders_of(settings: Settings, chain_id: int, contract: str) -> dict[Lane, Sender]:
    """Each lane's sender whose keystore the settings name.

    Raises PublicKeyRefused for a key that everybody knows outside a demonstration, KeystoreRefused.
    """
    from talentseal.chain.contract import registry_abi
    from talentseal.chain.keys import SigningPolicy, load_sender

    files = {
        Lane.ANCHOR: (settings.anchor_keystore_file, settings.anchor_passphrase_file),
        Lane.REGISTRAR: (settings.registrar_keystore_file, settings.registrar_passphrase_file),
        Lane.ARBITER: (settings.arbiter_keystore_file, settings.arbiter_passphrase_file),
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
