"""Beyond surname and tier a counter sees what its organisation is let see, when it asks, for ten minutes."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from talentseal.accounts.roles import Actor
from talentseal.credentials import showing
from talentseal.credentials.presentations import PresentationRequired
from talentseal.credentials.presenting import Established
from talentseal.partners.counter import TerminalUnknown
from talentseal.talents import consents, fields, photos
from talentseal.talents.models import AccessPurpose, FieldGroup, TalentAccess
from talentseal.talents.photos import PhotoNotFound
from talentseal.talents.pictures import Picture
from talentseal.talents.privacy_models import ConsentScope
from talentseal.talents.privacy_schemas import GiveConsent
from tests.api.test_edge import problem
from tests.credentials.card_hands import Holder, Issuer, number
from tests.credentials.counters import Phone, Street, Till
from tests.credentials.test_counter_api import Shop, shop
from tests.talents.conftest import VAULT
from tests.talents.pictured import jpeg, png
from tests.world import Member

__all__ = ["shop"]


def consent(street: Street, talent: Actor, scope: ConsentScope, partner: str = "") -> str:
    """Given to the bank unless another is named; the consent's id."""
    said = GiveConsent(
        organisation=partner or street.bank.member.id,
        scope=scope,
        notice_version=consents.NOTICE_VERSION,
    )
    now = street.world.clock.now()
    return street.world.database.write(lambda session: consents.give(session, talent, said, now=now).id)


def withdraw(street: Street, talent: Actor, given: str) -> None:
    now = street.world.clock.now()
    street.world.database.write(lambda session: consents.withdraw(session, talent, given, now=now).id)


def put(street: Street, talent: Actor, plain: bytes) -> None:
    now = street.world.clock.now()
    street.world.database.write(lambda session: photos.put(session, talent, VAULT, plain, now=now).size)


def know(street: Street, talent: Actor, group: FieldGroup, *, agreed: bool = False) -> None:
    """Let something be known of him in a group."""
    said, now = {"summary": f"虚构的{group}"}, street.world.clock.now()
    identifier = street.crowd.id_of(talent)
    street.world.database.write(
        partial(
            fields.change,
            vault=VAULT,
            talent_id=identifier,
            group=group,
            fields=said,
            by="office-1",
            organisation_agreed=agreed,
            now=now,
        )
    )


def established(till: Till, phone: Phone) -> Established:
    met = till.scan(phone.mint().text)
    assert isinstance(met, Established)
    return met


def look(till: Till, presentation: str) -> Picture:
    now = till.world.clock.now()
    return till.world.database.write(
        lambda session: showing.picture(session, till.device.actor, VAULT, till.place, presentation, now=now)
    )


def read(till: Till, presentation: str) -> dict[FieldGroup, dict[str, Any]]:
    now = till.world.clock.now()
    return till.world.database.write(
        lambda session: showing.fields(session, till.device.actor, VAULT, till.place, presentation, now=now)
    )


def openings(street: Street) -> list[TalentAccess]:
    query = select(TalentAccess).order_by(TalentAccess.at)
    return street.world.database.read(lambda session: list(session.scalars(query)))


def test_a_photo_is_shown_with_the_consent_that_stands_and_to_its_organisation_alone(street: Street) -> None:
    phone, till = street.phone(), street.tills[0]
    consent(street, phone.talent, ConsentScope.PHOTO, street.world.member("另一家虚构银行").id)
    consent(street, phone.talent, ConsentScope.SERVICE)
    put(street, phone.talent, jpeg())
    without = established(till, phone)
    assert not without.photo
    with pytest.raises(PhotoNotFound):
        look(till, without.presentation)
    assert openings(street) == []

    given = consent(street, phone.talent, ConsentScope.PHOTO)
    met = established(till, phone)

    assert met.photo
    assert look(till, met.presentation).content == jpeg()
    (opened,) = openings(street)
    assert (opened.purpose, opened.organisation_id, opened.talent_id) == (
        AccessPurpose.COUNTER_PHOTO,
        street.bank.member.id,
        street.crowd.id_of(phone.talent),
    )
    withdraw(street, phone.talent, given)
    with pytest.raises(PhotoNotFound):
        look(till, met.presentation)
    assert not established(till, phone).photo


def test_consent_without_a_photo_says_nothing(sqlite_street: Street) -> None:
    phone, till = sqlite_street.phone(), sqlite_street.tills[0]
    consent(sqlite_street, phone.talent, ConsentScope.PHOTO)

    met = established(till, phone)

    assert not met.photo
    with pytest.raises(PhotoNotFound):
        look(till, met.presentation)


def test_a_photo_is_fetched_at_its_outlet_while_the_presentation_lasts(sqlite_street: Street) -> None:
    street, phone = sqlite_street, sqlite_street.phone()
    here, there = street.tills
    consent(street, phone.talent, ConsentScope.PHOTO)
    put(street, phone.talent, png())
    met = established(here, phone)
    stranger = Till(street.world, here.device, there.clerk)

    for ask in (look, read):
        with pytest.raises(PresentationRequired):
            ask(there, met.presentation)
        with pytest.raises(PresentationRequired):
            ask(here, "0" * 32)
        with pytest.raises(TerminalUnknown):
            ask(stranger, met.presentation)
    street.world.clock.advance(minutes=9, seconds=59)
    look(here, met.presentation)
    street.world.clock.advance(seconds=1)
    for ask in (look, read):
        with pytest.raises(PresentationRequired):
            ask(here, met.presentation)


def test_a_card_shows_the_photo_too(sqlite_street: Street) -> None:
    street, holder = sqlite_street, Holder(sqlite_street.crowd)
    card = holder.active(Issuer(street.crowd))
    consent(street, holder.actor, ConsentScope.PHOTO)
    put(street, holder.actor, png())

    met = street.tills[0].scan(number(card))

    assert isinstance(met, Established)
    assert met.photo


@pytest.mark.scenario(27)
def test_groups_are_read_by_consent_and_each_reading_is_kept(street: Street) -> None:
    phone, till = street.phone(), street.tills[0]
    for group in (FieldGroup.RESEARCH, FieldGroup.HONOUR, FieldGroup.ORG_PROJECT):
        know(street, phone.talent, group)
    met = established(till, phone)
    assert read(till, met.presentation) == {}
    assert openings(street) == [], "nothing was opened"

    given = consent(street, phone.talent, ConsentScope.RESEARCH)
    consent(street, phone.talent, ConsentScope.ORG_PROJECT)

    assert read(till, met.presentation) == {FieldGroup.RESEARCH: {"summary": "虚构的RESEARCH"}}
    know(street, phone.talent, FieldGroup.ORG_PROJECT, agreed=True)
    assert set(read(till, met.presentation)) == {FieldGroup.RESEARCH, FieldGroup.ORG_PROJECT}
    withdraw(street, phone.talent, given)
    assert set(read(till, met.presentation)) == {FieldGroup.ORG_PROJECT}
    assert [(each.purpose, each.groups) for each in openings(street)] == [
        (AccessPurpose.COUNTER_FIELDS, "RESEARCH"),
        (AccessPurpose.COUNTER_FIELDS, "ORG_PROJECT RESEARCH"),
        (AccessPurpose.COUNTER_FIELDS, "ORG_PROJECT"),
    ]


def test_a_terminal_fetches_photo_fields_and_proofs(shop: Shop) -> None:
    street, phone = shop.street, shop.street.phone()
    consent(street, phone.talent, ConsentScope.PHOTO)
    consent(street, phone.talent, ConsentScope.HONOUR)
    put(street, phone.talent, jpeg())
    know(street, phone.talent, FieldGroup.HONOUR)
    stock = phone.stock()
    met = shop.scan(stock.tokens[0].text).json()
    assert met["offline"] is True
    assert met["photo"] == f"/api/v1/presentations/{met['id']}/photo"

    def get(path: str, **params: str) -> Any:
        key = {"Authorization": f"Bearer {shop.till.device.key.text}"}
        return shop.api.call(None, "GET", path, headers=key, params=params)

    staff = shop.till.clerk.account_id
    photo = get(f"/presentations/{met['id']}/photo", staff=staff)
    assert (photo.content, photo.headers["content-type"]) == (jpeg(), "image/jpeg")
    assert photo.headers["cache-control"] == "no-store"
    problem(get(f"/presentations/{met['id']}/photo", staff="0" * 32), 403, "terminal-unknown")
    problem(get(f"/presentations/{'0' * 32}/photo", staff=staff), 409, "presentation-required")
    shown = get(f"/presentations/{met['id']}/fields", staff=staff)
    assert shown.json() == {"groups": {"HONOUR": {"summary": "虚构的HONOUR"}}}

    headers = {"Authorization": f"Bearer {shop.till.device.key.text}"}
    body = {"sent": stock.proof, "staff": staff}
    seen = shop.api.call(None, "POST", "/offline-proofs", json=body, headers=headers)
    assert seen.status_code == 200, seen.text
    assert (seen.json()["display_only"], seen.json()["surname"]) == (True, "欧阳**")
    problem(shop.scan(stock.proof), 422, "token-malformed")
    assert get("/offline-proofs/trust").json()["tiers"]["8"] == "RESERVE"


def test_a_clerk_sees_photo_and_fields_on_his_screen(shop: Shop) -> None:
    street, phone = shop.street, shop.street.phone()
    consent(street, phone.talent, ConsentScope.PHOTO)
    put(street, phone.talent, png())
    know(street, phone.talent, FieldGroup.HONOUR)
    shop.be(Member(shop.till.clerk, None, ""))
    place = f"/counter/{shop.outlet}"

    page = shop.post(place, {"sent": phone.mint().text}, exchange=True).text

    address = page.split('<img class="outcome-photo" src="')[1].split('"')[0]
    assert shop.get(address).content == png()
    asked = f"{address.removesuffix('/photo')}/fields"
    assert asked in page
    assert "没有授权" in shop.post(asked, exchange=True).text
    consent(street, phone.talent, ConsentScope.HONOUR)
    assert "虚构的HONOUR" in shop.post(asked, exchange=True).text
    whole = shop.post(asked)
    assert "虚构的HONOUR" in whole.text
    assert "<html" in whole.text
    assert shop.get(asked).headers["location"] == place

    offline = phone.stock()
    assert "只能办理低风险权益" in shop.post(place, {"sent": offline.tokens[0].text}, exchange=True).text
    looked = shop.post(place, {"sent": offline.proof}, exchange=True).text
    assert "仅供出示，不能办理" in looked
    assert "第 1 版" in looked
    assert shop.get("/counter/proof-trust").json()["keys"][0]["version"] == 1
    street.world.clock.advance(minutes=10)
    assert shop.get(address).status_code == 409


def test_a_phone_fetches_codes_and_a_proof_for_a_time_without_a_network(shop: Shop) -> None:
    shop.holder()
    assert shop.post("/code/offline", exchange=True).status_code == 409
    shop.post("/code/devices")

    stock = shop.post("/code/offline", exchange=True)

    assert stock.status_code == 200, stock.text
    assert (stock.text.count("<template"), stock.text.count("data-proof")) == (3, 1)
    assert stock.text.count('class="bars"') == 2
    assert shop.get("/code/offline").headers["location"] == "/code"
    assert 'class="bars"' in shop.code()
