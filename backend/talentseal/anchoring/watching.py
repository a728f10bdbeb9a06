"""Is it still our chain? Identity, height and the newest block that we rely on, compared in every round.

The hash of one block commits to all its ancestors, so comparing the newest suffices while it is there. A
block that is gone is told apart thus: another identity, or a chain that ends below it, is CHAIN_RESET;
another block in its place is a reorganisation, and what was in lost blocks is sent again. A *final* block
that vanished deeper than `recheck_blocks` is no reorganisation any more but another history: CHAIN_RESET too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sealproof.rpc import Block
from talentseal.anchoring import epochs, ledger
from talentseal.anchoring.models import ChainEpoch, ChainTransaction, TransactionState
from talentseal.chain.port import Chain
from talentseal.db import Database


@dataclass(frozen=True, slots=True)
class Intact:
    """Everything is where it was."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Another, shorter or wiped chain."""

    why: str


@dataclass(frozen=True, slots=True)
class Reorganised:
    """These transactions lost their blocks; was_final: one of them counted as final."""

    lost: tuple[ChainTransaction, ...]

    @property
    def was_final(self) -> bool:
        """Whether something that was shown as final is not."""
        return any(row.state is TransactionState.FINAL for row in self.lost)


def look(
    database: Database, chain: Chain, epoch: ChainEpoch, recheck_blocks: int
) -> Intact | Reset | Reorganised:
    """Compare the chain that answers with what we rely on. Raises ChainUnavailable."""
    differences = epochs.identity_of(epoch).differences(chain.identity())
    if differences:
        return Reset(f"another chain or contract answers: {', '.join(differences)} differ")
    latest = chain.latest_block()
    newest = database.read(lambda session: ledger.in_blocks(session, epoch.id, offset=0, limit=1))
    height = newest[0].block_number or 0 if newest else 0
    if latest.number < height:
        return Reset(f"the chain ends at block {latest.number}, below our block {height}")
    lost = _lost(database, chain, epoch.id)
    if not lost:
        return Intact()
    if _too_deep(lost, latest, recheck_blocks):
        return Reset(f"a final block more than {recheck_blocks} blocks deep is not on the chain any more")
    return Reorganised(lost)


def _lost(database: Database, chain: Chain, epoch_id: int) -> tuple[ChainTransaction, ...]:
    """Transactions, newest block first, down to the first whose block is still on the chain."""
    lost: list[ChainTransaction] = []
    for row in _newest_first(database, epoch_id):
        if lost and lost[-1].block_number == row.block_number:
            lost.append(row)
            continue
        block = chain.block(row.block_number or 0)
        if block is not None and block.hash == row.block_hash:
            break
        lost.append(row)
    return tuple(lost)


def _newest_first(database: Database, epoch_id: int) -> Iterator[ChainTransaction]:
    """All transactions in a block, read in pages that grow: nearly always the first row is enough."""
    offset, limit = 0, 1
    while page := database.read(partial(ledger.in_blocks, epoch_id=epoch_id, offset=offset, limit=limit)):
        yield from page
        offset, limit = offset + len(page), 256


def _too_deep(lost: Sequence[ChainTransaction], latest: Block, recheck_blocks: int) -> bool:
    final = [row.block_number or 0 for row in lost if row.state is TransactionState.FINAL]
    return bool(final) and latest.number - min(final) > recheck_blocks
