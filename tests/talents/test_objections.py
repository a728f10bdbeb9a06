"""Objections to a decision, and the second person's refusal to confirm a recognition."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Role
from talentseal.policy.tiers import Tier
from talentseal.states import TransitionRefused
from talentseal.talents import codes, deciding, erasing, objecting, reading, recognitions
from talentseal.talents.deciding import RejecterDecides
from talentseal.talents.holdings import OWN
from talentseal.talents.models import Application, ApplicationState, CodeState, TalentAccess, TierChange
from talentseal.talents.objecting import (
    ApplicantElsewhere,
    NothingDecided,
    ObjectionMade,
    ObjectionMoot,
    ObjectionTooLate,
    ObjectionToOwnDecision,
)
from talentseal.talents.objection_models import Objection, ObjectionState
from talentseal.talents.objection_schemas import Against, AnswerObjection, FileObjection
from talentseal.talents.privacy_schemas import DecideWish
from talentseal.talents.recognitions import SecondPersonNeeded
from talentseal.talents.schemas import (
    Approve,
    End,
    Ending,
    Refuse,
    Reject,
    RejectionGround,
)
from talentseal.talents.tiers import RecognitionState
from tests.api.conftest import Api
from tests.talents.conftest import VAULT, People, high, in_force, office
from tests.talents.test_rights_pages import Browser, first, holder_of
from tests.world import Member, World

REJECT = Reject(ground=RejectionGround.NOT_PROVED, reason="合同已过期（虚构）")
CANARY = "合同已续签，虚构金丝雀"
STANDS = AnswerObjection(set_aside=False, reason="续签合同未提交（虚构）")
ASIDE = AnswerObjection(set_aside=True, reason="续签合同属实（虚构）")


@pytest.fixture
def people(sqlite_world: World) -> People:
    return in_force(sqlite_world)


class Objecting:
    """Hands of whoever objects and of the office; every call is a transaction of its own."""

    def __init__(self, people: People) -> None:
        self.people, self.world = people, people.world

    def write(self, work: Callable[[Session], Any]) -> Any:
        return self.world.database.write(work)

    def rejected(self, talent: Actor, by: Actor | None = None) -> str:
        row, now = self.people.taken_up(talent), self.world.clock.now()
        self.write(lambda session: deciding.reject(session, by or office(), VAULT, row.id, REJECT, now=now))
        return row.id

    def newest(self, holder: Actor) -> Any:
        talent_id = self.people.id_of(holder)
        return self.world.database.read(lambda session: recognitions.of_talent(session, talent_id)[0])

    def refused(self, holder: Actor, by: Actor | None = None) -> str:
        identifier, now = self.newest(holder).id, self.world.clock.now()
        said = Refuse(reason="文号不符（虚构）")
        self.write(
            lambda session: recognitions.refuse(session, by or office(2), VAULT, identifier, said, now=now)
        )
        return str(identifier)

    def ended(self, holder: Actor, by: Actor, state: Ending = Ending.REVOKED) -> str:
        identifier, now = self.newest(holder).id, self.world.clock.now()
        said = End(state=state, reason="认定被撤回（虚构）")
        self.write(lambda session: recognitions.end(session, by, VAULT, identifier, said, now=now))
        return str(identifier)

    def file(self, talent: Actor, about: str, against: Against = Against.APPLICATION) -> Objection:
        said, now = FileObjection(against=against, id=about, text=CANARY), self.world.clock.now()
        filed: Objection = self.write(lambda session: objecting.file(session, talent, VAULT, said, now=now))
        return filed

    def answer(self, by: Actor, objection: Objection, command: AnswerObjection) -> Objection:
        now = self.world.clock.now()
        answered: Objection = self.write(
            lambda session: objecting.answer(session, by, VAULT, objection.id, command, now=now)
        )
        return answered

    def own(self, talent: Actor) -> Any:
        now = self.world.clock.now()
        return self.world.database.read(lambda session: objecting.own(session, talent, VAULT, now=now))

    def application(self, identifier: str) -> Application:
        return self.world.database.read(lambda session: session.get_one(Application, identifier))


@pytest.fixture
def hands(people: People) -> Objecting:
    return Objecting(people)


@pytest.mark.scenario(14)
def test_a_rejection_is_objected_to_once_and_stands(hands: Objecting) -> None:
    talent = hands.people.talent()
    rejected = hands.rejected(talent)
    assert [each.id for each in hands.own(talent).open] == [rejected]

    filed = hands.file(talent, rejected)
    with pytest.raises(ObjectionMade):
        hands.file(talent, rejected)
    with pytest.raises(ObjectionToOwnDecision):
        hands.answer(office(), filed, STANDS)
    answered = hands.answer(office(2), filed, STANDS)

    assert answered.state is ObjectionState.STANDS
    assert hands.application(rejected).state is ApplicationState.REJECTED
    shown = hands.own(talent)
    assert (shown.open, shown.items[0].text, shown.items[0].reason) == ([], CANARY, STANDS.reason)
    with pytest.raises(TransitionRefused):
        hands.answer(office(2), filed, ASIDE)


@pytest.mark.scenario(14)
def test_a_rejection_set_aside_is_under_review_again_and_decided_by_another(hands: Objecting) -> None:
    talent, now = hands.people.talent(), hands.world.clock.now()
    rejected = hands.rejected(talent)

    hands.answer(office(2), hands.file(talent, rejected), ASIDE)

    row = hands.application(rejected)
    assert (row.state, row.reviewer_id) == (ApplicationState.UNDER_REVIEW, "office-2")
    assert row.due_on is not None
    with pytest.raises(RejecterDecides):
        hands.people.approve(row)
    hands.write(
        lambda session: deciding.approve(session, office(2), VAULT, rejected, Approve(reason="属实"), now=now)
    )
    assert hands.people.code(talent).tier is Tier.RESERVE


def test_another_decision_on_the_same_application_can_be_objected_to_again(hands: Objecting) -> None:
    talent = hands.people.talent()
    rejected, now = hands.rejected(talent), hands.world.clock.now()
    hands.answer(office(2), hands.file(talent, rejected), ASIDE)
    hands.write(lambda session: deciding.reject(session, office(2), VAULT, rejected, REJECT, now=now))

    again = hands.file(talent, rejected)

    assert hands.answer(office(3), again, STANDS).state is ObjectionState.STANDS
    with pytest.raises(ObjectionMade):
        hands.file(talent, rejected)


def test_the_term_ends_with_the_fifteenth_day_or_the_next_working_day(hands: Objecting) -> None:
    talent = hands.people.talent()
    rejected = hands.rejected(talent)
    through = hands.own(talent).open[0].through

    hands.world.clock.advance(days=(through - hands.world.clock.now().date()).days)
    assert hands.own(talent).open
    hands.world.clock.advance(days=1)

    assert not hands.own(talent).open
    with pytest.raises(ObjectionTooLate, match=through.isoformat()):
        hands.file(talent, rejected)


def test_nobody_objects_to_what_is_not_decided_or_not_his(hands: Objecting) -> None:
    talent = hands.people.talent()
    under_review = hands.people.taken_up(talent)
    anothers = hands.rejected(hands.people.talent())

    for about in (under_review.id, anothers, "0" * 32):
        with pytest.raises(NothingDecided):
            hands.file(talent, about)


def test_a_rejection_stands_while_the_applicant_applies_anew(hands: Objecting) -> None:
    talent = hands.people.talent()
    filed = hands.file(talent, hands.rejected(talent))
    hands.people.taken_up(talent)

    with pytest.raises(ApplicantElsewhere):
        hands.answer(office(2), filed, ASIDE)

    assert hands.answer(office(2), filed, STANDS).state is ObjectionState.STANDS


def test_the_second_person_refuses_a_recognition_which_never_counted(hands: Objecting) -> None:
    holder = hands.people.holder(claim=high())
    waiting, now = hands.newest(holder).id, hands.world.clock.now()
    said = Refuse(reason="文号不符（虚构）")
    with pytest.raises(SecondPersonNeeded):
        hands.write(lambda session: recognitions.refuse(session, office(), VAULT, waiting, said, now=now))

    hands.refused(holder)

    assert hands.newest(holder).state is RecognitionState.REVOKED
    assert hands.people.code(holder).tier is Tier.RESERVE
    shown = hands.world.database.read(
        lambda session: reading.own_tier(session, holder, VAULT, now=now)
    ).recognitions[0]
    assert (shown.refused, shown.steps[-1].refused, shown.steps[-1].reason) == (True, True, said.reason)
    with pytest.raises(TransitionRefused):
        hands.people.confirm(holder)
    with pytest.raises(TransitionRefused):
        hands.refused(holder)


def test_a_refusal_set_aside_waits_for_a_third_person(hands: Objecting) -> None:
    holder = hands.people.holder(claim=high())
    filed = hands.file(holder, hands.refused(holder), Against.RECOGNITION)

    hands.answer(office(3), filed, ASIDE)

    assert hands.newest(holder).state is RecognitionState.VERIFIED
    for person in (1, 2):
        with pytest.raises(SecondPersonNeeded):
            hands.people.confirm(holder, by=office(person))
    hands.people.confirm(holder, by=office(3))
    assert hands.people.code(holder).tier is Tier.HIGH_E


@pytest.mark.parametrize("state", Ending)
def test_an_ended_recognition_counts_again_with_evidence(hands: Objecting, state: Ending) -> None:
    holder = hands.people.holder(claim=high())
    hands.people.confirm(holder)
    ended = hands.ended(holder, office(), state)
    assert hands.people.code(holder).tier is Tier.RESERVE

    hands.answer(office(2), hands.file(holder, ended, Against.RECOGNITION), ASIDE)

    assert hands.people.code(holder).tier is Tier.HIGH_E
    code = hands.people.code(holder).id
    changes = hands.world.database.read(
        lambda session: session.scalars(
            select(TierChange.after).where(TierChange.code_id == code).order_by(TierChange.at)
        ).all()
    )
    assert sorted(changes) == sorted([Tier.RESERVE, Tier.HIGH_E, Tier.RESERVE, Tier.HIGH_E])


def test_without_a_code_there_is_nothing_to_restore(hands: Objecting) -> None:
    holder, now = hands.people.holder(claim=high()), hands.world.clock.now()
    filed = hands.file(holder, hands.refused(holder), Against.RECOGNITION)
    code = hands.people.code(holder)
    hands.write(
        lambda session: codes.move(session, code.id, CodeState.CANCELLED, by=None, cause=None, now=now)
    )

    with pytest.raises(ObjectionMoot):
        hands.answer(office(3), filed, ASIDE)


def test_what_was_said_is_sealed_told_and_destroyed(hands: Objecting) -> None:
    holder, now = hands.people.holder(claim=high()), hands.world.clock.now()
    filed = hands.file(holder, hands.refused(holder), Against.RECOGNITION)
    assert CANARY.encode() not in filed.sealed
    part = next(each for each in OWN if each.name == "objections")
    talent_id = hands.people.id_of(holder)
    told = hands.world.database.read(lambda session: part.tell(session, VAULT, talent_id))
    assert CANARY in json.dumps(told, ensure_ascii=False)

    def forget(session: Session) -> None:
        wish = erasing.ask(session, holder, holdings=OWN, now=now)
        granted = DecideWish(granted=True, reason="本人要求")
        erasing.decide(session, office(), VAULT, wish.id, granted, holdings=OWN, now=now)

    hands.write(forget)

    row = hands.world.database.read(lambda session: session.get_one(Objection, filed.id))
    assert row.state is ObjectionState.WITHDRAWN
    assert objecting.said_in(VAULT, row) == {}


def test_an_objection_is_made_once_on_each_database(crowd: People) -> None:
    hands, talent = Objecting(crowd), crowd.talent()
    rejected = hands.rejected(talent)
    filed = hands.file(talent, rejected)

    with pytest.raises(ObjectionMade):
        hands.file(talent, rejected)

    assert hands.answer(office(2), filed, ASIDE).state is ObjectionState.SET_ASIDE


def test_over_http(people: People, tmp_path: Path) -> None:
    api = Api(people.world, tmp_path)
    talent = Member(people.talent(), None, "申请人")
    one, two = (people.world.member(name, role=Role.TALENT_OFFICE) for name in ("人才办", "人才办二"))
    rejected = Objecting(people).rejected(talent.actor, by=one.actor)
    assert api.call(talent, "GET", "/me/objections").json()["open"][0]["id"] == rejected

    said = {"against": "APPLICATION", "id": rejected, "text": CANARY}
    filed = api.call(talent, "POST", "/me/objections", json=said)
    assert filed.status_code == 201
    objection = filed.json()["id"]

    assert api.call(one, "GET", "/objections").json()["items"][0]["own"] is True
    opened = api.call(two, "GET", f"/objections/{objection}").json()
    assert (opened["text"], opened["decision_reason"]) == (CANARY, REJECT.reason)
    path = f"/objections/{objection}/answer"
    assert api.call(one, "POST", path, json=STANDS.model_dump()).json()["code"] == "objection-own-decision"
    assert api.call(two, "POST", path, json={"reason": "属实"}).status_code == 422
    assert api.call(two, "POST", path, json=ASIDE.model_dump()).json()["state"] == "SET_ASIDE"
    read = people.world.database.read(lambda session: session.scalars(select(TalentAccess.purpose)).all())
    assert read == ["OBJECTION"]
    assert api.call(talent, "GET", "/objections").status_code == 403


def test_on_pages(people: People, tmp_path: Path) -> None:
    api = Api(people.world, tmp_path)
    holder = holder_of(people, claim=high())
    staff = [people.world.member(f"人才办{number}", role=Role.TALENT_OFFICE) for number in (1, 2)]
    refuser, answerer = (Browser(api, each) for each in staff)
    mine = Browser(api, holder)
    assert "没有可以提出异议的决定" in mine.page("/me/objections")

    waiting = first(r"/recognitions/([0-9a-f]{32})", refuser.page("/recognitions"))
    refuser.send(f"/recognitions/{waiting}/refusal", 422, data={"reason": ""})
    refuser.send(f"/recognitions/{waiting}/refusal", data={"reason": "文号不符（虚构）"})
    assert "确认未通过" in mine.page("/me/tier")
    form = {"against": "RECOGNITION", "id": waiting}
    assert "field-wrong" in mine.send("/me/objections", 422, data={**form, "text": ""})
    assert (
        mine.send("/me/objections", data={**form, "text": CANARY}) == "/me/objections?notice=objection-filed"
    )
    assert CANARY in mine.page("/me/objections")

    listed = answerer.page("/objections")
    assert CANARY not in listed
    objection = first(r"/objections/([0-9a-f]{32})", listed)
    assert "须由另一账户答复" in refuser.page(f"/objections/{objection}")
    answerer.send(f"/objections/{objection}", 422, data={"reason": "属实"})
    answerer.send(f"/objections/{objection}", data={"set_aside": "yes", "reason": "属实（虚构）"})
    assert "已撤销原决定" in answerer.page(f"/objections/{objection}")
    assert "已撤销原决定" in mine.page("/me/objections")
    assert "答复异议" in mine.page("/me/access")
