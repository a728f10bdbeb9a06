"""What is to be done next about a version, seen from each party, from the draft to its end."""

import pytest

from talentseal.agreements import sheets, termination
from talentseal.agreements.models import AgreementVersion
from talentseal.agreements.schemas import TerminationInput
from talentseal.agreements.sheets import Next, Sheet
from talentseal.agreements.states import AgreementState
from talentseal.agreements.submission import amend, return_version, submit_draft
from talentseal.partners import service as partners
from tests.world import Member, World, intake


@pytest.fixture
def world(sqlite_world: World) -> World:
    return sqlite_world


def sheet(world: World, member: Member, version: AgreementVersion) -> Sheet:
    now = world.clock.now()
    return world.database.read(
        lambda session: sheets.sheet(session, member.actor, version.agreement_id, version.version, now=now)
    )


def standing(found: Sheet) -> str:
    """The stages by their first letters: done, current, ahead."""
    return "".join(place[0] for _, place in found.stages)


def test_each_step_is_told_to_whom_it_falls(world: World, bank: Member, office: Member) -> None:
    version = world.submit(bank, intake(bank, office, draft=True)).version
    assert sheet(world, bank, version).next is Next.SUBMIT_DRAFT

    world.database.write(
        lambda session: submit_draft(
            session, bank.actor, version.agreement_id, version.version, now=world.clock.now()
        )
    )
    assert [sheet(world, each, version).next for each in (bank, office)] == [Next.SIGN, Next.SIGN]
    assert standing(sheet(world, bank, version)) == "dcaa"

    world.sign(bank, version)
    found = sheet(world, bank, version)
    assert (found.next, found.polls_every, found.may_amend) == (Next.AWAIT_SIGNATURES, 10, False)

    world.sign(office, version)
    found = sheet(world, bank, version)
    assert (found.next, found.polls_every, found.may_amend) == (Next.AWAIT_CHAIN, 1, True)
    assert standing(found) == "ddca"

    world.settle()
    found = sheet(world, bank, version)
    assert (found.next, found.polls_every, standing(found)) == (Next.KEEP_PROOF, None, "dddd")


def test_whoever_cannot_sign_with_the_named_key_is_sent_to_register_it(
    world: World, bank: Member, office: Member
) -> None:
    version = world.submit(bank, intake(bank, office)).version
    now = world.clock.now()
    world.database.write(
        lambda session: partners.revoke_key(session, office.actor, office.id, office.address, now=now)
    )

    assert sheet(world, office, version).next is Next.REGISTER_KEY
    assert sheet(world, bank, version).next is Next.SIGN


def test_of_versions_of_one_number_the_live_one_is_shown_though_all_came_in_one_moment(
    world: World, bank: Member, office: Member
) -> None:
    first = world.signed(bank, office)
    for plain in (b"%PDF-1.7 a", b"%PDF-1.7 b", b"%PDF-1.7 c"):
        live = _amend(world, bank, office, first, plain)
        assert sheet(world, bank, live).row.id == live.id

        _return(world, bank, live)
        assert sheet(world, bank, live).state is AgreementState.RETURNED


def _return(world: World, member: Member, version: AgreementVersion) -> None:
    now, place = world.clock.now(), (version.agreement_id, version.version)
    world.database.write(lambda session: return_version(session, member.actor, *place, "写错了", now=now))


def _amend(
    world: World, bank: Member, office: Member, first: AgreementVersion, plain: bytes
) -> AgreementVersion:
    now, domain, change = world.clock.now(), world.domain, intake(bank, office, plain=plain)
    return world.database.write(
        lambda session: amend(
            session, bank.actor, first.agreement_id, first.version, change, now=now, domain=domain
        )
    ).version


def test_a_lapsed_version_is_for_its_submitter_to_submit_again(
    world: World, bank: Member, office: Member
) -> None:
    version = world.submit(bank, intake(bank, office)).version
    world.clock.advance(days=31)

    assert sheet(world, bank, version).next is Next.SUBMIT_AGAIN
    assert sheet(world, office, version).next is Next.NOTHING


def test_a_termination_asks_for_signatures_and_ends_the_amending(
    world: World, bank: Member, office: Member
) -> None:
    version = world.signed(bank, office)
    world.settle()
    now = world.clock.now()
    command = TerminationInput.model_validate(
        {"reason": "双方合意", "notice": "书面", "effective_at": "2027-01-31T00:00:00+08:00"}
    )
    place = (version.agreement_id, version.version)
    world.database.write(
        lambda session: termination.propose(
            session, bank.actor, *place, command, now=now, domain=world.domain
        )
    )
    assert sheet(world, bank, version).next is Next.SIGN_TERMINATION

    for member in (bank, office):
        _end(world, member, version)
    found = sheet(world, bank, version)
    assert (found.next, found.may_amend) == (Next.AWAIT_TERMINATION_CHAIN, False)

    world.settle()
    assert sheet(world, bank, version).next is Next.KEEP_PROOF


def _end(world: World, member: Member, version: AgreementVersion) -> None:
    """Sign the termination."""
    ending = sheet(world, member, version).ending
    assert ending is not None
    signature, now, domain = member.sign(ending.digest), world.clock.now(), world.domain
    world.database.write(
        lambda session: termination.sign(
            session,
            member.actor,
            version.agreement_id,
            version.version,
            signature,
            now=now,
            domain=domain,
        )
    )
