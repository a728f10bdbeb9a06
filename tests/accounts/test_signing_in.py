"""Signing in by password and second factor, invitations, and one's own account: every refusal, every race."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from talentseal.accounts import invitations, own, passwords, service, sessions, signing_in
from talentseal.accounts.api_keys import TooManyAttempts
from talentseal.accounts.invitations import Acceptance, AccountDisabled, InvitationUnknown, SignInNameTaken
from talentseal.accounts.models import Credential, HalfSignIn, Invitation, SignInMethod, WebSession
from talentseal.accounts.own import NewPassword, NoPassword, NothingToConfirm, PasswordWrong
from talentseal.accounts.roles import Actor, Role
from talentseal.accounts.sessions import SignedIn
from talentseal.accounts.signing_in import (
    HALF_FAILURES,
    CodeRefused,
    SecondFactorMissing,
    SignInExpired,
    SignInRefused,
)
from talentseal.accounts.throttle import PRESSING_FAILURES, Throttle
from talentseal.errors import NotPermitted, TalentSealError
from tests.accounts.door import (
    BOX,
    PASSWORD,
    RULES,
    Counting,
    Person,
    Ticking,
    acceptance,
    arrival_of,
    door_of,
    enrol,
    invite,
    secret_of,
)
from tests.world import Member, World

OTHER = "夜来风雨声 另一句虚构口令"


@pytest.fixture
def bank(world: World) -> Member:
    return world.member("虚构银行")


@pytest.fixture
def lin(world: World, bank: Member) -> Person:
    return enrol(world, bank)


def halfway(world: World, person: Person) -> str:
    """The token of a sign-in whose first factor held."""
    known = signing_in.check_password(door_of(), arrival_of(world), person.name, PASSWORD)
    return signing_in.wait_for_code(arrival_of(world), known, SignInMethod.PASSWORD)


def count(world: World, table: Any) -> int:
    return world.database.read(lambda session: session.scalars(select(func.count()).select_from(table)).one())


def opened(world: World, token: str) -> SignedIn | None:
    now = world.clock.now()
    return world.database.read(lambda session: sessions.signed_in(session, token, RULES, now=now))


def outcomes(acts: list[Callable[[], Any]]) -> list[Any]:
    """What acts that begin in the same instant end with: a result, or the refusal."""
    together = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        together.wait()
        try:
            return act()
        except TalentSealError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_password_and_code_open_a_session_of_the_account(world: World, lin: Person) -> None:
    token = signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), lin.code(world))

    known = opened(world, token)
    assert known is not None
    assert known.actor.account_id == lin.account
    assert count(world, HalfSignIn) == 0


@pytest.mark.parametrize("name", ["LIN", " lin ", "ｌｉｎ"])
def test_a_name_is_found_however_it_is_capitalised(world: World, lin: Person, name: str) -> None:
    assert signing_in.check_password(door_of(), arrival_of(world), name, PASSWORD).account_id == lin.account


@pytest.mark.parametrize(
    ("name", "password"),
    [("lin", "wrong"), ("nobody", PASSWORD), ("", ""), ("lin", ""), ("lin", PASSWORD + " ")],
)
def test_a_wrong_name_and_a_wrong_password_are_refused_alike(
    world: World, lin: Person, name: str, password: str
) -> None:
    assert lin.name == "lin"
    with pytest.raises(SignInRefused) as refused:
        signing_in.check_password(door_of(), arrival_of(world), name, password)

    assert refused.value.params == {}


def test_an_unknown_name_costs_the_same_hash_as_a_wrong_password(world: World, lin: Person) -> None:
    invite(world, world.member("虚构书店"), "invited")
    hasher = Counting()
    door = door_of(passwords=hasher)

    for name in (lin.name, "nobody", "invited"):
        with pytest.raises(SignInRefused):
            signing_in.check_password(door, arrival_of(world), name, "wrong")

    assert len(hasher.compared) == 3
    assert hasher.compared[1:] == [None, None]
    # A comparison with nothing is one with the decoy: it is made, and never holds.
    assert not hasher.matches(None, "wrong")


def test_a_disabled_account_is_refused_like_a_wrong_password_even_halfway(world: World, lin: Person) -> None:
    half, code, now = halfway(world, lin), lin.code(world), world.clock.now()
    world.database.write(
        lambda session: service.disable_account(session, Actor.console(), lin.account, now=now)
    )

    with pytest.raises(SignInRefused):
        signing_in.check_password(door_of(), arrival_of(world), lin.name, PASSWORD)
    with pytest.raises(SignInExpired):
        signing_in.check_code(door_of(), arrival_of(world), half, code)


def test_a_code_counts_once(world: World, lin: Person) -> None:
    code = lin.code(world)
    signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), code)

    with pytest.raises(CodeRefused):
        signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), code)


def test_an_older_code_does_not_count_after_a_newer_one(world: World, lin: Person) -> None:
    older, newer = lin.code(world), lin.code(world, steps=1)
    signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), newer)

    with pytest.raises(CodeRefused):
        signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), older)


def test_of_many_that_use_one_code_at_once_exactly_one_is_signed_in(world: World, lin: Person) -> None:
    code, halves = lin.code(world), [halfway(world, lin) for _ in range(4)]
    before = count(world, WebSession)

    met = outcomes(
        [lambda half=half: signing_in.check_code(door_of(), arrival_of(world), half, code) for half in halves]  # type: ignore[misc]
    )

    assert sum(isinstance(each, str) for each in met) == 1
    assert sum(isinstance(each, CodeRefused) for each in met) == 3
    assert count(world, WebSession) == before + 1


def test_of_many_that_complete_one_sign_in_at_once_exactly_one_is_signed_in(
    world: World, lin: Person
) -> None:
    half = halfway(world, lin)
    codes = [lin.recovery_codes[0], lin.recovery_codes[1]]

    met = outcomes(
        [lambda code=code: signing_in.check_code(door_of(), arrival_of(world), half, code) for code in codes]  # type: ignore[misc]
    )

    assert sum(isinstance(each, str) for each in met) == 1
    assert sum(isinstance(each, SignInExpired) for each in met) == 1


def test_a_recovery_code_stands_in_for_a_code_once(world: World, lin: Person) -> None:
    typed = f"  {lin.recovery_codes[3].upper().replace('-', ' ')}"
    signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), typed)

    with pytest.raises(CodeRefused):
        signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), typed)
    left = world.database.read(lambda session: own.standing(session, lin.account)).recovery_codes
    assert left == 9


def test_of_many_that_use_one_recovery_code_at_once_exactly_one_is_signed_in(
    world: World, lin: Person
) -> None:
    code, halves = lin.recovery_codes[0], [halfway(world, lin) for _ in range(4)]

    met = outcomes(
        [lambda half=half: signing_in.check_code(door_of(), arrival_of(world), half, code) for half in halves]  # type: ignore[misc]
    )

    assert sum(isinstance(each, str) for each in met) == 1


def test_another_persons_recovery_code_is_refused(world: World, lin: Person) -> None:
    chen = enrol(world, world.member("虚构书店"), "chen")

    with pytest.raises(CodeRefused):
        signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), chen.recovery_codes[0])


def test_a_sign_in_that_takes_too_long_begins_again(world: World, lin: Person) -> None:
    half = halfway(world, lin)
    world.clock.advance(minutes=5)

    with pytest.raises(SignInExpired):
        signing_in.check_code(door_of(), arrival_of(world), half, lin.code(world))


@pytest.mark.parametrize("token", ["", "x", sessions.new_token])
def test_a_code_without_a_first_factor_opens_nothing(world: World, lin: Person, token: Any) -> None:
    made_up = token() if callable(token) else token

    with pytest.raises(SignInExpired):
        signing_in.check_code(door_of(), arrival_of(world), made_up, lin.code(world))


def test_after_so_many_wrong_codes_the_password_is_asked_for_again(world: World, lin: Person) -> None:
    half = halfway(world, lin)
    for number in range(HALF_FAILURES):
        with pytest.raises(CodeRefused):
            signing_in.check_code(door_of(), arrival_of(world, f"192.0.2.{number}"), half, "000000")

    with pytest.raises(SignInExpired):
        signing_in.check_code(door_of(), arrival_of(world), half, lin.code(world))


def test_guessing_at_a_name_does_not_keep_its_person_out(world: World, lin: Person) -> None:
    door = door_of(Throttle(Ticking()))
    for number in range(3 * PRESSING_FAILURES):
        with pytest.raises((SignInRefused, TooManyAttempts)):
            signing_in.check_password(door, arrival_of(world, f"203.0.113.{number}"), lin.name, "guess")

    home = arrival_of(world, "198.51.100.7")
    known = signing_in.check_password(door, home, lin.name, PASSWORD)
    half = signing_in.wait_for_code(home, known, SignInMethod.PASSWORD)

    assert signing_in.check_code(door, home, half, lin.code(world))


def test_under_pressure_a_code_counts_in_its_own_step_alone(world: World, lin: Person) -> None:
    door = door_of(Throttle(Ticking()))
    for number in range(PRESSING_FAILURES):
        door.throttle.failed(lin.name, f"203.0.113.{number}")

    with pytest.raises(CodeRefused):
        signing_in.check_code(door, arrival_of(world), halfway(world, lin), lin.code(world, steps=1))


def test_a_second_guess_under_pressure_waits(world: World, lin: Person) -> None:
    door = door_of(Throttle(Ticking()))
    for number in range(PRESSING_FAILURES):
        door.throttle.failed(lin.name, f"203.0.113.{number}")
    with pytest.raises(SignInRefused):
        signing_in.check_password(door, arrival_of(world), lin.name, "guess")

    with pytest.raises(TooManyAttempts):
        signing_in.check_password(door, arrival_of(world), lin.name, PASSWORD)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.TALENT])
def test_staff_cannot_leave_the_second_factor_out(sqlite_world: World, role: Role) -> None:
    world = sqlite_world
    invitation = invite(world, world.member("虚构部门", role=role), "staff")

    with pytest.raises(CodeRefused):
        invitations.accept(door_of(), arrival_of(world), Acceptance(invitation, PASSWORD, PASSWORD, ""))


def test_staff_without_a_second_factor_is_not_let_in(world: World) -> None:
    office = world.member("虚构人才办", role=Role.TALENT_OFFICE)
    enrol(world, office)

    def lose(session: Any) -> None:
        session.get_one(Credential, office.actor.account_id).totp_secret = None

    world.database.write(lose)

    known = signing_in.check_password(door_of(), arrival_of(world), "lin", PASSWORD)
    with pytest.raises(SecondFactorMissing):
        signing_in.needs_second_factor(known, SignInMethod.PASSWORD)


def test_an_invitation_is_accepted_once(world: World, bank: Member) -> None:
    invitation = invite(world, bank, "lin")
    given = acceptance(world, invitation, PASSWORD)
    invitations.accept(door_of(), arrival_of(world), given)

    with pytest.raises(InvitationUnknown):
        invitations.accept(door_of(), arrival_of(world), given)


def test_of_many_that_accept_one_invitation_at_once_exactly_one_does(world: World, bank: Member) -> None:
    invitation = invite(world, bank, "lin")
    words = [f"{PASSWORD} {number}" for number in range(4)]

    met = outcomes(
        [
            lambda word=word: invitations.accept(  # type: ignore[misc]
                door_of(), arrival_of(world), acceptance(world, invitation, word)
            )
            for word in words
        ]
    )

    winners = [word for word, each in zip(words, met, strict=True) if not isinstance(each, TalentSealError)]
    assert len(winners) == 1
    assert sum(isinstance(each, InvitationUnknown) for each in met) == 3
    assert count(world, WebSession) == 1
    assert signing_in.check_password(door_of(), arrival_of(world), "lin", winners[0]).name == "lin"


def test_the_table_holds_no_invitation_code(world: World, bank: Member) -> None:
    code = invite(world, bank, "lin")

    row = world.database.read(lambda session: session.scalars(select(Invitation)).one())

    assert code not in repr(row.__dict__)
    assert code.replace("-", "") not in repr(row.__dict__)
    assert row.expires_at == world.clock.now() + timedelta(hours=72)


@pytest.mark.parametrize("spelled", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_an_invitation_may_be_typed_in_any_form(
    world: World, bank: Member, spelled: Callable[[str], str]
) -> None:
    assert secret_of(world, spelled(invite(world, bank, "lin")))


def test_an_invitation_ends_after_three_days_and_with_the_next_one(world: World, bank: Member) -> None:
    first = invite(world, bank, "lin")
    second = invite(world, bank, "lin")

    with pytest.raises(InvitationUnknown):
        secret_of(world, first)
    assert secret_of(world, second)
    world.clock.advance(hours=72)
    with pytest.raises(InvitationUnknown):
        secret_of(world, second)


def test_an_invitation_of_a_disabled_account_opens_nothing(world: World, bank: Member) -> None:
    invitation, now = invite(world, bank, "lin"), world.clock.now()
    account = bank.actor.account_id
    world.database.write(lambda session: service.disable_account(session, Actor.console(), account, now=now))

    with pytest.raises(InvitationUnknown):
        secret_of(world, invitation)
    with pytest.raises(AccountDisabled):
        invite(world, bank, "lin")


def test_a_sign_in_name_belongs_to_one_account(world: World, bank: Member) -> None:
    invite(world, bank, "lin")

    with pytest.raises(SignInNameTaken):
        invite(world, world.member("虚构书店"), "LIN")


def test_only_the_operator_invites(world: World, bank: Member) -> None:
    now = world.clock.now()

    with pytest.raises(NotPermitted):
        world.database.write(
            lambda session: (
                invitations.invite(
                    session, bank.actor, bank.actor.account_id, "lin", code="x", box=BOX, now=now
                ).code_hash
            )
        )


def test_a_new_invitation_accepted_ends_what_was_before(world: World, bank: Member, lin: Person) -> None:
    token = signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), lin.code(world))
    half = halfway(world, lin)
    given = acceptance(world, invite(world, bank, "lin"), OTHER)

    invitations.accept(door_of(), arrival_of(world), given)

    assert opened(world, token) is None
    with pytest.raises(SignInExpired):
        signing_in.check_code(door_of(), arrival_of(world), half, lin.recovery_codes[0])
    with pytest.raises(SignInRefused):
        signing_in.check_password(door_of(), arrival_of(world), lin.name, PASSWORD)


@pytest.mark.parametrize(
    ("password", "repeated", "refusal"),
    [
        ("", "", passwords.PasswordTooShort),
        ("eleven char", "eleven char", passwords.PasswordTooShort),
        ("x" * 201, "x" * 201, passwords.PasswordTooShort),
        ("lin-the-clerk", "lin-the-clerk", passwords.PasswordIsName),
        ("LIN-the-clerk", "LIN-the-clerk", passwords.PasswordIsName),
        (PASSWORD, OTHER, passwords.PasswordsDiffer),
    ],
)
def test_a_password_that_will_not_do_is_refused_and_the_invitation_stays(
    world: World, bank: Member, password: str, repeated: str, refusal: type[TalentSealError]
) -> None:
    invitation = invite(world, bank, "lin-the-clerk")

    with pytest.raises(refusal):
        invitations.accept(door_of(), arrival_of(world), Acceptance(invitation, password, repeated, ""))

    assert secret_of(world, invitation)


def test_a_long_plain_sentence_will_do_and_so_will_twelve_characters() -> None:
    for password in ("correct horse battery", "一二三四五六七八九十百千", "aaaaaaaaaaaa"):
        passwords.check(password, password, "lin", "林")


def signed_in(world: World, person: Person) -> SignedIn:
    token = signing_in.check_code(door_of(), arrival_of(world), halfway(world, person), person.code(world))
    known = opened(world, token)
    assert known is not None
    world.clock.advance(seconds=60)
    return known


def test_a_changed_password_ends_all_other_sessions_and_rotates_this_one(world: World, lin: Person) -> None:
    elsewhere = signed_in(world, lin)
    here = signed_in(world, lin)

    token = own.change_password(door_of(), arrival_of(world), here, NewPassword(PASSWORD, OTHER, OTHER))

    rows = world.database.read(lambda session: list(session.scalars(select(WebSession.token_hash))))
    assert rows == [sessions.token_hash(token)]
    assert {elsewhere.token_hash, here.token_hash} & set(rows) == set()
    with pytest.raises(SignInRefused):
        signing_in.check_password(door_of(), arrival_of(world), lin.name, PASSWORD)
    assert signing_in.check_password(door_of(), arrival_of(world), lin.name, OTHER).name == lin.name


def test_a_password_is_changed_by_whoever_knows_it(world: World, lin: Person) -> None:
    here = signed_in(world, lin)

    with pytest.raises(PasswordWrong):
        own.change_password(door_of(), arrival_of(world), here, NewPassword("guess", OTHER, OTHER))

    assert signing_in.check_password(door_of(), arrival_of(world), lin.name, PASSWORD).name == lin.name


def test_of_two_changes_at_once_one_holds(world: World, lin: Person) -> None:
    here, words = signed_in(world, lin), [f"{OTHER} {number}" for number in range(2)]

    met = outcomes(
        [
            lambda word=word: own.change_password(  # type: ignore[misc]
                door_of(), arrival_of(world), here, NewPassword(PASSWORD, word, word)
            )
            for word in words
        ]
    )

    assert sum(isinstance(each, str) for each in met) == 1
    assert sum(isinstance(each, PasswordWrong) for each in met) == 1


def test_an_account_without_a_password_has_none_to_change(world: World, bank: Member) -> None:
    here = SignedIn("s" * 32, "h" * 64, bank.actor, "x", "y", world.clock.now())

    with pytest.raises(NoPassword):
        own.change_password(door_of(), arrival_of(world), here, NewPassword("", OTHER, OTHER))


def test_a_new_second_factor_counts_once_a_code_has_confirmed_it(world: World, lin: Person) -> None:
    elsewhere, here = signed_in(world, lin), signed_in(world, lin)
    own.begin_second_factor(door_of(), arrival_of(world), lin.account, PASSWORD)
    secret = world.database.read(lambda session: own.offered_secret(session, door_of(), lin.account))
    fresh = Person(lin.account, lin.name, secret, [])
    with pytest.raises(CodeRefused):
        own.confirm_second_factor(door_of(), arrival_of(world), here, "000000")
    assert secret != lin.secret

    codes = own.confirm_second_factor(door_of(), arrival_of(world), here, fresh.code(world))

    rows = world.database.read(lambda session: list(session.scalars(select(WebSession.token_hash))))
    assert elsewhere.token_hash not in rows
    assert here.token_hash in rows
    world.clock.advance(seconds=60)
    for refused in (lin.code(world), lin.recovery_codes[0]):
        with pytest.raises(CodeRefused):
            signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), refused)
    assert signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), fresh.code(world))
    assert signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), codes[0])


def test_the_code_that_confirmed_a_second_factor_does_not_sign_in(world: World, lin: Person) -> None:
    here = signed_in(world, lin)
    own.begin_second_factor(door_of(), arrival_of(world), lin.account, PASSWORD)
    secret = world.database.read(lambda session: own.offered_secret(session, door_of(), lin.account))
    code = Person(lin.account, lin.name, secret, []).code(world)
    own.confirm_second_factor(door_of(), arrival_of(world), here, code)

    with pytest.raises(CodeRefused):
        signing_in.check_code(door_of(), arrival_of(world), halfway(world, lin), code)


def test_a_second_factor_is_changed_by_whoever_knows_the_password(world: World, lin: Person) -> None:
    here = signed_in(world, lin)

    with pytest.raises(PasswordWrong):
        own.begin_second_factor(door_of(), arrival_of(world), lin.account, "guess")
    with pytest.raises(NothingToConfirm):
        own.confirm_second_factor(door_of(), arrival_of(world), here, lin.code(world))
