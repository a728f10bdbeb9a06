// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title TalentSeal evidence registry: the ABI as a document
/// @notice The registry decides four things only: who may write, that the log only grows, that all parties of an
/// agreement signed, and when. It stores digests, sizes and times; never text, never anything personal.
/// @dev Times are seconds of the block that carries the call (or, where a party signed them, seconds since 1970 UTC).
/// Digests of the log are SHA-256 over RFC 9162 trees; digests of agreements are EIP-712 (domain "TalentSeal", "1",
/// chain id, this contract). Every write is safe to repeat: a repetition of what already holds changes nothing and
/// emits nothing, so a carrier that lost an answer sends the same call again. Nothing recorded can be edited or
/// deleted by any role. Each event repeats every field that its call stores: the logs alone rebuild the state.
interface IEvidenceRegistry {
    // ---------------------------------------------------------------------------------------------------- types

    /// @notice Where an agreement version stands.
    /// NONE: never concluded here. CONCLUDED: all parties signed, neither amended nor terminated (validity dates are
    /// to be read beside it). AMENDED: a later version replaced it. TERMINATED: all parties ended it.
    enum AgreementState {
        NONE,
        CONCLUDED,
        AMENDED,
        TERMINATED
    }

    /// @notice How a confirmed breach came to an end.
    enum Resolution {
        DISMISSED,
        CURED,
        WAIVED
    }

    /// @notice Where a breach stands; the last three are final and name its resolution.
    enum BreachState {
        NONE,
        CONFIRMED,
        DISMISSED,
        CURED,
        WAIVED
    }

    /// @notice One party of an agreement and the key it signs with.
    /// @param organisation Random identifier of the organisation, not zero.
    /// @param signer The key's address: an externally owned account or an ERC-1271 contract.
    /// @param nonce The key's nonce at signing, as `keyOf` gives it; moving it on voids the signature.
    struct Party {
        bytes32 organisation;
        address signer;
        uint64 nonce;
    }

    /// @notice One version of an agreement, as every party signs it.
    /// @param agreementId Random identifier shared by all versions, not zero.
    /// @param version 1 for the first, then one more each time.
    /// @param previous Digest of the version it amends; zero for version 1.
    /// @param commitment SHA-256 of the terms text, not zero.
    /// @param stipulationsRoot RFC 9162 root over the stipulations' leaf hashes.
    /// @param stipulationCount Number of stipulations under that root.
    /// @param effectiveFrom First second in force.
    /// @param validThrough Last second in force, not before `effectiveFrom`.
    /// @param deadline Last second at which these signatures may be carried here.
    /// @param parties 2 to 8, strictly ascending by organisation, each with a key of its own.
    struct Agreement {
        bytes32 agreementId;
        uint32 version;
        bytes32 previous;
        bytes32 commitment;
        bytes32 stipulationsRoot;
        uint32 stipulationCount;
        uint64 effectiveFrom;
        uint64 validThrough;
        uint64 deadline;
        Party[] parties;
    }

    /// @notice The end of an agreement version, as every party signs it.
    /// @param agreement Digest of the version that ends.
    /// @param commitment SHA-256 of the termination's text, not zero.
    /// @param effectiveAt Last second in force, not after the version's `validThrough`.
    /// @param deadline Last second at which these signatures may be carried here.
    /// @param parties The organisations of that version, with the keys they sign this with.
    struct Termination {
        bytes32 agreement;
        bytes32 commitment;
        uint64 effectiveAt;
        uint64 deadline;
        Party[] parties;
    }

    // --------------------------------------------------------------------------------------------------- events

    /// @notice The log's head moved on from `prevSize` to `size` entries.
    event CheckpointAnchored(
        uint64 indexed size,
        bytes32 indexed root,
        uint64 prevSize,
        bytes32 prevRoot,
        uint64 anchoredAt,
        uint64 blockNumber
    );

    /// @notice A key may sign for an organisation at every second t with `validFrom` <= t < `validUntil`.
    event KeySet(
        bytes32 indexed organisation,
        address indexed signer,
        uint64 validFrom,
        uint64 validUntil,
        uint64 nonce
    );

    /// @notice A key was taken back: it signs nothing from `validUntil` on, and what it signed and nobody carried is
    /// void under the new nonce.
    event KeyRevoked(
        bytes32 indexed organisation,
        address indexed signer,
        uint64 validFrom,
        uint64 validUntil,
        uint64 nonce
    );

    /// @notice A key voided every signature it gave that is not carried yet.
    event SignaturesVoided(bytes32 indexed organisation, address indexed signer, uint64 nonce);

    /// @notice All parties' signatures over an agreement version were recovered; emitted for amendments too. What is
    /// not repeated here (parties, stipulations) is bound by the digest.
    event AgreementConcluded(
        bytes32 indexed digest,
        bytes32 indexed agreementId,
        uint32 version,
        bytes32 commitment,
        uint64 effectiveFrom,
        uint64 validThrough,
        uint64 concludedAt
    );

    /// @notice A version was replaced by the next one, whose own `AgreementConcluded` stands in the same transaction.
    event AgreementAmended(bytes32 indexed digest, bytes32 indexed next, uint64 endedAt);

    /// @notice All parties' signatures over the end of an agreement version were recovered.
    event AgreementTerminated(
        bytes32 indexed digest,
        bytes32 indexed termination,
        bytes32 indexed commitment,
        uint64 effectiveAt,
        uint64 endedAt
    );

    /// @notice An arbiter confirmed a breach of one stipulation of an agreement version.
    event BreachRecorded(
        bytes32 indexed breachId,
        bytes32 indexed agreement,
        bytes32 indexed stipulation,
        uint32 index,
        bytes32 commitment,
        uint64 recordedAt
    );

    /// @notice An arbiter closed a breach, for good.
    event BreachResolved(
        bytes32 indexed breachId,
        Resolution indexed resolution,
        bytes32 commitment,
        uint64 resolvedAt
    );

    /// @notice Writes stop until `pausedUntil`; no other pause can begin before `nextPauseFrom`.
    event RegistryPaused(address indexed account, uint64 pausedUntil, uint64 nextPauseFrom);

    /// @notice A pause was ended early; no other can begin before `nextPauseFrom`.
    event RegistryUnpaused(address indexed account, uint64 pausedUntil, uint64 nextPauseFrom);

    /// @notice The admin announced a successor, to be confirmed at `confirmableFrom` or later.
    event SuccessorAnnounced(address indexed candidate, uint64 confirmableFrom);

    /// @notice The admin withdrew an announced successor.
    event SuccessorWithdrawn(address indexed candidate);

    /// @notice The successor is named, for good.
    event SuccessorConfirmed(address indexed successor);

    // --------------------------------------------------------------------------------------------------- errors

    /// @notice The call was built on another head than the registry's; read `head()` and build anew.
    error CheckpointHeadMoved(uint64 headSize, bytes32 headRoot, uint64 givenSize, bytes32 givenRoot);
    /// @notice A new head must have more entries than the last.
    error CheckpointNotGrowing(uint64 headSize, uint64 givenSize);
    /// @notice A root of zero commits to nothing.
    error CheckpointRootZero(uint64 givenSize);
    /// @notice The proof does not show that the new tree begins with all entries of the old one.
    error CheckpointInconsistent(uint64 headSize, bytes32 headRoot, uint64 givenSize, bytes32 givenRoot);

    /// @notice An organisation and a signer are both needed.
    error KeyZero(bytes32 organisation, address signer);
    /// @notice A key's validity must last at least a second: `validFrom` < `validUntil`.
    error KeyValidityEmpty(uint64 validFrom, uint64 validUntil);
    /// @notice This key was never registered for this organisation.
    error KeyUnknown(bytes32 organisation, address signer);
    /// @notice The key is not valid before `validFrom`.
    error KeyNotYetValid(bytes32 organisation, address signer, uint64 validFrom);
    /// @notice The key ran out or was revoked at `validUntil`.
    error KeyExpired(bytes32 organisation, address signer, uint64 validUntil);
    /// @notice The signature was given under another nonce than the key's present one: it is void.
    error KeyNonceMismatch(bytes32 organisation, address signer, uint64 current, uint64 given);

    /// @notice `conclude` takes version 1 with no previous version; later versions go through `amend`.
    error AgreementNotFirst(uint32 version, bytes32 previous);
    /// @notice An agreement needs an identifier and a commitment.
    error AgreementZero(bytes32 agreementId, bytes32 commitment);
    /// @notice An agreement cannot end before it begins.
    error AgreementValidityEmpty(uint64 effectiveFrom, uint64 validThrough);
    /// @notice The signatures could be carried until `deadline` only.
    error AgreementDeadlinePassed(uint64 deadline, uint64 time);
    /// @notice An agreement has 2 to 8 parties.
    error AgreementPartyCount(uint256 parties);
    /// @notice One signature is needed for each party, in the parties' order.
    error AgreementSignatureCount(uint256 parties, uint256 signatures);
    /// @notice Parties must be strictly ascending by organisation: none zero, none twice.
    error AgreementPartyOrder(bytes32 organisation, bytes32 next);
    /// @notice No key may sign for two parties.
    error AgreementSignerRepeated(address signer);
    /// @notice The signature was not made by this party's key over this digest.
    error AgreementSignatureInvalid(bytes32 digest, bytes32 organisation, address signer);
    /// @notice Only a concluded version can be amended or terminated.
    error AgreementNotConcluded(bytes32 digest, AgreementState state);
    /// @notice An amendment or a termination must name the digest of the version it acts on.
    error AgreementPreviousMismatch(bytes32 digest, bytes32 given);
    /// @notice An amendment keeps the identifier and takes the next version number.
    error AgreementNotNext(bytes32 agreementId, uint32 version, bytes32 givenId, uint32 givenVersion);
    /// @notice An amendment or a termination needs the same organisations as the version it acts on.
    error AgreementPartiesChanged(bytes32 digest);
    /// @notice A termination needs a commitment.
    error AgreementTerminationZero(bytes32 digest);
    /// @notice A termination cannot take effect after the agreement has run out.
    error AgreementTerminationLate(uint64 validThrough, uint64 effectiveAt);

    /// @notice A breach can be recorded only under an agreement version that was concluded here.
    error BreachAgreementUnknown(bytes32 agreement);
    /// @notice The proof does not show this stipulation at this index of the agreement.
    error BreachStipulationNotProven(bytes32 agreement, bytes32 stipulation, uint32 index);
    /// @notice A breach and its resolution each need a commitment.
    error BreachCommitmentZero(bytes32 subject);
    /// @notice No such breach was recorded.
    error BreachUnknown(bytes32 breachId);
    /// @notice The breach was resolved otherwise already; a resolution is final.
    error BreachAlreadyResolved(bytes32 breachId, BreachState state, bytes32 commitment);

    /// @notice Writes are stopped until `pausedUntil`, without anyone's doing; send the same call again then.
    error RegistryPausedUntil(uint64 pausedUntil);
    /// @notice A pause lasts from one second to 72 hours.
    error RegistryPauseDuration(uint64 duration, uint64 longest);
    /// @notice The last pause is too fresh: no other before `nextPauseFrom`.
    error RegistryPauseTooSoon(uint64 nextPauseFrom);
    /// @notice There is no pause to end.
    error RegistryNotPaused();
    /// @notice A registry needs a deployment identifier.
    error RegistryDeploymentIdZero();
    /// @notice A successor must be another contract that exists.
    error SuccessorNotAContract(address candidate);
    /// @notice No successor is announced.
    error SuccessorNotAnnounced();
    /// @notice The announced successor may be confirmed at `confirmableFrom` or later.
    error SuccessorTooSoon(uint64 confirmableFrom);
    /// @notice The successor is named already, for good.
    error SuccessorAlreadyConfirmed(address successor);

    // ------------------------------------------------------------------------------------------- checkpoint log

    /// @notice Moves the log's head on. Role ANCHOR. Repeating the present head (size and root) is a no-op, whatever
    /// the other arguments are.
    /// @dev Compare-and-swap on the former head, strict growth, then the RFC 9162 §2.1.4.2 consistency check: a
    /// stolen anchoring key can add to the log but can neither shorten nor fork it.
    /// @param prevSize Entries under the present head; 0 before the first.
    /// @param prevRoot Root of the present head; zero before the first.
    /// @param size Entries under the new head, above `prevSize`.
    /// @param root Root of the new head, not zero.
    /// @param proof Consistency path from `prevSize` to `size`, in the order of RFC 9162; empty for the first head.
    function anchor(uint64 prevSize, bytes32 prevRoot, uint64 size, bytes32 root, bytes32[] calldata proof) external;

    /// @notice The present head.
    /// @return size Entries; zero when nothing was anchored yet.
    /// @return root Root over them; zero when nothing was anchored yet.
    /// @return anchoredAt Time of its block.
    /// @return blockNumber Number of its block.
    function head() external view returns (uint64 size, bytes32 root, uint64 anchoredAt, uint64 blockNumber);

    /// @notice The root anchored for a size; zero when none ever was. Its time is that of the event's block.
    /// @param size Entries.
    /// @return root Root over the first `size` entries.
    function headAt(uint64 size) external view returns (bytes32 root);

    /// @notice Whether a leaf stands in the log, for other contracts.
    /// @param leafHash SHA-256(0x00 || entry).
    /// @param index Place of the entry, from 0.
    /// @param size Size of an anchored head.
    /// @param path Audit path, lowest sibling first (RFC 9162 §2.1.3.1).
    /// @return included True when the path leads to the root anchored for `size`; false when it does not or when no
    /// head of that size was anchored.
    function verifyInclusion(
        bytes32 leafHash,
        uint64 index,
        uint64 size,
        bytes32[] calldata path
    ) external view returns (bool included);

    // ----------------------------------------------------------------------------------------------------- keys

    /// @notice Lets a key sign for an organisation for a time, or sets that time anew. Role REGISTRAR. What was
    /// concluded before keeps standing. Setting the present values again is a no-op.
    /// @param organisation Identifier of the organisation, not zero.
    /// @param signer The key's address, not zero.
    /// @param validFrom First second of validity.
    /// @param validUntil First second after it; 2^64 - 1 for no end.
    function setKey(bytes32 organisation, address signer, uint64 validFrom, uint64 validUntil) external;

    /// @notice Takes a key back at once, and voids what it signed and nobody carried. Role REGISTRAR; works during a
    /// pause. Revoking a key that already ran out or was revoked is a no-op.
    /// @param organisation Identifier of the organisation.
    /// @param signer The key's address.
    function revokeKey(bytes32 organisation, address signer) external;

    /// @notice Voids every signature the calling key gave for an organisation and nobody carried yet, by moving its
    /// nonce on. For the key itself; works during a pause. Each call moves on once more.
    /// @param organisation Identifier of the organisation.
    function voidSignatures(bytes32 organisation) external;

    /// @notice What is known of a key.
    /// @param organisation Identifier of the organisation.
    /// @param signer The key's address.
    /// @return validFrom First second of validity.
    /// @return validUntil First second after it; zero when the key was never registered.
    /// @return nonce The nonce that its signatures must carry.
    function keyOf(
        bytes32 organisation,
        address signer
    ) external view returns (uint64 validFrom, uint64 validUntil, uint64 nonce);

    // ----------------------------------------------------------------------------------------------- agreements

    /// @notice Records the first version of an agreement that all its parties signed. Anyone may carry it: who sends
    /// the call has no effect. Concluding the same again is a no-op.
    /// @param agreement The version: number 1, no previous.
    /// @param signatures One for each party, in their order: 65 bytes (r, s, v) with low s, or what the party's
    /// ERC-1271 contract accepts.
    /// @return digest EIP-712 digest of the version, its key in this registry.
    function conclude(Agreement calldata agreement, bytes[] calldata signatures) external returns (bytes32 digest);

    /// @notice Records the next version of an agreement that all its parties signed; the current one becomes AMENDED.
    /// Anyone may carry it. Repeating it is a no-op. Parties may extend a version that has run out.
    /// @param current The version that stands.
    /// @param next The version that replaces it: same identifier and organisations, next number, `previous` = digest
    /// of `current`.
    /// @param signatures One for each party of `next`, in their order.
    /// @return digest EIP-712 digest of `next`.
    function amend(
        Agreement calldata current,
        Agreement calldata next,
        bytes[] calldata signatures
    ) external returns (bytes32 digest);

    /// @notice Records that all parties ended an agreement version. Anyone may carry it. Repeating it is a no-op.
    /// @param current The version that stands.
    /// @param termination Its end: same organisations, `agreement` = digest of `current`.
    /// @param signatures One for each party of `termination`, in their order.
    /// @return digest EIP-712 digest of the termination.
    function terminate(
        Agreement calldata current,
        Termination calldata termination,
        bytes[] calldata signatures
    ) external returns (bytes32 digest);

    /// @notice What is known of an agreement version.
    /// @param digest EIP-712 digest of the version.
    /// @return state Where it stands; NONE when it was never concluded here, and then all else is zero.
    /// @return version Its number.
    /// @return concludedAt Time of the block that recorded it.
    /// @return endedAt Time of the block that recorded its amendment or termination; zero before.
    /// @return effectiveFrom First second in force, as signed.
    /// @return effectiveThrough Last second in force: `validThrough` as signed, or a termination's `effectiveAt`. An
    /// amendment leaves it: the next version takes over at its own `effectiveFrom`.
    /// @return endedBy Digest of the amending version or of the termination; zero before.
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
        );

    /// @notice EIP-712 digest that the parties of an agreement version sign.
    /// @param agreement The version.
    /// @return digest keccak256(0x1901 || domain separator || struct hash).
    function agreementDigest(Agreement calldata agreement) external view returns (bytes32 digest);

    /// @notice EIP-712 digest that the parties of a termination sign.
    /// @param termination The termination.
    /// @return digest keccak256(0x1901 || domain separator || struct hash).
    function terminationDigest(Termination calldata termination) external view returns (bytes32 digest);

    // ------------------------------------------------------------------------------------------------- breaches

    /// @notice Records a confirmed breach of one stipulation. Role ARBITER. The agreement version may since have been
    /// amended or terminated. Recording the same again is a no-op.
    /// @param agreement The version, concluded here.
    /// @param stipulation Leaf hash of the stipulation: SHA-256(0x00 || its disclosure).
    /// @param index Its place among the version's stipulations, from 0.
    /// @param path Audit path from it to `agreement.stipulationsRoot`, lowest sibling first.
    /// @param commitment SHA-256 of the finding's text, not zero.
    /// @return breachId As `breachIdOf` gives it.
    function recordBreach(
        Agreement calldata agreement,
        bytes32 stipulation,
        uint32 index,
        bytes32[] calldata path,
        bytes32 commitment
    ) external returns (bytes32 breachId);

    /// @notice Closes a breach for good. Role ARBITER. Repeating the same resolution is a no-op.
    /// @param breachId The breach.
    /// @param resolution How it ended.
    /// @param commitment SHA-256 of the resolution's text, not zero.
    function resolveBreach(bytes32 breachId, Resolution resolution, bytes32 commitment) external;

    /// @notice What is known of a breach.
    /// @param breachId The breach.
    /// @return state Where it stands; NONE when it was never recorded, and then all else is zero.
    /// @return recordedAt Time of the block that recorded it.
    /// @return resolvedAt Time of the block that resolved it; zero before.
    /// @return resolutionCommitment SHA-256 of the resolution's text; zero before.
    function breachAt(
        bytes32 breachId
    )
        external
        view
        returns (BreachState state, uint64 recordedAt, uint64 resolvedAt, bytes32 resolutionCommitment);

    /// @notice Identifier of a breach: keccak256(abi.encode(agreement, stipulation, index, commitment)).
    /// @param agreement Digest of the agreement version.
    /// @param stipulation Leaf hash of the stipulation.
    /// @param index Its place among the stipulations.
    /// @param commitment SHA-256 of the finding's text.
    /// @return breachId The identifier.
    function breachIdOf(
        bytes32 agreement,
        bytes32 stipulation,
        uint32 index,
        bytes32 commitment
    ) external pure returns (bytes32 breachId);

    // ------------------------------------------------------------------------------------- the registry itself

    /// @notice Stops all writes but role changes, `revokeKey`, `voidSignatures` and the naming of a successor (a
    /// repetition of what already holds is stopped too). Role PAUSER. It lapses by itself.
    /// @dev The cool-down after a pause is as long as the longest pause: whoever holds the role, the registry is open
    /// at least half of the time.
    /// @param duration Seconds, 1 to 72 hours.
    function pause(uint64 duration) external;

    /// @notice Ends a pause early. Role PAUSER. The cool-down runs from now.
    function unpause() external;

    /// @notice When the last pause ends or ended.
    /// @return time First second at which writes are taken again; zero when there never was a pause.
    function pausedUntil() external view returns (uint64 time);

    /// @notice The earliest second at which a next pause may begin.
    /// @return time Zero when there never was a pause.
    function nextPauseFrom() external view returns (uint64 time);

    /// @notice Announces the contract that is to follow this one, or another one instead. Default admin. To be
    /// confirmed 7 days later at the earliest, so that everyone sees it coming.
    /// @param candidate Another contract, already deployed.
    function setSuccessor(address candidate) external;

    /// @notice Withdraws the announced successor. Default admin.
    function withdrawSuccessor() external;

    /// @notice Names the announced successor, for good. Default admin. It is a pointer only: nothing here changes.
    function confirmSuccessor() external;

    /// @notice The contract that follows this one.
    /// @return registry Zero while none is confirmed.
    function successor() external view returns (address registry);

    /// @notice The announced successor.
    /// @return candidate Zero when none is announced.
    /// @return confirmableFrom Earliest second to confirm it.
    function pendingSuccessor() external view returns (address candidate, uint64 confirmableFrom);

    /// @notice Random identifier of this deployment, part of the chain identity that verifiers pin.
    /// @return id Not zero.
    function deploymentId() external view returns (bytes32 id);

    /// @notice Hash of the chain identity of the epoch before this one.
    /// @return identity Zero for the first epoch.
    function predecessor() external view returns (bytes32 identity);
}
