"""The browser of the tests: Chromium out of npm's @sparticuz/chromium, unpacked once for this checkout.

The package is built for linux x64 alone. Elsewhere the Chromium that TALENTSEAL_CHROMIUM names is taken, or
Debian's. Fonts are always the pages' own from npm, so that Chinese is drawn and a screenshot looks the same
on every machine.
"""

import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserType

ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / "backend/talentseal/web/node_modules"
TOOLS = ROOT / ".tools/chromium"
DEBIAN = Path("/usr/bin/chromium")
NAMED_BY = "TALENTSEAL_CHROMIUM"
PARTS = ("chromium", "al2023.tar", "swiftshader.tar")
"""What is taken from the package, where each lies as <name>.br."""

UNPACK = """
const { createReadStream, createWriteStream } = require("node:fs");
const { pipeline } = require("node:stream/promises");
const { createBrotliDecompress } = require("node:zlib");
const [from, to, ...names] = process.argv.slice(1);
Promise.all(names.map((name) => pipeline(
  createReadStream(`${from}/${name}.br`), createBrotliDecompress(), createWriteStream(`${to}/${name}`),
))).catch((error) => { console.error(String(error)); process.exit(1); });
"""

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-zygote",
    "--disable-quic",
    "--disable-background-networking",
    "--font-render-hinting=none",
    # Nothing but this machine can be reached, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)

FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
</fontconfig>
"""


class NoBrowser(RuntimeError):
    """There is no Chromium to run the pages in."""


@dataclass(frozen=True, slots=True)
class Chromium:
    """An executable, and the folder of shared libraries that came with it."""

    executable: Path
    libraries: Path | None = None

    def launch(self, kind: BrowserType, *more: str) -> Browser:
        """Start it without a window. more: arguments beside those that all tests have."""
        environment: dict[str, Any] = {**os.environ, "FONTCONFIG_FILE": str(_fonts())}
        if self.libraries is not None:
            environment["LD_LIBRARY_PATH"] = str(self.libraries)
        return kind.launch(
            executable_path=self.executable, args=[*ARGUMENTS, *more], env=environment, headless=True
        )


def find() -> Chromium:
    """The npm one, else one that is named, else Debian's. Raises NoBrowser."""
    if sys.platform == "linux" and platform.machine().lower() in {"x86_64", "amd64"}:
        return _from_npm(NODE_MODULES / "@sparticuz/chromium")
    named = os.environ.get(NAMED_BY)
    for candidate in (Path(named) if named else DEBIAN, DEBIAN):
        if os.access(candidate, os.X_OK):
            return Chromium(candidate)
    raise NoBrowser(
        f"The browser tests need Chromium: install it (Debian: apt install chromium) or name it by {NAMED_BY}"
    )


def _from_npm(package: Path) -> Chromium:
    manifest = package / "package.json"
    if not manifest.is_file():
        raise NoBrowser(f"{package.name} is not there: scripts/setup --dev fetches it from npm")
    home = TOOLS / json.loads(manifest.read_text("utf-8"))["version"]
    with _alone():
        if not home.exists():
            _unpack(package / "bin", home)
    return Chromium(home / "chromium", home / "lib")


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: the workers of a test run all start with this."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    with (TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unpack(source: Path, home: Path) -> None:
    """Unpack beside `home` and rename, so that what lies at `home` is always whole."""
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=TOOLS))
    try:
        subprocess.run(["node", "-e", UNPACK, source, draft, *PARTS], check=True)
        for archive in draft.glob("*.tar"):
            _extract(archive, draft)
            archive.unlink()
        (draft / "chromium").chmod(0o755)
        draft.rename(home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _extract(archive: Path, folder: Path) -> None:
    """The archive's plain files, by their names alone: libraries to lib/, the graphics beside Chromium."""
    with tarfile.open(archive) as opened:
        for member in opened.getmembers():
            content = opened.extractfile(member)
            if content is None:
                continue
            place = folder / ("lib" if member.name.startswith("lib/") else "") / Path(member.name).name
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(content.read())
            place.chmod(0o755)


def _fonts() -> Path:
    """A font configuration that knows the pages' fonts and no other of this machine."""
    fonts = NODE_MODULES / "@embedpdf/fonts-sc/fonts"
    if not fonts.is_dir():
        raise NoBrowser("@embedpdf/fonts-sc is not there: scripts/setup fetches it from npm")
    place = TOOLS / "fonts.conf"
    with _alone():
        text = FONTS.format(fonts=fonts, cache=TOOLS / "fonts-cache")
        if not place.exists() or place.read_text("utf-8") != text:
            place.write_text(text, "utf-8")
    return place
