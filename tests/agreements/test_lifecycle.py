"""An agreement from submission to the end of its life, on both databases and a chain that checks every
signature.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Role
from talentseal.agreements import proofs, reading, signing, submission, termination
from talentseal.agreements.models import AgreementVersion, StatementSignature, Stipulation
from talentseal.agreements.schemas import TerminationInput
from talentseal.agreements.states import AgreementState
from talentseal.errors import NotPermitted
from talentseal.evidence.models import ActKind, ActState, EvidenceRecord, RegistryAct
from talentseal.evidence.records import ErasureReason
from talentseal.partners import service as partners
from tests.world import Member, World, intake, stipulation

ENDS = datetime(2027, 3, 31, 15, 59, 59, tzinfo=UTC)
"""When terminations of these tests take effect."""


@pytest.fixture
def bank(world: World) -> Member:
    return world.member("郑东银行")


@pytest.fixture
def office(world: World) -> Member:
    return world.member("人才集团")


def records(world: World) -> list[int]:
    return world.database.read(
        lambda session: sorted(
            session.scalars(select(EvidenceRecord.kind).where(EvidenceRecord.kind < 80)).all()
        )
    )


def acts(world: World, *kinds: ActKind) -> list[RegistryAct]:
    return world.database.read(
        lambda session: list(session.scalars(select(RegistryAct).where(RegistryAct.kind.in_(kinds))))
    )


def test_an_agreement_passes_through_every_state_to_its_expiry(
    world: World, bank: Member, office: Member
) -> None:
    version = world.submit(bank, intake(bank, office)).version
    met = [world.state(version)]
    met.extend(world.state(world.sign(member, version)) for member in (bank, office))
    world.settle()
    met.append(world.state(version))
    for moment in ("2026-11-30T16:00:00", "2027-11-30T15:59:59", "2027-11-30T16:00:00"):
        world.clock.moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        met.append(world.state(version))

    assert met == [
        AgreementState.SUBMITTED,
        AgreementState.SIGNING,
        AgreementState.SIGNED,
        AgreementState.EVIDENCED,
        AgreementState.IN_FORCE,
        AgreementState.IN_FORCE,
        AgreementState.EXPIRED,
    ]
    assert records(world) == [10, 20, 20]


@pytest.mark.scenario(59)
def test_an_agreement_signed_by_one_of_two_is_neither_recorded_nor_asked_of_the_contract(
    world: World, bank: Member, office: Member
) -> None:
    version = world.submit(bank, intake(bank, office)).version

    world.sign(bank, version)
    world.settle()

    assert world.state(version) is AgreementState.SIGNING
    assert records(world) == []
    assert acts(world, ActKind.CONCLUDE) == []


@pytest.mark.scenario(62)
def test_fifty_submissions_of_one_document_at_once_make_one_agreement_and_one_transaction(
    world: World, bank: Member, office: Member
) -> None:
    intakes = [intake(bank, office) for _ in range(50)]

    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda each: world.submit(bank, each), intakes))

    assert len({each.version.agreement_id for each in done}) == 1
    assert sum(each.created for each in done) == 1
    for member in (bank, office):
        world.sign(member, done[0].version)
    world.submit(bank, intake(bank, office))
    world.settle()
    assert [act.state for act in acts(world, ActKind.CONCLUDE)] == [ActState.FINAL]
    assert records(world) == [10, 20, 20]


def test_the_same_document_with_other_terms_is_refused_and_named(
    world: World, bank: Member, office: Member
) -> None:
    first = world.submit(bank, intake(bank, office)).version

    with pytest.raises(submission.AgreementExists) as refusal:
        world.submit(bank, intake(bank, office, title="另一标题"))

    assert refusal.value.params["agreement"] == first.agreement_id


def test_both_sides_signing_at_once_conclude_once(world: World, bank: Member, office: Member) -> None:
    version = world.submit(bank, intake(bank, office)).version

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda member: world.sign(member, version), [bank, office] * 10))

    assert records(world) == [10, 20, 20]
    assert len(acts(world, ActKind.CONCLUDE)) == 1


def test_a_signature_by_another_key_is_refused_and_nothing_is_kept(
    world: World, bank: Member, office: Member
) -> None:
    version = world.submit(bank, intake(bank, office)).version

    with pytest.raises(signing.SignatureFalse):
        world.sign(bank, version, office.sign(version.digest))

    kept = world.database.read(lambda session: session.scalar(select(func.count(StatementSignature.digest))))
    assert kept == 0


@pytest.mark.parametrize("spoilt", ["0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "01" * 64 + "02"])
def test_random_bytes_are_no_signature(world: World, bank: Member, office: Member, spoilt: str) -> None:
    version = world.submit(bank, intake(bank, office)).version

    with pytest.raises(signing.SignatureFalse):
        world.sign(bank, version, spoilt)


def test_a_revoked_key_signs_nothing(world: World, bank: Member, office: Member) -> None:
    version = world.submit(bank, intake(bank, office)).version
    now = world.clock.now()
    world.database.write(
        lambda session: partners.revoke_key(session, bank.actor, bank.id, bank.address, now=now)
    )

    with pytest.raises(partners.SigningKeyInvalid):
        world.sign(bank, version)


def test_signatures_after_the_deadline_are_refused_and_the_document_can_be_submitted_anew(
    world: World, bank: Member, office: Member
) -> None:
    first = world.submit(bank, intake(bank, office)).version
    world.clock.advance(days=31)

    assert world.state(first) is AgreementState.RETURNED
    with pytest.raises(submission.AgreementStateRefused):
        world.sign(bank, first)
    second = world.submit(bank, intake(bank, office))
    assert second.created
    assert second.version.agreement_id != first.agreement_id


def test_a_stranger_sees_signs_and_returns_nothing(world: World, bank: Member, office: Member) -> None:
    version = world.submit(bank, intake(bank, office)).version
    stranger = world.member("外部商户")
    now = world.clock.now()

    with pytest.raises(reading.AgreementNotFound):
        world.sign(stranger, version)
    with pytest.raises(reading.AgreementNotFound):
        world.database.write(
            lambda session: submission.return_version(
                session, stranger.actor, version.agreement_id, 1, "无关", now=now
            )
        )


def test_whoever_is_no_party_cannot_submit_between_others(world: World, bank: Member, office: Member) -> None:
    stranger = world.member("外部商户")

    with pytest.raises(submission.NotAParty):
        world.submit(stranger, intake(bank, office))


def test_a_declined_version_is_returned_and_the_document_free_again(
    world: World, bank: Member, office: Member
) -> None:
    version = world.submit(bank, intake(bank, office)).version
    now = world.clock.now()

    world.database.write(
        lambda session: submission.return_version(
            session, office.actor, version.agreement_id, 1, "金额有误", now=now
        )
    )

    assert world.state(version) is AgreementState.RETURNED
    assert world.submit(bank, intake(bank, office)).created


def test_a_draft_is_its_submitters_alone_until_submitted(world: World, bank: Member, office: Member) -> None:
    draft = world.submit(bank, intake(bank, office, draft=True)).version
    now = world.clock.now()

    assert world.state(draft) is AgreementState.DRAFT
    with pytest.raises(reading.AgreementNotFound):
        world.sign(office, draft)
    world.database.write(
        lambda session: submission.submit_draft(session, bank.actor, draft.agreement_id, 1, now=now)
    )
    assert world.state(world.sign(office, draft)) is AgreementState.SIGNING


def test_a_discarded_draft_leaves_no_row(world: World, bank: Member, office: Member) -> None:
    draft = world.submit(bank, intake(bank, office, draft=True)).version
    now = world.clock.now()

    world.database.write(
        lambda session: submission.discard_draft(session, bank.actor, draft.agreement_id, 1, now=now)
    )

    left = world.database.read(
        lambda session: [
            session.scalar(select(func.count(column))) for column in (AgreementVersion.id, Stipulation.id)
        ]
    )
    assert left == [0, 0]


def amendment(world: World, first: AgreementVersion, bank: Member, office: Member) -> AgreementVersion:
    """The next version, drawn up and signed by nobody yet."""
    change = intake(
        bank,
        office,
        plain=b"%PDF-1.7 second",
        title="人才专属贷款合作协议（二）",
        effective_from=date(2027, 1, 1),
    )
    now, domain = world.clock.now(), world.domain
    return world.database.write(
        lambda session: submission.amend(
            session, bank.actor, first.agreement_id, first.version, change, now=now, domain=domain
        )
    ).version


def amended(world: World, first: AgreementVersion, bank: Member, office: Member) -> AgreementVersion:
    second = amendment(world, first, bank, office)
    for member in (bank, office):
        second = world.sign(member, second)
    return second


def in_force(world: World, agreement_id: str) -> AgreementVersion | None:
    now = world.clock.now()
    return world.database.read(lambda session: reading.in_force(session, agreement_id, now=now))


def proposed_end(world: World, version: AgreementVersion, by: Member) -> str:
    """The digest that all parties sign to end the version at ENDS."""
    command = TerminationInput(reason="协商一致", notice="书面通知，2026-11-20", effective_at=ENDS)
    now, domain = world.clock.now(), world.domain

    def propose(session: Session) -> str:
        proposed = termination.propose(
            session, by.actor, version.agreement_id, version.version, command, now=now, domain=domain
        )
        return reading.termination_typed_data(session, proposed).digest

    return world.database.write(propose)


def sign_termination(world: World, member: Member, agreement_id: str, digest: str) -> None:
    now, domain = world.clock.now(), world.domain
    world.database.write(
        lambda session: termination.sign(
            session, member.actor, agreement_id, 1, member.sign(digest), now=now, domain=domain
        )
    )


@pytest.mark.scenario(61)
def test_an_amendment_links_to_the_earlier_version_which_stays_valid_for_its_time(
    world: World, bank: Member, office: Member
) -> None:
    first = world.signed(bank, office)
    world.settle()
    second = amended(world, first, bank, office)
    world.settle()

    record = world.database.read(lambda session: session.get_one(EvidenceRecord, second.record_id))
    assert (record.kind, record.relation, record.refers_to) == (11, "AMENDS", first.record_id)
    at = {}
    for moment in (datetime(2026, 12, 15, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)):
        world.clock.moment = moment
        live = in_force(world, first.agreement_id)
        at[moment.year] = (live.version if live else None, world.state(first))
    assert at == {
        2026: (1, AgreementState.IN_FORCE),
        2027: (2, AgreementState.SUPERSEDED),
    }


def test_an_amendment_between_other_organisations_is_refused(
    world: World, bank: Member, office: Member
) -> None:
    first, third = world.signed(bank, office), world.member("另一商户")
    now, domain = world.clock.now(), world.domain

    with pytest.raises(submission.PartiesChanged):
        world.database.write(
            lambda session: submission.amend(
                session, bank.actor, first.agreement_id, 1, intake(bank, third), now=now, domain=domain
            )
        )


def test_two_amendments_of_one_version_cannot_both_be_under_way(
    world: World, bank: Member, office: Member
) -> None:
    first = world.signed(bank, office)
    now, domain = world.clock.now(), world.domain

    def amend(plain: bytes) -> submission.Submitted:
        return world.database.write(
            lambda session: submission.amend(
                session,
                bank.actor,
                first.agreement_id,
                1,
                intake(bank, office, plain=plain),
                now=now,
                domain=domain,
            )
        )

    amend(b"%PDF-1.7 a")
    with pytest.raises(submission.AmendmentPending):
        amend(b"%PDF-1.7 b")


def test_a_termination_signed_by_all_ends_the_version_at_its_time(
    world: World, bank: Member, office: Member
) -> None:
    first = world.signed(bank, office)
    world.settle()
    digest = proposed_end(world, first, office)
    for member in (bank, office):
        sign_termination(world, member, first.agreement_id, digest)
    world.settle()

    states = []
    for moment in (ENDS - timedelta(seconds=1), ENDS):
        world.clock.moment = moment
        states.append(world.state(first))
    assert states == [AgreementState.IN_FORCE, AgreementState.TERMINATED]
    assert records(world) == [10, 13, 20, 20]


def test_of_an_amendment_and_a_termination_only_the_first_signed_by_all_is_taken(
    world: World, bank: Member, office: Member
) -> None:
    first = world.signed(bank, office)
    world.settle()
    second, digest = amendment(world, first, bank, office), proposed_end(world, first, office)
    world.sign(bank, second)
    sign_termination(world, bank, first.agreement_id, digest)

    world.sign(office, second)

    with pytest.raises(submission.VersionEnding):
        sign_termination(world, office, first.agreement_id, digest)
    world.settle()
    assert records(world) == [10, 11, 20, 20, 20, 20]


def test_once_all_have_signed_its_end_a_version_is_amended_no_more(
    world: World, bank: Member, office: Member
) -> None:
    first = world.signed(bank, office)
    world.settle()
    second, digest = amendment(world, first, bank, office), proposed_end(world, first, office)
    for member in (bank, office):
        sign_termination(world, member, first.agreement_id, digest)

    with pytest.raises(submission.VersionEnding):
        world.sign(bank, second)
    assert world.state(second) is AgreementState.SUBMITTED


def test_no_end_is_drawn_up_for_a_version_that_all_have_amended(
    world: World, bank: Member, office: Member
) -> None:
    first = world.signed(bank, office)
    world.settle()
    amended(world, first, bank, office)

    with pytest.raises(submission.VersionEnding):
        proposed_end(world, first, office)


def test_no_amendment_is_drawn_up_for_a_version_that_all_have_ended(
    world: World, bank: Member, office: Member
) -> None:
    first = world.signed(bank, office)
    world.settle()
    digest = proposed_end(world, first, office)
    for member in (bank, office):
        sign_termination(world, member, first.agreement_id, digest)

    with pytest.raises(submission.VersionEnding):
        amendment(world, first, bank, office)


def test_a_statement_refused_by_the_contract_shows_as_returned(
    world: World, bank: Member, office: Member
) -> None:
    # The statement is bound to a nonce that the contract does not know: as after a kill switch not read yet.
    world.database.write(lambda session: partners.note_nonce(session, bank.id, bank.address, 5))
    version = world.signed(bank, office)

    world.settle()

    assert world.state(version) is AgreementState.RETURNED


def test_eight_parties_can_sign_and_nine_cannot_be_named(world: World) -> None:
    members = [world.member(f"合作单位{number}") for number in range(8)]

    version = world.signed(*members)
    world.settle()

    assert world.state(version) is AgreementState.EVIDENCED
    with pytest.raises(ValueError, match="at most 8"):
        intake(*members, parties=tuple(intake(*members).submission.parties) * 2)


@pytest.mark.scenario(68)
def test_after_erasure_no_content_is_left_and_repeating_it_changes_nothing(
    world: World, bank: Member, office: Member
) -> None:
    version = world.signed(bank, office)
    world.settle()
    now = world.clock.now()

    def erase(session: Session) -> int:
        row = session.get_one(AgreementVersion, version.id)
        proofs.erase(session, row, ErasureReason.RETENTION_ENDED, now=now)
        return session.scalar(select(func.count(EvidenceRecord.id))) or 0

    counts = [world.database.write(erase), world.database.write(erase)]

    section = world.database.read(lambda session: proofs.agreement_evidence(session, version.record_id or ""))
    assert counts[0] == counts[1]
    assert section is not None
    assert section.disclosures == ()
    assert not any(isinstance(item, str) for item in section.stipulations)


def test_a_partner_without_the_permission_cannot_submit(world: World, bank: Member, office: Member) -> None:
    auditor = world.member("审计", role=Role.AUDITOR)

    with pytest.raises(NotPermitted):
        world.submit(auditor, intake(bank, office))


def test_a_stipulation_of_an_organisation_that_is_no_party_is_refused(bank: Member, office: Member) -> None:
    with pytest.raises(ValueError, match="duty_holder"):
        intake(bank, office, stipulations=(stipulation("0x" + "11" * 32),))
