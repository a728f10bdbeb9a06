// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {AgreementBook} from "./AgreementBook.sol";
import {CheckpointLog} from "./CheckpointLog.sol";
import {IEvidenceRegistry} from "./IEvidenceRegistry.sol";

// Times are seconds to days here: the few seconds by which a block's author can move its time decide nothing.
// slither-disable-start timestamp

/// @title TalentSeal evidence registry
/// @notice The one deployed contract: says who may write and whether writes are paused; its two halves do the rest.
/// @dev Not upgradeable. The admin is one account, changed in two steps with a delay; it grants the four roles, none
/// of which can edit or delete what is recorded. Role changes go on during a pause, so that a stolen key can be
/// taken back.
contract EvidenceRegistry is CheckpointLog, AgreementBook, AccessControlDefaultAdminRules {
    /// @dev One slot, 128 of 256 bits, from the low end.
    struct Pause {
        uint64 until; // first second at which writes are taken again
        uint64 nextFrom; // first second at which another pause may begin
    }

    /// @dev One slot, 224 of 256 bits, from the low end.
    struct Announcement {
        address candidate;
        uint64 confirmableFrom; // seconds
    }

    /// @notice May move the log's head on.
    bytes32 public constant ANCHOR = keccak256("ANCHOR");
    /// @notice May register and revoke keys.
    bytes32 public constant REGISTRAR = keccak256("REGISTRAR");
    /// @notice May record and resolve breaches.
    bytes32 public constant ARBITER = keccak256("ARBITER");
    /// @notice May stop writes for a while.
    bytes32 public constant PAUSER = keccak256("PAUSER");

    /// @notice Longest pause, and the cool-down after any.
    uint64 public constant LONGEST_PAUSE = 72 hours;
    /// @notice Time between announcing and confirming a successor.
    uint64 public constant SUCCESSOR_DELAY = 7 days;

    bytes32 private immutable _deploymentId;
    bytes32 private immutable _predecessor;
    Pause private _pause;
    Announcement private _announcement;
    address private _successor;

    /// @notice Refuses a write during a pause.
    modifier whenOpen() {
        _requireOpen();
        _;
    }

    /// @param admin The first default admin, not zero.
    /// @param adminDelay Seconds between the two steps of handing the admin's role on.
    /// @param deploymentId_ Random identifier of this deployment, not zero.
    /// @param predecessor_ Hash of the former epoch's chain identity; zero for the first epoch.
    constructor(
        address admin,
        uint48 adminDelay,
        bytes32 deploymentId_,
        bytes32 predecessor_
    ) AccessControlDefaultAdminRules(adminDelay, admin) {
        if (deploymentId_ == 0) revert RegistryDeploymentIdZero();
        _deploymentId = deploymentId_;
        _predecessor = predecessor_;
    }

    // ------------------------------------------------------------------------------------------- recorded writes

    /// @inheritdoc IEvidenceRegistry
    function anchor(
        uint64 prevSize,
        bytes32 prevRoot,
        uint64 size,
        bytes32 root,
        bytes32[] calldata proof
    ) external onlyRole(ANCHOR) whenOpen {
        _anchor(prevSize, prevRoot, size, root, proof);
    }

    /// @inheritdoc IEvidenceRegistry
    function setKey(
        bytes32 organisation,
        address signer,
        uint64 validFrom,
        uint64 validUntil
    ) external onlyRole(REGISTRAR) whenOpen {
        _setKey(organisation, signer, validFrom, validUntil);
    }

    /// @inheritdoc IEvidenceRegistry
    function revokeKey(bytes32 organisation, address signer) external onlyRole(REGISTRAR) {
        _revokeKey(organisation, signer);
    }

    /// @inheritdoc IEvidenceRegistry
    function conclude(
        Agreement calldata agreement,
        bytes[] calldata signatures
    ) external whenOpen returns (bytes32 digest) {
        return _conclude(agreement, signatures);
    }

    /// @inheritdoc IEvidenceRegistry
    function amend(
        Agreement calldata current,
        Agreement calldata next,
        bytes[] calldata signatures
    ) external whenOpen returns (bytes32 digest) {
        return _amend(current, next, signatures);
    }

    /// @inheritdoc IEvidenceRegistry
    function terminate(
        Agreement calldata current,
        Termination calldata termination,
        bytes[] calldata signatures
    ) external whenOpen returns (bytes32 digest) {
        return _terminate(current, termination, signatures);
    }

    /// @inheritdoc IEvidenceRegistry
    function recordBreach(
        Agreement calldata agreement,
        bytes32 stipulation,
        uint32 index,
        bytes32[] calldata path,
        bytes32 commitment
    ) external onlyRole(ARBITER) whenOpen returns (bytes32 breachId) {
        return _recordBreach(agreement, stipulation, index, path, commitment);
    }

    /// @inheritdoc IEvidenceRegistry
    function resolveBreach(
        bytes32 breachId,
        Resolution resolution,
        bytes32 commitment
    ) external onlyRole(ARBITER) whenOpen {
        _resolveBreach(breachId, resolution, commitment);
    }

    // ---------------------------------------------------------------------------------------------------- pause

    /// @inheritdoc IEvidenceRegistry
    function pause(uint64 duration) external onlyRole(PAUSER) {
        if (duration == 0 || duration > LONGEST_PAUSE) revert RegistryPauseDuration(duration, LONGEST_PAUSE);
        uint64 time = uint64(block.timestamp);
        uint64 nextFrom = _pause.nextFrom;
        if (time < nextFrom) revert RegistryPauseTooSoon(nextFrom);
        uint64 until = time + duration;
        nextFrom = until + LONGEST_PAUSE;
        _pause = Pause(until, nextFrom);
        emit RegistryPaused(msg.sender, until, nextFrom);
    }

    /// @inheritdoc IEvidenceRegistry
    function unpause() external onlyRole(PAUSER) {
        uint64 time = uint64(block.timestamp);
        if (time >= _pause.until) revert RegistryNotPaused();
        uint64 nextFrom = time + LONGEST_PAUSE;
        _pause = Pause(time, nextFrom);
        emit RegistryUnpaused(msg.sender, time, nextFrom);
    }

    /// @inheritdoc IEvidenceRegistry
    function pausedUntil() external view returns (uint64 time) {
        return _pause.until;
    }

    /// @inheritdoc IEvidenceRegistry
    function nextPauseFrom() external view returns (uint64 time) {
        return _pause.nextFrom;
    }

    // ------------------------------------------------------------------------------------------------- successor

    /// @inheritdoc IEvidenceRegistry
    function setSuccessor(address candidate) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (_successor != address(0)) revert SuccessorAlreadyConfirmed(_successor);
        if (candidate == address(this) || candidate.code.length == 0) revert SuccessorNotAContract(candidate);
        uint64 confirmableFrom = uint64(block.timestamp) + SUCCESSOR_DELAY;
        _announcement = Announcement(candidate, confirmableFrom);
        emit SuccessorAnnounced(candidate, confirmableFrom);
    }

    /// @inheritdoc IEvidenceRegistry
    function withdrawSuccessor() external onlyRole(DEFAULT_ADMIN_ROLE) {
        address candidate = _announced().candidate;
        delete _announcement;
        emit SuccessorWithdrawn(candidate);
    }

    /// @inheritdoc IEvidenceRegistry
    function confirmSuccessor() external onlyRole(DEFAULT_ADMIN_ROLE) {
        Announcement memory announced = _announced();
        if (block.timestamp < announced.confirmableFrom) revert SuccessorTooSoon(announced.confirmableFrom);
        _successor = announced.candidate;
        delete _announcement;
        emit SuccessorConfirmed(announced.candidate);
    }

    /// @inheritdoc IEvidenceRegistry
    function successor() external view returns (address registry) {
        return _successor;
    }

    /// @inheritdoc IEvidenceRegistry
    function pendingSuccessor() external view returns (address candidate, uint64 confirmableFrom) {
        return (_announcement.candidate, _announcement.confirmableFrom);
    }

    // -------------------------------------------------------------------------------------------------- identity

    /// @inheritdoc IEvidenceRegistry
    function deploymentId() external view returns (bytes32 id) {
        return _deploymentId;
    }

    /// @inheritdoc IEvidenceRegistry
    function predecessor() external view returns (bytes32 identity) {
        return _predecessor;
    }

    /// @notice Which interfaces this contract has (ERC-165).
    /// @param interfaceId The interface.
    /// @return supported True for the registry's own, for access control's and for ERC-165.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool supported) {
        return interfaceId == type(IEvidenceRegistry).interfaceId || super.supportsInterface(interfaceId);
    }

    // -------------------------------------------------------------------------------------------------- checking

    /// @notice Writes are taken from `_pause.until` on.
    function _requireOpen() private view {
        uint64 until = _pause.until;
        if (block.timestamp < until) revert RegistryPausedUntil(until);
    }

    /// @notice The announced successor, if there is one.
    /// @return announced The announcement.
    function _announced() private view returns (Announcement memory announced) {
        announced = _announcement;
        if (announced.candidate == address(0)) revert SuccessorNotAnnounced();
    }
}

// slither-disable-end timestamp
