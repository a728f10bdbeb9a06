// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IEvidenceRegistry} from "../../contracts/IEvidenceRegistry.sol";
import {NaiveTree} from "./NaiveTree.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

contract BreachesTest is RegistryFixture {
    bytes32 private constant FINDING = keccak256("finding");
    bytes32 private constant OUTCOME = keccak256("outcome");

    IEvidenceRegistry.Agreement private concluded;
    bytes32 private digest;

    function setUp() public override {
        super.setUp();
        IEvidenceRegistry.Agreement memory a = agreement(2);
        digest = conclude(a);
        concluded.agreementId = a.agreementId;
        concluded.version = a.version;
        concluded.commitment = a.commitment;
        concluded.stipulationsRoot = a.stipulationsRoot;
        concluded.stipulationCount = a.stipulationCount;
        concluded.effectiveFrom = a.effectiveFrom;
        concluded.validThrough = a.validThrough;
        concluded.deadline = a.deadline;
        for (uint256 i = 0; i < 2; ++i) concluded.parties.push(a.parties[i]);
    }

    function record(uint32 index, bytes32 commitment) private returns (bytes32) {
        bytes32[] memory tree = leaves();
        bytes32[] memory path = NaiveTree.inclusion(tree, index, 0, 5);
        vm.prank(arbiter);
        return registry.recordBreach(concluded, tree[index], index, path, commitment);
    }

    function resolve(bytes32 id, IEvidenceRegistry.Resolution resolution, bytes32 commitment) private {
        vm.prank(arbiter);
        registry.resolveBreach(id, resolution, commitment);
    }

    function refusedBreach(
        IEvidenceRegistry.Agreement memory a,
        bytes32 leaf,
        uint32 index,
        bytes32[] memory path,
        bytes memory answer
    ) private {
        refused(answer);
        vm.prank(arbiter);
        registry.recordBreach(a, leaf, index, path, FINDING);
    }

    function test_a_breach_of_any_stipulation_is_recorded_and_told_whole() public {
        bytes32[] memory tree = leaves();
        for (uint32 index = 0; index < 5; ++index) {
            bytes32 id = keccak256(abi.encode(digest, tree[index], index, FINDING));
            same(registry.breachIdOf(digest, tree[index], index, FINDING), id, "the identifier");
            bytes32[] memory path = NaiveTree.inclusion(tree, index, 0, 5);
            emitted();
            emit IEvidenceRegistry.BreachRecorded(id, digest, tree[index], index, FINDING, NOW);
            vm.prank(arbiter);
            same(registry.recordBreach(concluded, tree[index], index, path, FINDING), id, "is returned");
            assertBreach(id, IEvidenceRegistry.BreachState.CONFIRMED, NOW, 0, 0);
        }
    }

    function assertBreach(
        bytes32 id,
        IEvidenceRegistry.BreachState state,
        uint64 recordedAt,
        uint64 resolvedAt,
        bytes32 outcome
    ) private view {
        (IEvidenceRegistry.BreachState found, uint64 recorded, uint64 resolved, bytes32 commitment) = registry
            .breachAt(id);
        same(uint8(found), uint8(state), "state");
        same(recorded, recordedAt, "recorded at");
        same(resolved, resolvedAt, "resolved at");
        same(commitment, outcome, "outcome");
    }

    function test_recording_again_changes_nothing_and_another_finding_is_another_breach() public {
        bytes32 id = record(1, FINDING);
        watch();
        same(record(1, FINDING), id, "the same identifier");
        unchanged("a repeated breach");
        isTrue(record(1, OUTCOME) != id, "another finding, another breach");
    }

    function test_a_breach_is_recorded_under_an_amended_and_a_terminated_version_too() public {
        IEvidenceRegistry.Agreement memory a = concluded;
        amend(a, nextOf(a));
        record(0, FINDING);
        IEvidenceRegistry.Agreement memory second = nextOf(a);
        terminate(second, endOf(second));
        bytes32[] memory tree = leaves();
        bytes32[] memory path = NaiveTree.inclusion(tree, 2, 0, 5);
        vm.prank(arbiter);
        bytes32 id = registry.recordBreach(second, tree[2], 2, path, FINDING);
        assertBreach(id, IEvidenceRegistry.BreachState.CONFIRMED, NOW, 0, 0);
    }

    function test_a_breach_of_an_unknown_agreement_is_refused() public {
        IEvidenceRegistry.Agreement memory a = concluded;
        a.commitment = keccak256("other terms");
        bytes32[] memory tree = leaves();
        bytes memory unknown = abi.encodeWithSelector(
            IEvidenceRegistry.BreachAgreementUnknown.selector,
            registry.agreementDigest(a)
        );
        refusedBreach(a, tree[0], 0, NaiveTree.inclusion(tree, 0, 0, 5), unknown);
    }

    function test_a_stipulation_that_is_not_proven_is_refused() public {
        bytes32[] memory tree = leaves();
        bytes32[] memory path = NaiveTree.inclusion(tree, 1, 0, 5);
        bytes4 unproven = IEvidenceRegistry.BreachStipulationNotProven.selector;
        refusedBreach(concluded, tree[0], 1, path, abi.encodeWithSelector(unproven, digest, tree[0], 1));
        refusedBreach(concluded, tree[1], 0, path, abi.encodeWithSelector(unproven, digest, tree[1], 0));
        refusedBreach(concluded, tree[1], 5, path, abi.encodeWithSelector(unproven, digest, tree[1], 5));
        path[0] = keccak256("noise");
        refusedBreach(concluded, tree[1], 1, path, abi.encodeWithSelector(unproven, digest, tree[1], 1));
    }

    /// @notice A stipulations' root of zero is no root: a failed proof must not meet it.
    function test_nothing_is_proven_under_a_root_of_zero() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        (a.stipulationsRoot, a.stipulationCount) = (0, 0);
        bytes32 other = conclude(a);
        bytes memory unproven = abi.encodeWithSelector(
            IEvidenceRegistry.BreachStipulationNotProven.selector,
            other,
            FINDING,
            0
        );
        refusedBreach(a, FINDING, 0, new bytes32[](0), unproven);
    }

    function test_commitments_of_zero_are_refused() public {
        bytes32[] memory tree = leaves();
        bytes32[] memory path = NaiveTree.inclusion(tree, 0, 0, 5);
        refused(abi.encodeWithSelector(IEvidenceRegistry.BreachCommitmentZero.selector, digest));
        vm.prank(arbiter);
        registry.recordBreach(concluded, tree[0], 0, path, 0);
        bytes32 id = record(0, FINDING);
        refused(abi.encodeWithSelector(IEvidenceRegistry.BreachCommitmentZero.selector, id));
        resolve(id, IEvidenceRegistry.Resolution.CURED, 0);
    }

    function test_a_breach_is_resolved_in_each_way_for_good() public {
        for (uint8 way = 0; way < 3; ++way) {
            IEvidenceRegistry.Resolution resolution = IEvidenceRegistry.Resolution(way);
            IEvidenceRegistry.BreachState state = IEvidenceRegistry.BreachState(way + 2);
            bytes32 id = record(way, FINDING);
            vm.warp(NOW + 9);
            emitted();
            emit IEvidenceRegistry.BreachResolved(id, resolution, OUTCOME, NOW + 9);
            resolve(id, resolution, OUTCOME);
            assertBreach(id, state, NOW, NOW + 9, OUTCOME);

            watch();
            resolve(id, resolution, OUTCOME);
            unchanged("a repeated resolution");
            bytes memory closed = abi.encodeWithSelector(
                IEvidenceRegistry.BreachAlreadyResolved.selector,
                id,
                state,
                OUTCOME
            );
            refused(closed);
            resolve(id, resolution, FINDING);
            refused(closed);
            resolve(id, IEvidenceRegistry.Resolution((way + 1) % 3), OUTCOME);
            vm.warp(NOW);
        }
    }

    function test_the_ways_of_ending_have_the_names_of_the_states() public pure {
        same(uint8(IEvidenceRegistry.BreachState.DISMISSED), uint8(IEvidenceRegistry.Resolution.DISMISSED) + 2, "");
        same(uint8(IEvidenceRegistry.BreachState.CURED), uint8(IEvidenceRegistry.Resolution.CURED) + 2, "");
        same(uint8(IEvidenceRegistry.BreachState.WAIVED), uint8(IEvidenceRegistry.Resolution.WAIVED) + 2, "");
    }

    function test_an_unknown_breach_cannot_be_resolved() public {
        refused(abi.encodeWithSelector(IEvidenceRegistry.BreachUnknown.selector, FINDING));
        resolve(FINDING, IEvidenceRegistry.Resolution.WAIVED, OUTCOME);
    }

    function test_only_the_arbiter_records_and_resolves() public {
        bytes32 id = record(0, FINDING);
        bytes32 role = registry.ARBITER();
        address[4] memory others = [admin, registrar, anchorer, stranger];
        for (uint256 i = 0; i < 4; ++i) {
            refusedRole(others[i], role);
            vm.prank(others[i]);
            registry.recordBreach(concluded, FINDING, 0, new bytes32[](0), FINDING);
            refusedRole(others[i], role);
            vm.prank(others[i]);
            registry.resolveBreach(id, IEvidenceRegistry.Resolution.WAIVED, OUTCOME);
        }
    }

    /// @notice Only the stipulations that were signed can be breached: any other leaf, place or path is refused.
    function testFuzz_no_other_stipulation_is_proven(bytes32 leaf, uint32 index, bytes32[3] memory hashes) public {
        bytes32[] memory path = new bytes32[](3);
        for (uint256 i = 0; i < 3; ++i) path[i] = hashes[i];
        refusedBreach(
            concluded,
            leaf,
            index,
            path,
            abi.encodeWithSelector(
                IEvidenceRegistry.BreachStipulationNotProven.selector,
                digest,
                leaf,
                index
            )
        );
    }
}
