// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IEvidenceRegistry} from "../../contracts/IEvidenceRegistry.sol";
import {NaiveTree} from "./NaiveTree.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

contract CheckpointLogTest is RegistryFixture {
    bytes32[] private none = new bytes32[](0);

    function anchorAs(
        address caller,
        uint64 last,
        bytes32 lastRoot,
        uint64 size,
        bytes32 root,
        bytes32[] memory proof
    ) private {
        vm.prank(caller);
        registry.anchor(last, lastRoot, size, root, proof);
    }

    // --------------------------------------------------------------------------------------------------- heads

    function test_before_the_first_head_all_is_zero() public view {
        (uint64 size, bytes32 root, uint64 anchoredAt, uint64 blockNumber) = registry.head();
        same(uint256(size) + anchoredAt + blockNumber, 0, "sizes and times");
        same(root, 0, "root");
    }

    function test_the_first_head_needs_no_proof_and_is_told_whole() public {
        emitted();
        emit IEvidenceRegistry.CheckpointAnchored(3, keccak256("root"), 0, 0, NOW, 7);
        anchorAs(anchorer, 0, 0, 3, keccak256("root"), none);
        (uint64 size, bytes32 root, uint64 anchoredAt, uint64 blockNumber) = registry.head();
        same(size, 3, "size");
        same(root, keccak256("root"), "root");
        same(anchoredAt, NOW, "time");
        same(blockNumber, 7, "block");
    }

    function test_a_second_head_stands_beside_the_first() public {
        bytes32[] memory tree = NaiveTree.grow(1, 20);
        bytes32 first = anchor(tree, 7);
        vm.warp(NOW + 5);
        vm.roll(9);
        bytes32 second = NaiveTree.root(tree, 0, 20);
        bytes32[] memory proof = NaiveTree.consistency(tree, 7, 20);
        emitted();
        emit IEvidenceRegistry.CheckpointAnchored(20, second, 7, first, NOW + 5, 9);
        anchorAs(anchorer, 7, first, 20, second, proof);
        same(registry.headAt(7), first, "the first root stays");
        same(registry.headAt(20), second, "the second is there");
        same(registry.headAt(8), 0, "no other is");
    }

    function test_repeating_the_present_head_changes_nothing_whatever_else_is_said() public {
        bytes32[] memory tree = NaiveTree.grow(1, 9);
        anchor(tree, 4);
        bytes32 root = anchor(tree, 9);
        watch();
        anchorAs(anchorer, 4, NaiveTree.root(tree, 0, 4), 9, root, NaiveTree.consistency(tree, 4, 9));
        anchorAs(anchorer, 77, keccak256("noise"), 9, root, none);
        unchanged("a repeated head");
    }

    // ------------------------------------------------------------------------------------------------- refusals

    function test_only_the_anchor_role_anchors() public {
        address[4] memory others = [admin, registrar, arbiter, stranger];
        bytes32 role = registry.ANCHOR();
        for (uint256 i = 0; i < 4; ++i) {
            refusedRole(others[i], role);
            anchorAs(others[i], 0, 0, 1, keccak256("root"), none);
        }
    }

    function test_a_root_of_zero_is_refused() public {
        refused(abi.encodeWithSelector(IEvidenceRegistry.CheckpointRootZero.selector, 5));
        anchorAs(anchorer, 0, 0, 5, 0, none);
        refused(abi.encodeWithSelector(IEvidenceRegistry.CheckpointRootZero.selector, 0));
        anchorAs(anchorer, 0, 0, 0, 0, none);
    }

    function test_an_empty_first_head_is_refused() public {
        refused(abi.encodeWithSelector(IEvidenceRegistry.CheckpointNotGrowing.selector, 0, 0));
        anchorAs(anchorer, 0, 0, 0, keccak256("root"), none);
    }

    function test_a_first_head_with_a_proof_is_refused() public {
        bytes32 root = keccak256("root");
        refused(
            abi.encodeWithSelector(IEvidenceRegistry.CheckpointInconsistent.selector, 0, bytes32(0), 2, root)
        );
        anchorAs(anchorer, 0, 0, 2, root, new bytes32[](1));
    }

    function test_a_head_built_on_another_size_or_root_is_refused() public {
        bytes32[] memory tree = NaiveTree.grow(1, 9);
        bytes32 root = anchor(tree, 4);
        bytes32 next = NaiveTree.root(tree, 0, 9);
        bytes32[] memory proof = NaiveTree.consistency(tree, 4, 9);
        bytes4 moved = IEvidenceRegistry.CheckpointHeadMoved.selector;
        refused(abi.encodeWithSelector(moved, 4, root, 3, root));
        anchorAs(anchorer, 3, root, 9, next, proof);
        refused(abi.encodeWithSelector(moved, 4, root, 4, next));
        anchorAs(anchorer, 4, next, 9, next, proof);
        refused(abi.encodeWithSelector(moved, 4, root, 0, bytes32(0)));
        anchorAs(anchorer, 0, 0, 9, next, none);
    }

    function test_a_smaller_head_and_another_root_of_the_same_size_are_refused() public {
        bytes32[] memory tree = NaiveTree.grow(1, 9);
        bytes32 root = anchor(tree, 9);
        bytes32 former = NaiveTree.root(tree, 0, 8);
        bytes4 stuck = IEvidenceRegistry.CheckpointNotGrowing.selector;
        refused(abi.encodeWithSelector(stuck, 9, 8));
        anchorAs(anchorer, 9, root, 8, former, none);
        refused(abi.encodeWithSelector(stuck, 9, 9));
        anchorAs(anchorer, 9, root, 9, keccak256("fork"), none);
    }

    function test_a_head_without_its_proof_is_refused() public {
        bytes32[] memory tree = NaiveTree.grow(1, 9);
        bytes32 root = anchor(tree, 4);
        bytes32 next = NaiveTree.root(tree, 0, 9);
        refused(abi.encodeWithSelector(IEvidenceRegistry.CheckpointInconsistent.selector, 4, root, 9, next));
        anchorAs(anchorer, 4, root, 9, next, none);
    }

    // ------------------------------------------------------------------------------------------------ inclusion

    function test_every_leaf_is_found_under_every_anchored_head_and_no_other() public {
        bytes32[] memory tree = NaiveTree.grow(3, 21);
        anchor(tree, 13);
        anchor(tree, 21);
        for (uint64 index = 0; index < 13; ++index) {
            bytes32[] memory path = NaiveTree.inclusion(tree, index, 0, 13);
            isTrue(registry.verifyInclusion(tree[index], index, 13, path), "in the first head");
            isTrue(!registry.verifyInclusion(tree[index], index, 21, path), "not by that path in the second");
            isTrue(!registry.verifyInclusion(tree[index], index + 1, 13, path), "not at another place");
            isTrue(!registry.verifyInclusion(tree[index + 1], index, 13, path), "not another leaf");
            isTrue(!registry.verifyInclusion(tree[index], index, 12, path), "not in a size never anchored");
        }
    }

    function test_nothing_is_included_before_the_first_head() public view {
        isTrue(!registry.verifyInclusion(0, 0, 0, none), "not in the empty tree");
        isTrue(!registry.verifyInclusion(0, 0, 1, none), "a zero leaf is not a zero root");
    }

    // --------------------------------------------------------------------------------------------------- fuzzed

    /// @notice A log that grows by any steps is taken whole, and each root stays what it was.
    function testFuzz_a_growing_log_is_taken(uint256 seed, uint8[6] memory steps) public {
        bytes32[] memory tree = NaiveTree.grow(seed, 60);
        uint64 size = 0;
        for (uint256 i = 0; i < 6; ++i) {
            size += uint64(within(steps[i], 1, 10));
            anchor(tree, size);
        }
        (uint64 last, , , ) = registry.head();
        same(last, size, "the head is the last step");
        size = 0;
        for (uint256 i = 0; i < 6; ++i) {
            size += uint64(within(steps[i], 1, 10));
            same(registry.headAt(size), NaiveTree.root(tree, 0, size), "each root stays");
        }
    }

    /// @notice No larger head over a changed past is taken, with any proof of the right length.
    function testFuzz_a_forked_log_is_refused(uint256 seed, uint256 a, uint256 b, uint256 c, bool noise) public {
        uint64 size = uint64(within(a, 2, 40));
        uint64 old = uint64(within(b, 1, size - 1));
        bytes32[] memory tree = NaiveTree.grow(seed, size);
        bytes32 oldRoot = anchor(tree, old);
        tree[within(c, 0, old - 1)] = keccak256("rewritten");
        bytes32 root = NaiveTree.root(tree, 0, size);
        bytes32[] memory proof = NaiveTree.consistency(tree, old, size);
        if (noise) {
            for (uint256 i = 0; i < proof.length; ++i) proof[i] = keccak256(abi.encode(seed, i));
        }
        refused(
            abi.encodeWithSelector(IEvidenceRegistry.CheckpointInconsistent.selector, old, oldRoot, size, root)
        );
        anchorAs(anchorer, old, oldRoot, size, root, proof);
    }
}
