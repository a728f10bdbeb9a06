"""The fault of one life: what the failure points call, and the doors through which effects happen."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Dialect, event, make_url
from sqlalchemy.orm import Session

from talentseal.db import Ahead, Database, _GroupWriter
from talentseal.evidence.headstore import Head, HeadStore
from tests.crash.plan import Mode, Strike

T = TypeVar("T")


class Injected(Exception):
    """The error that a test planned. No part of the service knows it."""


class Fault:
    """Armed with `arm(fault)`. `tell` reports, before anything else, that it struck; `rival` takes over."""

    def __init__(self, strike: Strike | None, tell: Callable[[str], None], rival: Callable[[], None]) -> None:
        self._strike = strike
        self._tell = tell
        self._rival = rival
        self._left = strike.nth if strike else 0
        self._lock = threading.Lock()
        self._due = threading.local()

    def __call__(self, name: str) -> None:
        """A point was reached."""
        if name == "write.committed":
            self.effect_done()
        if self._strikes(name):
            self._tell(name)
            self._act()

    def effect_done(self) -> None:
        """An effect of this thread has happened: now is the time of an error that reports the contrary."""
        if getattr(self._due, "is_set", False):
            self._due.is_set = False
            raise Injected("the effect happened, the answer was lost")

    def _strikes(self, name: str) -> bool:
        if self._strike is None or name != self._strike.point:
            return False
        with self._lock:
            self._left -= 1
            return self._left == 0

    def _act(self) -> None:
        mode = self._strike.mode if self._strike else None
        if mode is Mode.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
            threading.Event().wait()
        elif mode is Mode.BEFORE:
            raise Injected("the step failed")
        elif mode is Mode.AFTER:
            self._due.is_set = True
        else:
            self._rival()


NO_FAULT = Fault(None, lambda _point: None, lambda: None)


class DoorDatabase(Database):
    """A database whose committed write may be reported as failed.

    Made once by the fork server, whose children use it for one trial's database each: what SQLAlchemy
    compiled is there already, which halves the time of a life.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._fault = NO_FAULT
        self._target = make_url(url)
        for engine in (self._writer.engine, self._reading):
            event.listen(engine, "do_connect", self._redirect)

    def at(self, url: str, fault: Fault) -> None:
        """In a child: work on that database from now on, under that fault."""
        self._target, self._fault = make_url(url), fault
        if isinstance(self._writer, _GroupWriter):
            self._writer = _GroupWriter(self._writer.engine, self._notify)

    def write(self, work: Callable[[Session], T], ahead: Sequence[Ahead] = ()) -> T:
        result = super().write(work, ahead)
        self._fault.effect_done()
        return result

    def _redirect(
        self, dialect: Dialect, _record: Any, arguments: list[Any], keywords: dict[str, Any]
    ) -> None:
        places, names = dialect.create_connect_args(self._target)
        arguments[:] = places
        if self.dialect == "postgresql":
            keywords.update(names)


class DoorHeadStore(HeadStore):
    """A head store whose swap may be reported as failed."""

    def __init__(self, store: HeadStore, fault: Fault) -> None:
        super().__init__(store.path)
        self._fault = fault

    def swap(self, expected: Head, following: Head) -> None:
        super().swap(expected, following)
        self._fault.effect_done()
