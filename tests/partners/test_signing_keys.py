"""Signing keys: possession is shown, another account approves, log and contract hear of it."""

from datetime import timedelta

import pytest
from eth_account import Account as EthereumAccount
from eth_account.messages import encode_defunct
from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission, Role
from talentseal.accounts.schemas import checksum_address
from talentseal.chain.public_keys import PUBLIC_ADDRESSES
from talentseal.errors import NotPermitted
from talentseal.evidence.models import ActKind, ActState, EvidenceRecord, RegistryAct
from talentseal.partners import service
from talentseal.partners.models import KeyState, OrganisationKey
from talentseal.partners.schemas import RequestKey
from tests.world import Member, World


@pytest.fixture
def bank(world: World) -> Member:
    return world.member("郑东银行")


def ask(world: World, member: Member, address: str, **dates: object) -> OrganisationKey:
    now, command = world.clock.now(), RequestKey(address=address, **dates)  # type: ignore[arg-type]
    return world.database.write(
        lambda session: service.request_key(session, member.actor, command, now=now, refused=PUBLIC_ADDRESSES)
    )


def prove(world: World, member: Member, address: str, signature: str) -> OrganisationKey:
    now = world.clock.now()
    return world.database.write(
        lambda session: service.prove_key(session, member.actor, address, signature, now=now)
    )


def approve(world: World, actor: Actor, organisation: str, address: str) -> OrganisationKey:
    now = world.clock.now()
    return world.database.write(
        lambda session: service.approve_key(session, actor, organisation, address, now=now)
    )


def signed_by(key: object, text: str) -> str:
    message = encode_defunct(text=text)
    return "0x" + bytes(EthereumAccount.sign_message(message, key).signature).hex()


def test_a_registered_key_is_known_to_log_and_contract(world: World, bank: Member) -> None:
    world.settle()

    on_chain = world.chain.key_of(bytes.fromhex(bank.id[2:]), bank.address)
    kinds, states = world.database.read(
        lambda session: (
            session.scalars(select(EvidenceRecord.kind).where(EvidenceRecord.kind == 90)).all(),
            session.scalars(select(RegistryAct.state).where(RegistryAct.kind == ActKind.SET_KEY)).all(),
        )
    )
    assert on_chain.valid_from > 0
    assert (list(kinds), list(states)) == ([90], [ActState.FINAL])


def test_the_challenge_is_what_ordinary_wallets_sign(world: World, bank: Member) -> None:
    key = EthereumAccount.create()
    asked = ask(world, bank, key.address)

    proven = prove(world, bank, key.address, signed_by(key.key, asked.challenge))

    assert proven.state is KeyState.PROVEN


def test_a_signature_by_another_key_proves_nothing(world: World, bank: Member) -> None:
    key, other = EthereumAccount.create(), EthereumAccount.create()
    asked = ask(world, bank, key.address)

    with pytest.raises(service.PossessionNotProven):
        prove(world, bank, key.address, signed_by(other.key, asked.challenge))


def test_a_challenge_answers_for_one_request_only(world: World, bank: Member) -> None:
    key = EthereumAccount.create()
    old = signed_by(key.key, ask(world, bank, key.address).challenge)
    ask(world, bank, key.address)

    with pytest.raises(service.PossessionNotProven):
        prove(world, bank, key.address, old)


def test_a_challenge_lapses(world: World, bank: Member) -> None:
    key = EthereumAccount.create()
    answer = signed_by(key.key, ask(world, bank, key.address).challenge)
    world.clock.moment += service.CHALLENGE_TERM + timedelta(seconds=1)

    with pytest.raises(service.ChallengeExpired):
        prove(world, bank, key.address, answer)


def test_an_unproven_key_is_not_approved(world: World, bank: Member) -> None:
    address = EthereumAccount.create().address
    ask(world, bank, address)

    with pytest.raises(service.KeyStateRefused):
        approve(world, Actor.console(), bank.id, address)


def test_whoever_asked_cannot_approve(world: World) -> None:
    operator, key = world.member("运营机构", role=Role.OPERATOR), EthereumAccount.create()
    answer = signed_by(key.key, ask(world, operator, key.address).challenge)
    prove(world, operator, key.address, answer)

    with pytest.raises(service.OwnRequest):
        approve(world, operator.actor, operator.id, key.address)


def test_a_partner_approves_no_key(world: World, bank: Member) -> None:
    with pytest.raises(NotPermitted) as refusal:
        approve(world, bank.actor, bank.id, bank.address)

    assert refusal.value.params["permission"] == Permission.SIGNING_KEY_DECIDE


@pytest.mark.scenario(95)
@pytest.mark.parametrize("address", sorted(PUBLIC_ADDRESSES)[:3])
def test_a_key_that_everybody_knows_is_refused(world: World, bank: Member, address: str) -> None:
    with pytest.raises(service.PublicKeyRefused):
        ask(world, bank, address)


def test_a_revoked_key_is_revoked_on_the_contract_and_can_be_registered_again(
    world: World, bank: Member
) -> None:
    now = world.clock.now()

    def revoke(session: Session) -> KeyState:
        return service.revoke_key(session, bank.actor, bank.id, bank.address, now=now).state

    assert [world.database.write(revoke), world.database.write(revoke)] == [KeyState.REVOKED] * 2
    world.clock.advance(seconds=1)
    world.register(bank)
    world.settle()
    made = world.database.read(
        lambda session: session.execute(
            select(RegistryAct.kind, RegistryAct.state).order_by(RegistryAct.created_at)
        ).all()
    )
    assert [tuple(row) for row in made] == [
        (ActKind.SET_KEY, ActState.FINAL),
        (ActKind.REVOKE_KEY, ActState.FINAL),
        (ActKind.SET_KEY, ActState.FINAL),
    ]


def test_another_organisation_cannot_revoke(world: World, bank: Member) -> None:
    other, now = world.member("另一银行"), world.clock.now()

    with pytest.raises(NotPermitted):
        world.database.write(
            lambda session: service.revoke_key(session, other.actor, bank.id, bank.address, now=now)
        )


def test_a_validity_that_is_over_is_refused(world: World, bank: Member) -> None:
    past = world.clock.now() - timedelta(days=1)

    with pytest.raises(service.ValidityRefused):
        ask(world, bank, EthereumAccount.create().address, valid_until=past)


def test_a_key_that_is_not_valid_yet_does_not_sign(world: World, bank: Member) -> None:
    later = world.clock.now() + timedelta(days=2)

    with pytest.raises(service.NoSigningKey):
        world.database.read(
            lambda session: service.valid_key(session, bank.id, None, now=later + timedelta(days=10_000))
        )


def test_of_several_keys_one_has_to_be_named(world: World, bank: Member) -> None:
    world.register(Member(bank.actor, EthereumAccount.create(), bank.name))

    with pytest.raises(service.SeveralSigningKeys):
        world.database.read(lambda session: service.valid_key(session, bank.id, None, now=world.clock.now()))
    named = world.database.read(
        lambda session: service.valid_key(session, bank.id, bank.address, now=world.clock.now())
    )
    assert named.address == bank.address


def test_an_address_with_a_wrong_checksum_is_refused() -> None:
    address = EthereumAccount.create().address
    flipped = address[:2] + address[2:].swapcase()

    with pytest.raises(ValueError, match="checksum"):
        checksum_address(flipped)
    assert checksum_address(address.lower()) == address
