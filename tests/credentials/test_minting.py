"""A talent's bound device mints his code's next token; nobody else does, and nothing but an active code."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from talentseal.accounts.roles import Role
from talentseal.credentials import devices, minting
from talentseal.credentials.devices import DeviceNotBound, DeviceNotFound, DevicesExhausted
from talentseal.credentials.minting import (
    OwnCodeCancelled,
    OwnCodeSuspended,
    OwnCodeTerminated,
    OwnReviewOverdue,
    TooManyMints,
)
from talentseal.credentials.refusals import Refusal
from talentseal.errors import Conflict, NotPermitted
from talentseal.talents.codes import CodeNotFound
from talentseal.talents.models import CodeState
from tests.credentials.counters import Phone, Street, verdict


def test_a_minted_code_has_two_forms_and_a_minute(sqlite_street: Street) -> None:
    minted = sqlite_street.phone().mint()

    assert re.fullmatch(r"TC1:[0-9A-Z $%*+\-./:]{42}", minted.text)
    assert re.fullmatch(r"77\d\d( \d{4}){3} \d{3}", minted.grouped)
    assert (minted.expires_at - minted.issued_at).total_seconds() == 60
    assert minted.text not in repr(minted)
    assert minted.number not in repr(minted)


def test_a_device_is_bound_to_one_talent_and_needs_his_session(sqlite_street: Street) -> None:
    street, phone = sqlite_street, sqlite_street.phone()
    other = replace(street.phone(), token=phone.token)

    for stranger in (other, replace(phone, token=""), replace(phone, token="x" * 43)):
        with pytest.raises(DeviceNotBound):
            stranger.mint()
    with pytest.raises(NotPermitted):
        replace(phone, talent=street.tills[0].clerk).mint()


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (CodeState.SUSPENDED, OwnCodeSuspended),
        (CodeState.REVIEW_OVERDUE, OwnReviewOverdue),
        (CodeState.TERMINATED, OwnCodeTerminated),
        (CodeState.CANCELLED, OwnCodeCancelled),
    ],
)
def test_a_code_that_is_not_active_is_not_minted_and_its_holder_told_why(
    sqlite_street: Street, state: CodeState, reason: type[Conflict]
) -> None:
    phone = sqlite_street.phone()
    sqlite_street.move(phone, state)

    with pytest.raises(reason):
        phone.mint()


def test_whoever_has_no_code_is_told_to_apply(sqlite_street: Street) -> None:
    phone = Phone(sqlite_street.world, sqlite_street.crowd.talent()).sign_in()
    phone.bind()

    with pytest.raises(CodeNotFound):
        phone.mint()


def test_a_device_mints_twenty_times_a_minute(sqlite_street: Street) -> None:
    street, phone = sqlite_street, sqlite_street.phone()
    other = replace(phone)
    other.bind()
    phone.mint()
    street.world.clock.advance(seconds=20)
    for _ in range(19):
        phone.mint()

    with pytest.raises(TooManyMints) as refusal:
        phone.mint()

    assert (refusal.value.status, refusal.value.params["retry_after"]) == (429, 40)
    other.mint()
    street.world.clock.advance(seconds=40)
    last = phone.mint()
    with pytest.raises(TooManyMints):
        phone.mint()
    assert verdict(street.tills[0].scan(last.text)) is None, "what was refused leaves the code that is shown"


def test_twenty_is_twenty_however_many_ask_at_once(street: Street) -> None:
    phone = street.phone()

    assert together(30, phone.mint, TooManyMints) == 20


def test_three_devices_are_bound_however_many_ask_at_once(street: Street) -> None:
    phone = Phone(street.world, street.crowd.holder())

    assert together(9, lambda: replace(phone).bind(), DevicesExhausted) == 3


def test_a_revoked_device_leaves_its_place(street: Street) -> None:
    phone = Phone(street.world, street.crowd.holder()).sign_in()
    first, *_ = [replace(phone).bind() for _ in range(3)]
    with pytest.raises(DevicesExhausted):
        phone.bind()

    phone.revoke(first)
    phone.revoke(first)

    phone.bind()
    bound = street.world.database.read(lambda session: devices.devices_of(session, phone.talent))
    assert len(bound) == 3
    assert first not in {each.id for each in bound}
    assert {each.name for each in bound} == {"Safari · iOS"}


def test_nobody_revokes_or_sees_anothers_device(sqlite_street: Street) -> None:
    mine, other = sqlite_street.phone(), sqlite_street.phone()
    device = mine.bind()

    for unknown in (device, "0" * 32):
        with pytest.raises(DeviceNotFound):
            other.revoke(unknown)
    clerk = sqlite_street.tills[0].clerk
    assert clerk.role is Role.PARTNER
    with pytest.raises(NotPermitted):
        sqlite_street.world.database.read(lambda session: devices.devices_of(session, clerk))
    mine.mint()


def test_whose_a_token_was_is_forgotten_after_a_day_and_never_that_it_was_burnt(
    sqlite_street: Street,
) -> None:
    street, phone, till = sqlite_street, sqlite_street.phone(), sqlite_street.tills[0]
    used, unused = phone.mint().text, phone.mint().text
    till.scan(used)
    till.scan(unused)
    clock, database = street.world.clock, street.world.database

    now = clock.advance(days=1)
    database.write(lambda session: minting.prune(session, now=now))
    assert verdict(till.scan(used)) is Refusal.TOKEN_EXPIRED
    now = clock.advance(seconds=1)
    database.write(lambda session: minting.prune(session, now=now))
    till.scan(used)

    assert [noted.code_id is None for noted in street.refusals()][-2:] == [False, True]
    assert street.burns() == 2


def together(count: int, act: Callable[[], object], refusal: type[Exception]) -> int:
    """How many of `count` that act at once succeed; the others get that refusal and nothing else."""

    def attempt(_number: int) -> bool:
        try:
            act()
        except refusal:
            return False
        return True

    with ThreadPoolExecutor(count) as threads:
        return sum(threads.map(attempt, range(count)))
