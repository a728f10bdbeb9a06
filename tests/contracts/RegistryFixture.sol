// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EvidenceRegistry} from "../../contracts/EvidenceRegistry.sol";
import {IEvidenceRegistry} from "../../contracts/IEvidenceRegistry.sol";
import {Claims, Vm} from "./Claims.sol";
import {NaiveTree} from "./NaiveTree.sol";

/// @notice A registry with every role held, eight organisations with a key each, and what it takes to sign for them.
abstract contract RegistryFixture is Claims {
    uint64 internal constant NOW = 1_800_000_000;
    uint64 internal constant FOREVER = type(uint64).max;
    bytes32 internal constant DEPLOYMENT = keccak256("deployment");
    bytes32 internal constant FORMER = keccak256("former epoch");
    uint256 internal constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    address internal admin = address(0xAD);
    address internal anchorer = address(0xA1);
    address internal registrar = address(0xA2);
    address internal arbiter = address(0xA3);
    address internal pauser = address(0xA4);
    address internal stranger = address(0xBAD);
    EvidenceRegistry internal registry;
    address[] private _signers;

    function setUp() public virtual {
        vm.warp(NOW);
        vm.roll(7);
        for (uint256 i = 0; i < 9; ++i) _signers.push(vm.addr(secret(i)));
        registry = deploy();
        grantRoles(registry);
        for (uint256 i = 0; i < 8; ++i) setKey(i, NOW - 1, FOREVER);
    }

    /// @notice A registry of the bytecode that ships when TALENTSEAL_SHIPPED says so, else compiled with the tests.
    function deploy() internal returns (EvidenceRegistry made) {
        if (!vm.envOr("TALENTSEAL_SHIPPED", false)) {
            return new EvidenceRegistry(admin, 2 days, DEPLOYMENT, FORMER);
        }
        string memory artifact = vm.readFile("../backend/talentseal/chain/EvidenceRegistry.json");
        bytes memory code = bytes.concat(
            vm.parseJsonBytes(artifact, ".bytecode"),
            abi.encode(admin, 2 days, DEPLOYMENT, FORMER)
        );
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
        isTrue(address(made) != address(0), "the shipped bytecode is deployed");
    }

    function grantRoles(EvidenceRegistry to) internal {
        bytes32[4] memory roles = [to.ANCHOR(), to.REGISTRAR(), to.ARBITER(), to.PAUSER()];
        address[4] memory holders = [anchorer, registrar, arbiter, pauser];
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(admin);
            to.grantRole(roles[i], holders[i]);
        }
    }

    // ---------------------------------------------------------------------------------------- parties and keys

    /// @notice Organisations, ascending.
    function organisation(uint256 i) internal pure returns (bytes32) {
        return bytes32((i + 1) << 240);
    }

    function secret(uint256 i) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("secret", i))) % ORDER;
    }

    function signer(uint256 i) internal view returns (address) {
        return _signers[i];
    }

    function setKey(uint256 i, uint64 from, uint64 until) internal {
        vm.prank(registrar);
        registry.setKey(organisation(i), signer(i), from, until);
    }

    function parties(uint256 count) internal view returns (IEvidenceRegistry.Party[] memory list) {
        list = new IEvidenceRegistry.Party[](count);
        for (uint256 i = 0; i < count; ++i) list[i] = IEvidenceRegistry.Party(organisation(i), signer(i), 0);
    }

    function signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function signatures(uint256 count, bytes32 digest) internal pure returns (bytes[] memory list) {
        list = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) list[i] = signature(secret(i), digest);
    }

    // ----------------------------------------------------------------------------------------------- agreements

    function agreement(uint256 count) internal view returns (IEvidenceRegistry.Agreement memory made) {
        made.agreementId = keccak256("agreement");
        made.version = 1;
        made.commitment = sha256("terms");
        bytes32[] memory stipulations = leaves();
        made.stipulationsRoot = NaiveTree.root(stipulations, 0, stipulations.length);
        made.stipulationCount = uint32(stipulations.length);
        made.effectiveFrom = NOW;
        made.validThrough = NOW + 365 days;
        made.deadline = NOW + 1 days;
        made.parties = parties(count);
    }

    /// @notice Leaf hashes of the five stipulations of every `agreement`.
    function leaves() internal pure returns (bytes32[] memory) {
        return NaiveTree.grow(5, 5);
    }

    function conclude(IEvidenceRegistry.Agreement memory given) internal returns (bytes32 digest) {
        digest = registry.agreementDigest(given);
        registry.conclude(given, signatures(given.parties.length, digest));
    }

    function nextOf(
        IEvidenceRegistry.Agreement memory current
    ) internal view returns (IEvidenceRegistry.Agreement memory next) {
        next = agreement(current.parties.length);
        next.version = current.version + 1;
        next.previous = registry.agreementDigest(current);
        next.commitment = sha256(abi.encode("terms", next.version));
    }

    function amend(
        IEvidenceRegistry.Agreement memory current,
        IEvidenceRegistry.Agreement memory next
    ) internal returns (bytes32 digest) {
        digest = registry.agreementDigest(next);
        registry.amend(current, next, signatures(next.parties.length, digest));
    }

    function endOf(
        IEvidenceRegistry.Agreement memory current
    ) internal view returns (IEvidenceRegistry.Termination memory end) {
        end.agreement = registry.agreementDigest(current);
        end.commitment = sha256("termination");
        end.effectiveAt = NOW + 30 days;
        end.deadline = NOW + 1 days;
        end.parties = parties(current.parties.length);
    }

    function terminate(
        IEvidenceRegistry.Agreement memory current,
        IEvidenceRegistry.Termination memory end
    ) internal returns (bytes32 digest) {
        digest = registry.terminationDigest(end);
        registry.terminate(current, end, signatures(end.parties.length, digest));
    }

    function stateOf(bytes32 digest) internal view returns (IEvidenceRegistry.AgreementState state) {
        (state, , , , , , ) = registry.agreementAt(digest);
    }

    // ----------------------------------------------------------------------------------------------------- heads

    /// @notice Anchors the first `size` of the leaves, from the present head.
    function anchor(bytes32[] memory tree, uint64 size) internal returns (bytes32 root) {
        (uint64 last, bytes32 lastRoot, , ) = registry.head();
        root = NaiveTree.root(tree, 0, size);
        bytes32[] memory proof = last == 0 ? new bytes32[](0) : NaiveTree.consistency(tree, last, size);
        vm.prank(anchorer);
        registry.anchor(last, lastRoot, size, root, proof);
    }

    // ---------------------------------------------------------------------------------------------------- claims

    /// @notice The next call is refused with exactly this answer.
    function refused(bytes memory answer) internal {
        vm.expectRevert(answer);
    }

    /// @notice The next call is refused for want of a role.
    function refusedRole(address caller, bytes32 role) internal {
        vm.expectRevert(
            abi.encodeWithSignature("AccessControlUnauthorizedAccount(address,bytes32)", caller, role)
        );
    }

    /// @notice The next log is checked in every topic and byte; the test emits it as expected, then acts.
    function emitted() internal {
        vm.expectEmit(true, true, true, true, address(registry));
    }

    /// @notice Begins to watch what `unchanged` claims.
    function watch() internal {
        vm.record();
        vm.recordLogs();
    }

    /// @notice Since `watch`, the registry wrote to no slot and emitted nothing.
    function unchanged(string memory claim) internal {
        (, bytes32[] memory writes) = vm.accesses(address(registry));
        same(writes.length, 0, string.concat(claim, ": storage"));
        same(vm.getRecordedLogs().length, 0, string.concat(claim, ": events"));
    }
}
