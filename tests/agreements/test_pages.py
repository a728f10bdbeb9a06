"""The partner's desk: what pages show to whom, what each act does, what every refusal leaves undone."""

import json
import re
from typing import Any

import pytest

from talentseal.accounts.roles import Role
from talentseal.agreements.documents import MediaType
from talentseal.partners import service as partners
from tests.agreements.desk import Desk, form_of, said
from tests.api.conftest import Api
from tests.world import PDF, Member, World, docx, examined


@pytest.fixture
def world(sqlite_world: World) -> World:
    """What pages do does not depend on the database; what they list does (test_listing.py)."""
    return sqlite_world


@pytest.fixture
def desk(api: Api, bank: Member, office: Member) -> Desk:
    """The bank's clerk, signed in."""
    assert office.id
    return Desk(api, bank)


def test_a_visitor_without_a_session_is_sent_to_sign_in_and_back(api: Api) -> None:
    answer = api.http.get("/agreements", headers={"Accept": "text/html"}, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/agreements")


def test_without_agreements_the_list_says_how_to_begin(desk: Desk) -> None:
    page = desk.get("/agreements")

    assert page.status_code == 200
    assert "还没有协议" in page.text
    assert 'href="/agreements/new"' in page.text


def test_the_form_begins_with_ones_own_organisation(desk: Desk, bank: Member) -> None:
    page = desk.get("/agreements/new").text

    first = re.search(r'name="parties\.0\.organisation" value="([^"]+)"', page)
    assert first is not None
    assert first[1].startswith(f"{bank.name} · ")


def test_a_filled_form_becomes_an_agreement_that_says_what_is_next(
    desk: Desk, bank: Member, office: Member
) -> None:
    address = desk.submit(bank, office)
    page = desk.get(address)

    assert page.status_code == 200
    for shown in ("人才专属贷款合作协议", "待签署", "轮到贵单位签署", "第三条", bank.name, office.name):
        assert shown in page.text
    assert examined(PDF).sm3 in page.text
    assert "ZD-2026-001" in desk.get("/agreements").text


def test_the_same_form_sent_twice_makes_one_agreement(desk: Desk, bank: Member, office: Member) -> None:
    first, second = (desk.post("/agreements/new", form_of(bank, office)) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert desk.versions == 1


WRONG = [
    ({"number": ""}, "number", "缺少必填项"),
    ({"title": "x" * 201}, "title", "文字过长"),
    ({"valid_through": "2026-01-01"}, "valid_through", "最后一日早于第一日"),
    ({"effective_from": "gestern"}, "effective_from", "不是有效的日期"),
    ({"deadline": "someday"}, "deadline", "不是有效的日期与时间"),
    ({"document.sha256": ""}, "document", "请选择协议文件"),
    ({"keep": "deposit"}, "document", "请重新选择文件"),
    ({"parties.1.organisation": "不存在的机构"}, "parties.1.organisation", "没有这家机构"),
    ({"parties.1.organisation": ""}, "parties.1.organisation", "缺少必填项"),
    ({"stipulations.1.measure": ""}, "stipulations.1.measure", "缺少必填项"),
    ({"stipulations.0.duty_holder": "7"}, "stipulations.0.duty_holder", "缺少必填项"),
    ({"stipulations.0.beneficiary_tiers": []}, "stipulations.0.beneficiary_tiers", "缺少必填项"),
    ({"stipulations.0.remedy": "\x07"}, "stipulations.0.remedy", "控制字符"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=[field for _, field, _ in WRONG])
def test_a_wrong_field_is_named_and_nothing_typed_is_lost(
    desk: Desk, bank: Member, office: Member, wrong: tuple[dict[str, Any], str, str]
) -> None:
    changes, field, why = wrong

    page = desk.post("/agreements/new", form_of(bank, office) | changes)

    assert page.status_code == 422, said(page)
    error = re.search(rf'id="{re.escape(field)}-error">([^<]*)', page.text)
    assert error is not None, said(page)
    assert why in error[1]
    assert all(text in page.text for text in ("受理后四十八小时内答复", "书面说明并补办", "48 h"))
    assert desk.versions == 0


def test_the_errors_are_told_in_english_too(desk: Desk, bank: Member, office: Member) -> None:
    page = desk.post("/agreements/new?lang=en", form_of(bank, office) | {"parties.1.organisation": "none"})

    assert "No such organisation" in page.text
    assert "Some fields need correcting" in page.text


def test_rows_in_which_nothing_was_written_are_no_rows(desk: Desk, bank: Member, office: Member) -> None:
    blank = {"stipulations.9.period": "EVENT", "stipulations.9.duty_holder": "0", "parties.2.role": "丙方"}

    assert desk.post("/agreements/new", form_of(bank, office) | blank).status_code == 303


def test_rows_keep_their_order_and_get_new_numbers(desk: Desk, bank: Member, office: Member) -> None:
    fields = form_of(bank, office)
    moved = {
        re.sub(
            r"^stipulations\.(\d)", lambda place: f"stipulations.{'40' if place[1] == '0' else '7'}", name
        ): value
        for name, value in fields.items()
    }
    page = desk.get(str(desk.post("/agreements/new", moved).headers["location"])).text

    assert page.index("第四条") < page.index("第三条")


def test_a_party_is_known_by_name_by_code_and_by_what_the_list_offers(
    desk: Desk, bank: Member, office: Member
) -> None:
    listed = re.findall(r'<option value="([^"]+ · [^"]+)">', desk.get("/agreements/new").text)
    label = next(each for each in listed if each.startswith(office.name))
    for number, written in enumerate((office.name, label, label.split(" · ")[1], office.id)):
        typed = {"number": f"N-{number}", "parties.1.organisation": written}
        fields = form_of(bank, office, plain=PDF + bytes([number])) | typed
        assert desk.post("/agreements/new", fields).status_code == 303


def test_a_name_that_two_organisations_have_has_to_be_told_apart(
    desk: Desk, world: World, bank: Member, office: Member
) -> None:
    world.member(office.name)

    page = desk.post("/agreements/new", form_of(bank, office))

    assert page.status_code == 422
    assert "没有这家机构" in page.text


def test_without_scripts_the_file_is_examined_here_and_thrown_away(
    desk: Desk, bank: Member, office: Member
) -> None:
    fields = {
        name: value for name, value in form_of(bank, office).items() if not name.startswith("document.")
    }
    plain = docx()
    file = {"document": ("协议.docx", plain, MediaType.DOCX.value)}

    answer = desk.post("/agreements/new", fields, files=file)

    page = desk.get(answer.headers["location"]).text
    assert examined(plain).sha256 in page
    assert "本服务只有摘要" in page


def test_a_deposited_document_comes_back_to_the_parties_alone(
    desk: Desk, world: World, bank: Member, office: Member
) -> None:
    file = {"document": ("x.pdf", PDF, "application/pdf")}
    answer = desk.post("/agreements/new", form_of(bank, office, keep="deposit"), files=file)
    address = str(answer.headers["location"]).split("?")[0]

    assert desk.as_(office).get(address + "/document").content == PDF
    assert desk.as_(world.member("局外机构")).get(address + "/document").status_code == 404


def test_a_file_that_is_no_document_is_refused_at_its_field(desk: Desk, bank: Member, office: Member) -> None:
    file = {"document": ("x.pdf", b"MZ\x90", "application/pdf")}

    page = desk.post("/agreements/new", form_of(bank, office), files=file)

    assert page.status_code == 422
    assert "不是 PDF 或 Word" in page.text
    assert desk.versions == 0


def test_a_refusal_of_the_service_is_said_with_names_and_shows_the_way(
    desk: Desk, world: World, bank: Member
) -> None:
    keyless = world.member("无钥机构")
    world.database.write(lambda session: _revoke(session, keyless, world))

    page = desk.post("/agreements/new", form_of(bank, keyless))

    assert page.status_code == 409
    assert re.search(r"机构 无钥机构 · \w{18} 没有有效的签名密钥", page.text)
    assert keyless.id not in page.text
    assert desk.versions == 0


def _revoke(session: Any, member: Member, world: World) -> None:
    partners.revoke_key(session, member.actor, member.id, member.address, now=world.clock.now())


def test_another_submission_of_the_same_document_leads_to_the_first(
    desk: Desk, bank: Member, office: Member
) -> None:
    address = desk.submit(bank, office)

    page = desk.post("/agreements/new", form_of(bank, office, number="ZD-2026-002"))

    assert page.status_code == 409
    assert f'href="{address}"' in page.text
    assert 'value="ZD-2026-002"' in page.text
    assert desk.versions == 1


def test_an_outsider_meets_nothing_at_any_address_of_the_agreement(
    desk: Desk, world: World, bank: Member, office: Member
) -> None:
    address = desk.submit(bank, office)
    outsider = desk.as_(world.member("局外机构"))

    pages = ["", "/standing", "/sign", "/sign/typed-data.json", "/agreement.json", "/document", "/return"]
    pages += ["/terminate", "/terminate/sign", "/terminate/sign/typed-data.json", "/again", "/amend"]
    for page in pages:
        assert outsider.get(address + page).status_code == 404, page
    for act in (
        "/sign",
        "/submission",
        "/discard",
        "/return",
        "/terminate",
        "/terminate/sign",
        "/again",
        "/amend",
    ):
        sent = form_of(bank, office) | {"signature": "0x" + "00" * 65, "reason": "x", "notice": "x"}
        assert outsider.post(address + act, sent | {"effective_at": "2027-01-01T00:00"}).status_code == 404, (
            act
        )
    assert "还没有协议" in outsider.get("/agreements").text


@pytest.mark.parametrize("place", ["0x00/1", "x/1", "0x00/0", "0x00/x", "0x00/99999999999999999999"])
def test_addresses_that_name_nothing_are_not_found(desk: Desk, place: str) -> None:
    assert desk.get(f"/agreements/{place}").status_code == 404


def test_an_auditor_reads_without_being_offered_acts(desk: Desk, world: World) -> None:
    auditor = desk.as_(world.member("审计机构", role=Role.AUDITOR))

    assert "/agreements/new" not in auditor.get("/agreements").text
    assert auditor.get("/agreements/new").status_code == 403
    assert auditor.post("/agreements/new", {}).status_code == 403


def test_a_draft_is_ones_own_until_it_is_submitted(desk: Desk, bank: Member, office: Member) -> None:
    address = desk.submit(bank, office, do="draft")

    assert "这是草稿" in desk.get(address).text
    assert desk.as_(office).get(address).status_code == 404
    assert desk.as_(bank).post(address + "/submission").status_code == 303
    assert desk.as_(office).get(address).status_code == 200


def test_a_draft_is_changed_in_its_place(desk: Desk, bank: Member, office: Member) -> None:
    address = desk.submit(bank, office, do="draft")
    page = desk.get(address + "/again").text

    answer = desk.post(address + "/again", form_of(bank, office, title="改过的协议", do="draft"))

    assert 'value="人才专属贷款合作协议"' in page
    assert examined(PDF).sha256 in page
    assert answer.status_code == 303
    assert "改过的协议" in desk.get(answer.headers["location"]).text
    assert desk.versions == 1


def test_a_discarded_draft_is_gone(desk: Desk, bank: Member, office: Member) -> None:
    address = desk.submit(bank, office, do="draft")

    assert desk.post(address + "/discard").status_code == 303
    assert desk.get(address).status_code == 404
    assert desk.versions == 0


def test_the_page_of_signing_says_in_words_what_is_signed(desk: Desk, bank: Member, office: Member) -> None:
    page = desk.get(desk.submit(bank, office) + "/sign").text

    for shown in ("受理后四十八小时内答复", "2026-12-01", bank.address, examined(PDF).sha256, office.name):
        assert shown in page
    offered = re.search(r"data-typed='([^']+)'", page)
    assert offered is not None
    assert json.loads(offered[1])["primaryType"] == "Agreement"


def test_what_is_signed_can_be_taken_along_as_files(desk: Desk, bank: Member, office: Member) -> None:
    address = desk.submit(bank, office)

    typed, whole = desk.get(address + "/sign/typed-data.json"), desk.get(address + "/agreement.json")

    assert typed.json()["domain"]["chainId"] == whole.json()["chain_id"]
    assert "attachment" in typed.headers["content-disposition"]


def test_when_all_have_signed_the_page_follows_to_the_end_and_stops(
    desk: Desk, world: World, bank: Member, office: Member
) -> None:
    address = desk.signed(bank, office)
    going = desk.get(address).text
    mark = re.search(r"standing\?mark=([^\"]+)", going)
    assert mark is not None
    assert 'hx-trigger="every 1s"' in going
    assert desk.get(f"{address}/standing?mark={mark[1]}").status_code == 204

    world.settle()
    settled = desk.get(f"{address}/standing?mark={mark[1]}")

    assert settled.status_code == 200
    assert settled.text.lstrip().startswith("<section")
    for shown in ("已存证", "已定局", "下载证明包"):
        assert shown in settled.text
    assert "hx-get" not in settled.text


@pytest.mark.parametrize("typed", ["", "0x00", "no signature", '{"signature": "0x00"}'])
def test_what_is_no_signature_is_refused_at_its_field(
    desk: Desk, bank: Member, office: Member, typed: str
) -> None:
    address = desk.submit(bank, office)

    page = desk.post(address + "/sign", {"signature": typed})

    assert page.status_code == 422
    assert 'id="signature-error"' in page.text


def test_a_signature_of_another_key_changes_nothing(desk: Desk, bank: Member, office: Member) -> None:
    address = desk.submit(bank, office)
    digest = desk.api.call(bank, "GET", f"/agreements/{address.split('/')[2]}/versions/1/typed-data").json()[
        "digest"
    ]

    page = desk.post(address + "/sign", {"signature": office.sign(digest)})

    assert page.status_code == 422
    assert "签名与声明不符" in page.text
    assert office.sign(digest) in page.text
    assert "轮到贵单位签署" in desk.get(address).text


def test_a_signature_comes_as_the_file_of_the_command_line_too(
    desk: Desk, bank: Member, office: Member
) -> None:
    address = desk.submit(bank, office)
    digest = desk.api.call(bank, "GET", f"/agreements/{address.split('/')[2]}/versions/1/typed-data").json()[
        "digest"
    ]
    file = json.dumps({"digest": digest, "signer": bank.address, "signature": bank.sign(digest)})

    assert desk.post(address + "/sign", {"signature": file}).status_code == 303
    assert desk.post(address + "/sign", {"signature": file}).status_code == 303
    assert "贵单位已签署" in desk.get(address + "/sign").text


def test_declining_needs_a_reason_and_lets_the_submitter_correct_it(
    desk: Desk, bank: Member, office: Member
) -> None:
    address = desk.submit(bank, office)

    without = desk.as_(office).post(address + "/return", {"reason": "  "})
    declined = desk.post(address + "/return", {"reason": "利率与会议纪要不符"})

    assert (without.status_code, declined.status_code) == (422, 303)
    assert 'id="reason-error"' in without.text
    page = desk.as_(bank).get(address).text
    assert "利率与会议纪要不符" in page
    assert f'href="{address}/again"' in page
    again = desk.post(address + "/again", form_of(bank, office, title="更正后的协议"))
    assert again.status_code == 303
    assert "更正后的协议" in desk.get(again.headers["location"]).text


def test_what_was_signed_by_all_cannot_be_returned_any_more(desk: Desk, bank: Member, office: Member) -> None:
    address = desk.signed(bank, office)

    page = desk.post(address + "/return", {"reason": "太迟"})

    assert page.status_code == 409
    assert "不能执行此操作" in page.text


def test_an_amendment_shows_what_it_changes_before_and_after_it_is_sent(
    desk: Desk, world: World, bank: Member, office: Member
) -> None:
    address = desk.signed(bank, office)
    world.settle()
    changed = form_of(bank, office, plain=PDF + b"2") | {"stipulations.1.threshold": "24 h"}

    before = desk.post(address + "/amend/difference", changed).text
    compared = desk.post(address + "/amend", changed | {"do": "compare"})
    sent = desk.post(address + "/amend", changed)

    for page in (before, compared.text, desk.get(sent.headers["location"]).text):
        assert re.search(r"<del>.*?48 h.*?</del>\s*<ins>.*?24 h.*?</ins>", page, re.DOTALL)
        assert "有变更" in page
        assert "未变更的条款 1 条" in page
    assert compared.status_code == 200
    assert str(sent.headers["location"]).startswith(address.rsplit("/", 1)[0] + "/2")


def test_an_amendment_with_gaps_shows_no_difference_yet(desk: Desk, bank: Member, office: Member) -> None:
    address = desk.signed(bank, office)

    shown = desk.post(address + "/amend/difference", form_of(bank, office) | {"title": ""}).text

    assert "各项填妥后" in shown
    assert desk.get(address + "/amend").text.count("readonly") == 2


def test_a_version_that_cannot_be_amended_says_so_and_keeps_what_was_typed(
    desk: Desk, bank: Member, office: Member
) -> None:
    address = desk.submit(bank, office)

    page = desk.post(address + "/amend", form_of(bank, office, plain=PDF + b"2", title="太早的变更"))

    assert page.status_code == 409
    assert 'value="太早的变更"' in page.text
    assert desk.versions == 1


def test_a_termination_is_drawn_up_signed_by_all_and_shown(
    desk: Desk, world: World, bank: Member, office: Member
) -> None:
    address = desk.signed(bank, office)
    world.settle()
    typed = {"reason": "双方合意", "notice": "书面通知", "effective_at": "2027-03-31T18:00"}

    proposed = desk.post(address + "/terminate", typed)
    for member in (bank, office):
        assert "双方合意" in desk.as_(member).get(address + "/terminate/sign").text
        assert desk.sign(address, "/terminate/sign").status_code == 303
    world.settle()

    assert proposed.headers["location"].startswith(address + "/terminate/sign")
    page = desk.get(address).text
    assert "已生效或将于所定时间生效" in page
    assert "2027-03-31 18:00:00" in page


@pytest.mark.parametrize(
    ("field", "typed"), [("reason", ""), ("notice", ""), ("effective_at", ""), ("effective_at", "soon")]
)
def test_a_termination_with_gaps_is_refused_at_the_field(
    desk: Desk, bank: Member, office: Member, field: str, typed: str
) -> None:
    address = desk.signed(bank, office)
    values = {"reason": "双方合意", "notice": "书面通知", "effective_at": "2027-03-31T18:00"} | {field: typed}

    page = desk.post(address + "/terminate", values)

    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert all(value in page.text for name, value in values.items() if name != field)


def test_a_termination_after_the_last_day_is_refused_in_words(
    desk: Desk, bank: Member, office: Member
) -> None:
    address = desk.signed(bank, office)
    values = {"reason": "双方合意", "notice": "书面通知", "effective_at": "2030-01-01T00:00"}

    page = desk.post(address + "/terminate", values)

    assert page.status_code == 422
    assert "终止时间须晚于现在" in page.text
