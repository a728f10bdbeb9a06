"""Named points at which the crash tests may kill the process or make a step fail.

Outside those tests nothing is armed and `reach` does nothing. A name says what has just become true, so that
a reader of a test sees which state a crash there leaves behind.
"""

from collections.abc import Callable

_armed: list[Callable[[str], None]] = []


def reach(name: str) -> None:
    """Tell the armed test, if any, that the point `name` has been reached; the test may raise or kill."""
    for action in _armed:
        action(name)


def arm(action: Callable[[str], None] | None) -> None:
    """Install (or, with None, remove) the test's action. Never called by the service itself."""
    _armed[:] = [] if action is None else [action]
