"""Which language a person is spoken to in: Chinese, unless he asked for English."""

from enum import StrEnum
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

COOKIE: Final = "language"
PARAMETER: Final = "lang"
YEAR: Final = 365 * 24 * 3600
"""Seconds that a choice is remembered."""


class Language(StrEnum):
    """As in the `lang` attribute of a page."""

    ZH = "zh-CN"
    EN = "en"


def prefers_english(accept_language: str | None) -> bool:
    """Whether English stands before Chinese in an Accept-Language header. No header: Chinese."""
    for part in (accept_language or "").lower().split(","):
        tag = part.split(";")[0].strip()
        if tag.startswith("zh"):
            return False
        if tag.startswith("en"):
            return True
    return False


def language_of(request: Request) -> Language:
    """What was just chosen (`?lang=`), else what was chosen before, else what the browser asks for."""
    for chosen in (request.query_params.get(PARAMETER), request.cookies.get(COOKIE)):
        if chosen in set(Language):
            return Language(chosen)
    return Language.EN if prefers_english(request.headers.get("accept-language")) else Language.ZH


def remember(request: Request, response: Response) -> None:
    """Keep a language that was just chosen. The cookie says nothing about the person."""
    chosen = request.query_params.get(PARAMETER)
    if chosen in set(Language):
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, str(chosen), YEAR, httponly=True, samesite="lax", secure=secure)
