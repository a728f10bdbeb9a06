// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EvidenceRegistry} from "../../contracts/EvidenceRegistry.sol";
import {IEvidenceRegistry} from "../../contracts/IEvidenceRegistry.sol";
import {NaiveTree} from "./NaiveTree.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

/// @notice Honest and dishonest people at one registry, and beside it a plain model of what must be true.
/// @dev The dishonest hold every key and role in turn but the parties' secrets; what they try must fail, and the
/// model, which they cannot reach, is compared after every step.
contract People is RegistryFixture {
    struct Record {
        bytes32 digest;
        IEvidenceRegistry.AgreementState state;
        uint32 version;
        uint64 concludedAt;
        uint64 endedAt;
        uint64 through;
        bytes32 endedBy;
    }

    bytes32[] private _log;
    uint64[] public sizes;
    bytes32[] public roots;
    Record[] private _records;
    IEvidenceRegistry.Agreement[] private _agreements;
    bytes32[] private _breaches;
    mapping(bytes32 breachId => IEvidenceRegistry.BreachState state) private _breachStates;
    uint64 private _time = NOW;
    /// @notice What the first dishonest call that went through was; empty while none did.
    string public crime;

    constructor() {
        setUp();
        grows(1, 5);
        grows(2, 3);
        concludes(1, 2);
        concludes(2, 3);
        amends(0);
        terminates(1);
        breaches(0, 1);
    }

    modifier atNow() {
        vm.warp(_time);
        _;
    }

    function target() external view returns (EvidenceRegistry) {
        return registry;
    }

    function heads() external view returns (uint256) {
        return sizes.length;
    }

    function records() external view returns (Record[] memory) {
        return _records;
    }

    function breachStateAt(uint256 i) external view returns (bytes32 id, IEvidenceRegistry.BreachState state) {
        (id, state) = (_breaches[i], _breachStates[_breaches[i]]);
    }

    function breachCount() external view returns (uint256) {
        return _breaches.length;
    }

    // ---------------------------------------------------------------------------------------------------- honest

    function passes(uint32 seconds_) external {
        _time += 1 + (seconds_ % 1 hours);
    }

    function grows(uint256 seed, uint256 by) public atNow {
        by = within(by, 1, 9);
        for (uint256 i = 0; i < by; ++i) _log.push(keccak256(abi.encode(seed, i)));
        uint64 size = uint64(_log.length);
        (uint64 last, bytes32 lastRoot, , ) = registry.head();
        bytes32 root = NaiveTree.root(_log, 0, size);
        bytes32[] memory proof = last == 0 ? new bytes32[](0) : NaiveTree.consistency(_log, last, size);
        vm.prank(anchorer);
        try registry.anchor(last, lastRoot, size, root, proof) {
            sizes.push(size);
            roots.push(root);
        } catch {
            for (uint256 i = 0; i < by; ++i) _log.pop();
        }
    }

    function concludes(uint256 seed, uint256 count) public atNow {
        IEvidenceRegistry.Agreement memory a = agreement(within(count, 2, 4));
        a.agreementId = keccak256(abi.encode(seed));
        (a.deadline, a.parties) = (FOREVER, renewed(a.parties));
        bytes32 digest = registry.agreementDigest(a);
        if (known(digest)) return;
        try registry.conclude(a, signatures(a.parties.length, digest)) {
            added(a, digest);
        } catch {}
    }

    function amends(uint256 which) public atNow {
        which = which % _records.length;
        IEvidenceRegistry.Agreement memory a = _agreements[which];
        IEvidenceRegistry.Agreement memory next = nextOf(a);
        (next.agreementId, next.deadline, next.parties) = (a.agreementId, FOREVER, renewed(next.parties));
        bytes32 digest = registry.agreementDigest(next);
        if (known(digest)) return;
        try registry.amend(a, next, signatures(next.parties.length, digest)) {
            if (_records[which].state != IEvidenceRegistry.AgreementState.CONCLUDED) crime = "amended twice";
            ended(which, IEvidenceRegistry.AgreementState.AMENDED, digest);
            added(next, digest);
        } catch {}
    }

    function terminates(uint256 which) public atNow {
        which = which % _records.length;
        IEvidenceRegistry.Agreement memory a = _agreements[which];
        IEvidenceRegistry.Termination memory end = endOf(a);
        (end.deadline, end.parties) = (FOREVER, renewed(end.parties));
        bytes32 digest = registry.terminationDigest(end);
        bool standing = _records[which].state == IEvidenceRegistry.AgreementState.CONCLUDED;
        try registry.terminate(a, end, signatures(end.parties.length, digest)) {
            if (standing) {
                ended(which, IEvidenceRegistry.AgreementState.TERMINATED, digest);
                _records[which].through = end.effectiveAt;
            } else if (_records[which].endedBy != digest) {
                crime = "terminated after its end";
            }
        } catch {}
    }

    function breaches(uint256 which, uint32 index) public atNow {
        which = which % _records.length;
        index = index % 5;
        bytes32[] memory tree = leaves();
        bytes32[] memory path = NaiveTree.inclusion(tree, index, 0, 5);
        vm.prank(arbiter);
        try registry.recordBreach(_agreements[which], tree[index], index, path, keccak256("finding")) returns (
            bytes32 id
        ) {
            if (_breachStates[id] != IEvidenceRegistry.BreachState.NONE) return;
            _breaches.push(id);
            _breachStates[id] = IEvidenceRegistry.BreachState.CONFIRMED;
        } catch {}
    }

    function resolves(uint256 which, uint8 way) external atNow {
        if (_breaches.length == 0) return;
        bytes32 id = _breaches[which % _breaches.length];
        IEvidenceRegistry.BreachState state = IEvidenceRegistry.BreachState(2 + (way % 3));
        vm.prank(arbiter);
        try registry.resolveBreach(id, IEvidenceRegistry.Resolution(way % 3), keccak256("outcome")) {
            if (_breachStates[id] == IEvidenceRegistry.BreachState.CONFIRMED) _breachStates[id] = state;
            else if (_breachStates[id] != state) crime = "a resolution was changed";
        } catch {}
    }

    function revokes(uint256 who) external atNow {
        who = who % 4;
        vm.prank(registrar);
        registry.revokeKey(organisation(who), signer(who));
        // Another key takes its place at once, so that the story goes on; the old nonce is part of the new state.
        vm.prank(registrar);
        try registry.setKey(organisation(who), signer(who), 1, FOREVER) {} catch {}
    }

    function pauses(uint64 duration) external atNow {
        vm.prank(pauser);
        try registry.pause(duration % 3 hours) {} catch {}
    }

    // ------------------------------------------------------------------------------------------------- dishonest

    /// @notice With the anchoring key: a fork, a cut, a repeat of an old head, noise.
    function forges(uint256 seed, uint256 kind, uint64 size) external atNow {
        (uint64 last, bytes32 lastRoot, , ) = registry.head();
        bytes32[] memory tree = _log;
        bytes32[] memory grown = new bytes32[](tree.length + 3);
        for (uint256 i = 0; i < grown.length; ++i) grown[i] = i < tree.length ? tree[i] : keccak256(abi.encode(i));
        grown[seed % tree.length] = keccak256(abi.encode("forged", seed));
        kind = kind % 4;
        bytes32[] memory proof = NaiveTree.consistency(grown, last, grown.length);
        bytes32 root = NaiveTree.root(grown, 0, grown.length);
        vm.prank(anchorer);
        if (kind == 0) {
            try registry.anchor(last, lastRoot, uint64(grown.length), root, proof) {
                crime = "a fork was anchored";
            } catch {}
        } else if (kind == 1) {
            try registry.anchor(last, lastRoot, size % (last + 1), keccak256(abi.encode(seed)), proof) {
                crime = "a smaller head was anchored";
            } catch {}
        } else if (kind == 2) {
            try registry.anchor(0, 0, uint64(grown.length), root, new bytes32[](0)) {
                crime = "the log was begun anew";
            } catch {}
        } else {
            try registry.anchor(last, lastRoot, size, keccak256(abi.encode(seed)), proof) {
                crime = "noise was anchored";
            } catch {}
        }
    }

    /// @notice With no party's secret: an agreement, an amendment, an end, signed by others or by one party alone.
    function impersonates(uint256 seed, uint256 which, uint256 kind) external atNow {
        which = which % _records.length;
        kind = kind % 3;
        IEvidenceRegistry.Agreement memory a = _agreements[which];
        if (kind == 0) {
            a.commitment = keccak256(abi.encode(seed));
            (a.version, a.previous, a.parties) = (1, 0, renewed(a.parties));
            try registry.conclude(a, forgedFor(a.parties.length, registry.agreementDigest(a), seed)) {
                crime = "an agreement was forged";
            } catch {}
        } else if (kind == 1) {
            IEvidenceRegistry.Agreement memory next = nextOf(a);
            (next.agreementId, next.deadline) = (a.agreementId, FOREVER);
            (next.commitment, next.parties) = (keccak256(abi.encode(seed)), renewed(next.parties));
            try registry.amend(a, next, forgedFor(next.parties.length, registry.agreementDigest(next), seed)) {
                crime = "an amendment was forged";
            } catch {}
        } else {
            IEvidenceRegistry.Termination memory end = endOf(a);
            (end.commitment, end.deadline) = (keccak256(abi.encode(seed)), FOREVER);
            end.parties = renewed(end.parties);
            try registry.terminate(a, end, forgedFor(end.parties.length, registry.terminationDigest(end), seed)) {
                crime = "an end was forged";
            } catch {}
        }
    }

    /// @notice Every role holder and a stranger in turn call everything, with arguments that would change records.
    function abuses(uint256 who, uint256 what, uint256 which, bytes32 noise) external atNow {
        address[6] memory callers = [admin, anchorer, registrar, arbiter, pauser, stranger];
        address caller = callers[who % 6];
        IEvidenceRegistry.Agreement memory a = _agreements[which % _records.length];
        (uint64 last, bytes32 lastRoot, , ) = registry.head();
        bytes[] memory unsigned = new bytes[](a.parties.length);
        bytes[9] memory calls = [
            abi.encodeCall(registry.anchor, (last, lastRoot, last, noise, new bytes32[](0))),
            abi.encodeCall(registry.setKey, (noise, caller, 1, FOREVER)),
            abi.encodeCall(registry.revokeKey, (noise, caller)),
            abi.encodeCall(registry.conclude, (a, unsigned)),
            abi.encodeCall(registry.amend, (a, nextOf(a), unsigned)),
            abi.encodeCall(registry.terminate, (a, endOf(a), unsigned)),
            abi.encodeCall(registry.recordBreach, (a, noise, 0, new bytes32[](0), noise)),
            abi.encodeCall(registry.grantRole, (registry.ANCHOR(), stranger)),
            abi.encodeCall(registry.voidSignatures, (noise))
        ];
        vm.prank(caller);
        (bool done, ) = address(registry).call(calls[what % 9]);
        if (done && caller == stranger && what % 9 == 7) crime = "a stranger granted a role";
    }

    // ----------------------------------------------------------------------------------------------------- model

    function known(bytes32 digest) private view returns (bool) {
        return stateOf(digest) != IEvidenceRegistry.AgreementState.NONE;
    }

    /// @notice The same parties with their keys' present nonces.
    function renewed(
        IEvidenceRegistry.Party[] memory list
    ) private view returns (IEvidenceRegistry.Party[] memory) {
        for (uint256 i = 0; i < list.length; ++i) {
            (, , list[i].nonce) = registry.keyOf(list[i].organisation, list[i].signer);
        }
        return list;
    }

    function forgedFor(uint256 count, bytes32 digest, uint256 seed) private pure returns (bytes[] memory list) {
        list = signatures(count, digest);
        list[seed % count] = signature(secret(8), digest);
    }

    function added(IEvidenceRegistry.Agreement memory a, bytes32 digest) private {
        _records.push(
            Record(digest, IEvidenceRegistry.AgreementState.CONCLUDED, a.version, _time, 0, a.validThrough, 0)
        );
        IEvidenceRegistry.Agreement storage kept = _agreements.push();
        (kept.agreementId, kept.version, kept.previous) = (a.agreementId, a.version, a.previous);
        (kept.commitment, kept.stipulationsRoot) = (a.commitment, a.stipulationsRoot);
        (kept.stipulationCount, kept.deadline) = (a.stipulationCount, a.deadline);
        (kept.effectiveFrom, kept.validThrough) = (a.effectiveFrom, a.validThrough);
        for (uint256 i = 0; i < a.parties.length; ++i) kept.parties.push(a.parties[i]);
    }

    function ended(uint256 which, IEvidenceRegistry.AgreementState state, bytes32 by) private {
        Record storage it = _records[which];
        (it.state, it.endedAt, it.endedBy) = (state, _time, by);
    }
}

contract InvariantsTest is RegistryFixture {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    People private people;

    function setUp() public override {
        people = new People();
        registry = people.target();
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[12] memory acts = [
            People.passes.selector,
            People.grows.selector,
            People.concludes.selector,
            People.amends.selector,
            People.terminates.selector,
            People.breaches.selector,
            People.resolves.selector,
            People.revokes.selector,
            People.pauses.selector,
            People.forges.selector,
            People.impersonates.selector,
            People.abuses.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0].addr = address(people);
        targets[0].selectors = new bytes4[](acts.length);
        for (uint256 i = 0; i < acts.length; ++i) targets[0].selectors[i] = acts[i];
    }

    function invariant_sizes_only_grow_and_no_stored_root_changes() external view {
        uint256 count = people.heads();
        uint64 last = 0;
        for (uint256 i = 0; i < count; ++i) {
            isTrue(people.sizes(i) > last, "sizes grow");
            last = people.sizes(i);
            same(registry.headAt(last), people.roots(i), "a stored root stays");
        }
        (uint64 size, bytes32 root, , ) = registry.head();
        same(size, last, "the head is the last one that the honest anchored");
        same(root, people.roots(count - 1), "its root too");
    }

    function invariant_no_agreement_changes_but_by_its_parties() external view {
        People.Record[] memory list = people.records();
        for (uint256 i = 0; i < list.length; ++i) {
            (
                IEvidenceRegistry.AgreementState state,
                uint32 version,
                uint64 concludedAt,
                uint64 endedAt,
                ,
                uint64 through,
                bytes32 endedBy
            ) = registry.agreementAt(list[i].digest);
            same(uint8(state), uint8(list[i].state), "state");
            same(version, list[i].version, "version");
            same(concludedAt, list[i].concludedAt, "concluded at");
            same(endedAt, list[i].endedAt, "ended at");
            same(through, list[i].through, "effective through");
            same(endedBy, list[i].endedBy, "ended by");
        }
    }

    function invariant_no_breach_changes_but_by_its_one_resolution() external view {
        for (uint256 i = 0; i < people.breachCount(); ++i) {
            (bytes32 id, IEvidenceRegistry.BreachState expected) = people.breachStateAt(i);
            (IEvidenceRegistry.BreachState state, , , ) = registry.breachAt(id);
            same(uint8(state), uint8(expected), "state");
        }
    }

    function invariant_nothing_forged_goes_through() external view {
        string memory crime = people.crime();
        isTrue(bytes(crime).length == 0, crime);
    }
}
