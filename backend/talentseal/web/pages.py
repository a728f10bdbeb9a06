"""Pages: templates, their language, and refusals in plain words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from talentseal.web import problems
from talentseal.web.assets import Assets
from talentseal.web.language import Language, language_of, remember
from talentseal.web.problems import Problem

_FOLDER: Final = Path(__file__).parent


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


class Pages:
    """Renders templates. Set as `app.state.pages`."""

    def __init__(self, assets: Assets, site: Site) -> None:
        self._assets = assets
        self._site = site
        self._environments = {language: self._environment(language) for language in Language}

    def render(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        """A whole page in the person's language. Raises UndefinedError for a value that is not given."""
        language = language_of(request)
        page = self._environments[language].get_template(template)
        response = HTMLResponse(page.render(values, path=request.url.path), status)
        response.headers["Vary"] = "Accept-Language, Cookie"
        remember(request, response)
        return response

    def _environment(self, language: Language) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        say = translator(language)
        environment.install_gettext_callables(say, _no_plurals, newstyle=True)  # type: ignore[attr-defined]  # by i18n
        environment.globals |= {
            "asset": self._assets.address,
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


def catalogue_of(language: Language) -> Catalog:
    """The catalogue of a language, as it stands in `locale/`."""
    with (_FOLDER / "locale" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language.value)


def _no_plurals(singular: str, plural: str, count: int) -> str:
    raise NotImplementedError(f"write it without plurals: {singular}, {plural}, {count}")


class PlainWords:
    """Shows a person a refusal as a page, where programs get the problem document it is made of.

    A person is who asks for a page, outside of what is served to programs alone.
    """

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self.app = app
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_person(Request(scope)):
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


def _is_person(request: Request) -> bool:
    programs = request.url.path.startswith(("/api/", "/log/", "/metrics", "/healthz", "/readyz", "/version"))
    return not programs and "text/html" in request.headers.get("accept", "")


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "") == problems.MEDIA_TYPE
