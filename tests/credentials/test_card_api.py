"""The JSON API of cards: an issuer's program from the offer to the delivery, and a terminal before a chip."""

from pathlib import Path
from typing import Any

import pytest

from talentseal.credentials import cards, challenges
from talentseal.credentials.card_models import CardProof, TalentCard
from talentseal.credentials.card_numbers import CardNumber
from talentseal.credentials.models import Channel
from talentseal.credentials.presenting import Established
from talentseal.credentials.refusals import Refusal
from tests.api.conftest import Api
from tests.api.test_edge import problem
from tests.credentials.card_hands import Holder, Issuer, number
from tests.credentials.counters import Street, verdict
from tests.partners.counters import Device, Manager
from tests.talents.conftest import VAULT, People


class Programs:
    """An issuer's program, and a merchant's till."""

    def __init__(self, crowd: People, folder: Path) -> None:
        self.crowd, self.api = crowd, Api(crowd.world, folder)
        self.bank = Issuer(crowd, proof=CardProof.CHIP)
        self.holder = Holder(crowd)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        return self.api.call(self.bank.member, method, path, json=body, **options)

    def at_till(self, device: Device, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {device.key.text}"}
        return self.api.call(None, "POST", path, json=body, headers=headers)


@pytest.fixture
def programs(sqlite_crowd: People, tmp_path: Path) -> Programs:
    return Programs(sqlite_crowd, tmp_path)


def test_an_issuers_program_takes_a_card_from_the_request_to_the_delivery(programs: Programs) -> None:
    card = programs.holder.ask(programs.bank)[0].id
    at = f"/card-requests/{card}"
    listed = programs.call("GET", "/card-requests?stage=NEW").json()
    assert [(row["id"], row["holder"]) for row in listed["items"]] == [(card, "欧阳**")]

    assert programs.call("POST", f"{at}/review").json() == {"id": card, "standing": "ISSUER_REVIEW"}
    assert programs.call("GET", f"{at}/recipient").json()["phone"] == "13900000000"
    assert programs.call("POST", f"{at}/approval").status_code == 200
    made = programs.call("POST", f"{at}/personalisation", {"valid_through": "2029-12-31"})
    assert made.json()["standing"] == "PERSONALISED"
    data = programs.call("GET", f"{at}/print-data").json()
    assert data["code"].startswith("TC3:")
    assert (len(data["secret"]), data["tier"]) == (32, "RESERVE")
    sent = programs.call("POST", f"{at}/delivery", {"way": "BY_MAIL", "mail_reference": "XG-1"})

    assert sent.json()["standing"] == "DELIVERED"
    problem(programs.call("GET", f"{at}/print-data"), 409, "card-print-data-closed")
    problem(programs.call("GET", f"{at}/recipient"), 409, "card-recipient-closed")
    problem(programs.call("POST", f"{at}/approval"), 409, "transition-refused")


def test_every_unsafe_act_has_no_second_effect(programs: Programs) -> None:
    card = programs.holder.ask(programs.bank)[0].id
    offer = {"name": "新名（虚构）", "description": "虚构", "proof": "CHIP", "is_open": True}
    for path, body in (
        ("/card-offer", offer),
        (f"/card-requests/{card}/review", None),
        (f"/card-requests/{card}/approval", None),
        (f"/card-requests/{card}/personalisation", {"valid_through": "2029-12-31"}),
        (f"/card-requests/{card}/delivery", {"way": "BY_MAIL", "mail_reference": "XG-1"}),
    ):
        once = {"Idempotency-Key": f"once{path}"[:60]}
        first, again = (programs.call("POST", path, body, headers=once) for _ in range(2))
        assert first.is_success, first.text
        assert (again.status_code, again.json()) == (first.status_code, first.json())


@pytest.mark.parametrize(
    "body",
    [
        {"way": "AT_OUTLET"},
        {"way": "BY_MAIL"},
        {"way": "BY_MAIL", "mail_reference": "4111111111111111"},
        {"way": "AT_OUTLET", "outlet": "1" * 32, "mail_reference": "XG-1"},
    ],
)
def test_a_delivery_says_one_way_and_holds_no_account_number(
    programs: Programs, body: dict[str, Any]
) -> None:
    card = programs.holder.ask(programs.bank)[0].id

    problem(programs.call("POST", f"/card-requests/{card}/delivery", body), 422, "validation-failed")


def test_another_issuers_card_is_not_there(programs: Programs) -> None:
    card = programs.holder.ask(Issuer(programs.crowd, "虚构长河银行"))[0].id

    for method, part in (("GET", ""), ("GET", "/recipient"), ("POST", "/review"), ("POST", "/reissue")):
        problem(programs.call(method, f"/card-requests/{card}{part}"), 404, "card-not-found")
    problem(programs.call("GET", f"/card-requests?stage=NEW&after={card}"), 404, "card-not-found")


def chip(card: TalentCard, challenge: str) -> str:
    """What the card's chip answers."""
    secret = cards.secret_of(VAULT, card)
    return challenges.response(secret, card.card_ref or b"", bytes.fromhex(challenge)).hex()


def test_a_terminal_asks_a_chip_and_no_card_number_is_kept_of_it(programs: Programs) -> None:
    manager = Manager(programs.crowd.world, programs.crowd.world.joined("虚构商户"))
    outlet, clerk = manager.open(), manager.person()
    manager.bind(outlet, clerk)
    device, staff = manager.device(outlet), clerk.account_id
    card = programs.holder.active(programs.bank)

    put = programs.at_till(device, "/card-challenges", {"presented": number(card), "staff": staff}).json()
    answer = {"response": chip(card, put["challenge"]), "staff": staff}
    path = f"/card-challenges/{put['id']}/answer"
    established = programs.at_till(device, path, answer)
    assert established.status_code == 201, established.text
    assert (established.json()["surname"], established.json()["channel"]) == ("欧阳**", "SWIPE")
    problem(programs.at_till(device, path, answer), 409, "token-used")

    wrong = {"presented": "9156001000000018", "staff": staff}
    problem(programs.at_till(device, "/card-challenges", wrong), 422, "token-malformed")
    programs.holder.report_lost(card)
    lost = {"presented": number(card), "staff": staff}
    problem(programs.at_till(device, "/card-challenges", lost), 409, "card-frozen")
    problem(
        programs.at_till(device, "/presentations", {"sent": number(card), "staff": staff}), 409, "card-frozen"
    )
    stranger = {"presented": number(card), "staff": "0" * 32}
    problem(programs.at_till(device, "/card-challenges", stranger), 403, "terminal-unknown")


def test_a_card_that_is_typed_or_scanned_establishes_its_holder(programs: Programs) -> None:
    till = Street(programs.crowd).tills[0]
    card = programs.holder.active(programs.bank)

    met = till.scan(number(card))

    assert isinstance(met, Established)
    assert (met.surname, met.channel) == ("欧阳**", Channel.SWIPE)
    programs.holder.report_lost(card)
    programs.crowd.world.clock.advance(seconds=1)
    assert verdict(till.scan(number(card))) is Refusal.CARD_FROZEN
    assert verdict(till.scan(str(CardNumber(999, 1)))) is Refusal.CARD_NOT_VALID
