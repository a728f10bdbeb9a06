"""What is asked of processes that a test has started."""

import os
from pathlib import Path


def resident(pid: int) -> float:
    """MiB of memory that a process has in use."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
