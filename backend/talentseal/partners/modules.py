"""The two modules that partners come into (Article 18)."""

from enum import StrEnum


class Module(StrEnum):
    """FINANCE: by application. CONSUMPTION: by negotiation."""

    FINANCE = "FINANCE"
    CONSUMPTION = "CONSUMPTION"
