"""What was given without a network is entered afterwards, row by row, as it was then."""

import secrets
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from talentseal.benefits.models import BenefitVersion
from talentseal.credentials import minting
from talentseal.policy.tiers import Tier
from talentseal.redemptions import batches
from talentseal.talents import codes
from talentseal.talents.models import CodeState
from tests.api.conftest import Api
from tests.credentials.counters import Phone, Till
from tests.redemptions.market import Market
from tests.world import Member

RESERVE = Tier.RESERVE
KEY = {"Idempotency-Key": "batch-1"}


class Afterwards:
    """A shop that had no network, and enters what it gave once it has."""

    def __init__(self, market: Market, folder: Path, **benefit: Any) -> None:
        self.market = market
        self.api = Api(market.world, folder)
        fields = {"tiers": {RESERVE: 5}, "low_risk": True, **benefit}
        self.version: BenefitVersion = market.shelf.published(**fields)
        self.phone: Phone = market.guest(self.version)
        self.till: Till = market.till(self.version)

    @property
    def shop(self) -> Member:
        return self.market.shelf.merchant

    def row(self, text: str = "", **changes: Any) -> dict[str, Any]:
        """A row for what happens now, with the code that the phone holds for such times."""
        return {
            "key": f"row-{secrets.token_hex(3)}",
            "occurred_at": self.market.now.isoformat(),
            "terminal": self.till.device.row.id,
            "staff": self.till.clerk.account_id,
            "sent": text or self.phone.stock().tokens[0].text,
            "benefit": self.version.benefit_id,
            **changes,
        }

    def enter(self, *rows: dict[str, Any], key: str = "batch-1") -> Any:
        answer = self.api.call(
            self.shop,
            "POST",
            "/redemptions/batch",
            json={"rows": list(rows)},
            headers={"Idempotency-Key": key},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, row: dict[str, Any], key: str = "batch-1") -> str:
        """The code that the row is refused with."""
        (answer,) = self.enter(row, key=key)["rows"]
        assert answer["receipt"] is None
        return str(answer["refusal"]["code"])


@pytest.fixture
def shop(market: Market, tmp_path: Path) -> Afterwards:
    return Afterwards(market, tmp_path)


@pytest.fixture
def sqlite_shop(sqlite_market: Market, tmp_path: Path) -> Afterwards:
    return Afterwards(sqlite_market, tmp_path)


def test_a_row_is_redeemed_as_of_then_and_recorded_now(shop: Afterwards) -> None:
    then, row = shop.market.now, shop.row(quantity=2)
    shop.market.world.clock.advance(hours=47)
    shop.market.write(partial(minting.prune, now=shop.market.now))

    answer = shop.enter(row)

    assert (answer["redeemed"], answer["refused"]) == (1, 0)
    receipt = answer["rows"][0]["receipt"]
    made = shop.market.row(receipt["id"])
    assert (made.occurred_at, made.completed_at) == (then, shop.market.now)
    assert (made.quantity, shop.market.used(shop.version, shop.phone)) == (2, 2)
    assert receipt["promise"]


def test_a_row_that_is_sent_twice_redeems_once_and_is_answered_as_before(shop: Afterwards) -> None:
    row = shop.row()

    first = shop.enter(row, row)
    again = shop.enter(row)
    elsewhere = shop.enter({**row, "key": "other"}, key="batch-2")

    assert first["rows"][0] == first["rows"][1] == again["rows"][0]
    assert elsewhere["rows"][0]["refusal"]["code"] == "token-used"
    assert len(shop.market.redemptions()) == shop.market.records() == 1
    assert shop.refused({**row, "quantity": 2}) == "idempotency-key-reused"


def test_rows_are_answered_each_on_its_own(sqlite_shop: Afterwards) -> None:
    shop = sqlite_shop
    one, other = shop.phone.stock().tokens
    rows = (shop.row(one.text, quantity=6), shop.row(other.text), shop.row("nonsense"))

    answer = shop.enter(*rows)

    assert [each["refusal"] and each["refusal"]["code"] for each in answer["rows"]] == [
        "quota-exhausted",
        None,
        "token-malformed",
    ]
    assert (answer["redeemed"], answer["refused"]) == (1, 2)
    assert shop.refused(rows[0]) == "quota-exhausted"


def test_only_what_is_of_low_risk_is_entered_afterwards(sqlite_market: Market, tmp_path: Path) -> None:
    shop = Afterwards(sqlite_market, tmp_path, low_risk=False)

    assert shop.refused(shop.row()) == "channel-not-allowed"
    assert shop.market.nothing_counts(shop.version, shop.phone)


def test_a_code_that_was_minted_for_the_screen_is_not_one_for_times_without_a_network(
    sqlite_shop: Afterwards,
) -> None:
    assert sqlite_shop.refused(sqlite_shop.row(sqlite_shop.phone.mint().text)) == "token-expired"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (timedelta(minutes=11), "token-expired"),
        (timedelta(hours=-1), "token-expired"),
        (timedelta(days=-2, hours=-2), "occurred-when"),
        (timedelta(hours=3), "occurred-when"),
    ],
)
def test_the_time_that_a_row_says_is_held_against_the_code_and_the_clock(
    sqlite_shop: Afterwards, said: timedelta, code: str
) -> None:
    shop = sqlite_shop
    shop.market.world.clock.advance(days=3)
    row = shop.row()
    then = datetime.fromisoformat(row["occurred_at"])
    shop.market.world.clock.advance(hours=1)

    assert shop.refused({**row, "occurred_at": (then + said).isoformat()}) == code


@pytest.mark.parametrize("before", [True, False])
def test_a_code_suspended_before_is_refused_and_one_suspended_since_is_not(
    shop: Afterwards, *, before: bool
) -> None:
    row = shop.row()
    code = shop.market.crowd.code(shop.phone.talent).id
    move = partial(codes.move, code_id=code, after=CodeState.SUSPENDED, by=None, cause=None)
    shop.market.world.clock.advance(minutes=1)
    shop.market.write(partial(move, now=shop.market.now))
    if before:
        shop.market.world.clock.advance(minutes=1)
        row["occurred_at"] = shop.market.now.isoformat()
        assert shop.refused(row) == "code-suspended"
    else:
        assert shop.enter(row)["redeemed"] == 1


@pytest.mark.parametrize("wrong", ["terminal", "staff"])
def test_a_counter_that_was_not_there_enters_nothing(sqlite_shop: Afterwards, wrong: str) -> None:
    shop = sqlite_shop
    row = shop.row()

    assert shop.refused({**row, wrong: "0" * 32}) == "terminal-unknown"
    assert shop.enter(row, key="batch-2")["redeemed"] == 1


def test_a_file_is_entered_row_by_row_and_says_which_rows_it_cannot_read(sqlite_shop: Afterwards) -> None:
    shop = sqlite_shop
    good, bad = shop.row(), shop.row(occurred_at="yesterday", quantity="x")
    names = [name for name in batches.COLUMNS if name in good or name == "quantity"]
    lines = [",".join(str(row.get(name, "")) for name in names) for row in (bad, good)]
    plain = "\n".join([",".join(names), *lines]).encode()

    answer = shop.api.call(
        shop.shop, "POST", "/redemptions/batch/sheet", files={"file": ("b.csv", plain)}, headers=KEY
    )

    assert answer.status_code == 200, answer.text
    first, second = answer.json()["rows"]
    assert (first["key"], first["refusal"]["code"]) == (bad["key"], "row-malformed")
    assert "occurred_at" in first["refusal"]["en"]
    assert second["receipt"]["state"] == "COMPLETED"


@pytest.mark.parametrize("plain", [b"", b"key,colour\n1,red\n", b"key\n" + b"x\n" * 501])
def test_a_file_that_is_none_is_refused_whole(sqlite_shop: Afterwards, plain: bytes) -> None:
    answer = sqlite_shop.api.call(
        sqlite_shop.shop, "POST", "/redemptions/batch/sheet", files={"file": ("b.csv", plain)}, headers=KEY
    )

    assert answer.status_code == 422
    assert answer.json()["code"] == "sheet-unreadable"
