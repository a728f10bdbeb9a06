// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EvidenceRegistry} from "../../contracts/EvidenceRegistry.sol";
import {IEvidenceRegistry} from "../../contracts/IEvidenceRegistry.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

contract EvidenceRegistryTest is RegistryFixture {
    uint64 private constant LONGEST = 72 hours;

    function pauseFor(uint64 duration) private {
        vm.prank(pauser);
        registry.pause(duration);
    }

    function unpause() private {
        vm.prank(pauser);
        registry.unpause();
    }

    // ------------------------------------------------------------------------------------------ identity, roles

    function test_a_registry_says_which_deployment_it_is_and_which_came_before() public view {
        same(registry.deploymentId(), DEPLOYMENT, "deployment");
        same(registry.predecessor(), FORMER, "predecessor");
        same(registry.defaultAdmin(), admin, "admin");
        same(registry.defaultAdminDelay(), 2 days, "admin's delay");
    }

    function test_a_deployment_without_identifier_or_admin_is_refused() public {
        refused(abi.encodeWithSelector(IEvidenceRegistry.RegistryDeploymentIdZero.selector));
        new EvidenceRegistry(admin, 1, 0, FORMER);
        refused(abi.encodeWithSignature("AccessControlInvalidDefaultAdmin(address)", address(0)));
        new EvidenceRegistry(address(0), 1, DEPLOYMENT, FORMER);
    }

    function test_the_interfaces_are_announced() public view {
        isTrue(registry.supportsInterface(type(IEvidenceRegistry).interfaceId), "the registry's own");
        isTrue(registry.supportsInterface(0x01ffc9a7), "ERC-165");
        isTrue(registry.supportsInterface(0x7965db0b), "access control");
        isTrue(!registry.supportsInterface(0xffffffff), "not the invalid one");
    }

    function test_the_admin_is_changed_in_two_steps_with_a_delay() public {
        vm.prank(admin);
        registry.beginDefaultAdminTransfer(stranger);
        bytes memory early = abi.encodeWithSignature(
            "AccessControlEnforcedDefaultAdminDelay(uint48)",
            NOW + 2 days
        );
        vm.warp(NOW + 2 days);
        refused(early);
        vm.prank(stranger);
        registry.acceptDefaultAdminTransfer();
        vm.warp(NOW + 2 days + 1);
        vm.prank(stranger);
        registry.acceptDefaultAdminTransfer();
        same(registry.defaultAdmin(), stranger, "the new admin");
    }

    function test_a_role_taken_away_is_gone_at_once_also_during_a_pause() public {
        pauseFor(LONGEST);
        bytes32 role = registry.PAUSER();
        vm.prank(admin);
        registry.revokeRole(role, pauser);
        refusedRole(pauser, role);
        unpause();
    }

    // ---------------------------------------------------------------------------------------------------- pause

    function test_a_pause_stops_every_write() public {
        IEvidenceRegistry.Agreement memory a = agreement(2);
        IEvidenceRegistry.Termination memory end = endOf(a);
        emitted();
        emit IEvidenceRegistry.RegistryPaused(pauser, NOW + 60, NOW + 60 + LONGEST);
        pauseFor(60);
        vm.warp(NOW + 59);
        bytes memory paused = abi.encodeWithSelector(
            IEvidenceRegistry.RegistryPausedUntil.selector,
            NOW + 60
        );
        bytes32[] memory none = new bytes32[](0);
        bytes[] memory unsigned = new bytes[](2);
        refused(paused);
        vm.prank(anchorer);
        registry.anchor(0, 0, 1, DEPLOYMENT, none);
        refused(paused);
        vm.prank(registrar);
        registry.setKey(organisation(0), signer(0), 1, 2);
        refused(paused);
        registry.conclude(a, unsigned);
        refused(paused);
        registry.amend(a, a, unsigned);
        refused(paused);
        registry.terminate(a, end, unsigned);
        refused(paused);
        vm.prank(arbiter);
        registry.recordBreach(a, DEPLOYMENT, 0, none, DEPLOYMENT);
        refused(paused);
        vm.prank(arbiter);
        registry.resolveBreach(DEPLOYMENT, IEvidenceRegistry.Resolution.CURED, DEPLOYMENT);
    }

    function test_keys_are_revoked_and_signatures_voided_during_a_pause() public {
        pauseFor(60);
        vm.prank(registrar);
        registry.revokeKey(organisation(0), signer(0));
        vm.prank(signer(1));
        registry.voidSignatures(organisation(1));
        (, uint64 until, ) = registry.keyOf(organisation(0), signer(0));
        (, , uint64 nonce) = registry.keyOf(organisation(1), signer(1));
        same(until, NOW, "revoked");
        same(nonce, 1, "voided");
    }

    function test_a_pause_lapses_by_itself() public {
        pauseFor(LONGEST);
        same(registry.pausedUntil(), NOW + LONGEST, "until");
        same(registry.nextPauseFrom(), NOW + 2 * LONGEST, "cool-down");
        vm.warp(NOW + LONGEST);
        IEvidenceRegistry.Agreement memory a = agreement(2);
        a.deadline = FOREVER;
        bytes32 digest = conclude(a);
        same(uint8(stateOf(digest)), uint8(IEvidenceRegistry.AgreementState.CONCLUDED), "writes are taken again");
    }

    function test_a_pause_can_be_neither_prolonged_nor_begun_during_the_cool_down() public {
        pauseFor(10);
        bytes memory tooSoon = abi.encodeWithSelector(
            IEvidenceRegistry.RegistryPauseTooSoon.selector,
            NOW + 10 + LONGEST
        );
        refused(tooSoon);
        pauseFor(LONGEST);
        vm.warp(NOW + 10 + LONGEST - 1);
        refused(tooSoon);
        pauseFor(LONGEST);
        vm.warp(NOW + 10 + LONGEST);
        pauseFor(LONGEST);
    }

    function test_a_pause_of_nothing_or_of_more_than_72_hours_is_refused() public {
        bytes4 duration = IEvidenceRegistry.RegistryPauseDuration.selector;
        refused(abi.encodeWithSelector(duration, 0, LONGEST));
        pauseFor(0);
        refused(abi.encodeWithSelector(duration, LONGEST + 1, LONGEST));
        pauseFor(LONGEST + 1);
    }

    function test_a_pause_is_ended_early_and_cools_down_from_then() public {
        pauseFor(LONGEST);
        vm.warp(NOW + 5);
        emitted();
        emit IEvidenceRegistry.RegistryUnpaused(pauser, NOW + 5, NOW + 5 + LONGEST);
        unpause();
        same(registry.pausedUntil(), NOW + 5, "until");
        conclude(agreement(2));
        refused(abi.encodeWithSelector(IEvidenceRegistry.RegistryPauseTooSoon.selector, NOW + 5 + LONGEST));
        pauseFor(1);
    }

    function test_what_is_not_paused_cannot_be_unpaused() public {
        bytes memory open = abi.encodeWithSelector(IEvidenceRegistry.RegistryNotPaused.selector);
        refused(open);
        unpause();
        pauseFor(5);
        vm.warp(NOW + 5);
        refused(open);
        unpause();
    }

    function test_only_the_pauser_pauses_and_unpauses() public {
        bytes32 role = registry.PAUSER();
        address[4] memory others = [admin, registrar, anchorer, stranger];
        for (uint256 i = 0; i < 4; ++i) {
            refusedRole(others[i], role);
            vm.prank(others[i]);
            registry.pause(1);
            refusedRole(others[i], role);
            vm.prank(others[i]);
            registry.unpause();
        }
    }

    /// @notice However the role is used, the registry is open at least half of the time.
    function testFuzz_pauses_take_at_most_half_of_the_time(uint64[10] memory durations, uint64[10] memory waits) public {
        uint64 time = NOW;
        uint64 closed = 0;
        for (uint256 i = 0; i < 10; ++i) {
            uint64 duration = uint64(within(durations[i], 1, LONGEST));
            time = time > registry.nextPauseFrom() ? time : registry.nextPauseFrom();
            vm.warp(time);
            pauseFor(duration);
            uint64 held = uint64(within(waits[i], 0, duration));
            time += held;
            vm.warp(time);
            if (held < duration) unpause();
            closed += held;
        }
        time = registry.nextPauseFrom();
        isTrue(closed * 2 <= time - NOW, "open at least half of the time");
    }

    // ------------------------------------------------------------------------------------------------- successor

    function announce(address candidate) private {
        vm.prank(admin);
        registry.setSuccessor(candidate);
    }

    function confirm() private {
        vm.prank(admin);
        registry.confirmSuccessor();
    }

    function test_a_successor_is_announced_seven_days_ahead_and_named_for_good() public {
        EvidenceRegistry next = new EvidenceRegistry(admin, 1, keccak256("next"), keccak256("this one"));
        emitted();
        emit IEvidenceRegistry.SuccessorAnnounced(address(next), NOW + 7 days);
        announce(address(next));
        (address candidate, uint64 from) = registry.pendingSuccessor();
        same(candidate, address(next), "candidate");
        same(from, NOW + 7 days, "confirmable from");
        same(registry.successor(), address(0), "not yet");

        vm.warp(NOW + 7 days - 1);
        refused(abi.encodeWithSelector(IEvidenceRegistry.SuccessorTooSoon.selector, NOW + 7 days));
        confirm();
        vm.warp(NOW + 7 days);
        emitted();
        emit IEvidenceRegistry.SuccessorConfirmed(address(next));
        confirm();
        same(registry.successor(), address(next), "named");
        (candidate, from) = registry.pendingSuccessor();
        same(candidate, address(0), "nothing pends");

        refused(
            abi.encodeWithSelector(IEvidenceRegistry.SuccessorAlreadyConfirmed.selector, address(next))
        );
        announce(address(this));
        refused(abi.encodeWithSelector(IEvidenceRegistry.SuccessorNotAnnounced.selector));
        confirm();
    }

    function test_announcing_another_successor_begins_the_delay_anew() public {
        announce(address(this));
        vm.warp(NOW + 6 days);
        announce(address(vm));
        vm.warp(NOW + 7 days);
        refused(abi.encodeWithSelector(IEvidenceRegistry.SuccessorTooSoon.selector, NOW + 13 days));
        confirm();
    }

    function test_an_announced_successor_is_withdrawn() public {
        announce(address(this));
        emitted();
        emit IEvidenceRegistry.SuccessorWithdrawn(address(this));
        vm.prank(admin);
        registry.withdrawSuccessor();
        bytes memory none = abi.encodeWithSelector(IEvidenceRegistry.SuccessorNotAnnounced.selector);
        refused(none);
        vm.prank(admin);
        registry.withdrawSuccessor();
        vm.warp(NOW + 8 days);
        refused(none);
        confirm();
    }

    function test_a_successor_is_another_contract() public {
        bytes4 noContract = IEvidenceRegistry.SuccessorNotAContract.selector;
        refused(abi.encodeWithSelector(noContract, stranger));
        announce(stranger);
        refused(abi.encodeWithSelector(noContract, address(registry)));
        announce(address(registry));
    }

    function test_only_the_admin_names_a_successor() public {
        address[4] memory others = [anchorer, registrar, arbiter, stranger];
        for (uint256 i = 0; i < 4; ++i) {
            refusedRole(others[i], 0);
            vm.prank(others[i]);
            registry.setSuccessor(address(this));
            refusedRole(others[i], 0);
            vm.prank(others[i]);
            registry.withdrawSuccessor();
            refusedRole(others[i], 0);
            vm.prank(others[i]);
            registry.confirmSuccessor();
        }
    }
}
