"""A phone without a network: a few tokens of ten minutes for what is of low risk, and a proof for the eye."""

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from talentseal.benefits.models import Showing
from talentseal.credentials import proofs, tc2
from talentseal.credentials.inspecting import Seen
from talentseal.credentials.minting import OFFLINE, OFFLINE_AT_ONCE, OwnCodeSuspended, Stock, TooManyMints
from talentseal.credentials.models import Channel
from talentseal.credentials.presenting import Established
from talentseal.credentials.refusals import Refusal
from talentseal.errors import NotPermitted
from talentseal.partners.counter import TerminalUnknown
from talentseal.policy.tiers import Tier
from talentseal.redemptions import checks
from talentseal.redemptions.facts import Bearer, Facts, Offer, Place
from talentseal.talents.models import AccessPurpose, CodeState, TalentAccess
from tests.credentials.counters import KEYS, Phone, Street, verdict
from tests.credentials.test_minting import together


def stocked(phone: Phone) -> Stock:
    """Five tokens, as a phone has them that has been open for a while."""
    stock = phone.stock()
    for _ in range(OFFLINE // OFFLINE_AT_ONCE):
        more = phone.stock()
        stock = replace(more, tokens=[*stock.tokens, *more.tokens])
    return stock


@pytest.mark.parametrize("form", ["text", "number"])
def test_an_offline_token_lives_ten_minutes_and_is_known_for_one(street: Street, form: str) -> None:
    phone, till = street.phone(), street.tills[0]
    first, second = phone.stock().tokens
    assert first.expires_at - first.issued_at == timedelta(minutes=10)

    street.world.clock.advance(minutes=10, seconds=5)
    met = till.scan(getattr(first, form))

    assert isinstance(met, Established)
    assert (met.offline, met.channel) == (True, Channel.SCAN if form == "text" else Channel.NUMERIC)
    assert [row.offline for row in street.presentations()] == [True]
    assert verdict(till.scan(getattr(first, form))) is Refusal.TOKEN_USED
    street.world.clock.advance(seconds=1)
    assert verdict(till.scan(getattr(second, form))) is Refusal.TOKEN_EXPIRED
    assert {noted.code_id for noted in street.refusals()} == {street.crowd.code(phone.talent).id}


@pytest.mark.scenario(31)
@pytest.mark.parametrize("form", ["text", "number"])
def test_a_token_that_was_minted_for_a_minute_is_not_taken_for_ten(street: Street, form: str) -> None:
    phone, till = street.phone(), street.tills[0]
    phone.stock()
    usual = phone.mint()

    street.world.clock.advance(seconds=66)

    assert verdict(till.scan(getattr(usual, form))) is Refusal.TOKEN_EXPIRED
    fresh = till.scan(getattr(phone.mint(), form))
    assert isinstance(fresh, Established)
    assert not fresh.offline


def test_a_device_has_five_unused_ones_in_a_session_however_many_ask_at_once(street: Street) -> None:
    phone, till = street.phone(), street.tills[0]

    together(6, phone.stock, TooManyMints)
    assert phone.stock().tokens == []

    first = stocked(other := replace(street.phone())).tokens
    assert len(first) == OFFLINE
    assert [verdict(till.scan(each.text)) for each in first[:2]] == [None, None]
    assert len(other.stock().tokens) == 2, "what was used makes room"
    street.world.clock.advance(minutes=10)
    assert len(stocked(other).tokens) == OFFLINE, "and what has run out"


def test_they_stand_beside_the_code_on_the_screen(sqlite_street: Street) -> None:
    phone, till = sqlite_street.phone(), sqlite_street.tills[0]
    shown = phone.mint()
    first, second = phone.stock().tokens

    assert verdict(till.scan(shown.text)) is None
    assert verdict(till.scan(first.text)) is None
    phone.mint()
    assert verdict(till.scan(second.text)) is None


@pytest.mark.parametrize("end", ["revoked", "signed out", "suspended"])
def test_they_end_with_device_session_and_code(sqlite_street: Street, end: str) -> None:
    street, phone = sqlite_street, sqlite_street.phone()
    device = phone.bind()
    stock = phone.stock()
    expected = Refusal.TOKEN_EXPIRED
    if end == "revoked":
        phone.revoke(device)
    elif end == "signed out":
        phone.sign_out()
    else:
        street.move(phone, CodeState.SUSPENDED)
        expected = Refusal.CODE_SUSPENDED
        with pytest.raises(OwnCodeSuspended):
            phone.stock()

    street.world.clock.advance(minutes=2)

    assert [verdict(street.tills[0].scan(each.text)) for each in stock.tokens] == [expected, expected]
    assert street.burns() == 2
    assert street.presentations() == []


@pytest.mark.scenario(36)
def test_a_proof_shows_who_and_which_tier_and_makes_no_presentation(street: Street) -> None:
    phone, till = street.phone(), street.tills[0]
    proof = phone.stock().proof
    now = street.world.clock.advance(minutes=3)

    met = till.look(proof + "\r\n")

    assert isinstance(met, Seen)
    assert (met.surname, met.tier) == ("欧阳**", Tier.RESERVE)
    assert (met.key_version, met.key_first_day) == (1, KEYS.versions[0].first_day)
    assert (met.expires_at - met.issued_at, met.revocations_at) == (timedelta(minutes=10), now)
    assert (street.presentations(), street.burns()) == ([], 0)
    assert isinstance(till.look(proof), Seen), "it can be copied, so it is looked at again"
    opened, _ = accesses(street)
    assert (opened.purpose, opened.groups) == (AccessPurpose.OFFLINE_PROOF, "BASIC")
    assert opened.organisation_id == street.bank.member.id


def test_a_proof_that_is_old_false_or_of_a_stopped_code_shows_nobody(sqlite_street: Street) -> None:
    street, phone, till = sqlite_street, sqlite_street.phone(), sqlite_street.tills[0]
    proof, code = phone.stock().proof, street.crowd.code(phone.talent)
    assert verdict(till.look(proof[:-1] + ("0" if proof[-1] != "0" else "1"))) in {
        Refusal.TOKEN_MALFORMED,
        Refusal.TOKEN_FORGED,
    }
    unknown = tc2.sign(KEYS, bytes(8), 8, now=street.world.clock.now())
    assert verdict(till.look(unknown)) is Refusal.CODE_TERMINATED
    with pytest.raises(TerminalUnknown):
        replace(till, clerk=street.tills[1].clerk).look(proof)

    street.move(phone, CodeState.SUSPENDED)

    assert verdict(till.look(proof)) is Refusal.CODE_SUSPENDED
    assert street.refusals()[-1].code_id == code.id
    assert proofs_trust(street).revoked == [code.code_ref.hex()]
    street.world.clock.advance(minutes=10, seconds=6)
    assert verdict(till.look(proof)) is Refusal.TOKEN_EXPIRED
    assert proofs_trust(street).revoked == [], "no proof of it can live any more"
    assert {row.talent_id for row in accesses(street)} == set()


def test_what_a_terminal_fetches_verifies_a_proof_without_the_service(sqlite_street: Street) -> None:
    street = sqlite_street
    proof, fetched = street.phone().stock().proof, proofs_trust(street)

    trusted = {key.kid: key.public for key in tc2.proof_keys(KEYS)}
    assert [each.jwk["kid"].encode() for each in fetched.keys] == list(trusted)
    met = tc2.verify(trusted, proof, now=street.world.clock.now())
    assert isinstance(met, tc2.OfflineProof)
    assert fetched.tiers[met.tier] is Tier.RESERVE
    assert set(proofs.NUMBERS) == set(Tier)
    assert len(set(proofs.NUMBERS.values())) == len(Tier)
    with pytest.raises(NotPermitted):
        street.world.database.read(
            lambda session: proofs.trust(session, street.phone().talent, KEYS, now=street.world.clock.now())
        )


@pytest.mark.parametrize(("low_risk", "offline", "allowed"), [(0, 1, False), (1, 1, True), (0, 0, True)])
def test_an_offline_token_is_good_for_what_is_of_low_risk_alone(
    low_risk: int, offline: int, allowed: bool
) -> None:
    """Of a presentation to the check that asks for it; the benefits themselves are tested with theirs."""
    bearer = Bearer("t", "c", Tier.YOUTH, CodeState.ACTIVE, showing=Showing.CODE, offline=bool(offline))
    row: Any = SimpleNamespace(showings="CODE CARD", low_risk=low_risk)
    facts = Facts(bearer, Place("o", "u"), Offer(row, date(2026, 11, 26), "D"), None)
    (check,) = [passes for refusal, passes in checks._CHECKS if refusal == "CHANNEL_NOT_ALLOWED"]

    assert check(facts, checks.Wish()) is allowed


def proofs_trust(street: Street) -> proofs.ProofTrust:
    now = street.world.clock.now()
    return street.world.database.read(
        lambda session: proofs.trust(session, street.tills[0].clerk, KEYS, now=now)
    )


def accesses(street: Street) -> list[TalentAccess]:
    return street.world.database.read(lambda session: list(session.scalars(select(TalentAccess))))
