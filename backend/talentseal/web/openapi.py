"""The OpenAPI document: every operation says which problems it may answer with."""

from typing import Any, Final

from talentseal.web.problems import MEDIA_TYPE, Problem

OPEN: Final = (400, 404, 405, 422, 429, 500, 503)
"""Problems of operations that need no key."""

CLOSED: Final = (401, 403, 409)
"""Further ones of those that need one."""

UNSAFE: Final = (411, 413, 415)
"""Further ones of those that take a body."""

_VERBS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_TEXTS: Final = {
    400: "The request cannot be read",
    401: "No valid API key",
    403: "The role or the key's scopes do not allow it",
    404: "Nothing there, or not yours to see",
    405: "Another method is needed",
    409: "Contradicts the present state",
    411: "The body's length is missing",
    413: "The body is too large",
    415: "The content type or the document's type is not taken",
    422: "The input breaks rules; see errors",
    429: "Too many failed attempts",
    500: "Internal error; nothing was changed",
    503: "Temporarily unavailable",
}


def document_problems(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with the problem document on every operation, in place of FastAPI's own validation error."""
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components.update(problem.pop("$defs", {}))
    components["Problem"] = problem
    components.pop("HTTPValidationError", None)
    components.pop("ValidationError", None)
    for path in schema["paths"].values():
        for verb, operation in path.items():
            if verb in _VERBS:
                _document(operation, takes_body=verb != "get")
    return schema


def _document(operation: dict[str, Any], *, takes_body: bool) -> None:
    statuses = [*OPEN, *(CLOSED if operation.get("security") else ()), *(UNSAFE if takes_body else ())]
    for status in sorted(statuses):
        answer = operation["responses"].get(str(status))
        if answer is None or status == 422:
            answer = {"description": _TEXTS[status], "content": {}}
            operation["responses"][str(status)] = answer
        reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
        answer.setdefault("content", {}).setdefault(MEDIA_TYPE, reference)
