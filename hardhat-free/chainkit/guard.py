"""The process between Python and Anvil: run as a script, by `chainkit.node` alone.

    python -I guard.py STATE_FILE SPARE_FILE LOCK_FILE LOG_FILE ANVIL ARGUMENT...

It exists so that no Anvil outlives the Python that started it, however that one ends:
- it is Anvil's parent and sends it SIGTERM (which makes Anvil save its state) once its own stdin ends or
  its own parent is gone: both happen when Python exits, is killed, or crashes;
- on Linux the kernel sends Anvil the same signal should the guard itself be killed. (PR_SET_PDEATHSIG is
  tied to the *thread* that forked, so it cannot be used from the service, whose threads come and go; here
  the main thread forks.) Elsewhere a SIGKILL of the guard is the one case left over; the lock below then
  refuses a second node. It also keeps the spare copy of the state, because Anvil's own dump is not atomic
  and can be torn by a kill. On stdout it writes two lines: Anvil's process id, and the address Anvil
  listens on.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

GRACE_SECONDS = 20.0
"""What Anvil gets to write its state after SIGTERM; 63 MB took 0.2 s."""

DUMP_SECONDS = 2.5
"""What the dump that Anvil makes every second may take to come round."""

SPARE_SHARE = 20
"""The spare copy may take one part in this many of the guard's time: checking 60 MB takes a second."""

PR_SET_PDEATHSIG = 1


def whole_state(raw: bytes) -> bool:
    """Is this a complete dump? Only a full parse tells: a torn file may end in a brace by chance."""
    try:
        state = json.loads(raw)
    except ValueError:
        return False
    return isinstance(state, dict) and "accounts" in state


def write_whole(path: Path, raw: bytes) -> None:
    """Replace `path` so that a crash leaves either the old content or the new, never a part."""
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def keep_spare(state: Path, spare: Path) -> None:
    """Copy every new whole dump to the spare, for as long as the process lives."""
    seen = 0
    while True:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            changed = state.stat().st_mtime_ns
            if changed != seen:
                raw = state.read_bytes()
                if whole_state(raw):
                    write_whole(spare, raw)
                    seen = changed
        time.sleep(max(0.25, SPARE_SHARE * (time.monotonic() - began)))


def wait_for_parent(parent: int) -> None:
    """Return when stdin has ended or the parent is another: a fork of Python may hold our stdin open."""
    while os.getppid() == parent:
        readable, _, _ = select.select([sys.stdin.fileno()], [], [], 1.0)
        if readable and not os.read(sys.stdin.fileno(), 1):
            return


def wait_for_dump(state: Path) -> None:
    """Return once Anvil has written all of its state anew.

    It does so on SIGTERM too, but not every time: on a busy machine a chain of a second ago was found empty.
    """
    asked, ends = time.time_ns(), time.monotonic() + DUMP_SECONDS
    while time.monotonic() < ends:
        with contextlib.suppress(OSError):
            if state.stat().st_mtime_ns >= asked and whole_state(state.read_bytes()):
                return
        time.sleep(0.02)


def end_with_parent(child: "subprocess.Popen[bytes]", parent: int, state: Path) -> None:
    """Stop the child once the parent is gone: when it has saved, and by force should it not end."""
    wait_for_parent(parent)
    wait_for_dump(state)
    child.terminate()
    time.sleep(GRACE_SECONDS)
    child.kill()


def die_with_guard() -> None:
    """In the forked child: ask the kernel for SIGTERM at the guard's death. Linux only, elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def main(arguments: list[str]) -> int:
    """Run Anvil to its end and return its exit code; 75 when another node holds the lock."""
    state, spare, lock, log = map(Path, arguments[:4])
    parent = os.getppid()
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return os.EX_TEMPFAIL
        # Anvil inherits the lock too, so that it is held for exactly as long as the state file may be
        # written.
        with log.open("wb") as errors:
            child = subprocess.Popen(
                arguments[4:],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                pass_fds=[held.fileno()],
                preexec_fn=die_with_guard,  # noqa: PLW1509 - no second thread yet, so the fork is safe
            )
        print(child.pid, flush=True)
        threading.Thread(target=end_with_parent, args=(child, parent, state), daemon=True).start()
        threading.Thread(target=keep_spare, args=(state, spare), daemon=True).start()
        for line in child.stdout or ():
            # Anvil writes a line for every call; all but the address is read and let go, so that it never
            # blocks.
            if line.startswith(b"Listening on "):
                print(line.decode().split()[-1], flush=True)
        return child.wait()


if __name__ == "__main__":
    # Ctrl-C is for Python, which then stops the node in its own order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(main(sys.argv[1:]))
