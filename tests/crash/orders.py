"""What is asked of the fork server and what it answers."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Order:
    """What a test asks for: `trials` in which the fault struck. bug: a planted one."""

    point: str
    trials: int
    seed: int
    mode: str | None = None
    bug: str | None = None
    stops_at_first: bool = False


@dataclass(slots=True)
class Account:
    """What came of an order. struck: trials in which the fault struck."""

    trials: int = 0
    struck: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)
