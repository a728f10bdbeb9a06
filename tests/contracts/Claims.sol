// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @notice The part of forge's cheat codes that these tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function prank(address sender) external;
    function warp(uint256 time) external;
    function roll(uint256 number) external;
    function chainId(uint256 id) external;
    function etch(address target, bytes calldata code) external;
    function expectRevert(bytes calldata answer) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function mockCall(address target, bytes calldata input, bytes calldata answer) external;
    function record() external;
    function accesses(address target) external returns (bytes32[] memory reads, bytes32[] memory writes);
    function recordLogs() external;
    function envOr(string calldata name, bool fallback_) external view returns (bool value);
    function readFile(string calldata path) external view returns (string memory text);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory value);
    function assume(bool condition) external pure;
    function getRecordedLogs() external returns (Log[] memory logs);
}

/// @notice What a test says with: equalities and the ranges of fuzzed values.
abstract contract Claims {
    error NotTrue(string claim);
    error NotEqual(string claim, bytes32 given, bytes32 expected);

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function isTrue(bool condition, string memory claim) internal pure {
        if (!condition) revert NotTrue(claim);
    }

    function same(bytes32 given, bytes32 expected, string memory claim) internal pure {
        if (given != expected) revert NotEqual(claim, given, expected);
    }

    function same(uint256 given, uint256 expected, string memory claim) internal pure {
        same(bytes32(given), bytes32(expected), claim);
    }

    function same(address given, address expected, string memory claim) internal pure {
        same(uint256(uint160(given)), uint256(uint160(expected)), claim);
    }

    /// @notice A fuzzed value brought into a range, both ends included.
    function within(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + (value % (high - low + 1));
    }
}
