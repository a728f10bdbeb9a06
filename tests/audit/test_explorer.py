"""The log explorer: what everyone sees of checkpoints and growth, and what auditors see of entries."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from sealproof import checkpoint as checkpoints
from sealproof import cosignature, merkle
from talentseal.accounts.roles import Role
from talentseal.audit import charting, history
from talentseal.audit.history import Growth, Step
from talentseal.web import charts
from tests.api.conftest import Api
from tests.world import Member, World

PAGE = {"Accept": "text/html"}


@pytest.fixture
def auditor(world: World) -> Member:
    return world.member("审计机构", role=Role.AUDITOR)


def get(api: Api, path: str, **headers: str) -> Any:
    return api.http.get(path, headers=PAGE | headers, follow_redirects=False)


def text_of(api: Api, path: str, **headers: str) -> str:
    answer = get(api, path, **headers)
    assert answer.status_code == 200, (path, answer.status_code)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def sealed(world: World, times: int) -> list[int]:
    """That many checkpoints, each over one record more; their sizes."""
    sizes = []
    for number in range(times):
        world.member(f"单位{number}")
        world.settle()
        sizes.append(world.database.read(lambda session: history.newest_sizes(session, 1))[0])
    return sizes


def growth_of(world: World) -> Growth:
    """As the explorer shows it now."""

    def work(session: Session) -> Growth:
        return history.growth(session, history.newest(session, 1).began, now=world.clock.now())

    return world.database.read(work)


# ------------------------------------------------------------------------------------------------ checkpoints


def test_an_empty_log_is_said_to_be_empty_and_breaks_no_page(api: Api) -> None:
    for path in ("/explorer", "/explorer/checkpoints", "/explorer/consistency"):
        assert "还" in text_of(api, path)
        assert get(api, path, **{"Accept-Language": "en"}).status_code == 200


def test_each_checkpoint_is_listed_with_its_state_and_its_place_on_the_chain(api: Api, world: World) -> None:
    sizes = sealed(world, 3)

    met = api.call(None, "GET", "/checkpoints").json()

    assert [each["size"] for each in met["items"]] == sorted(sizes, reverse=True)
    assert {each["state"] for each in met["items"]} == {"FINAL"}
    for each in met["items"]:
        receipt = world.chain.receipt(each["anchor"]["transaction_hash"])
        assert receipt is not None
        assert (receipt.block_number, receipt.block_hash) == (
            each["anchor"]["block_number"],
            each["anchor"]["block_hash"],
        )
        assert each["anchor"]["size"] >= each["size"]
        assert world.chain.head_at(each["anchor"]["size"]) is not None
    shown = text_of(api, "/explorer/checkpoints")
    assert all(f"{size:,}" in shown for size in sizes)
    assert f"链 {world.chain.chain_id}，第 1 链期" in shown


def test_a_checkpoint_that_was_never_anchored_itself_shows_the_later_one_that_covers_it(
    api: Api, world: World
) -> None:
    world.chain.is_down = True
    world.member("甲")
    from talentseal.evidence.sealing import Sealer

    Sealer(world.database, world.head_store, world.signer, world.clock, "test").tick()
    (covered,) = world.database.read(lambda session: history.newest_sizes(session, 1))
    before = api.call(None, "GET", f"/checkpoints/{covered}").json()
    world.chain.is_down = False
    world.member("乙")
    world.settle()

    after = api.call(None, "GET", f"/checkpoints/{covered}").json()

    assert (before["state"], before["anchor"], before["anchors"]) == ("SEALED", None, [])
    assert after["state"] == "FINAL"
    assert after["anchor"]["size"] > covered
    assert "一并上链" in text_of(api, f"/explorer/checkpoints/{covered}")


def test_after_another_epoch_a_checkpoint_shows_its_anchor_on_each_chain(api: Api, world: World) -> None:
    (size,) = sealed(world, 1)
    world.open_another_epoch()

    met = api.call(None, "GET", f"/checkpoints/{size}").json()

    assert [each["epoch"] for each in met["anchors"]] == [2, 1]
    assert len({each["contract"] for each in met["anchors"]}) == 2
    assert met["anchor"] == met["anchors"][0]


def test_an_old_note_stays_public_and_opens_with_the_logs_key(api: Api, world: World) -> None:
    first, last = sealed(world, 2)

    answers = [get(api, f"/explorer/checkpoints/{size}.note") for size in (first, last)]

    heads = [checkpoints.open_checkpoint(each.text, [world.signer.verifier_key]) for each in answers]
    assert [head.size for head in heads] == [first, last]
    assert {each.headers["cache-control"] for each in answers} == {"public, max-age=31536000, immutable"}
    assert {each.headers["content-type"] for each in answers} == {"text/plain; charset=utf-8"}
    assert answers[1].text == api.call(None, "GET", "/log/checkpoint").text


def test_one_checkpoint_says_who_signed_it_when_and_what_stands_beside_it(api: Api, world: World) -> None:
    first, middle, last = sealed(world, 3)

    met = api.call(None, "GET", f"/checkpoints/{middle}").json()

    assert (met["previous"], met["next"]) == (first, last)
    assert [each["kind"] for each in met["signers"]] == ["LOG", "LOG_TIME"]
    signed_at = cosignature.read(met["note"], world.signer.verifier_key)
    assert met["signers"][1]["signed_at"] == signed_at.isoformat().replace("+00:00", "Z")
    page = text_of(api, f"/explorer/checkpoints/{middle}")
    assert "日志密钥带时间的签名" in page
    assert f"上一个：{first} 条" in page
    assert f"下一个：{last} 条" in page


def test_a_witness_is_shown_as_another_signer(world: World) -> None:
    sealed(world, 1)
    note = world.database.read(lambda session: history.note_of(session, history.newest_sizes(session, 1)[0]))
    other = note.replace(f"\u2014 {world.signer.origin} ", "\u2014 witness.example/w ")

    kinds = [each.kind.value for each in history.signers_of(other, world.signer.verifier_key)]

    assert kinds == ["OTHER", "OTHER"]


@pytest.mark.parametrize("path", ["/checkpoints/4711", "/checkpoints/4711.note", "/checkpoints/0"])
def test_no_checkpoint_is_made_up(api: Api, path: str) -> None:
    assert get(api, f"/explorer{path}").status_code in {404, 422}


def test_the_list_goes_on_page_by_page_without_gap_or_repetition(api: Api, world: World) -> None:
    sizes = sealed(world, 5)

    seen, before = [], ""
    while True:
        page = api.call(None, "GET", f"/checkpoints?limit=2{before}").json()
        seen += [each["size"] for each in page["items"]]
        if page["before"] is None:
            break
        before = f"&before={page['before']}"

    assert seen == sorted(sizes, reverse=True)


# ---------------------------------------------------------------------------------------- consistency, growth


def test_two_checkpoints_are_offered_and_what_is_none_is_replaced_in_plain_view(
    api: Api, world: World
) -> None:
    first, last = sealed(world, 2)

    def chosen(query: str) -> tuple[int, int]:
        found = re.search(
            r'data-from="(\d+)" data-to="(\d+)"', get(api, f"/explorer/consistency{query}").text
        )
        assert found is not None
        return int(found[1]), int(found[2])

    assert chosen("") == (first, last)
    assert chosen(f"?from={last}&to={first}") == (first, last)
    assert chosen(f"?from={last}&to={last}") == (last, last)
    assert chosen(f"?from={first}&to={last + 1000}") == (first, last)
    shown = text_of(api, f"/explorer/consistency?from={first}&to={last + 1000}")
    assert f"没有恰好 {last + 1000:,} 条的检查点" in shown


def test_growth_counts_every_entry_once_by_the_hour_and_by_the_day(world: World) -> None:
    world.member("甲")
    world.settle()
    young = growth_of(world)
    size = young.periods[-1].size
    world.clock.advance(hours=30)
    world.member("乙")
    world.settle()
    world.clock.advance(days=3)

    old = growth_of(world)

    assert (young.step, len(young.periods), young.periods[-1].added) == (Step.HOUR, 24, size)
    assert (old.step, len(old.periods)) == (Step.DAY, 30)
    assert sum(period.added for period in old.periods) == old.periods[-1].size > size
    assert [period.added > 0 for period in old.periods[-6:]] == [False, True, True, False, False, False]
    assert {period.begins.hour for period in old.periods} == {0}
    assert old.periods[-1].begins <= world.clock.now() < old.periods[-1].begins + timedelta(days=1)


def test_the_chart_and_its_table_show_the_same_figures(api: Api, world: World) -> None:
    size = sealed(world, 2)[-1]

    page = get(api, "/explorer").text

    drawn = [int(each) for each in re.findall(r"<rect [^>]*><title>[^:]+:\d\d: ([\d,]+)</title>", page)]
    told = re.findall(r'<td class="number">([\d,]+)</td><td class="number">([\d,]+)</td>', page)
    assert drawn == [int(added) for added, _ in reversed(told)]
    assert drawn == [size]
    assert re.search(r'<svg role="img" aria-labelledby="growth-title growth-description"', page)


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 2), (1, 2), (2, 2), (3, 4), (5, 10), (11, 20), (21, 40), (41, 100), (1001, 2000)]
)
def test_a_chart_reaches_over_its_highest_bar_to_a_round_number(highest: int, top: int) -> None:
    chart = charts.bars([("a", 0), ("b", highest)])

    assert [tick.value for tick in chart.ticks] == [0, top // 2, top]
    assert all(0 <= bar.y <= chart.height and bar.y + bar.height == chart.height for bar in chart.bars)
    assert all(bar.x >= 0 and bar.x + bar.width <= 100 for bar in chart.bars)


@pytest.mark.parametrize("count", [1, 2, 5, 6, 24, 30])
def test_a_chart_has_no_more_labels_than_a_phone_can_show(count: int) -> None:
    chart = charts.bars([(str(number), number) for number in range(count)])

    assert 1 <= len(chart.labels) <= charts.MOST_LABELS
    assert chart.labels[-1].text == str(count - 1)


# --------------------------------------------------------------------------------------------------- entries


def test_entries_are_for_auditors_and_others_are_told_so(
    api: Api, world: World, bank: Member, auditor: Member
) -> None:
    world.settle()

    assert "以审计方身份登录" in text_of(api, "/explorer/entries")
    assert get(api, "/explorer/entries/0").status_code == 303
    api.sign_in(bank)
    assert "条目本身只供审计方查看" in text_of(api, "/explorer/entries")
    assert get(api, "/explorer/entries/0").status_code == 403
    api.sign_in(auditor)
    assert "第 0 号条目" in text_of(api, "/explorer/entries/0")
    assert api.call(None, "GET", "/entries").status_code == 401
    assert api.call(bank, "GET", "/entries").status_code == 403
    assert api.call(bank, "GET", "/entries/0").status_code == 403


def test_an_entry_is_shown_to_the_byte_and_proved_under_the_newest_checkpoint(
    api: Api, world: World, auditor: Member
) -> None:
    world.member("甲")
    world.settle()

    met = api.call(auditor, "GET", "/entries").json()["items"]
    for listed in met:
        found = api.call(auditor, "GET", f"/entries/{listed['index']}").json()
        leaf = merkle.leaf_hash(found["entry"].encode())
        path = [bytes.fromhex(each) for each in found["path"]]
        merkle.check_inclusion(leaf, found["index"], found["size"], path, bytes.fromhex(found["root"]))
        assert leaf.hex() == found["leaf_hash"] == listed["leaf_hash"]
        assert json.loads(found["entry"])["id"] == found["record"]
    assert [each["index"] for each in met] == list(reversed(range(len(met))))


def test_entries_are_filtered_by_kind_and_paged(api: Api, world: World, auditor: Member) -> None:
    world.member("甲")
    world.member("乙")
    world.settle()

    keys = api.call(auditor, "GET", "/entries?kind=90&limit=1").json()
    more = api.call(auditor, "GET", f"/entries?kind=90&limit=1&before={keys['before']}").json()

    assert keys["items"][0]["kind"] == more["items"][0]["kind"] == 90
    assert more["items"][0]["index"] < keys["items"][0]["index"]
    assert api.call(auditor, "GET", "/entries?kind=11").json() == {"items": [], "before": None}
    api.sign_in(auditor)
    assert "没有符合条件的已封存条目" in text_of(api, "/explorer/entries?kind=11")
    assert "签名密钥变更" in text_of(api, "/explorer/entries?kind=")
    assert "签名密钥变更" in text_of(api, "/explorer/entries?kind=x")


def test_what_is_not_sealed_is_no_entry_yet(api: Api, world: World, auditor: Member) -> None:
    world.settle()
    (size,) = world.database.read(lambda session: history.newest_sizes(session, 1))

    answer = api.call(auditor, "GET", f"/entries/{size}")

    assert (answer.status_code, answer.json()["code"]) == (404, "entry-not-found")


def test_a_chart_of_days_is_labelled_by_day(world: World) -> None:
    world.settle()
    world.clock.advance(days=9)

    growth = growth_of(world)

    assert charting.chart_of(growth).labels[-1].text == "12-02"
