"""Agreements that say that they go on when the instrument has expired."""

import json

from sqlalchemy.orm import Session

from sealproof import disclosure
from talentseal.agreements import fsck
from talentseal.agreements.models import AgreementVersion
from tests.world import World, intake


def disclosed(version: AgreementVersion) -> dict[str, object]:
    found = json.loads(version.terms_disclosures or "")
    return {each.name: each.value for each in map(disclosure.read, found)}


def test_what_survives_the_instrument_is_signed_and_stored(sqlite_world: World) -> None:
    bank, operator = sqlite_world.member("虚构银行"), sqlite_world.member("虚构运营公司")

    version = sqlite_world.signed(bank, operator, survives_instrument=True)

    assert version.survives_instrument
    assert disclosed(version)["survives_instrument"] is True


def test_terms_that_do_not_say_it_are_what_they_were(sqlite_world: World) -> None:
    bank, operator = sqlite_world.member("虚构银行"), sqlite_world.member("虚构运营公司")

    version = sqlite_world.submit(bank, intake(bank, operator)).version

    assert not version.survives_instrument
    assert "survives_instrument" not in disclosed(version)


def test_the_check_finds_a_column_that_says_more_than_was_signed(sqlite_world: World) -> None:
    bank, operator = sqlite_world.member("虚构银行"), sqlite_world.member("虚构运营公司")
    version = sqlite_world.signed(bank, operator)

    def alter(session: Session) -> None:
        session.get_one(AgreementVersion, version.id).survives_instrument = True

    sqlite_world.database.write(alter)
    found = sqlite_world.database.read(lambda session: list(fsck.check_agreements(session)))
    assert any("survives_instrument" in each.what for each in found)
