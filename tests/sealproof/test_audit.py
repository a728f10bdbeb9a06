"""Full audit of published files: what was altered is found and named; growth and .tlog-proof checks."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sealproof import audit, merkle, tlogproof
from sealproof.logfiles import LogDirectory, LogSite
from sealproof.report import ALL_PASSED, MALFORMED, NOT_ALL_CHECKED, SOMETHING_FAILED, Report, Verdict
from tests.sealproof.published import publish
from tests.sealproof.samples import TRUST, log_note

ENTRIES = [b"entry %d" % number * (1 + number % 5) for number in range(700)]


def failed_steps(found: Report) -> list[int]:
    return [step.number for step in found.steps if step.verdict is Verdict.FAILED]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 700])
def test_a_log_as_it_was_published_passes(tmp_path: Path, size: int) -> None:
    publish(tmp_path, ENTRIES[:size])
    found = audit.audit_log(LogDirectory(tmp_path), TRUST)
    assert found.exit_code == ALL_PASSED


def test_a_log_of_three_levels_passes(tmp_path: Path) -> None:
    publish(tmp_path, [number.to_bytes(4, "big") for number in range(65_536 + 300)])
    found = audit.audit_log(LogDirectory(tmp_path), TRUST)
    assert found.exit_code == ALL_PASSED


def test_each_file_with_one_byte_altered_fails(tmp_path: Path) -> None:
    publish(tmp_path, ENTRIES)
    for path in sorted(tmp_path.rglob("*")):
        if not path.is_file() or path.name == "trust.json":
            continue
        good = path.read_bytes()
        for at in (0, len(good) // 2, len(good) - 1):
            altered = bytearray(good)
            altered[at] ^= 1
            path.write_bytes(altered)
            found = audit.audit_log(LogDirectory(tmp_path), TRUST)
            assert found.exit_code in (SOMETHING_FAILED, MALFORMED), (path, at)
        path.write_bytes(good[:-1])
        assert audit.audit_log(LogDirectory(tmp_path), TRUST).exit_code in (SOMETHING_FAILED, MALFORMED), path
        path.write_bytes(good)


def test_each_file_removed_is_noticed(tmp_path: Path) -> None:
    publish(tmp_path, ENTRIES)
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file() and path.name != "trust.json":
            good = path.read_bytes()
            path.unlink()
            assert audit.audit_log(LogDirectory(tmp_path), TRUST).exit_code in (MALFORMED, NOT_ALL_CHECKED), (
                path
            )
            path.write_bytes(good)


def test_altered_entries_are_named_by_their_index(tmp_path: Path) -> None:
    publish(tmp_path, ENTRIES)
    bundle = tmp_path / "tile/entries/001"
    bundle.write_bytes(bundle.read_bytes().replace(b"entry 300", b"entry 999", 1))
    found = audit.audit_log(LogDirectory(tmp_path), TRUST)
    assert failed_steps(found) == [4]
    assert "entry 300" in found.steps[3].why


def test_entries_and_tiles_forged_together_fail_at_the_root(tmp_path: Path) -> None:
    forged = [*ENTRIES[:300], b"forged", *ENTRIES[301:]]
    publish(tmp_path, forged, note=log_note(700, merkle.root_of(merkle.leaf_hashes_of(ENTRIES))))
    found = audit.audit_log(LogDirectory(tmp_path), TRUST)
    assert failed_steps(found) == [5]


def test_a_whole_forged_log_fails_at_the_signature(tmp_path: Path) -> None:
    secret = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
    root = merkle.root_of(merkle.leaf_hashes_of(ENTRIES))
    publish(tmp_path, ENTRIES, note=log_note(700, root, secret=secret))
    assert failed_steps(audit.audit_log(LogDirectory(tmp_path), TRUST)) == [2]


def test_without_trust_or_entries_the_audit_says_what_it_left_out(tmp_path: Path) -> None:
    publish(tmp_path, ENTRIES)
    found = audit.audit_log(LogDirectory(tmp_path), None, entries=False)
    assert found.exit_code == NOT_ALL_CHECKED
    assert [step.number for step in found.steps if step.verdict is Verdict.NOT_CHECKED] == [2, 3]


def test_partial_tiles_that_a_grown_log_dropped_are_read_from_full_ones(tmp_path: Path) -> None:
    publish(tmp_path, ENTRIES[:700])
    old = tmp_path / "old"
    publish(old, ENTRIES[:300])
    note = (old / "checkpoint").read_bytes()
    (tmp_path / "checkpoint").write_bytes(note)
    for path in ("tile/1/000.p/1",):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((old / path).read_bytes())
    assert audit.audit_log(LogDirectory(tmp_path), TRUST).exit_code == ALL_PASSED


def test_progress_is_told_up_to_the_end(tmp_path: Path) -> None:
    publish(tmp_path, ENTRIES)
    told: list[tuple[int, int]] = []
    audit.audit_log(LogDirectory(tmp_path), TRUST, progress=lambda done, total: told.append((done, total)))
    assert told == [(256, 700), (512, 700), (700, 700)]


# ------------------------------------------------------------------------------------------- over HTTP


@contextmanager
def site(root: Path, token: str | None = None) -> Iterator[str]:
    """The files under `root` on a server of this machine; entry bundles only with the token."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if token and "/entries/" in self.path and self.headers.get("Authorization") != f"Bearer {token}":
                self.send_error(403)
            else:
                super().do_GET()

        def log_message(self, *_: Any) -> None:
            """Tests print nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_log_is_audited_over_http(tmp_path: Path) -> None:
    publish(tmp_path, ENTRIES)
    with site(tmp_path) as url:
        assert audit.audit_log(LogSite(url + "/"), TRUST).exit_code == ALL_PASSED


def test_entries_that_need_a_key_are_read_with_it_and_unchecked_without(tmp_path: Path) -> None:
    publish(tmp_path, ENTRIES)
    with site(tmp_path, token="secret") as url:
        assert audit.audit_log(LogSite(url), TRUST).exit_code == NOT_ALL_CHECKED
        assert audit.audit_log(LogSite(url, "Bearer secret"), TRUST).exit_code == ALL_PASSED
        assert audit.audit_log(LogSite(url), TRUST, entries=False).exit_code == NOT_ALL_CHECKED


# ----------------------------------------------------------------------------------------- growth


def note_of(size: int, entries: list[bytes] = ENTRIES) -> str:
    return log_note(size, merkle.root_of(merkle.leaf_hashes_of(entries[:size])))


@pytest.mark.parametrize("old", [0, 1, 2, 255, 256, 257, 512, 699, 700])
def test_a_log_that_only_grew_is_consistent(tmp_path: Path, old: int) -> None:
    publish(tmp_path, ENTRIES)
    found = audit.check_growth(note_of(old), note_of(700), LogDirectory(tmp_path), TRUST)
    assert found.exit_code == ALL_PASSED


def test_a_rewritten_history_is_not_consistent(tmp_path: Path) -> None:
    publish(tmp_path, ENTRIES)
    other = [b"another beginning", *ENTRIES[1:]]
    for old in (1, 256, 300, 700):
        found = audit.check_growth(note_of(old, other), note_of(700), LogDirectory(tmp_path), TRUST)
        assert failed_steps(found) == [3], old
    shrank = audit.check_growth(note_of(700), note_of(300), LogDirectory(tmp_path), TRUST)
    assert failed_steps(shrank) == [3]


def test_checkpoints_of_two_logs_are_not_compared(tmp_path: Path) -> None:
    publish(tmp_path, ENTRIES)
    other = log_note(300, merkle.root_of(merkle.leaf_hashes_of(ENTRIES[:300])), "other.example/log")
    assert failed_steps(audit.check_growth(other, note_of(700), LogDirectory(tmp_path), None)) == [3]


def test_what_is_no_checkpoint_is_malformed(tmp_path: Path) -> None:
    for note in ("", "no note\n", "a\n1\n\n— a AAAA\n"):
        assert audit.check_growth(note, note_of(1), LogDirectory(tmp_path), TRUST).exit_code == MALFORMED


# -------------------------------------------------------------------------------------- .tlog-proof


def proof_of(index: int) -> bytes:
    path = merkle.inclusion_path(merkle.leaf_hashes_of(ENTRIES), index)
    return tlogproof.encode(index, path, note_of(700)).encode()


def test_a_tlog_proof_of_this_entry_passes_and_of_another_fails() -> None:
    assert audit.check_tlog_proof(proof_of(5), ENTRIES[5], TRUST).exit_code == ALL_PASSED
    assert failed_steps(audit.check_tlog_proof(proof_of(5), ENTRIES[6], TRUST)) == [3]
    assert failed_steps(audit.check_tlog_proof(proof_of(6), ENTRIES[5], TRUST)) == [3]
    assert audit.check_tlog_proof(proof_of(5), ENTRIES[5], None).exit_code == NOT_ALL_CHECKED


def test_what_is_no_tlog_proof_is_malformed() -> None:
    for raw in (b"", b"\xff", b"c2sp.org/tlog-proof@v1\n", proof_of(5)[:-1]):
        assert audit.check_tlog_proof(raw, ENTRIES[5], TRUST).exit_code == MALFORMED
