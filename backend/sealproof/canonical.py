"""Canonical JSON (RFC 8785) without fractions: one value, one text, and a strict JSON reader.

The profile is that of the evidence model: integers below 2**53 in size, Unicode strings, arrays, objects,
true, false, null. Inside it RFC 8785 needs no floating-point printing, and every JSON reader in the world
agrees on the value.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from sealproof.encoding import excerpt, utf8_decode, utf8_encode
from sealproof.errors import (
    BadNumber,
    BadSyntax,
    BadText,
    DecodeError,
    DuplicateKey,
    NotCanonical,
    Oversized,
    TooDeep,
    TrailingBytes,
    WrongType,
)

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
"""A JSON value of the profile. Readers give lists and dicts; writers also take tuples and other mappings."""

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32

_WHITESPACE = " \t\n\r"
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
"""A string that never ends runs to the end of the text, so that no text is read twice."""
_quote = json.encoder.encode_basestring


def encode(value: Json) -> bytes:
    """The one text of a value, as UTF-8.

    Raises WrongType for what JSON has not, BadNumber for a float or an integer of 2**53 or more,
    BadText for a lone surrogate, TooDeep beyond 32 levels.
    """
    return utf8_encode(_text(value, MAX_DEPTH))


def decode(raw: bytes, *, limit: int) -> Json:
    """The value of a canonical text of at most limit bytes.

    Raises what `parse` raises, and NotCanonical when the bytes are another spelling of their value.
    """
    value = parse(raw, limit=limit)
    if encode(value) != raw:
        raise NotCanonical("expected canonical JSON (RFC 8785): sorted keys, no spaces, shortest escapes")
    return value


def parse(raw: bytes, *, limit: int, depth: int = MAX_DEPTH) -> Json:
    """The value of one strict JSON text (RFC 8259) of at most limit bytes and depth levels, in any spelling.

    Raises Oversized, BadEncoding, BadSyntax, TrailingBytes, DuplicateKey, BadNumber, BadText, TooDeep.
    """
    if len(raw) > limit:
        raise Oversized(f"expected JSON of at most {limit} bytes, met {len(raw)}")
    text = utf8_decode(raw)
    _check_levels(text, depth)
    value, end = _scan(text, len(text) - len(text.lstrip(_WHITESPACE)))
    if text[end:].strip(_WHITESPACE):
        raise TrailingBytes(f"expected one JSON value, met {excerpt(text[end:])} after it")
    if "\\u" in text:
        _check(value)
    return value


def _check_levels(text: str, depth: int) -> None:
    """Refuse deep nesting before the decoder recurses into it.

    Python's own recursion limit is no guard: a package in the same process may have raised it so far that the
    decoder overruns the stack and the process dies.
    """
    if text.count("[") + text.count("{") <= depth:
        return
    level = 0
    for token in _STRINGS_AND_BRACKETS.finditer(text):
        bracket = token.group()[0]
        level += (bracket in "[{") - (bracket in "]}")
        if level > depth:
            raise TooDeep(f"expected at most {depth} levels of JSON, met more")


def _scan(text: str, start: int) -> tuple[Json, int]:
    try:
        value: Json
        value, end = _DECODER.raw_decode(text, start)
    except DecodeError:
        raise
    except ValueError as error:
        raise BadSyntax(f"expected JSON: {error}") from None
    return value, end


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise DuplicateKey(f"expected each key once, met {excerpt(twice)} again")
    return members


def _integer(digits: str) -> int:
    # 17 characters hold every allowed integer; longer ones are refused before they cost time to convert.
    if digits == "-0" or len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
        raise BadNumber(f"expected an integer below 2**53 in size, met {excerpt(digits)}")
    return int(digits)


def _refuse_number(text: str) -> NoReturn:
    raise BadNumber(f"expected an integer without fraction or exponent, met {excerpt(text)}")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_refuse_number, parse_constant=_refuse_number
)


def _check(value: Json) -> None:
    """Refuse what the scanner lets through: lone surrogates from escapes."""
    if isinstance(value, str):
        utf8_encode(value)
    elif isinstance(value, list | dict):
        for member in value:
            _check(member)
        if isinstance(value, dict):
            for member in value.values():
                _check(member)


def _text(value: Json, depth: int) -> str:
    if isinstance(value, str):
        return _quote(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return _digits(value)
    if depth == 0:
        raise TooDeep(f"expected at most {MAX_DEPTH} levels of JSON")
    if isinstance(value, list | tuple):
        # Text, nearly every member of an entry and its disclosures, is spared a call.
        texts = [_quote(member) if type(member) is str else _text(member, depth - 1) for member in value]
        return f"[{','.join(texts)}]"
    if isinstance(value, Mapping):
        return f"{{{','.join([f'{_quote(key)}:{_text(value[key], depth - 1)}' for key in _sorted(value)])}}}"
    if isinstance(value, float):
        raise BadNumber(f"expected an integer, met the float {value!r}")
    raise WrongType(f"expected a JSON value, met {type(value).__name__}")


def _digits(value: int) -> str:
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise BadNumber("expected an integer below 2**53 in size; write larger ones as strings")
    return str(int(value))


def _sorted(keys: Iterable[Any]) -> list[str]:
    """Keys in the order of RFC 8785, which for ASCII is Python's own."""
    if all(isinstance(key, str) and key.isascii() for key in keys):
        return sorted(keys)
    return sorted(keys, key=_utf16)


def _utf16(key: str) -> bytes:
    """Sort key of RFC 8785 §3.2.3: UTF-16 code units, which for rare characters is not Python's order."""
    if not isinstance(key, str):
        raise WrongType(f"expected object keys that are strings, met {type(key).__name__}")
    try:
        return key.encode("utf-16-be")
    except UnicodeEncodeError:
        raise BadText("expected Unicode keys, met a lone surrogate") from None
