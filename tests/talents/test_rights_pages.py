"""Pages and API of reviews and of people's rights: journeys over HTTP, ownership, what a log says."""

import re
from pathlib import Path
from typing import Any

import pytest

from talentseal.accounts.roles import Role
from talentseal.talents.models import CodeState, FieldGroup
from talentseal.talents.privacy_models import ConsentScope
from tests.api.conftest import Api
from tests.api.in_process import client_of
from tests.talents.conftest import PAPER, People, basic, in_force
from tests.talents.reviewing import Reviewing
from tests.world import Member, World

HTML = {"Accept": "text/html", "Accept-Language": "zh-CN"}
CANARY = "虚构金丝雀"


@pytest.fixture
def people(sqlite_world: World) -> People:
    return in_force(sqlite_world)


@pytest.fixture
def api(people: People, tmp_path: Path) -> Api:
    return Api(people.world, tmp_path)


class Browser:
    """Somebody's browser, signed in."""

    def __init__(self, api: Api, member: Member, language: str = "zh-CN") -> None:
        headers = {"Accept": "text/html", "Accept-Language": language}
        self.http = client_of(api.app, headers=headers)
        api.sign_in(member)
        self.http.cookies.update(dict(api.http.cookies))
        api.http.cookies.clear()

    def page(self, path: str, status: int = 200) -> str:
        answer = self.http.get(path, follow_redirects=False)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
        return answer.text

    def send(self, path: str, status: int = 303, **options: Any) -> str:
        """Send a form; where it leads, or the page that refuses it."""
        answer = self.http.post(path, follow_redirects=False, **options)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-2000:])
        return answer.headers.get("location", answer.text)


def holder_of(people: People, **changes: Any) -> Member:
    """A holder as somebody who can sign in."""
    actor = people.holder(**changes)
    return Member(actor, None, "持有人")


def first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, (pattern, text[:2000])
    return found.group(1)


def test_a_review_from_the_reminder_to_the_decision(api: Api, people: People) -> None:
    holder, office = holder_of(people), people.world.member("人才办", role=Role.TALENT_OFFICE)
    mine, theirs = Browser(api, holder), None
    assert "现在没有复核" in mine.page("/me/reviews")
    people.world.clock.advance(days=365)
    Reviewing(people).night()
    mine, theirs = Browser(api, holder), Browser(api, office)
    listed = mine.page("/me/reviews")
    review = first(r"/me/reviews/([0-9a-f]{32})", listed)
    assert "核对并确认" in listed

    assert "欧阳虚构" in mine.page(f"/me/reviews/{review}")
    wrong = mine.send(f"/me/reviews/{review}", 422, data={"work.organisation": "虚构新单位"})
    assert "虚构新单位" in wrong
    change = {
        "work.ground": "WORKS_IN_AREA",
        "work.organisation": "虚构新单位（演示）",
        "work.started_on": "2025-01-01",
        "remark": "已换单位",
    }
    files = [("documents", ("a.pdf", PAPER)), ("documents", ("", b""))]
    went = mine.send(f"/me/reviews/{review}", data=change, files=files)
    assert went == "/me/reviews?notice=review-answered"
    mine.page(went)

    assert "待人才办决定" in theirs.page("/reviews")
    opened = theirs.page(f"/reviews/{review}")
    assert "虚构新单位（演示）" in opened
    paper = first(rf"/reviews/{review}/papers/([0-9a-f]{{32}})", opened)
    assert theirs.http.get(f"/reviews/{review}/papers/{paper}").content == PAPER
    assert mine.http.get(f"/me/reviews/{review}/papers/{paper}").content == PAPER
    theirs.send(f"/reviews/{review}/decision", 422, data={"verdict": "CONFIRMED"})
    theirs.send(f"/reviews/{review}/decision", data={"verdict": "CONFIRMED", "reason": "属实"})
    assert "复核通过" in theirs.page("/reviews?state=CONFIRMED")
    assert "办理复核" in mine.page("/me/access")


def test_the_terms_are_proposed_by_one_and_approved_by_another(api: Api, people: People) -> None:
    one = people.world.member("人才办", role=Role.TALENT_OFFICE)
    proposer = Browser(api, one)
    form = {"months.RESERVE": "6", "grace_days": "20", "reason": "储备人才流动快"}
    assert "默认" in proposer.page("/reviews/terms")
    proposer.send("/reviews/terms", 422, data={**form, "grace_days": "二十"})
    proposer.send("/reviews/terms", data=form)
    assert "须由另一人确认" in proposer.send("/reviews/terms/1/approval", 409)

    other = people.world.member("人才办二", role=Role.TALENT_OFFICE)
    second = Browser(api, other)
    second.send("/reviews/terms/1/approval")
    book = api.call(other, "GET", "/reviews/terms").json()["items"]
    assert [(each["number"], each["in_force"]) for each in book] == [(1, True), (0, False)]


def test_a_report_is_answered_alike_whether_the_person_is_known(api: Api, people: People) -> None:
    who = basic()
    people.holder(who=who)
    bureau = Browser(api, people.world.member("虚构人社局", role=Role.BUREAU))
    form = {"happening": "INSURANCE_GAP", "document": "PASSPORT", "reference": "A-1", "note": "中断三个月"}
    bureau.page("/reviews/report")

    known = bureau.send("/reviews/report", data={**form, "document_number": who.document_number})
    unknown = bureau.send("/reviews/report", data={**form, "document_number": "E99999999"})

    assert known == unknown == "/reviews/report?notice=happening-reported"


def test_a_person_consents_withdraws_corrects_exports_and_is_forgotten(
    api: Api, people: People, capsys: pytest.CaptureFixture[str]
) -> None:
    world, holder = people.world, holder_of(people, who=basic(full_name=CANARY))
    bank, office = world.member("虚构银行"), world.member("人才办", role=Role.TALENT_OFFICE)
    mine, theirs = Browser(api, holder), Browser(api, office)
    for page in ("consents", "access", "export", "corrections", "erasure", "reviews"):
        mine.page(f"/me/{page}")

    form = {"organisation": bank.id, "scope": ConsentScope.SERVICE.value, "notice_version": "2026-11"}
    mine.send("/me/consents", 422, data={"notice_version": "2026-11"})
    mine.send("/me/consents", data=form)
    consent = first(r"/me/consents/([0-9a-f]{32})/withdrawal", mine.page("/me/consents"))
    mine.send(f"/me/consents/{consent}/withdrawal")
    assert "已撤回的（1）" in mine.page("/me/consents")

    for group in FieldGroup:
        mine.page(f"/me/corrections?group={group.value}")
    wish = {"group": "HONOUR", "summary": "虚构的荣誉", "explanation": "漏填"}
    mine.send("/me/corrections", 422, data={"group": "HONOUR"})
    mine.send("/me/corrections", data=wish, files=[("documents", ("a.pdf", PAPER))])
    mine.page("/me/corrections")
    correction = first(r"/corrections/([0-9a-f]{32})", theirs.page("/wishes"))
    paper = first(r"/papers/([0-9a-f]{32})", theirs.page(f"/corrections/{correction}"))
    assert theirs.http.get(f"/corrections/{correction}/papers/{paper}").content == PAPER
    theirs.send(f"/corrections/{correction}/decision", 422, data={"granted": "yes"})
    theirs.send(f"/corrections/{correction}/decision", data={"granted": "yes", "reason": "属实"})

    parts = re.findall(r'href="(/me/export/[a-z]+)"', mine.page("/me/export"))
    told = {part: mine.page(part) for part in parts if not part.endswith("/file")}
    assert CANARY in told["/me/export/fields"]
    assert "虚构的荣誉" in told["/me/export/corrections"]
    assert mine.http.get("/me/export/nothing").status_code == 404
    file = mine.http.get("/me/export/file")
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.json()["format"] == "talentseal-export/1"
    address = first(r'"address":\s*"([^"]+)"', file.text)
    assert mine.http.get(address).content == PAPER

    mine.send("/me/erasure")
    mine.page("/me/erasure")
    erasure = first(r"/erasures/([0-9a-f]{32})", theirs.page("/wishes"))
    theirs.page(f"/erasures/{erasure}")
    theirs.send(f"/erasures/{erasure}/decision", data={"granted": "yes", "reason": "本人申请"})
    assert "已销毁" in theirs.page(f"/erasures/{erasure}")
    assert mine.http.get("/me", follow_redirects=False).status_code in {303, 401}
    assert theirs.page("/reviews")
    assert CANARY not in capsys.readouterr().out


def test_an_auditor_reads_under_a_grant(api: Api, people: People) -> None:
    world, holder = people.world, holder_of(people, who=basic(full_name=CANARY))
    office = world.member("人才办", role=Role.TALENT_OFFICE)
    auditor = world.member("虚构审计", role=Role.AUDITOR)
    theirs, reader, mine = Browser(api, office), Browser(api, auditor), Browser(api, holder)
    record = api.call(holder, "GET", "/me/export").json()["evidence"][0]["record"]
    form = {
        "auditor": auditor.actor.account_id,
        "about": record,
        "groups": "BASIC",
        "days": "3",
        "reason": "年度抽查",
    }
    theirs.send("/grants", 422, data={**form, "days": "90"})
    theirs.send("/grants", data=form)
    grant = first(r"/grants/([0-9a-f]{32})/revocation", theirs.page("/grants"))

    assert CANARY in reader.page(f"/grants/{grant}")
    assert CANARY not in reader.page("/grants")
    assert "审计查阅" in mine.page("/me/access")
    theirs.page(f"/grants/{grant}", 403)
    theirs.send(f"/grants/{grant}/revocation")
    reader.page(f"/grants/{grant}", 409)


@pytest.mark.scenario(84)
def test_what_is_another_persons_is_not_found_and_the_attempt_is_noted(
    api: Api, people: People, capsys: pytest.CaptureFixture[str]
) -> None:
    holder, other = holder_of(people), holder_of(people)
    office = people.world.member("人才办", role=Role.TALENT_OFFICE)
    people.world.clock.advance(days=365)
    Reviewing(people).night()
    mine = Browser(api, holder)
    review = first(r"/me/reviews/([0-9a-f]{32})", mine.page("/me/reviews"))
    mine.send("/me/erasure")
    erasure = first(r"/me/erasure/([0-9a-f]{32})", mine.page("/me/erasure"))
    capsys.readouterr()

    stranger = Browser(api, other)
    stranger.page(f"/me/reviews/{review}", 404)
    stranger.send(f"/me/reviews/{review}", 404)
    stranger.send(f"/me/erasure/{erasure}/withdrawal", 404)
    stranger.page(f"/reviews/{review}", 403)
    Browser(api, office).page(f"/me/reviews/{review}", 403)

    noted = capsys.readouterr().out
    assert noted.count("access.not-yours") == 3
    assert other.actor.account_id in noted


def test_every_page_speaks_english(api: Api, people: People) -> None:
    holder = holder_of(people)
    office = people.world.member("人才办", role=Role.TALENT_OFFICE)
    people.world.clock.advance(days=365)
    Reviewing(people).night()
    mine, theirs = Browser(api, holder, "en"), Browser(api, office, "en")
    review = first(r"/me/reviews/([0-9a-f]{32})", mine.page("/me/reviews"))
    assert "My reviews" in mine.page("/me/reviews")
    for page in (f"reviews/{review}", "consents", "access", "export", "corrections", "erasure"):
        mine.page(f"/me/{page}")
    for page in ("reviews", f"reviews/{review}", "reviews/terms", "reviews/report", "wishes", "grants"):
        theirs.page(f"/{page}")


def test_the_api_does_what_the_pages_do(api: Api, people: People) -> None:
    world = people.world
    who = basic(full_name=CANARY)
    holder, bank = holder_of(people, who=who), world.member("虚构银行")
    office, bureau = world.member("人才办", role=Role.TALENT_OFFICE), world.member("局", role=Role.BUREAU)

    def post(member: Member, path: str, **body: Any) -> Any:
        answer = api.call(member, "POST", path, json=body)
        assert answer.status_code in {200, 201}, (path, answer.text)
        return answer.json()

    def get(member: Member, path: str) -> Any:
        answer = api.call(member, "GET", path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    said = {"document": "PASSPORT", "document_number": who.document_number, "note": "投诉"}
    assert post(bureau, "/reviews/reports", happening="COMPLAINT", reference="1", **said) == {"taken": True}
    (review,) = get(holder, "/me/reviews")["items"]
    assert get(holder, f"/me/reviews/{review['id']}")["known"]["BASIC"]["full_name"] == CANARY
    post(holder, f"/me/reviews/{review['id']}/answer", remark="无变化")
    assert [each["id"] for each in get(office, "/reviews")["items"]] == [review["id"]]
    assert get(office, f"/reviews/{review['id']}")["answer"]["remark"] == "无变化"
    decided = post(office, f"/reviews/{review['id']}/decision", verdict="CONFIRMED", reason="属实")
    assert decided["state"] == "CONFIRMED"
    assert post(office, "/reviews/terms", months={}, grace_days=30, reason="默认")["number"] == 1
    assert api.call(office, "POST", "/reviews/terms/1/approval").json()["code"] == "proposer-approves"

    given = post(holder, "/me/consents", organisation=bank.id, scope="SERVICE", notice_version="2026-11")
    assert get(holder, "/me/consents")["standing"][0]["organisation"] == bank.id
    post(holder, f"/me/consents/{given['id']}/withdrawal")
    assert len(get(holder, "/me/access")["items"]) == 1
    asked = post(holder, "/me/corrections", group="HONOUR", summary="荣誉", explanation="漏填")
    assert get(office, "/wishes")["corrections"][0]["id"] == asked["id"]
    assert get(office, f"/corrections/{asked['id']}")["values"] == {"summary": "荣誉"}
    post(holder, f"/me/corrections/{asked['id']}/withdrawal")
    again = post(holder, "/me/corrections", group="HONOUR", summary="荣誉", explanation="漏填")
    post(office, f"/corrections/{again['id']}/decision", granted=False, reason="材料不足")
    states = {each["state"] for each in get(holder, "/me/corrections")["items"]}
    assert states == {"REFUSED", "WITHDRAWN"}

    wish = post(holder, "/me/erasure")
    post(holder, f"/me/erasure/{wish['id']}/withdrawal")
    wish = post(holder, "/me/erasure")
    assert len(get(holder, "/me/erasure")["items"]) == 2
    post(office, f"/erasures/{wish['id']}/decision", granted=False, reason="请先办结")

    auditor = world.member("审计", role=Role.AUDITOR)
    record = get(holder, "/me/export")["evidence"][0]["record"]
    grant = post(
        office,
        "/grants",
        auditor=auditor.actor.account_id,
        about=record,
        groups=["BASIC"],
        days=1,
        reason="抽查",
    )
    assert get(auditor, f"/grants/{grant['id']}")["fields"]["BASIC"]["full_name"] == CANARY
    assert get(auditor, "/grants")["items"][0]["reads"] == 1
    post(office, f"/grants/{grant['id']}/revocation")
    assert people.code(holder.actor).state is CodeState.ACTIVE
