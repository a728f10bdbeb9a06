// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Proofs over append-only Merkle trees (RFC 9162 §2.1), SHA-256
/// @notice Hashing only: no storage, no roles, no notion of time.
/// @dev Proofs are read from calldata. Sizes are `uint64` and so are indices: no arithmetic below can overflow.
library Rfc9162 {
    /// @notice Root that an audit path leads to (RFC 9162 §2.1.3.2).
    /// @param leafHash Hash of the leaf.
    /// @param index Place of the leaf, from 0.
    /// @param size Leaves in the tree.
    /// @param path Siblings, lowest first.
    /// @return root The root; zero when `index` is outside the tree or the path is too long or too short for it. No
    /// SHA-256 input is known that gives zero, so zero never equals a root that was stored.
    function inclusionRoot(
        bytes32 leafHash,
        uint64 index,
        uint64 size,
        bytes32[] calldata path
    ) internal view returns (bytes32 root) {
        if (index >= size) return 0;
        uint256 node = index;
        uint256 last = size - 1;
        root = leafHash;
        for (uint256 i = 0; i < path.length; ++i) {
            if (last == 0) return 0;
            if (node & 1 == 1 || node == last) {
                root = nodeHash(path[i], root);
                // A node that ends its level has no sibling there: go up to the level where it is a right child.
                while (node & 1 == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                root = nodeHash(root, path[i]);
            }
            node >>= 1;
            last >>= 1;
        }
        if (last != 0) return 0;
    }

    /// @notice Whether a larger tree begins with all leaves of a smaller one (RFC 9162 §2.1.4.2).
    /// @param oldSize Leaves of the smaller tree, not zero.
    /// @param oldRoot Its root.
    /// @param newSize Leaves of the larger tree, above `oldSize`.
    /// @param newRoot Its root.
    /// @param path Consistency path.
    /// @return consistent True when the path leads to both roots.
    function isConsistent(
        uint64 oldSize,
        bytes32 oldRoot,
        uint64 newSize,
        bytes32 newRoot,
        bytes32[] calldata path
    ) internal view returns (bool consistent) {
        if (path.length == 0) return false;
        uint256 node = oldSize - 1;
        uint256 last = newSize - 1;
        while (node & 1 == 1) {
            node >>= 1;
            last >>= 1;
        }
        // A smaller tree whose size is a power of two is itself a node of the larger: its root begins the path.
        uint256 next = node == 0 ? 0 : 1;
        bytes32 old = node == 0 ? oldRoot : path[0];
        bytes32 grown = old;
        for (; next < path.length; ++next) {
            if (last == 0) return false;
            bytes32 sibling = path[next];
            if (node & 1 == 1 || node == last) {
                old = nodeHash(sibling, old);
                grown = nodeHash(sibling, grown);
                while (node & 1 == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                grown = nodeHash(grown, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && old == oldRoot && grown == newRoot;
    }

    /// @notice SHA-256(0x01 || left || right).
    /// @dev In assembly because a head over 1,000,000 entries takes up to 40 of these, and the compiler's own
    /// `sha256(abi.encodePacked(…))` costs three times as much. The input is laid beyond the free memory pointer,
    /// which is not moved, the result in the scratch space. Should the precompile be absent, or fail, the hash is
    /// zero, which equals no stored root.
    /// @param left Left child.
    /// @param right Right child.
    /// @return hash The node's hash.
    function nodeHash(bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
        // The one piece of assembly; its reason is above.
        // slither-disable-next-line assembly
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore8(input, 1)
            mstore(add(input, 1), left)
            mstore(add(input, 33), right)
            let done := staticcall(gas(), 2, input, 65, 0, 32)
            hash := mul(mload(0), and(done, eq(returndatasize(), 32)))
        }
    }
}
