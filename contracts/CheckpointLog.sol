// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IEvidenceRegistry} from "./IEvidenceRegistry.sol";
import {Rfc9162} from "./Rfc9162.sol";

// Times are seconds to days here: the few seconds by which a block's author can move its time decide nothing.
// slither-disable-start timestamp

/// @title The log's half of the registry: heads that only grow
/// @notice Holds the root of every anchored size and refuses a head that does not continue the last one.
/// @dev Who may anchor, and whether writes are paused, is decided by the contract that inherits.
abstract contract CheckpointLog is IEvidenceRegistry {
    /// @dev One slot, 192 of 256 bits, from the low end.
    struct Head {
        uint64 size; // entries
        uint64 anchoredAt; // seconds
        uint64 blockNumber;
    }

    Head private _head;
    mapping(uint64 size => bytes32 root) private _roots;

    /// @inheritdoc IEvidenceRegistry
    function head() external view returns (uint64 size, bytes32 root, uint64 anchoredAt, uint64 blockNumber) {
        Head memory last = _head;
        return (last.size, _roots[last.size], last.anchoredAt, last.blockNumber);
    }

    /// @inheritdoc IEvidenceRegistry
    function headAt(uint64 size) external view returns (bytes32 root) {
        return _roots[size];
    }

    /// @inheritdoc IEvidenceRegistry
    function verifyInclusion(
        bytes32 leafHash,
        uint64 index,
        uint64 size,
        bytes32[] calldata path
    ) external view returns (bool included) {
        bytes32 root = _roots[size];
        return root != 0 && root == Rfc9162.inclusionRoot(leafHash, index, size, path);
    }

    /// @notice Moves the head on; see `IEvidenceRegistry.anchor`.
    /// @dev Before the first head both `_head.size` and `_roots[0]` are zero, so the same compare-and-swap serves.
    /// @param prevSize Entries under the present head.
    /// @param prevRoot Root of the present head.
    /// @param size Entries under the new head.
    /// @param root Root of the new head.
    /// @param proof Consistency path from `prevSize` to `size`.
    function _anchor(
        uint64 prevSize,
        bytes32 prevRoot,
        uint64 size,
        bytes32 root,
        bytes32[] calldata proof
    ) internal {
        uint64 headSize = _head.size;
        bytes32 headRoot = _roots[headSize];
        if (root == 0) revert CheckpointRootZero(size);
        // Only the very same head is a repetition.
        // slither-disable-next-line incorrect-equality
        if (size == headSize && root == headRoot) return;
        if (prevSize != headSize || prevRoot != headRoot) {
            revert CheckpointHeadMoved(headSize, headRoot, prevSize, prevRoot);
        }
        if (size <= headSize) revert CheckpointNotGrowing(headSize, size);
        if (!_continues(headSize, headRoot, size, root, proof)) {
            revert CheckpointInconsistent(headSize, headRoot, size, root);
        }
        uint64 time = uint64(block.timestamp);
        _roots[size] = root;
        _head = Head(size, time, uint64(block.number));
        emit CheckpointAnchored(size, root, prevSize, prevRoot, time, uint64(block.number));
    }

    /// @notice Whether the new tree begins with all entries of the present one; the empty tree begins every tree, and
    /// its proof is empty.
    /// @param headSize Entries under the present head.
    /// @param headRoot Root of the present head.
    /// @param size Entries under the new head, above `headSize`.
    /// @param root Root of the new head.
    /// @param proof Consistency path.
    /// @return continues True when it does.
    function _continues(
        uint64 headSize,
        bytes32 headRoot,
        uint64 size,
        bytes32 root,
        bytes32[] calldata proof
    ) private view returns (bool continues) {
        // Zero is the one size that stands for "none yet".
        // slither-disable-next-line incorrect-equality
        if (headSize == 0) return proof.length == 0;
        return Rfc9162.isConsistent(headSize, headRoot, size, root, proof);
    }
}

// slither-disable-end timestamp
