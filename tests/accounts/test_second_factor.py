"""The second factor: each step and each recovery code counts once, and secrets are unreadable at rest."""

import re
from datetime import UTC, datetime

import pyotp
import pytest
from sqlalchemy import select

from talentseal.accounts import second_factor
from talentseal.accounts.models import Credential, RecoveryCode
from talentseal.accounts.second_factor import SecretBox, SecretUnreadable, matching_step
from tests.accounts.door import BOX, enrol
from tests.world import World

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""That of RFC 6238's own test vectors: "12345678901234567890"."""


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_standards_own_codes_are_read(moment: int, code: str) -> None:
    assert matching_step(SECRET, code, now=datetime.fromtimestamp(moment, UTC)) == moment // 30


@pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_one_step_around_its_own(steps: int, counts: bool) -> None:
    now = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
    step = int(now.timestamp()) // 30 + steps

    met = matching_step(SECRET, pyotp.TOTP(SECRET).generate_otp(step), now=now)

    assert met == (step if counts else None)


@pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12 34 5x", "-12345"])
def test_what_is_no_six_digits_is_no_code(text: str) -> None:
    assert matching_step(SECRET, text, now=datetime(2026, 11, 26, tzinfo=UTC)) is None


def test_a_code_may_be_typed_in_groups() -> None:
    assert matching_step(SECRET, " 287 082 ", now=datetime.fromtimestamp(59, UTC)) == 1


def test_the_table_holds_no_secret_and_no_recovery_code(world: World) -> None:
    person = enrol(world, world.member("虚构银行"))

    def rows(session: object) -> tuple[Credential, list[RecoveryCode]]:
        return (
            session.scalars(select(Credential)).one(),  # type: ignore[attr-defined]
            list(session.scalars(select(RecoveryCode))),  # type: ignore[attr-defined]
        )

    credential, codes = world.database.read(rows)
    held = repr(credential.__dict__) + repr([code.__dict__ for code in codes])

    assert len(codes) == len(person.recovery_codes) == second_factor.RECOVERY_CODES
    for secret in (person.secret, *person.recovery_codes):
        assert secret not in held
        assert secret.replace("-", "") not in held


def test_a_secret_opens_for_its_own_account_and_key_alone() -> None:
    sealed = BOX.seal("a" * 32, SECRET)

    assert BOX.open("a" * 32, sealed) == SECRET
    with pytest.raises(SecretUnreadable):
        BOX.open("b" * 32, sealed)
    with pytest.raises(SecretUnreadable):
        SecretBox(bytes(32)).open("a" * 32, sealed)
    with pytest.raises(SecretUnreadable):
        BOX.open("a" * 32, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_recovery_codes_are_long_distinct_and_easy_to_type() -> None:
    codes = second_factor.new_recovery_codes()

    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", code) for code in codes)


def test_the_qr_code_needs_no_style() -> None:
    drawn = second_factor.qr_svg(second_factor.enrolment_address(SECRET, "lin", "log.example"))

    assert drawn.startswith("<svg")
    assert "style" not in drawn
    assert "viewBox" in drawn
