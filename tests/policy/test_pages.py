"""Instruments over HTTP: the law is public, acts are not; both languages; the words are complete."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest

from talentseal.accounts.roles import Role
from talentseal.demonstration import scheme
from talentseal.policy.effects import Deed, Verdict
from talentseal.policy.states import Step
from talentseal.web.pages import TEMPLATES
from tests.api.conftest import Api
from tests.policy.conftest import NAME, question, text
from tests.world import World

VERSION = f"/instruments/{NAME}/versions/1"


@pytest.fixture
def api(world: World, tmp_path: Path) -> Api:
    return Api(world, tmp_path)


@pytest.fixture
def loaded(sqlite_world: World, tmp_path: Path) -> Api:
    scheme.load_instruments(sqlite_world.database, now=sqlite_world.clock.now())
    return Api(sqlite_world, tmp_path)


def draft(**changes: Any) -> dict[str, Any]:
    """The JSON of a draft."""
    whole = text(**changes)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in whole.items()}


def page(api: Api, path: str, language: str = "zh-CN") -> str:
    answer = api.http.get(path, headers={"Accept": "text/html", "Accept-Language": language})
    assert answer.status_code == 200, answer.text
    shown: str = answer.text
    return shown


def decision(step: Step) -> dict[str, str]:
    return {"step": step.value, "reference": f"虚构〔2026〕{step.value}", "reason": "虚构的理由"}


def test_three_bodies_bring_a_version_into_force_and_everyone_reads_it(api: Api, world: World) -> None:
    first, second = (world.member(name, role=Role.TALENT_OFFICE) for name in ("起草", "会议"))
    group = world.member("领导小组", role=Role.LEADING_GROUP)
    committee = world.member("管委会", role=Role.MANAGEMENT_COMMITTEE)

    answers = [api.call(first, "POST", "/instruments", json=draft(effective_from=date(2026, 11, 24)))]
    for member, step in ((second, Step.PASSED), (group, Step.APPROVED), (committee, Step.ISSUED)):
        answers.append(api.call(member, "POST", f"{VERSION}/decisions", json=decision(step)))
    meant = api.call(second, "POST", f"{VERSION}/interpretations", json=question().model_dump(mode="json"))
    issue = f"{VERSION}/interpretations/{meant.json()['id']}/issue"
    answers += [meant, api.call(committee, "POST", issue)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 201, 201, 200]
    world.clock.moment = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)

    version = api.call(None, "GET", VERSION).json()
    standings = api.call(None, "GET", "/instruments").json()["standings"]

    assert (version["state"], [act["step"] for act in version["acts"]]) == (
        "IN_FORCE",
        ["PASSED", "APPROVED", "ISSUED"],
    )
    assert version["interpretations"][0]["issued_at"] is not None
    assert {"verdict": "ALLOWED", "article": 1}.items() <= standings[0].items()


def test_the_evidence_of_the_law_is_open_to_whoever_may_read_evidence(api: Api, world: World) -> None:
    scheme.load_instruments(world.database, now=world.clock.now())
    record = api.call(None, "GET", "/instruments/talent-code-and-card/versions/1").json()["acts"][0]["record"]
    world.settle()

    bundle = api.call(world.member("银行"), "GET", f"/evidence/{record}/bundle").json()

    assert len(bundle["disclosures"]) == 9


@pytest.mark.parametrize("role", Role)
def test_over_http_as_well_each_act_is_its_body_s_alone(loaded: Api, role: Role) -> None:
    member, at = loaded.world.member("机构", role=role), "/instruments/talent-code-and-card/versions/2"
    acts = {
        "/instruments": (draft(), {Role.TALENT_OFFICE}),
        f"{at}/decisions": (decision(Step.PASSED), {Role.TALENT_OFFICE}),
        f"{at}/interpretations": (question().model_dump(mode="json"), {Role.TALENT_OFFICE}),
        f"{at}/interpretations/{'0' * 32}/issue": (None, {Role.MANAGEMENT_COMMITTEE}),
    }

    for path, (body, allowed) in acts.items():
        answer = loaded.call(member, "POST", path, json=body)
        assert (answer.status_code == 403) == (role not in allowed), path
    assert loaded.call(None, "POST", "/instruments", json=draft()).status_code == 401


@pytest.mark.scenario(11)
def test_a_version_that_ends_before_it_begins_is_a_problem_at_its_field(loaded: Api) -> None:
    office = loaded.world.member("人才办", role=Role.TALENT_OFFICE)

    answer = loaded.call(office, "POST", "/instruments", json=draft(valid_through=date(2026, 11, 30)))

    assert answer.status_code == 422
    assert "valid_through" in answer.text
    assert loaded.call(None, "GET", f"/instruments/{NAME}/versions/1").status_code == 404


def test_the_page_says_what_may_be_done_today_and_under_which_article(loaded: Api) -> None:
    shown = page(loaded, "/policy")

    assert "目前没有施行中的办法" not in shown
    assert '/policy/talent-code-and-card/2#article-2"' in shown
    assert len(re.findall('class="verdict verdict-allowed"', shown)) == 7
    assert re.search(r"2025-05-25", shown)


def test_after_the_last_day_the_page_says_what_is_blocked_and_since_when(loaded: Api) -> None:
    loaded.world.clock.moment = datetime(2030, 12, 31, 16, 0, tzinfo=UTC)

    shown = page(loaded, "/policy", "en")

    assert "No version is in force" in shown
    assert len(re.findall('class="verdict verdict-blocked"', shown)) == 5
    assert "(since 2031-01-01)" in shown


def test_before_anything_is_entered_the_page_says_so(api: Api) -> None:
    assert "还没有录入任何办法" in page(api, "/policy")


def test_a_version_is_shown_article_by_article_with_its_disputed_last_day(loaded: Api) -> None:
    chinese, english = (page(loaded, "/policy/talent-code-and-card/1", each) for each in ("zh-CN", "en"))

    for shown in (chinese, english):
        assert re.findall(r'<article class="article" id="article-(\d+)"', shown) == [
            str(number) for number in range(1, 23)
        ]
        assert "本办法自发布之日起施行,有效期2年。" in shown
    assert "解释的建议稿，尚未发布" in chinese
    assert "由运营机构按公布的文本录入" in chinese
    assert "In force from the day of publication, for two years." in english
    assert "In force from the day" not in chinese


@pytest.mark.parametrize("path", ["/policy/talent-code-and-card/9", "/policy/nothing/1"])
def test_a_version_that_is_not_there_is_not_found(loaded: Api, path: str) -> None:
    assert loaded.http.get(path, headers={"Accept": "text/html"}).status_code == 404


def test_every_deed_verdict_and_step_has_a_name() -> None:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True
    )
    environment.install_null_translations()  # type: ignore[attr-defined]  # by i18n
    words: Any = environment.get_template("policy/words.html").module

    assert (set(words.DEEDS), set(words.STEPS)) == (set(Deed), set(Step))
    assert set(words.VERDICTS) == set(Verdict) - {Verdict.ALWAYS}  # these are listed, not judged one by one
