"""What slows guessing without giving anybody the power to lock somebody else out.

An account that locks after so many failures is a switch which every stranger can turn. Here no failure ever
closes an account; two things cost a guesser time instead:

- Each network (an IPv4 address, an IPv6 /64) waits after five failures in a row, 1 s and then twice as long
  each time, to 15 min. Whoever fails makes himself wait, and at most those who share his network. A sign-in
  that was completed ends the wait's growth; somebody who guesses at others' names between his own sign-ins
  needs a fresh code of his own every 30 s for it and runs into what follows.
- A name at which ten attempts failed within 15 min is under pressure. From then on each network waits 30 s
  between two attempts at it, and twice as long after each that fails, to an hour; and a code counts in its
  own step alone (one chance in a million, not three). Networks do not take turns from each other: the
  rightful person, in a network of his own, gets his attempt at once, and with the right password and code it
  succeeds. So the pressure can slow him and never shut him out.

What is left: someone who has the right password already and a thousand networks may try some 24,000 codes a
day, which is a chance of 2 to 3 in a hundred. A common limit for all networks would lower that, and hand
him the switch; the log line `sign-in.pressure` (without the name) is there for the operator instead.
Recovery codes have 80 bits and cannot be guessed.

Names are kept as digests, known and unknown ones alike, so that a wait tells nothing. All of it is in memory,
bounded, of this process alone: several processes multiply the rates by their number, a restart forgets.
"""

import hashlib
import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

import structlog

from talentseal.accounts.api_keys import REMEMBERED_KEYS, BackOff, TooManyAttempts

log = structlog.get_logger(__name__)

PRESSING_FAILURES: Final = 10
PRESSURE_SECONDS: Final = 900
SHORTEST_SLOT: Final = 30
LONGEST_SLOT: Final = 3600
_SLOTS_KEPT: Final = 8
CHALLENGES: Final = 20
"""Challenges for keys that one network may ask for in a minute."""
SIGN_UPS: Final = 10
"""Accounts that one network may try to open in a minute."""


class Step(StrEnum):
    """What is being guessed at: each has its own turn, as a sign-in takes one attempt of either."""

    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a step, not a secret
    CODE = "CODE"


def network_of(address: str) -> str:
    """What one party commands: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class _Recent:
    """When something happened lately, by what. Bounded: the least recent go first."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def of(self, what: str) -> list[float]:
        return list(self._times.get(what, ()))

    def count(self, what: str, since: float) -> int:
        return sum(moment > since for moment in self.of(what))

    def forget(self, what: str) -> None:
        self._times.pop(what, None)

    def note(self, what: str, moment: float, *, keep: int) -> None:
        times = self._times.pop(what, deque())
        times.append(moment)
        while len(times) > keep:
            times.popleft()
        self._times[what] = times
        while len(self._times) > REMEMBERED_KEYS:
            self._times.popitem(last=False)


class Throttle:
    """One per process; safe between threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._networks = BackOff(monotonic)
        self._failures, self._slots = _Recent(), _Recent()
        self._challenges, self._sign_ups = _Recent(), _Recent()

    def check(self, name: str, address: str, step: Step) -> None:
        """Let an attempt at a name go ahead. Raises TooManyAttempts."""
        network = network_of(address)
        self._networks.check(network)
        if not self.is_pressed(name):
            return
        slot, now = _slot(name, network, step), self._monotonic()
        with self._lock:
            times = self._slots.of(slot)
            wait = min(LONGEST_SLOT, SHORTEST_SLOT * 2 ** len(times) / 2)
            if times and now - times[-1] < wait:
                raise TooManyAttempts(retry_after=int(wait - (now - times[-1])) + 1)
            self._slots.note(slot, now, keep=_SLOTS_KEPT)

    def is_pressed(self, name: str) -> bool:
        """Whether so many attempts at the name failed lately that it is guarded more closely."""
        with self._lock:
            since = self._monotonic() - PRESSURE_SECONDS
            return self._failures.count(_digest(name), since) >= PRESSING_FAILURES

    def failed(self, name: str, address: str) -> None:
        self._networks.failed(network_of(address))
        was_pressed = self.is_pressed(name)
        with self._lock:
            self._failures.note(_digest(name), self._monotonic(), keep=PRESSING_FAILURES)
        if not was_pressed and self.is_pressed(name):
            log.warning("sign-in.pressure", failures=PRESSING_FAILURES, seconds=PRESSURE_SECONDS)

    def succeeded(self, name: str, address: str) -> None:
        """A sign-in under that name was completed."""
        network = network_of(address)
        self._networks.succeeded(network)
        with self._lock:
            for step in Step:
                self._slots.forget(_slot(name, network, step))

    @contextmanager
    def guarding_network(self, address: str, wrong: type[Exception]) -> Iterator[None]:
        """Count `wrong` raised inside as a failure of the network. Raises TooManyAttempts."""
        network = network_of(address)
        self._networks.check(network)
        try:
            yield
        except wrong:
            self._networks.failed(network)
            raise

    def admit_challenge(self, address: str) -> None:
        """Let a network ask for one more challenge. Raises TooManyAttempts."""
        self._admit(self._challenges, address, CHALLENGES)

    def admit_sign_up(self, address: str) -> None:
        """Let a network try to open one more account. Raises TooManyAttempts."""
        self._admit(self._sign_ups, address, SIGN_UPS)

    def _admit(self, lately: _Recent, address: str, limit: int) -> None:
        """One more of what a network may do `limit` times a minute."""
        network, now = network_of(address), self._monotonic()
        with self._lock:
            if lately.count(network, now - 60) >= limit:
                raise TooManyAttempts(retry_after=60)
            lately.note(network, now, keep=limit)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _slot(name: str, network: str, step: Step) -> str:
    return f"{_digest(name)} {network} {step}"
