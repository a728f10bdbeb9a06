"""Evidence kind of complaints (domain specification §2.1)."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from talentseal.evidence import Event


@dataclass(frozen=True, slots=True)
class ServiceRefused(Event):
    """Somebody reports that he was entitled and was not served (Article 11).

    complaint: random id; nothing else leads to him. on: day of the report.
    """

    kind: ClassVar[int] = 32
    complaint: str
    organisation: str
    on: date
