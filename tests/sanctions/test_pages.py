"""Pages and JSON API of rules, cases and terminations: who sees what, and what each act leads to."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import PERMISSIONS, Permission, Role
from talentseal.partners.service import personal_digest
from talentseal.sanctions import rules
from talentseal.sanctions.models import SuspensionRule, TerminationCase
from talentseal.sanctions.states import CaseState, Ground, RuleState, TerminationState
from talentseal.sanctions.triggers import Trigger
from talentseal.talents.models import CodeState, TalentAccess
from talentseal.talents.review_schemas import Happening, Verdict
from tests.api.conftest import Api
from tests.sanctions.conftest import PDF, make_court
from tests.talents.conftest import basic, in_force, office
from tests.talents.reviewing import Reviewing
from tests.world import Member, World

PAGE = {"Accept": "text/html"}
ENGLISH = {"Accept": "text/html", "Accept-Language": "en"}
SECRET = "并非本人所为（虚构）"


def signature_of(member: Member, statement: str) -> str:
    return member.sign("0x" + personal_digest(statement).hex())


class Site:
    """The service of a court, visited by its people."""

    def __init__(self, world: World, folder: Path) -> None:
        self.court = make_court(in_force(world))
        self.api = Api(world, folder)
        government = OrganisationKind.GOVERNMENT
        self.second = world.member("虚构人才办二处", role=Role.TALENT_OFFICE, kind=government)
        self.third = world.member("虚构人才办三处", role=Role.TALENT_OFFICE, kind=government)
        self.leader = world.member("虚构领导小组", role=Role.LEADING_GROUP, kind=government)

    def get(self, who: Member, path: str, status: int = 200) -> str:
        """The page in both languages; its Chinese text."""
        self.api.sign_in(who)
        texts = [self.api.http.get(path, headers=each) for each in (ENGLISH, PAGE)]
        assert [each.status_code for each in texts] == [status, status], texts[0].text
        return str(texts[1].text)

    def post(self, who: Member, path: str, status: int = 303, **fields: Any) -> Any:
        self.api.sign_in(who)
        data = {name.replace("__", "."): value for name, value in fields.items()}
        answer = self.api.http.post(path, data=data, headers=PAGE, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return answer

    def holder(self) -> Member:
        """A talent with a code, who visits."""
        return Member(self.court.people.holder(), None, "虚构人才")

    def row(self, place: str) -> SuspensionRule:
        """The rule at an address /rules/…/…"""
        _, _, rule, number = place.partition("?")[0].split("/")[:4]
        return self.court.world.database.read(lambda session: rules.find(session, rule, int(number)))


@pytest.fixture
def site(sqlite_world: World, tmp_path: Path) -> Site:
    return Site(sqlite_world, tmp_path)


def test_a_rule_is_drafted_signed_by_three_and_amended_on_its_pages(site: Site) -> None:
    court = site.court
    fields: dict[str, Any] = {
        "title": "冒用人才码（虚构）",
        "wording": "出示人与持有人不符的，暂停使用。",
        "trigger": "PRESENTER_MISMATCH",
        "threshold": "1",
        "window_minutes": "60",
        "duration_days": "30",
        "effective_from": "2026-11-01",
        "scope__reach": "ALL",
        "procedure__notice_days": "3",
        "procedure__statement_days": "5",
        "procedure__appeal_days": "15",
        "procedure__max_total_days": "180",
        "partner_set": court.bank.id,
    }
    site.get(court.office, "/rules")
    site.get(court.office, "/rules/new")

    site.post(site.second, "/rules/new", 422, **{**fields, "title": ""})
    place = site.post(site.second, "/rules/new", **fields).headers["location"].partition("?")[0]
    assert site.get(site.second, place).count("尚未签署") == 3

    for member in court.sides:
        assert "sha256: " in site.get(member, place + "/sign")
        said = site.api.http.get(place + "/rule.json").json()
        assert said["signers"] == [member.address]
        site.post(member, place + "/sign", 422, signature="0x00")
        site.post(member, place + "/sign", signature=signature_of(member, said["statement"]))
        site.get(member, place + "/sign")

    assert "自该时刻起发生的情况适用本规则" in site.get(court.bank, place)
    assert "冒用人才码" in site.get(court.bank, "/rules")
    site.get(site.second, place + "/amend")
    changed = {**fields, "wording": "应当暂停使用。"}
    newer = site.post(site.second, place + "/amend", **changed).headers["location"].partition("?")[0]
    assert newer.endswith("/2")
    site.post(court.bank, newer + "/refusal", reason="须再议（虚构）")
    assert "须再议（虚构）" in site.get(court.office, newer)
    assert court.state(site.row(place)) is RuleState.IN_FORCE
    assert court.state(site.row(newer)) is RuleState.REFUSED


def test_a_partner_reads_the_rules_of_its_side_alone(site: Site) -> None:
    court = site.court
    row = court.draft()
    other = court.world.member("另一虚构银行")
    place = f"/rules/{row.rule}/{row.number}"

    assert "冒用人才码" in site.get(court.bank, "/rules")
    assert "冒用人才码" not in site.get(other, "/rules")
    site.get(other, place, 404)
    site.get(other, place + "/sign", 404)
    site.get(site.leader, "/rules", 403)
    site.post(court.bank, "/rules/new", 403)


def test_a_case_goes_from_notice_to_lifting_on_the_pages_of_both(site: Site) -> None:
    court = site.court
    court.rule(procedure={"provisional_allowed": True})
    talent = site.holder()
    assert "没有涉及您的案件" in site.get(talent, "/me/cases")
    court.report(talent.actor, note="照片明显不符（虚构）")
    court.tick()
    case = court.cases(talent.actor)[0]
    mine, ours = f"/me/cases/{case.id}", f"/cases/{case.id}"

    assert "系统已临时暂停" in site.get(talent, mine)
    site.post(talent, mine + "/statement", 422, text=" ")
    site.post(talent, mine + "/statement", text=SECRET)
    assert "照片明显不符" not in site.get(talent, mine)

    page = site.get(court.office, ours)
    assert SECRET in page
    assert "照片明显不符" in page
    assert "欧阳**" in page
    assert "虚构" in site.get(court.office, "/cases")
    site.get(court.office, "/cases?state=PROVISIONAL")
    site.post(court.office, ours + "/decision", 422, grant="true")
    site.post(court.office, ours + "/decision", grant="true", reason="事实清楚（虚构）")
    assert court.code_state(talent.actor) is CodeState.SUSPENDED

    assert "您可以申诉到 2026-12-08" in site.get(talent, mine)
    site.post(talent, mine + "/appeal", text="请求撤销（虚构）")
    site.get(talent, mine)
    assert "须由另一人审理" in site.get(court.office, ours)
    site.post(court.office, ours + "/appeal-decision", 409, uphold="false", reason="x")
    site.get(site.second, ours)
    site.post(site.second, ours + "/appeal-decision", uphold="false", reason="证据不足（虚构）")
    assert "暂停已解除" in site.get(talent, mine)
    assert court.code_state(talent.actor) is CodeState.ACTIVE
    site.get(site.second, ours)


def test_a_case_is_nobody_elses(site: Site) -> None:
    court = site.court
    court.rule()
    talent, other = site.holder(), site.holder()
    case = court.detected(talent.actor)

    site.get(other, f"/me/cases/{case.id}", 404)
    site.post(other, f"/me/cases/{case.id}/statement", 404, text="x")
    site.get(other, "/me/cases/" + "0" * 31, 404)
    for member in (court.bank, court.bureau, site.leader):
        site.get(member, "/cases", 403)
        site.get(member, f"/cases/{case.id}", 403)
    site.get(talent, f"/cases/{case.id}", 403)


def test_a_termination_is_proposed_decided_and_annulled_on_its_pages(site: Site) -> None:
    court = site.court
    talent = site.holder()
    code = court.people.code(talent.actor).code_ref.hex()
    site.get(court.bank, "/terminations/new")
    site.post(court.bank, "/terminations/new", 422, code=code, ground="SERIOUS_MISCONDUCT")
    answer = site.post(
        court.bank, "/terminations/new", code=code, ground="SERIOUS_MISCONDUCT", reason="理由（虚构）"
    )
    place = answer.headers["location"].partition("?")[0]
    mine = "/me" + place
    assert "理由（虚构）" not in site.get(court.bank, place), "whoever only proposes is not told what is said"
    site.get(talent, mine, 404)

    site.post(site.second, place + "/notice")
    site.get(talent, "/me/cases")
    assert "您可以陈述到" in site.get(talent, mine)
    site.post(talent, mine + "/statement", text=SECRET)
    site.post(site.second, place + "/decision", 409, grant="true", reason="x")
    site.api.sign_in(court.bank)
    about = {"issuer": "虚构机关", "reference": "虚构1号", "issued_on": "2026-10-01"}
    sent = site.api.http.post(
        place + "/findings",
        data=about,
        files={"document": ("f.pdf", PDF)},
        headers=PAGE,
        follow_redirects=False,
    )
    assert sent.status_code == 303, sent.text
    for member in (site.second, site.third):
        assert "虚构1号" in site.get(member, place)
        site.post(member, place + "/decision", grant="true", reason="决定理由（虚构）")
    assert court.code_state(talent.actor) is CodeState.TERMINATED
    assert SECRET not in site.get(court.bank, place)

    finding = re.search(r"/findings/([0-9a-f]{32})", site.get(talent, mine))
    assert finding
    for reader, of in ((talent, mine), (site.third, place), (site.leader, place)):
        site.api.sign_in(reader)
        answer = site.api.http.get(of + finding.group(0), headers=PAGE)
        assert answer.content == PDF, answer.text[:3000]
    site.get(court.bank, place + finding.group(0), 403)
    assert "办理暂停或终止案件" in site.get(talent, "/me/access")
    assert "人才码已终止" in site.get(talent, mine)
    site.post(talent, mine + "/appeal", text="请求撤销（虚构）")
    site.get(site.third, place)
    site.get(court.office, place)
    site.post(court.office, place + "/appeal-decision", uphold="false", reason="认定错误（虚构）")
    assert "终止已撤销" in site.get(talent, mine)
    assert court.code_state(talent.actor) is CodeState.ACTIVE
    assert "严重违法违德" in site.get(court.office, "/terminations?state=ANNULLED")


def test_the_leading_group_confirms_on_the_page(site: Site) -> None:
    court = site.court
    talent = site.holder()
    row = court.propose(talent.actor, Ground.OTHER_UNSUITABLE, resolution="虚构联席3号")
    place = f"/terminations/{row.id}"

    site.get(site.leader, place)
    site.post(site.leader, place + "/confirmation", 422, reference="")
    site.post(site.leader, place + "/confirmation", reference="虚构领1号")

    assert "虚构领1号" in site.get(site.second, place)
    site.post(site.second, place + "/decision", grant="false", reason="尚不足以终止（虚构）")
    assert court.termination(row).state is TerminationState.DISMISSED


def test_a_referral_leads_from_the_case_to_the_termination(site: Site) -> None:
    court = site.court
    court.rule()
    talent = site.holder()
    case = court.suspended(talent.actor, by=office(7))

    site.post(court.office, f"/cases/{case.id}/referral", 422, text="")
    answer = site.post(court.office, f"/cases/{case.id}/referral", text="屡次违反（虚构）")

    site.get(court.office, answer.headers["location"])
    assert "本案已移送终止" in site.get(talent, f"/me/cases/{case.id}")
    site.get(court.office, f"/cases/{case.id}")


@pytest.mark.parametrize("place", ["/rules/{}/1/refusal", "/cases/{}/decision", "/me/cases/{}/appeal"])
def test_an_answer_to_a_form_that_is_loaded_again_leads_back(site: Site, place: str) -> None:
    talent = site.holder()
    site.api.sign_in(talent)

    answer = site.api.http.get(place.format("1" * 32), headers=PAGE, follow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["location"] == re.sub(r"/[a-z]+$", "", place.format("1" * 32))


def test_programs_do_what_pages_do(site: Site) -> None:
    court, api = site.court, site.api
    text = court.text().model_dump(mode="json")
    drafted = api.call(site.second, "POST", "/rules", json=text)
    assert drafted.status_code == 201, drafted.text
    rule = drafted.json()["rule"]
    place = f"/rules/{rule}/versions/1"
    states = []
    for member in court.sides:
        said = api.call(member, "GET", place + "/statement").json()["statement"]
        given = {"signature": signature_of(member, said)}
        states.append(api.call(member, "POST", place + "/signatures", json=given).json()["state"])
    assert states == [RuleState.PARTLY_APPROVED, RuleState.PARTLY_APPROVED, RuleState.IN_FORCE]
    assert api.call(court.bank, "GET", place).json()["record"]
    assert [each["rule"] for each in api.call(court.bank, "GET", "/rules").json()["items"]] == [rule]
    assert api.call(site.second, "POST", f"/rules/{rule}/versions", json=text).status_code == 201
    refused = api.call(court.bank, "POST", f"/rules/{rule}/versions/2/refusal", json={"reason": "再议"})
    assert refused.json()["state"] == RuleState.REFUSED

    talent = court.people.holder()
    report = {
        "trigger": Trigger.PRESENTER_MISMATCH,
        "presentation": court.presented(talent, court.bank),
        "occurred_at": court.now.isoformat(),
        "reference": "7",
    }
    assert api.call(court.bank, "POST", "/facts", json=report).status_code == 201
    court.tick()
    (line,) = api.call(court.office, "GET", "/cases").json()["items"]
    case = f"/cases/{line['id']}"
    court.state_case(talent, court.cases(talent)[0])
    verdict = {"grant": True, "reason": "事实清楚（虚构）"}
    assert api.call(court.office, "POST", case + "/decision", json=verdict).json()["state"] == "SUSPENDED"
    assert api.call(court.office, "GET", case).json()["holder"] == "欧阳**"
    opened = api.call(court.office, "POST", case + "/referral", json={"text": "屡次违反（虚构）"}).json()
    end = f"/terminations/{opened['id']}"
    row = court.world.database.read(lambda session: session.get_one(TerminationCase, opened["id"]))
    court.heard(talent, row)
    for member in (site.second, site.third):
        decided = api.call(member, "POST", end + "/decision", json=verdict)
        assert decided.status_code == 200, decided.text
    assert api.call(site.second, "GET", end).json()["state"] == TerminationState.DECIDED
    assert court.cases(talent)[0].state is CaseState.REFERRED_FOR_TERMINATION


@pytest.fixture
def failed(site: Site) -> tuple[Member, str]:
    """A holder whose review failed, and that review."""
    hands, who = Reviewing(site.court.people), basic()
    holder = Member(site.court.people.holder(who=who), None, "虚构人才")
    hands.report(who, Happening.JOB_CHANGE)
    task = hands.one(holder.actor)
    hands.answer(holder.actor, task, remark="已离职（虚构）")
    return holder, hands.decide(task, Verdict.FAILED).id


def test_a_failed_review_leads_to_a_termination_once(site: Site, failed: tuple[Member, str]) -> None:
    holder, review = failed
    place = f"/reviews/{review}/termination"
    assert place in site.get(site.second, f"/reviews/{review}")

    site.get(site.second, place)
    site.post(site.second, place, 422, text="")
    opened = (
        site.post(site.second, place, text="本人自述已离开（虚构）").headers["location"].partition("?")[0]
    )

    page = site.get(site.third, opened)
    assert "本人自述已离开（虚构）" in page
    assert f"/reviews/{review}" in page
    assert "您可以陈述到" in site.get(holder, "/me" + opened)
    assert opened in site.get(site.second, place)
    site.post(site.third, place, 409, text="再次提出（虚构）")
    site.get(holder, place, 403)
    rows = site.court.world.database.read(lambda session: session.scalars(select(TerminationCase)).all())
    assert [(row.ground, row.review_id) for row in rows] == [(Ground.LEFT_AREA, review)]


def test_a_review_leads_to_no_termination_before_it_failed(site: Site) -> None:
    hands, who = Reviewing(site.court.people), basic()
    holder = site.court.people.holder(who=who)
    hands.report(who, Happening.JOB_CHANGE)
    place = f"/reviews/{hands.one(holder).id}/termination"

    assert "没有未通过的决定" in site.get(site.second, place)
    refused = site.api.call(site.second, "POST", place, json={"text": "已离开（虚构）"})

    assert refused.json()["code"] == "review-not-failed"
    assert (
        site.api.call(site.second, "POST", f"/reviews/{'0' * 32}/termination", json={"text": "x"}).json()[
            "code"
        ]
        == "review-not-found"
    )
    site.get(site.second, "/reviews/none/termination", 404)


def test_a_finding_comes_in_through_the_api(site: Site) -> None:
    court, api = site.court, site.api
    row = court.propose(court.people.holder(), Ground.SERIOUS_MISCONDUCT)
    about = {"issuer": "虚构机关", "reference": "虚构1号", "issued_on": "2026-10-01"}

    answer = api.call(
        site.second,
        "POST",
        f"/terminations/{row.id}/findings",
        data=about,
        files={"document": ("f.pdf", PDF, "application/pdf")},
    )

    assert answer.status_code == 201, answer.text
    listed = api.call(site.second, "GET", f"/terminations/{row.id}").json()
    (finding,) = listed["findings"]
    assert {name: finding[name] for name in about} == about
    assert [each["id"] for each in api.call(site.leader, "GET", "/terminations").json()["items"]] == [row.id]
    place = f"/terminations/{row.id}/findings/{finding['id']}"
    assert api.call(site.leader, "GET", place).content == PDF
    assert api.call(court.bank, "GET", place).status_code == 403
    assert api.call(site.leader, "GET", f"/terminations/{row.id}/findings/{'0' * 32}").status_code == 404
    query = select(TalentAccess.document_id).where(TalentAccess.document_id.is_not(None))
    opened = court.world.database.read(lambda session: session.scalars(query).all())
    assert opened == [finding["id"]]


WHO: dict[Permission, set[Role]] = {
    Permission.RULE_DRAFT: {Role.TALENT_OFFICE, Role.BIG_DATA_BUREAU},
    Permission.RULE_SIGN: {Role.TALENT_OFFICE, Role.BIG_DATA_BUREAU, Role.PARTNER},
    Permission.CASE_DECIDE: {Role.TALENT_OFFICE},
    Permission.TERMINATION_PROPOSE: {Role.TALENT_OFFICE, Role.PARTNER, Role.BUREAU, Role.OPERATOR},
    Permission.TERMINATION_DECIDE: {Role.TALENT_OFFICE},
    Permission.TERMINATION_CONFIRM: {Role.LEADING_GROUP},
    Permission.SANCTION_OWN: {Role.TALENT},
}


@pytest.mark.parametrize("permission", WHO)
def test_each_act_is_for_its_bodies_alone(permission: Permission) -> None:
    assert {role for role in Role if permission in PERMISSIONS[role]} == WHO[permission]
