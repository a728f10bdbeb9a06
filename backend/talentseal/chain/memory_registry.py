"""The registry contract's rules once more, in Python, for the in-memory chain.

Same names, same errors, same order of checks as contracts/*.sol for what the service calls; the successor and
ERC-1271 are left to the real contract's tests. The contract-test file runs on both and compares
them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from sealproof import merkle, secp256k1
from sealproof.eip712 import AgreementStatement, Domain, Party, TerminationStatement
from sealproof.errors import ProofError
from sealproof.rpc import AgreementOnChain, AgreementState
from talentseal.chain.contract import ContractAbi
from talentseal.chain.port import AbiValue, Call, KeyOnChain

ANCHOR = "ANCHOR"
REGISTRAR = "REGISTRAR"
ARBITER = "ARBITER"
CONFIRMED = 1
DISMISSED = 2
"""Of the contract's `BreachState`; its other final states follow in the order of the resolutions."""

ZERO_32 = bytes(32)
NO_KEY = KeyOnChain(0, 0, 0)
NO_AGREEMENT = AgreementOnChain(AgreementState.NONE, 0, 0, 0, 0, 0, ZERO_32)


_NEEDED = {
    "anchor": ANCHOR,
    "setKey": REGISTRAR,
    "revokeKey": REGISTRAR,
    "recordBreach": ARBITER,
    "resolveBreach": ARBITER,
}
"""Role that a function takes; anyone may carry what parties signed."""


class Refusal(Exception):
    """The contract reverts with these bytes."""

    def __init__(self, revert: bytes) -> None:
        super().__init__(revert.hex())
        self.revert = revert


@dataclass(slots=True)
class RegistryState:
    """Everything the contract stores.

    A block keeps its own copy, so that a reorganisation can go back to it.
    """

    head_size: int = 0
    roots: dict[int, bytes] = field(default_factory=lambda: {0: ZERO_32})
    keys: dict[tuple[bytes, str], KeyOnChain] = field(default_factory=dict)
    agreements: dict[bytes, AgreementOnChain] = field(default_factory=dict)
    breaches: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    roles: dict[str, frozenset[str]] = field(default_factory=dict)
    paused_until: int = 0

    def copy(self) -> "RegistryState":
        """A copy that shares nothing mutable."""
        return replace(
            self,
            roots=dict(self.roots),
            keys=dict(self.keys),
            agreements=dict(self.agreements),
            breaches=dict(self.breaches),
            roles=dict(self.roles),
        )


@dataclass(frozen=True, slots=True)
class Registry:
    """One call on one state: changes the state, or raises Refusal and leaves it to the caller to drop the
    copy.
    """

    state: RegistryState
    abi: ContractAbi
    domain: Domain
    time: int

    def execute(self, sender: str, call: Call) -> None:
        """Raises Refusal as the contract would revert, ValueError for a function that is not modelled
        here.
        """
        acts: dict[str, Callable[..., None]] = {
            "anchor": self._anchor,
            "setKey": self._set_key,
            "revokeKey": self._revoke_key,
            "conclude": self._conclude,
            "amend": self._amend,
            "terminate": self._terminate,
            "recordBreach": self._record_breach,
            "resolveBreach": self._resolve_breach,
        }
        if call.function not in acts:
            raise ValueError(f"the in-memory registry does not model {call.function}()")
        needed = _NEEDED.get(call.function)
        if needed is not None and sender not in self.state.roles.get(needed, frozenset()):
            self._refuse("AccessControlUnauthorizedAccount", sender, keccak(text=needed))
        if call.function != "revokeKey" and self.time < self.state.paused_until:
            self._refuse("RegistryPausedUntil", self.state.paused_until)
        acts[call.function](*call.arguments)

    def _anchor(
        self, prev_size: int, prev_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
    ) -> None:
        head_size = self.state.head_size
        head_root = self.state.roots[head_size]
        if root == ZERO_32:
            self._refuse("CheckpointRootZero", size)
        if (size, root) == (head_size, head_root):
            return
        if (prev_size, prev_root) != (head_size, head_root):
            self._refuse("CheckpointHeadMoved", head_size, head_root, prev_size, prev_root)
        if size <= head_size:
            self._refuse("CheckpointNotGrowing", head_size, size)
        if not _continues(head_size, head_root, size, root, proof):
            self._refuse("CheckpointInconsistent", head_size, head_root, size, root)
        self.state.head_size = size
        self.state.roots[size] = root

    def _set_key(self, organisation: bytes, signer: str, valid_from: int, valid_until: int) -> None:
        if organisation == ZERO_32 or int(signer, 16) == 0:
            self._refuse("KeyZero", organisation, signer)
        if valid_from >= valid_until:
            self._refuse("KeyValidityEmpty", valid_from, valid_until)
        place = (organisation, to_checksum_address(signer))
        nonce = self.state.keys.get(place, NO_KEY).nonce
        self.state.keys[place] = KeyOnChain(valid_from, valid_until, nonce)

    def _revoke_key(self, organisation: bytes, signer: str) -> None:
        key = self._known_key(organisation, signer)
        if key.valid_until > self.time:
            place = (organisation, to_checksum_address(signer))
            self.state.keys[place] = replace(key, valid_until=self.time, nonce=key.nonce + 1)

    def _conclude(self, agreement: tuple[Any, ...], signatures: Sequence[bytes]) -> None:
        statement = self._agreement(agreement)
        if statement.version != 1:
            self._refuse("AgreementNotFirst", statement.version, statement.previous)
        digest = statement.digest(self.domain)
        if digest not in self.state.agreements:
            self._record(digest, statement, signatures)

    def _amend(
        self, current: tuple[Any, ...], following: tuple[Any, ...], signatures: Sequence[bytes]
    ) -> None:
        before, after = self._agreement(current), self._agreement(following)
        former, digest = before.digest(self.domain), after.digest(self.domain)
        if after.previous != former:
            self._refuse("AgreementPreviousMismatch", former, after.previous)
        if digest in self.state.agreements:
            return
        standing = self._concluded(former)
        if after.agreement_id != before.agreement_id or after.version != before.version + 1:
            self._refuse(
                "AgreementNotNext", before.agreement_id, before.version, after.agreement_id, after.version
            )
        self._require_same_organisations(former, before.parties, after.parties)
        self._record(digest, after, signatures)
        self.state.agreements[former] = replace(
            standing, state=AgreementState.AMENDED, ended_at=self.time, ended_by=digest
        )

    def _terminate(
        self, current: tuple[Any, ...], ending: tuple[Any, ...], signatures: Sequence[bytes]
    ) -> None:
        before, end = self._agreement(current), self._termination(ending)
        former, digest = before.digest(self.domain), end.digest(self.domain)
        if end.agreement != former:
            self._refuse("AgreementPreviousMismatch", former, end.agreement)
        if self.state.agreements.get(former, NO_AGREEMENT).ended_by == digest:
            return
        standing = self._concluded(former)
        if end.commitment == ZERO_32:
            self._refuse("AgreementTerminationZero", former)
        if end.effective_at > before.valid_through:
            self._refuse("AgreementTerminationLate", before.valid_through, end.effective_at)
        self._require_same_organisations(former, before.parties, end.parties)
        self._require_signed(digest, end.deadline, end.parties, signatures)
        self.state.agreements[former] = replace(
            standing,
            state=AgreementState.TERMINATED,
            ended_at=self.time,
            ended_by=digest,
            effective_through=end.effective_at,
        )

    def _record_breach(
        self, agreement: tuple[Any, ...], leaf: bytes, index: int, path: Sequence[bytes], commitment: bytes
    ) -> None:
        statement = self._agreement(agreement)
        digest = statement.digest(self.domain)
        if digest not in self.state.agreements:
            self._refuse("BreachAgreementUnknown", digest)
        if commitment == ZERO_32:
            self._refuse("BreachCommitmentZero", digest)
        try:
            merkle.check_inclusion(
                leaf, index, statement.stipulation_count, path, statement.stipulations_root
            )
        except ProofError:
            self._refuse("BreachStipulationNotProven", digest, leaf, index)
        breach = keccak(digest + leaf + index.to_bytes(32, "big") + commitment)
        self.state.breaches.setdefault(breach, (CONFIRMED, ZERO_32))

    def _resolve_breach(self, breach: bytes, resolution: int, commitment: bytes) -> None:
        if commitment == ZERO_32:
            self._refuse("BreachCommitmentZero", breach)
        if breach not in self.state.breaches:
            self._refuse("BreachUnknown", breach)
        state, given = self.state.breaches[breach]
        closed = (DISMISSED + resolution, commitment)
        if state != CONFIRMED:
            if (state, given) == closed:
                return
            self._refuse("BreachAlreadyResolved", breach, state, given)
        self.state.breaches[breach] = closed

    def _record(self, digest: bytes, statement: AgreementStatement, signatures: Sequence[bytes]) -> None:
        if ZERO_32 in (statement.agreement_id, statement.commitment):
            self._refuse("AgreementZero", statement.agreement_id, statement.commitment)
        self._require_signed(digest, statement.deadline, statement.parties, signatures)
        self.state.agreements[digest] = AgreementOnChain(
            AgreementState.CONCLUDED,
            statement.version,
            self.time,
            0,
            statement.effective_from,
            statement.valid_through,
            ZERO_32,
        )

    def _require_signed(
        self, digest: bytes, deadline: int, parties: Sequence[Party], signatures: Sequence[bytes]
    ) -> None:
        if self.time > deadline:
            self._refuse("AgreementDeadlinePassed", deadline, self.time)
        if len(signatures) != len(parties):
            self._refuse("AgreementSignatureCount", len(parties), len(signatures))
        for party, signature in zip(parties, signatures, strict=True):
            self._require_key(party)
            if _recovered(digest, signature) != party.signer:
                self._refuse("AgreementSignatureInvalid", digest, party.organisation, party.signer)

    def _require_key(self, party: Party) -> None:
        key = self._known_key(party.organisation, party.signer)
        if self.time < key.valid_from:
            self._refuse("KeyNotYetValid", party.organisation, party.signer, key.valid_from)
        if self.time >= key.valid_until:
            self._refuse("KeyExpired", party.organisation, party.signer, key.valid_until)
        if party.nonce != key.nonce:
            self._refuse("KeyNonceMismatch", party.organisation, party.signer, key.nonce, party.nonce)

    def _known_key(self, organisation: bytes, signer: str) -> KeyOnChain:
        key = self.state.keys.get((organisation, to_checksum_address(signer)))
        if key is None:
            self._refuse("KeyUnknown", organisation, signer)
        return key

    def _concluded(self, digest: bytes) -> AgreementOnChain:
        standing = self.state.agreements.get(digest, NO_AGREEMENT)
        if standing.state is not AgreementState.CONCLUDED:
            self._refuse("AgreementNotConcluded", digest, standing.state.value)
        return standing

    def _require_same_organisations(
        self, former: bytes, before: Sequence[Party], after: Sequence[Party]
    ) -> None:
        if [party.organisation for party in before] != [party.organisation for party in after]:
            self._refuse("AgreementPartiesChanged", former)

    def _agreement(self, values: tuple[Any, ...]) -> AgreementStatement:
        try:
            return AgreementStatement(*(*values[:-1], _parties(values[-1])))
        except ProofError as error:
            self._refuse("Error", str(error))

    def _termination(self, values: tuple[Any, ...]) -> TerminationStatement:
        try:
            return TerminationStatement(*(*values[:-1], _parties(values[-1])))
        except ProofError as error:
            self._refuse("Error", str(error))

    def _refuse(self, name: str, *values: AbiValue) -> NoReturn:
        raise Refusal(self.abi.encode_error(name, *values))


def _parties(values: Sequence[tuple[bytes, str, int]]) -> tuple[Party, ...]:
    return tuple(
        Party(organisation, to_checksum_address(signer), nonce) for organisation, signer, nonce in values
    )


def _continues(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    if old_size == 0:
        return not proof
    try:
        merkle.check_consistency(old_size, old_root, size, root, proof)
    except ProofError:
        return False
    return True


def _recovered(digest: bytes, signature: bytes) -> str | None:
    try:
        return secp256k1.recover(digest, signature)
    except ProofError:
        return None
