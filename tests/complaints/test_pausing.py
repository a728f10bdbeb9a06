"""Repeated breaches propose a pause to the talent office, and do nothing by themselves."""

from pathlib import Path

import pytest

from talentseal.agreements import pausing
from talentseal.errors import NotPermitted
from talentseal.partners import access
from talentseal.partners.access_models import AccessState, ModuleAccess
from tests.api.conftest import Api
from tests.benefits.conftest import Shelf
from tests.complaints.conftest import Counter


def broken(counter: Counter, *references: str) -> None:
    """The bank breaks its promise so many times, and each is confirmed."""
    for each in references:
        counter.judge(counter.allege(reference=each))


def broken_twice(counter: Counter, shelf: Shelf) -> ModuleAccess:
    """An admission of the bank's, since which it broke its promise twice."""
    admitted = shelf.finance_access(counter.bank)
    counter.world.clock.advance(minutes=1)
    broken(counter, "一", "二")
    return admitted


def proposed(counter: Counter, shelf: Shelf) -> list[tuple[str, int]]:
    """Admission and count of each proposal."""
    office = shelf.office.actor
    found = counter.read(lambda session: pausing.pause_proposals(session, office, now=counter.now))
    return [(each.access, each.breaches) for each in found]


def state_of(counter: Counter, row: ModuleAccess) -> AccessState:
    return counter.read(lambda session: session.get_one(ModuleAccess, row.id).state)


def test_two_breaches_that_stand_propose_a_pause_which_the_office_alone_makes(counter: Counter) -> None:
    shelf = Shelf(counter.world)
    admitted = shelf.finance_access(counter.bank)
    counter.world.clock.advance(minutes=1)
    broken(counter, "一")
    counter.judge(counter.allege(reference="不成立"), confirm=False)
    counter.allege(reference="未决")
    assert proposed(counter, shelf) == []

    broken(counter, "二")
    assert proposed(counter, shelf) == [(admitted.id, 2)]
    counter.tick()
    counter.night()
    assert state_of(counter, admitted) is AccessState.ADMITTED, "nothing follows by itself"
    with pytest.raises(NotPermitted):
        counter.read(lambda session: pausing.pause_proposals(session, counter.bank.actor, now=counter.now))

    shelf.do(access.pause, shelf.office.actor, admitted.id, "一年内两次违约（虚构）")
    assert proposed(counter, shelf) == []
    counter.world.clock.advance(days=1)
    shelf.admit(admitted)
    assert proposed(counter, shelf) == [], "what it was paused for counts no more"


def test_what_the_office_decided_not_to_pause_for_proposes_nothing_again(
    sqlite_counter: Counter, tmp_path: Path
) -> None:
    counter, shelf = sqlite_counter, Shelf(sqlite_counter.world)
    admitted = broken_twice(counter, shelf)
    site, place = Api(counter.world, tmp_path), f"/admissions/{admitted.id}"
    counter.world.clock.advance(minutes=1)

    site.sign_in(counter.bank)
    assert site.http.post(f"{place}/keeping", data={"reason": "我们保证改正"}).status_code == 403
    site.sign_in(shelf.office)
    assert "不暂停" in site.http.get(place).text
    assert site.http.post(f"{place}/keeping", data={"reason": ""}).status_code == 422
    assert proposed(counter, shelf) == [(admitted.id, 2)]
    assert site.http.post(f"{place}/keeping", data={"reason": "均已整改（虚构）"}).status_code == 200
    assert proposed(counter, shelf) == []
    kept = site.http.get(place).text
    assert "均已整改（虚构）" in kept
    assert "不暂停" not in kept
    assert state_of(counter, admitted) is AccessState.ADMITTED

    counter.world.clock.advance(minutes=1)
    broken(counter, "三", "四")
    assert proposed(counter, shelf) == [(admitted.id, 2)]
    shelf.do(access.pause, shelf.office.actor, admitted.id, "又两次违约（虚构）")
    told = {"reason": "晚了（虚构）"}
    refused = site.call(shelf.office, "POST", f"/access/{admitted.id}/keeping", json=told)
    assert (refused.status_code, refused.json()["code"]) == (409, "transition-refused")


def test_what_was_cured_or_lies_a_year_back_proposes_nothing(sqlite_counter: Counter) -> None:
    counter, shelf = sqlite_counter, Shelf(sqlite_counter.world)
    admitted = shelf.finance_access(counter.bank)
    counter.world.clock.advance(minutes=1)
    broken(counter, "一", "二", "三")
    first = counter.breaches()[0]
    counter.acknowledge(counter.offer(first))
    counter.end(first)
    assert proposed(counter, shelf) == [(admitted.id, 2)]

    counter.world.clock.advance(days=366)
    assert proposed(counter, shelf) == []


def test_the_office_reads_the_proposal_where_it_decides_on_admissions(
    sqlite_counter: Counter, tmp_path: Path
) -> None:
    counter, shelf = sqlite_counter, Shelf(sqlite_counter.world)
    admitted = broken_twice(counter, shelf)
    site = Api(counter.world, tmp_path)

    (listed,) = site.call(shelf.office, "GET", "/pause-proposals").json()["items"]
    assert (listed["access"], listed["name"], listed["breaches"]) == (admitted.id, counter.bank.name, 2)
    assert site.call(counter.bank, "GET", "/pause-proposals").status_code == 403
    site.sign_in(shelf.office)
    for language, told in (("zh-CN", "违约 2 次"), ("en", "2 breaches")):
        assert told in site.http.get("/admissions", headers={"Accept-Language": language}).text
    site.sign_in(counter.bank)
    assert "建议暂停" not in site.http.get("/admissions").text
