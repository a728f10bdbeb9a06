"""`sealproof` as an auditor runs it: standard library, exit codes, two languages, never a traceback."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sealproof import merkle, tlogproof, verify
from tests.processes import is_busy
from tests.sealproof.published import publish
from tests.sealproof.samples import DOCUMENT, TRUST, agreement_sample, log_note
from tests.sealproof.test_rpc import reply, served

BACKEND = Path(verify.__file__).parents[1]
PROGRAM = (
    f"import sys; sys.path.insert(0, {str(BACKEND)!r}); from sealproof.__main__ import main; sys.exit(main())"
)
PYTHON = [sys.executable, "-I", "-S", "-c", PROGRAM]
ENTRIES = [b"entry %d" % number for number in range(300)]


def run(
    *arguments: str | Path, lang: str | None = "en_US.UTF-8", stdin: bytes = b""
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"]} | ({} if lang is None else {"LANG": lang})
    done = subprocess.run(
        [*PYTHON, *map(str, arguments)],
        capture_output=True,
        env=environment,
        input=stdin,
        timeout=60,
        check=False,
    )
    result = subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    )
    assert "Traceback" not in result.stderr + result.stdout
    assert "\x1b" not in result.stdout + result.stderr
    return result


@pytest.fixture
def files(tmp_path: Path) -> Path:
    sample = agreement_sample()
    (tmp_path / "good.seal.json").write_bytes(sample.raw)
    (tmp_path / "document.pdf").write_bytes(DOCUMENT)
    (tmp_path / "altered.pdf").write_bytes(DOCUMENT.replace("第一条".encode(), "第二条".encode(), 1))
    publish(tmp_path / "log", ENTRIES)
    (tmp_path / "trust.json").write_bytes(TRUST.dump())
    return tmp_path


def test_verify_tells_all_passed_with_a_node(files: Path) -> None:
    sample = agreement_sample()
    with served(lambda handler, body: reply(handler, sample.state.answer(body))) as url:
        done = run(
            "verify", files / "good.seal.json", "--document", files / "document.pdf",
            "--trust", files / "trust.json", "--rpc", url,
        )  # fmt: skip
        caught = run(
            "verify", files / "good.seal.json", "--document", files / "altered.pdf",
            "--trust", files / "trust.json", "--rpc", url,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "All steps passed." in done.stdout
    assert caught.returncode == 1
    assert " 7. [FAILED] document: the document is not the one that was recorded" in caught.stdout


def test_verify_without_node_or_trust_is_incomplete(files: Path) -> None:
    assert run("verify", files / "good.seal.json").returncode == 3
    assert run("verify", files / "good.seal.json", "--trust", files / "trust.json").returncode == 3


def test_a_bundle_comes_from_standard_input_too(files: Path) -> None:
    assert run("verify", "-", stdin=(files / "good.seal.json").read_bytes()).returncode == 3


def test_json_is_one_object_with_both_languages(files: Path) -> None:
    done = run("verify", files / "good.seal.json", "--json")
    value: Any = json.loads(done.stdout)
    assert (value["exit_code"], value["outcome"]) == (3, "incomplete")
    assert {"why", "why_zh", "verdict", "number", "name", "name_zh"} == set(value["steps"][0])


@pytest.mark.parametrize(
    ("lang", "arguments", "expected"),
    [
        (None, (), "通过"),
        ("zh_CN.UTF-8", (), "通过"),
        ("en_US.UTF-8", (), "passed"),
        ("C", (), "passed"),
        ("C", ("--lang", "zh"), "通过"),
        ("zh_CN.UTF-8", ("--lang=en",), "passed"),
    ],
)
def test_the_language_is_the_readers(
    files: Path, lang: str | None, arguments: tuple[str, ...], expected: str
) -> None:
    assert f"[{expected}]" in run("verify", files / "good.seal.json", *arguments, lang=lang).stdout


@pytest.mark.parametrize(("lang", "words"), [("en", "exit codes:"), ("zh", "退出码：")])
@pytest.mark.parametrize(
    "command", [(), ("verify",), ("log",), ("consistency",), ("tlog-proof",), ("trust",)]
)
def test_help_names_the_exit_codes(command: tuple[str, ...], lang: str, words: str) -> None:
    done = run(*command, "--help", lang=f"{lang}_XX.UTF-8")
    assert done.returncode == 0
    assert words in done.stdout
    assert all(f"\n  {code}  " in done.stdout for code in (0, 1, 2, 3))


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("verify",),
        ("nonsense",),
        ("verify", "no-such-file"),
        ("verify", "{dir}"),
        ("verify", "{good}", "--trust", "no-such-file"),
        ("verify", "{good}", "--trust", "{dir}"),
        ("verify", "{good}", "--trust", "{good}"),
        ("verify", "{good}", "--document", "no-such-file"),
        ("verify", "{good}", "--document", "{dir}"),
        ("verify", "{good}", "--rpc", "file:///etc/passwd"),
        ("verify", "{good}", "--rpc", "not an address"),
        ("verify", "{good}", "--lang", "fr"),
        ("verify", "{good}", "--unknown"),
        ("verify", "a\x01b"),
        ("log", "no-such-directory"),
        ("log", "{good}"),
        ("log", "ftp://127.0.0.1/"),
        ("log", "http://127.0.0.1:1/"),
        ("log", "{dir}", "--trust", "no-such-file"),
        ("log", "http://127.0.0.1:1/", "--key-file", "no-such-file"),
        ("consistency", "no", "files", "--log", "{dir}"),
        ("consistency", "{good}", "{good}", "--log", "{dir}"),
        ("consistency", "{good}", "{good}"),
        ("tlog-proof", "{good}", "--entry", "{good}"),
        ("tlog-proof", "no-such-file", "--entry", "{good}"),
        ("tlog-proof", "{good}"),
        ("trust", "show", "no-such-file"),
        ("trust", "show", "{good}"),
        ("trust", "hide", "{good}"),
    ],
)
def test_wrong_usage_and_unusable_files_end_with_2_and_a_sentence(
    files: Path, arguments: tuple[str, ...]
) -> None:
    given = [
        argument.replace("{dir}", str(files)).replace("{good}", str(files / "good.seal.json"))
        for argument in arguments
    ]
    for lang in ("en_US.UTF-8", "zh_CN.UTF-8"):
        done = run(*given, lang=lang)
        assert done.returncode == 2
        assert (done.stderr + done.stdout).strip()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 1000,
        b"\xff\xfe\x00",
        b"{",
        b"[]",
        b"null",
        b"PK\x03\x04" + bytes(range(256)) * 100,
        b"[" * 200_000,
        b'{"a":1e999}',
    ],
)
def test_garbage_is_malformed(files: Path, content: bytes) -> None:
    garbage = files / "garbage"
    garbage.write_bytes(content)
    assert run("verify", garbage).returncode == 2
    assert run("trust", "show", garbage).returncode == 2
    assert run("tlog-proof", garbage, "--entry", garbage).returncode == 2
    assert run("consistency", garbage, garbage, "--log", files / "log").returncode == 2


def test_an_unreadable_file_and_a_huge_one_are_refused_quickly(files: Path) -> None:
    huge = files / "huge"
    with huge.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    begun = time.monotonic()
    assert run("verify", huge).returncode == 2
    assert run("verify", "/dev/zero").returncode == 2
    assert run("verify", files / "good.seal.json", "--document", huge).returncode in (1, 3)
    assert time.monotonic() - begun < 20
    closed = files / "closed"
    closed.write_bytes(b"{}")
    closed.chmod(0)
    assert run("verify", closed).returncode == 2


def test_a_closed_pipe_and_an_interrupt_end_quietly(files: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    piped = subprocess.Popen(
        [*PYTHON, "verify", str(files / "good.seal.json")], stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    _, complaint = piped.communicate(timeout=30)
    assert (piped.returncode, complaint) == (141, b"")

    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PYTHON, "verify", str(files / "good.seal.json")],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"ignored" not in done.stderr

    os.mkfifo(files / "fifo")
    # What runs in the background of a shell ignores interrupts, and so would its children.
    heeded = signal.signal(signal.SIGINT, signal.default_int_handler)
    waiting = subprocess.Popen(
        [*PYTHON, "verify", str(files / "fifo")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    signal.signal(signal.SIGINT, heeded)
    # Opens once the other end is there. An interrupt just before it reads would find nothing to interrupt.
    with (files / "fifo").open("wb"):
        while is_busy(waiting.pid):
            time.sleep(0.01)
        waiting.send_signal(signal.SIGINT)
        told, complaint = waiting.communicate(timeout=30)
    assert (waiting.returncode, told, complaint) == (130, b"", b"")


def test_a_log_is_audited_and_an_altered_one_fails(files: Path) -> None:
    assert run("log", files / "log", "--trust", files / "trust.json").returncode == 0
    assert run("log", files / "log").returncode == 3
    tile = files / "log/tile/0/000"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    done = run("log", files / "log", "--trust", files / "trust.json")
    assert done.returncode == 1
    assert "tile/0/000" in done.stdout


def test_growth_is_checked_from_files(files: Path) -> None:
    leaves = merkle.leaf_hashes_of(ENTRIES)
    (files / "old").write_text(log_note(100, merkle.root_of(leaves[:100])), encoding="utf-8")
    arguments = ("--log", files / "log", "--trust", files / "trust.json")
    assert run("consistency", files / "old", files / "log/checkpoint", *arguments).returncode == 0
    assert run("consistency", files / "log/checkpoint", files / "old", *arguments).returncode == 1


def test_a_tlog_proof_is_checked_from_files(files: Path) -> None:
    leaves = merkle.leaf_hashes_of(ENTRIES)
    note = (files / "log/checkpoint").read_text(encoding="utf-8")
    (files / "p.tlog-proof").write_text(
        tlogproof.encode(7, merkle.inclusion_path(leaves, 7), note), encoding="utf-8"
    )
    (files / "entry").write_bytes(ENTRIES[7])
    arguments = ("tlog-proof", files / "p.tlog-proof", "--trust", files / "trust.json", "--entry")
    assert run(*arguments, files / "entry").returncode == 0
    assert run(*arguments, files / "document.pdf").returncode == 1


def test_trust_is_shown_in_full(files: Path) -> None:
    shown = run("trust", "show", files / "trust.json").stdout
    for part in (str(TRUST.log), TRUST.log.key_id.hex(), "31337", "instant"):
        assert part in shown
    assert json.loads(run("trust", "show", files / "trust.json", "--json").stdout) == json.loads(TRUST.dump())


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "sealproof", "--help"],
        capture_output=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(BACKEND), "PYTHONIOENCODING": "utf-8"},
        check=True,
    )
    assert "sealproof" in done.stdout.decode()
