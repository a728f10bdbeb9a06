"""A person's data, followed through all that the service lets out: nowhere is he, nor a plain hash of him."""

import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from talentseal.accounts.roles import Role
from talentseal.chain.memory_chain import read_transaction
from talentseal.credentials import qr
from talentseal.credentials.profiles import Profile
from talentseal.evidence.models import EvidenceRecord
from talentseal.policy.tiers import Tier
from talentseal.talents.schemas import IdentityDocument
from tests.api.conftest import Api
from tests.audit.traces import forms
from tests.credentials.card_hands import Holder, Issuer, number
from tests.credentials.counters import Phone, Street
from tests.talents.conftest import People, basic, high, in_force, work
from tests.world import Member, World, clock, sqlite_world

__all__ = ["clock", "sqlite_world"]

CANARIES = {
    "name": "金丝雀虚构",
    "document": "E20260718",
    "telephone": "13918273645",
    "employer": "金丝雀虚构科技公司（演示）",
    "certificate": "虚构认字金丝雀7号",
}


@pytest.fixture
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    """Everything that is logged, while it is."""
    with structlog.testing.capture_logs() as captured:
        yield captured


def canary(crowd: People) -> Holder:
    """Somebody whose every datum is a canary, from his application to a confirmed tier."""
    who = basic(
        full_name=CANARIES["name"],
        document=IdentityDocument.PASSPORT,
        document_number=CANARIES["document"],
        phone=CANARIES["telephone"],
    )
    employed = work(organisation=CANARIES["employer"])
    talent = crowd.holder(who=who, works=employed, claim=high(Tier.HIGH_D, number=CANARIES["certificate"]))
    crowd.confirm(talent)
    return Holder(crowd, talent)


def visited(api: Api, member: Member, *paths: str) -> list[str]:
    """The pages as the member sees them, each of which has to be there."""
    api.sign_in(member)
    answers = [api.http.get(path, headers={"accept": "text/html"}) for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.text for answer in answers]


def addresses(page: str) -> str:
    """Every address in a page."""
    return "\n".join(re.findall(r'(?:href|src|action)="([^"]*)"', page))


@pytest.mark.scenario(67)
def test_no_name_number_or_plain_hash_of_one_leaves_the_service(
    sqlite_world: World, tmp_path: Path, lines: list[MutableMapping[str, Any]]
) -> None:
    world, crowd = sqlite_world, in_force(sqlite_world)
    api, street = Api(world, tmp_path, demonstration=True), Street(crowd)
    office = world.member("虚构人才办", role=Role.TALENT_OFFICE)
    auditor = world.member("虚构审计", role=Role.AUDITOR)

    holder = canary(crowd)
    issuer = Issuer(crowd)
    card = holder.active(issuer)
    phone = Phone(world, holder.actor).sign_in()
    phone.bind()
    minted = phone.mint()
    street.tills[0].scan(minted.text)
    street.tills[1].scan(minted.text)
    world.settle()

    person = Member(holder.actor, None, "")
    pages = [
        *visited(api, person, "/me", "/me/application", "/me/tier", "/cards", "/code/devices", "/account"),
        *visited(api, office, "/applications", "/recognitions", "/operations"),
    ]
    entries = world.database.read(lambda session: list(session.scalars(select(EvidenceRecord.entry))))
    let_out = {
        "log entries": b"\n".join(entries),
        "chain": b"".join(read_transaction(raw).payload for raw in world.chain.sent),
        "QR": (minted.text + minted.number + qr.svg(Profile.TC1, minted.text, "")).encode(),
        "addresses": "\n".join(map(addresses, pages)).encode(),
        "metrics": api.http.get("/metrics").content,
        "log lines": repr(lines).encode(),
        "explorer": "".join(visited(api, auditor, "/explorer", "/explorer/entries")).encode(),
    }

    assert CANARIES["name"] in "".join(pages), "the canary is alive where it belongs"
    assert lines
    for secret in (*CANARIES.values(), number(card)):
        for form in forms(secret):
            assert [where for where, octets in let_out.items() if form in octets] == []
