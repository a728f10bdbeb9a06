"""What the ANCHOR lane wants: the newest checkpoint on the chain, shown to continue the head that is
there.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from sealproof import tiles
from sealproof.errors import ProofError
from talentseal.anchoring import ledger
from talentseal.anchoring.policy import Job
from talentseal.chain.port import AbiValue, Call, RegistryHead
from talentseal.errors import TalentSealError
from talentseal.evidence import tree
from talentseal.evidence.models import CheckpointRow


@dataclass(frozen=True, slots=True)
class Forked:
    """The chain's head and our log are not one history; nothing may be anchored before a person has
    looked.
    """

    why: str


def wanted(session: Session, head: RegistryHead) -> Job | Forked | None:
    """The anchor to make on top of `head`; None when the newest checkpoint is there and known to be.

    The root of our own tree at the head's size is recomputed from the tiles: a contract that holds another
    root was fed by another log, or our log was rewritten.
    """
    newest = session.scalars(select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1)).one_or_none()
    size = newest.size if newest else 0
    if head.size > size:
        return Forked(f"the chain holds a head of {head.size} entries, the log has signed {size} only")
    if newest is None:
        return None
    try:
        return _job(session, head, newest)
    except (ProofError, TalentSealError) as broken:
        return Forked(f"the tree cannot be read back: {broken}")


def _job(session: Session, head: RegistryHead, newest: CheckpointRow) -> Job | Forked | None:
    read_tile = tree.read_tile(session)
    if head.size and tiles.root_from_tiles(read_tile, head.size) != head.root:
        return Forked(f"the chain's root of {head.size} entries, 0x{head.root.hex()}, is not our log's")
    anchored, _final = ledger.marks(session)
    if anchored >= newest.size:
        return None
    root = bytes(newest.root)
    if tiles.root_from_tiles(read_tile, newest.size) != root:
        return Forked(f"the tree does not yield the root that was signed for {newest.size} entries")
    proof = tiles.consistency_path_from_tiles(read_tile, head.size, newest.size) if head.size else []
    arguments: tuple[AbiValue, ...] = (head.size, head.root, newest.size, root, list(proof))
    # When the head is there already, but by a transaction that we do not know of, the contract takes the
    # repetition as a no-op: our own transaction then is the receipt.
    return Job(Call("anchor", arguments), size=newest.size, root=root)
