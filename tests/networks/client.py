"""Another chain client as a process of its own, on loopback."""

import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from chainkit import rpc

STARTS_WITHIN = 60.0
STOPS_WITHIN = 20.0


class Client(ABC):
    """One node; what it keeps lies in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def runs(self) -> bool:
        return self._process is not None

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it, its JSON-RPC on `port`."""

    def start(self) -> Self:
        """Start it, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, env=os.environ | {"NODE_NO_WARNINGS": "1"}
            )
        wait(self._answers, "an answer of the node", STARTS_WITHIN)
        return self

    def stop(self) -> None:
        """Let it save what it has, and end."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def call(self, method: str, *parameters: Any) -> Any:
        """One JSON-RPC call to this node."""
        return rpc.call(self.url, method, *parameters)

    @property
    def _log_file(self) -> Path:
        return self.folder / "node.log"

    def _answers(self) -> bool:
        try:
            self.call("eth_chainId")
        except OSError:
            assert self._process is not None
            assert self._process.poll() is None, self._log_file.read_text("utf-8")
            return False
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def wait(condition: Callable[[], bool], what: str, within: float = 90.0) -> None:
    ends = time.monotonic() + within
    while not condition():
        assert time.monotonic() < ends, f"{what}: not within {within:.0f} s"
        time.sleep(0.2)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
