"""What is asked of processes that a test has started."""

import os
import time
from pathlib import Path


def processor(pid: int) -> float:
    """Seconds of processor that a process has used, in its own code and in the system's."""
    # The clock that clock_getcpuclockid(3) names, to the nanosecond; /proc counts in hundredths of a second.
    return time.clock_gettime(~pid << 3 | 2)


def resident(pid: int) -> float:
    """MiB of memory that a process has in use."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def is_busy(pid: int) -> bool:
    """Whether a process computes or waits for the disk: not once it waits for anything else, or has ended."""
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] in "RD"
