"""Pages: templates, their language, and refusals in plain words."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import jinja2
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from talentseal.clock import SHANGHAI
from talentseal.errors import TalentSealError
from talentseal.web import compiling, problems
from talentseal.web.assets import Assets
from talentseal.web.compiling import Compiled
from talentseal.web.language import PARAMETER, Language, language_of, remember
from talentseal.web.problems import Problem

_FOLDER: Final = Path(__file__).parent
TEMPLATES: Final = _FOLDER / "templates"

_TAG: Final = re.compile(r"<[^>]*>")

NOTICE: Final = "notice"
"""Query parameter that names what has just been done; `notices.html` holds the sentences."""


class Untranslated(LookupError):
    """A text that the catalogue of a language lacks; the tests look for it."""


@dataclass(frozen=True, slots=True)
class Site:
    """What every page says about the service it belongs to.

    chain_label: which kind of chain the anchors are on. demonstration: whether people and firms are invented.
    """

    origin: str
    chain_label: Mapping[Language, str]
    demonstration: bool


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, as pages name him. permissions: values of what his role and session allow."""

    name: str
    organisation: str
    role: str
    permissions: frozenset[str]

    def may(self, permission: str) -> bool:
        return permission in self.permissions


_COMPILED: Final[dict[tuple[Language, str], Compiled]] = {}
"""By language and version of the files, whose addresses stand in compiled templates."""


class Pages:
    """Renders templates. Set as `app.state.pages`.

    visitor_of: whoever is signed in by a request, None when nobody is.
    """

    def __init__(self, assets: Assets, site: Site, visitor_of: Callable[[Request], Visitor | None]) -> None:
        self._assets = assets
        self._site = site
        self._visitor_of = visitor_of
        self._environments = {language: self._environment(language) for language in Language}

    def render(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        """A whole page in the person's language. Raises UndefinedError for a value that is not given."""
        page = self._environments[language_of(request)].get_template(template)
        return self._answer(request, page.render(self._context(request, values)), status)

    def refuse(self, request: Request, template: str, error: TalentSealError, **values: Any) -> Response:
        """The page of a form that was not taken, with the refusal in the person's language as `problems`."""
        english = language_of(request) is Language.EN
        sentence = error.sentence_en if english else error.sentence_zh
        page = self.render(request, template, status=error.status, problems=[sentence], **values)
        if "retry_after" in error.params:
            page.headers["Retry-After"] = str(error.params["retry_after"])
        return page

    def fragment(self, request: Request, template: str, block: str, **values: Any) -> Response:
        """One block of a page, for what is exchanged without loading the page anew."""
        page = self._environments[language_of(request)].get_template(template)
        context = page.new_context(self._context(request, values))
        return self._answer(request, "".join(page.blocks[block](context)), 200)

    def text(self, language: Language, template: str, **values: Any) -> str:
        """A template that is no answer to a request: nobody is signed in, and there is no path."""
        return self._environments[language].get_template(template).render(values)

    def words(self, request: Request, template: str) -> Any:
        """A template's macros in the person's language, for what is told outside of pages; see `plain`."""
        page = self._environments[language_of(request)].get_template(template)
        return page.make_module(self._context(request, {}))

    def _context(self, request: Request, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **values,
            "path": request.url.path,
            "translated": _in_other_language(request),
            "notice": request.query_params.get(NOTICE, ""),
            "visitor": self._visitor_of(request),
        }

    def _answer(self, request: Request, content: str, status: int) -> Response:
        response = HTMLResponse(content, status)
        response.headers["Vary"] = "Accept-Language, Cookie"
        remember(request, response)
        return response

    def _environment(self, language: Language) -> jinja2.Environment:
        environment = compiling.environment(
            jinja2.FileSystemLoader(TEMPLATES),
            translator(language),
            self._assets.address,
            _COMPILED.setdefault((language, self._assets.version), Compiled()),
        )
        environment.filters |= {"beijing": _beijing, "grouped": _grouped}
        environment.globals |= {
            "language": language,
            "other_language": Language.ZH if language is Language.EN else Language.EN,
            "site": self._site,
            "chain_label": self._site.chain_label[language],
        }
        return environment


def translator(language: Language) -> Callable[[str], str]:
    """From the Chinese text, in which pages are written. Raises Untranslated in English."""
    if language is Language.ZH:
        return lambda text: text
    catalogue = catalogue_of(language)

    def say(text: str) -> str:
        message = catalogue.get(text)
        if message is None or not isinstance(message.string, str) or not message.string:
            raise Untranslated(text)
        return message.string

    return say


@cache
def catalogue_of(language: Language) -> Catalog:
    """The catalogue of a language: the files of its folder in `locale/`, one for each feature."""
    whole = Catalog(language.value)
    for path in sorted((_FOLDER / "locale" / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language.value):
                if message.id:
                    whole[message.id] = message
    return whole


def see_other(path: str, notice: str = "") -> Response:
    """After an act: the browser goes on to a page of ours, which tells what was done."""
    separator = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{separator}{NOTICE}={notice}" if notice else path, 303)


def _in_other_language(request: Request) -> str:
    """This page's address in the other language, all that it was asked for included."""
    other = Language.ZH if language_of(request) is Language.EN else Language.EN
    kept = [
        (name, value) for name, value in request.query_params.multi_items() if name not in {NOTICE, PARAMETER}
    ]
    return f"{request.url.path}?{urlencode([*kept, (PARAMETER, other.value)])}"


def plain(markup: str) -> str:
    """What a macro says, without its markup."""
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())


def _beijing(instant: datetime) -> str:
    # A page shows up to a hundred times; without the zone they are written in a quarter of the time.
    return instant.astimezone(SHANGHAI).replace(tzinfo=None).isoformat(" ", "seconds")


def _grouped(number: int) -> str:
    return f"{number:,}"


class PlainWords:
    """Shows a person a refusal as a page, where programs get the problem document it is made of.

    A person is who asks for a page, outside of what is served to programs alone.
    """

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self.app = app
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_person(scope):
            await self.app(scope, receive, send)
            return
        held: Message | None = None
        body = b""

        async def show(message: Message) -> None:
            nonlocal held, body
            if message["type"] == "http.response.start" and _is_problem(message):
                held = message
            elif held is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await self._page(scope, held, body)(scope, receive, send)

        await self.app(scope, receive, show)

    def _page(self, scope: Scope, start: Message, body: bytes) -> Response:
        request, problem = Request(scope), Problem.model_validate_json(body)
        english = language_of(request) is Language.EN
        page = self.pages.render(
            request,
            "problem.html",
            status=problem.status,
            number=problem.status,
            title=problems.title_of(problem.status, english=english),
            detail=problem.en if english else problem.zh,
            code=problem.code,
        )
        for name in ("allow", "retry-after", "www-authenticate"):
            if (value := Headers(raw=start["headers"]).get(name)) is not None:
                page.headers[name] = value
        return page


def _is_person(scope: Scope) -> bool:
    programs = scope["path"].startswith(("/api/v1/", "/log/", "/metrics", "/healthz", "/readyz", "/version"))
    return not programs and "text/html" in Headers(scope=scope).get("accept", "")


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "") == problems.MEDIA_TYPE
