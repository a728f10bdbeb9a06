// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IEvidenceRegistry} from "../../contracts/IEvidenceRegistry.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

contract KeysTest is RegistryFixture {
    bytes32 private constant SOMEONE = keccak256("another organisation");

    function assertKey(uint64 from, uint64 until, uint64 nonce) private view {
        (uint64 validFrom, uint64 validUntil, uint64 current) = registry.keyOf(SOMEONE, signer(0));
        same(validFrom, from, "valid from");
        same(validUntil, until, "valid until");
        same(current, nonce, "nonce");
    }

    function set(uint64 from, uint64 until) private {
        vm.prank(registrar);
        registry.setKey(SOMEONE, signer(0), from, until);
    }

    function revoke() private {
        vm.prank(registrar);
        registry.revokeKey(SOMEONE, signer(0));
    }

    function test_a_key_is_set_and_set_anew() public {
        emitted();
        emit IEvidenceRegistry.KeySet(SOMEONE, signer(0), 5, 9, 0);
        set(5, 9);
        assertKey(5, 9, 0);
        emitted();
        emit IEvidenceRegistry.KeySet(SOMEONE, signer(0), 5, 10, 0);
        set(5, 10);
        emitted();
        emit IEvidenceRegistry.KeySet(SOMEONE, signer(0), 6, 10, 0);
        set(6, 10);
        assertKey(6, 10, 0);
    }

    function test_setting_the_same_again_changes_nothing() public {
        set(5, 9);
        watch();
        set(5, 9);
        unchanged("the same validity");
    }

    function test_an_organisation_or_a_signer_of_zero_is_refused() public {
        refused(abi.encodeWithSelector(IEvidenceRegistry.KeyZero.selector, bytes32(0), signer(0)));
        vm.prank(registrar);
        registry.setKey(0, signer(0), 5, 9);
        refused(abi.encodeWithSelector(IEvidenceRegistry.KeyZero.selector, SOMEONE, address(0)));
        vm.prank(registrar);
        registry.setKey(SOMEONE, address(0), 5, 9);
    }

    function test_an_empty_validity_is_refused() public {
        refused(abi.encodeWithSelector(IEvidenceRegistry.KeyValidityEmpty.selector, 9, 9));
        set(9, 9);
        refused(abi.encodeWithSelector(IEvidenceRegistry.KeyValidityEmpty.selector, 9, 8));
        set(9, 8);
    }

    function test_revoking_ends_the_key_now_and_voids_its_signatures() public {
        set(NOW - 5, FOREVER);
        emitted();
        emit IEvidenceRegistry.KeyRevoked(SOMEONE, signer(0), NOW - 5, NOW, 1);
        revoke();
        assertKey(NOW - 5, NOW, 1);
        set(NOW - 5, FOREVER);
        assertKey(NOW - 5, FOREVER, 1);
    }

    function test_a_key_can_be_revoked_before_it_is_valid() public {
        set(NOW + 5, FOREVER);
        revoke();
        assertKey(NOW + 5, NOW, 1);
    }

    function test_revoking_what_ran_out_or_was_revoked_changes_nothing() public {
        set(NOW - 9, NOW);
        watch();
        revoke();
        unchanged("a key that ran out");
        set(NOW - 9, FOREVER);
        revoke();
        watch();
        revoke();
        unchanged("a revoked key");
    }

    function test_a_key_never_registered_cannot_be_revoked_nor_void_signatures() public {
        bytes memory unknown = abi.encodeWithSelector(
            IEvidenceRegistry.KeyUnknown.selector,
            SOMEONE,
            signer(0)
        );
        refused(unknown);
        revoke();
        refused(unknown);
        vm.prank(signer(0));
        registry.voidSignatures(SOMEONE);
    }

    function test_a_key_voids_its_signatures_again_and_again() public {
        set(5, FOREVER);
        for (uint64 nonce = 1; nonce < 4; ++nonce) {
            emitted();
            emit IEvidenceRegistry.SignaturesVoided(SOMEONE, signer(0), nonce);
            vm.prank(signer(0));
            registry.voidSignatures(SOMEONE);
        }
        assertKey(5, FOREVER, 3);
    }

    function test_only_the_registrar_sets_and_revokes() public {
        address[4] memory others = [admin, anchorer, arbiter, stranger];
        bytes32 role = registry.REGISTRAR();
        for (uint256 i = 0; i < 4; ++i) {
            refusedRole(others[i], role);
            vm.prank(others[i]);
            registry.setKey(SOMEONE, signer(0), 5, 9);
            refusedRole(others[i], role);
            vm.prank(others[i]);
            registry.revokeKey(organisation(0), signer(0));
        }
    }

    /// @notice A key of one organisation is nothing in another, and keys of one organisation do not touch each other.
    function testFuzz_keys_are_apart(bytes32 who, address key, uint64 from, uint64 until) public {
        vm.assume(who != 0 && key != address(0));
        vm.assume(who != SOMEONE || key != signer(0));
        from = uint64(within(from, 0, FOREVER - 1));
        until = uint64(within(until, uint256(from) + 1, FOREVER));
        set(5, 9);
        vm.prank(registrar);
        registry.setKey(who, key, from, until);
        assertKey(5, 9, 0);
        (uint64 validFrom, uint64 validUntil, ) = registry.keyOf(who, key);
        same(validFrom, from, "from");
        same(validUntil, until, "until");
    }
}
