"""A holder answers a review, consents, corrects, sees who looked and what is held; the office decides."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from talentseal.accounts.roles import Role
from talentseal.demonstration.talents import invented_paper
from tests.browser.axe import axe
from tests.browser.conftest import Shot, Visits
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.touch import fits_fingers


def test_a_holder_keeps_his_data_in_hand(
    visits: Visits, running: Running, shot: Shot, tmp_path: Path
) -> None:
    paper = tmp_path / "证明.pdf"
    paper.write_bytes(invented_paper(["INVENTED PROOF", "for demonstration only"]))
    names = running.another_review()
    holder, office = visits(), visits()

    mine = holder.sign_in(names["holder"], "/me/reviews")
    judged(mine, shot, "1-reviews")
    mine.locator(f"a[href='/me/reviews/{names['review']}']").click()
    mine.locator("details.sheet > summary").click()
    mine.locator("#phone").fill("13900000009")
    mine.locator("#documents").set_input_files(paper)
    judged(mine, shot, "2-answer")
    mine.locator("form[enctype] .btn-primary").click()
    expect(mine.locator(".notice")).to_be_visible()

    theirs = office.sign_in(running.account(Role.TALENT_OFFICE), f"/reviews/{names['review']}")
    theirs.locator("[name=verdict][value=CONFIRMED]").check()
    theirs.locator("#reason").fill("与材料一致。（虚构）")
    judged(theirs, shot, "3-decision")
    theirs.locator("form[action$=decision] .btn-primary").click()
    expect(theirs.locator(".notice")).to_be_visible()

    mine.goto(f"{holder.url}/me/consents")
    mine.locator("#organisation").select_option(index=1)
    mine.locator("[name=scope][value=ACADEMIC]").check()
    mine.locator("form[action='/me/consents'] .btn-primary").click()
    judged(mine, shot, "4-consents")
    mine.locator("form[action$=withdrawal] button").first.click()
    expect(mine.locator("details.unchanged")).to_be_visible()

    mine.goto(f"{holder.url}/me/access")
    judged(mine, shot, "5-access")
    mine.goto(f"{holder.url}/me/corrections?group=BASIC")
    judged(mine, shot, "6-correction")
    mine.goto(f"{holder.url}/me/export")
    judged(mine, shot, "7-export")
    mine.locator("a[href='/me/export/fields']").click()
    expect(mine.locator(".told").first).to_be_visible()
    judged(mine, shot, "7-export-fields")
    mine.go_back()
    with mine.expect_download() as download:
        mine.locator("a[download]").click()
    assert '"format": "talentseal-export/1"' in download.value.path().read_text("utf-8")

    mine.goto(f"{holder.url}/me/erasure")
    mine.locator("details.confirm > summary").click()
    judged(mine, shot, "8-erasure")
    mine.locator("form[action='/me/erasure'] button").click()
    expect(mine.locator(".state-asked")).to_be_visible()

    theirs.goto(f"{office.url}/wishes")
    judged(theirs, shot, "9-wishes")
    theirs.locator("a[href^='/erasures/']").last.click()
    theirs.locator("[name=granted][value=yes]").check()
    theirs.locator("#reason").fill("本人申请，没有未办结的事项。（虚构）")
    theirs.locator("form[action$=decision] .btn-primary").click()
    expect(theirs.locator(".notice")).to_be_visible()
    mine.goto(f"{holder.url}/me")
    expect(mine).to_have_url(re.compile(r"/sign-in"))


def judged(page: Page, shot: Shot, name: str) -> None:
    shot(page, name)
    axe(page)
    fits_fingers(page)
    reflows(page)
