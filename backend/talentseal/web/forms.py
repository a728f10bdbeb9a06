"""Forms: what a browser sends as flat names becomes what a command model takes, and its findings come back.

A field is named by its place in the command, `stipulations.2.measure`, which is also how pydantic names the
place of an error. So no table is needed in either direction.
"""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from talentseal.errors import TalentSealError
from talentseal.web import problems
from talentseal.web.language import Language, language_of

MOST_FIELDS: Final = 4000
"""A hundred rows with every box ticked, and room to spare."""

SHOWN_ELSEWHERE: Final = frozenset({401, 404, 500, 503})
"""Statuses of refusals that are no answer to what stands in a form: a page of their own says them."""

M = TypeVar("M", bound=BaseModel)

WHOLE: Final = re.compile(r"[0-9]{1,12}\Z")
"""A number that a form may hold: beyond some thousand digits Python itself refuses to read one."""

_YUAN: Final = re.compile(r"([+-]?)([0-9]{1,11})(?:[.]([0-9]{1,2}))?\Z")

_LONGEST_FIELD: Final = 256 * 1024


class FormRefused(TalentSealError):
    """A form that is shown again with what was typed; `errors`: sentence by the field's name."""

    code = "form-refused"
    status = 422
    zh = "有几处需要更正，已在相应位置说明。您填写的内容都还在。"
    en = "Some fields need correcting, as said beside them. What you typed is still here."

    def __init__(self, errors: Mapping[str, tuple[str, str]]) -> None:
        super().__init__()
        self.errors = errors

    @classmethod
    def of(cls, error: ValidationError) -> "FormRefused":
        """From a command model's findings."""
        found = problems.field_problems(error.errors())
        return cls({each.path: (each.zh, each.en) for each in found})


class Typed(dict[str, Any]):
    """What stands in a form's fields, by name; what does not is blank, as templates read it."""

    def __missing__(self, name: str) -> str:
        return ""


async def _form(request: Request) -> AsyncIterator[FormData]:
    limits = {"max_files": 2, "max_fields": MOST_FIELDS, "max_part_size": _LONGEST_FIELD}
    async with request.form(**limits) as form:
        yield form


Form = Annotated[FormData, Depends(_form)]


def texts(form: FormData) -> list[tuple[str, str]]:
    """The form's fields without its files, line ends as in Unix."""
    return [
        (name, value.replace("\r\n", "\n")) for name, value in form.multi_items() if isinstance(value, str)
    ]


def nested(fields: Iterable[tuple[str, str]], *, lists: frozenset[str] = frozenset()) -> Typed:
    """`a.0.b` as {"a": [{"b": …}]}. Blank values are left out, and with them rows in which nothing stands.

    lists: last parts of names whose values are collected, as ticked boxes are. Rows are numbered anew.
    """
    tree: dict[str, Any] = {}
    for name, value in fields:
        if not value.strip():
            continue
        *path, last = name.split(".")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                break
        else:
            if last in lists:
                node.setdefault(last, []).append(value)
            else:
                node[last] = value
    return Typed((name, _rows(value)) for name, value in tree.items())


def _rows(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if all(WHOLE.match(part) for part in node):
        return [_rows(node[part]) for part in sorted(node, key=int)]
    return Typed((part, _rows(value)) for part, value in node.items())


def fen_of(yuan: Any, *, digits: int = 11, signed: bool = False) -> Any:
    """Fen for yuan with at most two decimals; anything else as it is, for the command to refuse.

    digits: before the point, 11 at most. signed: whether a sign may stand before them.
    """
    found = _YUAN.match(str(yuan).strip())
    if found is None or len(found[2]) > digits or (found[1] and not signed):
        return yuan
    fen = int(found[2]) * 100 + int((found[3] or "").ljust(2, "0"))
    return -fen if found[1] == "-" else fen


def whole_of(text: Any) -> Any:
    """The whole number that a field says; anything else as it is, for the command to refuse."""
    return int(text) if isinstance(text, str) and WHOLE.match(text.strip()) else text


def command_of(model: type[M], values: Any) -> M:
    """What a form says as a command. Raises FormRefused."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise FormRefused.of(error) from None


def said(refusal: TalentSealError, request: Request) -> str:
    """The refusal's sentence in the person's language."""
    return refusal.sentence_en if language_of(request) is Language.EN else refusal.sentence_zh


def errors_of(refusal: TalentSealError | None, request: Request) -> Typed:
    """The sentences of a refused form by field, in the person's language; none for any other refusal."""
    if not isinstance(refusal, FormRefused):
        return Typed()
    english = language_of(request) is Language.EN
    return Typed((name, both[english]) for name, both in refusal.errors.items())


def named(sentence: str, names: Mapping[str, str]) -> str:
    """The sentence with names where identifiers stood. names: by identifier."""
    for identifier, name in names.items():
        sentence = sentence.replace(identifier, name)
    return sentence
