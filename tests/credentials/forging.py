"""Texts that must never be taken: altered, expired, under other keys, made for another purpose.

Each forger knows something that he should not have and still must not get in: other people's tokens, an old
day's key, the keys of another purpose, another installation's master key.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

from talentseal.credentials import tc1, tc2, tc3
from talentseal.credentials.refusals import Refusal
from tests.credentials import reference
from tests.credentials.reference import ALPHABET, FIRST_DAY, KEYS, MASTER, NOON, SECOND

DAY = timedelta(days=1)
TRUSTED = {key.kid: key.public for key in tc2.proof_keys(KEYS)}


def is_taken(text: str, now: datetime = NOON) -> bool:
    """Does any verifier of the service take it? Each is asked, whatever the prefix says."""
    met = (
        tc1.verify(KEYS, text, now=now),
        tc3.verify(KEYS, text),
        tc2.verify(TRUSTED, text, now=now) if text.startswith("TC2") else Refusal.TOKEN_MALFORMED,
    )
    return not all(isinstance(each, Refusal) for each in met)


class Forger:
    """Makes texts by chance; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)

    def texts(self, count: int) -> Iterator[tuple[str, str]]:
        """`count` pairs of how it was forged and the text."""
        ways = self.ways()
        for place in range(count):
            name, way = ways[place % len(ways)]
            yield name, way()

    def ways(self) -> list[tuple[str, Callable[[], str]]]:
        """Every way, by name. TC2 costs as much as five others and has one way in all."""
        found = (name for name in sorted(dir(self)) if name.startswith(("tc1_", "tc2_", "tc3_")))
        return [(name, getattr(self, name)) for name in found]

    def _ref(self) -> bytes:
        return self.chance.randbytes(8)

    def _genuine(self, at: datetime = NOON) -> bytes:
        return reference.tc1(self._ref(), at, nonce=self.chance.randbytes(3))

    def _other(self, text: str) -> str:
        place = self.chance.randrange(len(text))
        other = self.chance.choice([character for character in ALPHABET if character != text[place]])
        return text[:place] + other + text[place + 1 :]

    def _flipped(self, octets: bytes) -> bytes:
        bits = int.from_bytes(octets, "big") ^ 1 << self.chance.randrange(8 * len(octets))
        return bits.to_bytes(len(octets), "big")

    def tc1_other_character(self) -> str:
        return self._other(reference.as_text("TC1", self._genuine()))

    def tc1_flipped_bit(self) -> str:
        return reference.as_text("TC1", self._flipped(self._genuine()))

    def tc1_mac_by_chance(self) -> str:
        return reference.as_text("TC1", self._genuine()[:16] + self.chance.randbytes(12))

    def tc1_time_moved(self) -> str:
        """A screenshot, made young again."""
        old = self._genuine(NOON - self.chance.randrange(66, 86400) * SECOND)
        young = reference.tc1(bytes(8), NOON)
        return reference.as_text("TC1", young[:1] + old[1:9] + young[9:13] + old[13:])

    def tc1_code_moved(self) -> str:
        """One's own token with another's code."""
        own = self._genuine()
        return reference.as_text("TC1", own[:1] + self._ref() + own[9:])

    def tc1_nonce_moved(self) -> str:
        """A used token with another nonce, to get past the burn."""
        own = self._genuine()
        return reference.as_text("TC1", own[:13] + self._flipped(own[13:16]) + own[16:])

    def tc1_halves_of_two(self) -> str:
        return reference.as_text("TC1", self._genuine()[:16] + self._genuine()[16:])

    def tc1_expired(self) -> str:
        at = NOON - self.chance.randrange(66, 3 * 86400) * SECOND
        return reference.as_text("TC1", self._genuine(at))

    def tc1_not_yet(self) -> str:
        at = NOON + self.chance.randrange(6, 86400) * SECOND
        return reference.as_text("TC1", self._genuine(at))

    def tc1_other_installation(self) -> str:
        key = reference.day_key(self.chance.randbytes(32), reference.shanghai(NOON))
        return reference.as_text("TC1", reference.tc1(self._ref(), NOON, key=key))

    def tc1_earlier_version(self) -> str:
        """Under the master key that was in use until a week ago."""
        key = reference.day_key(KEYS.versions[0].secret, reference.shanghai(NOON))
        return reference.as_text("TC1", reference.tc1(self._ref(), NOON, key=key))

    def tc1_earlier_day(self) -> str:
        """With a day's key that is still live, or was: today's time under yesterday's slot and key."""
        day = reference.shanghai(NOON) - self.chance.randrange(1, 20) * DAY
        return reference.as_text("TC1", reference.tc1(self._ref(), NOON, slot_day=day))

    def tc1_earlier_day_todays_slot(self) -> str:
        day = reference.shanghai(NOON) - self.chance.randrange(1, 20) * DAY
        key = reference.day_key(MASTER, day)
        return reference.as_text("TC1", reference.tc1(self._ref(), NOON, key=key))

    def tc1_other_purpose(self) -> str:
        purpose = self.chance.choice([b"TC2", b"TC3", b"TCN", b"day", b""])
        key = self.chance.choice([None, MASTER])
        return reference.as_text("TC1", reference.tc1(self._ref(), NOON, key=key, purpose=purpose))

    def tc1_small_letters(self) -> str:
        text = reference.as_text("TC1", self._genuine())
        return text[:4] + text[4:].lower() if text[4:].lower() != text[4:] else text.lower()

    def tc1_second_text(self) -> str:
        """A group that is too large by 65536: other characters for the same bytes, if it were let through."""
        octets = self._genuine()
        places = [
            place
            for place in range(14)
            if int.from_bytes(octets[2 * place : 2 * place + 2], "big") + 65536 < 45**3
        ]
        if not places:
            return self.tc1_second_text()
        place = self.chance.choice(places)
        value = int.from_bytes(octets[2 * place : 2 * place + 2], "big") + 65536
        text = reference.as_text("TC1", octets)
        return text[: 4 + 3 * place] + reference.group45(value, 3) + text[7 + 3 * place :]

    def tc1_of_another_profile(self) -> str:
        """A whole card code, or a proof, with this prefix."""
        card = reference.tc3(self._ref())
        return reference.as_text("TC1", (card + self.chance.randbytes(28))[:28])

    def tc1_garbage(self) -> str:
        return "TC1:" + "".join(self.chance.choices(ALPHABET, k=42))

    def tc3_other_character(self) -> str:
        return self._other(reference.as_text("TC3", reference.tc3(self._ref())))

    def tc3_flipped_bit(self) -> str:
        return reference.as_text("TC3", self._flipped(reference.tc3(self._ref())))

    def tc3_card_moved(self) -> str:
        own = reference.tc3(self._ref())
        return reference.as_text("TC3", own[:1] + self._ref() + own[9:])

    def tc3_other_version(self) -> str:
        version = self.chance.choice([0, 1, 3, 255])
        return reference.as_text("TC3", reference.tc3(self._ref(), version=version))

    def tc3_other_purpose(self) -> str:
        purpose = self.chance.choice([b"TC1", b"TC2", b"TCN", b"day", b""])
        day = self.chance.choice([FIRST_DAY, reference.shanghai(NOON)])
        master = self.chance.choice([MASTER, reference.day_key(MASTER, day)])
        return reference.as_text("TC3", reference.tc3(self._ref(), master=master, purpose=purpose))

    def tc2_forged(self) -> str:
        """Another tier, another holder, another key, another time; or a character."""
        at = NOON - self.chance.randrange(606, 86400) * SECOND
        way = self.chance.randrange(3)
        if way == 0:
            return tc2.sign(KEYS, self._ref(), 1, now=at)
        text = tc2.sign(KEYS, self._ref(), 8, now=NOON)
        return (
            self._other(text)
            if way == 1
            else text[:4] + tc2.sign(KEYS, self._ref(), 1, now=at)[4:100] + text[100:]
        )


def taken(count: int, seed: int) -> set[str]:
    """The ways by which any of `count` forgeries got in."""
    return {name for name, text in Forger(seed).texts(count) if is_taken(text)}
