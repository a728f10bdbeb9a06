"""Whoever shows his code is established once, at a counter that is known, in the order of the checks."""

import dataclasses
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.credentials import presentations, presenting, tc1, tc2
from talentseal.credentials.models import Channel, Presentation
from talentseal.credentials.presentations import PresentationRequired
from talentseal.credentials.presenting import Established, Sent
from talentseal.credentials.refusals import Refusal
from talentseal.credentials.refusing import TOLD
from talentseal.partners.counter import AtBrowser, AtDevice, Place, TerminalUnknown
from talentseal.policy.tiers import Tier
from talentseal.talents.models import CodeState, FieldGroup, TalentFields, place_of
from tests.credentials.card_hands import Holder, Issuer, number
from tests.credentials.counters import KEYS, Street, Till, verdict
from tests.credentials.reference import ALPHABET
from tests.talents.conftest import VAULT

GENUINENESS = [
    Refusal.TOKEN_MALFORMED,
    Refusal.TOKEN_FORGED,
    Refusal.TOKEN_EXPIRED,
    Refusal.TOKEN_USED,
]


def test_a_scan_answers_surname_tier_and_term_and_nothing_else(street: Street) -> None:
    till, phone = street.tills[0], street.phone()

    met = till.scan(phone.mint().text)

    assert isinstance(met, Established)
    assert (met.surname, met.tier, met.channel) == ("欧阳**", Tier.RESERVE, Channel.SCAN)
    assert met.expires_at - met.presented_at == timedelta(minutes=10)
    assert [each.name for each in dataclasses.fields(met)] == [
        "presentation",
        "surname",
        "tier",
        "channel",
        "presented_at",
        "expires_at",
        "photo",
        "offline",
    ]
    assert (met.photo, met.offline) == (False, False)
    (kept,) = street.presentations()
    assert (kept.id, kept.code_id) == (met.presentation, street.crowd.code(phone.talent).id)
    assert (kept.outlet_id, kept.terminal_id) == (till.device.row.outlet_id, till.device.row.id)
    assert kept.staff_id == till.clerk.account_id


def test_the_number_is_the_same_token_in_another_form(street: Street) -> None:
    phone, till = street.phone(), street.tills[0]
    first = phone.mint()

    met = till.scan(first.grouped)
    assert isinstance(met, Established)
    assert met.channel is Channel.NUMERIC
    assert verdict(till.scan(first.text)) is Refusal.TOKEN_USED

    second = phone.mint()
    assert verdict(till.scan(second.text)) is None
    assert verdict(till.scan(second.number)) is Refusal.TOKEN_USED


@pytest.mark.scenario(31)
@pytest.mark.parametrize("form", ["text", "number"])
def test_a_screenshot_is_taken_for_65_seconds_and_then_is_expired(street: Street, form: str) -> None:
    phone, till = street.phone(), street.tills[0]
    late = getattr(phone.mint(), form)

    street.world.clock.advance(seconds=66)

    assert verdict(till.scan(late)) is Refusal.TOKEN_EXPIRED
    (noted,) = street.refusals()
    assert (noted.code_id, noted.terminal_id) == (street.crowd.code(phone.talent).id, till.device.row.id)
    in_time = getattr(phone.mint(), form)
    street.world.clock.advance(seconds=65)
    assert verdict(till.scan(in_time)) is None


@pytest.mark.scenario(32)
def test_one_altered_character_anywhere_is_refused_by_one_text_and_burns_nothing(
    street: Street,
) -> None:
    till = street.tills[0]
    whole = street.phone().mint().text

    for place, character in enumerate(whole):
        other = ALPHABET[(ALPHABET.index(character) + 1) % 45]
        assert verdict(till.scan(whole[:place] + other + whole[place + 1 :])) in {
            Refusal.TOKEN_MALFORMED,
            Refusal.TOKEN_FORGED,
        }, place

    assert street.burns() == 0
    assert {noted.code_id for noted in street.refusals()} == {None}, "a forged token names nobody"
    assert verdict(till.scan(whole)) is None


def test_whatever_concerns_genuineness_is_told_in_one_text() -> None:
    assert len({(TOLD[each].zh, TOLD[each].en) for each in GENUINENESS}) == 1
    assert TOLD[Refusal.CARD_FROZEN].zh == TOLD[Refusal.CARD_NOT_VALID].zh
    assert set(TOLD) == set(Refusal) - {Refusal.TERMINAL_UNKNOWN}
    assert {kind.code for kind in TOLD.values()} == {each.lower().replace("_", "-") for each in TOLD}


@pytest.mark.scenario(33)
@pytest.mark.parametrize(
    ("states", "refusal"),
    [
        ([CodeState.SUSPENDED], Refusal.CODE_SUSPENDED),
        ([CodeState.REVIEW_OVERDUE], Refusal.REVIEW_OVERDUE),
        ([CodeState.TERMINATED], Refusal.CODE_TERMINATED),
        ([CodeState.CANCELLED], Refusal.CODE_TERMINATED),
    ],
)
@pytest.mark.parametrize("form", ["text", "number"])
def test_a_token_minted_before_its_code_was_stopped_is_refused_after_it(
    sqlite_street: Street, states: list[CodeState], refusal: Refusal, form: str
) -> None:
    street, phone = sqlite_street, sqlite_street.phone()
    minted, code = getattr(phone.mint(), form), street.crowd.code(phone.talent).id

    street.move(phone, *states)

    assert verdict(street.tills[0].scan(minted)) is refusal
    assert [(noted.refusal, noted.code_id) for noted in street.refusals()] == [(refusal, code)]
    assert street.presentations() == []


def test_a_refusal_after_the_burn_keeps_the_token_burnt(street: Street) -> None:
    phone, till = street.phone(), street.tills[0]
    minted = phone.mint().text
    street.move(phone, CodeState.SUSPENDED)
    assert verdict(till.scan(minted)) is Refusal.CODE_SUSPENDED

    street.move(phone, CodeState.ACTIVE)

    assert verdict(till.scan(minted)) is Refusal.TOKEN_USED
    assert verdict(till.scan(phone.mint().text)) is None


@pytest.mark.scenario(34)
def test_an_unknown_terminal_is_told_so_and_burns_nothing(street: Street) -> None:
    known, gone = street.tills[1], street.tills[0]
    minted = street.phone().mint().text
    street.bank.revoke(gone.device.row)

    for unknown in (gone, replace(known, clerk=gone.clerk)):
        with pytest.raises(TerminalUnknown):
            unknown.scan(minted)

    assert (street.burns(), street.refusals()) == (0, [])
    assert verdict(known.scan(minted)) is None


@pytest.mark.scenario(35)
@pytest.mark.parametrize(
    "junk",
    [
        "K3V" * 15 + "X",
        "TC1:" + "=" * 42,
        "x" * 10_240,
        "",
        " ",
        "TC9:" + "0" * 42,
        "https://example.invalid/TC1:",
        "77" + "0" * 17,
        "\x00" * 46,
        "人才码" * 15,
        "\ud800",
    ],
)
def test_what_is_no_token_is_malformed(street: Street, junk: str) -> None:
    assert verdict(street.tills[0].scan(junk)) is Refusal.TOKEN_MALFORMED
    assert [noted.refusal for noted in street.refusals()] == [Refusal.TOKEN_MALFORMED]


@pytest.mark.scenario(36)
def test_a_proof_to_look_at_establishes_nobody(sqlite_street: Street) -> None:
    street, phone = sqlite_street, sqlite_street.phone()
    code = street.crowd.code(phone.talent)
    proof = tc2.sign(KEYS, code.code_ref, 1, now=street.world.clock.now())

    assert verdict(street.tills[0].scan(proof)) is Refusal.TOKEN_MALFORMED
    assert street.presentations() == []


def test_of_one_device_only_what_was_minted_last_counts(street: Street) -> None:
    phone = street.phone()
    other = replace(phone)
    other.bind()
    superseded, elsewhere, newest = phone.mint(), other.mint(), phone.mint()
    till = street.tills[0]

    assert verdict(till.scan(superseded.text)) is Refusal.TOKEN_EXPIRED
    assert verdict(till.scan(newest.text)) is None
    assert verdict(till.scan(elsewhere.text)) is None, "another device has its own"


@pytest.mark.parametrize("end", ["revoked", "signed out"])
def test_a_token_ends_with_its_device_and_its_session(sqlite_street: Street, end: str) -> None:
    street, phone = sqlite_street, sqlite_street.phone()
    device = phone.bind()
    minted = phone.mint().text

    phone.revoke(device) if end == "revoked" else phone.sign_out()

    assert verdict(street.tills[0].scan(minted)) is Refusal.TOKEN_EXPIRED
    assert street.burns() == 1


def test_a_genuine_token_of_a_code_that_is_not_there_is_refused(sqlite_street: Street) -> None:
    token = tc1.mint(KEYS, bytes(8), now=sqlite_street.world.clock.now())

    assert verdict(sqlite_street.tills[0].scan(token.text)) is Refusal.CODE_TERMINATED


def test_whoever_asks_again_by_the_same_name_gets_the_same_answer(street: Street) -> None:
    here, there = street.tills
    phone = street.phone()
    minted = phone.mint().text
    first = here.scan(minted, "a" * 64)
    assert isinstance(first, Established)

    street.world.clock.advance(seconds=2)

    assert here.scan(minted, "a" * 64) == first
    assert verdict(here.scan(minted, "b" * 64)) is Refusal.TOKEN_USED
    assert verdict(here.scan(minted)) is Refusal.TOKEN_USED
    assert verdict(there.scan(minted, "a" * 64)) is Refusal.TOKEN_USED
    assert len(street.presentations()) == 1
    stopped = phone.mint().text
    street.move(phone, CodeState.SUSPENDED)
    assert {verdict(here.scan(stopped, "c" * 64)) for _ in range(2)} == {Refusal.CODE_SUSPENDED}


@pytest.mark.scenario(27)
def test_a_scan_shows_nothing_of_projects_and_cooperation(sqlite_street: Street) -> None:
    street, phone = sqlite_street, sqlite_street.phone()
    talent, now = street.crowd.id_of(phone.talent), street.world.clock.now()
    for group in (FieldGroup.ORG_PROJECT, FieldGroup.ORG_COOPERATION):
        sealed = VAULT.seal(place_of("talent_fields", talent, group.value), '{"title":"绝密项目"}'.encode())
        row = TalentFields(talent_id=talent, group=group, sealed=sealed, source="SUBMITTED", entered_at=now)
        street.world.database.write(partial(Session.add, instance=row))

    met = street.tills[0].scan(phone.mint().text)

    assert verdict(met) is None
    assert "绝密" not in str(dataclasses.asdict(met))


class TestRequired:
    """Scenario 40: nothing happens at a counter for whoever was not established there."""

    def ask(self, till: Till, presentation: str, *, place: Place | None = None) -> Presentation:
        now = till.world.clock.now()
        return till.world.database.write(
            lambda session: presentations.required(
                session, till.device.actor, place or till.place, presentation, now=now
            )
        )

    def established(self, street: Street) -> str:
        met = street.tills[0].scan(street.phone().mint().text)
        assert isinstance(met, Established)
        return met.presentation

    @pytest.mark.scenario(40)
    def test_a_talents_id_or_none_is_no_presentation(self, street: Street) -> None:
        phone = street.phone()

        for stranger in (street.crowd.id_of(phone.talent), street.crowd.code(phone.talent).id, "", "0" * 32):
            with pytest.raises(PresentationRequired) as refusal:
                self.ask(street.tills[0], stranger)
            assert refusal.value.params == {}

    @pytest.mark.scenario(40)
    def test_it_holds_ten_minutes_at_its_own_outlet(self, street: Street) -> None:
        here, there = street.tills
        presentation = self.established(street)

        assert self.ask(here, presentation).id == presentation
        with pytest.raises(PresentationRequired):
            self.ask(there, presentation)
        street.world.clock.advance(minutes=9, seconds=59)
        self.ask(here, presentation)
        street.world.clock.advance(seconds=1)
        with pytest.raises(PresentationRequired):
            self.ask(here, presentation)

    def test_it_takes_the_counter_first(self, sqlite_street: Street) -> None:
        presentation = self.established(sqlite_street)

        with pytest.raises(TerminalUnknown):
            self.ask(sqlite_street.tills[0], presentation, place=AtDevice("0" * 32))


def test_whoever_serves_in_a_browser_establishes_too(sqlite_street: Street) -> None:
    street, till = sqlite_street, sqlite_street.tills[0]
    now, minted = street.world.clock.now(), street.phone().mint().text

    def at(actor: Actor, outlet: str) -> object:
        return street.world.database.write(
            lambda session: presenting.present(
                session, actor, till.credentials, AtBrowser(outlet), Sent(minted, ""), now=now
            )
        )

    with pytest.raises(TerminalUnknown):
        at(till.clerk, street.tills[1].device.row.outlet_id)
    assert isinstance(at(till.clerk, till.device.row.outlet_id), Established)


def test_a_card_establishes_its_holder_and_is_known_to_be_what_can_be_copied(street: Street) -> None:
    holder, till = Holder(street.crowd), street.tills[0]
    card = holder.active(Issuer(street.crowd))

    met = till.scan(number(card))

    assert isinstance(met, Established)
    assert (met.surname, met.channel) == ("欧阳**", Channel.SWIPE)
    (kept,) = street.presentations()
    assert (kept.card_id, kept.second_factor_required) == (card.id, True)
    assert verdict(till.scan(number(card))) is None, "a card is not used up"
    holder.report_lost(card)
    assert verdict(till.scan(number(card))) is Refusal.CARD_FROZEN


def test_a_holder_sees_where_he_was_established(sqlite_street: Street) -> None:
    street, phone = sqlite_street, sqlite_street.phone()
    street.tills[1].scan(phone.mint().text)
    street.world.clock.advance(minutes=5)
    street.tills[0].scan(phone.mint().number)

    shown = street.world.database.read(lambda session: presentations.shown_of(session, phone.talent))

    assert [(each.outlet, each.channel) for each in shown] == [
        ("东区支行", Channel.NUMERIC),
        ("西区支行", Channel.SCAN),
    ]
    other = street.phone().talent
    assert street.world.database.read(lambda session: presentations.shown_of(session, other)) == []


@pytest.mark.parametrize("table", ["token_burn", "presentation", "presentation_refusal"])
def test_the_database_lets_nobody_alter_what_happened(street: Street, table: str) -> None:
    phone, till = street.phone(), street.tills[0]
    minted = phone.mint().text
    till.scan(minted)
    till.scan(minted)

    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET terminal_id = terminal_id"):
        with pytest.raises((DBAPIError, IntegrityError), match="append-only"):
            street.world.database.write(partial(Session.execute, statement=text(statement)))
