// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rfc9162} from "contracts/Rfc9162.sol";

/// @title The registry's own hashing, made callable for tests; never deployed outside them
contract Digests {
    /// @notice RFC 9162 leaf hashes of entries.
    function leaves(bytes[] calldata entries) external pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](entries.length);
        for (uint256 i = 0; i < entries.length; ++i) hashes[i] = sha256(abi.encodePacked(bytes1(0), entries[i]));
    }

    /// @notice RFC 9162 node hashes, by the very function that the registry uses.
    function nodes(bytes32[2][] calldata pairs) external view returns (bytes32[] memory hashes) {
        hashes = new bytes32[](pairs.length);
        for (uint256 i = 0; i < pairs.length; ++i) hashes[i] = Rfc9162.nodeHash(pairs[i][0], pairs[i][1]);
    }
}
