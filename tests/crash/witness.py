"""The parent's side of a trial: the chain, and the memory of all that ever left a child."""

from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from talentseal.anchoring.models import Lane
from talentseal.chain.memory_chain import MemoryChain
from tests.anchoring.conftest import sender_for
from tests.crash.life import BEGINNING, DEPTH
from tests.crash.line import Acknowledged, Ask, Broken, Found, Marks, Signed, Struck, Tried
from tests.crash.plan import Weather
from tests.evidence.conftest import SetClock

SILENCE = 60.0
"""Seconds after which a child that says nothing hangs."""


def new_chain() -> MemoryChain:
    """A chain with the registry and both senders; every new one has the same identity."""
    blank = MemoryChain(SetClock(BEGINNING), {})
    roles = {lane.value: (sender_for(lane, blank.chain_id, blank.contract).address,) for lane in Lane}
    chain = MemoryChain(SetClock(BEGINNING), dict(roles))
    chain.mine(3)
    return chain


@dataclass(slots=True)
class Witness:
    """Answers for the chain and writes down what it is told."""

    chain: MemoryChain
    tried: list[str] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    weather: Weather = Weather.CALM
    has_verdict: bool = False

    def serve(self, connection: Connection) -> None:
        """Until the child's end of the pipe is closed, by whatever end it came to."""
        while True:
            try:
                if not connection.poll(SILENCE):
                    self.violations.append("HANG: the process does nothing any more")
                    return
                message = connection.recv()
            except (EOFError, OSError):
                return
            if isinstance(message, Ask):
                connection.send(self.answer(message))
            else:
                self.note(message)

    def answer(self, asked: Ask) -> tuple[bool, Any]:
        target = self if asked.method in ("set_weather", "testimony") else self.chain
        try:
            return True, getattr(target, asked.method)(*asked.arguments, **dict(asked.keywords))
        except Exception as error:  # noqa: BLE001 - whatever the chain raises belongs to the one who asked
            return False, error
        finally:
            if asked.method == "send" and self.weather is Weather.FORGETS:
                self.chain.reorganise(1)

    def testimony(self) -> "Witness":
        """All of it, for the last life to judge."""
        return self

    def set_weather(self, weather: Weather) -> None:
        """How the chain is from now on; what was slow before is mined when it clears up."""
        chain = self.chain
        chain.is_down = weather is Weather.DOWN
        chain.loses_requests = weather is Weather.LOSES_REQUESTS
        chain.loses_replies = weather is Weather.LOSES_REPLIES
        chain.mines_on_demand = weather is not Weather.SLOW
        if self.weather is Weather.REORGANISES:
            chain.reorganise(DEPTH)
        self.weather = weather

    def note(self, message: object) -> None:
        match message:
            case Tried(key):
                self.tried.append(key)
            case Acknowledged():
                self.acknowledged.append(message)
            case Signed(note):
                self.notes.append(note)
            case Struck(point):
                self.struck.append(point)
            case Marks():
                self._check_marks(message)
            case Found(violations):
                self.has_verdict = True
                self.violations += violations
            case Broken(what):
                self.violations.append(f"BROKEN: {what}")

    def _check_marks(self, marks: Marks) -> None:
        """I6: what is called final is on the canonical chain, as deep as the policy asks."""
        settled = self.chain._blocks[: self.chain.height - DEPTH + 1]
        if marks.final_size and (not settled or marks.final_size not in settled[-1].state.roots):
            self.violations.append(f"I6: {marks.final_size} is called final and is not {DEPTH} blocks deep")
