// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EvidenceRegistry} from "../../contracts/EvidenceRegistry.sol";
import {IEvidenceRegistry} from "../../contracts/IEvidenceRegistry.sol";
import {NaiveTree} from "./NaiveTree.sol";
import {RegistryFixture} from "./RegistryFixture.sol";
import {Claims} from "./Claims.sol";

/// @notice A wallet contract whose answer to `isValidSignature` is whatever a test sets.
contract Wallet {
    bytes private _answer;
    bool private _reverts;

    function set(bytes calldata answer, bool reverts) external {
        (_answer, _reverts) = (answer, reverts);
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        bytes memory answer = _answer;
        if (_reverts) revert("no");
        assembly ("memory-safe") {
            return(add(answer, 32), mload(answer))
        }
    }
}

/// @notice A wallet that, when asked, tries to write to the registry, then says yes if that worked.
contract ReenteringWallet {
    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        IEvidenceRegistry(msg.sender).voidSignatures(bytes32(uint256(1)));
        return this.isValidSignature.selector;
    }
}

/// @notice A wallet that answers yes with a megabyte of zeros behind it.
contract BombWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        assembly ("memory-safe") {
            mstore(0, shl(224, 0x1626ba7e))
            return(0, 1000000)
        }
    }
}

/// @notice A wallet that burns all the gas it is given.
contract BurningWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

contract AttacksTest is RegistryFixture {
    bytes4 private constant YES = 0x1626ba7e;
    IEvidenceRegistry.AgreementState private constant CONCLUDED = IEvidenceRegistry.AgreementState.CONCLUDED;

    function refusedSignature(bytes32 digest, uint256 party, address key) private {
        refused(
            abi.encodeWithSelector(
                IEvidenceRegistry.AgreementSignatureInvalid.selector,
                digest,
                organisation(party),
                key
            )
        );
    }

    /// @notice A two-party agreement of organisation 0 and a wallet, which stands for organisation 1.
    function walletAgreement(
        address wallet
    ) private returns (IEvidenceRegistry.Agreement memory a, bytes32 digest, bytes[] memory signed) {
        vm.prank(registrar);
        registry.setKey(organisation(1), wallet, 1, FOREVER);
        a = agreement(2);
        a.parties[1].signer = wallet;
        digest = registry.agreementDigest(a);
        signed = signatures(2, digest);
        signed[1] = "what the wallet likes";
    }

    // ------------------------------------------------------------------------------------------ forged signatures

    /// @notice Random r, s, v in a party's place (accepted by the evidence sample that many chains start from).
    function testFuzz_random_numbers_are_no_signature(bytes32 r, bytes32 s, uint8 v, uint256 party) public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 digest = registry.agreementDigest(a);
        bytes[] memory signed = signatures(2, digest);
        party = party % 2;
        if (v % 2 == 0) v = 27 + (v % 4) / 2;
        signed[party] = abi.encodePacked(r, s, v);
        refusedSignature(digest, party, signer(party));
        registry.conclude(a, signed);
    }

    function testFuzz_bytes_of_any_length_are_no_signature(bytes calldata noise, uint256 party) public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 digest = registry.agreementDigest(a);
        bytes[] memory signed = signatures(2, digest);
        party = party % 2;
        signed[party] = noise;
        refusedSignature(digest, party, signer(party));
        registry.conclude(a, signed);
    }

    function test_the_other_form_of_a_signature_high_s_is_refused() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 digest = registry.agreementDigest(a);
        bytes[] memory signed = signatures(2, digest);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(secret(1), digest);
        signed[1] = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        refusedSignature(digest, 1, signer(1));
        registry.conclude(a, signed);
    }

    function test_compact_signatures_and_other_values_of_v_are_refused() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 digest = registry.agreementDigest(a);
        bytes[] memory signed = signatures(2, digest);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(secret(1), digest);
        bytes[4] memory forms = [
            abi.encodePacked(r, s | bytes32(uint256(v - 27) << 255)),
            abi.encodePacked(r, s, v - 27),
            abi.encodePacked(r, s, v, uint8(0)),
            bytes("")
        ];
        for (uint256 i = 0; i < forms.length; ++i) {
            signed[1] = forms[i];
            refusedSignature(digest, 1, signer(1));
            registry.conclude(a, signed);
        }
    }

    function test_signatures_in_each_others_place_are_refused() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 digest = registry.agreementDigest(a);
        bytes[] memory signed = signatures(2, digest);
        (signed[0], signed[1]) = (signed[1], signed[0]);
        refusedSignature(digest, 0, signer(0));
        registry.conclude(a, signed);
    }

    /// @notice A signer of zero cannot be registered, so a failed recovery never meets it.
    function test_the_zero_address_signs_nothing() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        a.parties[1].signer = address(0);
        bytes[] memory signed = new bytes[](2);
        signed[0] = signature(secret(0), registry.agreementDigest(a));
        signed[1] = new bytes(65);
        refused(
            abi.encodeWithSelector(IEvidenceRegistry.KeyUnknown.selector, organisation(1), address(0))
        );
        registry.conclude(a, signed);
    }

    // ------------------------------------------------------------------------------------------ strangers, replays

    function test_a_stranger_who_carries_an_agreement_gains_nothing_and_a_strangers_key_signs_nothing() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 digest = registry.agreementDigest(a);
        bytes[] memory signed = signatures(2, digest);
        signed[1] = signature(secret(8), digest);
        refusedSignature(digest, 1, signer(1));
        vm.prank(stranger);
        registry.conclude(a, signed);
        signed[1] = signature(secret(1), digest);
        vm.prank(stranger);
        registry.conclude(a, signed);
        same(uint8(stateOf(digest)), uint8(CONCLUDED), "the parties' agreement, whoever carried it");
    }

    function test_nobody_re_dates_an_agreement() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 digest = conclude(a);
        bytes[] memory signed = signatures(2, digest);
        vm.warp(NOW + 3600);
        vm.prank(stranger);
        registry.conclude(a, signed);
        (, , uint64 concludedAt, , , , ) = registry.agreementAt(digest);
        same(concludedAt, NOW, "the first time stands");
    }

    /// @notice Others who copy the identifier and the commitment, and come first, take nothing away.
    function test_nobody_squats_a_document() public {
        IEvidenceRegistry.Agreement memory squat = agreement(2);
        for (uint256 i = 0; i < 2; ++i) {
            squat.parties[i] = IEvidenceRegistry.Party(organisation(i + 4), signer(i + 4), 0);
        }
        bytes32 theirs = registry.agreementDigest(squat);
        bytes[] memory signed = new bytes[](2);
        for (uint256 i = 0; i < 2; ++i) signed[i] = signature(secret(i + 4), theirs);
        registry.conclude(squat, signed);
        bytes32 ours = conclude(agreement(2));
        isTrue(theirs != ours, "two records");
        same(uint8(stateOf(theirs)), uint8(CONCLUDED), "theirs");
        same(uint8(stateOf(ours)), uint8(CONCLUDED), "ours");
    }

    function test_signatures_do_not_hold_on_another_chain() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 here = registry.agreementDigest(a);
        bytes[] memory signed = signatures(2, here);
        vm.chainId(block.chainid + 1);
        bytes32 there = registry.agreementDigest(a);
        isTrue(here != there, "the digest names the chain");
        refusedSignature(there, 0, signer(0));
        registry.conclude(a, signed);
    }

    function test_signatures_do_not_hold_in_another_registry() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes[] memory signed = signatures(2, registry.agreementDigest(a));
        registry = deploy();
        grantRoles(registry);
        for (uint256 i = 0; i < 2; ++i) setKey(i, NOW - 1, FOREVER);
        bytes32 there = registry.agreementDigest(a);
        refusedSignature(there, 0, signer(0));
        registry.conclude(a, signed);
    }

    function test_signatures_do_not_hold_for_the_next_version_or_the_end() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 digest = conclude(a);
        bytes[] memory signed = signatures(2, digest);
        IEvidenceRegistry.Agreement memory second = nextOf(a);
        bytes32 next = registry.agreementDigest(second);
        refusedSignature(next, 0, signer(0));
        registry.amend(a, second, signed);
        IEvidenceRegistry.Termination memory end = endOf(a);
        bytes32 ending = registry.terminationDigest(end);
        refusedSignature(ending, 0, signer(0));
        registry.terminate(a, end, signed);
    }

    /// @notice A termination signed for one version does not end another.
    function test_an_end_does_not_hold_for_another_agreement() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        conclude(a);
        bytes[] memory signed = signatures(2, registry.terminationDigest(endOf(a)));
        IEvidenceRegistry.Agreement memory other = agreement(2);
        other.agreementId = keccak256("other");
        conclude(other);
        IEvidenceRegistry.Termination memory end = endOf(other);
        bytes32 digest = registry.terminationDigest(end);
        refusedSignature(digest, 0, signer(0));
        registry.terminate(other, end, signed);
    }

    function test_voided_signatures_cannot_be_carried_under_either_nonce() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes[] memory signed = signatures(2, registry.agreementDigest(a));
        vm.prank(signer(1));
        registry.voidSignatures(organisation(1));
        refused(
            abi.encodeWithSelector(
                IEvidenceRegistry.KeyNonceMismatch.selector,
                organisation(1),
                signer(1),
                1,
                0
            )
        );
        registry.conclude(a, signed);
        a.parties[1].nonce = 1;
        bytes32 digest = registry.agreementDigest(a);
        refusedSignature(digest, 0, signer(0));
        registry.conclude(a, signed);
    }

    function test_a_revoked_keys_signatures_stay_void_when_it_comes_back() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes[] memory signed = signatures(2, registry.agreementDigest(a));
        vm.prank(registrar);
        registry.revokeKey(organisation(1), signer(1));
        refused(
            abi.encodeWithSelector(IEvidenceRegistry.KeyExpired.selector, organisation(1), signer(1), NOW)
        );
        registry.conclude(a, signed);
        setKey(1, 1, FOREVER);
        refused(
            abi.encodeWithSelector(
                IEvidenceRegistry.KeyNonceMismatch.selector,
                organisation(1),
                signer(1),
                1,
                0
            )
        );
        registry.conclude(a, signed);
    }

    function test_what_was_concluded_outlives_its_keys() public {
        bytes32 digest = conclude(agreement(2));
        vm.prank(registrar);
        registry.revokeKey(organisation(1), signer(1));
        same(uint8(stateOf(digest)), uint8(CONCLUDED), "it stands");
    }

    // ---------------------------------------------------------------------------------------- a stolen anchor key

    function test_a_stolen_anchor_key_can_neither_cut_nor_rewrite_the_log() public {
        bytes32[] memory tree = NaiveTree.grow(1, 30);
        bytes32 root = anchor(tree, 20);
        bytes32[] memory forged = NaiveTree.grow(2, 30);
        bytes32[] memory proof = NaiveTree.consistency(forged, 20, 30);
        bytes32 larger = NaiveTree.root(forged, 0, 30);
        bytes32 shorter = NaiveTree.root(tree, 0, 19);
        refused(
            abi.encodeWithSelector(IEvidenceRegistry.CheckpointInconsistent.selector, 20, root, 30, larger)
        );
        vm.prank(anchorer);
        registry.anchor(20, root, 30, larger, proof);
        refused(abi.encodeWithSelector(IEvidenceRegistry.CheckpointNotGrowing.selector, 20, 19));
        vm.prank(anchorer);
        registry.anchor(20, root, 19, shorter, proof);
        refused(abi.encodeWithSelector(IEvidenceRegistry.CheckpointHeadMoved.selector, 20, root, 0, bytes32(0)));
        vm.prank(anchorer);
        registry.anchor(0, 0, 30, larger, new bytes32[](0));
        same(registry.headAt(20), root, "the log stands");
    }

    // --------------------------------------------------------------------------------------------------- ERC-1271

    function test_a_wallet_contract_signs_as_it_says() public {
        Wallet wallet = new Wallet();
        wallet.set(abi.encode(YES), false);
        (IEvidenceRegistry.Agreement memory a, bytes32 digest, bytes[] memory signed) = walletAgreement(
            address(wallet)
        );
        registry.conclude(a, signed);
        same(uint8(stateOf(digest)), uint8(CONCLUDED), "it signed");
    }

    function test_a_wallet_that_answers_anything_else_did_not_sign() public {
        bytes[5] memory answers = [
            abi.encode(bytes4(0xffffffff)),
            abi.encodePacked(YES),
            abi.encode(uint256(uint32(YES))),
            abi.encodePacked(YES, bytes28(uint224(1))),
            bytes("")
        ];
        Wallet wallet = new Wallet();
        (IEvidenceRegistry.Agreement memory a, bytes32 digest, bytes[] memory signed) = walletAgreement(
            address(wallet)
        );
        for (uint256 i = 0; i < answers.length; ++i) {
            wallet.set(answers[i], false);
            refusedSignature(digest, 1, address(wallet));
            registry.conclude(a, signed);
        }
        wallet.set(abi.encode(YES), true);
        refusedSignature(digest, 1, address(wallet));
        registry.conclude(a, signed);
    }

    function test_a_wallet_that_tries_to_write_did_not_sign() public {
        ReenteringWallet wallet = new ReenteringWallet();
        (IEvidenceRegistry.Agreement memory a, bytes32 digest, bytes[] memory signed) = walletAgreement(
            address(wallet)
        );
        vm.prank(registrar);
        registry.setKey(bytes32(uint256(1)), address(wallet), 1, FOREVER);
        refusedSignature(digest, 1, address(wallet));
        registry.conclude(a, signed);
        (, , uint64 nonce) = registry.keyOf(bytes32(uint256(1)), address(wallet));
        same(nonce, 0, "nothing was written");
    }

    function test_a_wallet_that_burns_gas_or_floods_harms_its_own_agreement_only() public {
        address[2] memory wallets = [address(new BurningWallet()), address(new BombWallet())];
        for (uint256 i = 0; i < 2; ++i) {
            (IEvidenceRegistry.Agreement memory a, bytes32 digest, bytes[] memory signed) = walletAgreement(
                wallets[i]
            );
            a.agreementId = keccak256(abi.encode(i));
            digest = registry.agreementDigest(a);
            signed[0] = signature(secret(0), digest);
            (bool done, ) = address(registry).call{gas: 1_000_000}(
                abi.encodeCall(IEvidenceRegistry.conclude, (a, signed))
            );
            isTrue(!done, "its own agreement fails");
        }
        same(uint8(stateOf(conclude(agreement(2)))), uint8(CONCLUDED), "others are concluded");
    }

    /// @notice The wallet is gone (self-destructed): what it signed stands, and it signs nothing more.
    function test_what_a_destroyed_wallet_signed_stands() public {
        Wallet wallet = new Wallet();
        wallet.set(abi.encode(YES), false);
        (IEvidenceRegistry.Agreement memory a, bytes32 digest, bytes[] memory signed) = walletAgreement(
            address(wallet)
        );
        registry.conclude(a, signed);
        vm.etch(address(wallet), "");
        same(uint8(stateOf(digest)), uint8(CONCLUDED), "it stands");
        a.agreementId = keccak256("another");
        bytes32 later = registry.agreementDigest(a);
        signed[0] = signature(secret(0), later);
        refusedSignature(later, 1, address(wallet));
        registry.conclude(a, signed);
    }

    function test_a_precompile_signs_nothing() public {
        for (uint160 precompile = 1; precompile < 10; ++precompile) {
            (IEvidenceRegistry.Agreement memory a, bytes32 digest, bytes[] memory signed) = walletAgreement(
                address(precompile)
            );
            refusedSignature(digest, 1, address(precompile));
            registry.conclude(a, signed);
        }
    }

    /// @notice An account that delegates its code (EIP-7702) to something that refuses still signs with its key.
    function test_an_account_with_delegated_code_signs_with_its_key() public {
        vm.etch(signer(1), hex"60006000fd");
        same(uint8(stateOf(conclude(agreement(2)))), uint8(CONCLUDED), "its key signs");
    }
}
