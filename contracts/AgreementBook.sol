// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IEvidenceRegistry} from "./IEvidenceRegistry.sol";
import {Rfc9162} from "./Rfc9162.sol";

// Times are seconds to days here: the few seconds by which a block's author can move its time decide nothing.
// slither-disable-start timestamp

/// @title The agreements' half of the registry: keys, agreements, breaches
/// @notice Records what all parties signed, and findings about it.
/// @dev An agreement version is kept under its own EIP-712 digest, which covers everything its parties signed. To
/// take the place of a record one would have to sign for its parties; two agreements over the same document are two
/// records. Who may register keys and find breaches, and whether writes are paused, is decided by the contract that
/// inherits.
abstract contract AgreementBook is IEvidenceRegistry, EIP712 {
    /// @dev One slot, 192 of 256 bits, from the low end. `validUntil` is zero for a key never registered.
    struct Key {
        uint64 validFrom; // first second
        uint64 validUntil; // first second after
        uint64 nonce;
    }

    /// @dev One slot, 248 of 256 bits, from the low end. Times of blocks take 40 bits (until the year 36,812), times
    /// that parties signed keep their 64.
    struct Version {
        AgreementState state;
        uint32 number;
        uint40 concludedAt;
        uint40 endedAt; // zero while CONCLUDED
        uint64 effectiveFrom; // first second
        uint64 effectiveThrough; // last second
    }

    /// @dev Two slots: 136 of 256 bits of the first, from the low end; the second is zero until resolved.
    struct Breach {
        BreachState state;
        uint64 recordedAt;
        uint64 resolvedAt; // zero while CONFIRMED
        bytes32 resolutionCommitment;
    }

    bytes32 private constant PARTY_TYPEHASH = keccak256("Party(bytes32 organisation,address signer,uint64 nonce)");
    bytes32 private constant AGREEMENT_TYPEHASH =
        keccak256(
            "Agreement(bytes32 agreementId,uint32 version,bytes32 previous,bytes32 commitment,"
            "bytes32 stipulationsRoot,uint32 stipulationCount,uint64 effectiveFrom,uint64 validThrough,"
            "uint64 deadline,Party[] parties)Party(bytes32 organisation,address signer,uint64 nonce)"
        );
    bytes32 private constant TERMINATION_TYPEHASH =
        keccak256(
            "Termination(bytes32 agreement,bytes32 commitment,uint64 effectiveAt,uint64 deadline,Party[] parties)"
            "Party(bytes32 organisation,address signer,uint64 nonce)"
        );
    uint256 private constant FEWEST_PARTIES = 2;
    uint256 private constant MOST_PARTIES = 8;

    mapping(bytes32 organisation => mapping(address signer => Key key)) private _keys;
    mapping(bytes32 digest => Version version) private _versions;
    mapping(bytes32 digest => bytes32 ending) private _endings;
    mapping(bytes32 breachId => Breach breach) private _breaches;

    constructor() EIP712("TalentSeal", "1") {}

    // ----------------------------------------------------------------------------------------------------- keys

    /// @inheritdoc IEvidenceRegistry
    function voidSignatures(bytes32 organisation) external {
        Key storage key = _knownKey(organisation, msg.sender);
        uint64 nonce = ++key.nonce;
        emit SignaturesVoided(organisation, msg.sender, nonce);
    }

    /// @inheritdoc IEvidenceRegistry
    function keyOf(
        bytes32 organisation,
        address signer
    ) external view returns (uint64 validFrom, uint64 validUntil, uint64 nonce) {
        Key memory key = _keys[organisation][signer];
        return (key.validFrom, key.validUntil, key.nonce);
    }

    /// @notice Registers a key or sets its validity anew; see `IEvidenceRegistry.setKey`.
    /// @param organisation Identifier of the organisation.
    /// @param signer The key's address.
    /// @param validFrom First second of validity.
    /// @param validUntil First second after it.
    function _setKey(bytes32 organisation, address signer, uint64 validFrom, uint64 validUntil) internal {
        if (organisation == 0 || signer == address(0)) revert KeyZero(organisation, signer);
        if (validFrom >= validUntil) revert KeyValidityEmpty(validFrom, validUntil);
        Key storage key = _keys[organisation][signer];
        if (key.validFrom == validFrom && key.validUntil == validUntil) return;
        (key.validFrom, key.validUntil) = (validFrom, validUntil);
        emit KeySet(organisation, signer, validFrom, validUntil, key.nonce);
    }

    /// @notice Takes a key back; see `IEvidenceRegistry.revokeKey`.
    /// @param organisation Identifier of the organisation.
    /// @param signer The key's address.
    function _revokeKey(bytes32 organisation, address signer) internal {
        Key storage key = _knownKey(organisation, signer);
        uint64 time = uint64(block.timestamp);
        if (key.validUntil <= time) return;
        key.validUntil = time;
        // Should the registrar set the key again later, what it signed before stays void.
        uint64 nonce = ++key.nonce;
        emit KeyRevoked(organisation, signer, key.validFrom, time, nonce);
    }

    // ----------------------------------------------------------------------------------------------- agreements

    /// @inheritdoc IEvidenceRegistry
    function agreementAt(
        bytes32 digest
    )
        external
        view
        returns (
            AgreementState state,
            uint32 version,
            uint64 concludedAt,
            uint64 endedAt,
            uint64 effectiveFrom,
            uint64 effectiveThrough,
            bytes32 endedBy
        )
    {
        Version memory known = _versions[digest];
        (state, version) = (known.state, known.number);
        (concludedAt, endedAt) = (known.concludedAt, known.endedAt);
        (effectiveFrom, effectiveThrough) = (known.effectiveFrom, known.effectiveThrough);
        endedBy = _endings[digest];
    }

    /// @inheritdoc IEvidenceRegistry
    function agreementDigest(Agreement calldata agreement) external view returns (bytes32 digest) {
        return _digestOf(agreement);
    }

    /// @inheritdoc IEvidenceRegistry
    function terminationDigest(Termination calldata termination) external view returns (bytes32 digest) {
        return _digestOf(termination);
    }

    /// @notice Records a first version; see `IEvidenceRegistry.conclude`.
    /// @param agreement The version.
    /// @param signatures One for each party.
    /// @return digest Its digest.
    function _conclude(Agreement calldata agreement, bytes[] calldata signatures) internal returns (bytes32 digest) {
        if (agreement.version != 1 || agreement.previous != 0) {
            revert AgreementNotFirst(agreement.version, agreement.previous);
        }
        digest = _digestOf(agreement);
        Version storage version = _versions[digest];
        if (version.state == AgreementState.NONE) _record(version, digest, agreement, signatures);
    }

    /// @notice Replaces a version by the next; see `IEvidenceRegistry.amend`.
    /// @param current The version that stands.
    /// @param next The version that replaces it.
    /// @param signatures One for each party of `next`.
    /// @return digest Digest of `next`.
    function _amend(
        Agreement calldata current,
        Agreement calldata next,
        bytes[] calldata signatures
    ) internal returns (bytes32 digest) {
        bytes32 former = _digestOf(current);
        if (next.previous != former) revert AgreementPreviousMismatch(former, next.previous);
        digest = _digestOf(next);
        Version storage recorded = _versions[digest];
        if (recorded.state != AgreementState.NONE) return digest;
        Version storage version = _concluded(former);
        if (next.agreementId != current.agreementId || next.version != uint256(current.version) + 1) {
            revert AgreementNotNext(current.agreementId, current.version, next.agreementId, next.version);
        }
        _requireSameOrganisations(former, current.parties, next.parties);
        _end(version, AgreementState.AMENDED, former, digest);
        emit AgreementAmended(former, digest, version.endedAt);
        _record(recorded, digest, next, signatures);
    }

    /// @notice Ends a version; see `IEvidenceRegistry.terminate`.
    /// @param current The version that stands.
    /// @param termination Its end.
    /// @param signatures One for each party of `termination`.
    /// @return digest Digest of `termination`.
    function _terminate(
        Agreement calldata current,
        Termination calldata termination,
        bytes[] calldata signatures
    ) internal returns (bytes32 digest) {
        bytes32 former = _digestOf(current);
        if (termination.agreement != former) revert AgreementPreviousMismatch(former, termination.agreement);
        digest = _digestOf(termination);
        if (_endings[former] == digest) return digest;
        Version storage version = _concluded(former);
        if (termination.commitment == 0) revert AgreementTerminationZero(former);
        if (termination.effectiveAt > current.validThrough) {
            revert AgreementTerminationLate(current.validThrough, termination.effectiveAt);
        }
        _requireSameOrganisations(former, current.parties, termination.parties);
        _requireSigned(digest, termination.deadline, termination.parties, signatures);
        _end(version, AgreementState.TERMINATED, former, digest);
        version.effectiveThrough = termination.effectiveAt;
        emit AgreementTerminated(
            former,
            digest,
            termination.commitment,
            termination.effectiveAt,
            version.endedAt
        );
    }

    // ------------------------------------------------------------------------------------------------- breaches

    /// @inheritdoc IEvidenceRegistry
    function breachAt(
        bytes32 breachId
    )
        external
        view
        returns (BreachState state, uint64 recordedAt, uint64 resolvedAt, bytes32 resolutionCommitment)
    {
        Breach memory breach = _breaches[breachId];
        return (breach.state, breach.recordedAt, breach.resolvedAt, breach.resolutionCommitment);
    }

    /// @inheritdoc IEvidenceRegistry
    function breachIdOf(
        bytes32 agreement,
        bytes32 stipulation,
        uint32 index,
        bytes32 commitment
    ) public pure returns (bytes32 breachId) {
        return keccak256(abi.encode(agreement, stipulation, index, commitment));
    }

    /// @notice Records a confirmed breach; see `IEvidenceRegistry.recordBreach`.
    /// @param agreement The version.
    /// @param stipulation Leaf hash of the stipulation.
    /// @param index Its place.
    /// @param path Audit path to the stipulations' root.
    /// @param commitment SHA-256 of the finding's text.
    /// @return breachId The breach.
    function _recordBreach(
        Agreement calldata agreement,
        bytes32 stipulation,
        uint32 index,
        bytes32[] calldata path,
        bytes32 commitment
    ) internal returns (bytes32 breachId) {
        bytes32 digest = _digestOf(agreement);
        if (_versions[digest].state == AgreementState.NONE) revert BreachAgreementUnknown(digest);
        if (commitment == 0) revert BreachCommitmentZero(digest);
        bytes32 root = Rfc9162.inclusionRoot(stipulation, index, agreement.stipulationCount, path);
        if (root == 0 || root != agreement.stipulationsRoot) {
            revert BreachStipulationNotProven(digest, stipulation, index);
        }
        breachId = breachIdOf(digest, stipulation, index, commitment);
        Breach storage breach = _breaches[breachId];
        if (breach.state != BreachState.NONE) return breachId;
        uint64 time = uint64(block.timestamp);
        (breach.state, breach.recordedAt) = (BreachState.CONFIRMED, time);
        emit BreachRecorded(breachId, digest, stipulation, index, commitment, time);
    }

    /// @notice Closes a breach; see `IEvidenceRegistry.resolveBreach`.
    /// @param breachId The breach.
    /// @param resolution How it ended.
    /// @param commitment SHA-256 of the resolution's text.
    function _resolveBreach(bytes32 breachId, Resolution resolution, bytes32 commitment) internal {
        if (commitment == 0) revert BreachCommitmentZero(breachId);
        Breach storage breach = _breaches[breachId];
        BreachState state = breach.state;
        if (state == BreachState.NONE) revert BreachUnknown(breachId);
        // The three final states follow CONFIRMED in the order of their resolutions.
        BreachState closed = BreachState(uint8(BreachState.DISMISSED) + uint8(resolution));
        if (state != BreachState.CONFIRMED) {
            bytes32 given = breach.resolutionCommitment;
            if (state == closed && given == commitment) return;
            revert BreachAlreadyResolved(breachId, state, given);
        }
        uint64 time = uint64(block.timestamp);
        (breach.state, breach.resolvedAt, breach.resolutionCommitment) = (closed, time, commitment);
        emit BreachResolved(breachId, resolution, commitment, time);
    }

    // ------------------------------------------------------------------------------------------------- recording

    /// @notice Writes a version that is not recorded yet, after all its checks.
    /// @param version Where it is written: `_versions[digest]`.
    /// @param digest Its digest.
    /// @param agreement The version.
    /// @param signatures One for each party.
    function _record(
        Version storage version,
        bytes32 digest,
        Agreement calldata agreement,
        bytes[] calldata signatures
    ) private {
        if (agreement.agreementId == 0 || agreement.commitment == 0) {
            revert AgreementZero(agreement.agreementId, agreement.commitment);
        }
        if (agreement.effectiveFrom > agreement.validThrough) {
            revert AgreementValidityEmpty(agreement.effectiveFrom, agreement.validThrough);
        }
        _requireSigned(digest, agreement.deadline, agreement.parties, signatures);
        (version.state, version.number) = (AgreementState.CONCLUDED, agreement.version);
        version.concludedAt = uint40(block.timestamp);
        (version.effectiveFrom, version.effectiveThrough) = (agreement.effectiveFrom, agreement.validThrough);
        emit AgreementConcluded(
            digest,
            agreement.agreementId,
            agreement.version,
            agreement.commitment,
            agreement.effectiveFrom,
            agreement.validThrough,
            uint64(block.timestamp)
        );
    }

    /// @notice Marks a version as replaced or terminated.
    /// @param version The version.
    /// @param state AMENDED or TERMINATED.
    /// @param digest Digest of the version.
    /// @param ending Digest of what ends it.
    function _end(Version storage version, AgreementState state, bytes32 digest, bytes32 ending) private {
        (version.state, version.endedAt) = (state, uint40(block.timestamp));
        _endings[digest] = ending;
    }

    // -------------------------------------------------------------------------------------------------- checking

    /// @notice A key that was registered at some time.
    /// @param organisation Identifier of the organisation.
    /// @param signer The key's address.
    /// @return key The key.
    function _knownKey(bytes32 organisation, address signer) private view returns (Key storage key) {
        key = _keys[organisation][signer];
        if (key.validUntil == 0) revert KeyUnknown(organisation, signer);
    }

    /// @notice A version that stands.
    /// @param digest Its digest.
    /// @return version The version.
    function _concluded(bytes32 digest) private view returns (Version storage version) {
        version = _versions[digest];
        if (version.state != AgreementState.CONCLUDED) revert AgreementNotConcluded(digest, version.state);
    }

    /// @notice The same organisations must act on a version that concluded it; their keys may be others.
    /// @param digest Digest of the version, for the error.
    /// @param parties The version's parties.
    /// @param given The parties that act on it.
    function _requireSameOrganisations(
        bytes32 digest,
        Party[] calldata parties,
        Party[] calldata given
    ) private pure {
        if (given.length != parties.length) revert AgreementPartiesChanged(digest);
        for (uint256 i = 0; i < parties.length; ++i) {
            if (given[i].organisation != parties[i].organisation) revert AgreementPartiesChanged(digest);
        }
    }

    /// @notice All parties must have signed a digest in time, each with a valid key of its own.
    /// @param digest What they signed.
    /// @param deadline Last second for carrying it.
    /// @param parties The parties.
    /// @param signatures One for each, in their order.
    function _requireSigned(
        bytes32 digest,
        uint64 deadline,
        Party[] calldata parties,
        bytes[] calldata signatures
    ) private view {
        if (block.timestamp > deadline) revert AgreementDeadlinePassed(deadline, uint64(block.timestamp));
        uint256 count = parties.length;
        if (count < FEWEST_PARTIES || count > MOST_PARTIES) revert AgreementPartyCount(count);
        if (signatures.length != count) revert AgreementSignatureCount(count, signatures.length);
        bytes32 last = 0;
        for (uint256 i = 0; i < count; ++i) {
            Party calldata party = parties[i];
            (bytes32 organisation, address signer) = (party.organisation, party.signer);
            if (organisation <= last) revert AgreementPartyOrder(last, organisation);
            last = organisation;
            for (uint256 j = 0; j < i; ++j) {
                if (parties[j].signer == signer) revert AgreementSignerRepeated(signer);
            }
            _requireKey(organisation, signer, party.nonce);
            _requireSignature(digest, organisation, signer, signatures[i]);
        }
    }

    /// @notice A party's key must be registered for it, valid now, and at the nonce it signed under.
    /// @param organisation The party.
    /// @param signer The key's address.
    /// @param nonce The nonce it signed under.
    function _requireKey(bytes32 organisation, address signer, uint64 nonce) private view {
        Key memory key = _keys[organisation][signer];
        if (block.timestamp >= key.validUntil) {
            if (key.validUntil == 0) revert KeyUnknown(organisation, signer);
            revert KeyExpired(organisation, signer, key.validUntil);
        }
        if (block.timestamp < key.validFrom) revert KeyNotYetValid(organisation, signer, key.validFrom);
        if (nonce != key.nonce) revert KeyNonceMismatch(organisation, signer, key.nonce, nonce);
    }

    /// @notice A party's signature must be its key's over the digest.
    /// @dev An ECDSA signature is tried first: it spares a look at the signer's code, and an account that delegates
    /// its code (EIP-7702) may go on signing with its key. A contract is asked by a static call: it can neither write
    /// nor re-enter a write. Low s, 65 bytes and v of 27 or 28 are required by the library; a second form of the same
    /// signature would change nothing anyway, since records go by digest.
    /// @param digest What was signed.
    /// @param organisation The party.
    /// @param signer The key's address.
    /// @param signature Its signature.
    function _requireSignature(
        bytes32 digest,
        bytes32 organisation,
        address signer,
        bytes memory signature
    ) private view {
        // Where it fails it recovers the zero address, which no registered key has; why it fails does not matter.
        // slither-disable-next-line unused-return
        (address recovered, , ) = ECDSA.tryRecover(digest, signature);
        if (recovered == signer) return;
        if (!SignatureChecker.isValidSignatureNow(signer, digest, signature)) {
            revert AgreementSignatureInvalid(digest, organisation, signer);
        }
    }

    // --------------------------------------------------------------------------------------------------- digests

    /// @notice EIP-712 digest of an agreement version.
    /// @param agreement The version.
    /// @return digest The digest.
    function _digestOf(Agreement calldata agreement) private view returns (bytes32 digest) {
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(
                        AGREEMENT_TYPEHASH,
                        agreement.agreementId,
                        agreement.version,
                        agreement.previous,
                        agreement.commitment,
                        agreement.stipulationsRoot,
                        agreement.stipulationCount,
                        agreement.effectiveFrom,
                        agreement.validThrough,
                        agreement.deadline,
                        _hashOf(agreement.parties)
                    )
                )
            );
    }

    /// @notice EIP-712 digest of a termination.
    /// @param termination The termination.
    /// @return digest The digest.
    function _digestOf(Termination calldata termination) private view returns (bytes32 digest) {
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(
                        TERMINATION_TYPEHASH,
                        termination.agreement,
                        termination.commitment,
                        termination.effectiveAt,
                        termination.deadline,
                        _hashOf(termination.parties)
                    )
                )
            );
    }

    /// @notice EIP-712 hash of an array of parties.
    /// @param parties The parties.
    /// @return hash keccak256 of their struct hashes, one after the other.
    function _hashOf(Party[] calldata parties) private pure returns (bytes32 hash) {
        bytes32[] memory hashes = new bytes32[](parties.length);
        for (uint256 i = 0; i < parties.length; ++i) {
            hashes[i] = keccak256(abi.encode(PARTY_TYPEHASH, parties[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }
}

// slither-disable-end timestamp
