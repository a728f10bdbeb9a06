"""The demonstration's invented talents: there once, where the services brought them, and visibly invented."""

import io
from pathlib import Path

from pypdf import PdfReader
from sqlalchemy import select

from talentseal.accounts import demonstration as people_of_the_demonstration
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.demonstration import scheme, talents
from talentseal.policy.tiers import Tier
from talentseal.talents import applications, people, reading, recognitions
from talentseal.talents.models import ApplicationState, TalentAccess
from talentseal.talents.schemas import Part
from talentseal.talents.tiers import RecognitionState
from tests.talents.conftest import VAULT, office
from tests.world import World


def enter(world: World, folder: Path) -> list[people_of_the_demonstration.Person]:
    """Everything twice, as two starts do; who can be played."""
    now, database = world.clock.now(), world.database
    scheme.load_instruments(database, now=now)
    scheme.load_calendar(database, now=now)
    for _ in range(2):
        cast = scheme.enter(database, folder, now=now)
        talents.enter(database, VAULT, cast, now=now)
    return database.read(people_of_the_demonstration.people)


def test_two_talents_stand_where_the_services_brought_them(sqlite_world: World, tmp_path: Path) -> None:
    played = enter(sqlite_world, tmp_path)
    now, read = sqlite_world.clock.now(), sqlite_world.database.read

    holder, applicant = (
        Actor(each.account, "", Role.TALENT, PERMISSIONS[Role.TALENT])
        for each in played
        if each.role is Role.TALENT
    )

    tier = read(lambda session: reading.own_tier(session, holder, VAULT, now=now))
    waiting = read(lambda session: reading.newest_application(session, applicant, VAULT))
    assert tier.code is not None
    assert waiting is not None
    assert tier.code.tier is Tier.HIGH_E
    assert [each.state for each in tier.recognitions] == [RecognitionState.CONFIRMED]
    assert waiting.state is ApplicationState.SUBMITTED
    seen = sqlite_world.database.write(
        lambda session: reading.for_review(session, office(), VAULT, waiting.id, now=now)
    )
    assert [each.part for each in seen.ready] == [Part.EDUCATION]


def test_who_decided_on_them_are_two_and_have_left_their_traces(sqlite_world: World, tmp_path: Path) -> None:
    played = enter(sqlite_world, tmp_path)
    clerks = [each.account for each in played if each.role is Role.TALENT_OFFICE]
    holder = next(each for each in played if each.role is Role.TALENT)
    actor = Actor(holder.account, "", Role.TALENT, PERMISSIONS[Role.TALENT])

    talent_id = sqlite_world.database.read(lambda session: people.of_account(session, actor).id)
    made = sqlite_world.database.read(lambda session: recognitions.of_talent(session, talent_id)[0])
    openings = sqlite_world.database.read(lambda session: session.scalars(select(TalentAccess)).all())

    assert [made.verified_by, made.confirmed_by] == clerks
    assert {each.account_id for each in openings} == set(clerks)
    assert {each.talent_id for each in openings} == {talent_id}


def test_everyone_and_every_paper_says_that_it_is_invented(sqlite_world: World, tmp_path: Path) -> None:
    assert all("虚构" in each.name for each in enter(sqlite_world, tmp_path))

    paper = talents.invented_paper(["INVENTED IDENTITY", "for demonstration only"])

    assert "INVENTED IDENTITY" in PdfReader(io.BytesIO(paper), strict=True).pages[0].extract_text()
    assert len(paper) < applications.DOCUMENT_LIMIT
