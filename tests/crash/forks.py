"""Children of the fork server: forked, served, and never returning into the parent's code."""

import os
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe

from tests.crash.life import ServiceEnded
from tests.crash.line import Broken, Line
from tests.crash.witness import Witness


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a forked child and wait; its wait status, 0 when it came to its end."""
    return os.waitpid(fork(work), 0)[1]


def fork(work: Callable[[], None]) -> int:
    """Run `work` in a forked child; its process id, to be waited for."""
    child = os.fork()
    if child == 0:
        _end_with(work)
    return child


def _end_with(work: Callable[[], None]) -> None:
    """In a child: work, then end without any of the parent's clean-up."""
    try:
        work()
    except BaseException:  # noqa: BLE001 - the child must not return into the parent's code
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def live(witness: Witness, work: Callable[[Line], None]) -> None:
    """Run one life in a child and serve it until it ends, however that may be."""
    ours, theirs = Pipe()
    child = os.fork()
    if child == 0:
        ours.close()
        _end_with(lambda: _tell_errors(work, Line(theirs)))
    theirs.close()
    witness.serve(ours)
    ours.close()
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _tell_errors(work: Callable[[Line], None], line: Line) -> None:
    try:
        work(line)
    except ServiceEnded:
        return
    except Exception:  # noqa: BLE001 - an error nobody planned is what the trial is about
        line.tell(Broken(traceback.format_exc()))
