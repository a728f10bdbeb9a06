"""Durable means synced: the kernel's own account of the calls shows a sync of the file before every answer.

A SIGKILL keeps what is in the page cache, so the trials at the named points cannot see a sync that is
missing; strace can.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.fork_server import ROOT

ANSWERS = 40
SYNCED = re.compile(r"\bf(?:data)?sync\(\d+<(?P<file>[^>]+)>\)\s+= 0")
WRITTEN = re.compile(r"\bpwrite64\(\d+<(?P<file>[^>]+)>.*= \d+")
UNFINISHED = " <unfinished ...>"
RESUMED = re.compile(r"<\.\.\. \w+ resumed>(?P<rest>.*)")
ANSWERED = re.compile(r'\bwrite\(1<[^>]*>, "answer \d+')


def calls(trace: str) -> Iterator[str]:
    """The calls, each whole and where it ended: strace splits those during which another thread called."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        process, _, call = line.partition(" ")
        if call.endswith(UNFINISHED):
            begun[process] = call.removesuffix(UNFINISHED)
        elif (resumed := RESUMED.match(call.strip())) and process in begun:
            yield begun.pop(process) + resumed["rest"]
        else:
            yield call


def answers_before_a_sync(trace: str) -> int:
    """How many answers left while a write to a database file had not been synced."""
    unsynced: set[str] = set()
    early = 0
    for line in calls(trace):
        if (written := WRITTEN.search(line)) and not written["file"].endswith("-shm"):
            unsynced.add(written["file"])
        elif synced := SYNCED.search(line):
            unsynced.discard(synced["file"])
        elif ANSWERED.search(line):
            early += bool(unsynced)
    return early


def trace_of(url: str, folder: Path, *arguments: str) -> str:
    """What `tests.crash.answering` asks of the kernel, in the order in which calls ended."""
    out = folder / "trace"
    watched = "fdatasync,fsync,pwrite64,write"
    command = [
        "strace",
        "-f",
        "-y",
        "-s",
        "64",
        "-e",
        f"trace={watched}",
        "-e",
        "signal=none",
        "-o",
        str(out),
    ]
    command += [sys.executable, "-m", "tests.crash.answering", url, str(ANSWERS), *arguments]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=200)
    return out.read_text(errors="replace")


needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed here")


@needs_strace
def test_every_answer_follows_a_sync_of_what_it_acknowledges(sqlite_url: str, tmp_path: Path) -> None:
    trace = trace_of(sqlite_url, tmp_path)

    assert len(ANSWERED.findall(trace)) == ANSWERS
    assert sum(bool(SYNCED.search(call)) for call in calls(trace)) >= ANSWERS
    assert answers_before_a_sync(trace) == 0


@needs_strace
def test_answers_without_a_sync_are_caught(sqlite_url: str, tmp_path: Path) -> None:
    trace = trace_of(sqlite_url, tmp_path, "--synchronous-off")

    assert answers_before_a_sync(trace) == ANSWERS
