"""Correcting and retracting: by a later record, by the right signer, once, and without circles."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Role
from talentseal.audit import corrections
from talentseal.audit.corrections import CLASS_OF_ROLE, SignerClass
from talentseal.audit.events import CorrectionReason
from talentseal.evidence import records
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.records import Recorded
from tests.world import Member, World

REASON = CorrectionReason.WRONG_CONTENT


@pytest.fixture
def talent_office(world: World) -> Member:
    return world.member("人才办", role=Role.TALENT_OFFICE)


def retract(world: World, by: Member, record: str) -> Recorded:
    now = world.clock.now()
    return world.database.write(
        lambda session: corrections.retract(session, by.actor, record, REASON, "登记有误", now=now)
    )


def correct(world: World, by: Member, record: str) -> Recorded:
    now = world.clock.now()
    return world.database.write(
        lambda session: corrections.correct(session, by.actor, record, REASON, "应为第二版", now=now)
    )


def size(world: World) -> int:
    return world.database.read(lambda session: session.scalar(select(func.count(EvidenceRecord.id)))) or 0


@pytest.mark.scenario(69)
@pytest.mark.parametrize("role", [Role.PARTNER, Role.OPERATOR])
def test_a_retraction_by_a_lower_signer_class_is_refused_and_leaves_nothing(
    world: World, bank: Member, office: Member, role: Role
) -> None:
    record = world.signed(bank, office).record_id or ""
    lower = bank if role is Role.PARTNER else world.member("运营机构", role=Role.OPERATOR)
    before = size(world)

    with pytest.raises(corrections.SignerClassTooLow):
        retract(world, lower, record)

    assert size(world) == before


@pytest.mark.scenario(69)
def test_a_deciding_body_retracts_and_the_earlier_record_stays(
    world: World, bank: Member, office: Member, talent_office: Member
) -> None:
    record = world.signed(bank, office).record_id or ""

    made = retract(world, talent_office, record)

    row = world.database.read(lambda session: session.get_one(EvidenceRecord, made.id))
    closed = world.database.read(lambda session: corrections.effective(session, record))
    assert (row.kind, row.relation, row.refers_to) == (81, "RETRACTS", record)
    assert [each.record_id for each in closed] == [made.id]
    assert world.database.read(lambda session: records.find(session, record)) is not None


def test_a_record_is_retracted_once_however_many_try(
    world: World, bank: Member, office: Member, talent_office: Member
) -> None:
    record = world.signed(bank, office).record_id or ""
    before = size(world)

    def attempt(_: int) -> bool:
        try:
            retract(world, talent_office, record)
        except corrections.AlreadyClosed:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(attempt, range(12)))

    assert made.count(True) == 1
    assert size(world) == before + 1


def test_a_record_can_be_corrected_and_later_retracted(
    world: World, bank: Member, office: Member, talent_office: Member
) -> None:
    record = world.signed(bank, office).record_id or ""

    correct(world, talent_office, record)
    retract(world, talent_office, record)

    closed = world.database.read(lambda session: corrections.effective(session, record))
    assert sorted(each.relation.value for each in closed) == ["CORRECTS", "RETRACTS"]


def test_a_correction_can_be_corrected_by_its_own_class_but_a_retraction_by_nobody(
    world: World, bank: Member, office: Member, talent_office: Member
) -> None:
    record = world.signed(bank, office).record_id or ""
    correction = correct(world, talent_office, record)
    retraction = retract(world, talent_office, record)

    assert correct(world, talent_office, correction.id).kind == 80
    with pytest.raises(corrections.KindNotClosable):
        retract(world, talent_office, retraction.id)


def test_records_that_do_not_exist_or_are_foreign_are_refused_alike(
    world: World, bank: Member, office: Member
) -> None:
    record = world.signed(bank, office).record_id or ""
    stranger = world.member("外部商户")

    for name in (record, "0" * 32):
        with pytest.raises(records.RecordNotFound):
            retract(world, stranger, name)


def test_a_circle_of_references_is_refused(sqlite_world: World) -> None:
    world = sqlite_world
    bank, office = world.member("郑东银行"), world.member("人才集团")
    talent_office = world.member("人才办", role=Role.TALENT_OFFICE)
    record = world.signed(bank, office).record_id or ""
    correction = correct(world, talent_office, record).id

    def tamper(session: Session) -> None:
        for trigger in session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            session.execute(text(f"DROP TRIGGER {trigger}"))
        session.execute(
            text("UPDATE evidence_record SET refers_to = :later WHERE id = :earlier"),
            {"later": correction, "earlier": record},
        )

    world.database.write(tamper)

    with pytest.raises(corrections.ReferenceCycle):
        correct(world, talent_office, correction)


def test_every_role_has_a_signer_class_and_auditors_close_nothing() -> None:
    assert set(CLASS_OF_ROLE) == set(Role)
    assert CLASS_OF_ROLE[Role.AUDITOR] is SignerClass.PLATFORM
