// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IEvidenceRegistry} from "../../contracts/IEvidenceRegistry.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

contract AgreementBookTest is RegistryFixture {
    IEvidenceRegistry.AgreementState private constant NONE = IEvidenceRegistry.AgreementState.NONE;
    IEvidenceRegistry.AgreementState private constant CONCLUDED = IEvidenceRegistry.AgreementState.CONCLUDED;
    IEvidenceRegistry.AgreementState private constant AMENDED = IEvidenceRegistry.AgreementState.AMENDED;
    IEvidenceRegistry.AgreementState private constant TERMINATED = IEvidenceRegistry.AgreementState.TERMINATED;

    function assertAgreement(
        bytes32 digest,
        IEvidenceRegistry.AgreementState state,
        uint64 endedAt,
        uint64 through,
        bytes32 endedBy
    ) private view {
        (
            IEvidenceRegistry.AgreementState found,
            uint32 version,
            uint64 concludedAt,
            uint64 ended,
            uint64 from,
            uint64 until,
            bytes32 by
        ) = registry.agreementAt(digest);
        same(uint8(found), uint8(state), "state");
        isTrue(version > 0, "version");
        same(concludedAt, NOW, "concluded at");
        same(ended, endedAt, "ended at");
        same(from, NOW, "effective from");
        same(until, through, "effective through");
        same(by, endedBy, "ended by");
    }

    /// @notice `conclude` with every party's right signature is refused.
    function refusedConclusion(IEvidenceRegistry.Agreement memory given, bytes memory answer) private {
        bytes32 digest = registry.agreementDigest(given);
        bytes[] memory signed = signatures(given.parties.length, digest);
        refused(answer);
        registry.conclude(given, signed);
        same(uint8(stateOf(digest)), uint8(NONE), "nothing is recorded");
    }

    function refusedAmendment(
        IEvidenceRegistry.Agreement memory current,
        IEvidenceRegistry.Agreement memory next,
        bytes memory answer
    ) private {
        bytes[] memory signed = signatures(next.parties.length, registry.agreementDigest(next));
        refused(answer);
        registry.amend(current, next, signed);
    }

    function refusedTermination(
        IEvidenceRegistry.Agreement memory current,
        IEvidenceRegistry.Termination memory end,
        bytes memory answer
    ) private {
        bytes[] memory signed = signatures(end.parties.length, registry.terminationDigest(end));
        refused(answer);
        registry.terminate(current, end, signed);
    }

    // --------------------------------------------------------------------------------------------------- digests

    /// @notice The digest, put together here by hand from EIP-712 and the type strings of the documents.
    function test_the_digests_are_those_of_eip_712() public view {
        IEvidenceRegistry.Agreement memory a = agreement(3);
        bytes32 party = keccak256("Party(bytes32 organisation,address signer,uint64 nonce)");
        bytes memory list;
        for (uint256 i = 0; i < 3; ++i) {
            list = bytes.concat(list, keccak256(abi.encode(party, organisation(i), signer(i), 0)));
        }
        bytes32 typeHash = keccak256(
            "Agreement(bytes32 agreementId,uint32 version,bytes32 previous,bytes32 commitment,bytes32 stipulationsRoot,uint32 stipulationCount,uint64 effectiveFrom,uint64 validThrough,uint64 deadline,Party[] parties)Party(bytes32 organisation,address signer,uint64 nonce)"
        );
        bytes memory fields = abi.encode(
            a.previous,
            a.commitment,
            a.stipulationsRoot,
            a.stipulationCount,
            a.effectiveFrom,
            a.validThrough,
            a.deadline,
            keccak256(list)
        );
        bytes32 structHash = keccak256(bytes.concat(abi.encode(typeHash, a.agreementId, a.version), fields));
        same(registry.agreementDigest(a), typed(structHash), "agreement");

        IEvidenceRegistry.Termination memory t = endOf(a);
        typeHash = keccak256(
            "Termination(bytes32 agreement,bytes32 commitment,uint64 effectiveAt,uint64 deadline,Party[] parties)Party(bytes32 organisation,address signer,uint64 nonce)"
        );
        structHash = keccak256(
            abi.encode(typeHash, t.agreement, t.commitment, t.effectiveAt, t.deadline, keccak256(list))
        );
        same(registry.terminationDigest(t), typed(structHash), "termination");
    }

    function typed(bytes32 structHash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("TalentSeal"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    // -------------------------------------------------------------------------------------------------- conclude

    function test_an_agreement_of_2_to_8_parties_is_concluded_and_told_whole() public {
        for (uint256 count = 2; count <= 8; ++count) {
            IEvidenceRegistry.Agreement memory a = agreement(count);
            bytes32 digest = registry.agreementDigest(a);
            bytes[] memory signed = signatures(count, digest);
            emitted();
            emit IEvidenceRegistry.AgreementConcluded(
                digest,
                a.agreementId,
                1,
                a.commitment,
                NOW,
                NOW + 365 days,
                NOW
            );
            vm.prank(stranger);
            same(registry.conclude(a, signed), digest, "the digest is returned");
            assertAgreement(digest, CONCLUDED, 0, NOW + 365 days, 0);
        }
    }

    function test_concluding_again_changes_nothing_even_after_its_deadline_or_its_end() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 digest = conclude(a);
        vm.warp(a.deadline + 1);
        watch();
        same(registry.conclude(a, new bytes[](0)), digest, "the digest is returned");
        unchanged("a repeated conclusion");
        vm.warp(NOW);
        terminate(a, endOf(a));
        watch();
        registry.conclude(a, new bytes[](0));
        unchanged("a repeated conclusion after the end");
    }

    function test_conclude_takes_first_versions_only() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        a.version = 2;
        refusedConclusion(a, abi.encodeWithSelector(IEvidenceRegistry.AgreementNotFirst.selector, 2, bytes32(0)));
        a.version = 0;
        refusedConclusion(a, abi.encodeWithSelector(IEvidenceRegistry.AgreementNotFirst.selector, 0, bytes32(0)));
        a.version = 1;
        a.previous = keccak256("previous");
        refusedConclusion(a, abi.encodeWithSelector(IEvidenceRegistry.AgreementNotFirst.selector, 1, a.previous));
    }

    function test_an_identifier_or_a_commitment_of_zero_is_refused() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes4 zero = IEvidenceRegistry.AgreementZero.selector;
        a.agreementId = 0;
        refusedConclusion(a, abi.encodeWithSelector(zero, bytes32(0), a.commitment));
        a = agreement(2);
        a.commitment = 0;
        refusedConclusion(a, abi.encodeWithSelector(zero, a.agreementId, bytes32(0)));
    }

    function test_a_validity_that_ends_before_it_begins_is_refused() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        a.validThrough = a.effectiveFrom - 1;
        refusedConclusion(
            a,
            abi.encodeWithSelector(IEvidenceRegistry.AgreementValidityEmpty.selector, NOW, NOW - 1)
        );
        a.validThrough = a.effectiveFrom;
        conclude(a);
    }

    function test_signatures_are_carried_until_the_deadline_and_not_after() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        vm.warp(a.deadline + 1);
        refusedConclusion(
            a,
            abi.encodeWithSelector(
                IEvidenceRegistry.AgreementDeadlinePassed.selector,
                a.deadline,
                a.deadline + 1
            )
        );
        vm.warp(a.deadline);
        bytes32 digest = conclude(a);
        same(uint8(stateOf(digest)), uint8(CONCLUDED), "the deadline itself is in time");
    }

    function test_fewer_than_2_or_more_than_8_parties_are_refused() public {
        bytes4 count = IEvidenceRegistry.AgreementPartyCount.selector;
        refusedConclusion(agreement(0), abi.encodeWithSelector(count, 0));
        refusedConclusion(agreement(1), abi.encodeWithSelector(count, 1));
        refusedConclusion(agreement(9), abi.encodeWithSelector(count, 9));
    }

    function test_each_party_signs_once() public {
        IEvidenceRegistry.Agreement memory a = agreement(3);
        bytes32 digest = registry.agreementDigest(a);
        for (uint256 given = 0; given < 5; ++given) {
            if (given == 3) continue;
            bytes[] memory signed = signatures(given, digest);
            refused(abi.encodeWithSelector(IEvidenceRegistry.AgreementSignatureCount.selector, 3, given));
            registry.conclude(a, signed);
        }
    }

    function test_parties_out_of_order_twice_or_zero_are_refused() public {
        bytes4 order = IEvidenceRegistry.AgreementPartyOrder.selector;
        IEvidenceRegistry.Agreement memory a = agreement(2);
        (a.parties[0], a.parties[1]) = (a.parties[1], a.parties[0]);
        bytes32 digest = registry.agreementDigest(a);
        bytes[] memory signed = new bytes[](2);
        (signed[0], signed[1]) = (signature(secret(1), digest), signature(secret(0), digest));
        refused(abi.encodeWithSelector(order, organisation(1), organisation(0)));
        registry.conclude(a, signed);

        a = agreement(2);
        a.parties[1].organisation = organisation(0);
        refusedConclusion(a, abi.encodeWithSelector(order, organisation(0), organisation(0)));
        a.parties[0].organisation = 0;
        refusedConclusion(a, abi.encodeWithSelector(order, bytes32(0), bytes32(0)));
    }

    function test_one_key_does_not_sign_for_two_parties() public {
        vm.prank(registrar);
        registry.setKey(organisation(2), signer(0), 1, FOREVER);
        IEvidenceRegistry.Agreement memory a = agreement(3);
        a.parties[2].signer = signer(0);
        refusedConclusion(
            a,
            abi.encodeWithSelector(IEvidenceRegistry.AgreementSignerRepeated.selector, signer(0))
        );
    }

    // ----------------------------------------------------------------------------------------------------- keys

    function test_a_key_unknown_to_the_party_is_refused() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        a.parties[1].signer = signer(5);
        refusedConclusion(
            a,
            abi.encodeWithSelector(IEvidenceRegistry.KeyUnknown.selector, organisation(1), signer(5))
        );
    }

    function test_a_key_signs_from_its_first_second_to_its_last() public {
        setKey(1, NOW + 10, NOW + 20);
        IEvidenceRegistry.Agreement memory a = agreement(2);
        vm.warp(NOW + 9);
        refusedConclusion(
            a,
            abi.encodeWithSelector(
                IEvidenceRegistry.KeyNotYetValid.selector,
                organisation(1),
                signer(1),
                NOW + 10
            )
        );
        vm.warp(NOW + 20);
        refusedConclusion(
            a,
            abi.encodeWithSelector(
                IEvidenceRegistry.KeyExpired.selector,
                organisation(1),
                signer(1),
                NOW + 20
            )
        );
        vm.warp(NOW + 10);
        conclude(a);
        vm.warp(NOW + 19);
        a.agreementId = keccak256("another");
        conclude(a);
    }

    function test_another_nonce_than_the_keys_is_refused() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        a.parties[0].nonce = 1;
        bytes4 mismatch = IEvidenceRegistry.KeyNonceMismatch.selector;
        refusedConclusion(a, abi.encodeWithSelector(mismatch, organisation(0), signer(0), 0, 1));
        vm.prank(signer(0));
        registry.voidSignatures(organisation(0));
        conclude(a);
        refusedConclusion(
            agreement(2),
            abi.encodeWithSelector(mismatch, organisation(0), signer(0), 1, 0)
        );
    }

    // ----------------------------------------------------------------------------------------------------- amend

    function test_an_amendment_replaces_the_version_and_names_it() public {
        IEvidenceRegistry.Agreement memory first = agreement(3);
        bytes32 former = conclude(first);
        IEvidenceRegistry.Agreement memory second = nextOf(first);
        bytes32 digest = registry.agreementDigest(second);
        bytes[] memory signed = signatures(3, digest);
        emitted();
        emit IEvidenceRegistry.AgreementAmended(former, digest, NOW);
        emitted();
        emit IEvidenceRegistry.AgreementConcluded(
            digest,
            second.agreementId,
            2,
            second.commitment,
            NOW,
            NOW + 365 days,
            NOW
        );
        vm.prank(stranger);
        same(registry.amend(first, second, signed), digest, "the digest is returned");
        assertAgreement(former, AMENDED, NOW, NOW + 365 days, digest);
        assertAgreement(digest, CONCLUDED, 0, NOW + 365 days, 0);
        amend(second, nextOf(second));
        assertAgreement(digest, AMENDED, NOW, NOW + 365 days, registry.agreementDigest(nextOf(second)));
    }

    function test_amending_again_the_same_way_changes_nothing() public {
        IEvidenceRegistry.Agreement memory first = agreement(2);
        conclude(first);
        IEvidenceRegistry.Agreement memory second = nextOf(first);
        bytes32 digest = amend(first, second);
        watch();
        same(registry.amend(first, second, new bytes[](0)), digest, "the digest is returned");
        unchanged("a repeated amendment");
    }

    function test_other_keys_of_the_same_organisations_may_amend() public {
        IEvidenceRegistry.Agreement memory first = agreement(2);
        conclude(first);
        vm.prank(registrar);
        registry.setKey(organisation(1), signer(7), 1, FOREVER);
        IEvidenceRegistry.Agreement memory second = nextOf(first);
        second.parties[1].signer = signer(7);
        bytes32 digest = registry.agreementDigest(second);
        bytes[] memory signed = signatures(2, digest);
        signed[1] = signature(secret(7), digest);
        registry.amend(first, second, signed);
        same(uint8(stateOf(digest)), uint8(CONCLUDED), "the amendment stands");
    }

    function test_a_second_amendment_of_one_version_is_refused() public {
        IEvidenceRegistry.Agreement memory first = agreement(2);
        bytes32 former = conclude(first);
        IEvidenceRegistry.Agreement memory second = nextOf(first);
        amend(first, second);
        second.commitment = sha256("other terms");
        refusedAmendment(
            first,
            second,
            abi.encodeWithSelector(IEvidenceRegistry.AgreementNotConcluded.selector, former, AMENDED)
        );
    }

    function test_what_was_terminated_or_never_concluded_cannot_be_amended() public {
        IEvidenceRegistry.Agreement memory first = agreement(2);
        bytes32 former = registry.agreementDigest(first);
        bytes4 notConcluded = IEvidenceRegistry.AgreementNotConcluded.selector;
        refusedAmendment(first, nextOf(first), abi.encodeWithSelector(notConcluded, former, NONE));
        conclude(first);
        terminate(first, endOf(first));
        refusedAmendment(first, nextOf(first), abi.encodeWithSelector(notConcluded, former, TERMINATED));
    }

    function test_an_amendment_must_name_its_version_by_digest() public {
        IEvidenceRegistry.Agreement memory first = agreement(2);
        bytes32 former = conclude(first);
        IEvidenceRegistry.Agreement memory second = nextOf(first);
        second.previous = keccak256("another");
        refusedAmendment(
            first,
            second,
            abi.encodeWithSelector(
                IEvidenceRegistry.AgreementPreviousMismatch.selector,
                former,
                second.previous
            )
        );
    }

    function test_an_amendment_keeps_the_identifier_and_takes_the_next_number() public {
        IEvidenceRegistry.Agreement memory first = agreement(2);
        conclude(first);
        bytes4 notNext = IEvidenceRegistry.AgreementNotNext.selector;
        IEvidenceRegistry.Agreement memory second = nextOf(first);
        second.version = 3;
        refusedAmendment(
            first,
            second,
            abi.encodeWithSelector(notNext, first.agreementId, 1, first.agreementId, 3)
        );
        second.version = 2;
        second.agreementId = keccak256("another");
        refusedAmendment(
            first,
            second,
            abi.encodeWithSelector(notNext, first.agreementId, 1, second.agreementId, 2)
        );
    }

    function test_an_amendment_is_checked_as_a_conclusion_is() public {
        IEvidenceRegistry.Agreement memory first = agreement(2);
        bytes32 former = conclude(first);
        IEvidenceRegistry.Agreement memory second = nextOf(first);
        second.commitment = 0;
        refusedAmendment(
            first,
            second,
            abi.encodeWithSelector(IEvidenceRegistry.AgreementZero.selector, second.agreementId, bytes32(0))
        );
        second = nextOf(first);
        second.deadline = NOW - 1;
        refusedAmendment(
            first,
            second,
            abi.encodeWithSelector(IEvidenceRegistry.AgreementDeadlinePassed.selector, NOW - 1, NOW)
        );
        assertAgreement(former, CONCLUDED, 0, NOW + 365 days, 0);
    }

    function test_other_organisations_fewer_or_more_cannot_amend() public {
        IEvidenceRegistry.Agreement memory first = agreement(3);
        bytes32 former = conclude(first);
        bytes memory changed = abi.encodeWithSelector(
            IEvidenceRegistry.AgreementPartiesChanged.selector,
            former
        );
        IEvidenceRegistry.Agreement memory second = nextOf(first);
        second.parties = parties(2);
        refusedAmendment(first, second, changed);
        second.parties = parties(4);
        refusedAmendment(first, second, changed);
        second.parties = parties(3);
        second.parties[2] = IEvidenceRegistry.Party(organisation(3), signer(3), 0);
        refusedAmendment(first, second, changed);
    }

    // ------------------------------------------------------------------------------------------------- terminate

    function test_a_termination_ends_the_version_and_names_itself() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 former = conclude(a);
        IEvidenceRegistry.Termination memory end = endOf(a);
        bytes32 digest = registry.terminationDigest(end);
        bytes[] memory signed = signatures(2, digest);
        emitted();
        emit IEvidenceRegistry.AgreementTerminated(former, digest, end.commitment, NOW + 30 days, NOW);
        vm.prank(stranger);
        same(registry.terminate(a, end, signed), digest, "the digest is returned");
        assertAgreement(former, TERMINATED, NOW, NOW + 30 days, digest);
    }

    function test_terminating_again_the_same_way_changes_nothing() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        conclude(a);
        IEvidenceRegistry.Termination memory end = endOf(a);
        bytes32 digest = terminate(a, end);
        watch();
        same(registry.terminate(a, end, new bytes[](0)), digest, "the digest is returned");
        unchanged("a repeated termination");
    }

    function test_what_was_ended_or_never_concluded_cannot_be_terminated() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 former = registry.agreementDigest(a);
        bytes4 notConcluded = IEvidenceRegistry.AgreementNotConcluded.selector;
        refusedTermination(a, endOf(a), abi.encodeWithSelector(notConcluded, former, NONE));
        conclude(a);
        amend(a, nextOf(a));
        refusedTermination(a, endOf(a), abi.encodeWithSelector(notConcluded, former, AMENDED));
        IEvidenceRegistry.Agreement memory second = nextOf(a);
        terminate(second, endOf(second));
        IEvidenceRegistry.Termination memory end = endOf(second);
        end.effectiveAt = NOW + 31 days;
        refusedTermination(
            second,
            end,
            abi.encodeWithSelector(notConcluded, registry.agreementDigest(second), TERMINATED)
        );
    }

    function test_a_termination_must_name_its_version_and_carry_a_commitment() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes32 former = conclude(a);
        IEvidenceRegistry.Termination memory end = endOf(a);
        end.agreement = keccak256("another");
        refusedTermination(
            a,
            end,
            abi.encodeWithSelector(
                IEvidenceRegistry.AgreementPreviousMismatch.selector,
                former,
                end.agreement
            )
        );
        end = endOf(a);
        end.commitment = 0;
        refusedTermination(
            a,
            end,
            abi.encodeWithSelector(IEvidenceRegistry.AgreementTerminationZero.selector, former)
        );
    }

    function test_a_termination_takes_effect_while_the_agreement_is_valid() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        conclude(a);
        IEvidenceRegistry.Termination memory end = endOf(a);
        end.effectiveAt = a.validThrough + 1;
        refusedTermination(
            a,
            end,
            abi.encodeWithSelector(
                IEvidenceRegistry.AgreementTerminationLate.selector,
                a.validThrough,
                a.validThrough + 1
            )
        );
        end.effectiveAt = a.validThrough;
        terminate(a, end);
    }

    function test_a_termination_is_signed_by_every_party_in_time() public {
        IEvidenceRegistry.Agreement memory a = agreement(3);
        bytes32 former = conclude(a);
        IEvidenceRegistry.Termination memory end = endOf(a);
        end.parties = parties(2);
        bytes memory changed = abi.encodeWithSelector(
            IEvidenceRegistry.AgreementPartiesChanged.selector,
            former
        );
        refusedTermination(a, end, changed);
        end = endOf(a);
        end.deadline = NOW - 1;
        refusedTermination(
            a,
            end,
            abi.encodeWithSelector(IEvidenceRegistry.AgreementDeadlinePassed.selector, NOW - 1, NOW)
        );
        end = endOf(a);
        bytes32 digest = registry.terminationDigest(end);
        bytes[] memory signed = signatures(3, digest);
        signed[1] = signed[0];
        refused(
            abi.encodeWithSelector(
                IEvidenceRegistry.AgreementSignatureInvalid.selector,
                digest,
                organisation(1),
                signer(1)
            )
        );
        registry.terminate(a, end, signed);
        assertAgreement(former, CONCLUDED, 0, NOW + 365 days, 0);
    }

    // ---------------------------------------------------------------------------------------------------- fuzzed

    /// @notice Whatever is in it, an agreement that all parties signed is concluded once and reads back as signed.
    function testFuzz_any_agreement_signed_by_all_is_concluded(
        IEvidenceRegistry.Agreement memory given,
        uint256 count
    ) public {
        count = within(count, 2, 8);
        vm.assume(given.agreementId != 0 && given.commitment != 0);
        (given.version, given.previous) = (1, 0);
        given.deadline = uint64(within(given.deadline, NOW, type(uint64).max));
        given.validThrough = uint64(within(given.validThrough, given.effectiveFrom, type(uint64).max));
        given.parties = parties(count);
        bytes32 digest = conclude(given);
        (, uint32 version, uint64 concludedAt, , uint64 from, uint64 through, ) = registry.agreementAt(digest);
        same(version, 1, "version");
        same(concludedAt, NOW, "concluded at");
        same(from, given.effectiveFrom, "effective from");
        same(through, given.validThrough, "effective through");
        watch();
        registry.conclude(given, new bytes[](0));
        unchanged("a repetition");
    }

    /// @notice One field of the agreement changed after the signing: the signatures no longer hold.
    function testFuzz_a_field_changed_after_the_signing_is_refused(uint256 field, uint256 bit) public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        bytes[] memory signed = signatures(2, registry.agreementDigest(a));
        field = field % 7;
        bytes32 mask = bytes32(uint256(1) << (bit % 256));
        if (field == 0) a.agreementId ^= mask;
        else if (field == 1) a.commitment ^= mask;
        else if (field == 2) a.stipulationsRoot ^= mask;
        else if (field == 3) a.stipulationCount ^= uint32(1 << (bit % 32));
        else if (field == 4) a.effectiveFrom = uint64(within(bit, 0, NOW - 1));
        else if (field == 5) a.validThrough = uint64(within(bit, NOW + 366 days, FOREVER));
        else a.deadline = uint64(within(bit, NOW + 2 days, FOREVER));
        bytes32 digest = registry.agreementDigest(a);
        refused(
            abi.encodeWithSelector(
                IEvidenceRegistry.AgreementSignatureInvalid.selector,
                digest,
                organisation(0),
                signer(0)
            )
        );
        registry.conclude(a, signed);
    }
}
