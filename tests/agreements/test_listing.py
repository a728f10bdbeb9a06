"""The list of agreements: narrowed, page by page, and true to every state; on both databases."""

import re
from datetime import date

import pytest

from talentseal.agreements.states import AgreementState
from tests.agreements.desk import Desk
from tests.api.conftest import Api
from tests.world import PDF, Member, World


@pytest.fixture
def desk(api: Api, bank: Member) -> Desk:
    """The bank's clerk, signed in."""
    return Desk(api, bank)


def test_the_list_is_narrowed_by_state_and_by_words(desk: Desk, bank: Member, office: Member) -> None:
    desk.submit(bank, office, number="ZD-甲", title="甲的协议", do="draft")
    desk.api.world.clock.advance(seconds=1)
    desk.submit(bank, office, number="ZD-乙_", title="乙的协议", plain=PDF + b"2")

    def shown(query: str) -> list[str]:
        return re.findall(r"(甲|乙)的协议</a>", desk.get(f"/agreements?{query}").text)

    assert shown("") == ["乙", "甲"]
    assert shown("state=DRAFT") == ["甲"]
    assert shown("state=SUBMITTED") == ["乙"]
    assert shown("state=IN_FORCE") == []
    assert shown("state=AWAITS_ME") == ["乙"]
    assert shown("q=zd-甲") == ["甲"]
    assert shown("q=乙_") == ["乙"]
    assert shown("q=_") == ["乙"]
    assert shown("q=%25") == []
    assert shown("q=%00&after=%00") == ["乙", "甲"]
    assert shown("state=%3Cscript%3E") == ["乙", "甲"]


def test_the_list_goes_on_where_a_page_ended(desk: Desk, bank: Member, office: Member) -> None:
    for number in range(23):
        desk.submit(bank, office, number=f"N-{number:02}", plain=PDF + bytes([number]))
        desk.api.world.clock.advance(seconds=1)

    first = desk.get("/agreements?q=N-").text
    following = re.search(r'href="(/agreements\?[^"]*after=[^"]+)"', first)
    assert following is not None
    second = desk.get(following[1].replace("&amp;", "&")).text

    found = [re.findall(r"N-(\d\d)", page) for page in (first, second)]
    assert [len(each) for each in found] == [20, 3]
    assert found[0] + found[1] == [f"{number:02}" for number in reversed(range(23))]


@pytest.mark.parametrize("state", AgreementState)
def test_a_filter_admits_exactly_the_versions_in_that_state(
    desk: Desk, world: World, bank: Member, office: Member, state: AgreementState
) -> None:
    _one_of_each(desk, world, bank, office)

    listed = {
        (item["number"], item["state"])
        for item in desk.api.call(bank, "GET", "/agreements?limit=50").json()["items"]
    }
    filtered = desk.api.call(bank, "GET", f"/agreements?limit=1&state={state}")
    numbers = {item["number"] for item in filtered.json()["items"]}
    while filtered.json()["next"]:
        after = filtered.json()["next"]
        filtered = desk.api.call(bank, "GET", f"/agreements?limit=1&state={state}&after={after}")
        numbers |= {item["number"] for item in filtered.json()["items"]}

    assert numbers == {number for number, in_state in listed if in_state == state}


def _one_of_each(desk: Desk, world: World, bank: Member, office: Member) -> None:
    """Versions in as many states as can be had without waiting for years."""
    plain = iter(PDF + bytes([number]) for number in range(20))
    ended = desk.signed(bank, office, number="expired", plain=next(plain), valid_through=date(2026, 12, 2))
    assert ended
    desk.signed(bank, office, number="in force", plain=next(plain))
    world.settle()
    world.clock.advance(days=12)
    desk.as_(bank)
    desk.signed(bank, office, number="evidenced", plain=next(plain), effective_from=date(2027, 1, 1))
    world.settle()
    desk.signed(bank, office, number="signed", plain=next(plain))
    desk.submit(bank, office, number="draft", plain=next(plain), do="draft")
    desk.submit(bank, office, number="submitted", plain=next(plain))
    assert desk.sign(desk.submit(bank, office, number="signing", plain=next(plain))).status_code == 303
    returned = desk.submit(bank, office, number="returned", plain=next(plain))
    desk.post(returned + "/return", {"reason": "重来"})
