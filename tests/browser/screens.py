"""The screens on which pages are looked at."""

from dataclasses import dataclass

import pytest

from talentseal.web.language import Language


@dataclass(frozen=True, slots=True)
class Screen:
    """A device and the language its browser asks for. width, height: CSS px."""

    device: str
    width: int
    height: int
    language: Language

    def __str__(self) -> str:
        return f"{self.device}-{self.language.value}"

    @property
    def is_phone(self) -> bool:
        return self.device == "phone"


SCREENS = tuple(
    Screen(device, width, height, language)
    for device, width, height in (("phone", 390, 844), ("desktop", 1280, 900))
    for language in Language
)
PHONE_ZH, PHONE_EN, DESKTOP, DESKTOP_EN = SCREENS
"""DESKTOP is the one in Chinese: for what does not depend on the screen."""

CROSSED = (PHONE_ZH, DESKTOP_EN)
"""Each device and each language once: for what takes long and hangs on both."""


def across(screen: Screen) -> Screen:
    """The other device, in the other language: whose desk faces this person."""
    return CROSSED[1] if screen.is_phone else CROSSED[0]


EVERY_SCREEN = [
    screen if screen in CROSSED else pytest.param(screen, marks=pytest.mark.long) for screen in SCREENS
]
"""The crossed screens always, all four in --full."""
