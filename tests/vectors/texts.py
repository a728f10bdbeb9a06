"""Vectors about canonical JSON, disclosures and entries. Every text is written by hand or by `json.dumps`."""

import json
from collections.abc import Iterator
from hashlib import sha256

from tests.vectors.case import Case, accept, b64, b64url, refuse

SALT = b64url(bytes(range(16)))
DIGESTS = sorted(b64url(sha256(name).digest()) for name in (b"one", b"two", b"three"))
ID = "00112233445566778899aabbccddeeff"


def canonical() -> Iterator[Case]:
    """text (pieces: each so many times; base64: what is no text): is it the one text of its value?"""
    good = {
        "null": "null",
        "true": "true",
        "zero": "0",
        "the largest integer": "9007199254740991",
        "the smallest integer": "-9007199254740991",
        "the empty string": '""',
        "the empty array": "[]",
        "the empty object": "{}",
        "Chinese stands as it is": '"人才存证"',
        "beyond the basic plane": '"𠀋"',
        "short escapes": '"\\b\\t\\n\\f\\r\\"\\\\"',
        "other control characters as lower-case \\u": '"\\u0000\\u001f"',
        "DEL and the line separator are not escaped": '"\x7f\u2028"',
        "a solidus is not escaped": '"/"',
        "nested": '{"a":[1,{"b":[]}],"c":null}',
        "keys sorted by UTF-16: a rare character before U+FB33": '{"\U0001f600":1,"\ufb33":2}',
        "keys sorted by UTF-16, example of RFC 8785 §3.2.3": (
            '{"\\r":1,"1":2,"\x80":3,"ö":4,"€":5,"\U0001f600":6,"\ufb33":7}'
        ),
        "32 levels": "[" * 32 + "]" * 32,
    }
    yield from (accept(why, text=text) for why, text in good.items())
    yield from _not_canonical()
    yield from _not_json()
    for why, raw in {
        "a byte that is not UTF-8": b'"\xff"',
        "an overlong UTF-8 form": b'"\xc0\xaf"',
        "a surrogate as UTF-8": b'"\xed\xa0\x80"',
        "the text breaks off inside a character": b'"\xe4\xba',
    }.items():
        yield refuse("bad-encoding", why, base64=b64(raw))


def _not_canonical() -> Iterator[Case]:
    for why, text in {
        "a space after a comma": "[1, 2]",
        "a newline at the end": "{}\n",
        "a space in front": " 1",
        "keys out of order": '{"b":1,"a":2}',
        "keys in code point order, not UTF-16": '{"\ufb33":2,"\U0001f600":1}',
        "an escaped letter": '"\\u0041"',
        "upper-case escape": '"\\u001F"',
        "a long escape where a short one exists": '"\\u000a"',
        "an escaped solidus": '"\\/"',
        "Chinese escaped": '"\\u4eba"',
    }.items():
        yield refuse("not-canonical", why, text=text)


def _not_json() -> Iterator[Case]:
    groups: dict[str, dict[str, str]] = {
        "bad-number": {
            "a fraction": "1.5",
            "a whole number with a point": "1.0",
            "an exponent": "1e3",
            "minus zero": "-0",
            "2**53": "9007199254740992",
            "minus 2**53": "-9007199254740992",
            "an integer of 400 digits": "9" * 400,
            "NaN": "NaN",
            "infinity": "-Infinity",
            "too small for a double": "1e-400",
        },
        "duplicate-key": {
            "one key twice": '{"a":1,"a":1}',
            "one key twice, once escaped": '{"a":1,"\\u0061":2}',
        },
        "bad-text": {"a lone high surrogate": '"\\ud800"', "a lone low surrogate in a key": '{"\\udc00":1}'},
        "trailing-bytes": {"two values": "{}{}", "a leading zero": "01", "a NUL after the end": "1\x00"},
        "too-deep": {"33 levels": "[" * 33 + "]" * 33},
        "bad-syntax": {
            "nothing": "",
            "only a space": " ",
            "an object breaks off": '{"a":1',
            "a string breaks off": '"abc',
            "a comma too many": "[1,]",
            "single quotes": "'a'",
            "a bare newline in a string": '"a\nb"',
            "an unknown escape": '"\\x41"',
            "a byte order mark": "\ufeff1",
            "a comment": "/**/1",
            "a plus sign": "+1",
            "a key that is no string": "{1:2}",
            "True in capitals": "True",
        },
    }
    for code, texts in groups.items():
        yield from (refuse(code, why, text=text) for why, text in texts.items())
    yield refuse("too-deep", "20,000 levels", pieces=[["[", 20_000]])
    yield refuse("oversized", "65,536 bytes", pieces=[['"', 1], ["a", 65_534], ['"', 1]])


def disclosures() -> Iterator[Case]:
    """text: a disclosure; name, value: what it shows; digest: what stands for it in `_sd`."""
    for name, value in (
        ("document", {"sha256": "ab"}),
        ("名称", "人才"),
        ("count", 3),
        ("gone", None),
        ("list", [1, [2]]),
    ):
        text = _disclosure([SALT, name, value])
        yield accept(f"field {name}", text=text, digest=_digest(text))
    yield refuse(
        "disclosure-false", "the digest of another", text=_disclosure([SALT, "a", 1]), digest=DIGESTS[0]
    )
    padded = _disclosure([SALT, "ab", 1])
    raw = {
        "bad-encoding": {
            "padding": padded + "=",
            "the other base64 alphabet": "WyJ+",
            "a space": padded[:9] + " " + padded[9:],
            "bits after the last byte": b64url(b'["",""]')[:-1] + "R",
            "the salt is not base64url": _disclosure(["+" * 22, "a", 1]),
            "the salt is padded": _disclosure([SALT + "==", "a", 1]),
            "a base64 length that cannot be": "WyJhb",
        },
        "wrong-type": {
            "two parts: an array element's disclosure": _disclosure([SALT, "a"]),
            "four parts": _disclosure([SALT, "a", 1, 2]),
            "an object": _disclosure({"a": 1}),
            "the name is a number": _disclosure([SALT, 1, 1]),
            "the salt is null": _disclosure([None, "a", 1]),
        },
        "out-of-range": {
            "the reserved name _sd": _disclosure([SALT, "_sd", []]),
            "the reserved name ...": _disclosure([SALT, "...", "x"]),
            "the empty name": _disclosure([SALT, "", 1]),
        },
        "bad-length": {
            "a salt of 15 bytes": _disclosure([b64url(bytes(15)), "a", 1]),
            "an empty salt": _disclosure(["", "a", 1]),
        },
        "not-canonical": {"spaces, as RFC 9901's examples have": b64url(f'["{SALT}", "a", 1]'.encode())},
        "bad-number": {"a fraction as value": _disclosure([SALT, "a", 1.5])},
        "bad-syntax": {"the array breaks off": b64url(f'["{SALT}","a"'.encode()), "nothing": ""},
        "trailing-bytes": {"a second array": b64url(f'["{SALT}","a",1][]'.encode())},
        "duplicate-key": {"one key twice in the value": b64url(f'["{SALT}","a",{{"b":1,"b":2}}]'.encode())},
    }
    for code, texts in raw.items():
        yield from (refuse(code, why, text=text, digest=_digest(text)) for why, text in texts.items())
    yield refuse("oversized", "65,536 characters", pieces=[["W", 65_536]], digest=DIGESTS[0])


def entries() -> Iterator[Case]:
    """text: an entry; leaf: its leaf hash."""
    linked = {"relation": "AMENDS", "refers_to": "f" * 32}
    good: dict[str, dict[str, object]] = {
        "three fields": {},
        "no fields": {"_sd": []},
        "an amendment": {**linked},
        "the highest kind": {"kind": 65_535},
        "the last microsecond of a leap day": {"recorded_at": "2028-02-29T23:59:59.999999Z"},
    }
    for why, members in good.items():
        text = _entry(**members)
        yield accept(why, text=text, leaf=b64(sha256(b"\x00" + text.encode()).digest()))
    for code, why, changed in _bad_members():
        yield refuse(code, why, text=_entry(**changed))
    for missing in ("v", "kind", "id", "recorded_at", "_sd_alg", "_sd"):
        yield refuse("missing-field", f"{missing} is missing", text=_entry(**{missing: ...}))
    yield refuse("wrong-type", "an array", text="[]")
    yield refuse("not-canonical", "a newline at the end", text=_entry() + "\n")
    unsorted = '{"v":1,' + _entry(v=...)[1:]
    yield refuse("not-canonical", "keys in another order", text=unsorted)
    yield refuse("duplicate-key", "kind twice", text=_entry().replace('"kind":10', '"kind":10,"kind":10'))
    yield refuse("trailing-bytes", "two entries", text=_entry() * 2)
    yield refuse("bad-syntax", "the entry breaks off", text=_entry()[:-1])
    before, after = _entry(_sd=["?"]).split("?")
    yield refuse("oversized", "more than 65,535 bytes", pieces=[[before, 1], ["A", 65_536], [after, 1]])


def _bad_members() -> Iterator[tuple[str, str, dict[str, object]]]:
    yield "unknown-version", "version 2", {"v": 2}
    yield "unknown-version", "true for version 1", {"v": True}
    yield "unknown-version", "the version as text", {"v": "1"}
    yield "unknown-field", "a name in clear", {"name": "张三"}
    yield "unsupported-algorithm", "SHA-512", {"_sd_alg": "sha-512"}
    yield "unsupported-algorithm", "capitals", {"_sd_alg": "SHA-256"}
    yield "out-of-range", "kind 0", {"kind": 0}
    yield "out-of-range", "kind 65,536", {"kind": 65_536}
    yield "wrong-type", "true for a kind", {"kind": True}
    yield "wrong-type", "the kind as text", {"kind": "10"}
    yield "bad-number", "a fraction for a kind", {"kind": 10.0}
    yield "bad-encoding", "an id in capitals", {"id": ID.upper()}
    yield "bad-encoding", "an id of 31 digits", {"id": ID[1:]}
    yield "bad-encoding", "an id with a newline after it", {"id": ID + "\n"}
    yield "bad-encoding", "a time with an offset", {"recorded_at": "2026-11-23T16:00:00.000000+08:00"}
    yield "bad-encoding", "a time without fraction", {"recorded_at": "2026-11-23T08:00:00Z"}
    yield "bad-encoding", "a time in full-width digits", {"recorded_at": "２０２６-11-23T08:00:00.000000Z"}
    yield "out-of-range", "31 November", {"recorded_at": "2026-11-31T08:00:00.000000Z"}
    yield "out-of-range", "a leap second", {"recorded_at": "2026-12-31T23:59:60.000000Z"}
    yield "missing-field", "a relation to nothing", {"relation": "AMENDS"}
    yield "missing-field", "a target without relation", {"refers_to": ID}
    yield "out-of-range", "an unknown relation", {"relation": "DELETES", "refers_to": ID}
    yield "wrong-type", "null for a relation", {"relation": None, "refers_to": ID}
    yield "bad-encoding", "a target with 0x", {"relation": "AMENDS", "refers_to": "0x" + ID[2:]}
    yield "not-canonical", "digests in descending order", {"_sd": DIGESTS[::-1]}
    yield "not-canonical", "one digest twice", {"_sd": [DIGESTS[0]] * 2}
    yield "wrong-type", "digests as one text", {"_sd": DIGESTS[0]}
    yield "wrong-type", "a number among the digests", {"_sd": [1]}
    yield "bad-length", "a digest of 31 bytes", {"_sd": [b64url(bytes(31))]}
    yield "bad-encoding", "a digest with padding", {"_sd": [DIGESTS[0] + "="]}
    yield "bad-encoding", "a digest with bits after its last byte", {"_sd": ["A" * 42 + "B"]}


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _disclosure(value: object) -> str:
    return b64url(_dumps(value).encode())


def _digest(text: str) -> str:
    return b64url(sha256(text.encode()).digest())


def _entry(**changed: object) -> str:
    members: dict[str, object] = {
        "v": 1,
        "kind": 10,
        "id": ID,
        "recorded_at": "2026-11-23T08:00:00.000000Z",
        "_sd_alg": "sha-256",
        "_sd": DIGESTS,
    }
    return _dumps({name: value for name, value in (members | changed).items() if value is not ...})
