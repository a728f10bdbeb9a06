"""Sessions: opened by a token that the table does not hold, over when idle, old, ended or disabled."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from talentseal.accounts import service, sessions
from talentseal.accounts.models import SignInMethod, WebSession
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.accounts.sessions import SessionRules, SignedIn
from tests.world import Member, World

RULES = SessionRules(timedelta(minutes=30), timedelta(hours=12), secure=False)


@pytest.fixture
def bank(world: World) -> Member:
    return world.member("虚构银行")


def started(world: World, member: Member, *, replaces: str = "", browser: str = "Firefox") -> str:
    token, now = sessions.new_token(), world.clock.now()

    def write(session: Any) -> None:
        sessions.start(
            session,
            member.actor.account_id,
            SignInMethod.PASSWORD,
            token=token,
            browser=browser,
            replaces=replaces,
            now=now,
        )

    world.database.write(write)
    return token


def opened(world: World, token: str) -> SignedIn | None:
    now = world.clock.now()
    return world.database.read(lambda session: sessions.signed_in(session, token, RULES, now=now))


def rows(world: World) -> list[WebSession]:
    return world.database.read(lambda session: list(session.scalars(select(WebSession))))


def test_a_token_opens_its_account_with_all_that_its_role_may(world: World, bank: Member) -> None:
    known = opened(world, started(world, bank))

    assert known is not None
    assert known.actor == Actor(bank.actor.account_id, bank.id, Role.PARTNER, PERMISSIONS[Role.PARTNER])
    assert known.organisation == "虚构银行"


def test_the_table_holds_a_digest_and_no_token(world: World, bank: Member) -> None:
    token = started(world, bank)

    (row,) = rows(world)

    assert len(token) == 43
    assert row.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert token not in repr(row.__dict__)


@pytest.mark.parametrize("token", ["", "x", "a" * 5000])
def test_any_other_token_opens_nothing(world: World, bank: Member, token: str) -> None:
    started(world, bank)

    assert opened(world, token) is None


def test_a_session_ends_when_it_was_idle_too_long(world: World, bank: Member) -> None:
    token = started(world, bank)

    world.clock.advance(minutes=29, seconds=59)
    still = opened(world, token)
    world.clock.advance(seconds=1)

    assert still is not None
    assert opened(world, token) is None


def test_a_session_in_use_ends_when_it_has_grown_too_old(world: World, bank: Member) -> None:
    token = started(world, bank)

    for _ in range(35):
        world.clock.advance(minutes=20)
        known, now = opened(world, token), world.clock.now()
        assert known is not None
        row_hash = known.token_hash
        world.database.write(lambda session, h=row_hash, n=now: sessions.note_seen(session, h, now=n))  # type: ignore[misc]
    world.clock.advance(minutes=20)

    assert opened(world, token) is None


def test_a_new_sign_in_ends_the_session_that_the_browser_brought(world: World, bank: Member) -> None:
    planted = started(world, bank)

    fresh = started(world, bank, replaces=planted)

    assert opened(world, planted) is None
    assert opened(world, fresh) is not None


def test_a_disabled_account_is_signed_out_at_once(world: World, bank: Member) -> None:
    token, now = started(world, bank), world.clock.now()

    world.database.write(
        lambda session: service.disable_account(session, Actor.console(), bank.actor.account_id, now=now)
    )

    assert opened(world, token) is None


def test_seeing_a_session_that_was_ended_does_not_bring_it_back(world: World, bank: Member) -> None:
    token, now = started(world, bank), world.clock.now()
    row_hash = sessions.token_hash(token)

    world.database.write(lambda session: sessions.end(session, row_hash))
    world.database.write(lambda session: sessions.note_seen(session, row_hash, now=now))

    assert opened(world, token) is None
    assert rows(world) == []


def test_a_person_ends_his_own_sessions_and_nobody_elses(world: World, bank: Member) -> None:
    other = world.member("虚构书店")
    mine, theirs = started(world, bank), started(world, other)
    known = opened(world, mine)
    assert known is not None
    session_id = known.session

    world.database.write(lambda session: sessions.end_by_id(session, other.actor.account_id, session_id))
    assert opened(world, mine) is not None

    world.database.write(lambda session: sessions.end_by_id(session, bank.actor.account_id, session_id))
    assert opened(world, mine) is None
    assert opened(world, theirs) is not None


def test_all_sessions_but_this_one_end_together(world: World, bank: Member) -> None:
    here, there = started(world, bank), started(world, bank)

    world.database.write(
        lambda session: sessions.end_all(session, bank.actor.account_id, but=sessions.token_hash(here))
    )

    assert opened(world, here) is not None
    assert opened(world, there) is None


def test_what_is_over_is_forgotten_and_what_is_open_is_kept(world: World, bank: Member) -> None:
    started(world, bank)
    world.clock.advance(minutes=31)
    kept, now = started(world, bank), world.clock.now()

    world.database.write(lambda session: sessions.prune(session, RULES, now=now))

    assert [row.token_hash for row in rows(world)] == [sessions.token_hash(kept)]


@pytest.mark.parametrize(
    ("user_agent", "described"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/153.0 Safari/537.36", "Chrome · Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/153.0 Safari/537.36 Edg/153.0", "Edge · Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Version/19.0 Safari/605.1", "Safari · macOS"),
        ("Mozilla/5.0 (Linux; Android 16; Pixel) Firefox/150.0", "Firefox · Android"),
        ("curl/9.0", ""),
        ("林星河的手机 " + "x" * 900, ""),
    ],
)
def test_of_a_browser_no_more_is_kept_than_its_kind(
    sqlite_world: World, user_agent: str, described: str
) -> None:
    started(sqlite_world, sqlite_world.member("虚构银行"), browser=user_agent)

    (row,) = rows(sqlite_world)

    assert row.browser == described
