"""None of many forgeries is taken; and every weakness that is planted lets one in, so that the forgers are
known to look where they should.

`scripts/test --full tokens` makes 100,000 of them.
"""

import hmac
import os
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from talentseal.credentials import base45, profiles, tc1, tc3
from talentseal.credentials.master_keys import derive
from tests.credentials import reference
from tests.credentials.forging import Forger, is_taken, taken

COUNT = int(os.environ.get("TALENTSEAL_FORGERIES", "2500"))
SEED = 20261126
Plant = Callable[[pytest.MonkeyPatch], Any]


def test_no_forgery_is_taken() -> None:
    assert taken(COUNT, SEED) == set()


def test_what_the_forgers_start_from_is_taken() -> None:
    """Else nothing would be shown by their failing."""
    assert is_taken(reference.as_text("TC1", reference.tc1(reference.CODE_REF, reference.NOON)))
    assert is_taken(reference.as_text("TC3", reference.tc3(reference.CODE_REF)))


def mac_over(*parts: slice) -> Plant:
    """A MAC of TC1 that leaves something out."""

    def weak(day_key: bytes, signed: bytes) -> bytes:
        return hmac.digest(derive(day_key, "TC1"), b"".join(signed[part] for part in parts), "sha256")[:12]

    # Genuine tokens are minted with the same weakness, as they would be.
    return lambda patch: (patch.setattr(tc1, "_mac", weak), patch.setattr(reference, "tc1", with_mac(weak)))


def with_mac(weak: Callable[[bytes, bytes], bytes]) -> Callable[..., bytes]:
    """The reference's tokens under another MAC."""
    strong = reference.tc1

    def made(code_ref: bytes, at: Any, *, key: bytes | None = None, **more: Any) -> bytes:
        signed = strong(code_ref, at, key=key, **more)[:16]
        day = more.get("slot_day") or reference.shanghai(at)
        return signed + weak(key or reference.day_key(reference.MASTER, day), signed)

    return made


def compared_by(equal: Callable[[bytes, bytes], bool], module: Any) -> Plant:
    return lambda patch: patch.setattr(
        module, "hmac", SimpleNamespace(digest=hmac.digest, compare_digest=equal)
    )


def any_live_key(keys: Any, slot: int, _issued_at: Any, now: Any) -> bytes:
    """The slot names the key, and the time of issue may be of another day."""
    today = reference.shanghai(now)
    days = [today, today - timedelta(days=1)]
    return next((keys.day_key(day) for day in days if day.toordinal() % 256 == slot), bytes(32))


def any_slot(keys: Any, _slot: int, _issued_at: Any, now: Any) -> bytes:
    return bytes(keys.day_key(reference.shanghai(now)))


def lenient(decode: Callable[[str], bytes]) -> Plant:
    return lambda patch: patch.setattr(base45, "decode", decode)


strict_decode = base45.decode


def modulo(text: str) -> bytes:
    """A group that is too large counts for what is over."""
    groups = (text[place : place + 3] for place in range(0, len(text), 3))
    values = (sum(base45.ALPHABET.index(group[at]) * 45**at for at in range(len(group))) for group in groups)
    return b"".join((value % 65536).to_bytes(2, "big") for value in values)[: len(text) * 2 // 3]


WEAKNESSES: dict[str, tuple[str, Plant]] = {
    "the MAC leaves out the time": ("tc1_time_moved", mac_over(slice(0, 9), slice(13, 16))),
    "the MAC leaves out the code": ("tc1_code_moved", mac_over(slice(0, 1), slice(9, 16))),
    "the MAC leaves out the nonce": ("tc1_nonce_moved", mac_over(slice(0, 13))),
    "the MAC leaves out the slot": (
        "tc1_flipped_bit",
        lambda patch: (mac_over(slice(1, 16))(patch), patch.setattr(tc1, "_live_key", any_slot)),
    ),
    "one byte of the MAC is compared": ("tc1_flipped_bit", compared_by(lambda a, b: a[:1] == b[:1], tc1)),
    "the MAC is not compared": ("tc1_mac_by_chance", compared_by(lambda _a, _b: True, tc1)),
    "the age is not looked at": (
        "tc1_expired",
        lambda patch: patch.setattr(tc1, "is_live", lambda *_age, **_now: True),
    ),
    "the future counts as fresh": (
        "tc1_not_yet",
        lambda patch: patch.setattr(tc1, "SKEW", timedelta(hours=1)),
    ),
    "yesterday's key makes today's tokens": (
        "tc1_earlier_day",
        lambda patch: patch.setattr(tc1, "_live_key", any_live_key),
    ),
    "codes have the key of cards": (
        "tc1_other_purpose",
        lambda patch: patch.setattr(tc1, "derive", lambda secret, _purpose, ref: derive(secret, "TC3", ref)),
    ),
    "cards have the key of codes": (
        "tc3_other_purpose",
        lambda patch: patch.setattr(tc3, "derive", lambda secret, _purpose, ref: derive(secret, "TC1", ref)),
    ),
    "the card's MAC is not compared": ("tc3_card_moved", compared_by(lambda _a, _b: True, tc3)),
    "small letters are read": ("tc1_small_letters", lenient(lambda text: strict_decode(text.upper()))),
    "a group may overflow": ("tc1_second_text", lenient(modulo)),
}


@pytest.mark.parametrize("weakness", WEAKNESSES)
def test_a_planted_weakness_lets_a_forgery_in(weakness: str, monkeypatch: pytest.MonkeyPatch) -> None:
    way, plant = WEAKNESSES[weakness]
    plant(monkeypatch)
    forger = Forger(SEED)

    assert any(is_taken(getattr(forger, way)()) for _ in range(400))


def test_every_base45_profile_has_forgers() -> None:
    """But for TCR, which is public and proves nothing."""
    known = {name.split("_")[0].upper() for name, _ in Forger(SEED).ways()}

    assert known == {profile.value for profile in profiles.SIZES} - {"TCR"}
