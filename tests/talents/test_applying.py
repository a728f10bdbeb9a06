"""From a draft to a code: what an application needs, who decides it, and that a person has one code."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from talentseal.policy.reading import InstrumentExpired
from talentseal.policy.tiers import Tier
from talentseal.states import TransitionRefused
from talentseal.talents import applications, deciding, people
from talentseal.talents.applications import ApplicationIncomplete
from talentseal.talents.codes import CodeExists, CodeNotFound
from talentseal.talents.deciding import DefectTooLate
from talentseal.talents.models import (
    Application,
    ApplicationState,
    CodeState,
    DocumentKind,
    FieldGroup,
    place_of,
)
from talentseal.talents.recognitions import ClaimNotProved, RecognitionNotCurrent, SecondPersonNeeded
from talentseal.talents.schemas import Claim, Content, Defect, Part, Reject, RejectionGround, Return
from talentseal.talents.tiers import SocialisedExcluded
from tests.talents.conftest import VAULT, People, basic, high, office, work
from tests.world import World


@pytest.mark.scenario(13)
def test_whoever_is_in_scope_without_a_recognition_has_a_code_marked_reserve(crowd: People) -> None:
    talent = crowd.talent()

    crowd.approve(crowd.taken_up(talent))

    code = crowd.code(talent)
    assert (code.state, code.tier) == (CodeState.ACTIVE, Tier.RESERVE)


@pytest.mark.scenario(14)
def test_whoever_is_out_of_scope_is_rejected_with_the_reason(crowd: People) -> None:
    talent = crowd.talent()
    row = crowd.taken_up(talent)
    verdict = Reject(ground=RejectionGround.OUT_OF_SCOPE, reason="不在支持范围（虚构）")
    now, database = crowd.world.clock.now(), crowd.world.database

    database.write(lambda session: deciding.reject(session, office(), VAULT, row.id, verdict, now=now))

    last = database.read(lambda session: applications.steps_of(session, row.id)[-1])
    assert last.state is ApplicationState.REJECTED
    assert last.article == 6
    assert applications.said_in(VAULT, last)["reason"] == verdict.reason
    with pytest.raises(CodeNotFound):
        crowd.code(talent)


@pytest.mark.scenario(15)
def test_a_person_with_a_live_code_is_refused_another_whatever_account_he_opens(crowd: People) -> None:
    who = basic()
    crowd.holder(who=who)
    second = crowd.talent()
    draft = crowd.entered(second, who=who.model_copy(update={"phone": "13800000000"}))

    with pytest.raises(CodeExists) as refused:
        crowd.submit(second, draft)

    assert who.document_number not in str(refused.value)
    assert refused.value.params == {}


@pytest.mark.scenario(29)
def test_a_passport_is_enough(crowd: People) -> None:
    assert crowd.code(crowd.holder()).state is CodeState.ACTIVE


def test_an_application_that_lacks_something_names_it_and_stays_a_draft(sqlite_crowd: People) -> None:
    talent = sqlite_crowd.talent()
    draft = sqlite_crowd.entered(talent, claim=high(), papers=(DocumentKind.IDENTITY,))

    with pytest.raises(ApplicationIncomplete, match="WORK_IN_AREA, RECOGNITION"):
        sqlite_crowd.submit(talent, draft)

    kept = sqlite_crowd.world.database.read(lambda session: session.get_one(Application, draft.id).state)
    assert kept is ApplicationState.DRAFT


def test_nothing_is_approved_while_no_measures_are_in_force(sqlite_world: World) -> None:
    crowd = People(sqlite_world)
    row = crowd.taken_up(crowd.talent())

    with pytest.raises(InstrumentExpired):
        crowd.approve(row)


def test_what_was_not_objected_to_at_once_and_has_not_changed_cannot_be_later(sqlite_crowd: People) -> None:
    talent, database = sqlite_crowd.talent(), sqlite_crowd.world.database
    row, now = sqlite_crowd.taken_up(talent), sqlite_crowd.world.clock.now()

    def send_back(part: Part) -> None:
        command = Return(defects=(Defect(part=part, text="请更正（虚构）"),))
        database.write(
            lambda session: deciding.send_back(session, office(), VAULT, row.id, command, now=now).id
        )

    send_back(Part.WORK)
    sqlite_crowd.submit(talent, sqlite_crowd.entered(talent, who=basic(), papers=()))
    database.write(lambda session: deciding.take_up(session, office(), row.id, now=now).id)

    with pytest.raises(DefectTooLate, match="research"):
        send_back(Part.RESEARCH)
    send_back(Part.BASIC)


@pytest.mark.scenario(18)
def test_a_recognition_counts_once_a_second_person_has_confirmed_it(crowd: People) -> None:
    talent = crowd.holder(claim=high(Tier.HIGH_E))

    with pytest.raises(SecondPersonNeeded):
        crowd.confirm(talent, by=office())
    assert crowd.code(talent).tier is Tier.RESERVE
    crowd.confirm(talent)

    assert crowd.code(talent).tier is Tier.HIGH_E
    with pytest.raises(TransitionRefused):
        crowd.confirm(talent)


@pytest.mark.scenario(20)
def test_socialised_takes_both_elements(crowd: People) -> None:
    both = (DocumentKind.ECONOMIC_CONTRIBUTION, DocumentKind.INNOVATION)
    base = (DocumentKind.IDENTITY, DocumentKind.WORK_IN_AREA)
    row = crowd.taken_up(crowd.talent(), claim=Claim(tier=Tier.SOCIALISED), papers=(*base, *both))

    with pytest.raises(ClaimNotProved, match="INNOVATION"):
        crowd.approve(row, proved=frozenset({DocumentKind.ECONOMIC_CONTRIBUTION}))
    crowd.approve(row, proved=frozenset(both))


@pytest.mark.scenario(16)
def test_youth_ends_by_itself_after_five_years_however_often_the_day_is_run(crowd: People) -> None:
    talent = crowd.holder(claim=Claim(tier=Tier.YOUTH), works=work(started_on=date(2021, 11, 23)))
    crowd.confirm(talent)
    assert crowd.nightly() == 0
    assert crowd.code(talent).tier is Tier.YOUTH, "2026-11-23 is the last day of the five years"

    crowd.world.clock.advance(days=1)

    assert [crowd.nightly(), crowd.nightly()] == [1, 0]
    assert crowd.code(talent).tier is Tier.RESERVE


@pytest.mark.scenario(19)
def test_whoever_is_a_youth_is_not_recognised_as_socialised(crowd: People) -> None:
    both = (DocumentKind.ECONOMIC_CONTRIBUTION, DocumentKind.INNOVATION)
    talent = crowd.holder(claim=Claim(tier=Tier.YOUTH))
    crowd.confirm(talent)
    claimed = crowd.taken_up(talent, claim=Claim(tier=Tier.SOCIALISED), papers=both)

    with pytest.raises(SocialisedExcluded):
        crowd.approve(claimed, proved=frozenset(both))

    assert crowd.code(talent).tier is Tier.YOUTH


@pytest.mark.parametrize(
    "claim",
    [
        high(recognised_on=date(2020, 1, 1), valid_through=date(2026, 11, 22)),
        high(recognised_on=date(2026, 11, 24)),
    ],
    ids=["over", "to come"],
)
def test_what_is_over_or_has_not_begun_is_not_recognised(sqlite_crowd: People, claim: Claim) -> None:
    papers = (DocumentKind.IDENTITY, DocumentKind.WORK_IN_AREA, DocumentKind.RECOGNITION)
    row = sqlite_crowd.taken_up(sqlite_crowd.talent(), claim=claim, papers=papers)

    with pytest.raises(RecognitionNotCurrent):
        sqlite_crowd.approve(row, proved=frozenset({DocumentKind.RECOGNITION}))


def test_a_proof_that_was_not_handed_in_proves_nothing(sqlite_crowd: People) -> None:
    papers = (DocumentKind.IDENTITY, DocumentKind.WORK_IN_AREA, DocumentKind.RECOGNITION)
    talent = sqlite_crowd.talent()
    row = sqlite_crowd.taken_up(talent, claim=high(), papers=papers)
    changed = Claim(tier=Tier.SOCIALISED)
    sealed = Content(basic=basic(), work=work(), claim=changed).model_dump_json().encode()

    def put(session: Session) -> None:
        place = place_of("application", row.id)
        session.get_one(Application, row.id).sealed = VAULT.seal(place, sealed)

    sqlite_crowd.world.database.write(put)

    with pytest.raises(ClaimNotProved, match="ECONOMIC_CONTRIBUTION, INNOVATION"):
        sqlite_crowd.approve(row, proved=frozenset(changed.wanted))


def test_who_he_is_stays_known_when_a_holder_claims_another_tier(sqlite_crowd: People) -> None:
    who = basic()
    talent = sqlite_crowd.holder(who=who)
    later = sqlite_crowd.taken_up(talent, claim=high(), papers=(DocumentKind.RECOGNITION,))
    sqlite_crowd.approve(later, proved=frozenset({DocumentKind.RECOGNITION}))
    talent_id = sqlite_crowd.id_of(talent)

    fields = sqlite_crowd.world.database.read(
        lambda session: people.fields_of(session, VAULT, talent_id, FieldGroup.BASIC)
    )

    assert (fields["full_name"], fields["document_number"]) == (who.full_name, who.document_number)
    assert fields["organisation"] == work().organisation


def test_two_people_who_hand_in_the_same_identity_at_once_are_one_applicant(crowd: People) -> None:
    who = basic()
    first, second = crowd.talent(), crowd.talent()
    drafts = [crowd.entered(talent, who=who) for talent in (first, second)]
    crowd.submit(first, drafts[0])

    with pytest.raises(CodeExists):
        crowd.submit(second, drafts[1])
