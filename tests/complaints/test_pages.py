"""Pages of complaints, marks and breaches: who sees what, and what each act leads to."""

from enum import StrEnum
from pathlib import Path
from typing import Any

import jinja2
import pytest

from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Role
from talentseal.agreements.duty_states import BreachAct, BreachSource, BreachState
from talentseal.complaints.states import ComplaintAct, ComplaintKind, ComplaintState
from talentseal.evidence.models import ActState
from talentseal.web.pages import TEMPLATES
from tests.api.conftest import Api
from tests.complaints.conftest import SECRET, Counter
from tests.world import Member

PAGE = {"Accept": "text/html"}
ENGLISH = {"Accept": "text/html", "Accept-Language": "en"}


class Site:
    """The service, visited by everybody."""

    def __init__(self, counter: Counter, folder: Path) -> None:
        self.counter, self.api = counter, Api(counter.world, folder)
        office, government = Role.TALENT_OFFICE, OrganisationKind.GOVERNMENT
        self.office = counter.world.member("虚构人才办", role=office, kind=government)
        self.second = counter.world.member("虚构人才办二处", role=office, kind=government)
        self.talent = Member(counter.people.holder(), None, "虚构人才")

    def get(self, who: Member, path: str, status: int = 200) -> str:
        """The page in both languages; its Chinese text."""
        self.api.sign_in(who)
        texts = [self.api.http.get(path, headers=each) for each in (ENGLISH, PAGE)]
        assert [each.status_code for each in texts] == [status, status], texts[0].text
        return str(texts[1].text)

    def post(self, who: Member, path: str, status: int = 303, **fields: Any) -> str:
        """The address that the form leads to, without its notice; or the text of the page shown again."""
        self.api.sign_in(who)
        answer = self.api.http.post(path, data=fields, headers=PAGE, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return answer.headers["location"].partition("?")[0] if status == 303 else str(answer.text)


@pytest.fixture
def site(sqlite_counter: Counter, tmp_path: Path) -> Site:
    return Site(sqlite_counter, tmp_path)


def test_from_a_complaint_to_a_cured_breach_on_the_pages(site: Site) -> None:
    bank, talent = site.counter.bank, site.talent
    assert "/me/complaints" in site.get(talent, "/me")
    assert bank.name in site.get(talent, "/me/complaints/new")
    form = site.get(talent, f"/me/complaints/new?organisation={bank.id}")
    assert "受理后四十八小时内答复" in form
    fields: dict[str, Any] = {"organisation": bank.id, "stipulation": site.counter.promise, "text": SECRET}
    assert SECRET in site.post(talent, "/me/complaints/new", 422, **fields)
    mine = site.post(talent, "/me/complaints/new", kind="SLOW", **fields)
    theirs = mine.removeprefix("/me")

    assert SECRET in site.get(bank, theirs)
    assert theirs in site.get(bank, "/complaints")
    told: dict[str, Any] = {"text": "已加派人手（虚构）"}
    for act, said in (("acceptance", {}), ("processing", {}), ("answer", told)):
        assert site.post(bank, f"{theirs}/{act}", **said) == theirs
        site.get(bank, theirs)
    assert "已加派人手（虚构）" in site.get(talent, mine)
    assert 'id="text-error"' in site.post(talent, f"{mine}/reopening", 422)
    site.post(talent, f"{mine}/reopening", text="并未解决（虚构）")
    site.get(talent, mine)
    assert theirs in site.get(site.office, "/complaints?state=REOPENED")
    site.post(site.office, f"{theirs}/escalation")
    assert 'id="uphold-error"' in site.post(site.office, f"{theirs}/decision", 422, reason="属实（虚构）")
    site.post(site.office, f"{theirs}/decision", uphold="true", reason="查明属实（虚构）")
    assert "投诉成立" in site.get(talent, mine)
    site.post(talent, f"{mine}/rating", stars="2", text="拖得太久（虚构）")
    assert "拖得太久（虚构）" in site.get(talent, mine)

    (breach,) = site.counter.breaches()
    place = f"/breaches/{breach.id}"
    assert place in site.get(bank, theirs)
    assert place in site.get(bank, "/breaches")
    assert f"{place}/decision" not in site.get(site.office, place)  # whoever alleged it does not decide
    site.post(bank, f"{place}/statement", text="当日系统维护（虚构）")
    site.post(site.second, f"{place}/decision", confirm="true", reason="超时属实（虚构）")
    assert "等待写入合约" in site.get(bank, place)
    site.counter.world.settle()
    assert "已在合约登记并定局" in site.get(bank, place)
    site.post(bank, f"{place}/cure", text="已补办（虚构）")
    assert f"{place}/acknowledgement" in site.get(site.counter.merchant, place)
    site.post(site.counter.merchant, f"{place}/acknowledgement", text="已看到（虚构）")
    assert 'id="cured-error"' in site.post(site.second, f"{place}/closing", 422, reason="已补办（虚构）")
    site.post(site.second, f"{place}/closing", cured="true", reason="已补办（虚构）")
    assert "已补正" in site.get(bank, place)


def test_who_got_no_answer_in_time_is_offered_to_go_to_the_office(site: Site) -> None:
    fields: dict[str, Any] = {"organisation": site.counter.bank.id, "kind": "SLOW", "text": SECRET}
    mine = site.post(site.talent, "/me/complaints/new", **fields)
    assert "/reopening" not in site.get(site.talent, mine)
    assert "仍在答复时限内" in site.post(site.talent, f"{mine}/reopening", 409, text="无人理会（虚构）")
    site.counter.world.clock.advance(hours=49)

    assert "请人才办处理" in site.get(site.talent, mine)
    assert site.post(site.talent, f"{mine}/reopening", text="无人理会（虚构）") == mine

    assert "无人理会（虚构）" in site.get(site.office, mine.removeprefix("/me"))
    assert "裁决" in site.get(site.talent, mine)


@pytest.mark.scenario(66)
def test_a_dismissed_breach_is_not_in_the_rate_that_the_partner_reads(site: Site) -> None:
    bank = site.counter.bank
    site.counter.used(site.talent.actor)
    found, dismissed = (site.counter.allege(reference=f"虚构-{number}") for number in range(2))
    site.post(site.office, f"/breaches/{dismissed.id}/decision", confirm="false", reason="不属实（虚构）")
    assert "0.00 %" in site.get(bank, "/service-records")
    site.post(site.office, f"/breaches/{found.id}/decision", confirm="true", reason="属实（虚构）")

    assert "50.00 %" in site.get(bank, "/service-records")
    assert bank.name in site.get(site.office, "/service-records")
    assert site.counter.merchant.name not in site.get(bank, "/service-records")


def test_a_breach_is_alleged_from_the_agreements_page(site: Site) -> None:
    version, merchant = site.counter.version, site.counter.merchant
    place = f"/agreements/{version.agreement_id}/1"
    form = f"/breaches/new?agreement={version.agreement_id}&amp;version=1"
    assert form in site.get(merchant, place)
    page = site.get(merchant, form.replace("&amp;", "&"))
    assert page.count('name="position"') == 1  # the bank's duty alone
    fields: dict[str, Any] = {"agreement": version.agreement_id, "version": "1", "reference": "虚构-1"}
    assert 'id="text-error"' in site.post(merchant, "/breaches/new", 422, **fields, position="0")
    row = site.post(merchant, "/breaches/new", **fields, position="0", text="未答复（虚构）")
    assert "虚构-1" in site.get(site.counter.bank, row)
    site.get(merchant, "/breaches/new?agreement=0x1&version=1", 404)
    site.get(merchant, "/breaches/new", 404)


def test_a_use_is_rated_and_complained_of_from_its_own_address(site: Site) -> None:
    used = site.counter.used(site.talent.actor)
    place = f"/me/ratings/{used.id}"
    assert 'id="stars-error"' in site.post(site.talent, place, 422)
    assert site.post(site.talent, place, stars="5") == place
    assert "修改评价" in site.get(site.talent, place)
    site.counter.world.clock.advance(days=8)
    assert "5 分（满分 5 分）" in site.get(site.talent, place)
    form = site.get(site.talent, f"/me/complaints/new?redemption={used.id}")
    assert f'name="redemption" value="{used.id}"' in form
    site.get(site.talent, "/me/ratings/" + "1" * 32, 404)
    site.get(site.talent, "/me/ratings/none", 404)
    site.get(site.talent, "/me/complaints/new?redemption=" + "1" * 32, 404)


def test_a_use_is_denied_from_its_receipt_and_nowhere_else(site: Site) -> None:
    bank, denied = site.counter.bank, "投诉成立的，全部撤销并退回额度"
    used = site.counter.used(site.talent.actor)
    fields: dict[str, Any] = {
        "organisation": bank.id,
        "kind": ComplaintKind.WRONG_RECEIPT.value,
        "text": SECRET,
    }

    assert "WRONG_RECEIPT" not in site.get(site.talent, f"/me/complaints/new?organisation={bank.id}")
    assert "请从自己的凭证进入" in site.post(site.talent, "/me/complaints/new", 422, **fields)
    assert denied in site.get(site.talent, f"/me/complaints/new?redemption={used.id}")
    mine = site.post(site.talent, "/me/complaints/new", redemption=used.id, **fields)

    assert "回执与实际不符" in site.get(site.talent, mine)
    theirs = site.get(bank, mine.removeprefix("/me"))
    assert "回执与实际不符" in theirs
    assert denied in theirs


def test_an_organisation_states_its_side_until_the_office_has_decided(site: Site) -> None:
    bank, said = site.counter.bank, "另有值班记录可查（虚构）"
    place = (
        f"/complaints/{site.counter.reopen(site.talent.actor, site.counter.answered(site.talent.actor)).id}"
    )

    assert f"{place}/statement" not in site.get(site.office, place)
    assert 'id="text-error"' in site.post(bank, f"{place}/statement", 422)
    assert site.post(bank, f"{place}/statement", text=said) == place

    for who, address in ((bank, place), (site.office, place), (site.talent, f"/me{place}")):
        text = site.get(who, address)
        assert said in text
        assert "单位补充说明" in text


def test_a_refusal_waits_for_the_office(site: Site) -> None:
    row = site.counter.file(site.talent.actor, kind=ComplaintKind.SERVICE_REFUSED)
    place = f"/complaints/{row.id}"
    assert f"{place}/acceptance" not in site.get(site.counter.bank, place)
    assert row.refusal_record_id
    assert row.refusal_record_id in site.get(site.talent, f"/me{place}")
    site.post(site.office, f"{place}/acceptance")
    assert f"{place}/processing" in site.get(site.counter.bank, place)
    site.counter.world.clock.advance(days=3)
    assert place in site.get(site.office, "/complaints?overdue=true")
    assert "已逾期" in site.get(site.talent, f"/me{place}")


def test_empty_lists_foreign_numbers_and_ways_back(site: Site) -> None:
    for who, path in (
        (site.talent, "/me/complaints"),
        (site.office, "/complaints?state=nonsense&after=nonsense"),
        (site.office, "/breaches?state=nonsense&after=nonsense"),
    ):
        site.get(who, path)
    for who, path in (
        (site.talent, "/me/complaints/none"),
        (site.office, "/complaints/none"),
        (site.office, "/breaches/none"),
        (site.office, "/complaints/" + "1" * 32),
        (site.office, "/breaches/" + "1" * 32),
    ):
        site.get(who, path, 404)
    site.api.sign_in(site.office)
    for place in ("/complaints/", "/breaches/", "/me/complaints/"):
        answer = site.api.http.get(f"{place}{'1' * 32}/decision", headers=PAGE, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, place + "1" * 32)


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("COMPLAINT_KINDS", ComplaintKind),
        ("COMPLAINT_STATES", ComplaintState),
        ("COMPLAINT_ACTS", ComplaintAct),
        ("BREACH_STATES", BreachState),
        ("BREACH_SOURCES", BreachSource),
        ("BREACH_ACTS", BreachAct),
        ("ON_CONTRACT", ActState),
    ],
)
def test_a_table_of_names_holds_each_member_and_nothing_else(name: str, members: type[StrEnum]) -> None:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True
    )
    environment.install_null_translations()  # type: ignore[attr-defined]  # by i18n
    environment.filters["beijing"] = str
    found = getattr(environment.get_template("complaints/words.html").module, name)
    assert set(found) == {member.value for member in members}
