// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Rfc9162} from "../../contracts/Rfc9162.sol";
import {Claims} from "./Claims.sol";
import {NaiveTree} from "./NaiveTree.sol";

/// @notice The library's functions, callable.
contract Rfc9162Caller {
    function inclusionRoot(
        bytes32 leafHash,
        uint64 index,
        uint64 size,
        bytes32[] calldata path
    ) external view returns (bytes32) {
        return Rfc9162.inclusionRoot(leafHash, index, size, path);
    }

    function isConsistent(
        uint64 oldSize,
        bytes32 oldRoot,
        uint64 newSize,
        bytes32 newRoot,
        bytes32[] calldata path
    ) external view returns (bool) {
        return Rfc9162.isConsistent(oldSize, oldRoot, newSize, newRoot, path);
    }

    function nodeHash(bytes32 left, bytes32 right) external view returns (bytes32) {
        return Rfc9162.nodeHash(left, right);
    }

    /// @notice With something else left in the place where the result is read.
    function nodeHashOver(bytes32 stale, bytes32 left, bytes32 right) external view returns (bytes32) {
        assembly ("memory-safe") {
            mstore(0, stale)
        }
        return Rfc9162.nodeHash(left, right);
    }
}

contract Rfc9162Test is Claims {
    Rfc9162Caller private library_ = new Rfc9162Caller();

    // -------------------------------------------------------------------------------- against the naive reference

    function test_every_consistency_proof_up_to_40_leaves_holds() public view {
        bytes32[] memory leaves = NaiveTree.grow(1, 40);
        for (uint64 size = 2; size <= 40; ++size) {
            bytes32 root = NaiveTree.root(leaves, 0, size);
            for (uint64 old = 1; old < size; ++old) {
                bytes32[] memory path = NaiveTree.consistency(leaves, old, size);
                isTrue(
                    library_.isConsistent(old, NaiveTree.root(leaves, 0, old), size, root, path),
                    "a true consistency proof holds"
                );
            }
        }
    }

    function test_every_inclusion_proof_up_to_40_leaves_leads_to_the_root() public view {
        bytes32[] memory leaves = NaiveTree.grow(2, 40);
        for (uint64 size = 1; size <= 40; ++size) {
            bytes32 root = NaiveTree.root(leaves, 0, size);
            for (uint64 index = 0; index < size; ++index) {
                bytes32[] memory path = NaiveTree.inclusion(leaves, index, 0, size);
                same(library_.inclusionRoot(leaves[index], index, size, path), root, "the path leads to the root");
            }
        }
    }

    function testFuzz_a_node_is_hashed_as_the_compiler_hashes_it(bytes32 left, bytes32 right) public view {
        same(library_.nodeHash(left, right), sha256(abi.encodePacked(hex"01", left, right)), "same hash");
    }

    function testFuzz_a_true_consistency_proof_holds(uint256 seed, uint256 a, uint256 b) public view {
        uint64 size = uint64(within(a, 2, 48));
        uint64 old = uint64(within(b, 1, size - 1));
        bytes32[] memory leaves = NaiveTree.grow(seed, size);
        bytes32[] memory path = NaiveTree.consistency(leaves, old, size);
        isTrue(
            library_.isConsistent(
                old,
                NaiveTree.root(leaves, 0, old),
                size,
                NaiveTree.root(leaves, 0, size),
                path
            ),
            "a true consistency proof holds"
        );
    }

    function testFuzz_a_true_inclusion_proof_leads_to_the_root(uint256 seed, uint256 a, uint256 b) public view {
        uint64 size = uint64(within(a, 1, 48));
        uint64 index = uint64(within(b, 0, size - 1));
        bytes32[] memory leaves = NaiveTree.grow(seed, size);
        same(
            library_.inclusionRoot(leaves[index], index, size, NaiveTree.inclusion(leaves, index, 0, size)),
            NaiveTree.root(leaves, 0, size),
            "the path leads to the root"
        );
    }

    // ---------------------------------------------------------------------------------------------- false proofs

    /// @notice One bit of a proof's hash or of a root, one hash fewer, one more, two exchanged: always refused.
    function testFuzz_an_altered_consistency_proof_is_refused(
        uint256 seed,
        uint256 a,
        uint256 b,
        uint256 alteration
    ) public view {
        uint64 size = uint64(within(a, 2, 48));
        uint64 old = uint64(within(b, 1, size - 1));
        bytes32[] memory leaves = NaiveTree.grow(seed, size);
        bytes32[2] memory roots = [NaiveTree.root(leaves, 0, old), NaiveTree.root(leaves, 0, size)];
        bytes32[] memory path = NaiveTree.consistency(leaves, old, size);
        uint256 kind = alteration % 6;
        if (kind < 2) roots[kind] = flipped(roots[kind], alteration >> 8);
        else path = altered(path, kind - 2, alteration >> 8);
        isTrue(!library_.isConsistent(old, roots[0], size, roots[1], path), "an altered proof is refused");
    }

    function testFuzz_an_altered_inclusion_proof_does_not_lead_to_the_root(
        uint256 seed,
        uint256 a,
        uint256 b,
        uint256 alteration
    ) public view {
        uint64 size = uint64(within(a, 2, 48));
        uint64 index = uint64(within(b, 0, size - 1));
        bytes32[] memory leaves = NaiveTree.grow(seed, size);
        bytes32[] memory path = NaiveTree.inclusion(leaves, index, 0, size);
        bytes32 leaf = leaves[index];
        if (alteration % 5 == 4) leaf = flipped(leaf, alteration >> 8);
        else path = altered(path, alteration % 5, alteration >> 8);
        isTrue(
            library_.inclusionRoot(leaf, index, size, path) != NaiveTree.root(leaves, 0, size),
            "an altered path leads elsewhere"
        );
    }

    /// @notice A larger tree that changes one of the old leaves is refused, though its own root and size are right
    /// and the proof is the best that can be made from it.
    function testFuzz_a_forked_tree_is_refused(uint256 seed, uint256 a, uint256 b, uint256 c) public view {
        uint64 size = uint64(within(a, 2, 48));
        uint64 old = uint64(within(b, 1, size - 1));
        bytes32[] memory leaves = NaiveTree.grow(seed, size);
        bytes32 oldRoot = NaiveTree.root(leaves, 0, old);
        leaves[within(c, 0, old - 1)] ^= bytes32(uint256(1));
        isTrue(
            !library_.isConsistent(
                old,
                oldRoot,
                size,
                NaiveTree.root(leaves, 0, size),
                NaiveTree.consistency(leaves, old, size)
            ),
            "a forked tree is refused"
        );
    }

    /// @notice Whatever sizes and hashes are given, there is an answer: no panic, no endless loop.
    function testFuzz_any_input_is_answered(
        uint64 old,
        uint64 size,
        bytes32 root,
        bytes32[] calldata path
    ) public view {
        old = uint64(within(old, 1, type(uint64).max - 1));
        size = uint64(within(size, uint256(old) + 1, type(uint64).max));
        isTrue(!library_.isConsistent(old, root, size, keccak256(abi.encode(root)), path), "noise is refused");
        library_.inclusionRoot(root, old, size, path);
    }

    function test_a_leaf_outside_the_tree_leads_nowhere() public view {
        bytes32[] memory path = new bytes32[](0);
        same(library_.inclusionRoot(bytes32(uint256(1)), 1, 1, path), 0, "index = size");
        same(library_.inclusionRoot(bytes32(uint256(1)), 0, 0, path), 0, "the empty tree");
        same(library_.inclusionRoot(bytes32(uint256(1)), type(uint64).max, type(uint64).max, path), 0, "the end");
    }

    /// @notice The root, or any inner node above a leaf, shown as if it were that leaf: its path is too short.
    function test_no_inner_node_passes_as_a_leaf() public view {
        bytes32[] memory leaves = NaiveTree.grow(3, 16);
        for (uint64 size = 2; size <= 16; ++size) {
            bytes32[] memory path = NaiveTree.inclusion(leaves, 0, 0, size);
            for (uint256 levels = 1; levels <= path.length; ++levels) {
                uint256 width = 1 << levels;
                bytes32 inner = NaiveTree.root(leaves, 0, width < size ? width : size);
                bytes32[] memory rest = new bytes32[](path.length - levels);
                for (uint256 i = 0; i < rest.length; ++i) rest[i] = path[levels + i];
                same(library_.inclusionRoot(inner, 0, size, rest), 0, "an inner node leads nowhere");
            }
        }
    }

    /// @notice A true proof does not serve for a size whose tree is higher.
    function test_a_consistency_proof_does_not_serve_for_a_higher_tree() public view {
        bytes32[] memory leaves = NaiveTree.grow(4, 16);
        for (uint64 size = 2; size <= 16; ++size) {
            bytes32 root = NaiveTree.root(leaves, 0, size);
            for (uint64 old = 1; old < size; ++old) {
                bytes32 oldRoot = NaiveTree.root(leaves, 0, old);
                bytes32[] memory path = NaiveTree.consistency(leaves, old, size);
                for (uint64 claimed = 32; claimed <= 2 ** 62; claimed *= 2) {
                    isTrue(!library_.isConsistent(old, oldRoot, claimed, root, path), "refused for more leaves");
                }
            }
        }
    }

    function test_an_empty_consistency_proof_shows_nothing() public view {
        isTrue(!library_.isConsistent(1, bytes32(uint256(1)), 2, bytes32(uint256(1)), new bytes32[](0)), "empty");
    }

    /// @notice On a chain without SHA-256 at address 2 nothing can be proven, rather than anything.
    function test_without_the_precompile_every_hash_is_zero() public {
        vm.mockCall(address(2), "", "");
        same(library_.nodeHashOver(keccak256("stale"), keccak256("left"), keccak256("right")), 0, "no hash");
    }

    // ----------------------------------------------------------------------------------------------- alterations

    function flipped(bytes32 hash, uint256 bit) private pure returns (bytes32) {
        return hash ^ bytes32(uint256(1) << (bit % 256));
    }

    function altered(bytes32[] memory path, uint256 kind, uint256 where) private pure returns (bytes32[] memory) {
        uint256 length = path.length;
        if (kind == 3) {
            bytes32[] memory longer = new bytes32[](length + 1);
            uint256 place = where % (length + 1);
            for (uint256 i = 0; i <= length; ++i) {
                longer[i] = i < place ? path[i] : i == place ? keccak256(abi.encode(where)) : path[i - 1];
            }
            return longer;
        }
        if (kind == 2) {
            bytes32[] memory shorter = new bytes32[](length - 1);
            uint256 gone = where % length;
            for (uint256 i = 0; i < length - 1; ++i) shorter[i] = path[i < gone ? i : i + 1];
            return shorter;
        }
        if (kind == 1 && length > 1) {
            uint256 place = where % (length - 1);
            (path[place], path[place + 1]) = (path[place + 1], path[place]);
            return path;
        }
        path[where % length] = flipped(path[where % length], where >> 8);
        return path;
    }
}
