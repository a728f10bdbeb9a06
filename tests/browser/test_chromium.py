"""Which browser the tests take."""

import os
import platform
import sys
from pathlib import Path

import pytest

from tests.browser import chromium


def test_on_linux_x64_it_is_the_one_from_npm_unpacked_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setenv(chromium.NAMED_BY, "/bin/true")

    found = chromium.find()

    assert found.executable.is_relative_to(chromium.TOOLS)
    assert os.access(found.executable, os.X_OK)
    assert found.libraries is not None
    assert (found.libraries / "libnss3.so").stat().st_size > 1_000_000


def test_elsewhere_it_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setenv(chromium.NAMED_BY, "/bin/true")

    assert chromium.find() == chromium.Chromium(Path("/bin/true"))


def test_where_there_is_none_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(chromium, "DEBIAN", tmp_path / "none")
    monkeypatch.delenv(chromium.NAMED_BY, raising=False)

    with pytest.raises(chromium.NoBrowser, match=r"apt install chromium.*TALENTSEAL_CHROMIUM"):
        chromium.find()
