"""Pages of talents and of their office: from sign-up to a confirmed tier, whose is what, who left a trace."""

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
from sqlalchemy import select

from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Role
from talentseal.policy.tiers import Tier
from talentseal.talents import models, schemas
from talentseal.talents.applying import Sheet
from talentseal.talents.models import AccessPurpose, DocumentKind, TalentAccess
from talentseal.talents.schemas import Claim
from talentseal.talents.tiers import RecognitionState
from talentseal.web.pages import TEMPLATES
from tests.api.conftest import Api
from tests.talents.browsers import Browser
from tests.talents.conftest import PAPER, People, high, in_force, work
from tests.talents.filed import BASE, filed
from tests.world import World

PNG = b"\x89PNG\r\n\x1a\n" + b"invented" * 4
IDENTITY = {
    "full_name": "虚构人物",
    "document": "PASSPORT",
    "document_number": "e12345678",
    "phone": "13900000000",
}
WORK = {"ground": "WORKS_IN_AREA", "organisation": "虚构公司（演示）", "started_on": "2024-03-01"}
CLAIM = {
    "tier": "HIGH_E",
    "body": "ZHENGZHOU",
    "number": "虚构人才认字1号",
    "recognised_on": "2026-03-02",
}


@pytest.fixture
def people(sqlite_world: World) -> People:
    return in_force(sqlite_world)


@pytest.fixture
def api(people: People, tmp_path: Path) -> Api:
    return Api(people.world, tmp_path)


def clerk(api: Api, name: str = "虚构人才办") -> Browser:
    """Somebody of the talent office."""
    member = api.world.member(name, role=Role.TALENT_OFFICE, kind=OrganisationKind.GOVERNMENT)
    return Browser(api).be(member.actor.account_id)


def upload(browser: Browser, kind: DocumentKind, plain: bytes = PAPER) -> Any:
    return browser.post(
        "/me/application/documents", data={"kind": kind.value}, files={"document": ("名字.pdf", plain)}
    )


def filled_in(browser: Browser) -> None:
    """Everything but the claim's proof."""
    browser.post("/me/application")
    for sheet, form in (("identity", IDENTITY), ("work", WORK), ("claim", CLAIM)):
        answer = browser.post(f"/me/application/{sheet}", data=form)
        assert answer.status_code == 303, answer.text
    for kind in BASE:
        assert upload(browser, kind).status_code == 303


def ways_in(browser: Browser, path: str) -> list[str]:
    """The applications or recognitions that a list leads to."""
    return re.findall(rf'href="({path}/[0-9a-f]{{32}})"', browser.get(path).text)


@pytest.mark.scenario(29)
def test_from_an_empty_form_to_a_confirmed_tier(api: Api) -> None:
    talent = Browser(api)
    talent.sign_up("xugou")
    filled_in(talent)
    early = talent.post("/me/application/submission")
    assert early.status_code == 422
    assert "人才认定证书" in early.text
    upload(talent, DocumentKind.RECOGNITION, PNG)
    assert talent.post("/me/application/submission").status_code == 303

    first, second = clerk(api, "虚构人才办一"), clerk(api, "虚构人才办二")
    (way,) = ways_in(first, "/applications")
    assert "虚构人物" not in first.get(way).text, "nobody has taken it up"
    first.post(f"{way}/review")
    assert "E12345678" in first.get(way).text
    returned = first.post(f"{way}/return", data={"defects.work": "请补充合同（虚构）", "defects.basic": ""})
    assert returned.status_code == 303, returned.text
    assert "请补充合同（虚构）" in talent.get("/me/application/work").text
    talent.post("/me/application/work", data={**WORK, "organisation": "虚构公司二（演示）"})
    talent.post("/me/application/submission")
    first.post(f"{way}/review")
    decision = {"recognise": "yes", "proved": "RECOGNITION", "reason": "与名册一致（虚构）"}
    approved = first.post(f"{way}/approval", data=decision)
    assert approved.status_code == 303, approved.text
    assert "储备人才" in talent.get("/me").text

    (recognition,) = ways_in(second, "/recognitions")
    own = first.post(f"{recognition}/confirmation", data={"reason": "一致（虚构）"})
    assert (own.status_code, "须由两人" in own.text or "两人分别" in own.text) == (409, True)
    blank = second.post(f"{recognition}/confirmation", data={"reason": " "})
    assert blank.status_code == 422
    assert second.post(f"{recognition}/confirmation", data={"reason": "一致（虚构）"}).status_code == 303

    shown = talent.get("/me/tier").text
    assert "E 类 优秀青年人才" in shown
    assert '/policy/invented-measures/1#article-7"' in shown
    assert "与名册一致（虚构）" in shown


def test_a_field_that_will_not_do_is_said_beside_it_and_what_was_typed_stays(api: Api) -> None:
    talent = Browser(api)
    talent.sign_up("xugou")
    talent.post("/me/application")

    answer = talent.post(
        "/me/application/identity",
        data={**IDENTITY, "document": "RESIDENT_ID", "document_number": "110101199003070010"},
    )

    assert answer.status_code == 422
    assert 'id="document_number-error"' in answer.text
    assert 'value="虚构人物"' in answer.text
    assert 'value=""' in talent.get("/me/application/identity").text, "nothing was kept"


def test_a_part_can_be_emptied_again(api: Api) -> None:
    talent = Browser(api)
    talent.sign_up("xugou")
    talent.post("/me/application")
    talent.post("/me/application/claim", data=CLAIM)
    assert 'value="HIGH_E" checked' in talent.get("/me/application/claim").text

    talent.post("/me/application/claim", data={"tier": ""})

    assert "checked" in talent.get("/me/application/claim").text
    assert 'value="HIGH_E" checked' not in talent.get("/me/application/claim").text


@pytest.mark.parametrize(
    "plain",
    [b"", b"GIF89a", b"<html>%PDF-1.7", b"%PDF-" + b"0" * (10 << 20)],
    ids=["nothing", "a GIF", "a page that calls itself a PDF", "more than 10 MiB"],
)
def test_a_document_of_another_kind_or_size_is_not_taken(api: Api, plain: bytes) -> None:
    talent = Browser(api)
    talent.sign_up("xugou")
    talent.post("/me/application")

    answer = upload(talent, DocumentKind.IDENTITY, plain)

    assert answer.status_code == 422
    assert 'action="/me/application/documents"' in answer.text


def test_a_document_is_shown_or_saved_and_never_run(api: Api, people: People) -> None:
    holder = people.holder()
    talent = Browser(api).be(holder.account_id)
    links = re.findall(r'href="(/me/application/documents/[0-9a-f]{32})"', talent.get("/me/application").text)

    answer = talent.get(links[0])

    assert answer.content == PAPER
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_rejection_says_why_and_how_to_object(api: Api, people: People) -> None:
    talent = people.talent()
    way = f"/applications/{people.taken_up(talent).id}"
    verdict = {"ground": "OUT_OF_SCOPE", "reason": "工作地点不在区内（虚构）"}

    assert clerk(api).post(f"{way}/rejection", data=verdict).status_code == 303

    shown = Browser(api).be(talent.account_id).get("/me/application").text
    for said in (
        "不在支持范围",
        "工作地点不在区内（虚构）",
        "提出异议",
        "/policy/invented-measures/1#article-6",
    ):
        assert said in shown


def test_a_decision_without_its_reason_is_shown_again_with_the_content(api: Api, people: People) -> None:
    way = f"/applications/{people.taken_up(people.talent()).id}"
    browser = clerk(api)

    for act, form in (
        ("approval", {"reason": ""}),
        ("rejection", {"ground": "NOT_PROVED", "reason": " "}),
        ("rejection", {"reason": "没有选择理由类别（虚构）"}),
        ("return", {"defects.work": "  "}),
    ):
        answer = browser.post(f"{way}/{act}", data=form)
        assert answer.status_code == 422, act
        assert "欧阳虚构" in answer.text


def test_every_opening_leaves_a_trace_and_a_list_opens_nothing(api: Api, people: People) -> None:
    talent = people.talent()
    row = people.taken_up(talent)
    browser, way = clerk(api), f"/applications/{row.id}"

    browser.get("/applications")
    browser.get("/recognitions")
    page = browser.get(way).text
    paper = re.findall(rf'href="({way}/documents/[0-9a-f]{{32}})"', page)[0]
    browser.get(paper)

    talent_id = people.id_of(talent)
    rows = people.world.database.read(
        lambda session: session.scalars(select(TalentAccess).order_by(TalentAccess.id)).all()
    )
    assert {each.talent_id for each in rows} == {talent_id}
    assert {each.role for each in rows} == {Role.TALENT_OFFICE}
    assert {each.purpose for each in rows} == {AccessPurpose.APPLICATION_REVIEW}
    assert {(each.document_id is not None, each.groups) for each in rows} == {
        (False, "BASIC"),
        (True, "BASIC"),
    }
    assert {each.application_id for each in rows} == {row.id}


def test_what_is_refused_opens_nothing_and_leaves_no_trace(api: Api, people: People) -> None:
    row = people.taken_up(people.talent())
    partner = Browser(api).be(api.world.member("虚构银行").actor.account_id)

    assert partner.get(f"/applications/{row.id}").status_code == 403
    assert clerk(api).get(f"/applications/{row.id}/documents/{'0' * 32}").status_code == 404

    query = select(TalentAccess)
    assert people.world.database.read(lambda session: session.scalars(query).all()) == []


def test_a_talent_meets_his_own_application_alone(api: Api, people: People) -> None:
    owner, other = people.talent(), people.talent()
    people.entered(owner)
    people.entered(other)
    mine = Browser(api).be(owner.account_id)
    links = re.findall(r"/me/application/documents/[0-9a-f]{32}", mine.get("/me/application/documents").text)

    stranger = Browser(api).be(other.account_id)

    assert stranger.get(links[0]).status_code == 404
    assert stranger.post(f"{links[0]}/removal").status_code == 404
    assert mine.get(links[0]).status_code == 200


def test_the_office_sees_no_draft(api: Api, people: People) -> None:
    draft = people.entered(people.talent())
    browser = clerk(api)

    assert draft.id not in browser.get("/applications").text
    assert browser.get(f"/applications/{draft.id}").status_code == 404
    assert browser.post(f"/applications/{draft.id}/review").status_code == 404


def test_a_draft_that_is_withdrawn_is_destroyed(api: Api, people: People) -> None:
    talent = people.talent()
    row = people.entered(talent)
    browser = Browser(api).be(talent.account_id)

    assert browser.post("/me/application/withdrawal").status_code == 303

    assert (
        people.world.database.read(lambda session: session.scalars(select(models.ApplicationDocument)).all())
        == []
    )
    assert "欧阳虚构" not in browser.get("/me/application").text
    assert browser.post("/me/application").headers["location"] == "/me/application/identity"
    assert row.id


def test_a_holder_claims_another_tier_without_saying_again_who_he_is(api: Api, people: People) -> None:
    holder = people.holder(claim=Claim(tier=Tier.YOUTH), works=work())
    people.confirm(holder)
    people.world.clock.advance(days=1)
    browser = Browser(api).be(holder.account_id)

    assert browser.post("/me/application").headers["location"] == "/me/application/education"
    assert browser.get("/me/application/identity").status_code == 404
    browser.post("/me/application/claim", data=CLAIM)
    upload(browser, DocumentKind.RECOGNITION)
    assert browser.post("/me/application/submission").status_code == 303

    first, (way,) = clerk(api), ways_in(clerk(api, "虚构人才办三"), "/applications")
    first.post(f"{way}/review")
    decision = {"recognise": "yes", "proved": "RECOGNITION", "reason": "与名册一致（虚构）"}
    assert first.post(f"{way}/approval", data=decision).status_code == 303
    people.confirm(holder)
    shown = browser.get("/me/tier").text
    assert shown.index("E 类 优秀青年人才") < shown.index("青年人才 ")
    assert len(re.findall('class="sheet live"', shown)) == 2, "both are kept"


def test_the_most_urgent_comes_first_and_what_is_late_is_said(api: Api, people: People) -> None:
    late = people.taken_up(people.talent())
    people.world.clock.advance(days=3)
    soon = people.taken_up(people.talent())
    people.world.clock.advance(days=6)
    last = people.talent()
    newest = people.submit(last, people.entered(last))

    page = clerk(api).get("/applications").text

    places = [page.index(row.id) for row in (late, soon, newest)]
    assert places == sorted(places)
    assert "已逾期 1 件" in page
    assert page.count('<tr class="late">') == 1


@pytest.mark.parametrize("role", Role)
def test_each_page_is_for_those_whose_work_it_is(api: Api, people: People, role: Role) -> None:
    names = filed(people)
    account = (
        people.holder(claim=high()).account_id
        if role is Role.TALENT
        else api.world.member("虚构机构", role=role).actor.account_id
    )
    browser = Browser(api).be(account)
    allowed: dict[str, set[Role]] = {
        "/me": {Role.TALENT},
        "/me/tier": {Role.TALENT},
        "/me/application": {Role.TALENT},
        "/applications": {Role.TALENT_OFFICE},
        f"/applications/{names['application']}": {Role.TALENT_OFFICE},
        f"/applications/{names['submitted']}": {Role.TALENT_OFFICE},
        "/recognitions": {Role.TALENT_OFFICE},
        f"/recognitions/{names['recognition']}": {Role.TALENT_OFFICE},
    }

    for path, roles in allowed.items():
        assert browser.get(path).status_code == (200 if role in roles else 403), path
    for act in ("review", "return", "rejection", "approval"):
        answer = browser.post(f"/applications/{names['submitted']}/{act}", data={"reason": "一"})
        assert (answer.status_code == 403) == (role is not Role.TALENT_OFFICE), act


def words() -> Any:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True
    )
    environment.install_null_translations()  # type: ignore[attr-defined]  # by i18n
    return environment.get_template("talents/words.html").module


@pytest.mark.parametrize(
    ("table", "members"),
    [
        ("APPLICATION_STATES", models.ApplicationState),
        ("RECOGNITION_STATES", RecognitionState),
        ("CODE_STATES", models.CodeState),
        ("PURPOSES", models.Purpose),
        ("PARTS", schemas.Part),
        ("SHEETS", Sheet),
        ("DOCUMENTS", models.DocumentKind),
        ("IDENTITY_DOCUMENTS", schemas.IdentityDocument),
        ("GROUNDS", schemas.ScopeGround),
        ("BODIES", schemas.RecognisingBody),
        ("REJECTIONS", schemas.RejectionGround),
        ("ENDINGS", schemas.Ending),
        ("ACCESS_PURPOSES", models.AccessPurpose),
        ("GROUPS", models.FieldGroup),
        ("SOURCES", models.Source),
        ("ROW_FAULTS", schemas.RowFault),
    ],
)
def test_every_member_of_a_closed_set_has_a_name(table: str, members: Any) -> None:
    assert set(getattr(words(), table)) == set(members)


def test_a_filter_for_a_state_shows_that_state_alone(api: Api, people: People) -> None:
    names, browser = filed(people), clerk(api)

    under_review, anything = (
        browser.get(f"/applications?state={state}").text for state in ("UNDER_REVIEW", "NOTHING-LIKE-IT")
    )

    assert names["application"] in under_review
    assert names["submitted"] not in under_review
    assert names["submitted"] in anything, "the list of what is to be done"
