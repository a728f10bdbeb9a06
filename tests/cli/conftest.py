"""The command line against a service that really listens."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from talentseal.cli import build, run
from tests.api.conftest import Api
from tests.world import Member, World, clock, sqlite_world, terms_of, world

__all__ = ["clock", "sqlite_world", "world"]

PASSPHRASE = "a passphrase for tests only"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Shell:
    """Runs commands in this process and keeps what they print."""

    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object) -> Ended:
        self.capture.readouterr()
        code = run(build(), [str(each) for each in arguments])
        out, err = self.capture.readouterr()
        return Ended(code, out, err)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    return Shell(capsys)


@dataclass(slots=True)
class Office:
    """One partner's desk: his key, his API key, his papers."""

    member: Member
    folder: Path
    url: str

    @property
    def access(self) -> list[object]:
        return ["--url", self.url, "--api-key-file", self.folder / "api.key"]

    @property
    def offline(self) -> list[object]:
        keystore, passphrase = self.folder / "key.json", self.folder / "passphrase"
        return ["--keystore", keystore, "--passphrase-file", passphrase]

    @property
    def signing(self) -> list[object]:
        return [*self.offline, *self.access]


def private(path: Path, text: str) -> Path:
    path.write_text(text + "\n", "utf-8")
    path.chmod(0o600)
    return path


@dataclass(slots=True)
class Listening:
    """A world behind a socket."""

    api: Api
    url: str
    folder: Path

    def office(self, member: Member) -> Office:
        folder = self.folder / member.id[2:10]
        folder.mkdir()
        private(folder / "api.key", self.api.key_of(member))
        private(folder / "passphrase", PASSPHRASE)
        private(folder / "key.json", json.dumps(member.key.encrypt(PASSPHRASE, kdf="pbkdf2", iterations=2)))
        return Office(member, folder, self.url)

    def terms(self, *members: Member) -> Path:
        path = self.folder / "terms.json"
        path.write_text(json.dumps(terms_of(*members).model_dump(mode="json", exclude={"draft"})), "utf-8")
        return path


@pytest.fixture
def listening(sqlite_world: World, tmp_path: Path) -> Iterator[Listening]:
    api = Api(sqlite_world, tmp_path / "data")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(api.app, host="127.0.0.1", port=port, log_config=None, ws="none", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Listening(api, f"http://127.0.0.1:{port}", tmp_path)
    server.should_exit = True
    thread.join(10)
