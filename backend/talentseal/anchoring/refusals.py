"""What a revert means for the one who asked: decided on the contract's custom errors, never on a node's
text.
"""

from enum import StrEnum

from talentseal.chain.port import ContractError


class Verdict(StrEnum):
    """What to do about a call that the contract would refuse now."""

    PAUSED = "PAUSED"
    """Writes are stopped for a while: ask again later."""
    ROLE_MISSING = "ROLE_MISSING"
    """The sender may not do this: stop the lane."""
    HEAD_MOVED = "HEAD_MOVED"
    """Another head came first: build the call anew."""
    FORKED = "FORKED"
    """The contract does not find our tree to continue its head."""
    TOO_EARLY = "TOO_EARLY"
    """A key is not valid yet: ask again later."""
    REFUSED = "REFUSED"
    """The act itself is refused, for good."""
    UNEXPLAINED = "UNEXPLAINED"
    """No error of the contract: send nothing, ask again, call someone."""


_VERDICTS = {
    "RegistryPausedUntil": Verdict.PAUSED,
    "AccessControlUnauthorizedAccount": Verdict.ROLE_MISSING,
    "CheckpointHeadMoved": Verdict.HEAD_MOVED,
    "CheckpointNotGrowing": Verdict.HEAD_MOVED,
    "CheckpointInconsistent": Verdict.FORKED,
    "KeyNotYetValid": Verdict.TOO_EARLY,
    "Error": Verdict.UNEXPLAINED,
    "Panic": Verdict.UNEXPLAINED,
}


def verdict_on(error: ContractError) -> Verdict:
    """The verdict on a decoded revert; every other error of the contract refuses the act that was carried."""
    return _VERDICTS.get(error.name, Verdict.REFUSED) if error.is_known else Verdict.UNEXPLAINED
