"""The API reference: every operation and problem code, in both languages, and nothing that does not run."""

import importlib
import json
import pkgutil
import re
import shlex
from collections import Counter
from typing import Any

import jinja2
import pytest

import talentseal
from talentseal.errors import TalentSealError
from talentseal.web import problems
from talentseal.web.pages import TEMPLATES
from talentseal.web.reference import Operation, Reader, codes, kinds_of
from tests.api.conftest import Api

PAGE = {"Accept": "text/html"}
HAN = re.compile(r"[\u4e00-\u9fff]")


def page_of(api: Api, path: str, language: str = "zh-CN") -> str:
    answer = api.http.get(path, headers=PAGE | {"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    text: str = answer.text
    return text


def operations(api: Api) -> list[Operation]:
    groups = Reader(api.app.openapi()).groups()
    return [operation for group in groups.values() for operation in group]


def names() -> Any:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True
    )
    environment.install_null_translations()  # type: ignore[attr-defined]  # by i18n
    return environment.get_template("reference/names.html").module


# ------------------------------------------------------------------------------------------------- operations


def test_every_operation_has_a_chinese_name_and_no_name_is_left_over(api: Api) -> None:
    found = operations(api)

    assert {operation.key for operation in found} == set(names().OPERATIONS)
    assert set(Reader(api.app.openapi()).groups()) == set(names().TAGS)


def test_an_operation_without_a_name_is_shown_by_its_summary(api: Api) -> None:
    @api.app.get("/unnamed", tags=["unheard of"])
    def unnamed() -> None:
        """What nobody has named."""

    page = page_of(api, "/api")

    assert page.count("What nobody has named.") >= 1
    assert "unheard of" in page


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_operation_is_on_the_page_under_an_anchor_of_its_own(api: Api, language: str) -> None:
    page, found = page_of(api, "/api", language), operations(api)

    anchors = re.findall(r'<article [^>]*id="([^"]+)"', page)
    assert sorted(anchors) == sorted(operation.anchor for operation in found)
    assert len(set(anchors)) == len(found)
    for operation in found:
        assert f"<code>{operation.path}</code>" in page
        own = page_of(api, f"/api/operations/{operation.anchor}", language)
        for each in (*operation.parameters, *(operation.body.fields if operation.body else ())):
            assert f"<code>{each.name}</code>" in own, operation.key
        assert f"&#34;$URL{operation.path}&#34;" in own
        assert f'href="/api#{operation.anchor}"' in own


def test_an_operation_that_there_is_not_has_no_page(api: Api) -> None:
    assert api.http.get("/api/operations/none", headers=PAGE).status_code == 404


def test_a_reader_sees_fields_at_any_depth_with_kind_and_necessity(api: Api) -> None:
    (submit,) = [each for each in operations(api) if each.key == "POST /api/v1/agreements"]

    assert submit.body is not None
    fields = {field.name: field for field in submit.body.fields}
    assert fields["parties"].kind == "array of object"
    assert fields["parties[].organisation"].required
    assert not fields["deadline"].required
    assert fields["deadline"].kind == "date-time | null"
    assert '"CONSUMPTION_BENEFIT"' in fields["category"].kind
    assert [parameter.name for parameter in submit.parameters] == ["Idempotency-Key"]
    assert [status for status, _ in submit.answers] == ["200", "201"]
    assert {"401", "409", "422"} <= set(submit.refusals)


def test_every_example_is_a_command_that_a_shell_takes(api: Api) -> None:
    for operation in operations(api):
        words = shlex.split(operation.curl.replace("\\\n", " "))
        address = next(word for word in words if word.startswith("$URL"))
        assert words[0] == "curl"
        assert address == f"$URL{operation.path}"
        assert ("Authorization: Bearer $API_KEY" in words) == operation.closed
        if "-d" in words:
            json.loads(words[words.index("-d") + 1])


def test_an_example_body_holds_all_that_is_required_and_nothing_unknown(api: Api) -> None:
    for operation in operations(api):
        if operation.body is None:
            continue
        example = json.loads(operation.body.example)
        top = [field for field in operation.body.fields if not re.search(r"[.\[]", field.name)]
        assert {field.name for field in top if field.required} <= set(example), operation.key
        assert set(example) <= {field.name for field in top}, operation.key


def test_the_page_is_alike_for_everyone_but_for_the_language(api: Api) -> None:
    first, again, english = page_of(api, "/api"), page_of(api, "/api"), page_of(api, "/api", "en")

    assert first == again
    assert "列出全部机构" in first
    assert "列出全部机构" not in english
    assert "All organisations, in order of their identifiers." in english


# --------------------------------------------------------------------------------------------------- problems


def all_kinds() -> list[type[TalentSealError]]:
    """Every refusal that the whole product can make."""
    for module in pkgutil.walk_packages(talentseal.__path__, "talentseal."):
        if ".migrations." not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return list(kinds_of(TalentSealError))


def test_every_code_is_the_code_of_one_refusal() -> None:
    counted = Counter(kind.code for kind in all_kinds())

    assert [code for code, times in counted.items() if times > 1] == []


def test_every_refusal_has_a_code_of_its_own() -> None:
    def below(kind: type[TalentSealError]) -> set[type[TalentSealError]]:
        return {kind}.union(*(below(each) for each in kind.__subclasses__()))

    product = {kind for kind in below(TalentSealError) if kind.__module__.startswith("talentseal.")}

    assert product <= set(all_kinds())


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.code)
def test_every_refusal_says_so_in_both_languages(kind: type[TalentSealError]) -> None:
    places = [set(re.findall(r"\{(\w+)\}", text)) for text in (kind.zh, kind.en)]

    assert HAN.search(kind.zh)
    assert kind.en
    assert not HAN.search(kind.en)
    assert places[0] == places[1]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.code)
    assert kind.status in problems.TITLES


def test_the_http_layers_own_refusals_say_so_in_both_languages() -> None:
    for code, status, zh, en in problems.of_http():
        assert HAN.search(zh), code
        assert not HAN.search(en), code
        assert status in problems.TITLES


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_code_is_on_the_page_with_both_sentences(api: Api, language: str) -> None:
    page, found = page_of(api, "/api/problems", language), codes()

    assert len(found) > 40
    assert re.findall(r'<tr id="([^"]+)">', page) == [
        each.code for each in sorted(found, key=lambda each: (each.status, each.code))
    ]
    assert page.count('lang="zh-CN">') >= len(found)


def test_a_code_that_the_service_answers_with_can_be_looked_up(api: Api) -> None:
    answer = api.http.get("/api/v1/me").json()

    assert f'<tr id="{answer["code"]}">' in page_of(api, "/api/problems")
