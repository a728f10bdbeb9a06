"""A fork server in a process of its own, from the side of the tests that give it orders."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Account = TypeVar("Account")

ROOT = Path(__file__).resolve().parents[2]


class ForkServer(Generic[Account]):
    """Reads an order a line and answers each with an account, both as JSON.

    module: run as the server. account: a dataclass, which its answers are read as.
    """

    def __init__(self, module: str, account: type[Account], *arguments: str) -> None:
        self._account = account
        command = [sys.executable, "-m", module, *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def carry_out(self, order: "DataclassInstance") -> Account:
        """Have what an order asks for done."""
        orders, accounts = self._process.stdin, self._process.stdout
        assert orders is not None
        assert accounts is not None
        orders.write(json.dumps(asdict(order)) + "\n")
        orders.flush()
        answer = accounts.readline()
        assert answer, f"the fork server ended over {order}"
        said: dict[str, Any] = json.loads(answer)
        return self._account(**said)

    def close(self) -> None:
        """End it; it removes its files."""
        self._process.communicate(timeout=60)
