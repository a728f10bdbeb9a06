"""Counters that never rest: each act under a key of its own, sent again until it is answered.

They live in a process of their own, without a database: all that they know is what they were answered.
"""

import http.client
import json
import re
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

PATIENCE: Final = 30.0
"""Seconds after which a request hangs."""

REMEMBERED: Final = 30
"""Redemptions of a state that are remembered to be followed up, the newest."""

_NUMBER: Final = re.compile(r"77\d\d(?: \d{1,4}){4}")
_ONE_STEP: Final = "POST /redemptions"
_PRESENT: Final = "POST /presentations"


@dataclass(frozen=True, slots=True)
class Place:
    """Where patrons go: the service's port, a terminal's key, who serves there, and the benefit."""

    port: int
    key: str
    staff: str
    benefit: str


@dataclass(slots=True)
class Act:
    """One request under its Idempotency-Key, and its answer once there is one. shown: a token's number.

    of: the redemption that it is about, empty for a new one. sent: how often it was sent.
    """

    route: str
    path: str
    body: dict[str, Any]
    key: str
    of: str = ""
    shown: str = ""
    sent: int = 0
    status: int = 0
    answer: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it was acknowledged."""
        return self.status in {200, 201}

    @property
    def receipt(self) -> Any:
        """What was answered, read."""
        return json.loads(self.answer)


@dataclass(slots=True)
class Told:
    """All that patrons were told. notes: checkpoints, as they were served."""

    acts: list[Act] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    reserved: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    completed: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))


class Hung(Exception):
    """No answer came, and the connection stayed open."""


class Patron:
    """One person at one terminal. cookies: of his phone. is_over: whether he may begin nothing more."""

    def __init__(
        self, place: Place, cookies: str, told: Told, rng: Random, is_over: Callable[[], bool]
    ) -> None:
        self._place, self._cookies, self._told, self._rng = place, cookies, told, rng
        self._is_over = is_over
        self._line = http.client.HTTPConnection("127.0.0.1", place.port, timeout=PATIENCE)
        self._last = ""
        """The number that was used up last."""

    def go(self) -> None:
        """Act after act; what hangs or goes wrong in here is a fault too."""
        try:
            while not self._is_over():
                self.act()
        except Hung:
            self._told.faults.append("HANG: a request was neither answered nor cut off")
        except Exception:  # noqa: BLE001 - an answer that cannot be understood is a fault of the service
            self._told.faults.append(f"BROKEN: {traceback.format_exc()}")
        finally:
            self._line.close()

    def act(self) -> None:
        """Any one thing."""
        acts = (
            *(self.redeem, self.redeem_in_two_steps, self.show_again),
            *(self.complete_or_cancel, self.reverse, self.read_the_log),
        )
        self._rng.choices(acts, (38, 8, 3, 20, 28, 3))[0]()

    # What he does.

    def redeem(self) -> None:
        """Use or reserve by the code that is shown."""
        if shown := self._mint():
            self._redeem({"sent": shown}, shown)
            self._last = shown

    def redeem_in_two_steps(self) -> None:
        """Show the code first; what was established then holds for several uses."""
        if not (shown := self._mint()):
            return
        sent = {"sent": shown, "staff": self._place.staff}
        met = self._settle(Act(_PRESENT, "/api/v1/presentations", sent, self._key(), shown=shown))
        for _ in range(self._rng.randint(1, 2)):
            if met.is_done:
                self._redeem({"presentation": met.receipt["id"]})

    def show_again(self) -> None:
        """A code that has been used."""
        if self._last:
            self._redeem({"sent": self._last}, self._last)

    def _redeem(self, shown: dict[str, str], number: str = "") -> None:
        order = {"benefit": self._place.benefit, "quantity": self._rng.choice((1, 1, 2, 3))}
        body = {**shown, **order, "staff": self._place.staff, "reserve": self._rng.random() < 0.4}
        act = self._settle(Act(_ONE_STEP, "/api/v1/redemptions", body, self._key(), shown=number))
        if act.is_done:
            (self._told.reserved if body["reserve"] else self._told.completed).append(act.receipt["id"])

    def complete_or_cancel(self) -> None:
        """A reservation of anybody's, which others may be at too."""
        what = self._rng.choice(("completion", "completion", "cancellation"))
        self._follow(self._told.reserved, what, {})

    def reverse(self) -> None:
        """A unit of a redemption of anybody's."""
        self._follow(self._told.completed, "reversals", {"quantity": 1, "reason": "顾客退回（虚构）"})

    def _follow(self, known: deque[str], what: str, body: dict[str, Any]) -> None:
        with suppress(IndexError):
            of = known.pop() if self._rng.random() < 0.7 else self._rng.choice(known)
            path, body = f"/api/v1/redemptions/{of}/{what}", {**body, "staff": self._place.staff}
            act = self._settle(Act(f"POST /redemptions/{what}", path, body, self._key(), of))
            if act.is_done and what == "completion":
                self._told.completed.append(of)

    def read_the_log(self) -> None:
        """Keep the newest checkpoint."""
        met = self._exchange("GET", "/log/checkpoint")
        if met is not None and met[0] == 200:
            self._told.notes.add(met[1])

    def _mint(self) -> str:
        """A fresh code's number; empty when the phone may show none now, or when no answer came."""
        met = self._exchange("POST", "/code/token", headers={"Cookie": self._cookies, "HX-Request": "true"})
        found = _NUMBER.search(met[1]) if met is not None and met[0] == 200 else None
        if met is not None and found is None and met[0] not in {429, 503}:
            self._told.faults.append(f"UNEXPECTED: a phone was answered {met[0]} for a code")
        return found[0] if found else ""

    # How it is sent.

    def _key(self) -> str:
        return f"{self._rng.getrandbits(64):016x}"

    def _settle(self, act: Act) -> Act:
        """Send it until it is answered. Busy is no answer."""
        headers = {
            "Authorization": f"Bearer {self._place.key}",
            "Content-Type": "application/json",
            "Idempotency-Key": act.key,
        }
        body = json.dumps(act.body).encode()
        while True:
            act.sent += 1
            met = self._exchange("POST", act.path, body, headers)
            if met is None:
                continue
            act.status, act.answer = met
            if act.status < 500:
                self._told.acts.append(act)
                return act
            if act.status != 503:
                self._told.faults.append(f"UNEXPECTED: {act.route} was answered {act.status}")
            time.sleep(0.01)

    def _exchange(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, str] | None:
        """Status and body; None when the connection broke before all of it was there."""
        try:
            self._line.request(method, path, body, headers or {})
            answer = self._line.getresponse()
            return answer.status, answer.read().decode()
        except TimeoutError:
            raise Hung from None
        except (OSError, http.client.HTTPException):
            self._line.close()
            return None


def crowd(place: Place, phones: list[str], seed: int, is_over: Callable[[], bool]) -> Told:
    """A patron for each phone, until it is over and each has his answer; what they were told."""
    told = Told()
    patrons = [
        Patron(place, cookies, told, Random(f"{seed} {number}"), is_over)
        for number, cookies in enumerate(phones)
    ]
    threads = [threading.Thread(target=patron.go) for patron in patrons]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told
