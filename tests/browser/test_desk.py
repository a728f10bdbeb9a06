"""The partner's desk in a browser: from the file to FINAL, amended and ended, without a terminal."""

import json
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from eth_account import Account
from playwright.sync_api import Locator, Page, Request, Route, expect

from talentseal.client import Version
from talentseal.clock import SystemClock, legal_date
from talentseal.demonstration.scheme import Body
from talentseal.web.pages import translator
from tests.browser.axe import axe
from tests.browser.conftest import Shot, Visits
from tests.browser.running import Running
from tests.browser.screens import DESKTOP, Screen
from tests.browser.visit import Visit
from tests.world import PDF

BANK, MERCHANT, OPERATOR = "林星河", "陈云书", "周一诺"
SETTLES = 45_000
"""Milliseconds for contract and log to make something final, on a busy machine."""

Say = Callable[[str], str]


@pytest.fixture
def say(screen: Screen) -> Say:
    """A text of the pages in the language of the screen."""
    return translator(screen.language)


def sign_in(visit: Visit, person: str) -> Page:
    page = visit.open("/sign-in")
    page.get_by_role("button", name=person).click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


def document(folder: Path) -> Path:
    """A document that nobody has seen before."""
    path = folder / f"{secrets.token_hex(4)}.pdf"
    path.write_bytes(PDF + secrets.token_bytes(16))
    return path


def part(page: Page, name: str) -> Locator:
    """A field by its place in the command."""
    return page.locator(f'[name="{name}"]')


def fill(page: Page, running: Running, say: Say, number: str) -> None:
    """Terms, the other party, and two stipulations, one of them from a template."""
    today = legal_date(SystemClock().now())
    page.get_by_label(say("协议书编号"), exact=True).fill(number)
    page.get_by_label(say("标题"), exact=True).fill("人才购书优惠合作协议（虚构）")
    page.get_by_label(say("协议类别"), exact=True).select_option("CONSUMPTION_BENEFIT")
    page.get_by_label(say("第一日")).fill(today.isoformat())
    page.get_by_label(say("最后一日")).fill((today + timedelta(days=365)).isoformat())
    part(page, "parties.1.organisation").fill(running.cast.merchant.name)
    page.get_by_label(say("从模板添加")).select_option(say("持卡消费折扣"))
    part(page, "stipulations.0.duty_holder").select_option("1")
    page.get_by_role("button", name=say("添加空白条款")).click()
    part(page, "stipulations.1.clause").fill("第九条")
    part(page, "stipulations.1.duty_holder").select_option("0")
    part(page, "stipulations.1.measure").fill("购书款逾期未到账的，由银行先行垫付")
    part(page, "stipulations.1.threshold").fill("3 日")
    part(page, "stipulations.1.remedy").fill("书面说明")
    part(page, "stipulations.1.beneficiary_tiers").first.check()


def compare_and_sign_with_wallet(page: Page, say: Say, held: Path) -> None:
    page.locator("#local").set_input_files(held)
    expect(page.get_by_text(say("一致：与提交的文件逐字节相同（SHA-256、SM3、大小）。"))).to_be_visible()
    page.get_by_role("button", name=say("用钱包签署")).click()
    expect(page.get_by_text(say("签名已核对并收下。"))).to_be_visible()


def sign_by_file(page: Page, running: Running, body: Body, say: Say, folder: Path) -> None:
    """As whoever keeps his key elsewhere: the digest taken along, the signature brought back."""
    digest = page.locator("[data-copy^='0x']").first.get_attribute("data-copy") or ""
    key = running.key(body)
    signature = "0x" + bytes(key.unsafe_sign_hash(bytes.fromhex(digest[2:])).signature).hex()
    file = folder / "signature.json"
    file.write_text(json.dumps({"digest": digest, "signer": key.address, "signature": signature}))
    page.locator("#signature-file").set_input_files(file)
    page.get_by_role("button", name=say("提交签名")).click()
    expect(page.get_by_text(say("签名已核对并收下。"))).to_be_visible()


def settled(page: Page, say: Say) -> None:
    """Without loading the page anew."""
    page.evaluate("window.stayed = true")
    text = say("存证已定局。请下载证明包并妥善保管：任何人凭它可以独立核验，不必依赖本服务。")
    expect(page.get_by_text(text)).to_be_visible(timeout=SETTLES)
    assert page.evaluate("window.stayed") is True
    expect(page.locator("#standing")).not_to_have_attribute("hx-get", re.compile("."))


def test_an_agreement_goes_from_the_file_to_final_without_a_terminal(
    visits: Visits, running: Running, say: Say, shot: Shot, *, tmp_path: Path
) -> None:
    bank, merchant = visits(), visits()
    bank.use_wallet(running.key(running.cast.bank), running.chain_id)
    page, other, held = sign_in(bank, BANK), sign_in(merchant, MERCHANT), document(tmp_path)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)

    page.goto(bank.url + "/agreements/new")
    page.locator("#document").set_input_files(held)
    expect(page.locator("[data-message=hashed]")).to_be_visible()
    fill(page, running, say, f"J-{secrets.token_hex(4)}")
    shot(page, "form")
    page.get_by_role("button", name=say("提交，请各方签署")).click()
    expect(page.get_by_text(say("已提交，各方现在可以签署。"))).to_be_visible()
    assert all(held.read_bytes() not in (request.post_data_buffer or b"") for request in sent)

    page.get_by_role("link", name=say("核对并签署")).click()
    shot(page, "sign")
    compare_and_sign_with_wallet(page, say, held)
    other.goto(page.url.split("?")[0] + "/sign")
    sign_by_file(other, running, running.cast.merchant, say, tmp_path)
    settled(other, say)
    settled(page, say)
    shot(page, "final")
    for name in ("下载证明包", "下载证书（PDF）"):
        with page.expect_download() as download:
            page.get_by_role("link", name=say(name), exact=True).click()
        assert download.value.path().stat().st_size > 1000


def test_an_agreement_is_amended_with_its_difference_shown_and_then_ended(
    visits: Visits, running: Running, say: Say, shot: Shot, *, tmp_path: Path
) -> None:
    version, _ = running.final(plain=document(tmp_path).read_bytes())
    bank, merchant = visits(), visits()
    bank.use_wallet(running.key(running.cast.bank), running.chain_id)
    page, other, held = sign_in(bank, BANK), sign_in(merchant, MERCHANT), document(tmp_path)

    page.goto(f"{bank.url}/agreements/{version.agreement}/1")
    page.get_by_role("link", name=say("变更协议")).click()
    page.locator("#document").set_input_files(held)
    part(page, "stipulations.0.threshold").fill("24 h")
    part(page, "stipulations.1.clause").fill("第五条")
    difference = page.locator("#difference")
    expect(difference.locator("ins")).to_contain_text(["24 h"])
    expect(difference.locator(".added")).to_have_count(1)
    expect(difference.locator(".removed")).to_have_count(1)
    axe(page)
    shot(page, "amend")
    page.get_by_role("button", name=say("提交，请各方签署")).click()
    page.get_by_role("link", name=say("核对并签署")).click()
    compare_and_sign_with_wallet(page, say, held)
    running.sign(running.cast.merchant, Version(version.agreement, 2))
    settled(page, say)
    expect(page.locator(".difference del").first).to_be_visible()
    shot(page, "amended")

    page.get_by_role("link", name=say("提前终止")).click()
    page.get_by_label(say("理由")).fill("双方合意提前终止（虚构）")
    page.get_by_label(say("通知方式与时间")).fill("书面通知")
    ends = SystemClock().now().astimezone() + timedelta(days=9)
    page.get_by_label(say("最后有效时刻（北京时间）")).fill(f"{ends:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name=say("下一步：签署终止")).click()
    axe(page)
    page.get_by_role("button", name=say("用钱包签署")).click()
    expect(page.get_by_text(say("签名已核对并收下。"))).to_be_visible()
    other.goto(f"{bank.url}/agreements/{version.agreement}/2/terminate/sign")
    sign_by_file(other, running, running.cast.merchant, say, tmp_path)
    expect(page.get_by_text(say("已生效或将于所定时间生效"))).to_be_visible(timeout=SETTLES)
    shot(page, "ended")


@pytest.mark.parametrize("screen", [DESKTOP], ids=str)
def test_a_session_that_ends_in_the_middle_of_the_form_loses_nothing(
    visit: Visit, running: Running, say: Say, tmp_path: Path
) -> None:
    page, number = sign_in(visit, BANK), f"S-{secrets.token_hex(4)}"
    page.goto(visit.url + "/agreements/new")
    page.locator("#document").set_input_files(document(tmp_path))
    expect(page.locator("[data-message=hashed]")).to_be_visible()
    digest = part(page, "document.sha256").input_value()
    fill(page, running, say, number)
    visit.context.clear_cookies(name=re.compile("talentseal"))
    visit.expects_status(401, "/agreements/new")

    page.get_by_role("button", name=say("提交，请各方签署")).click()
    page.get_by_role("link", name=say("重新登录并返回")).click()
    page.get_by_role("button", name=BANK).click()

    expect(page.get_by_text(say("已恢复上次填写而未提交的内容。"))).to_be_visible()
    assert part(page, "number").input_value() == number
    assert part(page, "document.sha256").input_value() == digest
    assert part(page, "stipulations.1.measure").input_value() == "购书款逾期未到账的，由银行先行垫付"
    assert part(page, "stipulations.1.duty_holder").input_value() == "0"
    page.get_by_role("button", name=say("提交，请各方签署")).click()
    expect(page.get_by_text(say("已提交，各方现在可以签署。"))).to_be_visible()
    page.goto(visit.url + "/agreements/new")
    assert part(page, "number").input_value() == ""


@pytest.mark.parametrize("screen", [DESKTOP], ids=str)
def test_rows_are_moved_added_and_removed_with_the_keyboard(visit: Visit, running: Running, say: Say) -> None:
    page = sign_in(visit, BANK)
    page.goto(visit.url + "/agreements/new")
    fill(page, running, say, "K-1")
    second = part(page, "stipulations.1.clause")

    second.focus()
    page.keyboard.press("Alt+ArrowUp")
    assert part(page, "stipulations.0.clause").input_value() == "第九条"
    assert page.evaluate("document.activeElement.name") == "stipulations.0.clause"
    page.get_by_role("button", name=say("删除这一条")).first.press("Enter")
    expect(page.locator(".stipulation-row")).to_have_count(1)
    page.get_by_role("button", name=say("添加一方")).press("Enter")
    expect(part(page, "parties.2.organisation")).to_be_focused()
    page.get_by_role("button", name=say("移除")).nth(1).press("Enter")
    assert part(page, "stipulations.0.duty_holder").input_value() == ""


@pytest.mark.parametrize("screen", [DESKTOP], ids=str)
def test_a_file_that_is_chosen_before_the_script_has_come_is_compared_all_the_same(
    visit: Visit, running: Running, say: Say, tmp_path: Path
) -> None:
    held = document(tmp_path)
    version = running.submit(plain=held.read_bytes())
    page = sign_in(visit, BANK)
    held_back: list[Route] = []

    def hold_back(route: Route) -> None:
        held_back.append(route)

    page.route("**/signing.js", hold_back)
    with page.expect_request("**/signing.js"):
        page.goto(f"{visit.url}/agreements/{version.agreement}/1/sign", wait_until="commit")

    page.locator("#local").set_input_files(held)
    held_back[0].continue_()

    expect(page.get_by_text(say("一致：与提交的文件逐字节相同（SHA-256、SM3、大小）。"))).to_be_visible()


WALLETS = ("wrong account", "wrong chain", "rejected")


@pytest.mark.parametrize("screen", [DESKTOP], ids=str)
@pytest.mark.parametrize("trouble", WALLETS)
def test_a_wallet_that_cannot_sign_is_told_apart_and_changes_nothing(
    visit: Visit, running: Running, say: Say, trouble: str, *, tmp_path: Path
) -> None:
    version = running.submit(plain=document(tmp_path).read_bytes())
    body = running.cast.merchant if trouble == "wrong account" else running.cast.bank
    chain = running.chain_id + (trouble == "wrong chain")
    wallet = visit.use_wallet(running.key(body), chain)
    page = sign_in(visit, BANK)
    page.goto(f"{visit.url}/agreements/{version.agreement}/1/sign")
    wallet.refuses = trouble == "rejected"

    page.get_by_role("button", name=say("用钱包签署")).click()

    name = {"wrong account": "wrong-account", "wrong chain": "wrong-chain", "rejected": "refused"}[trouble]
    expect(page.locator(f"[data-message={name}]")).to_be_visible()
    assert running.client(running.cast.bank).agreement(version).state == "SUBMITTED"


@pytest.mark.parametrize("screen", [DESKTOP], ids=str)
def test_another_file_and_a_missing_wallet_are_told(
    visit: Visit, running: Running, say: Say, *, tmp_path: Path
) -> None:
    version = running.submit(plain=document(tmp_path).read_bytes())
    page = sign_in(visit, BANK)
    page.goto(f"{visit.url}/agreements/{version.agreement}/1/sign")

    page.locator("#local").set_input_files(document(tmp_path))
    page.get_by_role("button", name=say("用钱包签署")).click()

    expect(page.locator("[data-message=different]")).to_be_visible()
    expect(page.locator("[data-message=no-wallet]")).to_be_visible()


@pytest.mark.parametrize("screen", [DESKTOP], ids=str)
def test_a_key_is_asked_for_and_proven_with_the_wallet_and_approved(
    visits: Visits, running: Running, say: Say
) -> None:
    owner, office, key = visits(), visits(), Account.create()
    owner.use_wallet(key, running.chain_id)
    page, other = sign_in(owner, MERCHANT), sign_in(office, OPERATOR)

    page.goto(owner.url + "/keys")
    page.get_by_role("button", name=say("从钱包读取地址")).click()
    expect(part(page, "address")).to_have_value(key.address)
    page.get_by_role("button", name=say("申请登记"), exact=True).click()
    page.get_by_role("button", name=say("用钱包签署质询")).click()
    expect(page.get_by_text(say("已证明持有，等待运营机构批准。"), exact=True)).to_be_visible()
    axe(page)
    other.goto(office.url + "/keys")
    axe(other)
    other.get_by_role("button", name=key.address).click()
    expect(other.get_by_text(say("密钥已批准，正在登记到合约。"))).to_be_visible()
    page.reload()
    ours = page.locator(".key", has_text=key.address)
    expect(ours.locator(".state-registered")).to_be_visible()
    ours.get_by_text(say("撤销这把密钥")).click()
    ours.get_by_role("button", name=say("确认撤销")).click()
    expect(page.locator(".key", has_text=key.address).locator(".state-revoked")).to_be_visible()
