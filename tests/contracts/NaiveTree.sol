// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @notice RFC 9162 §2.1 word for word: recursive definitions over a list of leaf hashes, no shortcuts. It shares no
/// line with the library it judges.
library NaiveTree {
    /// @notice MTH(D[from:to]).
    function root(bytes32[] memory leaves, uint256 from, uint256 to) internal pure returns (bytes32) {
        if (to == from) return sha256("");
        if (to - from == 1) return leaves[from];
        uint256 k = split(to - from);
        return sha256(abi.encodePacked(hex"01", root(leaves, from, from + k), root(leaves, from + k, to)));
    }

    /// @notice PATH(index, D[from:to]).
    function inclusion(
        bytes32[] memory leaves,
        uint256 index,
        uint256 from,
        uint256 to
    ) internal pure returns (bytes32[] memory) {
        if (to - from == 1) return new bytes32[](0);
        uint256 k = split(to - from);
        if (index < from + k) {
            return joined(inclusion(leaves, index, from, from + k), root(leaves, from + k, to));
        }
        return joined(inclusion(leaves, index, from + k, to), root(leaves, from, from + k));
    }

    /// @notice PROOF(old, D[0:size]).
    function consistency(
        bytes32[] memory leaves,
        uint256 old,
        uint256 size
    ) internal pure returns (bytes32[] memory) {
        return subproof(leaves, old, 0, size, true);
    }

    /// @notice SUBPROOF(old, D[from:to], known).
    function subproof(
        bytes32[] memory leaves,
        uint256 old,
        uint256 from,
        uint256 to,
        bool known
    ) internal pure returns (bytes32[] memory) {
        if (old == to - from) {
            return known ? new bytes32[](0) : joined(new bytes32[](0), root(leaves, from, to));
        }
        uint256 k = split(to - from);
        if (old <= k) {
            return joined(subproof(leaves, old, from, from + k, known), root(leaves, from + k, to));
        }
        return joined(subproof(leaves, old - k, from + k, to, false), root(leaves, from, from + k));
    }

    /// @notice The largest power of two below `n`, for n > 1.
    function split(uint256 n) internal pure returns (uint256 k) {
        k = 1;
        while (k * 2 < n) k *= 2;
    }

    /// @notice `list : item`.
    function joined(bytes32[] memory list, bytes32 item) internal pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) longer[i] = list[i];
        longer[list.length] = item;
    }

    /// @notice `size` leaf hashes that depend on a seed.
    function grow(uint256 seed, uint256 size) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) leaves[i] = sha256(abi.encodePacked(hex"00", seed, i));
    }
}
