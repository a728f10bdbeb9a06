"""Every column of every table of agreements, altered by hand in the database, is found."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from talentseal.agreements import termination
from talentseal.agreements.fsck import check_agreements
from talentseal.agreements.models import AgreementVersion
from talentseal.agreements.schemas import TerminationInput
from talentseal.evidence.fsck import Finding
from tests.world import Member, World, intake

OTHER_1, OTHER_2, OTHER_3 = (f"'0x{digit * 64}'" for digit in "123")
OTHER_SALT = """substr(disclosure, 1, 19) || CASE substr(disclosure, 20, 1) WHEN 'x' THEN 'y' ELSE 'x' END
    || substr(disclosure, 21)"""

ALTERATIONS = (
    ("agreement_version", "agreement_id", OTHER_1),
    ("agreement_version", "number", "'ZD-2026-002'"),
    ("agreement_version", "title", "'另一标题'"),
    ("agreement_version", "title", "NULL"),
    ("agreement_version", "category", "'OTHER'"),
    ("agreement_version", "effective_from", "'2026-12-02'"),
    ("agreement_version", "valid_through", "'2028-11-30'"),
    ("agreement_version", "terms", "replace(terms, 'a', 'b')"),
    ("agreement_version", "terms_disclosures", "NULL"),
    ("agreement_version", "terms_disclosures", "'[]'"),
    ("agreement_version", "terms_disclosures", "'no json'"),
    ("agreement_version", "statement", "replace(statement, '\"version\": 1', '\"version\": 2')"),
    ("agreement_version", "statement", "replace(statement, 'count\": 2', 'count\": 3')"),
    ("agreement_version", "statement", "'{}'"),
    ("agreement_version", "digest", OTHER_2),
    ("agreement_version", "chain_id", "chain_id + 1"),
    ("agreement_version", "contract", "'0x0000000000000000000000000000000000000001'"),
    ("agreement_version", "deadline", "deadline + 1000000"),
    ("agreement_version", "signed_at", "NULL"),
    ("agreement_version", "erased_at", "1"),
    ("agreement_version", "record_id", "(SELECT id FROM evidence_record WHERE kind = 20 LIMIT 1)"),
    ("agreement_version", "previous_id", "id"),
    ("agreement_document", "sha256", "replace(sha256, substr(sha256, 1, 4), '0000')"),
    ("agreement_document", "sm3", "replace(sm3, substr(sm3, 1, 4), '0000')"),
    ("agreement_document", "size", "size + 1"),
    ("agreement_document", "media_type", "'application/zip'"),
    ("agreement_party", "position", "1 - position"),
    ("agreement_party", "signer", "'0x0000000000000000000000000000000000000001'"),
    ("agreement_version", "returned_at", "1"),
    ("agreement_party", "signatory_role", "'丙方'"),
    ("agreement_party", "nonce", "nonce + 1"),
    ("stipulation", "position", "position + 5"),
    ("stipulation", "disclosure", "NULL"),
    ("stipulation", "disclosure", OTHER_SALT),
    ("stipulation", "leaf_hash", "replace(leaf_hash, substr(leaf_hash, 1, 4), '0000')"),
    ("stipulation", "record_id", "NULL"),
    ("statement_signature", "signer", "'0x0000000000000000000000000000000000000001'"),
    ("statement_signature", "signature", "replace(signature, substr(signature, 10, 4), '0000')"),
    ("agreement_termination", "terms", "replace(terms, 'a', 'b')"),
    ("agreement_termination", "terms_disclosures", "NULL"),
    ("agreement_termination", "statement", "'{}'"),
    ("agreement_termination", "digest", OTHER_3),
    ("agreement_termination", "effective_at", "effective_at + 1000000"),
    ("agreement_termination", "deadline", "deadline + 1000000"),
)  # fmt: skip


@pytest.fixture
def stored(sqlite_world: World) -> World:
    """A world with an agreement signed by both sides and a termination under way."""
    world = sqlite_world
    bank, office = world.member("郑东银行"), world.member("人才集团")
    version = world.signed(bank, office)
    ends = datetime(2027, 5, 1, tzinfo=UTC)
    command = TerminationInput(reason="协商一致", notice="书面", effective_at=ends)
    now, domain = world.clock.now(), world.domain
    world.database.write(
        lambda session: termination.propose(
            session, bank.actor, version.agreement_id, 1, command, now=now, domain=domain
        )
    )
    return world


def findings(world: World) -> list[Finding]:
    return world.database.snapshot(lambda session: list(check_agreements(session)))


def test_what_was_written_by_the_service_is_without_finding(stored: World) -> None:
    assert findings(stored) == []


def test_agreements_in_every_stage_are_without_finding(
    world: World,
) -> None:
    bank, office = world.member("郑东银行"), world.member("人才集团")
    for number in range(3):
        version = world.submit(bank, intake(bank, office, plain=b"%PDF-1.7 " + bytes([65 + number]))).version
        for member in (bank, office)[:number]:
            world.sign(member, version)

    assert findings(world) == []


@pytest.mark.parametrize(("table", "column", "value"), ALTERATIONS, ids=lambda each: str(each)[:30])
def test_an_altered_column_is_found(stored: World, table: str, column: str, value: str) -> None:
    def alter(session: Session) -> None:
        for trigger in session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            session.execute(text(f"DROP TRIGGER {trigger}"))
        first = f"rowid = (SELECT min(rowid) FROM {table})"
        one = f"UPDATE {table} SET {column} = {value} WHERE {first} AND {column} IS NOT {value}"
        assert session.connection().exec_driver_sql(one).rowcount == 1, "the row is as it was"

    stored.database.write(alter)

    assert findings(stored)


@pytest.mark.parametrize("table", ["agreement_party", "stipulation", "statement_signature"])
def test_a_deleted_row_is_found(stored: World, table: str) -> None:
    stored.database.write(
        lambda session: session.execute(
            text(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
        )
    )

    assert findings(stored)


def test_two_stipulations_swapped_are_found(stored: World) -> None:
    def swap(session: Session) -> None:
        for before, after in ((0, 9), (1, 0), (9, 1)):
            session.execute(text(f"UPDATE stipulation SET position = {after} WHERE position = {before}"))

    stored.database.write(swap)

    assert findings(stored)


def test_an_agreement_of_other_parties_in_its_place_is_found(stored: World) -> None:
    third: Member = stored.member("另一商户")
    fourth = stored.member("又一商户")
    other = stored.submit(third, intake(third, fourth)).version
    content = stored.database.read(
        lambda session: json.loads(session.get_one(AgreementVersion, other.id).statement)
    )

    stored.database.write(
        lambda session: session.execute(
            text("UPDATE agreement_version SET statement = :other WHERE signed_at IS NOT NULL"),
            {"other": json.dumps(content)},
        )
    )

    assert findings(stored)
