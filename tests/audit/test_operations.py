"""The operator's page: the numbers of /metrics, what is wrong, in words, and what helps."""

import re
from datetime import UTC, datetime
from typing import Any

import jinja2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from talentseal.accounts.roles import Role
from talentseal.anchoring import conditions
from talentseal.anchoring.models import Condition, Scope
from talentseal.audit import health
from talentseal.audit.health import AlarmKind
from talentseal.demonstration import scheme
from talentseal.evidence.models import ActState, LogProgress, SealerCondition
from talentseal.evidence.sealing import Sealer
from talentseal.web.pages import TEMPLATES
from tests.api.conftest import Api
from tests.world import Member, World

PAGE = {"Accept": "text/html"}


@pytest.fixture
def operator(world: World) -> Member:
    return world.member("运营机构", role=Role.OPERATOR)


def figures(api: Api) -> dict[str, float]:
    """What /metrics says: `name` or `name{label}` to its value."""
    scraped = api.call(None, "GET", "/metrics").text
    return {
        "".join(
            [sample.name.removeprefix("talentseal_"), *(f"{{{value}}}" for value in sample.labels.values())]
        ): (sample.value)
        for family in text_string_to_metric_families(scraped)
        for sample in family.samples
    }


def page_of(api: Api, path: str = "/operations", **headers: str) -> str:
    answer = api.http.get(path, headers=PAGE | headers)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def note(world: World, scope: Scope, condition: Condition, reason: str) -> None:
    now = world.clock.now()
    world.database.write(lambda session: conditions.note(session, scope, condition, reason, now=now))


def stop_sealer(world: World, condition: SealerCondition, reason: str) -> None:
    def write(session: Any) -> None:
        progress = session.get(LogProgress, 1)
        progress.sealer, progress.sealer_reason = condition, reason

    world.database.write(write)


# ------------------------------------------------------------------------------------------------ the numbers


def test_the_page_its_twin_and_metrics_say_the_same_numbers(
    api: Api, world: World, bank: Member, office: Member, operator: Member
) -> None:
    api.signed(bank, office)
    world.settle()
    world.chain.is_down = True
    world.member("后来的单位")
    Sealer(world.database, world.head_store, world.signer, world.clock, "test").tick()
    world.member("更晚的单位")
    world.clock.advance(seconds=77)
    api.sign_in(operator)
    key = api.key_of(operator)

    met = api.http.get("/api/v1/operations", headers={"Authorization": f"Bearer {key}"}).json()
    scraped, page = figures(api), page_of(api)

    plain = ("pending_records", "sealed_lag_seconds", "anchored_lag_seconds", "head_size", "anchored_size")
    for name in (*plain, "final_size", "transactions_in_flight", "oldest_in_flight_seconds"):
        assert met[name] == scraped[name], name
    assert all(met["acts"][state] == scraped[f"registry_acts{{{state}}}"] for state in ActState)
    assert all((kind in met["alarms"]) == scraped[f"alarm{{{kind}}}"] for kind in AlarmKind)
    assert scraped[f"sealer_state{{{met['sealer']}}}"] == 1
    for scope in Scope:
        assert scraped[f"{scope.value.lower()}_state{{{met['chain'][scope]['condition']}}}"] == 1
    assert met["pending_records"] > 0
    assert met["head_size"] > met["anchored_size"] == met["final_size"] > 0
    for name in ("pending_records", "head_size", "anchored_size", "final_size"):
        assert f" {met[name]:,} " in page, name
    assert "1 分 18 秒" in page


def test_readiness_is_decided_by_the_same_standing(api: Api, world: World, operator: Member) -> None:
    world.settle()
    for condition in SealerCondition:
        stop_sealer(world, condition, "")
        ready = api.call(None, "GET", "/readyz")
        met = api.call(operator, "GET", "/operations").json()
        assert met["ready"] == ready.json()["ready"] == (condition is SealerCondition.RUNNING)
        assert met["sealer"] == ready.json()["sealer"] == condition
        assert ("sealer-stopped" in met["alarms"]) == (condition is not SealerCondition.RUNNING)


# ------------------------------------------------------------------------------------------------- the alarms


def test_all_is_well_when_it_is(api: Api, world: World, operator: Member) -> None:
    scheme.load_calendar(world.database, now=world.clock.now())
    world.settle()
    api.sign_in(operator)

    assert api.call(operator, "GET", "/operations").json()["alarms"] == []
    assert "一切正常，没有报警" in page_of(api)
    assert "All is well: no alarms." in page_of(api, **{"Accept-Language": "en"})


def test_an_alarm_is_raised_by_each_cause_and_ends_with_it(world: World) -> None:
    scheme.load_calendar(world.database, now=world.clock.now())
    world.settle()

    def alarms() -> set[AlarmKind]:
        now = world.clock.now()
        return set(world.database.read(lambda session: health.standing(session, now=now)).alarms)

    world.member("新单位")
    world.clock.advance(seconds=health.LONGEST_SEALER_LAG.total_seconds() + 2)
    behind = alarms()
    Sealer(world.database, world.head_store, world.signer, world.clock, "test").tick()
    world.clock.advance(seconds=health.LONGEST_ANCHOR_LAG.total_seconds())
    waiting = alarms()
    note(world, Scope.CHAIN, Condition.UNREACHABLE, "connection refused")
    apart = alarms()
    note(world, Scope.CHAIN, Condition.OK, "")
    world.settle()

    assert behind == {AlarmKind.SEALING_BEHIND}
    assert waiting == {AlarmKind.ANCHORING_BEHIND}
    assert apart == {AlarmKind.ANCHORING_BEHIND, AlarmKind.CHAIN_TROUBLE}
    assert alarms() == set()


def test_a_year_without_its_holiday_notice_is_an_alarm(world: World) -> None:
    def raised() -> bool:
        now = world.clock.now()
        met = world.database.read(lambda session: health.standing(session, now=now))
        return AlarmKind.HOLIDAYS_MISSING in met.alarms

    found = [raised()]
    scheme.load_calendar(world.database, now=world.clock.now())
    found.append(raised())
    world.clock.moment = datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)
    found.append(raised())
    world.clock.advance(seconds=1)

    assert [*found, raised()] == [True, False, False, True]


def test_a_transaction_that_does_not_get_into_a_block_is_an_alarm(world: World) -> None:
    from talentseal.anchoring.service import Anchorer

    world.settle()
    world.chain.mines_on_demand = False
    world.member("新单位")
    Sealer(world.database, world.head_store, world.signer, world.clock, "test").tick()
    Anchorer(world.database, world.chain, world.senders(), world.clock).tick()
    now = world.clock.advance(seconds=health.LONGEST_IN_FLIGHT.total_seconds() + 1)

    met = world.database.read(lambda session: health.standing(session, now=now))

    assert met.in_flight > 0
    assert met.flying > health.LONGEST_IN_FLIGHT
    assert AlarmKind.TRANSACTION_STUCK in met.alarms


@pytest.mark.parametrize(
    "condition", [each for each in SealerCondition if each is not SealerCondition.RUNNING]
)
def test_a_stopped_sealer_is_explained_with_its_reason_and_what_helps(
    api: Api, world: World, operator: Member, condition: SealerCondition
) -> None:
    world.settle()
    stop_sealer(world, condition, "the reason <b>in full</b>")
    api.sign_in(operator)

    page = page_of(api)

    assert "封存已停止：新的记录已登记，但没有签署" in page
    assert condition.value in page
    assert "the reason &lt;b&gt;in full&lt;/b&gt;" in page
    assert re.search(r"talentseal (fsck|doctor)", page)


@pytest.mark.parametrize("condition", [each for each in Condition if each is not Condition.OK])
@pytest.mark.parametrize("scope", Scope)
def test_a_chain_in_trouble_is_explained_with_its_reason_and_what_helps(
    api: Api, world: World, operator: Member, scope: Scope, condition: Condition
) -> None:
    world.settle()
    note(world, scope, condition, "the node's own words")
    api.sign_in(operator)

    page = page_of(api)

    assert "区块链或上链通道异常" in page
    assert "the node&#39;s own words" in page
    assert re.search(r"talentseal (fsck|doctor|chain \S+)", page)
    assert (f"talentseal chain resume {scope.value}" in page) == (condition is Condition.STOPPED)


def test_every_condition_and_alarm_has_its_words() -> None:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True
    )
    environment.filters["grouped"] = str
    environment.install_null_translations()  # type: ignore[attr-defined]  # by i18n
    words = environment.get_template("operations/words.html").module
    tables = {
        "SEALER": SealerCondition,
        "CHAIN": Condition,
        "SCOPES": Scope,
        "ALARMS": AlarmKind,
        "ACTS": ActState,
    }

    for name, members in tables.items():
        assert set(getattr(words, name)) == {member.value for member in members}, name


def test_the_thresholds_in_the_words_are_those_that_hold() -> None:
    words = (TEMPLATES / "operations" / "words.html").read_text("utf-8")

    assert f"超过 {health.LONGEST_SEALER_LAG.seconds} 秒" in words
    assert f"超过 {health.LONGEST_ANCHOR_LAG.seconds // 60} 分钟" in words
    assert f"超过 {health.LONGEST_IN_FLIGHT.seconds // 60} 分钟" in words


# ----------------------------------------------------------------------------------------------- who may look


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.OPERATOR, 200),
        (Role.TALENT_OFFICE, 200),
        (Role.BIG_DATA_BUREAU, 200),
        (Role.AUDITOR, 200),
        (Role.PARTNER, 403),
    ],
)
def test_the_page_is_for_those_who_run_or_watch_the_service(
    api: Api, world: World, role: Role, status: int
) -> None:
    member = world.member("某单位", role=role)
    api.sign_in(member)

    assert api.call(member, "GET", "/operations").status_code == status
    for path in ("/operations", "/operations/now"):
        assert api.http.get(path, headers=PAGE).status_code == status


def test_nobody_is_sent_to_sign_in(api: Api) -> None:
    answer = api.http.get("/operations", headers=PAGE, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/operations")


def test_the_fragment_is_the_part_of_the_page_that_changes(api: Api, world: World, operator: Member) -> None:
    world.settle()
    api.sign_in(operator)

    fragment = api.http.get("/operations/now", headers=PAGE).text

    assert "<html" not in fragment
    assert "待封存" in fragment
    assert fragment.strip() in api.http.get("/operations", headers=PAGE).text
