"""Signing in by a signing key: a challenge for this service, answered once, by a key that is valid now."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from eth_account import Account as EthereumAccount
from eth_account.messages import encode_typed_data

from talentseal.accounts import key_sign_in, own, service
from talentseal.accounts.key_sign_in import Challenge, ChallengeUnknown, KeyOpensNothing, KeyRefused
from talentseal.accounts.own import KeyNotOfOrganisation, SigningAddressTaken
from talentseal.accounts.roles import Actor
from talentseal.partners import service as partners
from tests.accounts.door import ORIGIN, arrival_of, door_of
from tests.world import Member, World


@pytest.fixture
def bank(world: World) -> Member:
    """A partner whose account signs in by its organisation's key."""
    bank = world.member("虚构银行")
    choose(world, bank, bank.address)
    return bank


def choose(world: World, member: Member, address: str | None) -> None:
    now = world.clock.now()
    world.database.write(
        lambda session: own.set_signing_address(session, door_of(), member.actor, address, now=now)
    )


def ask(world: World, member: Member) -> key_sign_in.Asked:
    return key_sign_in.ask(door_of(), arrival_of(world), member.address)


def sign(key: Any, challenge: Challenge) -> str:
    """As a wallet does: from the typed data, by another implementation of EIP-712."""
    signed = key.sign_message(encode_typed_data(full_message=challenge.typed_data()))
    return "0x" + bytes(signed.signature).hex()


def answer(world: World, asked: key_sign_in.Asked, address: str, signature: str) -> str:
    known = key_sign_in.answer(door_of(), arrival_of(world), asked.token, address, signature)
    return known.account_id


def test_a_wallets_signature_opens_the_account_of_its_key(world: World, bank: Member) -> None:
    asked = ask(world, bank)

    assert asked.challenge.origin == ORIGIN
    assert answer(world, asked, bank.address, sign(bank.key, asked.challenge)) == bank.actor.account_id


def test_a_challenge_is_answered_once_even_wrongly(world: World, bank: Member) -> None:
    asked, other = ask(world, bank), ask(world, bank)
    right = sign(bank.key, asked.challenge)
    answer(world, asked, bank.address, right)

    with pytest.raises(ChallengeUnknown):
        answer(world, asked, bank.address, right)
    with pytest.raises(KeyRefused):
        answer(world, other, bank.address, right)
    with pytest.raises(ChallengeUnknown):
        answer(world, other, bank.address, sign(bank.key, other.challenge))


def test_of_many_that_answer_one_challenge_at_once_exactly_one_is_let_in(world: World, bank: Member) -> None:
    asked = ask(world, bank)
    signature, together = sign(bank.key, asked.challenge), Barrier(4)

    def act(_: int) -> bool:
        together.wait()
        try:
            answer(world, asked, bank.address, signature)
        except ChallengeUnknown:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(act, range(4))) == 1


def test_a_challenge_lasts_five_minutes(world: World, bank: Member) -> None:
    asked = ask(world, bank)
    world.clock.advance(minutes=5)

    with pytest.raises(ChallengeUnknown):
        answer(world, asked, bank.address, sign(bank.key, asked.challenge))


def test_another_browser_cannot_answer(world: World, bank: Member) -> None:
    asked = ask(world, bank)
    signature = sign(bank.key, asked.challenge)

    for token in ("", "x" * 43):
        with pytest.raises(ChallengeUnknown):
            key_sign_in.answer(door_of(), arrival_of(world), token, bank.address, signature)


def test_another_key_and_another_address_are_refused(world: World, bank: Member) -> None:
    stranger = EthereumAccount.create()
    first, second = ask(world, bank), ask(world, bank)

    with pytest.raises(KeyRefused):
        answer(world, first, bank.address, sign(stranger, first.challenge))
    with pytest.raises(ChallengeUnknown):
        answer(world, second, str(stranger.address), sign(stranger, second.challenge))


@pytest.mark.parametrize("signature", ["0x" + "00" * 65, "0x" + "ff" * 65])
def test_what_is_no_signature_is_refused(world: World, bank: Member, signature: str) -> None:
    with pytest.raises(KeyRefused):
        answer(world, ask(world, bank), bank.address, signature)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("origin", "https://evil.example"),
        ("nonce", "0x" + "11" * 32),
        ("expires", "2099-01-01T00:00:00Z"),
        ("chain_id", 1),
    ],
)
def test_a_signature_over_anything_else_is_refused(
    world: World, bank: Member, field: str, value: Any
) -> None:
    asked = ask(world, bank)
    facts = {name: getattr(asked.challenge, name) for name in Challenge.__slots__}
    other = Challenge(**{**facts, field: value})

    with pytest.raises(KeyRefused):
        answer(world, asked, bank.address, sign(bank.key, other))


def test_a_key_that_no_account_chose_opens_nothing(world: World, bank: Member) -> None:
    choose(world, bank, None)
    asked = ask(world, bank)

    with pytest.raises(KeyOpensNothing):
        answer(world, asked, bank.address, sign(bank.key, asked.challenge))


@pytest.mark.parametrize("how", ["revoked", "out of its validity", "account disabled"])
def test_a_key_that_is_not_valid_any_more_opens_nothing(world: World, bank: Member, how: str) -> None:
    now = world.clock.now()

    def revoke(session: Any) -> None:
        partners.revoke_key(session, bank.actor, bank.id, bank.address, now=now)

    def disable(session: Any) -> None:
        service.disable_account(session, Actor.console(), bank.actor.account_id, now=now)

    if how == "out of its validity":
        world.clock.advance(days=731)
    else:
        world.database.write(revoke if how == "revoked" else disable)
    asked = ask(world, bank)

    with pytest.raises(KeyOpensNothing):
        answer(world, asked, bank.address, sign(bank.key, asked.challenge))


def test_an_account_chooses_among_its_own_organisations_valid_keys(world: World, bank: Member) -> None:
    shop = world.member("虚构书店")

    with pytest.raises(KeyNotOfOrganisation):
        choose(world, shop, bank.address)
    with pytest.raises(KeyNotOfOrganisation):
        choose(world, shop, str(EthereumAccount.create().address))


def test_a_key_signs_one_account_in(world: World, bank: Member) -> None:
    shop = world.member("虚构书店")

    with pytest.raises(SigningAddressTaken):
        world.database.write(
            lambda session: own.assign_signing_address(session, shop.actor.account_id, bank.address)
        )


def test_the_digest_is_that_of_other_implementations(world: World, bank: Member) -> None:
    challenge = ask(world, bank).challenge
    signable = encode_typed_data(full_message=challenge.typed_data())
    key = EthereumAccount.create()

    ours = key.unsafe_sign_hash(challenge.digest()).signature
    assert ours == key.sign_message(signable).signature


def test_a_challenge_is_read_back_and_nothing_else_is(world: World, bank: Member) -> None:
    challenge = ask(world, bank).challenge
    typed_data = json.loads(json.dumps(challenge.typed_data()))

    assert Challenge.parse(typed_data) == challenge
    spoiled: list[Any] = [
        None,
        [],
        {},
        {**typed_data, "more": 1},
        {**typed_data, "primaryType": "Agreement"},
        {**typed_data, "domain": {**typed_data["domain"], "name": "TalentSeal"}},
        {**typed_data, "domain": {**typed_data["domain"], "verifyingContract": bank.address}},
        {**typed_data, "domain": {**typed_data["domain"], "chainId": "31337"}},
        {**typed_data, "message": {**typed_data["message"], "more": "x"}},
        {**typed_data, "message": {**typed_data["message"], "origin": 1}},
        {**typed_data, "message": {**typed_data["message"], "nonce": "0x1"}},
        {**typed_data, "message": {**typed_data["message"], "address": "0x"}},
        {**typed_data, "types": {**typed_data["types"], "SignIn": []}},
    ]
    for each in spoiled:
        with pytest.raises(ValueError, match="expected"):
            Challenge.parse(each)
