"""Why somebody at the counter is not established: the codes of the check order, in that order."""

from enum import StrEnum


class Refusal(StrEnum):
    """The first check that fails gives the code. The terminal is shown one text for whatever concerns a
    token's genuineness; the code itself is for the record.
    """

    TERMINAL_UNKNOWN = "TERMINAL_UNKNOWN"
    TOKEN_MALFORMED = "TOKEN_MALFORMED"
    """Not a text of ours, which anybody can tell without a key: prefix, length, alphabet, check digit."""
    TOKEN_FORGED = "TOKEN_FORGED"
    """Well formed, but not under a key that is live. Nothing that the text claims is known to be true, the
    holder's code least of all: no case may ever be built on it.
    """
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    TOKEN_USED = "TOKEN_USED"
    CODE_SUSPENDED = "CODE_SUSPENDED"
    CODE_TERMINATED = "CODE_TERMINATED"
    REVIEW_OVERDUE = "REVIEW_OVERDUE"
    CARD_FROZEN = "CARD_FROZEN"
    CARD_NOT_VALID = "CARD_NOT_VALID"
    """Unknown, not yet or no longer in use: replaced, expired, closed. Only the holder is told which."""
    SECOND_FACTOR_REQUIRED = "SECOND_FACTOR_REQUIRED"
