"""A local Anvil: its own binary, its state on disk, and never one that outlives its owner.

What was measured and is answered here: npm's shim orphans the real node when killed, so the platform's
binary is started; the dump at an interval is not atomic, so a spare of the last whole one is kept
(`guard.py`) and restored; a restart under another hardfork fails, so the hardfork is pinned; states of old
blocks fill the disk, so they are pruned and the cache has a place of its own; every start adds a genesis to
the dump, and of several the next start takes any, so all but the oldest are dropped.
"""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from chainkit import guard, rpc
from chainkit.pins import NODE_MODULES, ToolchainError, pins

HOST = "127.0.0.1"
STOP_SECONDS = guard.GRACE_SECONDS + 5
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class NodeError(ToolchainError):
    """The node does not run as asked."""


class ForeignPort(NodeError):
    """Something that is not ours answers on the wanted port; it is never used nor stopped."""


class StateTorn(NodeError):
    """Neither the state file nor its spare copy is whole; an empty chain is never started in their place."""


class StateInUse(NodeError):
    """Another node works on this state directory."""


def platform_binary(tool: str) -> Path:
    """Return this platform's own `tool` ("anvil", "forge") out of node_modules.

    Raises ToolchainError when it is not installed.
    """
    machine = MACHINES.get(platform.machine().lower(), platform.machine().lower())
    found = NODE_MODULES / "@foundry-rs" / f"{tool}-{sys.platform}-{machine}" / "bin" / tool
    if not found.is_file():
        raise ToolchainError(f"{tool} for {sys.platform}-{machine} is not installed: run scripts/setup --dev")
    return found


def _with_one_genesis(raw: bytes) -> bytes:
    """A whole dump without the genesis blocks that restarts added: the chain's own is the oldest."""
    state = json.loads(raw)
    blocks = state.get("blocks", [])
    own = min(
        filter(_is_first, blocks), key=lambda block: int(block["header"]["timestamp"], 16), default=None
    )
    kept = [block for block in blocks if block is own or not _is_first(block)]
    return raw if kept == blocks else json.dumps(state | {"blocks": kept}).encode()


def _is_first(block: dict[str, Any]) -> bool:
    return int(block["header"]["number"], 16) == 0


class Anvil:
    """One Anvil node on loopback, as a context manager or by `start` and `stop`.

    `state_dir` holds anvil.json, its spare, the log, the lock and the cache. `port` 0 takes a free one;
    `url` says which. Blocks are mined on demand unless `block_time` (whole seconds) is given.
    `keep_history` keeps the state of every block, which tests of reorganisations need and long-lived nodes
    cannot afford. `zero_fee` makes a chain that charges nothing. Pages of no site may read its answers but
    those of `page_origin`: whoever reads may also send, with keys that everybody knows.
    """

    def __init__(
        self,
        state_dir: Path,
        port: int = 0,
        *,
        chain_id: int | None = None,
        block_time: int | None = None,
        keep_history: bool = False,
        zero_fee: bool = False,
        page_origin: str | None = None,
        extra: tuple[str, ...] = (),
    ) -> None:
        self._dir = state_dir.resolve()
        self._port = port
        self._chain_id = chain_id if chain_id is not None else pins().node.chain_id
        self._block_time = block_time
        self._keep_history = keep_history
        self._zero_fee = zero_fee
        self._page_origin = page_origin
        self._extra = extra
        self._guard: subprocess.Popen[str] | None = None
        self._pid = 0

    @property
    def state_file(self) -> Path:
        """Anvil's own dump: may be torn at any time the node does not run."""
        return self._dir / "anvil.json"

    @property
    def spare_file(self) -> Path:
        """The last dump that was seen whole."""
        return self._dir / "anvil.spare.json"

    @property
    def url(self) -> str:
        """Where it answers; with port 0 known once it is started."""
        return f"http://{HOST}:{self._port}"

    @property
    def chain_id(self) -> int:
        """The chain id it was asked for, or the pinned one."""
        return self._chain_id

    @property
    def port(self) -> int:
        """The TCP port; 0 before the first start when a free one was asked for. Kept over restarts."""
        return self._port

    @property
    def pid(self) -> int:
        """Anvil's process id while it runs, else 0."""
        return self._pid if self.running else 0

    @property
    def running(self) -> bool:
        """Is the process there? It may still be unable to answer."""
        return self._guard is not None and self._guard.poll() is None

    def start(self) -> Self:
        """Start, or do nothing when it runs; returns once it answers.

        Raises ForeignPort, StateTorn, StateInUse, or NodeError with what Anvil wrote.
        """
        if self.running:
            return self
        self._dir.mkdir(parents=True, exist_ok=True)
        self._refuse_foreign_port()
        self._recover_state()
        self._guard = subprocess.Popen(
            self._guard_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        pid, address = self._first_line(), self._first_line()
        if not address:
            raise self._refusal()
        self._pid, self._port = int(pid), int(address.rpartition(":")[2])
        # Anvil listens a moment before it heeds SIGTERM; once it has answered, a stop saves (7 of 30 did
        # not before).
        self.call("web3_clientVersion")
        return self

    def stop(self) -> None:
        """Stop it with SIGTERM, so that it saves its state; by force when that takes too long."""
        if self._guard is None:
            return
        self._close_pipes()
        try:
            self._guard.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._guard = None

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would: nothing after the last dump is saved. For tests."""
        if self._guard is None:
            return
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self._guard.wait(STOP_SECONDS)
        self._close_pipes()
        self._guard = None

    def call(self, method: str, *parameters: Any) -> Any:
        """One JSON-RPC call to this node, for example `call("evm_mine")`; errors as in `rpc.call`."""
        return rpc.call(self.url, method, *parameters)

    def fund(self, address: str, wei: int) -> None:
        """Set the balance of an account: how a key that is not one of the public ten gets its gas."""
        self.call("anvil_setBalance", address, hex(wei))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _guard_command(self) -> list[str]:
        files = [self.state_file, self.spare_file, self._dir / "anvil.lock", self._log_file]
        return [sys.executable, "-I", "-S", guard.__file__, *map(str, files), *self._anvil_command()]

    def _anvil_command(self) -> list[str]:
        pinned = pins().node
        command = [str(platform_binary("anvil")), "--host", HOST, "--port", str(self._port)]
        command += ["--allow-origin", self._page_origin] if self._page_origin else ["--no-cors"]
        command += ["--chain-id", str(self._chain_id), "--hardfork", pinned.hardfork]
        command += ["--state", str(self.state_file), "--state-interval", str(pinned.state_interval)]
        command += ["--cache-path", str(self._dir / "cache")]
        command += ["--preserve-historical-states"] if self._keep_history else ["--prune-history"]
        if self._block_time is not None:
            command += ["--block-time", str(self._block_time)]
        if self._zero_fee:
            command += ["--gas-price", "0", "--block-base-fee-per-gas", "0", "--disable-min-priority-fee"]
        return [*command, *self._extra]

    @property
    def _log_file(self) -> Path:
        return self._dir / "anvil.log"

    def _refuse_foreign_port(self) -> None:
        if self._port == 0:
            return
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((HOST, self._port)) == 0:
                raise ForeignPort(
                    f"Port {self._port} already answers, and not from this node: free it or choose another"
                )

    def _recover_state(self) -> None:
        """Put the spare in the place of a torn or lost dump; the torn one is kept beside it."""
        state = self.state_file
        if state.exists() and guard.whole_state(raw := state.read_bytes()):
            if (mended := _with_one_genesis(raw)) is not raw:
                guard.write_whole(state, mended)
            return
        if self.spare_file.exists() and guard.whole_state(self.spare_file.read_bytes()):
            if state.exists():
                state.replace(state.with_suffix(".torn.json"))
            guard.write_whole(state, _with_one_genesis(self.spare_file.read_bytes()))
        elif state.exists():
            raise StateTorn(
                f"{state} is torn and has no whole spare copy: put a backup in its place, "
                "or move it away to begin a new chain"
            )

    def _first_line(self) -> str:
        return self._guard.stdout.readline().strip() if self._guard and self._guard.stdout else ""

    def _refusal(self) -> NodeError:
        """Why the guard ended before the node listened."""
        code = self._guard.wait(STOP_SECONDS) if self._guard else 0
        self._close_pipes()
        self._guard = None
        if code == os.EX_TEMPFAIL:
            return StateInUse(f"Another node works in {self._dir}: stop that one first")
        said = self._log_file.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
        if "in use" in said:
            return ForeignPort(f"Port {self._port} was taken by another process: {said}")
        return NodeError(f"Anvil ended with code {code}: {said or 'it wrote nothing'}")

    def _close_pipes(self) -> None:
        for pipe in (self._guard.stdin, self._guard.stdout) if self._guard else ():
            if pipe is not None:
                pipe.close()
