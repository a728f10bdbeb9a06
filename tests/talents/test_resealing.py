"""Replacing the key that seals people's data: broken off, repeated, while others write."""

import pytest
from sqlalchemy import LargeBinary, func, select

from talentseal import resealing
from talentseal.accounts.roles import Actor
from talentseal.policy.tiers import Tier
from talentseal.resealing import outstanding, reseal
from talentseal.talents import people
from talentseal.talents.models import FieldGroup, TalentFields
from talentseal.vault import KeyFolder, SealedUnreadable, Vault
from tests.talents.conftest import VAULT, People, high

NEW = Vault({**VAULT.keys, 2: bytes(range(7, 39))}, VAULT.digest_key)


def left(crowd: People) -> int:
    return crowd.world.database.read(lambda session: outstanding(session, NEW))


def name_of(crowd: People, holder: Actor, vault: Vault) -> str:
    talent = crowd.id_of(holder)
    fields = crowd.world.database.read(
        lambda session: people.fields_of(session, vault, talent, FieldGroup.BASIC)
    )
    return str(fields["full_name"])


def test_everything_is_sealed_under_the_new_key_and_reads_the_same(crowd: People) -> None:
    holder = crowd.holder(claim=high(Tier.HIGH_C))
    crowd.confirm(holder)
    before = left(crowd)

    done = reseal(crowd.world.database, NEW, lambda _table, _rows: None)

    assert done == before > 0
    assert left(crowd) == 0
    assert name_of(crowd, holder, NEW) == "欧阳虚构"
    only_new = Vault({2: NEW.keys[2]}, NEW.digest_key)
    assert name_of(crowd, holder, only_new) == "欧阳虚构"
    assert reseal(crowd.world.database, NEW, lambda _table, _rows: None) == 0


def test_a_run_that_breaks_off_is_taken_up_by_the_next(
    sqlite_crowd: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders = [sqlite_crowd.holder() for _ in range(3)]
    monkeypatch.setattr(resealing, "PART", 1)
    parts: list[str] = []

    def break_off(table: str, _rows: int) -> None:
        parts.append(table)
        if len(parts) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reseal(sqlite_crowd.world.database, NEW, break_off)
    rest = left(sqlite_crowd)
    assert rest > 0
    assert {name_of(sqlite_crowd, each, NEW) for each in holders} == {"欧阳虚构"}

    assert reseal(sqlite_crowd.world.database, NEW, lambda _table, _rows: None) == rest


def test_what_somebody_writes_under_the_old_key_meanwhile_is_kept_and_sealed_anew(
    sqlite_crowd: People,
) -> None:
    holder = sqlite_crowd.holder()
    talent, vault = sqlite_crowd.id_of(holder), sqlite_crowd.vault
    written: list[str] = []

    def write(table: str, _rows: int) -> None:
        if table == "talent_fields" and not written:
            written.append(table)
            plain = '{"full_name": "虚构新名"}'.encode()
            sealed = vault.seal(f"talent_fields/{talent}/BASIC", plain)
            sqlite_crowd.world.database.write(
                lambda session: setattr(
                    session.get_one(TalentFields, (talent, FieldGroup.BASIC)), "sealed", sealed
                )
            )

    reseal(sqlite_crowd.world.database, NEW, write)

    assert name_of(sqlite_crowd, holder, NEW) == "虚构新名"
    assert left(sqlite_crowd) == 0


def test_a_running_process_opens_and_then_seals_under_a_key_that_was_added_meanwhile() -> None:
    files = {1: bytes(32)}
    running = Vault(KeyFolder(lambda: dict(files)), bytes(range(32)))
    files[2] = bytes(range(32))
    added = Vault(files, bytes(range(32)))

    assert running.open("place", added.seal("place", b"x")) == b"x"
    assert running.seal("place", b"y")[:2] == (2).to_bytes(2)
    assert "KeyFolder([1, 2])" in repr(running.keys)
    with pytest.raises(SealedUnreadable):
        running.open("place", b"\x00\x03" + bytes(40))


def test_an_append_only_row_keeps_all_but_what_is_sealed(crowd: People) -> None:
    crowd.holder()
    reseal(crowd.world.database, NEW, lambda _table, _rows: None)
    (table,) = [each.table for each in resealing.sealed_columns() if each.table.name == "application_step"]
    numbers = select(func.substr(table.columns["sealed"], 1, 2, type_=LargeBinary)).where(
        table.columns["sealed"].is_not(None)
    )
    assert set(crowd.world.database.read(lambda session: session.scalars(numbers).all())) == {b"\x00\x02"}
    with pytest.raises(Exception, match="append-only"):
        crowd.world.database.write(lambda session: session.execute(table.update().values(state="APPROVED")))
