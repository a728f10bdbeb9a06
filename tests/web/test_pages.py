"""Pages: in the person's language, self-contained, light, and plain when something is refused."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from talentseal.web import pages as web_pages
from talentseal.web.assets import Assets
from talentseal.web.language import Language
from tests.api.conftest import Api

TEMPLATES = sorted(web_pages.TEMPLATES.rglob("*.html"))
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FIRST_VIEW_LIMIT = 150_000
"""Bytes, compressed."""


def texts_of_templates() -> set[str]:
    source = "\n".join(template.read_text("utf-8") for template in TEMPLATES)
    return {found[1] for found in re.findall(r"""_\((["'])(.*?)\1[,)]""", source)}


def get(api: Api, path: str, **headers: str) -> Any:
    return api.http.get(path, headers=BROWSER | headers, follow_redirects=False)


def test_the_first_page_speaks_chinese_unless_english_is_asked_for(api: Api) -> None:
    chinese, english = get(api, "/"), get(api, "/", **{"Accept-Language": "en-GB,en;q=0.9"})

    assert (chinese.status_code, english.status_code) == (200, 200)
    assert '<html lang="zh-CN">' in chinese.text
    assert '<html lang="en">' in english.text
    assert "核验一份证明" in chinese.text
    assert "Verify a proof" in english.text


def test_a_chosen_language_is_remembered_and_any_other_word_is_not(api: Api) -> None:
    assert 'lang="en"' in get(api, "/?lang=en").text
    assert '<html lang="en">' in get(api, "/").text
    assert '<html lang="en">' in get(api, "/?lang=<script>").text
    assert '<html lang="zh-CN">' in get(api, "/?lang=zh-CN").text


def test_another_language_keeps_what_the_page_was_asked_for(api: Api) -> None:
    page = get(api, "/sign-in?next=%2Fagreements%3Fstate%3DSIGNING&notice=signed-out&lang=zh-CN")

    assert 'href="/sign-in?next=%2Fagreements%3Fstate%3DSIGNING&amp;lang=en"' in page.text


def test_every_text_is_translated_and_no_translation_is_left_over() -> None:
    catalogue = web_pages.catalogue_of(Language.EN)
    translated = {str(message.id) for message in catalogue if message.id}

    assert translated == texts_of_templates()
    assert all(message.string for message in catalogue)


def test_a_text_is_translated_in_one_file_alone() -> None:
    lines = [
        line
        for file in sorted(web_pages.TEMPLATES.parent.glob("locale/en/*.po"))
        for line in file.read_text("utf-8").splitlines()
        if line.startswith("msgid ") and line != 'msgid ""'
    ]

    assert sorted(lines) == sorted(set(lines))


def test_no_chinese_stands_in_a_template_outside_a_text() -> None:
    for template in TEMPLATES:
        bare = re.sub(r"""_\((["']).*?\1[,)]|\{#.*?#\}""", "", template.read_text("utf-8"))
        assert re.findall(r"[\u4e00-\u9fff]+", bare) == [], template.name


def test_a_page_loads_nothing_but_files_of_this_service(api: Api) -> None:
    page = get(api, "/")

    policy = page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert all(address.startswith(("/", "#")) and not address.startswith("//") for address in loaded)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text)


def test_what_a_page_loads_is_there_and_may_be_kept_for_ever(api: Api) -> None:
    page = get(api, "/")
    loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)

    assert {Path(address).suffix for address in loaded} == {".svg", ".css", ".js"}
    for address in loaded:
        answer = get(api, address)
        assert answer.status_code == 200, address
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert get(api, "/static/0000000000000000/tabler.css").status_code == 404


def test_a_first_view_weighs_little(api: Api) -> None:
    page = get(api, "/")
    loaded = {asset.address: asset for asset in Assets().named().values()}

    weight = len(gzip.compress(page.content)) + sum(
        len(asset.compressed) for address, asset in loaded.items() if address in page.text
    )

    assert weight < FIRST_VIEW_LIMIT


def test_a_file_is_sent_compressed_only_to_those_who_can_read_it(api: Api) -> None:
    address = Assets().address("tabler.css")

    packed, plain = (get(api, address, **{"Accept-Encoding": form}) for form in ("gzip", "identity"))

    assert (packed.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert packed.content == plain.content
    assert packed.headers["vary"] == "Accept-Encoding"


def test_a_person_reads_a_refusal_in_words_and_a_program_gets_the_problem(api: Api) -> None:
    page, problem = get(api, "/nowhere"), api.http.get("/nowhere", headers={"Accept": "application/json"})

    assert (page.status_code, problem.status_code) == (404, 404)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "没有找到所请求的内容" in page.text
    assert "not-found" in page.text
    assert problem.json()["code"] == "not-found"


@pytest.mark.parametrize("path", ["/api/v1/me", "/log/tile/9/000", "/version/x"])
def test_what_is_served_to_programs_stays_a_problem_even_in_a_browser(api: Api, path: str) -> None:
    assert get(api, path).headers["content-type"] == "application/problem+json"


def test_a_wrong_method_keeps_its_allow_header_on_a_page(api: Api) -> None:
    answer = api.http.post("/", headers=BROWSER)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert "此地址不支持该方法" in answer.text


def test_how_far_the_log_has_come_is_shown(api: Api) -> None:
    api.world.member("合作单位")
    api.world.settle()

    assert re.search(r"<dt>已定局</dt><dd>[1-9]\d*</dd>", get(api, "/").text)
