"""The API reference as a page of our own: what the OpenAPI document says, in its order."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from markupsafe import Markup
from starlette.responses import Response

from talentseal.errors import NotFound, TalentSealError
from talentseal.web import forgery, problems
from talentseal.web.language import Language, language_of
from talentseal.web.pages import Pages
from talentseal.web.problems import MEDIA_TYPE

reference = APIRouter(prefix="/api", include_in_schema=False)

_VERBS: Final = ("get", "post", "put", "patch", "delete")
_DEEPEST: Final = 5
"""Levels of nested objects that are written out."""

_EXAMPLES: Final = {
    "date": "2026-12-01",
    "date-time": "2026-12-01T00:00:00Z",
    "binary": "@agreement.pdf",
}
"""Values of strings in examples, by their format."""

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A value in a body or a parameter. name: with dots and brackets where it is nested."""

    name: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Content:
    """A body: what it is, and its fields when it is an object. example: as JSON, empty when there is none."""

    media_type: str
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. key: verb and path, by which its Chinese text is found. closed: needs an API key."""

    key: str
    anchor: str
    verb: str
    path: str
    summary: str
    closed: bool
    parameters: tuple[Field, ...]
    body: Content | None
    answers: tuple[tuple[str, Content | None], ...]
    refusals: tuple[str, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Code:
    """A stable problem code; the sentences hold names in braces where values come in."""

    code: str
    status: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one OpenAPI document."""

    document: Schema

    def groups(self) -> dict[str, list[Operation]]:
        """Operations by their tag."""
        found: dict[str, list[Operation]] = {}
        for path, methods in self.document["paths"].items():
            for verb in _VERBS:
                if verb in methods:
                    operation = methods[verb]
                    found.setdefault(operation["tags"][0], []).append(self._operation(verb, path, operation))
        return found

    def _operation(self, verb: str, path: str, operation: Schema) -> Operation:
        body, closed = self._body(operation), bool(operation.get("security"))
        responses = operation["responses"]
        return Operation(
            key=f"{verb.upper()} {path}",
            anchor=operation["operationId"].replace("_", "-"),
            verb=verb.upper(),
            path=path,
            summary=_first_paragraph(operation),
            closed=closed,
            parameters=tuple(self._parameter(each) for each in operation.get("parameters", ())),
            body=body,
            answers=tuple(
                (status, self._content(responses[status])) for status in sorted(responses) if status < "3"
            ),
            refusals=tuple(status for status in sorted(responses) if status >= "3"),
            curl=_curl(verb, path, body, closed=closed, repeatable=_is_repeatable(operation)),
        )

    def _parameter(self, parameter: Schema) -> Field:
        name = parameter["name"] if parameter["in"] != "path" else "{" + parameter["name"] + "}"
        schema = parameter["schema"]
        said = parameter.get("description") or schema.get("description", "")
        return Field(name, self._kind(schema), bool(parameter.get("required")), said)

    def _body(self, operation: Schema) -> Content | None:
        body = operation.get("requestBody")
        return self._content(body) if body else None

    def _content(self, holder: Schema) -> Content | None:
        for media_type, content in holder.get("content", {}).items():
            if media_type != MEDIA_TYPE:
                schema = content.get("schema", {})
                fields = tuple(self._fields(schema, "", 0))
                example = json.dumps(self._example(schema, 0), ensure_ascii=False, indent=2) if fields else ""
                return Content(media_type, fields, example)
        return None

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def _alternatives(self, schema: Schema) -> list[Schema]:
        """The kinds that a value may be of, null left out."""
        schema = self._resolved(schema)
        options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf") or [schema]
        return [self._resolved(option) for option in options if option.get("type") != "null"]

    def _kind(self, schema: Schema) -> str:
        whole = self._resolved(schema)
        options = whole.get("anyOf") or whole.get("oneOf") or whole.get("allOf") or [whole]
        return " | ".join(dict.fromkeys(self._one_kind(self._resolved(option)) for option in options))

    def _one_kind(self, schema: Schema) -> str:
        if "enum" in schema:
            return " | ".join(json.dumps(value) for value in schema["enum"])
        if "const" in schema:
            return json.dumps(schema["const"])
        if schema.get("type") == "array":
            return f"array of {self._kind(schema.get('items', {}))}"
        return str(schema.get("format") or schema.get("type", "any"))

    def _fields(self, schema: Schema, prefix: str, depth: int) -> Iterator[Field]:
        for option in self._alternatives(schema):
            if option.get("type") == "array":
                yield from self._fields(option.get("items", {}), f"{prefix}[]", depth)
            for name, value in option.get("properties", {}).items():
                place = f"{prefix}.{name}" if prefix else name
                said = value.get("description", "")
                yield Field(place, self._kind(value), name in option.get("required", ()), said)
                if depth < _DEEPEST:
                    yield from self._fields(value, place, depth + 1)

    def _example(self, schema: Schema, depth: int) -> Any:
        option = next(iter(self._alternatives(schema)), {})
        if "default" in schema:
            return schema["default"]
        if "enum" in option:
            return option["enum"][0]
        kind = option.get("type")
        if kind == "object" or "properties" in option:
            required = option.get("required", ())
            properties = option.get("properties", {}).items()
            return {name: self._example(value, depth + 1) for name, value in properties if name in required}
        if kind == "array":
            return [self._example(option.get("items", {}), depth + 1)]
        return {"integer": 1, "number": 1, "boolean": False}.get(
            str(kind), _EXAMPLES.get(str(option.get("format")), "…")
        )


def _first_paragraph(operation: Schema) -> str:
    return " ".join(operation.get("description", operation["summary"]).split("\n\n")[0].split())


def _is_repeatable(operation: Schema) -> bool:
    return any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ()))


def _curl(verb: str, path: str, body: Content | None, *, closed: bool, repeatable: bool) -> str:
    lines = [f'curl "$URL{path}"' if verb == "get" else f'curl -X {verb.upper()} "$URL{path}"']
    if closed:
        lines.append('-H "Authorization: Bearer $API_KEY"')
    if repeatable:
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    if body and body.media_type.startswith("multipart/"):
        lines += [f"-F '{name}={value}'" for name, value in json.loads(body.example).items()]
    elif body:
        lines.append(f'-H "Content-Type: {body.media_type}"')
        lines.append(f"-d '{json.dumps(json.loads(body.example), ensure_ascii=False)}'")
    return " \\\n  ".join(lines)


def codes() -> list[Code]:
    """Every stable problem code that is known in this process, in alphabetical order."""
    found = {code: Code(code, status, zh, en) for code, status, zh, en in problems.of_http()}
    found[forgery.CODE] = Code(forgery.CODE, 403, forgery.ZH, forgery.EN)
    found[problems.REFUSED[0]] = Code(problems.REFUSED[0], 400, *problems.REFUSED[1:])
    for kind in kinds_of(TalentSealError):
        found[kind.code] = Code(kind.code, kind.status, kind.zh, kind.en)
    return [found[code] for code in sorted(found)]


def kinds_of(base: type[TalentSealError]) -> Iterator[type[TalentSealError]]:
    """The error and all below it that have a code of their own."""
    if "code" in vars(base):
        yield base
    for below in base.__subclasses__():
        yield from kinds_of(below)


@dataclass(slots=True)
class Reference:
    """The reference of one application, rendered once a language. Set as `app.state.reference`."""

    app: FastAPI
    _groups: dict[str, list[Operation]] = field(default_factory=dict)
    _rendered: dict[tuple[Language, str], Markup] = field(default_factory=dict)

    def groups(self) -> dict[str, list[Operation]]:
        """Operations by their tag."""
        if not self._groups:
            self._groups = Reader(self.app.openapi()).groups()
        return self._groups

    def operation(self, anchor: str) -> Operation:
        """The operation of that anchor. Raises NotFound."""
        for group in self.groups().values():
            for each in group:
                if each.anchor == anchor:
                    return each
        raise NotFound

    def operations(self, request: Request) -> Markup:
        """All operations in the person's language."""
        return self._once(request, "reference/operations.html", lambda: {"groups": self.groups()})

    def codes(self, request: Request) -> Markup:
        """Every problem code in the person's language."""
        return self._once(request, "reference/codes.html", lambda: {"codes": codes()})

    def _once(self, request: Request, template: str, values: Callable[[], dict[str, Any]]) -> Markup:
        """What is alike for everyone, made once a language."""
        key = language_of(request), template
        if key not in self._rendered:
            site: Pages = self.app.state.pages
            made = site.render(request, template, **values())
            self._rendered[key] = Markup(bytes(made.body).decode("utf-8"))  # noqa: S704 - our own template
        return self._rendered[key]


@reference.get("")
def page(request: Request) -> Response:
    """The API reference."""
    site: Pages = request.app.state.pages
    made: Reference = request.app.state.reference
    return _compressed(
        request, site.render(request, "reference/page.html", operations=made.operations(request))
    )


@reference.get("/operations/{anchor}")
def one_operation(request: Request, anchor: str) -> Response:
    """One operation with its parameters, bodies, answers and an example."""
    site: Pages = request.app.state.pages
    made: Reference = request.app.state.reference
    return site.render(request, "reference/operation.html", each=made.operation(anchor))


@reference.get("/problems")
def problem_codes(request: Request) -> Response:
    """Every problem code with its sentences."""
    site: Pages = request.app.state.pages
    made: Reference = request.app.state.reference
    return _compressed(request, site.render(request, "reference/problems.html", codes=made.codes(request)))


def _compressed(request: Request, page: Response) -> Response:
    """A long page as it goes over the wire; there is no secret in it whose length could tell anything."""
    page.headers.add_vary_header("Accept-Encoding")
    if "gzip" in request.headers.get("accept-encoding", ""):
        page.body = gzip.compress(bytes(page.body), mtime=0)
        page.headers["content-length"] = str(len(page.body))
        page.headers["content-encoding"] = "gzip"
    return page
