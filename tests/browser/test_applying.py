"""A talent applies, gets it back, corrects it and is recognised, while two people of the office decide."""

import re
import secrets
from pathlib import Path

from playwright.sync_api import Page, expect

from talentseal.accounts.roles import Role
from talentseal.demonstration.talents import SECOND, invented_paper
from tests.browser.conftest import Shot, Visits
from tests.browser.running import Running
from tests.browser.visit import Visit


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"#{name}").fill(value)


def go_on(page: Page) -> None:
    page.locator("form[data-draft] .btn-primary").click()


def attach(page: Page, kind: str, paper: Path) -> None:
    page.locator("#kind").select_option(kind)
    page.locator("#document").set_input_files(paper)
    page.locator("form[enctype] .btn").click()
    expect(page.locator(".notice")).to_be_visible()


def fill_in(page: Page, paper: Path, number: str) -> None:
    """The seven pages, with a claim of HIGH_D."""
    fill(page, full_name="江望舒（虚构人物）", document_number=number, phone="13900000003")
    page.locator("#document").select_option("PASSPORT")
    go_on(page)
    page.locator("[name=ground][value=WORKS_IN_AREA]").check()
    fill(page, organisation="虚构星图科技公司（演示）", started_on="2023-05-08")
    go_on(page)
    go_on(page)
    page.locator("[name=tier][value=HIGH_D]").check()
    page.locator("#body").select_option("ZHENGZHOU")
    fill(page, number="虚构人才认字〔2026〕21 号", recognised_on="2026-02-02", valid_through="2031-02-01")
    go_on(page)
    fill(page, research="虚构成果：星图识别算法（演示）")
    go_on(page)
    for kind in ("IDENTITY", "WORK_IN_AREA", "RECOGNITION"):
        attach(page, kind, paper)
    page.locator("a.btn-primary").click()


def newest_of_the_list(page: Page, visit: Visit, path: str) -> None:
    """Open what came last, which the list has at its end."""
    visit.open(path)
    page.locator(f'tbody a[href^="{path}/"]').last.click()


def test_from_sign_up_to_a_recognised_tier(
    visits: Visits, running: Running, shot: Shot, tmp_path: Path
) -> None:
    paper = tmp_path / "证明.pdf"
    paper.write_bytes(invented_paper(["INVENTED PROOF", "for demonstration only"]))
    talent, first, second = visits(), visits(), visits()
    mine = talent.open("/sign-up")
    password = "一句足够长的虚构登录口令"
    fill(mine, name=f"xugou-{secrets.token_hex(4)}", password=password, repeated=password)
    mine.locator("[name=notice]").check()
    mine.locator("form .btn-primary").click()
    expect(mine).to_have_url(re.compile(r"/me\?notice=signed-up"))
    shot(mine, "1-signed-up")
    mine.locator("form[action='/me/application'] button").click()
    fill_in(mine, paper, f"G{secrets.randbelow(10**8):08d}")
    shot(mine, "2-checked")
    mine.locator("form[action$=submission] .btn-primary").click()
    expect(mine.locator(".state-submitted").first).to_be_visible()

    theirs = first.sign_in(running.account(Role.TALENT_OFFICE), "/applications")
    newest_of_the_list(theirs, first, "/applications")
    theirs.locator("main form .btn-primary").click()
    shot(theirs, "3-under-review")
    theirs.locator("details[name=decision] > summary").nth(1).click()
    theirs.locator(".defect summary").nth(1).click()
    theirs.locator("[id='defects.work']").fill("起始日期与合同不一致，请核对。（虚构）")
    theirs.locator("form[action$='/return'] .btn-primary").click()
    expect(theirs.locator(".state-returned").first).to_be_visible()

    mine.goto(f"{talent.url}/me")
    mine.locator(".next-step a").click()
    shot(mine, "4-returned")
    mine.locator(".sheet-list .wrong a").click()
    expect(mine.locator(".defects")).to_contain_text("起始日期与合同不一致")
    fill(mine, started_on="2023-06-01")
    go_on(mine)
    mine.goto(f"{talent.url}/me/application/check")
    mine.locator("form[action$=submission] .btn-primary").click()

    newest_of_the_list(theirs, first, "/applications")
    theirs.locator("main form .btn-primary").click()
    theirs.locator("details[name=decision] > summary").first.click()
    theirs.locator("[name=proved]").check()
    theirs.locator("#approve-reason").fill("认定证书与名册一致。（虚构）")
    shot(theirs, "5-about-to-approve")
    theirs.locator("form[action$='/approval'] .btn-primary").click()
    expect(theirs.locator(".decision-approved")).to_be_visible()

    other = second.sign_in(running.account(SECOND), "/recognitions")
    newest_of_the_list(other, second, "/recognitions")
    other.locator("#reason").fill("与证书原件一致。（虚构）")
    shot(other, "6-about-to-confirm")
    other.locator("form[action$='/confirmation'] .btn-primary").click()
    expect(other.locator(".state-confirmed").first).to_be_visible()

    mine.goto(f"{talent.url}/me/tier")
    mine.locator(".recognitions summary").click()
    expect(mine.locator(".history")).to_contain_text("与证书原件一致。（虚构）")
    expect(mine.locator(".standing .tier")).to_contain_text("D")
    shot(mine, "7-recognised")
