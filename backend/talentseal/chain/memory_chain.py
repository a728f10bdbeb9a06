"""A chain in memory: the `Chain` port for unit tests, and every misfortune of a chain at the push of a
button.

It takes the same signed bytes as a real node (type 2 and legacy transactions), keeps a pool, mines blocks
whose hashes form a chain, and remembers the state of each block, so that it can reorganise, rewind, be wiped,
lose transactions and lose replies. It proves nothing about a real node; the contract-test file keeps the two
alike where it matters.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from eth_account import Account
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from sealproof.eip712 import Domain
from sealproof.rpc import AgreementOnChain, Block
from talentseal.chain.contract import ContractAbi, registry_abi
from talentseal.chain.memory_registry import NO_AGREEMENT, NO_KEY, Refusal, Registry, RegistryState
from talentseal.chain.port import (
    ROLES,
    ZERO_HASH,
    Call,
    ChainIdentity,
    ChainUnavailable,
    Fees,
    GasNeeded,
    Holders,
    KeyOnChain,
    Receipt,
    RegistryHead,
    Reverted,
    Sender,
    SendOutcome,
    SendReply,
    SignedTransaction,
    Simulation,
)
from talentseal.clock import Clock

GAS_OF_A_CALL = 90_000
REPLACEMENT_PERCENT = 110
"""A pool takes a replacement at this share of the former price, as geth does."""


@dataclass(frozen=True, slots=True)
class PooledTransaction:
    """What a node reads out of signed bytes."""

    hash: str
    sender: str
    nonce: int
    max_fee_wei: int
    priority_fee_wei: int
    to: str
    payload: bytes
    chain_id: int


@dataclass(slots=True)
class _MinedBlock:
    number: int
    hash: str
    timestamp: int
    receipts: dict[str, Receipt]
    nonces: dict[str, int]
    state: RegistryState


@dataclass(slots=True)
class MemoryChain:
    """One chain with one registry, deployed in block 1.

    seed: fixes genesis, so that two chains of one seed share it. roles: role name → addresses that hold it.
    mines_on_demand: a block for each accepted transaction, else `mine` must be called. base_fee_wei 0: a free
    chain. The public flags `is_down`, `loses_requests`, `loses_replies` may be set at any time.
    """

    clock: Clock
    roles: Mapping[str, Iterable[str]]
    chain_id: int = 31337
    seed: str = "memory"
    deployment_id: bytes = b"\x01" * 32
    former_identity: str = ZERO_HASH
    mines_on_demand: bool = True
    base_fee_wei: int = 10**9
    is_down: bool = False
    loses_requests: bool = False
    loses_replies: bool = False
    finalized_depth: int = 2
    abi: ContractAbi = field(default_factory=registry_abi)
    pool: dict[str, PooledTransaction] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)
    _blocks: list[_MinedBlock] = field(default_factory=list)
    _branch: int = 0

    def __post_init__(self) -> None:
        self._found()

    # ----------------------------------------------------------------------------------------------- the port

    def identity(self) -> ChainIdentity:
        self._answer()
        code = keccak(b"registry in memory")
        return ChainIdentity(
            chain_id=self.chain_id,
            genesis_hash=self._blocks[0].hash,
            contract=self.contract,
            code_hash="0x" + code.hex() if len(self._blocks) > 1 else ZERO_HASH,
            deployment_id="0x" + self.deployment_id.hex() if len(self._blocks) > 1 else ZERO_HASH,
            deployment_block_hash=self._blocks[1].hash if len(self._blocks) > 1 else ZERO_HASH,
        )

    def predecessor(self) -> str:
        self._answer()
        return self.former_identity

    def head(self) -> RegistryHead:
        state = self._answer().state
        return RegistryHead(state.head_size, state.roots[state.head_size])

    def head_at(self, size: int) -> bytes | None:
        return self._answer().state.roots.get(size) if size else None

    def latest_block(self) -> Block:
        return _as_block(self._answer())

    def block(self, number: int) -> Block | None:
        self._answer()
        return _as_block(self._blocks[number]) if number < len(self._blocks) else None

    def finalized_block(self, tag: str) -> Block | None:
        self._answer()
        if tag not in ("finalized", "safe"):
            return None
        return _as_block(self._blocks[max(0, len(self._blocks) - 1 - self.finalized_depth)])

    def nonce(self, address: str) -> int:
        return self._answer().nonces.get(address, 0)

    def fees(self) -> Fees:
        self._answer()
        return Fees(2 * self.base_fee_wei + 10**9, 10**9) if self.base_fee_wei else Fees(0, None)

    def simulate(self, call: Call, sender: str) -> Simulation:
        state = self._answer().state.copy()
        try:
            self._registry(state).execute(sender, self.abi.decode_call(self.abi.encode(call)))
        except Refusal as refusal:
            return Reverted(self.abi.decode_error(refusal.revert))
        return GasNeeded(GAS_OF_A_CALL)

    def encode(self, call: Call) -> bytes:
        return self.abi.encode(call)

    def sign(self, sender: Sender, payload: bytes, *, nonce: int, gas: int, fees: Fees) -> SignedTransaction:
        return sender.sign(
            chain_id=self.chain_id, to=self.contract, payload=payload, nonce=nonce, gas=gas, fees=fees
        )

    def send(self, raw: bytes) -> SendReply:
        self.sent.append(raw)
        if self.is_down or self.loses_requests:
            return SendReply(SendOutcome.UNCERTAIN, "connection refused")
        refusal = self._admit(read_transaction(raw))
        if refusal:
            return SendReply(SendOutcome.UNCERTAIN, refusal)
        if self.mines_on_demand:
            self.mine()
        if self.loses_replies:
            return SendReply(SendOutcome.UNCERTAIN, "timed out")
        return SendReply(SendOutcome.ACCEPTED, "")

    def receipt(self, transaction_hash: str) -> Receipt | None:
        self._answer()
        found = (block.receipts.get(transaction_hash) for block in self._blocks)
        return next((receipt for receipt in found if receipt is not None), None)

    def agreement_at(self, digest: bytes) -> AgreementOnChain:
        return self._answer().state.agreements.get(digest, NO_AGREEMENT)

    def key_of(self, organisation: bytes, signer: str) -> KeyOnChain:
        return self._answer().state.keys.get((organisation, to_checksum_address(signer)), NO_KEY)

    def holders(self) -> Holders:
        roles = self._answer().state.roles
        admin = str(to_checksum_address(keccak(text=f"admin on {self.seed}")[-20:]))
        return Holders(admin, {role: tuple(sorted(roles.get(role, ()))) for role in ROLES})

    # -------------------------------------------------------------------------------------------- misfortunes

    @property
    def contract(self) -> str:
        """Address of the registry: the same after a wipe, as with a deployer that starts at nonce 0 again."""
        return str(to_checksum_address(keccak(text=f"registry on {self.seed}")[-20:]))

    @property
    def height(self) -> int:
        """Number of the tip."""
        return len(self._blocks) - 1

    def mine(self, blocks: int = 1) -> None:
        """Mine what the pool holds, then empty blocks."""
        for _ in range(blocks):
            self._append(self._executable())

    def reorganise(self, depth: int, *, returns_to_pool: bool = False) -> None:
        """Replace the last `depth` blocks by as many empty ones; their transactions vanish unless
        returned.
        """
        lost = self._blocks[-depth:]
        del self._blocks[-depth:]
        self._branch += 1
        if returns_to_pool:
            self._return_to_pool(lost)
        for _ in lost:
            self._append([])

    def rewind(self, height: int) -> None:
        """The node comes back with an older state: blocks above `height` never were."""
        del self._blocks[height + 1 :]
        self._branch += 1
        self.pool.clear()

    def wipe(self, *, seed: str | None = None, deployment_id: bytes | None = None) -> None:
        """The node comes back empty and the registry is deployed anew; the same seed gives the same
        genesis.
        """
        self.seed = seed or self.seed
        self.deployment_id = deployment_id or hashlib.sha256(self.deployment_id).digest()
        self._blocks.clear()
        self.pool.clear()
        self._branch += 1
        self._found()

    def drop(self, transaction_hash: str) -> None:
        """The pool forgets a transaction."""
        self.pool.pop(transaction_hash, None)

    def spend_nonce(self, address: str) -> None:
        """Somebody else uses the key: a transaction that is not ours takes the next nonce."""
        self._append([])
        nonces = self._blocks[-1].nonces
        nonces[address] = nonces.get(address, 0) + 1

    def pause(self, until: int) -> None:
        """The registry takes no writes before `until` (seconds since 1970)."""
        self._append([])
        self._blocks[-1].state.paused_until = until

    def grant(self, role: str, *addresses: str) -> None:
        """Give the role to exactly these addresses."""
        self._append([])
        self._blocks[-1].state.roles[role] = frozenset(addresses)

    # ------------------------------------------------------------------------------------------------- inside

    def _answer(self) -> _MinedBlock:
        if self.is_down:
            raise ChainUnavailable("connection refused")
        return self._blocks[-1]

    def _found(self) -> None:
        genesis = "0x" + hashlib.sha256(f"genesis {self.seed} {self.chain_id}".encode()).hexdigest()
        roles = {role: frozenset(addresses) for role, addresses in self.roles.items()}
        self._blocks.append(_MinedBlock(0, genesis, self._time(), {}, {}, RegistryState(roles=roles)))
        self._append([])

    def _time(self) -> int:
        return int(self.clock.now().timestamp())

    def _registry(self, state: RegistryState) -> Registry:
        return Registry(
            state, self.abi, Domain(self.chain_id, self.contract), max(self._time(), self._tip_time())
        )

    def _tip_time(self) -> int:
        return self._blocks[-1].timestamp if self._blocks else 0

    def _append(self, transactions: list[PooledTransaction]) -> None:
        parent = self._blocks[-1]
        hashes = ",".join(transaction.hash for transaction in transactions)
        # The deployment takes part in block 1 only: a wiped chain differs there even when genesis is the
        # same.
        content = (
            f"{parent.hash} {self._branch} {hashes} {self.deployment_id.hex() if parent.number == 0 else ''}"
        )
        block = _MinedBlock(
            parent.number + 1,
            "0x" + hashlib.sha256(content.encode()).hexdigest(),
            max(self._time(), parent.timestamp),
            {},
            dict(parent.nonces),
            parent.state.copy(),
        )
        for transaction in transactions:
            self._execute(block, transaction)
        self._blocks.append(block)

    def _execute(self, block: _MinedBlock, transaction: PooledTransaction) -> None:
        state, succeeded = block.state.copy(), True
        try:
            self._registry(state).execute(transaction.sender, self.abi.decode_call(transaction.payload))
        except Refusal:
            succeeded = False
        else:
            block.state = state
        block.nonces[transaction.sender] = transaction.nonce + 1
        block.receipts[transaction.hash] = Receipt(
            transaction.hash, block.number, block.hash, succeeded, GAS_OF_A_CALL
        )
        for other in [item for item in self.pool.values() if _rivals(item, transaction)]:
            del self.pool[other.hash]

    def _executable(self) -> list[PooledTransaction]:
        """What the next block can hold: each sender's transactions from its nonce on, without a gap."""
        nonces, chosen = dict(self._blocks[-1].nonces), []
        for transaction in sorted(self.pool.values(), key=lambda item: (item.nonce, -item.max_fee_wei)):
            pays = transaction.max_fee_wei >= self.base_fee_wei
            if pays and transaction.nonce == nonces.get(transaction.sender, 0):
                nonces[transaction.sender] = transaction.nonce + 1
                chosen.append(transaction)
        return chosen

    def _admit(self, transaction: PooledTransaction) -> str:
        """Take it into the pool, or say in the node's words why not."""
        if transaction.hash in self.pool or self.receipt(transaction.hash) is not None:
            return "transaction already imported"
        if transaction.chain_id != self.chain_id:
            return "invalid chain id for signer"
        if transaction.nonce < self._blocks[-1].nonces.get(transaction.sender, 0):
            return "nonce too low"
        for rival in [item for item in self.pool.values() if _rivals(item, transaction)]:
            if not _outbids(transaction, rival):
                return "replacement transaction underpriced"
            del self.pool[rival.hash]
        self.pool[transaction.hash] = transaction
        return ""

    def _return_to_pool(self, lost: list[_MinedBlock]) -> None:
        hashes = {transaction_hash for block in lost for transaction_hash in block.receipts}
        for raw in self.sent:
            transaction = read_transaction(raw)
            if transaction.hash in hashes:
                self.pool[transaction.hash] = transaction


def _as_block(block: _MinedBlock) -> Block:
    return Block(block.number, block.hash, block.timestamp)


def _rivals(one: PooledTransaction, other: PooledTransaction) -> bool:
    return (one.sender, one.nonce) == (other.sender, other.nonce)


def _outbids(new: PooledTransaction, old: PooledTransaction) -> bool:
    enough = new.max_fee_wei * 100 >= old.max_fee_wei * REPLACEMENT_PERCENT
    return (
        enough
        and new.priority_fee_wei * 100 >= old.priority_fee_wei * REPLACEMENT_PERCENT
        and new.max_fee_wei > 0
    )


def read_transaction(raw: bytes) -> PooledTransaction:
    """A signed type 2 or legacy transaction, its sender recovered. Raises ValueError for anything else."""
    if raw[:1] == b"\x02":
        items = _rlp_items(raw[1:])
        chain_id, nonce, tip, price, _gas = (int.from_bytes(item, "big") for item in items[:5])
        to, payload = items[5], items[7]
    else:
        items = _rlp_items(raw)
        nonce, price, _gas = (int.from_bytes(item, "big") for item in items[:3])
        to, payload, tip = items[3], items[5], price
        # EIP-155: v = 35 + 2 × chain id + parity.
        chain_id = (int.from_bytes(items[6], "big") - 35) // 2
    sender = str(Account.recover_transaction(raw))
    return PooledTransaction(
        "0x" + keccak(raw).hex(), sender, nonce, price, tip, str(to_checksum_address(to)), payload, chain_id
    )


def _rlp_items(raw: bytes) -> list[bytes]:
    """The items of an RLP list of strings; a nested list (the empty access list) comes as its bytes."""
    _list, start, end = _rlp_header(raw, 0)
    items, position = [], start
    while position < end:
        _nested, begins, ends = _rlp_header(raw, position)
        items.append(raw[begins:ends])
        position = ends
    return items


def _rlp_header(raw: bytes, position: int) -> tuple[bool, int, int]:
    """(is a list, where its content begins, where it ends) of the item at `position`."""
    first = raw[position]
    if first < 0x80:
        return False, position, position + 1
    is_list, short = first >= 0xC0, 0xC0 if first >= 0xC0 else 0x80
    length = first - short
    if length <= 55:
        return is_list, position + 1, position + 1 + length
    begins = position + 1 + length - 55
    return is_list, begins, begins + int.from_bytes(raw[position + 1 : begins], "big")
